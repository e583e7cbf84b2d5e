"""Amazon Resource Names: the few that the engine makes and reads.  "ARN format" in the AWS documentation."""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from typing import Final, NamedTuple

from asl_engine.limits import MAX_NAME_LENGTH

__all__ = [
    "ALIAS_NAME",
    "ALLOWED_IN_ALIASES",
    "ALLOWED_IN_NAMES",
    "CALLBACK",
    "LOG_GROUP_ARN",
    "PARTITIONS",
    "ROLE_ARN",
    "Arn",
    "FunctionReference",
    "activity_arn",
    "bucket_arn",
    "child_name",
    "connection_name",
    "event_arn",
    "event_resource",
    "execution_arn",
    "executions_of",
    "express_arn",
    "function_arn",
    "function_name",
    "function_qualifier",
    "function_reference",
    "integration_name",
    "invokes_function",
    "is_activity",
    "is_alias_name",
    "is_arn",
    "is_child",
    "is_express",
    "is_name",
    "is_of_states",
    "is_qualifier",
    "is_role",
    "is_submitted",
    "labelled",
    "last_part",
    "machine_arn_of",
    "map_run_arn",
    "name_from",
    "names_activity",
    "parse_arn",
    "partition_of",
    "qualified_arn",
    "queue_name",
    "resource_names",
    "role_arn",
    "s3_action",
    "service_arn",
    "service_integration",
    "starts_executions",
    "state_machine_arn",
    "unlabelled",
    "unqualified",
    "uuid_text",
    "version_number",
    "waits_for_token",
]

CALLBACK = ".waitForTaskToken"
# Each partition with the names of its regions, as botocore's partitions.json has them.
_PARTITIONS: Final = {
    "aws": re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+"),
    "aws-cn": re.compile(r"cn-\w+-\d+"),
    "aws-us-gov": re.compile(r"us-gov-\w+-\d+"),
    "aws-eusc": re.compile(r"eusc-(de)-\w+-\d+"),
    "aws-iso": re.compile(r"us-iso-\w+-\d+"),
    "aws-iso-b": re.compile(r"us-isob-\w+-\d+"),
    "aws-iso-e": re.compile(r"eu-isoe-\w+-\d+"),
    "aws-iso-f": re.compile(r"us-isof-\w+-\d+"),
}
PARTITIONS: Final = frozenset(_PARTITIONS)


class Arn(NamedTuple):
    """``arn:partition:service:region:account:resource``; region and account are empty where a service has none."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def of(cls, text: str) -> Arn:
        """Raises ``ValueError`` for a text that is no ARN."""
        found = parse_arn(text)
        if found is None:
            raise ValueError(f"{text!r} is not an ARN")
        return found

    @property
    def home(self) -> tuple[str, str]:
        """The region and the account."""
        return self.region, self.account

    @property
    def parts(self) -> list[str]:
        """The resource at its colons."""
        return self.resource.split(":")

    @property
    def kind(self) -> str:
        """``stateMachine``, ``execution``, ``activity``, ...: the first part of the resource."""
        return self.resource.partition(":")[0]

    @property
    def name(self) -> str:
        """The second part of the resource, "" where it has one; an execution's is its state machine's."""
        return self.resource.partition(":")[2].partition(":")[0]

    @property
    def qualifier(self) -> str | None:
        """What follows the name: a version, an alias, an execution's own name; None where nothing does."""
        _, colon, qualifier = self.resource.partition(":")[2].partition(":")
        return qualifier if colon else None


def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN; None for a text that is none."""
    prefix, *parts = text.split(":", 5)
    return Arn(*parts) if prefix == "arn" and len(parts) == 5 else None


@cache
def partition_of(region: str) -> str:
    """The partition that a region is in; a region whose name says none is in ``aws``."""
    return next((name for name, regions in _PARTITIONS.items() if regions.fullmatch(region)), "aws")


def is_arn(text: str) -> bool:
    """Whether a text is meant as an ARN, and not as a name."""
    return text.startswith("arn:")


def last_part(arn: str) -> str:
    """What follows the last colon: the name of an activity or alias, a Map Run's id.  A name is itself."""
    return arn.rpartition(":")[2]


