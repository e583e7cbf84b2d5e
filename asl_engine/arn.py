"""Amazon Resource Names: the few that the engine makes and reads.  "ARN format" in the AWS documentation."""

from __future__ import annotations

__all__ = [
    "CALLBACK",
    "LAMBDA_INVOKE",
    "activity_arn",
    "execution_arn",
    "express_arn",
    "is_activity",
    "is_express",
    "is_lambda_function",
    "qualified_arn",
    "role_arn",
    "service_integration",
    "state_machine_arn",
    "unqualified",
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


def is_express(arn: str) -> bool:
    """Whether this is the ARN of an execution of an Express state machine."""
    return ":express:" in arn


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
