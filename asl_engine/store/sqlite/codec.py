"""Events as rows and back.

A row is ``(seq, id, previous, at, frame, kind, data, payload)``.  ``data`` is a JSON object of the
event's small fields.  ``payload`` is the text of its input or output; where an earlier event of the
same execution carried the very same payload and it is not small, ``payload`` is that event's ``seq``
instead: a large document that passes through ten states is stored once.  Where a large text only has much
of earlier ones, ``payload`` is a blob: a line with the list of its pieces, and then what it has of its own.
A piece is ``[seq, start, end]``, characters of that event's text, or the number of the next of its own
characters.  ``[seq, start, end, 1]`` counts in the text as we write it, where the event's came in another form.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.core.events import EVENT_KINDS, Event, StateExited
from asl_engine.json_text import dumps, loads_own
from asl_engine.payload import Payload
from asl_engine.splicing import Extract, Spliced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from asl_engine.splicing import Piece

__all__ = ["COLUMNS", "WIDTH", "Row", "decode", "encode", "payload_of", "referred_to", "rows_of", "unstored"]

Row: TypeAlias = tuple[int, int, int, int, int, str, str | None, str | int | bytes | None]

COLUMNS = ("seq", "id", "previous", "at", "frame", "kind", "data", "payload")
WIDTH = 1 + len(COLUMNS)  # of a row with the execution's key
HEAD = COLUMNS.index("kind")  # every event begins with the columns before it
PAYLOAD_FIELDS = frozenset({"input", "output", "parameters", "items", "variables"})
# The variables that Assign sets are a second, rare payload: they join the small fields as an object.
ASSIGNED = "assigned"
SELDOM_THE_SAME = frozenset({"cause", "salt"})
# Texts shorter than this are cheaper to repeat than to look up.
INLINE_LENGTH = 128
MADE_COMPACT = 1


class _Kind:
    """How to take apart the events of one kind."""

    __slots__ = ("data", "make", "name", "payload", "payload_field", "read", "small")

    def __init__(self, kind: type[Event]) -> None:
        own = [name for name in kind._fields if name not in COLUMNS]
        self.make: Callable[..., Event] = kind
        self.name = kind.__name__
        self.payload_field = next((name for name in own if name in PAYLOAD_FIELDS), None)
        self.payload: Callable[[Any], Payload] | None = (
            None if self.payload_field is None else attrgetter(self.payload_field)
        )
        names = [name for name in own if name not in PAYLOAD_FIELDS and name != ASSIGNED]
        # What ``data`` is made of: a tuple, or the only field's value.
        self.small: Callable[[Any], Any] | None = attrgetter(*names) if names else None
        data = _data_of(names)
        # State names recur.
        self.data = data if SELDOM_THE_SAME & {*names} else lru_cache(maxsize=1024)(data)
        self.read: Callable[[str], Any] = _read_state if {*names} == {"name", "type"} else loads_own


def _data_of(names: list[str]) -> Callable[[Any], str]:
    """Makes the text of the small fields of what ``_Kind.small`` gives."""
    if len(names) == 1:
        return lambda value: dumps({names[0]: value})
    return lambda values: dumps(dict(zip(names, values, strict=True)))


_cached_read = lru_cache(maxsize=4096)(loads_own)


def _read_state(data: str) -> Any:
    """Executions of one machine share the names of its states."""
    fields: Any = _cached_read(data)
    return fields.copy()


_KINDS = {kind: _Kind(kind) for kind in EVENT_KINDS.values()}
_BY_NAME = {kind.name: kind for kind in _KINDS.values()}


def encode(execution: int, events: Sequence[Event]) -> list[Any]:
    """The rows of consecutive events of one execution, each after the execution's key, value after value.

    Gives payloads their ``origin``.
    """
    values: list[Any] = []
    for event in events:
        kind = _KINDS[type(event)]
        text: str | int | bytes | None = None
        if kind.payload is not None:
            payload = kind.payload(event)
            if 0 < payload.origin < event.seq and payload.length >= INLINE_LENGTH:
                text = payload.origin
            else:
                text = _in_pieces(payload) if isinstance(payload, Spliced) else payload.text
                payload.origin = payload.origin or event.seq
        data = None if kind.small is None else kind.data(kind.small(event))
        if type(event) is StateExited and event.assigned is not None and data is not None:
            data = f'{data[:-1]},"{ASSIGNED}":{event.assigned.text}}}'
        values += (execution, *event[:HEAD], kind.name, data, text)
    return values


def rows_of(values: Sequence[Any]) -> list[Row]:
    """The rows that ``encode`` has made."""
    return [_as_row(values[at + 1 : at + WIDTH]) for at in range(0, len(values), WIDTH)]


def _as_row(values: Sequence[Any]) -> Row:
    seq, number, previous, at, frame, kind, data, payload = values
    return (seq, number, previous, at, frame, kind, data, payload)


def unstored(events: Sequence[Event]) -> None:
    """The events were encoded and could not be stored: nothing may refer to the texts that they carry."""
    for event in events:
        kind = _KINDS[type(event)]
        if kind.payload is not None and (payload := kind.payload(event)).origin == event.seq:
            payload.origin = 0


def _in_pieces(payload: Spliced) -> str | bytes:
    """The list of its pieces and what it has of its own; its text where it refers to what is not stored."""
    pieces: list[Any] = []
    own: list[str] = []
    for piece in payload.pieces:
        if isinstance(piece, str):
            pieces.append(len(piece))
            own.append(piece)
        elif piece.source.origin:
            where = [piece.source.origin, piece.start, piece.end]
            pieces.append(where if piece.source.is_compact else [*where, MADE_COMPACT])
        else:
            return payload.text
    return f"{dumps(pieces)}\n{''.join(own)}".encode()


def _of_pieces(stored: bytes, payloads: dict[int, Payload]) -> Payload:
    listed, own = _listed(stored)
    pieces: list[Piece] = []
    at = 0
    for piece in listed:
        if isinstance(piece, int):
            pieces.append(own[at : at + piece])
            at += piece
        else:
            source = payloads[piece[0]]
            if len(piece) == 3:
                source.mark_compact()
            pieces.append(Extract(source, piece[1], piece[2]))
    return Spliced(tuple(pieces))


def _listed(stored: bytes) -> tuple[list[Any], str]:
    """The list of the pieces, and what the payload has of its own.  Raises ``ValueError`` for anything else."""
    listed, _, own = stored.decode().partition("\n")
    pieces: Any = loads_own(listed)
    for piece in pieces if isinstance(pieces, list) else (None,):
        numbers = piece if isinstance(piece, list) and len(piece) in {3, 4} else (piece,)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError(f"{listed[:80]} is no list of pieces")
    return pieces, own


def referred_to(rows: Iterable[Sequence[Any]]) -> set[int]:
    """The ``seq`` of the events, not among these rows, whose texts these rows refer to.

    A row begins with its ``seq`` and ends with its ``payload``.
    """
    found: set[int] = set()
    for row in rows:
        payload = row[-1]
        if isinstance(payload, int):
            found.add(payload)
        elif isinstance(payload, bytes):
            found.update(piece[0] for piece in _listed(payload)[0] if isinstance(piece, list))
    return found - {row[0] for row in rows}


def payload_of(stored: str | int | bytes, payloads: dict[int, Payload]) -> Payload:
    """The payload of a row; ``payloads`` holds those it may refer to."""
    if isinstance(stored, int):
        return payloads[stored]
    return _of_pieces(stored, payloads) if isinstance(stored, bytes) else Payload.of_text(str(stored))


def decode(rows: Iterable[Row], payloads: dict[int, Payload]) -> list[Event]:
    """The events of consecutive rows; ``payloads`` holds the payloads of earlier rows; new ones are added."""
    events: list[Event] = []
    for seq, number, previous, at, frame, name, data, text in rows:
        kind = _BY_NAME[name]
        small: Any = kind.read(data) if data is not None else {}
        if kind.payload_field is not None:
            payload = payload_of("" if text is None else text, payloads)
            payload.origin = payload.origin or seq
            payloads[seq] = payload
            small[kind.payload_field] = payload
        if ASSIGNED in small:
            small[ASSIGNED] = Payload(small[ASSIGNED])
        events.append(kind.make(seq=seq, id=number, previous=previous, at=at, frame=frame, **small))
    return events
