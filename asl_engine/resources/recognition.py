"""Checks the Resources of a definition against those of AWS: CreateStateMachine refuses the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import is_activity, parse_arn
from asl_engine.findings import Finding
from asl_engine.language.tree import tasks
from asl_engine.resources.integrations import not_recognised, recognised, unlisted
from asl_engine.resources.parameters import unfitting_parameters
from asl_engine.states.fields import SCHEMA_VALIDATION_FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.json_values import Json

__all__ = ["UNLISTED_SERVICE", "task_resources", "unlisted_services", "unrecognised"]

UNLISTED_SERVICE = "UNLISTED_SERVICE"


def unrecognised(definition: Json, *, filled: bool = True) -> Iterator[Finding]:
    """A finding for each task whose Resource is a service integration that AWS does not have.

    Also one for each parameter that the service would not accept, as far as that is known beforehand.  A
    definition that is not ``filled`` may get values for its placeholders later: what they stand for is unknown.
    """
    for task in tasks(definition):
        resource: str = task.source["Resource"]
        arn = parse_arn(resource)
        if arn is None or arn.service != "states" or is_activity(resource):
            continue
        if recognised(resource):
            yield from unfitting_parameters(task, filled=filled)
        else:
            yield Finding(SCHEMA_VALIDATION_FAILED, not_recognised(resource), f"{task.location}/Resource")


def unlisted_services(definition: Json) -> Iterator[Finding]:
    """A warning for each task that calls a service of which it is not known whether Step Functions calls it."""
    for resource, location in task_resources(definition):
        service = unlisted(resource)
        if service is not None:
            yield Finding(UNLISTED_SERVICE, _doubt(service), location, "WARNING")


def _doubt(service: str) -> str:
    return (
        f"No list of AWS's names {service!r} among the services that Step Functions calls, so AWS may refuse "
        "this Resource; asl-engine accepts it"
    )


def task_resources(definition: Json) -> Iterator[tuple[str, str]]:
    """The Resources of the tasks in a definition, at any depth, each with its location."""
    for task in tasks(definition):
        yield task.source["Resource"], f"{task.location}/Resource"
