"""JSON Lines: one item per line; blank lines are skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.datasets.faults import DataFault
from asl_engine.datasets.item import MAX_ITEM_BYTES
from asl_engine.json_text import JsonSyntaxError, loads, too_deep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.json_values import Json

__all__ = ["json_lines"]


def json_lines(texts: Iterable[str]) -> Iterator[Json]:
    """The items of a text that comes in pieces.  Raises ``DataFault`` with the line and the column."""
    number = 0
    for line in lines(texts):
        number += 1
        if not line or line.isspace():
            continue
        try:
            value = loads(line)
        except JsonSyntaxError as error:
            raise DataFault(f"line {number} is not JSON: {error.message} (column {error.column})") from None
        if too_deep(value, len(line)):
            raise DataFault(f"line {number} is not JSON: the value is nested too deeply")
        yield value


def lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines without their ends.  Only ``\\n`` ends a line: JSON text may hold other separators."""
    rest: list[str] = []
    held = 0
    number = 0
    for text in texts:
        first, *others = text.split("\n")
        rest.append(first)
        held += len(first)
        if others:
            *whole, last = others
            yield "".join(rest)
            yield from whole
            number += len(others)
            rest, held = [last], len(last)
        if held > MAX_ITEM_BYTES:
            raise DataFault(f"line {number + 1} has more than {MAX_ITEM_BYTES} bytes")
    if held:
        yield "".join(rest)
