"""Whole numbers in English."""

from __future__ import annotations

import math
import re
from typing import Final

__all__ = ["NUMBER_WORDS", "number_of_words", "words_of_number"]

SMALL: Final = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
]
SMALL_ORDINALS: Final = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
]
TENS: Final = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"]
POWERS: Final = ("Thousand", "Million", "Billion", "Trillion")
LARGEST_POWER: Final = 1000 ** len(POWERS)

NUMBER_WORDS: Final[dict[str, int]] = (
    {word.lower(): value for value, word in enumerate(SMALL)}
    | {word.lower(): value for value, word in enumerate(SMALL_ORDINALS)}
    | {word.lower(): 10 * value for value, word in enumerate(TENS, 2)}
    | {f"{word[:-1].lower()}ieth": 10 * value for value, word in enumerate(TENS, 2)}
    | {"hundred": 100, "hundredth": 100}
    | {word.lower(): 1000**power for power, word in enumerate(POWERS, 1)}
    | {f"{word.lower()}th": 1000**power for power, word in enumerate(POWERS, 1)}
)
BETWEEN_WORDS: Final = re.compile(r",\s|\sand\s|[\s\\-]")


def words_of_number(value: int, *, ordinal: bool) -> str:
    """``One Thousand, Two Hundred and Thirty-Fourth``; from a trillion on, the count of trillions in words."""
    if value < 20:
        return (SMALL_ORDINALS if ordinal else SMALL)[value]
    if value < 100:
        tens, rest = TENS[value // 10 - 2], value % 10
        if rest:
            return f"{tens}-{words_of_number(rest, ordinal=ordinal)}"
        return f"{tens[:-1]}ieth" if ordinal else tens
    if value < 1000:
        return _compound(f"{SMALL[value // 100]} Hundred", value % 100, ordinal=ordinal)
    power = next(p for p in range(len(POWERS), 0, -1) if value >= 1000**p)
    factor = 1000**power
    # Beyond 2**53 the reference implementation's doubles decide the count and the remainder.
    count = math.floor(float(value) / factor)
    rest = max(0, int(float(value) - float(count) * factor))
    return _compound(f"{words_of_number(count, ordinal=False)} {POWERS[power - 1]}", rest, ordinal=ordinal)


def _compound(head: str, rest: int, *, ordinal: bool) -> str:
    if rest == 0:
        return f"{head}th" if ordinal else head
    return f"{head}{' and ' if rest < 100 else ', '}{words_of_number(rest, ordinal=ordinal)}"


def number_of_words(text: str) -> int | None:
    """The number, or None if a word is not a numeral."""
    segments = [0]
    for word in BETWEEN_WORDS.split(text):
        value = NUMBER_WORDS.get(word)
        if value is None:
            return None
        if value >= 100:
            segments.append(segments.pop() * value)
        elif segments[-1] >= 1000:
            segments.append(value)
        else:
            segments[-1] += value
    return sum(segments)
