"""What people do in JSON that is no JSON, told in words: the decoder says only what it has expected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from asl_engine.language.placeholders import PLACEHOLDER

if TYPE_CHECKING:
    from asl_engine.json_text import JsonSyntaxError

__all__ = ["definition_hint", "explained", "hint"]

WORD: Final = re.compile(r"[A-Za-z_$][\w$]*")
TRAILING_COMMA: Final = re.compile(r",?\s*[}\]]")
ELSEWHERE: Final = frozenset({"True", "False", "None", "undefined", "nil", "yes", "no"})
CURLY: Final = "\u201c\u201d\u2018\u2019"


def explained(error: JsonSyntaxError, text: str) -> str:
    """The message of an error about ``text``, and what has probably been done."""
    return error.message + hint(text, error.line, error.column)


def hint(text: str, line: int, column: int) -> str:
    """``; JSON has no comments`` or the like, for an error at this place, "" where nothing is known of it."""
    found = _mistake(text, _offset(text, line, column))
    return f"; {found}" if found else ""


def definition_hint(text: str, line: int, column: int) -> str:
    """The hint for a definition, where a placeholder without quotation marks may stand for a number."""
    placeholder = PLACEHOLDER.match(text, _offset(text, line, column))
    if placeholder is None:
        return hint(text, line, column)
    return f"; the placeholder ${{{placeholder[1]}}} has no value: substitute one for it"


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start + column - 1


def _mistake(text: str, offset: int) -> str:
    rest, before = text[offset:], text[:offset].rstrip()
    if not rest.strip():
        return "the text ends too early: a bracket or a quotation mark is missing" if before else ""
    if rest.startswith(("//", "/*", "#")):
        return 'JSON has no comments: use the field "Comment", or YAML'
    if rest[0] == "'" or rest[0] in CURLY:
        return 'JSON has only straight double quotation marks: "..."'
    if TRAILING_COMMA.match(rest) and (rest[0] == "," or before.endswith(",")):
        return "JSON has no comma before a closing bracket"
    if rest[0] in "\n\r\t" or (rest[0] == '"' and "\n" in rest.split('"', 2)[1]):
        return "a text ends on its line: write a line break as \\n, and a tab as \\t"
    if rest[0] in '"{[' and before and before[-1] in '"}]0123456789el':
        return "a comma is missing before this"
    word = WORD.match(rest)
    if word is not None:
        if word[0] in ELSEWHERE:
            return "JSON has true, false and null"
        return 'names and texts are in quotation marks: "..."'
    return "there is a closing bracket too many" if rest[0] in "}]" else ""
