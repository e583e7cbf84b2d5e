"""The literals of filters, and the scanner that reads them: Jayway JsonPath's dialect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn

from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath.operators import compile_regex, interruptible
from asl_engine.expressions.jsonpath.syntax import read_quoted

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["BLANKS", "CLOSE", "COMMA", "Scanner", "read_literal", "read_operand", "read_string"]

BLANKS: Final = re.compile(r"\s*")
CLOSE: Final = re.compile(r"\s*\]")
COMMA: Final = re.compile(r"\s*,\s*")
NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])", re.ASCII)
WORD: Final = re.compile(r"(?:true|false|null)\b")
WORDS: Final[dict[str, Json]] = {"true": True, "false": False, "null": None}
# A text without quotes, blanks within it included, up to the operator or parenthesis that ends it.
UNQUOTED: Final = re.compile(r"[^\s()\[\]{}'\"<>=!~&|@$/](?:[^()\[\]{}'\"<>=!~&|@]|(?<=\S)@)*(?<!\s)")
REGEX: Final = re.compile(r"/((?:[^/\\]|\\.)*+)/(\w*)")

DEEPEST_NESTING: Final = 50  # far below what the reader's recursion allows


class Scanner:
    """Reads ``text`` from ``position`` on."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position
        self.nesting = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The match at the position, which moves behind it."""
        match = pattern.match(self.text, self.position)
        if match is not None:
            self.position = match.end()
        return match

    def accept(self, word: str) -> bool:
        """Whether the word stands at the position, which then moves behind it."""
        found = self.text.startswith(word, self.position)
        if found:
            self.position += len(word)
        return found

    def at(self, characters: str) -> bool:
        """Whether one of the characters stands at the position."""
        return self.text.startswith(tuple(characters), self.position)

    def nest(self) -> None:
        """Go one parenthesis or bracket deeper."""
        self.nesting += 1
        if self.nesting > DEEPEST_NESTING:
            self.fail("Nested too deeply")

    def fail(self, message: str) -> NoReturn:
        raise ExpressionSyntaxError(message, self.text, self.position)


def read_string(scanner: Scanner, expected: str) -> str:
    """A string in quotes; ``expected`` is the message where there is none."""
    string = read_quoted(scanner.text, scanner.position)
    if string is None:
        scanner.fail(expected)
    scanner.position = string[1]
    return string[0]


def read_literal(scanner: Scanner) -> Json | re.Pattern[str]:
    """A string, number, true, false, null, array or regular expression."""
    if scanner.at("'\""):
        return read_string(scanner, "Expected a closing quote")
    if scanner.at("["):
        return _read_array(scanner)
    word = scanner.take(WORD)
    if word is not None:
        return WORDS[word[0]]
    number = scanner.take(NUMBER)
    if number is not None:
        return int(number[0]) if number[0].lstrip("-").isdigit() else float(number[0])
    return _read_regex(scanner)


def read_operand(scanner: Scanner) -> Json | re.Pattern[str]:
    """What stands on the right of an operator: a literal, or a text without quotes."""
    text = UNQUOTED.match(scanner.text, scanner.position)
    if text is None or WORD.fullmatch(text[0]) or NUMBER.fullmatch(text[0]):
        return read_literal(scanner)
    scanner.position = text.end()
    return text[0]


def _read_array(scanner: Scanner) -> Json:
    scanner.position += 1
    scanner.nest()
    items: list[Json] = []
    scanner.take(BLANKS)
    while not scanner.take(CLOSE):
        if items and not scanner.take(COMMA):
            scanner.fail("Expected ',' or ']'")
        item = read_literal(scanner)
        if isinstance(item, re.Pattern):
            scanner.fail("A regular expression cannot stand in an array")
        items.append(item)
    scanner.nesting -= 1
    return items


def _read_regex(scanner: Scanner) -> re.Pattern[str]:
    match = REGEX.match(scanner.text, scanner.position)
    if match is None:
        scanner.fail("Expected a path, a string, a number, true, false, null, an array or /.../")
    try:
        pattern = compile_regex(match[1].replace("\\/", "/"), match[2])
        interruptible(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        scanner.fail(f"Invalid regular expression: {error}")
    scanner.position = match.end()
    return pattern
