"""The tokens of JSONata.

A slash divides where an operator may stand and begins a regular expression everywhere else, so the
parser says which one applies when it reads the next token.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from asl_engine.expressions.jsonata.failures import JsonataError

__all__ = ["END", "Lexer", "Token"]

END: Final = "(end)"
OPERATOR: Final = re.compile(r"\.\.|:=|!=|>=|<=|\*\*|~>|[.\[\]{}(),@#;:?+\-*/%|=<>^&!~]")
NAME: Final = re.compile(r"[^ \t\n\r\v.\[\]{}(),@#;:?+\-*/%|=<>^&!~]*")
NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?")
BLANKS: Final = re.compile(r"[ \t\n\r\v]*")
STRING: Final = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
HEX: Final = re.compile(r"[0-9a-fA-F]{4}")
VALUES: Final = {"true": True, "false": False, "null": None}
WORD_OPERATORS: Final = {"and", "or", "in"}
REGEX_FLAGS: Final = re.compile("[im]*")
SURROGATES: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@dataclass(slots=True)
class Token:
    """``kind`` is name, variable, string, number, value, regex or operator; an operator is its own value."""

    kind: str
    value: Any
    position: int

    @property
    def symbol(self) -> str | None:
        """The operator, END, or None for everything that has a value of its own."""
        return self.value if self.kind == "operator" else END if self.kind == END else None


class Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def next(self, *, infix: bool) -> Token:
        """The next token; ``infix`` if an operator is expected.  Raises ``JsonataError``."""
        self._skip_blanks_and_comments()
        start = self.position
        if start >= len(self.text):
            return Token(END, END, start)
        character = self.text[start]
        if character == "/" and not infix:
            return Token("regex", self._regex(start), start)
        operator = OPERATOR.match(self.text, start)
        if operator is not None:
            self.position = operator.end()
            return Token("operator", operator[0], start)
        if character in STRING:
            return Token("string", self._string(start, character), start)
        if character == "`":
            return Token("name", self._quoted_name(start), start)
        number = NUMBER.match(self.text, start)
        return self._number(number) if number is not None else self._name(start)

    def _skip_blanks_and_comments(self) -> None:
        while True:
            self.position = _end(BLANKS, self.text, self.position)
            if not self.text.startswith("/*", self.position):
                return
            end = self.text.find("*/", self.position + 2)
            if end < 0:
                raise JsonataError("S0106", self.position)
            self.position = end + 2

    def _number(self, match: re.Match[str]) -> Token:
        number = float(match[0])
        if math.isinf(number):
            raise JsonataError("S0102", match.start(), token=match[0])
        self.position = match.end()
        whole = number.is_integer() and abs(number) < 2**53
        return Token("number", int(number) if whole else number, match.start())

    def _name(self, start: int) -> Token:
        self.position = _end(NAME, self.text, start)
        name = self.text[start : self.position]
        if name.startswith("$"):
            return Token("variable", name[1:], start)
        if name in VALUES:
            return Token("value", VALUES[name], start)
        return Token("operator" if name in WORD_OPERATORS else "name", name, start)

    def _quoted_name(self, start: int) -> str:
        end = self.text.find("`", start + 1)
        if end < 0:
            raise JsonataError("S0105", start)
        self.position = end + 1
        return self.text[start + 1 : end]

    def _string(self, start: int, quote: str) -> str:
        pieces = []
        position = start + 1
        while True:
            end = _end(STRING[quote], self.text, position)
            pieces.append(self.text[position:end])
            if end >= len(self.text):
                raise JsonataError("S0101", start)
            if self.text[end] == quote:
                self.position = end + 1
                return SURROGATES.sub(_joined, "".join(pieces))
            piece, position = self._escape(end + 1)
            pieces.append(piece)

    def _escape(self, position: int) -> tuple[str, int]:
        character = self.text[position : position + 1]
        if character in ESCAPES:
            return ESCAPES[character], position + 1
        if character != "u":
            raise JsonataError("S0103", position, token=character)
        digits = HEX.match(self.text, position + 1)
        if digits is None:
            raise JsonataError("S0104", position)
        return chr(int(digits[0], 16)), digits.end()

    def _regex(self, start: int) -> tuple[str, str]:
        """The pattern and the flags.  A slash within brackets of any kind does not end it."""
        depth = 0
        position = start + 1
        while position < len(self.text):
            character = self.text[position]
            if character == "/" and depth == 0:
                return self._regex_end(start, position)
            if character == "\\":
                position += 1
            elif character in "([{":
                depth += 1
            elif character in ")]}":
                depth -= 1
            position += 1
        raise JsonataError("S0302", start)

    def _regex_end(self, start: int, end: int) -> tuple[str, str]:
        if end == start + 1:
            raise JsonataError("S0301", start)
        self.position = _end(REGEX_FLAGS, self.text, end + 1)
        return self.text[start + 1 : end], self.text[end + 1 : self.position]


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where a match that may be empty ends."""
    match = pattern.match(text, position)
    return position if match is None else match.end()


def _joined(pair: re.Match[str]) -> str:
    """Two escapes for the surrogate halves of one character."""
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")
