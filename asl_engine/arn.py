"""Amazon Resource Names: the few that the engine makes and reads.  "ARN format" in the AWS documentation."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from asl_engine.limits import MAX_NAME_LENGTH

__all__ = [
    "ALLOWED_IN_NAMES",
    "CALLBACK",
    "LAMBDA_INVOKE",
    "activity_arn",
    "child_name",
    "execution_arn",
    "express_arn",
    "is_activity",
    "is_child",
    "is_express",
    "is_lambda_function",
    "is_name",
    "map_run_arn",
    "name_from",
    "qualified_arn",
    "role_arn",
    "service_integration",
    "state_machine_arn",
    "unqualified",
    "uuid_text",
    "waits_for_token",
]

LAMBDA_INVOKE = "arn:aws:states:::lambda:invoke"
CALLBACK = ".waitForTaskToken"


def state_machine_arn(region: str, account: str, machine: str) -> str:
    return f"arn:aws:states:{region}:{account}:stateMachine:{machine}"


def qualified_arn(machine_arn: str, qualifier: str) -> str:
    """The ARN of a version or an alias: ``qualifier`` is its number or its name."""
    return f"{machine_arn}:{qualifier}"


def unqualified(arn: str) -> tuple[str, str | None]:
    """``arn:...:stateMachine:name:3`` -> (``arn:...:stateMachine:name``, "3"); None where nothing qualifies it."""
    parts = arn.split(":")
    return ":".join(parts[:7]), ":".join(parts[7:]) if len(parts) > 7 else None


def execution_arn(region: str, account: str, machine: str, name: str) -> str:
    return f"arn:aws:states:{region}:{account}:execution:{machine}:{name}"


def express_arn(region: str, account: str, machine: str, name: str, unique: str) -> str:
    """An execution of an Express state machine: its name need not be unique, hence the last part."""
    return f"arn:aws:states:{region}:{account}:express:{machine}:{name}:{unique}"


def activity_arn(region: str, account: str, name: str) -> str:
    return f"arn:aws:states:{region}:{account}:activity:{name}"


def map_run_arn(machine_arn: str, label: str, unique: str) -> str:
    """A Map Run of the Map state ``label``; in a Map Run's own children labels do not pile up."""
    machine = machine_arn.replace(":stateMachine:", ":mapRun:", 1).partition("/")[0]
    return f"{machine}/{label}:{unique}"


def child_name(map_run_arn: str, number: int) -> str:
    """The name of a Map Run's child: a UUID that is the same whenever it is asked for."""
    return uuid_text(sha256(f"{map_run_arn}:{number}".encode("utf-8", "surrogatepass")).digest())


def uuid_text(data: bytes) -> str:
    """A UUID of version 4 made of the first 16 bytes."""
    text = (data[:6] + bytes((data[6] & 0x0F | 0x40, data[7], data[8] & 0x3F | 0x80)) + data[9:16]).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_express(arn: str) -> bool:
    """Whether this is the ARN of an execution of an Express state machine."""
    return ":express:" in arn


def is_child(machine_name: str) -> bool:
    """Whether a Map Run has started the executions of this machine: it is called ``machine/label``."""
    return "/" in machine_name


def role_arn(account: str) -> str:
    """The role that executions name: nothing is ever done with it here."""
    return f"arn:aws:iam::{account}:role/asl-engine"


def is_activity(resource: str) -> bool:
    """Whether a Resource is an activity, whose work is done by whoever polls for it."""
    if ":activity:" not in resource:
        return False
    parts = resource.split(":")
    return len(parts) == 7 and parts[0] == "arn" and parts[2] == "states" and parts[5] == "activity"


def waits_for_token(resource: str) -> bool:
    """Whether a Resource is an integration whose task ends when its token comes back."""
    return resource.endswith(CALLBACK)


def is_lambda_function(resource: str) -> bool:
    """Whether a Resource is a Lambda function's own ARN (region and account may be placeholders)."""
    parts = resource.split(":")
    return len(parts) >= 7 and parts[0] == "arn" and parts[2] == "lambda" and parts[5] == "function"


def service_integration(resource: str) -> tuple[str, str]:
    """``arn:aws:states:::sqs:sendMessage.sync`` -> ("sqs", "sendMessage.sync"): resourceType and resource."""
    parts = resource.split(":")
    return ":".join(parts[5:-1]), parts[-1]


# White space, brackets, wildcards, special and control characters; halves of surrogate pairs; no characters.
_FORBIDDEN: Final = re.compile(
    r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U0010ffff]"
)


ALLOWED_IN_NAMES: Final = (
    f"1 to {MAX_NAME_LENGTH} characters, but no white space, no control characters, "
    'and none of < > { } [ ] ? * " # % \\ ^ | ~ ` $ & , ; : /'
)


def is_name(text: str, longest: int | None = MAX_NAME_LENGTH) -> bool:
    """Whether the text can be a name; without ``longest``, of any length."""
    return text != "" and (longest is None or len(text) <= longest) and not _FORBIDDEN.search(text)


def name_from(text: str) -> str:
    """``text`` as a name: what a name may not have becomes ``_``, and what is too long is cut."""
    return _FORBIDDEN.sub("_", text)[:MAX_NAME_LENGTH]
