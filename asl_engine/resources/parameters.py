"""A task's Parameters or Arguments, held against what its integration takes.

"Passing parameters to a service API in Step Functions" in the Developer Guide.  It is done when a state machine
is created, with what is known of them then; values that only the state's input tells are looked at when it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.expressions.delimiters import is_expression
from asl_engine.findings import Finding
from asl_engine.resources.aws.names import operation_name, service_model, services
from asl_engine.resources.aws.optimised import OPTIMISED as TABLE
from asl_engine.resources.aws.shapes import KINDS, OPTIMISED, SDK, required
from asl_engine.resources.integrations import NATIVE, integration
from asl_engine.resources.request_fields import (
    UNKNOWN,
    missing,
    unsupported,
    wrong_format,
    wrong_kind,
)
from asl_engine.states.fields import SCHEMA_VALIDATION_FAILED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.json_values import Json
    from asl_engine.language.tree import StateSource
    from asl_engine.resources.aws.optimised import Optimised
    from asl_engine.resources.aws.shapes import Spelling
    from asl_engine.resources.integrations import Integration

__all__ = ["parameter_faults", "unfitting_parameters"]

DYNAMIC = ".$"


def unfitting_parameters(task: StateSource) -> Iterator[Finding]:
    """A finding for each field that is wrong.  All of them are at the field that has the parameters, as on AWS.

    The task's Resource is one that is recognised.  Without botocore nothing is known of the services' fields.
    """
    resource, jsonata = task.source["Resource"], task.language == "JSONata"
    found = integration(resource)
    field = "Arguments" if jsonata else "Parameters"
    if found is None:
        return
    if field not in task.source:
        message = f"{field} field is required for resource ARN: {resource}"
        yield Finding(SCHEMA_VALIDATION_FAILED, message, task.location)
        return
    for fault in parameter_faults(found, _known(task.source[field], jsonata=jsonata), field):
        yield Finding(SCHEMA_VALIDATION_FAILED, fault, f"{task.location}/{field}")


def _known(template: Json, *, jsonata: bool) -> Any:
    """The value of a payload template as far as it is known before the state runs."""
    if isinstance(template, dict):
        if jsonata:
            return {key: _known(inner, jsonata=True) for key, inner in template.items()}
        return {
            key.removesuffix(DYNAMIC): UNKNOWN if key.endswith(DYNAMIC) else _known(inner, jsonata=False)
            for key, inner in template.items()
        }
    if isinstance(template, list):
        return [_known(item, jsonata=jsonata) for item in template]
    return UNKNOWN if jsonata and is_expression(template) else template


def parameter_faults(found: Integration, value: Any, field: str = "Parameters") -> list[str]:
    """What is wrong with a task's parameters, of which parts may be ``UNKNOWN``."""
    if value is UNKNOWN:
        return []
    if not isinstance(value, dict):
        return [f"The {field} must be an object"]
    if not found.sdk and found.name in NATIVE:
        return _native(found.name)(value)
    request = _request_of(found)
    return [] if request is None else list(dict.fromkeys(_structure(request, request.fields, value, "")))


def _native(name: str) -> Callable[[dict[str, Any]], list[str]]:
    """What looks at the parameters of an integration that is no operation of a service."""
    if name == "lambda:invoke":
        from asl_engine.resources.lambda_.invoke import invocation_faults

        return invocation_faults
    if name == "states:startExecution":
        from asl_engine.resources.nested import execution_faults

        return execution_faults
    if name == "http:invoke":
        from asl_engine.resources.http.invoke import request_faults as http_faults

        return http_faults
    from asl_engine.resources.http.api_gateway import request_faults

    return request_faults


# -- operations of services ------------------------------------------------------------------------------


class _Fields(NamedTuple):
    """The shapes of a structure's members by the task's words; ``aliases`` are the API's words for them."""

    shapes: dict[str, Any]
    required: list[str]
    aliases: dict[str, str]


