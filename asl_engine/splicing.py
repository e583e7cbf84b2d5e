"""Payloads whose text is put together from the texts of others, without being written anew.

A ResultPath adds a few characters to a document that may have many; a path selects a part of one; Parameters wrap
one up.  The text that follows is known as pieces: parts of the texts of earlier payloads, and what is new.  It is
joined when somebody asks for it.  The store keeps the pieces instead of the text (``store/sqlite/codec``).

Whatever is put together reads as the text that would be written for the value: the compact one, with the keys in
the order of the value's members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asl_engine.errors import StoreError
from asl_engine.json_places import FEW, Document, Spot, document_of, inner, is_brief, large_spots, place_to_put
from asl_engine.json_text import TooDeep, dumps, may_be_deep, too_deep
from asl_engine.json_values import MAX_DEPTH, MISSING, Json, Missing
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Extract", "Piece", "Spliced", "array", "copy_of", "made_from", "part", "put"]

# Shorter texts are written anew as fast, and hardly longer than what would refer to others.
LARGE = 1024
# A shorter piece is not worth referring to.
SHORT = 128
# One of so many parts is the most that a text may have of its own.
MOST_PARTS = 4
# How deep in what an expression has made parts of others are looked for, and how deep in those.
LEVELS = 4


class Extract(NamedTuple):
    """A part of the compact text of a payload."""

    source: Payload
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.compact.text[self.start : self.end]


Piece: TypeAlias = str | Extract


class Spliced(Payload):
    """A payload whose text is known as pieces.

    ``spent`` is how many characters its pieces, and those of the payloads that it was made from, have of their
    own: where that would exceed the text itself, it is better kept as a whole, for others to refer to.
    """

    __slots__ = ("_length", "pieces", "spent")

    def __init__(self, pieces: tuple[Piece, ...], value: Json | Missing = MISSING, spent: int = 0) -> None:
        super().__init__(value)
        self.pieces = pieces
        self.spent = spent
        self._length = _length(pieces)

    @property
    def text(self) -> str:
        if self._text is None:
            text = _joined(self.pieces)
            if len(text) != self._length:
                raise StoreError(
                    "A payload in the database refers to more of another than that has: it is damaged; "
                    "`asl check` tells which"
                )
            self._text = text
        return self._text

    @property
    def length(self) -> int:
        return self._length

    @property
    def known_length(self) -> int:
        return self._length

    @property
    def size(self) -> int:
        return sum(map(_size, self.pieces))


def put(base: Payload, steps: Sequence[str | int], inserted: Payload, value: Json, *, kept: bool) -> Payload:
    """The payload of ``value``: that of ``base`` with ``inserted`` at the place where ``steps`` lead.

    ``kept``: an event carries ``inserted``, so that others can refer to it.
    """
    if base.known_length + inserted.known_length < LARGE or not steps:
        return Payload(value)
    room = MAX_DEPTH - len(steps)
    try:
        if may_be_deep(inserted.text, room) and too_deep(inserted.value, inserted.length, room):
            return Payload(value)  # whoever asks for its text is told
        compact = base.compact
        cut = place_to_put(Document(base.value, compact.length, lambda: compact.text), steps)
        if cut is None:
            return Payload(value)
        added = (cut.before, *_pieces_of(inserted, kept=kept), cut.after)
    except TooDeep:
        return Payload(value)
    pieces = _pieces_of(base)
    left, right = _taken(pieces, 0, cut.start), _taken(pieces, cut.end, compact.length)
    return _spliced(value, _merged([*left, *added, *right]), _spent(base))


def part(base: Payload, steps: Sequence[str | int], value: Json) -> Payload:
    """The payload of ``value``, which is where the steps lead in ``base``."""
    if base.known_length < LARGE or is_brief(value):
        return Payload(value)
    spot = document_of(base.value)
    for step in steps:
        spot = inner(spot, step)
    if spot.head is None or spot.tail is None:
        return Payload(value)
    try:
        return _spliced(value, _merged(_at(base, spot)), _spent(base))
    except TooDeep:
        return Payload(value)


def array(items: Sequence[Payload]) -> Payload:
    """The payload of an array of what events carry."""
    value: Json = [item.value for item in items]
    lengths = [item.known_length for item in items]
    if not items or sum(lengths) < LARGE:
        return Payload(value)
    if max(lengths) < LARGE:  # many small ones: nothing to refer to, but texts to join where they are known
        known = all(item.is_compact for item in items)
        return (
            _within_depth(value, (f"[{','.join([item.text for item in items])}]",), 0) if known else Payload(value)
        )
    pieces: list[Piece] = []
    try:
        for item in items:
            pieces += (",", *_pieces_of(item))
    except TooDeep:
        return Payload(value)
    pieces[0] = "["
    return _within_depth(value, _merged([*pieces, "]"]), max(map(_spent, items)))


def made_from(value: Json, *bases: Payload) -> Payload:
    """The payload of a value that an expression has made, maybe with parts of these payloads in it."""
    for base in bases:
        if base.known_length >= LARGE:
            break
    else:
        return Payload(value)
    if is_brief(value):
        return Payload(value)
    known = {id(spot.value): (base, spot) for base in bases for spot in large_spots(base.value, LEVELS)}
    if not _has_any(value, known, LEVELS):
        return Payload(value)
    try:
        return _within_depth(value, _merged(_written(value, known, LEVELS)), max(map(_spent, bases)))
    except TooDeep:
        return Payload(value)


def copy_of(payload: Payload, copies: dict[int, Payload]) -> Payload:
    """The same payload for another log; ``copies`` holds those that it has, by the ``id`` of what they copy."""
    copy = copies.get(id(payload))
    if copy is None:
        if isinstance(payload, Spliced):
            pieces = (
                piece if isinstance(piece, str) else piece._replace(source=copy_of(piece.source, copies))
                for piece in payload.pieces
            )
            copy = Spliced(tuple(pieces), spent=payload.spent)
        else:
            copy = payload.apart()
            if payload.is_compact:
                copy.mark_compact()
        copies[id(payload)] = copy
    return copy


def _has_any(value: Any, known: Mapping[int, object], levels: int) -> bool:
    if id(value) in known:
        return True
    if not levels or not isinstance(value, (dict, list)) or len(value) > FEW:
        return False
    return any(_has_any(one, known, levels - 1) for one in (value.values() if isinstance(value, dict) else value))


def _written(value: Any, known: Mapping[int, tuple[Payload, Spot]], levels: int) -> Iterator[Piece]:
    """The text of a value, where it has known ones with their pieces."""
    if id(value) in known:
        yield from _at(*known[id(value)])
    elif not _has_any(value, known, levels):
        yield dumps(value)
    else:
        named = isinstance(value, dict)
        before = "{" if named else "["
        for key in value if named else range(len(value)):
            yield f"{before}{dumps(key)}:" if named else before
            yield from _written(value[key], known, levels - 1)
            before = ","
        yield "}" if named else "]"


def _within_depth(value: Json, pieces: tuple[Piece, ...], spent: int) -> Payload:
    """The payload of these pieces, of which nobody knows yet whether together they are nested too deeply."""
    text = _joined(pieces)
    if may_be_deep(text) and too_deep(value, len(text)):
        return Payload(value)  # whoever asks for its text is told
    return _spliced(value, pieces, spent)


def _spliced(value: Json, pieces: tuple[Piece, ...], spent: int) -> Payload:
    own, length = _own(pieces), _length(pieces)
    if own * MOST_PARTS <= length and own + spent <= length:
        return Spliced(pieces, value, own + spent)
    payload = Payload(value, _joined(pieces))
    payload.mark_compact()
    return payload


def _spent(payload: Payload) -> int:
    return payload.spent if isinstance(payload, Spliced) else 0


# -- pieces -------------------------------------------------------------------------------------------


def _pieces_of(payload: Payload, *, kept: bool = True) -> tuple[Piece, ...]:
    if isinstance(payload, Spliced):
        return payload.pieces
    length = payload.compact.length
    return (Extract(payload, 0, length),) if kept and length >= SHORT else (payload.compact.text,)


def _at(base: Payload, spot: Spot) -> Iterator[Piece]:
    assert spot.head is not None and spot.tail is not None  # noqa: S101, PT018  it has been found
    return _taken(_pieces_of(base), spot.head, base.compact.length - spot.tail)


def _taken(pieces: Iterable[Piece], start: int, end: int) -> Iterator[Piece]:
    """What the pieces have from ``start`` to ``end``."""
    at = 0
    for piece in pieces:
        length = _length((piece,))
        first, last = max(start - at, 0), min(end - at, length)
        if first < last:
            if isinstance(piece, str):
                yield piece[first:last]
            else:
                yield Extract(piece.source, piece.start + first, piece.start + last)
        at += length


def _merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The same, with as few pieces as possible."""
    made: list[Piece] = []
    own: list[str] = []  # since the last extract
    for piece in pieces:
        if isinstance(piece, str) or piece.end - piece.start < SHORT:
            own.append(piece if isinstance(piece, str) else piece.text)
            continue
        if any(own):
            made.append("".join(own))
        elif made:
            before: Any = made[-1]
            if before.source is piece.source and before.end == piece.start:
                made[-1] = before._replace(end=piece.end)
                continue
        own = []
        made.append(piece)
    if any(own):
        made.append("".join(own))
    return tuple(made)


def _length(pieces: Iterable[Piece]) -> int:
    return sum(len(piece) if isinstance(piece, str) else piece.end - piece.start for piece in pieces)


def _own(pieces: Iterable[Piece]) -> int:
    return sum(len(piece) for piece in pieces if isinstance(piece, str))


def _joined(pieces: Iterable[Piece]) -> str:
    return "".join([piece if isinstance(piece, str) else piece.text for piece in pieces])


def _size(piece: Piece) -> int:
    """The number of bytes in UTF-8."""
    if isinstance(piece, Extract) and piece.source.compact.text.isascii():
        return piece.end - piece.start
    return utf8_length(piece if isinstance(piece, str) else piece.text)
