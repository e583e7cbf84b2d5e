"""Where in its source text a place of a definition is: from ``/States/Pay/Retry[0]`` to line and column.

It only runs to describe an error, so it reads the text again instead of keeping positions from a parse.
"""

from __future__ import annotations

import re
from functools import lru_cache
from json import JSONDecoder
from typing import TYPE_CHECKING

from asl_engine.jsontypes import JsonSyntaxError, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["locate"]

_value_at = JSONDecoder().raw_decode
_BLANKS = re.compile(r"[ \t\n\r]*")


def locate(text: str, location: str) -> tuple[int, int] | None:
    """The line and column, from 1, of the key or array element that ``location`` names in a JSON text.

    ``location`` has the form that ValidateStateMachineDefinition gives in its diagnostics; a key stands
    in it as it is, so that one with "/" or "[" in it can be told only from the keys there are.  For
    what does not exist it is the position of the nearest ancestor that does, at last of the whole
    value.  None if ``text`` is not JSON.
    """
    if not _is_json(text):
        return None
    start = _next(text, 0)
    offset, _ = _nearest(text, start, start, location)
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


@lru_cache(maxsize=1)
def _is_json(text: str) -> bool:
    """One text is asked about for each of its findings."""
    try:
        loads(text)
    except JsonSyntaxError:
        return False
    return True


def _nearest(text: str, place: int, value: int, rest: str) -> tuple[int, str]:
    """How far ``rest`` leads from the value at ``value``, which is pointed out by ``place``.

    Returns the offset of what is reached, and what of ``rest`` leads no further.
    """
    steps = [(step, at, child) for step, at, child in _children(text, value) if _begins(rest, step)]
    # The longest key first; of a key that is given twice, the last: it is the one that counts.
    steps.sort(key=lambda child: (len(child[0]), child[1]), reverse=True)
    reached = [_nearest(text, at, child, rest[len(step) :]) for step, at, child in steps]
    return min(reached, key=lambda found: len(found[1]), default=(place, rest))


def _begins(rest: str, step: str) -> bool:
    return rest.startswith(step) and rest[len(step) : len(step) + 1] in {"", "/", "["}


@lru_cache(maxsize=1024)
def _children(text: str, value: int) -> tuple[tuple[str, int, int], ...]:
    """The members of the object or array at ``value``: the step to each, its offset, its value's offset."""
    return tuple(_members(text, value))


def _members(text: str, value: int) -> Iterator[tuple[str, int, int]]:
    opening = text[value]
    if opening not in "{[":
        return
    at = _next(text, value + 1)
    index = 0
    while text[at] not in "}]":
        step, child = f"[{index}]", at
        if opening == "{":
            key, colon = _value_at(text, at)
            step, child = f"/{key}", _next(text, _next(text, colon) + 1)
        yield step, at, child
        _, end = _value_at(text, child)
        at = _next(text, end)
        if text[at] == ",":
            at = _next(text, at + 1)
        index += 1


def _next(text: str, at: int) -> int:
    """The offset of what comes after the white space at ``at``."""
    blanks = _BLANKS.match(text, at)
    assert blanks is not None, "the pattern matches the empty text"  # noqa: S101  for the type checker
    return blanks.end()
