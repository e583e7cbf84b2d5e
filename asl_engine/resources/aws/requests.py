"""A task's parameters, read along the shapes of a service's request.

One walk serves the check at creation, where a value may be ``UNKNOWN``, and the call itself.  It finds what Step
Functions refuses: fields that there are not, values of another kind, required fields that are missing.  What else
a service asks of a value (its length, its pattern, the words it may be) the service says itself.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.json_text import dumps
from asl_engine.resources.aws.failures import refused
from asl_engine.resources.aws.shapes import spelled
from asl_engine.resources.request_fields import (
    ARRAY,
    JSON_TEXT,
    OBJECT,
    UNKNOWN,
    Kind,
    missing,
    refused_parameters,
    unsupported,
    wrong_format,
    wrong_kind,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from asl_engine.errors import StatesError
    from asl_engine.json_values import Json
    from asl_engine.resources.aws.failures import Family
    from asl_engine.resources.aws.shapes import Spelling

__all__ = [
    "Fault",
    "Member",
    "OperationInput",
    "Rules",
    "StructureFields",
    "fields_of",
    "read",
    "read_request",
    "unfit",
]


class Fault(NamedTuple):
    """One reason why parameters are refused.  ``of_value``: the field exists, its value is missing or unfit."""

    message: str
    of_value: bool = True


class Member(NamedTuple):
    """A member of a structure, by the API's name."""

    member: str
    shape: Any


class StructureFields(NamedTuple):
    """A structure's fields by the task's words; ``aliases`` are the API's words for them."""

    fields: Mapping[str, Member]
    required: tuple[str, ...]
    aliases: Mapping[str, str]


class Rules(NamedTuple):
    """What an integration asks beside the model, by places in the task's words.

    ``needed`` has to be given, ``true`` has to be true, ``refused`` is not supported.
    """

    needed: frozenset[str]
    true: frozenset[str]
    refused: frozenset[str]


NO_RULES: Final = Rules(frozenset(), frozenset(), frozenset())


class OperationInput(NamedTuple):
    """What an operation takes.  ``tokens``: those of idempotency have to be given, too."""

    fields: StructureFields
    spelling: Spelling
    tokens: bool = False
    rules: Rules = NO_RULES


class _Walk(NamedTuple):
    request: OperationInput
    converts: bool
    faults: list[Fault]

    def report(self, message: str, *, of_value: bool = True) -> None:
        self.faults.append(Fault(message, of_value))


def read_request(
    shape: Any, parameters: Json, spelling: Spelling, *, tokens: bool = False
) -> tuple[dict[str, Any], list[Fault]]:
    """The arguments of a boto3 call, and everything that is wrong with the parameters; null is no parameters."""
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, dict):
        return {}, [Fault("The Parameters must be an object", of_value=False)]
    return read(
        OperationInput(fields_of(shape, spelling, tokens=tokens), spelling, tokens), parameters, converts=True
    )


def read(request: OperationInput, given: dict[str, Any], *, converts: bool) -> tuple[dict[str, Any], list[Fault]]:
    """The members of a request, as boto3 takes them if ``converts``, and what is wrong, each reason once."""
    walk = _Walk(request, converts, [])
    members = _structure(walk, request.fields, given, "")
    return members, list(dict.fromkeys(walk.faults))


def unfit(parameters: Json, faults: Sequence[Fault], model: Any, family: Family) -> StatesError:
    """The failure of a task whose parameters its operation does not take.

    Recorded of DynamoDB: where the fields exist and only their values do not fit, the service is said to refuse.
    """
    messages = [fault.message for fault in faults]
    if family.judges_values and all(fault.of_value for fault in faults):
        detail = {"Code": "ValidationException", "Message": ", ".join(messages)}
        return refused(detail, {"HTTPStatusCode": 400}, model, family)
    return refused_parameters(parameters, messages)


@cache
def fields_of(shape: Any, spelling: Spelling, *, tokens: bool = False) -> StructureFields:
    """The fields of a structure; an operation without a request has none."""
    if shape is None:
        return StructureFields({}, (), {})
    fields = {field: Member(name, shape.members[name]) for field, name in spelled(shape, spelling).items()}
    called = {name: field for field, (name, _) in fields.items()}
    return StructureFields(
        fields,
        tuple(called[name] for name in _required(shape, tokens=tokens)),
        {name: field for name, field in called.items() if name[:1].isupper()},  # "BOOL" for "Bool"
    )


