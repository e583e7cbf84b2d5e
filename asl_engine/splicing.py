"""Payloads whose text is put together from the texts of others, without being written anew.

A ResultPath adds a few characters to a document that may have many; a path selects a part of one.  The text
that follows is known as pieces: parts of the texts of earlier payloads, and what is new.  It is joined when
somebody asks for it.  The store keeps the pieces instead of the text (``store/sqlite/codec``).

Whatever is put together reads as the text that would be written for the value: the compact one, with the keys
in the order of the value's members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asl_engine.json_text import TooDeep, dumps, may_be_deep, too_deep
from asl_engine.json_values import MAX_DEPTH, MISSING, Json, Missing
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["LARGE", "Piece", "Slice", "Spliced", "part", "put"]

# Shorter texts are written anew as fast, and hardly longer than what would refer to others.
LARGE = 1024
# A shorter text is not worth to be referred to.
SHORT = 128
# One of so many parts is the most that a text may have of its own.
MOST_PARTS = 4
# How much is looked at to find a place from one side: members, and characters of text.
FEW, BRIEF = 64, 2048


class Slice(NamedTuple):
    """A part of the compact text of a payload."""

    source: Payload
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.compact.text[self.start : self.end]


Piece: TypeAlias = str | Slice


class Spliced(Payload):
    """A payload whose text is known as pieces.

    ``spent`` is what its pieces, and those of the payloads that it was made from, have of their own, in
    characters: once it exceeds the text itself, that is better kept as a whole.
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
                raise ValueError("a payload refers to more of another than that has")
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
        return sum(
            piece.end - piece.start
            if isinstance(piece, Slice) and piece.source.compact.text.isascii()
            else utf8_length(piece if isinstance(piece, str) else piece.text)
            for piece in self.pieces
        )


def put(base: Payload, steps: Sequence[str | int], inserted: Payload, value: Json, *, kept: bool) -> Payload:
    """The payload of ``value``: that of ``base`` with ``inserted`` at the place where ``steps`` lead.

    ``kept``: an event carries ``inserted``, so that others can refer to it.
    """
    if base.known_length + inserted.known_length < LARGE or not steps:
        return Payload(value)
    try:
        return _put(base, steps, inserted, value, kept=kept) or Payload(value)
    except TooDeep:
        return Payload(value)  # if anybody wants its text, they are told the same


def part(base: Payload, steps: Sequence[str | int], value: Json) -> Payload:
    """The payload of ``value``, which is where the steps lead in ``base``."""
    if base.known_length < LARGE or not base.is_compact or _is_brief(value):
        return Payload(value)
    node = _Node(base.value, 0, 0)
    for step in steps:
        node = _member(node, step)
    if node.head is None or node.tail is None:
        return Payload(value)
    pieces = _merged(_taken(_pieces_of(base), node.head, base.length - node.tail))
    own = _own(pieces)
    spent = own + (base.spent if isinstance(base, Spliced) else 0)
    return Spliced(pieces, value, spent) if own * MOST_PARTS <= _length(pieces) else Payload(value)


def _put(
    base: Payload, steps: Sequence[str | int], inserted: Payload, value: Json, *, kept: bool
) -> Payload | None:
    room = MAX_DEPTH - len(steps)
    if may_be_deep(inserted.text, room) and too_deep(inserted.value, inserted.length, room):
        return None
    cut = _find(base, steps)
    if cut is None:
        return None
    pieces = _pieces_of(base)
    made = _merged(
        [
            *_taken(pieces, 0, cut.start),
            cut.before,
            *_pieces_of(inserted, kept=kept),
            cut.after,
            *_taken(pieces, cut.end, base.compact.length),
        ]
    )
    own, length = _own(made), _length(made)
    spent = own + (base.spent if isinstance(base, Spliced) else 0)
    if own * MOST_PARTS > length or spent > length:
        return _whole(value, _joined(made))
    return Spliced(made, value, spent)


def _whole(value: Json, text: str) -> Payload:
    payload = Payload(value, text)
    payload.mark_compact()
    return payload


# -- pieces -------------------------------------------------------------------------------------------


def _pieces_of(payload: Payload, *, kept: bool = True) -> tuple[Piece, ...]:
    if isinstance(payload, Spliced):
        return payload.pieces
    length = payload.compact.length
    if kept and length >= SHORT:
        return (Slice(payload, 0, length),)
    return (payload.compact.text,)


def _length(pieces: Iterable[Piece]) -> int:
    return sum(len(piece) if isinstance(piece, str) else piece.end - piece.start for piece in pieces)


def _own(pieces: Iterable[Piece]) -> int:
    return sum(len(piece) for piece in pieces if isinstance(piece, str))


def _joined(pieces: Iterable[Piece]) -> str:
    return "".join([piece if isinstance(piece, str) else piece.text for piece in pieces])


def _taken(pieces: Iterable[Piece], start: int, end: int) -> Iterator[Piece]:
    """What the pieces have from ``start`` to ``end``."""
    at = 0
    for piece in pieces:
        length = len(piece) if isinstance(piece, str) else piece.end - piece.start
        first, last = max(start - at, 0), min(end - at, length)
        if first < last:
            if isinstance(piece, str):
                yield piece[first:last]
            else:
                yield Slice(piece.source, piece.start + first, piece.start + last)
        at += length


