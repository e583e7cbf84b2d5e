"""Definitions that stand in a template itself: where each part of theirs is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asl_engine.templates.declarations import Locate

__all__ = ["InlineDefinition"]


class InlineDefinition(NamedTuple):
    """Where a definition was read from: ``location`` in the template that is ``written``.

    ``text`` is the definition, None where the template has its value and not a text.
    """

    written: str
    locate_in_template: Locate
    location: str
    text: str | None = None

    def locate(self, location: str) -> tuple[int, int] | None:
        """The line and column, in the template, of a location in the definition."""
        if self.text is None:
            return self.locate_in_template(self.location + location)
        from asl_engine.language.positions import locate

        place = locate(self.text, location)
        return self.moved(*(place or (1, 1)))

    def moved(self, line: int, column: int) -> tuple[int, int]:
        """The place of a line of the text; that of its property where the text is not written line by line."""
        start = self.locate_in_template(self.location) or (1, 1)
        lines, own = self.written.splitlines(), [one.strip() for one in (self.text or "").splitlines()]
        for first in range(start[0], min(start[0] + 5, len(lines))):
            there = [one.strip() for one in lines[first : first + len(own)]]
            if own and all(map(_alike, there, own)) and len(there) == len(own):
                return first + line, _column(
                    lines[first + line - 1], (self.text or "").splitlines()[line - 1], column
                )
        return start


def _column(written: str, filled: str, column: int) -> int:
    """The column in a line as it was written: what stands behind a value that was put in has moved."""
    blanks = len(written) - len(written.lstrip()) - (len(filled) - len(filled.lstrip()))
    plain = written.partition("${")[0]
    moved = column + blanks
    if moved <= len(plain):
        return moved
    return max(len(plain), column + len(written.rstrip()) - len(filled.rstrip()))


def _alike(written: str, filled: str) -> bool:
    """Whether a line may be another with its placeholders filled."""
    if written == filled:
        return True
    parts = written.split("${")
    return len(parts) > 1 and filled.startswith(parts[0]) and filled.endswith(parts[-1].partition("}")[2])