def _required(shape: Any, *, tokens: bool) -> list[str]:
    """The members that have to be given.

    A stream that is sent is one of them: the AWS SDK for Java has no such request without it.
    """
    names = [name for name in shape.required_members if tokens or not _is_filled_in(shape, name)]
    stream = shape.serialization.get("payload")
    if stream is not None and stream not in names and shape.members[stream].serialization.get("streaming"):
        names.append(stream)
    return names


def _is_filled_in(shape: Any, name: str) -> bool:
    # The id of a query that Athena is to stop is marked as well.
    marked = bool(shape.members[name].metadata.get("idempotencyToken"))
    return marked and name.lower().endswith(("token", "requestid"))


def _structure(walk: _Walk, fields: StructureFields, given: dict[str, Any], place: str) -> dict[str, Any]:
    """``place`` is where the structure is: empty, or with a dot at its end."""
    members: dict[str, Any] = {}
    there = set()
    rules = walk.request.rules
    for key, value in given.items():
        field = key if key in fields.fields else fields.aliases.get(key, key)
        if field not in fields.fields or f"{place}{field}" in rules.refused:
            walk.report(unsupported(key), of_value=False)
        elif value is not None:
            there.add(field)
            member, shape = fields.fields[field]
            members[member] = _value(walk, shape, value, key, f"{place}{field}")
    also = [one.removeprefix(place) for one in sorted(rules.needed) if _is_in(one, place)]
    for name in dict.fromkeys((*fields.required, *also)):
        if name not in there and f"{place}{name}" not in rules.refused:
            walk.report(missing(name))
    return members


def _is_in(needed: str, place: str) -> bool:
    """Whether a place is one of a structure's own fields."""
    return needed.startswith(place) and "." not in needed.removeprefix(place)


def _value(walk: _Walk, shape: Any, value: Any, field: str, place: str) -> Any:
    """A null within a list or a map is as good as absent."""
    if value is UNKNOWN or getattr(shape, "is_document_type", False):
        return value
    if isinstance(value, str) and _is_attribute_value(shape):
        value = {"S": value}
    kind = shape.type_name
    if not KINDS[kind].fits(value):
        walk.report(wrong_kind(field, KINDS[kind].name))
    elif place in walk.request.rules.true and value is not True:
        walk.report(wrong_format(field))
    elif kind == "structure":
        request = walk.request
        return _structure(walk, fields_of(shape, request.spelling, tokens=request.tokens), value, f"{place}.")
    elif kind == "list":
        return [_value(walk, shape.member, item, field, place) for item in value if item is not None]
    elif kind == "map":
        return {
            key: _value(walk, shape.value, item, key, place) for key, item in value.items() if item is not None
        }
    elif kind == "timestamp" and isinstance(value, str) and not _is_moment(value):
        walk.report(wrong_format(field))
    elif walk.converts and kind in _CONVERTED:
        return _CONVERTED[kind](value)
    return value


def _is_attribute_value(shape: Any) -> bool:
    """Whether a text stands for ``{"S": text}``: the AWS SDK for Java makes an AttributeValue of a text."""
    return bool(shape.name == "AttributeValue" and "S" in shape.members)


def _as_text(value: Any) -> str:
    """A text is sent as it is, an object or an array as the JSON that it is."""
    return value if isinstance(value, str) else dumps(value)


def _as_bytes(value: Any) -> bytes:
    return _as_text(value).encode()


def _as_boolean(value: Any) -> bool:
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)


_CONVERTED: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _as_text,
    "char": _as_text,
    "blob": _as_bytes,
    "boolean": _as_boolean,
}
TRUTHS: Final = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})


def _is_truth(value: Any) -> bool:
    """Texts and integers as Jackson takes them for a boolean, the JSON library of the AWS SDK for Java."""
    return isinstance(value, int) or (isinstance(value, str) and value.strip() in TRUTHS)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_moment(text: str) -> bool:
    from botocore.utils import parse_to_aware_datetime

    try:
        parse_to_aware_datetime(text)
    except (ValueError, OverflowError):
        return False
    return True


# What a shape's values are.
KINDS: Final[dict[str, Kind]] = {
    "structure": OBJECT,
    "map": OBJECT,
    "list": ARRAY,
    "string": JSON_TEXT,
    "char": JSON_TEXT,
    "blob": JSON_TEXT,
    "boolean": Kind("a BOOLEAN", _is_truth),
    "integer": Kind("an INTEGER", _is_integer),
    "long": Kind("a LONG", _is_integer),
    "float": Kind("a FLOAT", _is_number),
    "double": Kind("a DOUBLE", _is_number),
    "timestamp": Kind("a TIMESTAMP", lambda value: isinstance(value, str) or _is_number(value)),
}