def state_machine_arn(region: str, account: str, machine: str) -> str:
    return f"arn:{partition_of(region)}:states:{region}:{account}:stateMachine:{machine}"


def qualified_arn(machine_arn: str, qualifier: str) -> str:
    """The ARN of a version or an alias: ``qualifier`` is its number or its name."""
    return f"{machine_arn}:{qualifier}"


def unqualified(arn: str) -> tuple[str, str | None]:
    """``arn:...:stateMachine:name:3`` -> (``arn:...:stateMachine:name``, "3"); None where nothing qualifies it."""
    parts = arn.split(":")
    return ":".join(parts[:7]), ":".join(parts[7:]) if len(parts) > 7 else None


def is_qualifier(text: str) -> bool:
    """Whether a text can follow a state machine's ARN: a single part that is not empty."""
    return text != "" and ":" not in text


def version_number(version_arn: str) -> int:
    """The number in the ARN of a state machine's version."""
    return int(last_part(version_arn))


def labelled(machine: str, label: str) -> str:
    """``machine/label``: what executes the children of a Map Run.  ``machine`` is a name or an ARN.

    In the children of a Map Run's own children labels do not pile up.
    """
    return f"{unlabelled(machine)[0]}/{label}"


def unlabelled(machine: str) -> tuple[str, str | None]:
    """``machine/label`` -> (``machine``, "label"); None where there is no label.  A name or an ARN."""
    name, slash, label = machine.partition("/")
    return name, label if slash else None


def execution_arn(region: str, account: str, machine: str, name: str) -> str:
    return f"arn:{partition_of(region)}:states:{region}:{account}:execution:{machine}:{name}"


def express_arn(region: str, account: str, machine: str, name: str, unique: str | None = None) -> str:
    """An execution of an Express state machine: its name need not be unique, hence the last part.

    A state that is tested by itself has no such part.
    """
    arn = f"arn:{partition_of(region)}:states:{region}:{account}:express:{machine}:{name}"
    return arn if unique is None else f"{arn}:{unique}"


def machine_arn_of(execution_arn: str) -> str:
    """The ARN of the state machine that an execution is one of."""
    arn = Arn.of(execution_arn)
    return f"arn:{arn.partition}:states:{arn.region}:{arn.account}:stateMachine:{arn.name}"


def executions_of(machine_arn: str) -> str | None:
    """A pattern for the ARNs of all executions of a machine; None where the text names no state machine."""
    arn = parse_arn(machine_arn)
    if arn is None or not arn.name:
        return None
    return f"arn:{arn.partition}:{arn.service}:{arn.region}:{arn.account}:execution:{arn.name}:*"


def activity_arn(region: str, account: str, name: str) -> str:
    return f"arn:{partition_of(region)}:states:{region}:{account}:activity:{name}"


def map_run_arn(machine_arn: str, label: str, unique: str) -> str:
    """A Map Run of the Map state ``label``."""
    return f"{labelled(machine_arn.replace(':stateMachine:', ':mapRun:', 1), label)}:{unique}"


def child_name(map_run_arn: str, number: int) -> str:
    """The name of a Map Run's child: a UUID that is the same whenever it is asked for."""
    return uuid_text(sha256(f"{map_run_arn}:{number}".encode("utf-8", "surrogatepass")).digest())


def uuid_text(data: bytes) -> str:
    """A UUID of version 4 made of the first 16 bytes."""
    text = (data[:6] + bytes((data[6] & 0x0F | 0x40, data[7], data[8] & 0x3F | 0x80)) + data[9:16]).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_express(arn: str) -> bool:
    """Whether this is the ARN of an execution of an Express state machine."""
    # A Standard state machine may be called "express" too: the word counts only in its place.
    return ":express:" in arn and arn.split(":", 6)[5:6] == ["express"]


def is_child(machine_name: str) -> bool:
    """Whether a Map Run has started the executions of this machine: it is called ``machine/label``."""
    return "/" in machine_name


def role_arn(region: str, account: str) -> str:
    """The role that executions in a region name: nothing is ever done with it here."""
    return f"arn:{partition_of(region)}:iam::{account}:role/asl-engine"


def is_activity(resource: str) -> bool:
    """Whether a Resource is an activity, whose work is done by whoever polls for it."""
    if ":activity:" not in resource:
        return False
    parts = resource.split(":")
    return len(parts) == 7 and parts[0] == "arn" and parts[2] == "states" and parts[5] == "activity"


