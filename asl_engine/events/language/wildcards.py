"""``wildcard``: ``*`` stands for any characters; ``\\*`` and ``\\\\`` for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wildcard"]


def wildcard(text: str) -> Callable[[str], bool]:
    """The test of a wildcard.  Raises ``ValueError`` with the reason where the text is none.

    It takes time in proportion to the value's length for each piece of text between two ``*``, whatever they are:
    a regular expression could be made to backtrack without end.
    """
    pieces = _pieces(text)
    if len(pieces) == 1:
        return pieces[0].__eq__
    first, *middle, last = pieces
    least = len(first) + len(last)

    def matches(value: str) -> bool:
        if len(value) < least or not (value.startswith(first) and value.endswith(last)):
            return False
        at, end = len(first), len(value) - len(last)
        for piece in middle:  # the earliest place leaves the most room for what follows
            found = value.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    return matches


def _pieces(text: str) -> list[str]:
    """What stands between the wildcards."""
    pieces, piece, at = [], "", 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            escaped = text[at + 1 : at + 2]
            if escaped not in {"*", "\\"}:
                raise ValueError(f"Invalid escape character at pos {at}: a backslash escapes * or \\")
            piece += escaped
            at += 2
            continue
        if character == "*":
            if text[at + 1 : at + 2] == "*":
                raise ValueError(f"Consecutive wildcard characters at pos {at}")
            pieces.append(piece)
            piece = ""
        else:
            piece += character
        at += 1
    return [*pieces, piece]
