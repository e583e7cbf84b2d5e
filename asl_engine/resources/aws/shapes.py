"""Converts between a task's JSON and boto3's values, along the shapes of the service's model."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.json_text import dumps
from asl_engine.resources.aws.names import field_name, member_name
from asl_engine.resources.http import bounds
from asl_engine.resources.request_fields import missing, refused_parameters, unsupported, wrong_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.json_values import Json

__all__ = [
    "KINDS",
    "OPTIMISED",
    "SDK",
    "Spelling",
    "TooLarge",
    "member_of",
    "required",
    "to_request",
    "to_result",
]


class TooLarge(Exception):
    """A stream in an answer has more bytes than the limit."""


class Spelling(NamedTuple):
    """How fields are named and timestamps are written."""

    name: Callable[[str], str]
    moment: Callable[[datetime], Json]


def _milliseconds(moment: datetime) -> Json:
    return int(_aware(moment).timestamp() * 1000)


def _instant(moment: datetime) -> Json:
    """ISO 8601 in UTC, without a fraction if it is zero, like Java's Instant."""
    moment = _aware(moment).astimezone(UTC)
    fraction = f".{moment.microsecond:06d}" if moment.microsecond % 1000 else f".{moment.microsecond // 1000:03d}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction if moment.microsecond else ''}Z"


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


SDK = Spelling(field_name, _instant)
OPTIMISED = Spelling(member_name, _milliseconds)


# -- requests ------------------------------------------------------------------------------------------


def to_request(shape: Any, value: Json, spelling: Spelling) -> dict[str, Any]:
    """The arguments of a boto3 call.  Raises ``StatesError`` that lists everything that does not fit."""
    if value is None or shape is None:
        value = {} if value is None else value
    problems: list[str] = []
    if not isinstance(value, dict):
        problems.append("The Parameters must be an object")
        raise refused_parameters(value, problems)
    if shape is None:
        problems += [unsupported(key) for key in value]
        request: dict[str, Any] = {}
    else:
        request = _structure_in(shape, value, spelling, problems)
        problems += [missing(spelling.name(name)) for name in required(shape) if name not in request]
    if problems:
        raise refused_parameters(value, problems)
    return request


def required(shape: Any, *, tokens: bool = False) -> list[str]:
    """The members that have to be given, with ``tokens`` also those of idempotency, which are filled in otherwise.

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


def member_of(shape: Any, field: str, spelling: Spelling) -> str | None:
    """The member that a field names; the API's own spelling also counts: "Bool" and "BOOL"."""
    for name in shape.members:
        if spelling.name(name) == field:
            return str(name)
    return field if field in shape.members and field[:1].isupper() else None


def _in(shape: Any, value: Json, spelling: Spelling, problems: list[str], field: str) -> Any:
    kind = shape.type_name
    if kind == "structure" and getattr(shape, "is_document_type", False):
        return value
    name, fits = KINDS[kind]
    if not fits(value):
        problems.append(wrong_kind(field, name))
        return None
    if kind in _INSIDE:
        return _INSIDE[kind](shape, value, spelling, problems)
    convert = _CONVERTED.get(kind)
    return value if convert is None else convert(value)


def _structure_in(shape: Any, value: Any, spelling: Spelling, problems: list[str]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for key, inner in value.items():
        name = member_of(shape, key, spelling)
        if name is None:
            problems.append(unsupported(key))
        elif inner is not None:
            request[name] = _in(shape.members[name], inner, spelling, problems, key)
    return request


def _list_in(shape: Any, value: Any, spelling: Spelling, problems: list[str]) -> list[Any]:
    return [_in(shape.member, item, spelling, problems, str(index)) for index, item in enumerate(value)]


def _map_in(shape: Any, value: Any, spelling: Spelling, problems: list[str]) -> dict[str, Any]:
    return {key: _in(shape.value, item, spelling, problems, key) for key, item in value.items()}


def _as_text(value: Any) -> str:
    """A text is sent as it is, an object or an array as the JSON that it is."""
    return value if isinstance(value, str) else dumps(value)


def _as_bytes(value: Any) -> bytes:
    return _as_text(value).encode()


def _as_boolean(value: Any) -> bool:
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)


def _is_text(value: Any) -> bool:
    """A text may also be given as the object or the array that it stands for; a number is refused."""
    return isinstance(value, str | dict | list)


def _is_boolean(value: Any) -> bool:
    """Texts and integers as Jackson takes them for a boolean, the JSON library of the AWS SDK for Java."""
    return isinstance(value, int) or (isinstance(value, str) and value.strip() in TRUTHS)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_array(value: Any) -> bool:
    return isinstance(value, list)


TRUTHS: Final = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
# What AWS calls the kind of a shape, and whether a value is of it.
KINDS: Final[dict[str, tuple[str, Callable[[Any], bool]]]] = {
    "structure": ("an OBJECT", _is_object),
    "map": ("an OBJECT", _is_object),
    "list": ("an ARRAY", _is_array),
    "string": ("a STRING", _is_text),
    "char": ("a STRING", _is_text),
    "blob": ("a STRING", _is_text),
    "boolean": ("a BOOLEAN", _is_boolean),
    "integer": ("an INTEGER", _is_integer),
    "long": ("a LONG", _is_integer),
    "float": ("a FLOAT", _is_number),
    "double": ("a DOUBLE", _is_number),
    "timestamp": ("a TIMESTAMP", _is_moment),
}
_INSIDE: Final = {"structure": _structure_in, "list": _list_in, "map": _map_in}
_CONVERTED: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _as_text,
    "char": _as_text,
    "blob": _as_bytes,
    "boolean": _as_boolean,
}


# -- results -------------------------------------------------------------------------------------------


def to_result(shape: Any, value: Any, spelling: Spelling) -> dict[str, Json]:
    """The answer of a boto3 call as the task's result; fields in alphabetical order.  Raises ``TooLarge``."""
    return {} if shape is None else dict(_structure_out(shape, value, spelling))


def _structure_out(shape: Any, value: Any, spelling: Spelling) -> Iterator[tuple[str, Json]]:
    members = {spelling.name(name): name for name in shape.members}
    for key in sorted(members):
        inner = value.get(members[key])
        if inner is not None:
            yield key, _out(shape.members[members[key]], inner, spelling)


def _out(shape: Any, value: Any, spelling: Spelling) -> Json:
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        return dict(_structure_out(shape, value, spelling))
    if kind == "list":
        return [_out(shape.member, item, spelling) for item in value]
    if kind == "map":
        return {key: _out(shape.value, item, spelling) for key, item in value.items()}
    if kind == "timestamp":
        if isinstance(value, int | float):  # seconds since the epoch
            value = datetime.fromtimestamp(value, UTC)
        return spelling.moment(value) if isinstance(value, datetime) else str(value)
    if kind == "blob":
        return _text(value if isinstance(value, bytes) else _read(value))
    result: Json = value
    return result


def _read(stream: Any) -> bytes:
    """All bytes of a stream, which is closed if it has too many."""
    data: bytes = stream.read(bounds.LARGEST_STREAM + 1)
    if len(data) > bounds.LARGEST_STREAM:
        stream.close()
        raise TooLarge
    return data


def _text(data: bytes) -> str:
    """UTF-8 text if the bytes are text, else Base64."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return b64encode(data).decode()
