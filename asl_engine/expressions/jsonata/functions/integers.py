"""Whole numbers as digits, letters, Roman numerals and English words: $formatInteger and $parseInteger.

The pictures are those of XPath's fn:format-integer.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.functions.words import number_of_words, words_of_number
from asl_engine.expressions.jsonata.number_text import number_text
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS", "IntegerPicture", "format_integer", "regular_interval"]

# The zeros of the digit families that a picture can be written with.
ZEROS: Final = (
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50,
    0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
)  # fmt: skip
FORMS: Final = {
    "A": "letters",
    "a": "letters",
    "I": "roman",
    "i": "roman",
    "W": "words",
    "w": "words",
    "Ww": "words",
}
ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
ROMAN_VALUES: Final = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}
MAX_ROMAN: Final = 1_000_000
ORDINAL_ENDINGS: Final = {"1": "st", "2": "nd", "3": "rd"}


@dataclass(slots=True)
class IntegerPicture:
    """``separators`` are (digits to the right of it, character), from the right; ``interval`` is their
    distance if they are regular, else 0."""

    form: str
    presentation: str
    ordinal: bool = False
    zero: int = 0x30
    mandatory: int = 0
    optional: int = 0
    separators: list[tuple[int, str]] = field(default_factory=list)
    interval: int = 0
    width: int | None = None  # how many digits are read, if the picture does not end there

    @classmethod
    def parse(cls, picture: str) -> IntegerPicture:
        primary, semicolon, modifier = picture.rpartition(";")
        if not semicolon:
            primary, modifier = picture, ""
        parsed = cls(FORMS.get(primary, "digits"), primary, modifier.startswith("o"))
        if parsed.form == "digits":
            parsed._read_digits(primary)
        return parsed

    def _read_digits(self, primary: str) -> None:
        zero = None
        for character in reversed(primary):
            family = next((first for first in ZEROS if first <= ord(character) <= first + 9), None)
            if family is not None:
                if zero is not None and zero != family:
                    raise JsonataError("D3131")
                zero = family
                self.mandatory += 1
            elif character == "#":
                self.optional += 1
            else:
                self.separators.append((self.mandatory + self.optional, character))
        if zero is None:
            self.form = "sequence"
            return
        self.zero = zero
        if len({character for _, character in self.separators}) == 1:
            self.interval = regular_interval([position for position, _ in self.separators])

    @property
    def upper(self) -> bool:
        return self.presentation in {"A", "I", "W"}

    @property
    def separator(self) -> str:
        return self.separators[0][1] if self.separators else ""


def regular_interval(positions: list[int]) -> int:
    """The distance between separators that stand at each of its multiples, else 0."""
    if not positions:
        return 0
    factor = math.gcd(*positions)
    return factor if all(index * factor in positions for index in range(1, len(positions) + 1)) else 0


def format_integer(value: float, picture: IntegerPicture) -> str:
    size = abs(value)
    if picture.form == "sequence":
        raise JsonataError("D3130", value=picture.presentation)
    if picture.form != "digits" and not math.isfinite(size):
        raise JsonataError("D1001", value=value)
    if picture.form == "letters":
        text = _letters(int(size))
    elif picture.form == "roman":
        if size > MAX_ROMAN:  # a million already takes a thousand letters
            raise JsonataError("D1001", value=value)
        text = _roman(int(size))
    elif picture.form == "words":
        text = words_of_number(int(size), ordinal=picture.ordinal)
        text = text.lower() if picture.presentation == "w" else text
    else:
        text = _digits(size, picture)
    return ("-" if value < 0 else "") + (text.upper() if picture.upper else text)


def _letters(value: int) -> str:
    text = ""
    while value > 0:
        value, rest = divmod(value - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def _roman(value: int) -> str:
    text = ""
    for size, numeral in ROMAN:
        count, value = divmod(value, size)
        text += numeral * count
    return text


def _digits(size: float, picture: IntegerPicture) -> str:
    text = number_text(size).rjust(picture.mandatory, "0")
    if picture.zero != ZEROS[0]:
        text = "".join(chr(ord(digit) + picture.zero - ZEROS[0]) for digit in text)
    text = _separated(text, picture)
    if picture.ordinal:
        ending = ORDINAL_ENDINGS.get(text[-1], "th")
        text += "th" if text[-2:-1] == "1" else ending
    return text


def _separated(text: str, picture: IntegerPicture) -> str:
    if picture.interval:
        count = (len(text) - 1) // picture.interval
        places = [(picture.interval * index, picture.separator) for index in range(1, count + 1)]
    else:
        places = picture.separators
    for position, separator in reversed(places):
        place = len(text) - position  # the existing text stands to the left
        if place >= 0:
            text = text[:place] + separator + text[place:]
    return text


def format_(evaluation: Evaluation, value: Any, picture: Any) -> Any:
    if value is MISSING:
        return MISSING
    evaluation.spend(len(_text(picture)))
    whole = math.floor(value) if math.isfinite(value) else value
    return format_integer(whole, IntegerPicture.parse(_text(picture)))


def _text(picture: Any) -> str:
    return "" if picture is MISSING else picture


def parse(evaluation: Evaluation, value: Any, picture: Any) -> Any:
    if value is MISSING:
        return MISSING
    evaluation.spend(len(_text(picture)) + len(value))
    result = parse_integer(value, IntegerPicture.parse(_text(picture)))
    return math.nan if result is None else result  # as the reference implementation has it


def parse_integer(text: str, picture: IntegerPicture) -> int | None:
    """The number, or None if the text is not one."""
    if picture.form == "sequence":
        raise JsonataError("D3130", value=picture.presentation)
    if picture.form == "letters":
        base = ord("A" if picture.upper else "a") - 1
        return sum(int((ord(letter) - base) * 26**index) for index, letter in enumerate(reversed(text[-12:])))
    if picture.form == "roman":
        return _roman_value(text if picture.upper else text.upper())
    if picture.form == "words":
        return number_of_words(text.lower())
    return _digits_value(text, picture)


def _roman_value(text: str) -> int | None:
    total, largest = 0, 1
    for letter in reversed(text):
        value = ROMAN_VALUES.get(letter)
        if value is None:
            return None
        total += -value if value < largest else value
        largest = max(largest, value)
    return total


def _digits_value(text: str, picture: IntegerPicture) -> int | None:
    if picture.ordinal:
        text = text[:-2]
    for separator in {"," if picture.interval else ""} | {character for _, character in picture.separators}:
        text = text.replace(separator, "") if separator else text
    digits = "".join(
        chr(ord(digit) - picture.zero + ZEROS[0]) if ord(digit) >= picture.zero else digit for digit in text
    )
    match = re.match(r"\s*([-+]?[0-9]{1,400})", digits)
    return None if match is None else int(match[1])


FUNCTIONS: Final = {
    "formatInteger": (format_, "<n-s:s>", 2),
    "parseInteger": (parse, "<s-s:n>", 2),
}