# ${AWS::Region}, as a template fills it: what is in it separates no parts.
_PLACEHOLDER: Final = re.compile(r"\$\{[^}]*\}")


def _template(resource: str) -> Arn | None:
    """The parts of an ARN that may have placeholders in it."""
    return parse_arn(_PLACEHOLDER.sub("_", resource) if "${" in resource else resource)


def names_activity(resource: str) -> bool:
    """Whether a Resource is an activity, also one with placeholders in its ARN."""
    arn = _template(resource)
    return arn is not None and arn.service == "states" and arn.kind == "activity"


def is_of_states(resource: str) -> bool:
    """Whether a Resource belongs to Step Functions (integrations, activities), also one with placeholders."""
    arn = _template(resource)
    return arn is not None and arn.service == "states"


def starts_executions(resource: str) -> bool:
    """Whether a Resource is the integration that starts an execution, in any pattern."""
    arn = _template(resource)
    return arn is not None and arn.service == "states" and arn.resource.startswith("states:startExecution")


def waits_for_token(resource: str) -> bool:
    """Whether a Resource is an integration whose task ends when its token comes back."""
    return resource.endswith(CALLBACK)


def is_submitted(resource: str) -> bool:
    """Whether a Resource is an integration whose request is answered before the task's result is there.

    Such a task has a token: whatever does the work may answer with it.
    """
    return resource.endswith((".sync", ".sync:2", CALLBACK)) and not is_activity(resource)


# Each part may be any text: a definition that was never deployed often has placeholders there.
_PART: Final = r"(?:\$\{[^}]*\}|[^:])"
_FUNCTION: Final = re.compile(
    rf"arn:{_PART}++:lambda:{_PART}*+:{_PART}*+:function:(?P<name>{_PART}++)(?::(?P<qualifier>{_PART}++))?"
)


def function_name(resource: str) -> str | None:
    """The NAME in ``arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]``; None where it is no function's."""
    match = _FUNCTION.fullmatch(resource)
    return match and match["name"]


def function_qualifier(resource: str) -> str | None:
    """The QUALIFIER (version or alias) of a Lambda function's ARN, None where there is none."""
    match = _FUNCTION.fullmatch(resource)
    return match and match["qualifier"]


def function_arn(region: str, account: str, name: str) -> str:
    """The ARN of a function that is named in one of Invoke's ways: NAME, ACCOUNT:function:NAME, or an ARN."""
    if is_arn(name):
        return name
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:function:{name.rpartition('function:')[2]}"


class FunctionReference(NamedTuple):
    """A Lambda function as it is named.

    A qualifier, account or region that is left out is "", and so is a placeholder for an account or a region.
    """

    name: str
    qualifier: str = ""
    account: str = ""
    region: str = ""


