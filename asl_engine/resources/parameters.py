"""Checks the fields of a task's Parameters or Arguments against the service's model beforehand.

"Passing parameters to a service API in Step Functions" in the Developer Guide.  Values that are known only when
the state runs are checked then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.findings import Finding
from asl_engine.resources.aws.names import operation_name, service_model, services
from asl_engine.resources.aws.optimised import OPTIMISED as TABLE
from asl_engine.resources.aws.shapes import OPTIMISED, SDK, member_of, required
from asl_engine.resources.integrations import integration
from asl_engine.states.fields import SCHEMA_VALIDATION_FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.json_values import Json
    from asl_engine.resources.aws.shapes import Spelling

__all__ = ["unfitting_parameters"]

FIELDS = ("Parameters", "Arguments")


def unfitting_parameters(resource: str, state: dict[str, Json], place: str) -> Iterator[Finding]:
    """A finding for each field that the operation does not have, and for each required field that is missing.

    ``resource`` is a recognised one, ``place`` is the state's location.  Integrations with fields of their own
    report faults when the task runs; so do all integrations if botocore is not installed.
    """
    found = _input_shape(resource)
    for field in FIELDS:
        given = state.get(field)
        if found is not None and isinstance(given, dict):
            shape, spelling, texts = found
            yield from _structure(shape, given, spelling, f"{place}/{field}", texts)


def _input_shape(resource: str) -> tuple[Any, Spelling, tuple[str, ...]] | None:
    """The shape of the request, how its fields are spelled, and those that may be any JSON."""
    found = integration(resource)
    if found is None or not services():
        return None
    texts: tuple[str, ...] = ()
    if found.sdk:
        service = services().get(found.service)
        name = None if service is None else operation_name(service, found.action)
        spelling = SDK
    else:
        entry = TABLE.get(found.name)
        if entry is None or entry.renamed:
            return None
        service, name, texts = entry.service, entry.operation, entry.texts
        spelling = OPTIMISED if entry.family.legacy else SDK
    if service is None or name is None:
        return None
    shape = service_model(service).operation_model(name).input_shape
    return None if shape is None else (shape, spelling, texts)


def _structure(
    shape: Any, given: dict[str, Json], spelling: Spelling, place: str, texts: tuple[str, ...] = ()
) -> Iterator[Finding]:
    members: set[str] = set()
    for key, value in given.items():
        field = key.removesuffix(".$")
        member = member_of(shape, field, spelling)
        if member is None:
            yield _finding(f"The field '{field}' is not supported by Step Functions", place)
            continue
        members.add(member)
        if field == key and field not in texts:
            yield from _value(shape.members[member], value, spelling, f"{place}/{key}")
    for name in required(shape):
        if name not in members:
            yield _finding(f"The field '{spelling.name(name)}' is required but was missing", place)


def _value(shape: Any, value: Json, spelling: Spelling, place: str) -> Iterator[Finding]:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        yield from _structure(shape, value, spelling, place)
    elif kind == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(shape.member, item, spelling, f"{place}[{index}]")
    elif kind == "map" and isinstance(value, dict):
        for key, inner in value.items():
            if not key.endswith(".$"):
                yield from _value(shape.value, inner, spelling, f"{place}/{key}")


def _finding(message: str, place: str) -> Finding:
    return Finding(SCHEMA_VALIDATION_FAILED, message, place)
