"""JSON values as Python source, laid out as people would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["listed", "literal"]

WIDTH = 100
CONSTANTS = {True: "True", False: "False", None: "None", ...: "..."}


def literal(value: Any, column: int = 0) -> str:
    """The source of a JSON value, or of one with ``...`` in it.

    ``column`` is where the line is indented that it begins in.
    """
    if isinstance(value, dict):
        return listed(
            "{", (f"{_text(name)}: {literal(one, column + 4)}" for name, one in value.items()), "}", column
        )
    if isinstance(value, list):
        return listed("[", (literal(one, column + 4) for one in value), "]", column)
    return _text(value) if isinstance(value, str) else _plain(value)


def listed(begin: str, parts: Iterable[str], end: str, column: int) -> str:
    """Parts in one line, or where they do not fit each in its own."""
    given = [*parts]
    flat = f"{begin}{', '.join(given)}{end}"
    if column + len(flat) <= WIDTH and "\n" not in flat:
        return flat
    inner = " " * (column + 4)
    return "\n".join([begin, *(f"{inner}{part}," for part in given), f"{' ' * column}{end}"])


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _plain(value: Any) -> str:
    return CONSTANTS[value] if value is None or value is ... or isinstance(value, bool) else repr(value)
