"""Requests held against botocore's service model, where botocore is installed.

Two kinds of refusal, as in AWS: a value of another JSON type cannot be read at all
(SerializationException); one that breaks a constraint is a ValidationException, which lists every
breach, or the operation's own InvalidName or InvalidArn.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.server.protocol.errors import ApiError, invalid_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.json_values import Json

__all__ = ["KINDS", "check", "service_model"]

SERVICE = "stepfunctions"


@cache
def service_model() -> Any:
    """botocore's model of Step Functions, None where botocore is not installed."""
    try:
        from botocore.loaders import Loader
        from botocore.model import ServiceModel
    except ImportError:
        return None
    return ServiceModel(Loader().load_service_model(SERVICE, "service-2"), SERVICE)


def check(operation: str, data: dict[str, Json], limits: Limits = AWS_LIMITS) -> None:
    """Raises ``ApiError`` where ``data`` is not what the operation takes.

    What the service's limits bound may be longer where they are not AWS's: the operation minds them itself.
    """
    model = service_model()
    if model is None or operation not in model.operation_names:
        return
    declared = model.operation_model(operation)
    breaches = [breach for breach in _breaches(declared.input_shape, data, "") if not _allowed(breach, limits)]
    if not breaches:
        return
    errors = {shape.name for shape in declared.error_shapes}
    for shape, value, _ in breaches:
        special = _SPECIAL.get(shape)
        if special is not None and value is not None and special[0] in errors:
            raise special[1](value)
    listed = "; ".join(text for _, _, text in breaches)
    number = f"{len(breaches)} validation error{'s' if len(breaches) > 1 else ''}"
    raise ApiError("ValidationException", f"{number} detected: {listed}")


def _allowed(breach: Breach, limits: Limits) -> bool:
    """Whether the value is only longer than AWS allows, by a limit that is not AWS's here."""
    shape, _, text = breach
    limit = _LIMITED.get(shape)
    changed = limit is not None and getattr(limits, limit) != getattr(AWS_LIMITS, limit)
    return changed and f" {AT_MOST} " in text


def _invalid_name(value: Any) -> ApiError:
    return ApiError("InvalidName", f"Invalid Name: '{value}'")


_SPECIAL: dict[str, tuple[str, Callable[[Any], ApiError]]] = {
    "Name": ("InvalidName", _invalid_name),
    "Arn": ("InvalidArn", lambda value: invalid_arn(str(value))),
    "LongArn": ("InvalidArn", lambda value: invalid_arn(str(value))),
}

# The shapes whose greatest length is one of the service's limits.
_LIMITED = {
    "Definition": "definition_bytes",
    "Name": "name_length",
    "SensitiveCause": "cause_length",
    "SensitiveData": "payload_bytes",
    "SensitiveError": "error_length",
}
AT_MOST = "less than or equal to"
# The name of the shape, the value, and what is said of it.
Breach = tuple[str, Any, str]


def _breach(shape: Any, place: str, value: Any, constraint: str) -> Breach:
    secret = bool(shape.metadata.get("sensitive")) and value is not None
    shown = "null" if value is None else "***" if secret else f"'{value}'"
    text = f"Value {shown} at '{place}' failed to satisfy constraint: Member must {constraint}"
    return shape.name, value, text


def _breaches(shape: Any, value: Any, place: str) -> Iterator[Breach]:
    types, name, inner = KINDS[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ApiError("SerializationException", f"{place or 'The request'} has to be {name}")
    yield from inner(shape, value, place)


def _in_structure(shape: Any, value: dict[str, Any], place: str) -> Iterator[Breach]:
    prefix = f"{place}." if place else ""
    for name in value:
        if name not in shape.members:
            raise ApiError("ValidationException", f"There is no member '{prefix}{name}'")
    for name, member in shape.members.items():
        if value.get(name) is None:  # null is as good as absent
            if name in shape.required_members:
                yield _breach(member, prefix + name, None, "not be null")
        else:
            yield from _breaches(member, value[name], prefix + name)


def _in_list(shape: Any, value: list[Any], place: str) -> Iterator[Breach]:
    yield from _out_of_bounds(shape, len(value), value, place, "have length")
    for number, item in enumerate(value, 1):
        yield from _breaches(shape.member, item, f"{place}.{number}.member")


def _in_string(shape: Any, value: str, place: str) -> Iterator[Breach]:
    yield from _out_of_bounds(shape, len(value), value, place, "have length")
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield _breach(shape, place, value, f"satisfy enum value set: [{', '.join(enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), value):
        yield _breach(shape, place, value, f"satisfy regular expression pattern: {pattern}")


def _in_number(shape: Any, value: float, place: str) -> Iterator[Breach]:
    yield from _out_of_bounds(shape, value, value, place, "have value")


def _anything(shape: Any, value: Any, place: str) -> Iterator[Breach]:
    del shape, value, place
    return iter(())


def _out_of_bounds(shape: Any, size: float, value: Any, place: str, have: str) -> Iterator[Breach]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _breach(shape, place, value, f"{have} greater than or equal to {least}")
    if most is not None and size > most:
        yield _breach(shape, place, value, f"{have} {AT_MOST} {most}")


_NUMBER: tuple[type, ...] = (int, float)
# The kinds of members that requests have.
KINDS: dict[str, tuple[tuple[type, ...], str, Callable[[Any, Any, str], Iterator[Breach]]]] = {
    "structure": ((dict,), "an object", _in_structure),
    "list": ((list,), "an array", _in_list),
    "string": ((str,), "a string", _in_string),
    "boolean": ((bool,), "true or false", _anything),
    "integer": ((int,), "an integer", _in_number),
    "long": ((int,), "an integer", _in_number),
    "float": (_NUMBER, "a number", _in_number),
    "double": (_NUMBER, "a number", _in_number),
}
