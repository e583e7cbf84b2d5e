"""Positions in the source text of a definition: from ``/States/Pay/Retry[0]`` to line and column, or to offsets.

It only runs to describe an error, or to edit a text before it is deployed, so it reads the text again instead of
keeping positions from a parse.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from json import JSONDecoder
from typing import TYPE_CHECKING

from asl_engine.json_text import JsonSyntaxError, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["locate", "span", "word_after"]

_value_at = JSONDecoder().raw_decode
_BLANKS = re.compile(r"[ \t\n\r]*")
_NEWLINE = re.compile("\n")


def locate(text: str, location: str) -> tuple[int, int] | None:
    """The line and column, from 1, of the key or array element that ``location`` names in a JSON text.

    ``location`` has the form that ValidateStateMachineDefinition gives in its diagnostics; keys are
    not escaped in it, so a key with "/" or "[" can be recognised only by the existing keys.  For a
    location that does not exist it is the position of the nearest existing ancestor, in the end of the whole
    value.  None if ``text`` is not JSON.
    """
    if not _is_json(text):
        return None
    start = _next(text, 0)
    offset, _, _ = _nearest(text, start, start, location)
    lines = _lines(text)
    line = bisect_right(lines, offset)
    return line, offset - lines[line - 1] + 1


def span(text: str, location: str) -> tuple[int, int] | None:
    """The offsets between which the value at ``location`` stands in a JSON text; None where there is none."""
    start = _next(text, 0)
    _, value, rest = _nearest(text, start, start, location)
    return None if rest else (value, _value_at(text, value)[1])


def word_after(text: str, place: tuple[int, int], word: str) -> tuple[int, int]:
    """The line and column of the first ``word`` after a place; the place where there is none.

    A text may be written in many ways, quoted, folded or with escapes: the word is looked for as it stands.
    """
    lines = _lines(text)
    found = re.compile(rf"{re.escape(word)}(?!\w)").search(text, lines[place[0] - 1] + place[1] - 1)
    if found is None:
        return place
    line = bisect_right(lines, found.start())
    return line, found.start() - lines[line - 1] + 1


@lru_cache(maxsize=1)
def _is_json(text: str) -> bool:
    """Whether the text is JSON; cached, since each finding about it asks again."""
    try:
        loads(text)
    except JsonSyntaxError:
        return False
    return True


@lru_cache(maxsize=1)
def _lines(text: str) -> list[int]:
    """The offset at which each line begins."""
    return [0, *(found.end() for found in _NEWLINE.finditer(text))]


def _nearest(text: str, place: int, value: int, rest: str) -> tuple[int, int, str]:
    """How far ``rest`` leads from the value at ``value``, which is reported as being at ``place``.

    Returns the place and the value reached, and the part of ``rest`` that leads no further.
    """
    children = _children(text, value)
    ends = [at for at in range(1, len(rest) + 1) if rest[at : at + 1] in {"", "/", "["}]
    # The longest key first: a key with "/" may begin like a shorter one.
    reached = [
        _nearest(text, *children[rest[:end]], rest[end:]) for end in reversed(ends) if rest[:end] in children
    ]
    return min(reached, key=lambda found: len(found[2]), default=(place, value, rest))


@lru_cache(maxsize=1024)
def _children(text: str, value: int) -> dict[str, tuple[int, int]]:
    """The members of the object or array at ``value`` by the step to each: its offset, and its value's.

    Of a duplicate key, the last one counts.
    """
    return {step: (at, child) for step, at, child in _members(text, value)}


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
