"""How a task's JSON spells a service's data, and the answers of boto3 as a task's JSON."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.resources.aws.names import field_name, member_name
from asl_engine.resources.http import bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.json_values import Json

__all__ = ["OPTIMISED", "SDK", "Spelling", "TooLarge", "spelled", "to_result"]


class TooLarge(Exception):
    """A stream in an answer has more bytes than the limit."""


class Spelling(NamedTuple):
    """How fields are named, from a member and the name of its structure, and how timestamps are written."""

    name: Callable[[str, str], str]
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


@cache
def spelled(shape: Any, spelling: Spelling) -> dict[str, str]:
    """The members of a structure by the names of their fields."""
    return {spelling.name(name, shape.name): name for name in shape.members}


SDK = Spelling(field_name, _instant)
OPTIMISED = Spelling(member_name, _milliseconds)


def to_result(shape: Any, value: Any, spelling: Spelling) -> dict[str, Json]:
    """The answer of a boto3 call as the task's result; fields in alphabetical order.  Raises ``TooLarge``."""
    return {} if shape is None else dict(_structure_out(shape, value, spelling))


def _structure_out(shape: Any, value: Any, spelling: Spelling) -> Iterator[tuple[str, Json]]:
    members = spelled(shape, spelling)
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
