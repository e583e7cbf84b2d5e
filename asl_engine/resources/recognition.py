"""The Resources of a definition, held against what AWS knows: what CreateStateMachine refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import is_activity
from asl_engine.fields import SCHEMA_VALIDATION_FAILED
from asl_engine.findings import Finding
from asl_engine.resources.integrations import not_recognised, recognised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.jsontypes import Json

__all__ = ["task_resources", "unrecognised"]


def unrecognised(definition: Json) -> Iterator[Finding]:
    """A finding for each task whose Resource is a service integration that AWS does not have."""
    for resource, location in task_resources(definition):
        of_states = resource.split(":")[2:3] == ["states"]
        if of_states and not is_activity(resource) and not recognised(resource):
            yield Finding(SCHEMA_VALIDATION_FAILED, not_recognised(resource), location)


def task_resources(value: Json, place: str = "") -> Iterator[tuple[str, str]]:
    """The Resources of the tasks in a definition, at any depth, each with its location."""
    members: Iterable[tuple[str, Json]] = ()
    if isinstance(value, dict):
        resource = value.get("Resource")
        if value.get("Type") == "Task" and isinstance(resource, str):
            yield resource, f"{place}/Resource"
        members = ((f"/{name}", inner) for name, inner in value.items())
    elif isinstance(value, list):
        members = ((f"[{index}]", inner) for index, inner in enumerate(value))
    for step, inner in members:
        yield from task_resources(inner, place + step)