def _merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The same, with as few pieces as possible."""
    made: list[Piece] = []
    for piece in pieces:
        found = piece if isinstance(piece, str) or piece.end - piece.start >= SHORT else piece.text
        before = made[-1] if made else None
        if isinstance(found, str):
            if isinstance(before, str):
                made[-1] = before + found
            elif found:
                made.append(found)
        elif isinstance(before, Slice) and before.source is found.source and before.end == found.start:
            made[-1] = Slice(before.source, before.start, found.end)
        else:
            made.append(found)
    return tuple(made)


# -- places -------------------------------------------------------------------------------------------


class _Cut(NamedTuple):
    """What a new value, between ``before`` and ``after``, takes the place of."""

    start: int
    end: int
    before: str = ""
    after: str = ""


class _Node(NamedTuple):
    """A value in a document, and where its text is: how many characters come before it, and how many after it.

    Either is None where it would take too long to find out.
    """

    value: Any
    head: int | None
    tail: int | None


def _find(base: Payload, steps: Sequence[str | int]) -> _Cut | None:
    """Where in the compact text the steps lead; None where that is not found with little effort."""
    node = _Node(base.value, 0, 0)
    total = base.compact.length
    for number, step in enumerate(steps):
        if isinstance(node.value, dict) and step not in node.value:
            return _new_member(base, node, steps[number - 1 : number], steps[number:])
        node = _member(node, step)
    return _span(base, node, steps[-1:], total)


def _span(base: Payload, node: _Node, steps: Sequence[str | int], total: int) -> _Cut | None:
    """From where to where the text of a node goes; ``steps`` are the last that led to it."""
    head, tail = node.head, node.tail
    if head is None or tail is None:
        if not _is_brief(node.value):
            return None
        text = dumps(node.value)
        if head is None:
            head = _only_place(base, steps, text) if tail is None else total - tail - len(text)
        if head is None:
            return None
        return _Cut(head, head + len(text))
    return _Cut(head, total - tail)


def _new_member(
    base: Payload, node: _Node, before: Sequence[str | int], steps: Sequence[str | int]
) -> _Cut | None:
    """A new member comes last, with the objects that are to be around its value."""
    total = base.compact.length
    if node.tail is not None:
        end = total - node.tail - 1
    else:
        span = _span(base, node, before, total)
        if span is None:
            return None
        end = span.end - 1
    opening = "{".join(f"{dumps(str(step))}:" for step in steps)
    return _Cut(end, end, f",{opening}" if node.value else opening, "}" * (len(steps) - 1))


def _member(node: _Node, step: str | int) -> _Node:
    """The value that a step leads to."""
    inner: Any = node.value
    if isinstance(inner, list):
        index = range(len(inner))[step]  # type: ignore[index]  # only an index leads into an array
        earlier: Any = inner[:index] if index <= FEW else None
        later: Any = inner[index + 1 :] if len(inner) - index <= FEW else None
        name = ""
    else:
        earlier = _members_until(step, inner.items())
        later = _members_until(step, reversed(inner.items()))
        name = f"{dumps(str(step))}:"
    before, after = _text_length(earlier), _text_length(later)
    return _Node(
        inner[step],
        None if node.head is None or before is None else node.head + before + len(name) + 1,
        None if node.tail is None or after is None else node.tail + after + 1,
    )


def _members_until(step: str | int, members: Iterable[tuple[str, Any]]) -> dict[str, Any] | None:
    """The members that come before this one; None if they are many."""
    found: dict[str, Any] = {}
    for name, value in members:
        if name == step:
            return found
        if len(found) == FEW:
            return None
        found[name] = value
    raise KeyError(step)


def _text_length(siblings: Any) -> int | None:
    """How long the text of some members or items is, with a comma after each; None if that is not brief."""
    if siblings is None or not _is_brief(siblings):
        return None
    return len(dumps(siblings)) - 1 if siblings else 0


def _is_brief(value: Json) -> bool:
    """Whether the text of a value is soon written."""
    room = BRIEF
    waiting: list[Any] = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, str):
            room -= len(inner)
        elif isinstance(inner, dict):
            room -= 8 * len(inner) + (sum(map(len, inner)) if len(inner) <= FEW else 0)
            waiting += inner.values() if room > 0 else ()
        elif isinstance(inner, list):
            room -= 8 * len(inner)
            waiting += inner if room > 0 else ()
        if room <= 0:
            return False
    return True


def _only_place(base: Payload, steps: Sequence[str | int], text: str) -> int | None:
    """Where the member of this name and text begins its value, if there is one place only where it can be.

    It is there: so a text that is found once is found where it belongs.
    """
    if not steps or not isinstance(steps[0], str):
        return None
    name = f"{dumps(steps[0])}:"
    wanted, whole = name + text, base.compact.text
    found = whole.find(wanted)
    return found + len(name) if whole.find(wanted, found + 1) < 0 else None