class _Request(NamedTuple):
    """What an operation takes.  ``rules`` are those of an optimised integration, ``refused`` places it refuses."""

    fields: _Fields
    spelling: Spelling
    rules: Optimised | None
    refused: frozenset[str]


class _Text(NamedTuple):
    """The shape of a text that the operation's model does not have."""

    type_name: str = "string"


def _request_of(found: Integration) -> _Request | None:
    """None where nothing is known of the operation's request."""
    if not services():
        return None
    entry = None if found.sdk else TABLE[found.name]
    service = services()[found.service] if entry is None else entry.service
    name = operation_name(service, found.action) if entry is None else entry.operation
    assert name is not None, "a recognised action"  # noqa: S101  for the type checker
    spelling = OPTIMISED if entry is not None and entry.family.legacy else SDK
    shape = service_model(service).operation_model(name).input_shape
    fields = _Fields({}, [], {}) if shape is None else _fields(shape, spelling, tokens=entry is None)
    if entry is None:
        return _Request(fields, spelling, None, frozenset())
    refused = entry.refused | entry.taken.get(found.pattern, frozenset())
    return _Request(_own_words(fields, entry, spelling), spelling, entry, refused)


def _fields(shape: Any, spelling: Spelling, *, tokens: bool = False) -> _Fields:
    """``tokens``: those of idempotency have to be given, as reported of ``aws-sdk`` tasks."""
    return _Fields(
        {spelling.name(name): member for name, member in shape.members.items()},
        [spelling.name(name) for name in required(shape, tokens=tokens)],
        {name: spelling.name(name) for name in shape.members if name[:1].isupper()},
    )


def _own_words(fields: _Fields, entry: Optimised, spelling: Spelling) -> _Fields:
    """The fields of a request as an integration calls them."""
    shapes, names = dict(fields.shapes), list(fields.required)
    for member, place in entry.renamed.items():
        field, own = spelling.name(member), place.strip("[]")
        shape = shapes.pop(field)
        shapes[own] = shape.member if place.startswith("[") else shape
        names = [own if name == field else name for name in names]
    if entry.named is not None:
        shapes[entry.named.field] = _Text()
        names.append(entry.named.field)
    return _Fields(shapes, names, {})


def _structure(request: _Request, fields: _Fields, given: dict[str, Any], place: str) -> Iterator[str]:
    """``place`` is where the structure is: empty, or with a dot at its end."""
    there = set()
    for key, value in given.items():
        field = fields.aliases.get(key, key) if key not in fields.shapes else key
        if field not in fields.shapes or f"{place}{field}" in request.refused:
            yield unsupported(key)
        elif value is not None:
            there.add(field)
            yield from _value(request, fields.shapes[field], value, key, f"{place}{field}")
    also = [] if request.rules is None else [one for one in request.rules.needed if _is_in(one, place)]
    names = dict.fromkeys([*fields.required, *(one.removeprefix(place) for one in sorted(also))])
    for name in names:
        if name not in there and f"{place}{name}" not in request.refused:
            yield missing(name)


def _is_in(needed: str, place: str) -> bool:
    """Whether a place is one of a structure's own fields."""
    return needed.startswith(place) and "." not in needed.removeprefix(place)


def _value(request: _Request, shape: Any, value: Any, field: str, place: str) -> Iterator[str]:
    if value is UNKNOWN or value is None or getattr(shape, "is_document_type", False):
        return
    name, fits = KINDS[shape.type_name]
    if not fits(value):
        yield wrong_kind(field, name)
    elif request.rules is not None and place in request.rules.true and value is not True:
        yield wrong_format(field)
    elif shape.type_name == "structure":
        inner = _fields(shape, request.spelling, tokens=request.rules is None)
        yield from _structure(request, inner, value, f"{place}.")
    elif shape.type_name == "list":
        for item in value:
            yield from _value(request, shape.member, item, field, place)
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _value(request, shape.value, item, key, place)
