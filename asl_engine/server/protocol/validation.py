"""Checks requests against botocore's service model, if botocore is installed.

There are two kinds of refusal, as on AWS: SerializationException for a value of the wrong JSON type, and
ValidationException for broken constraints, with every breach.  Both come before the operation's own errors, so a
name that is too long is not an InvalidName.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from asl_engine.limits import AWS_LIMITS, Limits, utf8_length
from asl_engine.server.protocol.errors import ApiError, breach, unreadable, unsatisfied
from asl_engine.server.protocol.service_model import STATES, input_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asl_engine.json_values import Json

__all__ = ["KINDS", "check"]


def check(operation: str, data: dict[str, Json], limits: Limits = AWS_LIMITS, service: str = STATES) -> None:
    """Raises ``ApiError`` if ``data`` does not fit the operation.

    A value may exceed the model's bound if the limit for it was changed: the operation then checks the limit.
    Like AWS, this drops the nulls of lists and the fractions of integers in ``data``.
    """
    shape = (input_shapes(service) or {}).get(operation)
    if shape is None:
        return
    breaches = [found for found in _breaches(shape, data, "") if not _allowed(found, limits)]
    if breaches:
        raise unsatisfied(*(text for _, text in breaches))


def _allowed(found: Breach, limits: Limits) -> bool:
    """Whether the value only exceeds a limit of AWS that was changed here."""
    shape, text = found
    limit = _LIMITED.get(shape)
    changed = limit is not None and getattr(limits, limit) != getattr(AWS_LIMITS, limit)
    return changed and f" {AT_MOST} " in text


# Shapes whose maximum length is one of the limits.
_LIMITED = {
    "Definition": "definition_bytes",
    "Name": "name_length",
    "SensitiveCause": "cause_length",
    "SensitiveData": "payload_bytes",
    "SensitiveError": "error_length",
}
# The shape whose length counts UTF-8 bytes, by the model's documentation.
_IN_BYTES = "SensitiveData"
# Shapes whose bounds have their own error: see InvalidEncryptionConfiguration in the model's documentation.
_LEFT_TO_OPERATIONS = frozenset({"KmsDataKeyReusePeriodSeconds"})
AT_MOST = "less than or equal to"
# The name of the shape, and the text of the breach.
Breach = tuple[str, str]


def _breach(shape: Any, place: str, value: Any, constraint: str) -> Breach:
    secret = bool(shape.metadata.get("sensitive")) and value is not None
    shown = "null" if value is None else "" if secret else f"'{_shown(shape, value)}'"
    return shape.name, breach(place, constraint, shown)


def _shown(shape: Any, value: Any) -> str:
    """The value as Java's toString would show it."""
    if isinstance(value, list):
        return f"[{', '.join(_shown(shape.member, item) for item in value)}]"
    if isinstance(value, dict):
        inner_shape = shape.members.get if shape.type_name == "structure" else lambda _: shape.value
        members = (f"{name}={_shown(inner_shape(name), inner)}" for name, inner in value.items())
        return f"{shape.name}({', '.join(members)})"
    return "null" if value is None else str(value)


def _breaches(shape: Any, value: Any, place: str) -> Iterator[Breach]:
    types, inner = KINDS[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise unreadable(shape.type_name, value, place)
    yield from inner(shape, value, place)


def _in_structure(shape: Any, value: dict[str, Any], place: str) -> Iterator[Breach]:
    prefix = f"{place}." if place else ""
    for name in value:
        if name not in shape.members:
            raise ApiError("ValidationException", f"There is no member '{prefix}{name}'")
    for name, member in shape.members.items():
        given = value.get(name)
        if given is None:  # null is as good as absent
            if name in shape.required_members:
                yield _breach(member, prefix + name, None, "Member must not be null")
            continue
        if isinstance(given, float) and member.type_name in _INTEGERS:
            given = value[name] = int(given)
        yield from _breaches(member, given, prefix + name)


def _in_list(shape: Any, value: list[Any], place: str) -> Iterator[Breach]:
    value[:] = [item for item in value if item is not None]
    for constraint in _unmet(shape, len(value), "length"):
        yield _breach(shape, place, value, constraint)
    items = [[*_breaches(shape.member, item, f"{place}.{n}.member")] for n, item in enumerate(value, 1)]
    if shape.member.type_name == "structure":
        yield from (found for one in items for found in one)
    elif any(items):  # one breach for the whole list, with all constraints of its members
        listed = ", ".join([*_constraints(shape.member), "Member must not be null"])
        yield _breach(shape, place, value, f"Member must satisfy constraint: [{listed}]")


def _in_map(shape: Any, value: dict[str, Any], place: str) -> Iterator[Breach]:
    for constraint in _unmet(shape, len(value), "length"):
        yield _breach(shape, place, value, constraint)
    for key, inner in value.items():
        yield from _breaches(shape.key, key, f"{place}.key")
        yield from _breaches(shape.value, inner, f"{place}.{key}")


def _in_string(shape: Any, value: str, place: str) -> Iterator[Breach]:
    size = utf8_length(value) if shape.name == _IN_BYTES else len(value)
    for constraint in _unmet(shape, size, "length"):
        yield _breach(shape, place, value, constraint)
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield _breach(shape, place, value, f"Member must satisfy enum value set: [{', '.join(enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), value):
        yield _breach(shape, place, value, _of_pattern(pattern))


def _in_number(shape: Any, value: float, place: str) -> Iterator[Breach]:
    if shape.name not in _LEFT_TO_OPERATIONS:
        for constraint in _unmet(shape, value, "value"):
            yield _breach(shape, place, value, constraint)


def _anything(shape: Any, value: Any, place: str) -> Iterator[Breach]:
    del shape, value, place
    return iter(())


def _unmet(shape: Any, size: float, what: str) -> Iterable[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _at_least(what, least)
    if most is not None and size > most:
        yield _at_most(what, most)


def _constraints(shape: Any) -> Iterable[str]:
    """All constraints of a string."""
    metadata = shape.metadata
    if "max" in metadata:
        yield _at_most("length", metadata["max"])
    if "min" in metadata:
        yield _at_least("length", metadata["min"])
    if "pattern" in metadata:
        yield _of_pattern(metadata["pattern"])


def _at_least(what: str, bound: float) -> str:
    return f"Member must have {what} greater than or equal to {bound}"


def _at_most(what: str, bound: float) -> str:
    return f"Member must have {what} {AT_MOST} {bound}"


def _of_pattern(pattern: str) -> str:
    return f"Member must satisfy regular expression pattern: {pattern}"


_INTEGERS = frozenset({"integer", "long"})
_NUMBER: tuple[type, ...] = (int, float)
# The Python types and the checks of each type of member.
KINDS: dict[str, tuple[tuple[type, ...], Callable[[Any, Any, str], Iterator[Breach]]]] = {
    "structure": ((dict,), _in_structure),
    "list": ((list,), _in_list),
    "string": ((str,), _in_string),
    "boolean": ((bool,), _anything),
    "integer": ((int,), _in_number),
    "long": ((int,), _in_number),
    "float": (_NUMBER, _in_number),
    "double": (_NUMBER, _in_number),
    "map": ((dict,), _in_map),
    "timestamp": (_NUMBER, _anything),
}
