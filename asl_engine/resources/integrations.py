"""The service integrations: the grammar of ``arn:<partition>:states:::…`` Resources.

One table serves CreateStateMachine, ``asl validate``, ``asl run`` and ``asl serve``.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from asl_engine.arn import PARTITIONS, Arn, integration_name
from asl_engine.resources.aws.names import operation_name, service_model, services
from asl_engine.resources.aws.optimised import OPTIMISED, SYNC, TOKEN
from asl_engine.resources.aws.sdk_services import sdk_services

__all__ = [
    "NATIVE",
    "UNSUPPORTED",
    "Integration",
    "integration",
    "not_recognised",
    "recognised",
    "unlisted",
    "unsupported",
]

# Integrations that are not operations of an AWS service, or that this engine serves itself, with their patterns.
NATIVE: dict[str, tuple[str, ...]] = {
    "apigateway:invoke": (TOKEN,),
    "http:invoke": (),
    "lambda:invoke": (TOKEN,),
    "states:startExecution": (SYNC, ".sync:2", TOKEN),
}
# AWS integrations that this engine lacks: they call the API of a Kubernetes cluster.
UNSUPPORTED = ("eks:call", "eks:runJob")


class Integration(NamedTuple):
    """``arn:aws:states:::sqs:sendMessage.waitForTaskToken`` in its parts; ``pattern`` begins with a dot."""

    service: str
    action: str
    pattern: str = ""
    sdk: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}:{self.action}"


@cache
def integration(resource: str) -> Integration | None:
    """The parsed Resource; None if it is not a service integration but a function's or an activity's ARN."""
    if integration_name(resource) is None:
        return None
    rest = Arn.of(resource).parts
    if len(rest) < 2:
        return None
    sdk = rest[0] == "aws-sdk"
    if sdk:
        rest = rest[1:]
    if len(rest) < 2:
        return Integration(":".join(rest), "", sdk=sdk)
    action, dot, pattern = ":".join(rest[1:]).partition(".")
    return Integration(rest[0], action, dot + pattern, sdk)


@cache
def recognised(resource: str) -> bool:
    """Whether AWS would accept the Resource of a service integration.

    Without botocore, which knows the actions, every one of an ``aws-sdk`` service is accepted that is not
    known to be refused.
    """
    found = integration(resource)
    if found is None or Arn.of(resource).partition not in PARTITIONS:
        return False
    if found.sdk:
        return found.pattern in {"", TOKEN} and _is_action(found)
    if found.name in NATIVE:
        return not found.pattern or found.pattern in NATIVE[found.name]
    entry = OPTIMISED.get(found.name)
    return entry is not None and (not found.pattern or found.pattern in entry.patterns)


def _is_action(found: Integration) -> bool:
    listed, known = sdk_services().get(found.service), services()
    if listed is not None and not listed.takes(found.action):
        return False
    if not known:
        return True
    service = known.get(found.service)
    if service is None:  # this botocore is too old for it, or has dropped it
        return listed is not None
    name = operation_name(service, found.action)
    return name is not None and not service_model(service).operation_model(name).has_event_stream_output


def unsupported(resource: str) -> bool:
    """Whether a Resource is an integration that AWS has and this engine lacks: something may stand in for it."""
    found = integration(resource)
    return found is not None and not found.sdk and found.name in UNSUPPORTED


def unlisted(resource: str) -> str | None:
    """The service of an ``aws-sdk`` Resource that no list of AWS's names, None for any other Resource."""
    found = integration(resource)
    return found.service if found is not None and found.sdk and found.service not in sdk_services() else None


def not_recognised(resource: str) -> str:
    """The message for a Resource that is not ``recognised``: AWS's, or ours for an integration that AWS has."""
    if unsupported(resource):
        return f"The resource {resource} is one that asl-engine does not support (docs/integrations.md)"
    return (
        f"The resource provided {resource} is not recognized. The value is not a valid resource ARN, "
        "or the resource is not available in this region."
    )
