"""Where a value's text stands in the compact text of its document.

Few steps from the beginning or from the end are looked at, and text that is soon written: a place that would take
longer to find than the document takes to write is not found.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from asl_engine.json_values import Json

__all__ = ["FEW", "Cut", "Document", "Spot", "document_of", "inner", "is_brief", "large_spots", "place_to_put"]

# How much is looked at to find a place: members or items, and characters of their text.
FEW, BRIEF = 64, 2048


class Spot(NamedTuple):
    """A value in a document: how many characters of text come before it, and how many after it.

    Either is None where it was not found.
    """

    value: Any
    head: int | None
    tail: int | None


class Cut(NamedTuple):
    """What a new value, between ``before`` and ``after``, takes the place of."""

    start: int
    end: int
    before: str = ""
    after: str = ""


def document_of(value: Json) -> Spot:
    return Spot(value, 0, 0)


def inner(spot: Spot, step: str | int) -> Spot:
    """The value that a name or an index leads to; it is there."""
    value: Any = spot.value
    if isinstance(value, list):
        index = range(len(value))[step]  # type: ignore[index]  # only an index leads into an array
        earlier: Any = value[:index] if index <= FEW else None
        later: Any = value[index + 1 :] if len(value) - index <= FEW else None
        name = ""
    else:
        earlier = _members_until(step, value.items())
        later = _members_until(step, reversed(value.items()))
        name = f"{dumps(str(step))}:"
    before, after = _length_with_commas(earlier), _length_with_commas(later)
    return Spot(
        value[step],
        None if spot.head is None or before is None else spot.head + before + len(name) + 1,
        None if spot.tail is None or after is None else spot.tail + after + 1,
    )


def _members_until(step: str | int, members: Iterable[tuple[str, Any]]) -> dict[str, Any] | None:
    """The members that come before this one; None if they are many."""
    found: dict[str, Any] = {}
    for name, value in islice(members, FEW):
        if name == step:
            return found
        found[name] = value
    return None


def _length_with_commas(siblings: Any) -> int | None:
    """How long the text of some members or items is, with a comma for each; None if that is not brief."""
    if siblings is None or not is_brief(siblings):
        return None
    return len(dumps(siblings)) - 1 if siblings else 0


def is_brief(value: Json) -> bool:
    """Whether the text of a value is soon written."""
    room = BRIEF
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            room -= len(one)
        elif isinstance(one, (dict, list)):
            room -= 8 * len(one)
            if room > 0:  # then it has few members
                waiting += one.values() if isinstance(one, dict) else one
                room -= sum(map(len, one)) if isinstance(one, dict) else 0
        if room <= 0:
            return False
    return True


def large_spots(value: Json, levels: int) -> Iterator[Spot]:
    """The document itself, and of what is in it that which is large, if it is one at each level."""
    spot = document_of(value)
    for _ in range(levels):
        yield spot
        one = spot.value
        keys: Any = one if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        large = [key for key in keys if not is_brief(one[key])] if len(keys) <= FEW else []
        if len(large) != 1:
            return
        spot = inner(spot, large[0])
        if spot.head is None or spot.tail is None:
            return


class Document(NamedTuple):
    """A value, and its text: the length is known before anybody asks for the text."""

    value: Json
    length: int
    text: Callable[[], str]


def place_to_put(document: Document, steps: Sequence[str | int]) -> Cut | None:
    """What a value that is put where the steps lead takes the place of; None if that is not found.

    They lead somewhere: to a value, or to a new member of an object.
    """
    spot = document_of(document.value)
    for number, step in enumerate(steps):
        if isinstance(spot.value, dict) and step not in spot.value:
            return _new_member(document, spot, steps[number - 1 : number], steps[number:])
        spot = inner(spot, step)
    return _span(document, spot, steps[-1:])


def _new_member(
    document: Document, spot: Spot, step: Sequence[str | int], steps: Sequence[str | int]
) -> Cut | None:
    """A new member comes last, with the objects that are to be around its value."""
    if spot.tail is not None:
        end = document.length - spot.tail - 1
    else:
        span = _span(document, spot, step)
        if span is None:
            return None
        end = span.end - 1
    opening = "{".join(f"{dumps(str(step))}:" for step in steps)
    return Cut(end, end, f",{opening}" if spot.value else opening, "}" * (len(steps) - 1))


def _span(document: Document, spot: Spot, step: Sequence[str | int]) -> Cut | None:
    """From where to where the text of a value goes; ``step`` is the last that led to it."""
    head, tail = spot.head, spot.tail
    if head is not None and tail is not None:
        return Cut(head, document.length - tail)
    if not is_brief(spot.value):
        return None
    own = dumps(spot.value)
    if head is None:
        head = _only_place(document, step, own) if tail is None else document.length - tail - len(own)
    return None if head is None else Cut(head, head + len(own))


def _only_place(document: Document, step: Sequence[str | int], own: str) -> int | None:
    """Where the member of this name has its value, if its text is there only once.

    It is there: so a text that is found once is found where it belongs.
    """
    if not step or not isinstance(step[0], str):
        return None
    name, text = f"{dumps(step[0])}:", document.text()
    found = text.find(name + own)
    return found + len(name) if text.find(name + own, found + 1) < 0 else None
