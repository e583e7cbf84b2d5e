"""Text in pictures: how wide it is, where it may be broken, and what of it can be shown at all.

No font is at hand when a picture is made, and it is looked at with many: widths are those of a wide sans serif.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["columns", "cut", "cut_columns", "em_width", "visible", "wrapped"]

NARROW: Final = frozenset("ijlI.,:;'|!()[]{}ft/\\` ")
WIDE: Final = frozenset("MWmw@%—…")
# What changes the direction of the text around it, and so could make it say something else.
BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
HIDDEN: Final = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
_BREAKS: Final = re.compile(r"[^\s_.:/-]*[\s_.:/-]+|[A-Z]+[^A-Z\s_.:/-]*|[^A-Z\s_.:/-]+")


def visible(text: str) -> str:
    """The text with escapes for what cannot be shown, or would act on its surroundings."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if character in BIDI_CONTROLS or unicodedata.category(character) in HIDDEN
        else character
        for character in text
    )


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut_columns(text: str, most: int) -> str:
    """The text in at most so many columns, with an ellipsis where it was longer."""
    if columns(text) <= most:
        return text
    kept, width = "", 0
    for character in text:
        width += _columns(character)
        if width > most - 1:
            break
        kept += character
    return f"{kept.rstrip()}…" if most > 0 else ""


def em_width(text: str) -> float:
    """The width of the text, in the size of its font."""
    return sum(map(_em_width, text))


def _em_width(character: str) -> float:
    if character in NARROW:
        return 0.36
    if character in WIDE:
        return 0.95
    if character.isascii():
        return 0.74 if character.isupper() else 0.62
    return {0: 0.0, 1: 0.72, 2: 1.1}[_columns(character)]


def cut(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def wrapped(text: str, width: float, most: int) -> list[str]:
    """Lines of at most ``width`` (in the size of the font), and at most so many of them.

    A line ends behind a blank or a sign, or before a capital letter, and within a word where it has to.
    """
    lines = [""]
    for word in _BREAKS.findall(text):
        if em_width((lines[-1] + word).rstrip()) > width and lines[-1]:
            lines.append("")
        rest = word
        while em_width(rest.rstrip()) > width:
            head = _head(rest, width)
            lines[-1] = head
            lines.append("")
            rest = rest[len(head) :]
        lines[-1] += rest
    lines = [line.strip() for line in lines if line.strip()] or [""]
    if len(lines) > most:
        last = lines[most - 1]
        while len(last) > 1 and em_width(f"{last}…") > width:
            last = last[:-1].rstrip()
        lines = [*lines[: most - 1], f"{last}…"]
    return lines


def _head(text: str, width: float) -> str:
    used = 0.0
    for index, character in enumerate(text):
        used += _em_width(character)
        if used > width and index:
            return text[:index]
    return text
