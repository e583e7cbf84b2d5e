"""What can be a target, by its ARN.  Pure."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from asl_engine.arn import event_resource, function_name, parse_arn, queue_name

__all__ = ["KINDS_OF_TARGETS", "TARGET_MEMBERS", "TargetKind", "target_kind"]

TargetKind: TypeAlias = Literal["machine", "function", "queue", "bus", "http"]
KINDS_OF_TARGETS: Final = (
    "a state machine, a Lambda function, an SQS queue, an event bus, or the URL of an HTTP endpoint"
)
# The members of PutTargets that mean something here, beside the id and the role.
TARGET_MEMBERS: Final = (
    "Arn",
    "DeadLetterConfig",
    "HttpParameters",
    "Input",
    "InputPath",
    "InputTransformer",
    "RetryPolicy",
    "SqsParameters",
)


def target_kind(arn: str) -> TargetKind | None:
    """What an ARN, or a URL, is the target of; None for what events cannot be sent to here."""
    found = parse_arn(arn)
    if found is None:
        try:
            url = urlsplit(arn)
        except ValueError:
            return None
        return "http" if url.scheme in {"http", "https"} and url.hostname else None
    if found.service == "states" and found.kind == "stateMachine" and found.name:
        return "machine"
    if function_name(arn) is not None:
        return "function"
    if queue_name(arn) is not None:
        return "queue"
    resource = event_resource(arn)
    return "bus" if resource is not None and resource[0] == "event-bus" and resource[1] else None
