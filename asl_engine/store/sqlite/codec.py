"""Events as rows and back.

A row is ``(seq, id, previous, at, frame, kind, data, payload)``.  ``data`` is a JSON object of the
event's small fields.  ``payload`` is the text of its input or output; where an earlier event of the
same execution carried the very same payload and it is not small, ``payload`` is that event's ``seq``
instead: a large document that passes through ten states is stored once.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.core.events import EVENT_KINDS, Event, StateExited
from asl_engine.json_text import dumps, loads_own
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["COLUMNS", "Row", "decode", "encode", "referred_to", "unstored"]

Row: TypeAlias = tuple[int, int, int, int, int, str, str | None, str | int | None]

COLUMNS = ("seq", "id", "previous", "at", "frame", "kind", "data", "payload")
PAYLOAD_FIELDS = frozenset({"input", "output", "parameters", "items", "variables"})
# The variables that Assign sets are a second, rare payload: they join the small fields as an object.
ASSIGNED = "assigned"
SELDOM_THE_SAME = frozenset({"cause", "salt"})
# Texts shorter than this are cheaper to repeat than to look up.
INLINE_LENGTH = 128


class _Kind:
    """How to take apart the events of one kind."""

    __slots__ = ("data", "make", "name", "payload", "payload_field", "read", "small", "small_fields")

    def __init__(self, kind: type[Event]) -> None:
        own = [name for name in kind._fields if name not in COLUMNS]
        self.make: Callable[..., Event] = kind
        self.name = kind.__name__
        self.payload_field = next((name for name in own if name in PAYLOAD_FIELDS), None)
        self.small_fields = tuple(name for name in own if name not in PAYLOAD_FIELDS and name != ASSIGNED)
        self.payload: Callable[[Any], Payload] | None = (
            None if self.payload_field is None else attrgetter(self.payload_field)
        )
        self.small = _getter(self.small_fields)
        # State names recur.
        self.data = _data if SELDOM_THE_SAME & {*self.small_fields} else _cached_data
        self.read: Callable[[str], Any] = _read_state if {*self.small_fields} == {"name", "type"} else loads_own


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda event: (get(event),)
    return attrgetter(*names) if names else lambda _: ()


def _data(names: tuple[str, ...], values: tuple[Any, ...]) -> str | None:
    return dumps(dict(zip(names, values, strict=True))) if names else None


_cached_data = lru_cache(maxsize=4096)(_data)
_cached_read = lru_cache(maxsize=4096)(loads_own)


def _read_state(data: str) -> Any:
    """Executions of one machine share the names of its states."""
    fields: Any = _cached_read(data)
    return fields.copy()


_KINDS = {kind: _Kind(kind) for kind in EVENT_KINDS.values()}
_BY_NAME = {kind.name: kind for kind in _KINDS.values()}


def encode(events: Sequence[Event]) -> list[Row]:
    """The rows of consecutive events of one execution; gives payloads their ``origin``."""
    rows: list[Row] = []
    for event in events:
        kind = _KINDS[type(event)]
        text: str | int | None = None
        if kind.payload is not None:
            payload = kind.payload(event)
            text = payload.text
            if payload.origin and len(text) >= INLINE_LENGTH:
                text = payload.origin
            elif not payload.origin:
                payload.origin = event.seq
        data = kind.data(kind.small_fields, kind.small(event))
        if isinstance(event, StateExited) and event.assigned is not None and data is not None:
            data = f'{data[:-1]},"{ASSIGNED}":{event.assigned.text}}}'
        rows.append((event.seq, event.id, event.previous, event.at, event.frame, kind.name, data, text))
    return rows


def unstored(events: Sequence[Event]) -> None:
    """The events were encoded and could not be stored: nothing may refer to the texts that they carry."""
    for event in events:
        kind = _KINDS[type(event)]
        if kind.payload is not None and (payload := kind.payload(event)).origin == event.seq:
            payload.origin = 0


def referred_to(rows: Sequence[Row]) -> set[int]:
    """The ``seq`` of the events, not among these rows, whose texts these rows refer to."""
    return {row[7] for row in rows if isinstance(row[7], int)} - {row[0] for row in rows}


def decode(rows: Iterable[Row], payloads: dict[int, Payload]) -> list[Event]:
    """The events of consecutive rows; ``payloads`` holds the payloads of earlier rows; new ones are added."""
    events: list[Event] = []
    for seq, number, previous, at, frame, name, data, text in rows:
        kind = _BY_NAME[name]
        small: Any = kind.read(data) if data is not None else {}
        if kind.payload_field is not None:
            payload = payloads[text] if isinstance(text, int) else Payload.of_text(str(text))
            payload.origin = payload.origin or seq
            payloads[seq] = payload
            small[kind.payload_field] = payload
        if ASSIGNED in small:
            small[ASSIGNED] = Payload(small[ASSIGNED])
        events.append(kind.make(seq=seq, id=number, previous=previous, at=at, frame=frame, **small))
    return events