_REFERENCE: Final = re.compile(
    r"(?:(?:arn:[^:]+:lambda:(?P<region>[^:]*):)?(?P<account>[^:]*):function:|function:)?"
    r"(?P<name>[^:]+)(?::(?P<qualifier>[^:]+))?"
)
_ACCOUNT: Final = re.compile(r"\d{12}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


def function_reference(text: str) -> FunctionReference | None:
    """The function that a text names in one of Invoke's ways: NAME, ACCOUNT:function:NAME or an ARN.

    Each may have a version or an alias behind it.  None for any other text.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    account, region = match["account"] or "", match["region"] or ""
    return FunctionReference(
        match["name"],
        match["qualifier"] or "",
        account if _ACCOUNT.fullmatch(account) else "",
        region if _REGION.fullmatch(region) else "",
    )


def resource_names(resource: str) -> list[str]:
    """What a Resource can be called, the closest first.

    ``arn:aws:states:::ecs:runTask.sync`` -> itself, ``ecs:runTask.sync``, ``arn:aws:states:::ecs:runTask`` and
    ``ecs:runTask``.  An activity can be called by its name.
    """
    arn = parse_arn(resource)
    if arn is None or arn.service != "states":
        return [resource]
    if is_activity(resource):
        return [resource, arn.name]
    found = [resource, arn.resource, resource.partition(".")[0], arn.resource.partition(".")[0]]
    return [*dict.fromkeys(found)]


def event_arn(region: str, account: str, kind: str, *names: str) -> str:
    """The ARN of something of EventBridge's: ``event-bus``, ``rule`` (of a bus), ``archive``, ``replay``."""
    return f"arn:{partition_of(region)}:events:{region}:{account}:{'/'.join((kind, *names))}"


def event_resource(arn: str) -> tuple[str, str] | None:
    """The kind and the name of something of EventBridge's, a rule's without its bus; None for another ARN."""
    found = parse_arn(arn)
    if found is None or found.service != "events":
        return None
    kind, _, name = found.resource.partition("/")
    return kind, name.rpartition("/")[2]


def service_arn(service: str, region: str, account: str, name: str) -> str:
    """The ARN of what a service calls by its name alone: a queue, a topic."""
    return f"arn:{partition_of(region)}:{service}:{region}:{account}:{name}"


def bucket_arn(region: str, bucket: str) -> str:
    return f"arn:{partition_of(region)}:s3:::{bucket}"


def queue_name(arn: str) -> str | None:
    """The name of an SQS queue; None for another ARN."""
    found = parse_arn(arn)
    return found.resource if found is not None and found.service == "sqs" and found.resource else None


def connection_name(arn: str) -> str:
    """``arn:aws:events:REGION:ACCOUNT:connection/NAME/ID`` -> NAME."""
    parts = arn.split("/")
    return parts[1] if len(parts) > 1 else arn


# CloudWatch Logs shows the ARN of a log group with ":*" behind it; the only group of the match is that.
LOG_GROUP_ARN: Final = re.compile(r"arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:log-group:[^:*]+(:\*)?")
ROLE_ARN: Final = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+")


def is_role(text: str) -> bool:
    """Whether a text is the ARN of an IAM role."""
    return ROLE_ARN.fullmatch(text) is not None


# What Step Functions has of its own: every other resource of its ARNs is an integration.
_OWN: Final = frozenset({"activity", "execution", "express", "mapRun", "stateMachine"})


def integration_name(resource: str) -> str | None:
    """``arn:aws:states:::sqs:sendMessage.sync`` -> ``sqs:sendMessage.sync``; None where it is no integration.

    Region and account may be given, and make no difference.
    """
    arn = parse_arn(resource)
    return arn.resource if arn is not None and arn.service == "states" and arn.kind not in _OWN else None


def invokes_function(resource: str) -> bool:
    """Whether a Resource is the integration that invokes a Lambda function, in any pattern."""
    return (integration_name(resource) or "").partition(".")[0] == "lambda:invoke"


_S3: Final = re.compile(r"arn:aws[a-z-]*:states:[^:]*:[^:]*:s3:(\w+)")


def s3_action(resource: str) -> str | None:
    """``arn:aws:states:::s3:getObject`` -> ``getObject``: what ItemReader and ResultWriter name; else None."""
    match = _S3.fullmatch(resource)
    return match and match[1]


def service_integration(resource: str) -> tuple[str, str]:
    """``arn:aws:states:::sqs:sendMessage.sync`` -> ("sqs", "sendMessage.sync"): resourceType and resource.

    A pattern may have a colon, ``startExecution.sync:2``, and so has a service of the SDK, ``aws-sdk:s3``.
    """
    kind, _, rest = resource.split(":", 5)[-1].partition(":")
    if kind == "aws-sdk":
        service, _, rest = rest.partition(":")
        kind = f"{kind}:{service}"
    return kind, rest


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


ALIAS_NAME: Final = re.compile(rf"(?=[0-9]*[A-Za-z_.-])[A-Za-z0-9_.-]{{1,{MAX_NAME_LENGTH}}}")
ALLOWED_IN_ALIASES: Final = (
    f"1 to {MAX_NAME_LENGTH} of the characters A-Z a-z 0-9 . - _, and not digits alone, as a version's number has"
)


def is_alias_name(text: str) -> bool:
    """Whether the text can be the name of a state machine's alias."""
    return ALIAS_NAME.fullmatch(text) is not None


def name_from(text: str) -> str:
    """``text`` as a name: what a name may not have becomes ``_``, and what is too long is cut."""
    return _FORBIDDEN.sub("_", text)[:MAX_NAME_LENGTH]
