"""Converts between a task's JSON and boto3's values, along the shapes of the service's model."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.errors import StatesError
from asl_engine.json_text import dumps
from asl_engine.resources.aws.names import field_name, member_name
from asl_engine.resources.http import bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.json_values import Json

__all__ = [
    "OPTIMISED",
    "SDK",
    "Spelling",
    "TooLarge",
    "member_of",
    "refused_parameters",
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
        problems += [_unknown(key) for key in value]
        request: dict[str, Any] = {}
    else:
        request = _structure_in(shape, value, spelling, problems)
        problems += [
            f"The field '{spelling.name(name)}' is required but was missing"
            for name in required(shape)
            if name not in request
        ]
    if problems:
        raise refused_parameters(value, problems)
    return request


def required(shape: Any) -> list[str]:
    """The required members; botocore fills in idempotency tokens."""
    return [name for name in shape.required_members if not shape.members[name].metadata.get("idempotencyToken")]


def member_of(shape: Any, field: str, spelling: Spelling) -> str | None:
    """The member that a field names; the API's own spelling also counts: "Bool" and "BOOL"."""
    for name in shape.members:
        if spelling.name(name) == field:
            return str(name)
    return field if field in shape.members and field[:1].isupper() else None


def refused_parameters(value: Json, problems: list[str]) -> StatesError:
    listed = ", ".join(problems)
    return StatesError(
        "States.Runtime", f"The Parameters '{dumps(value)}' could not be used to start the Task: [{listed}]"
    )


def _unknown(key: str) -> str:
    return f"The field '{key}' is not supported by Step Functions"


def _in(shape: Any, value: Json, spelling: Spelling, problems: list[str], field: str) -> Any:
    kind = shape.type_name
    if kind == "structure" and getattr(shape, "is_document_type", False):
        return value
    if kind == "blob":
        return value.encode() if isinstance(value, str) else dumps(value).encode()
    types, name, convert = _KINDS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        problems.append(f"The value for the field '{field}' must be {name}")
        return None
    return convert(shape, value, spelling, problems) if convert else value


def _structure_in(shape: Any, value: Any, spelling: Spelling, problems: list[str]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for key, inner in value.items():
        name = member_of(shape, key, spelling)
        if name is None:
            problems.append(_unknown(key))
        elif inner is not None:
            request[name] = _in(shape.members[name], inner, spelling, problems, key)
    return request


def _list_in(shape: Any, value: Any, spelling: Spelling, problems: list[str]) -> list[Any]:
    return [_in(shape.member, item, spelling, problems, str(index)) for index, item in enumerate(value)]


def _map_in(shape: Any, value: Any, spelling: Spelling, problems: list[str]) -> dict[str, Any]:
    return {key: _in(shape.value, item, spelling, problems, key) for key, item in value.items()}


_NUMBER = (int, float)
_KINDS: dict[str, tuple[tuple[type, ...], str, Any]] = {
    "structure": ((dict,), "an object", _structure_in),
    "list": ((list,), "an array", _list_in),
    "map": ((dict,), "an object", _map_in),
    "string": ((str,), "a string", None),
    "char": ((str,), "a string", None),
    "boolean": ((bool,), "a boolean", None),
    "integer": ((int,), "an integer", None),
    "long": ((int,), "an integer", None),
    "float": (_NUMBER, "a number", None),
    "double": (_NUMBER, "a number", None),
    "timestamp": ((str, int, float), "a timestamp", None),
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
