"""FilterCriteria: which records a function gets.

"Control which events Lambda sends to your function" in the Lambda Developer Guide.  A record is let through if one
of the patterns matches.  What a pattern says of a message's body or a record's data has to be of the same form: a
pattern of fields for JSON, a list of values for other text; where they differ, nothing matches.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.errors import InvalidInput
from asl_engine.events.language.faults import InvalidEventPattern
from asl_engine.events.language.patterns import compile_pattern
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.json_values import MISSING
from asl_engine.mappings.sources import KINESIS, QUEUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.events.language.patterns import EventPattern
    from asl_engine.json_values import Json

__all__ = ["MAX_FILTERS", "Filters", "read_filters"]

MAX_FILTERS: Final = 10  # 5, and 10 for accounts that have asked
MAX_PATTERN: Final = 4096  # characters
# The field whose text may be JSON, by the kind of the source.
DATA: Final = {QUEUE: "body", KINESIS: "data"}


class _Filter(NamedTuple):
    """``form`` is dict where the pattern has fields for the data, list where it has values, else None."""

    pattern: EventPattern
    form: type | None


class Filters(NamedTuple):
    """The filters of a mapping; without any, everything is let through."""

    kind: str
    filters: tuple[_Filter, ...] = ()

    def let_through(self, record: dict[str, Any]) -> bool:
        """Whether the function gets a record, which is as the function would get it."""
        if not self.filters:
            return True
        field = DATA.get(self.kind)
        if field is None:
            return any(one.pattern.matches(record) for one in self.filters)
        text = record["body"] if self.kind == QUEUE else _decoded(record["kinesis"]["data"])
        value: Any = MISSING if text is None else _parsed(text)
        told = record if self.kind == QUEUE else {**record["kinesis"], **record}
        for one in self.filters:
            if one.form is dict and value is not MISSING:
                matches = one.pattern.matches({**told, field: value})
            elif one.form is list and value is MISSING and text is not None:
                matches = one.pattern.matches({**told, field: text})
            else:
                matches = one.form is None and one.pattern.matches(told)
            if matches:
                return True
        return False


def read_filters(kind: str, given: Any) -> Filters:
    """The filters of FilterCriteria.  Raises ``InvalidInput`` that begins with the place within it."""
    if given is None:
        return Filters(kind)
    if not isinstance(given, dict) or given.keys() - {"Filters"} or not isinstance(given.get("Filters"), list):
        raise InvalidInput("FilterCriteria is a table with the list Filters, each of which has a Pattern")
    listed = given["Filters"]
    if len(listed) > MAX_FILTERS:
        raise InvalidInput(f"FilterCriteria.Filters: there are at most {MAX_FILTERS}, not {len(listed)}")
    return Filters(kind, tuple(_read(kind, one, f"FilterCriteria.Filters[{n}]") for n, one in enumerate(listed)))


def _read(kind: str, given: Any, place: str) -> _Filter:
    if not isinstance(given, dict) or given.keys() != {"Pattern"}:
        raise InvalidInput(f"{place} has to be a table with a Pattern")
    pattern = given["Pattern"]
    text = pattern if isinstance(pattern, str) else dumps(pattern)
    if len(text) > MAX_PATTERN:
        raise InvalidInput(f"{place}.Pattern: it has {len(text)} characters; at most {MAX_PATTERN} are allowed")
    try:
        compiled = compile_pattern(text)
    except InvalidEventPattern as error:
        reasons = "; ".join(f"{one.location or '/'}: {one.message}" for one in error.findings)
        raise InvalidInput(f"{place}.Pattern: {reasons}") from None
    field = DATA.get(kind)
    return _Filter(compiled, None if field is None else next(_forms(loads(text), field), None))


def _forms(pattern: Any, field: str) -> Iterator[type]:
    """Of what forms the patterns for a field are."""
    if not isinstance(pattern, dict):
        return
    for name, inner in pattern.items():
        if name == field:
            yield type(inner)
        elif name == "$or" and isinstance(inner, list):
            for one in inner:
                yield from _forms(one, field)


def _decoded(data: str) -> str | None:
    """The text of a record's data; None where it is none."""
    try:
        return b64decode(data, validate=True).decode("utf-8")
    except (NotBase64, UnicodeDecodeError):
        return None


def _parsed(text: str) -> Json | Any:
    """The object or the array that a text is; MISSING where it is a plain text."""
    if text.lstrip()[:1] not in {"{", "["}:
        return MISSING
    try:
        return loads(text)
    except (JsonSyntaxError, RecursionError):
        return MISSING
