"""Checks mocked results of tasks against the service's model of its answers, if botocore is installed.

AWS documentation, MockInput: STRICT demands the required fields and checks the given ones, PRESENT only checks
the given ones.  Fields that the model lacks are accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from asl_engine.arn import integration_name
from asl_engine.inspection.question import Refusal
from asl_engine.resources.aws import names
from asl_engine.resources.aws.optimised import OPTIMISED, SYNC, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.json_values import Json

__all__ = ["FieldValidation", "check_result"]

FieldValidation: TypeAlias = Literal["STRICT", "PRESENT", "NONE"]

NO_OBJECT = "Mocked result must be a valid JSON object."
AWS_SDK = "aws-sdk:"
INVOKE = "lambda:invoke"
START_EXECUTION = "states:startExecution"
# Shapes for which AWS was recorded to enforce narrower bounds than today's model.
RECORDED_BOUNDS = {("lambda", "MemorySize"): (128, 10_240)}


class ResultShape(NamedTuple):
    """The answer of a task: a service's shape, how its members are named, and members that may be anything.

    ``within`` is the field of the result that has the shape, None for the whole result.
    """

    service: str
    shape: Any
    name: Callable[[str, str], str]
    free: frozenset[str] = frozenset()
    within: str | None = None


def check_result(resource: str, result: Json, mode: FieldValidation) -> None:
    """Raises ``Refusal`` with the first fault of ``result`` as the result of a task with this resource.

    Resources whose results have no model (functions, activities, HTTP endpoints, tasks answered with a
    task token) may return anything.
    """
    answer = None if mode == "NONE" else _answer(resource)
    if answer is None or answer.shape is None:
        return
    value: Any = result
    if answer.within is not None and isinstance(value, dict):
        value = value.get(answer.within)
    for fault in _structure(answer, answer.shape, value, answer.within or "", strict=mode == "STRICT"):
        raise Refusal(fault if fault == NO_OBJECT else f"Mock result schema validation error: {fault}")


def _answer(resource: str) -> ResultShape | None:
    name = integration_name(resource)
    if name is None or resource.endswith(TOKEN) or not names.services():
        return None
    if name.startswith(AWS_SDK):
        return _sdk_answer(name.removeprefix(AWS_SDK))
    if name == INVOKE:  # the payload is a text in the model, but any JSON here
        return ResultShape("lambda", _output("lambda", "Invoke"), names.member_name)
    action, _, pattern = name.partition(".")
    if action == START_EXECUTION:
        # With .sync:2, the input and the output of the execution are JSON.
        free = frozenset({"Input", "Output"} if pattern.endswith(":2") else ())
        operation = "DescribeExecution" if pattern else "StartExecution"
        return ResultShape("stepfunctions", _output("stepfunctions", operation), names.member_name, free)
    return _optimised_answer(action, synced=resource.endswith(SYNC))


def _sdk_answer(name: str) -> ResultShape | None:
    service, _, action = name.partition(":")
    known = names.services().get(service)
    operation = None if known is None else names.operation_name(known, action)
    return (
        None
        if known is None or operation is None
        else ResultShape(known, _output(known, operation), names.field_name)
    )


def _optimised_answer(action: str, *, synced: bool) -> ResultShape | None:
    entry = OPTIMISED.get(action)
    if entry is None or entry.shown:  # a result with its own field names
        return None
    free = frozenset({"Body"} if entry.operation == "InvokeModel" else ())
    if not synced:
        return ResultShape(entry.service, _output(entry.service, entry.operation), names.member_name, free)
    job = entry.job
    if job is None:
        return None
    within, _, place = job.result.rpartition("=")
    shape = _at(_output(entry.service, job.describe), place)
    return ResultShape(entry.service, shape, names.member_name, free, within or None)


def _output(service: str, operation: str) -> Any:
    return names.service_model(service).operation_model(operation).output_shape


def _at(shape: Any, place: str) -> Any:
    """The shape at a place like ``Jobs.0``, None if the place is not in a structure."""
    for step in place.split(".") if place else ():
        if shape.type_name == "list":
            shape = shape.member
        else:
            members = {names.member_name(name): member for name, member in shape.members.items()}
            shape = members[step]
    return shape if shape.type_name == "structure" else None


# -- checking ------------------------------------------------------------------------------------------

Faults: TypeAlias = "Iterator[str]"


def _structure(answer: ResultShape, shape: Any, value: Any, field: str, *, strict: bool) -> Faults:
    if not isinstance(value, dict):
        yield f"Field '{field}' must be an object" if field else NO_OBJECT
        return
    called = {answer.name(member, shape.name): member for member in shape.members}
    if strict:
        required = [answer.name(member, shape.name) for member in shape.required_members]
        yield from (f"Field '{name}' is required but was missing" for name in required if value.get(name) is None)
    for name, inner in value.items():
        if name in called and inner is not None and not (name in answer.free and shape is answer.shape):
            yield from _faults(answer, shape.members[called[name]], inner, name, strict=strict)


def _faults(answer: ResultShape, shape: Any, given: object, field: str, *, strict: bool) -> Faults:
    value: Any = given
    kind = shape.type_name
    if getattr(shape, "is_document_type", False) or kind not in _KINDS:
        return
    types, expected = _KINDS[kind]
    if not isinstance(given, types) or (isinstance(given, bool) and bool not in types):
        yield f"Field '{field}' must be {expected}"
        return
    yield from (f"Field '{field}' {fault}" for fault in _out_of_bounds(answer, shape, value))
    if kind == "structure":
        yield from _structure(answer, shape, value, field, strict=strict)
    elif kind in {"list", "map"}:
        inner = shape.member if kind == "list" else shape.value
        items: Any = value if kind == "list" else value.values()
        for item in items:
            yield from _faults(answer, inner, item, field, strict=strict)


def _out_of_bounds(answer: ResultShape, shape: Any, value: Any) -> Faults:
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield "is not an expected value"
    size, is_number = (value, True) if isinstance(value, int | float) else (len(value), False)
    declared = shape.metadata.get("min"), shape.metadata.get("max")
    least, most = RECORDED_BOUNDS.get((answer.service, shape.name), declared)
    if least is not None and size < least:
        yield "is less than the minimum value" if is_number else "is smaller than the minimum length"
    if most is not None and size > most:
        yield "exceeds the maximum value" if is_number else "exceeds the maximum length"


_NUMBER = ((int, float), "a number")
_TEXT = ((str,), "a string")
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "structure": ((dict,), "an object"),
    "map": ((dict,), "an object"),
    "list": ((list,), "an array"),
    "string": _TEXT,
    "char": _TEXT,
    "blob": _TEXT,
    "timestamp": _TEXT,  # recorded from AWS: ISO 8601 text, whatever the integration itself returns
    "boolean": ((bool,), "a boolean"),
    "integer": _NUMBER,
    "long": _NUMBER,
    "float": _NUMBER,
    "double": _NUMBER,
}
