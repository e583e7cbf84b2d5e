"""The Java behind the intrinsic functions; the expected values were printed by OpenJDK 17."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.expressions.intrinsics.java import hash_code, in_hash_order, random_int, text_of, utf16_length

MIXED: list[Any] = [
    "banana",
    "apple",
    "cherry",
    1,
    2.5,
    4_000_000_000,
    None,
    True,
    False,
    [1, "x", None],
    {"a": 1, "b": None},
    123456789012345678901234567890,
    -123456789012345678901234567890,
    "🚀x",
    -1,
    -4_000_000_000,
    -0.0,
]
HASH_CODES = [
    -1396355227,
    93029210,
    -1361513063,
    1,
    1074003968,
    -294967296,
    0,
    1231,
    1237,
    34472,
    194,
    1915528825,
    -1915528825,
    54963957,
    -1,
    -294967297,
    -2147483648,
]
IN_HASH_ORDER: list[Any] = [
    "banana",
    None,
    -1,
    -0.0,
    "cherry",
    1,
    {"a": 1, "b": None},
    2.5,
    [1, "x", None],
    4_000_000_000,
    True,
    "apple",
    "🚀x",
    -123456789012345678901234567890,
    -4_000_000_000,
    False,
    123456789012345678901234567890,
]
DOUBLES = {
    0.0: "0.0",
    1.0: "1.0",
    1.1: "1.1",
    -2.5: "-2.5",
    0.001: "0.001",
    0.0001: "1.0E-4",
    -0.0001: "-1.0E-4",
    1e6: "1000000.0",
    1e7: "1.0E7",
    12345678.9: "1.23456789E7",
    123456789.125: "1.23456789125E8",
    9007199254740992.0: "9.007199254740992E15",
    1e21: "1.0E21",
    1e-5: "1.0E-5",
    1.7976931348623157e308: "1.7976931348623157E308",
}
BOUNDS = [1, 2, 7, 8, 9, 99, 998, 999, 1000, 1 << 30, 2147483647]
DRAWN = {
    0: [0, 1, 5, 5, 6, 33, 134, 672, 360, 784870680, 1569741360],
    1: [0, 1, 4, 5, 6, 15, 373, 105, 985, 784774492, 1569548985],
    42: [0, 1, 1, 5, 8, 62, 254, 125, 130, 781215565, 1562431130],
    -10: [0, 0, 0, 2, 0, 9, 167, 144, 283, 289640641, 579281283],
    2147483648: [0, 0, 5, 2, 3, 75, 532, 453, 584, 301632792, 603265584],
}


@pytest.mark.parametrize(("value", "code"), list(zip(MIXED, HASH_CODES, strict=True)))
def test_hash_codes(value: Any, code: int) -> None:
    assert hash_code(value) == code


def test_the_order_of_a_hash_set() -> None:
    assert [repr(value) for value in in_hash_order(MIXED)] == [repr(value) for value in IN_HASH_ORDER]


def test_a_hash_set_tells_numbers_and_booleans_apart() -> None:
    assert {repr(value) for value in in_hash_order([1, 1.0, True, 0, 0.0, -0.0, False, 1])} == {
        *("1", "1.0", "True", "0", "0.0", "-0.0", "False")
    }


@pytest.mark.parametrize(("value", "text"), list(DOUBLES.items()))
def test_the_texts_of_doubles(value: float, text: str) -> None:
    assert text_of(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_double_reads_as_the_double(value: float) -> None:
    assert float(text_of(value)) == value


@pytest.mark.parametrize(("seed", "drawn"), list(DRAWN.items()))
def test_the_first_number_of_a_seed(seed: int, drawn: list[int]) -> None:
    assert [random_int(seed, 0, bound) for bound in BOUNDS] == drawn
    assert [random_int(seed, -5, bound - 5) for bound in BOUNDS] == [number - 5 for number in drawn]


@pytest.mark.parametrize(("seed", "drawn"), [(0, 516548029), (1, 215764588), (2, 630021372), (3, 152454210)])
def test_a_number_that_would_favour_small_remainders_is_drawn_again(seed: int, drawn: int) -> None:
    assert random_int(seed, 0, (1 << 30) + 1) == drawn


@pytest.mark.parametrize(
    ("seed", "start", "end", "drawn"),
    [
        (0, -(2**31), 2**31 - 1, -1155484576),
        (1, -1500000000, 1500000000, -1155869325),
        (0, -1, 2**31 - 1, 1033096058),  # the third of -1155484576, -723955400, 1033096058
    ],
)
def test_a_range_wider_than_an_int(seed: int, start: int, end: int, drawn: int) -> None:
    assert random_int(seed, start, end) == drawn


@pytest.mark.parametrize(("text", "length"), [("", 0), ("abc", 3), ("é✓", 2), ("🚀", 2), ("a🚀b", 4)])
def test_the_length_of_a_string(text: str, length: int) -> None:
    assert utf16_length(text) == length
