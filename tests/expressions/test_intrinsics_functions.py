"""What each intrinsic function gives; see test_intrinsics_recorded.py for results recorded from AWS."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import EvaluationError
from asl_engine.expressions.intrinsics.calls import compile_intrinsic
from asl_engine.expressions.intrinsics.functions import INTRINSICS
from asl_engine.expressions.scope import Scope

if TYPE_CHECKING:
    from asl_engine.json_values import Json

INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=10
)


def call(name: str, *arguments: Json, seed: int = 0) -> Json:
    """Call ``States.name`` with the arguments as parts of the input."""
    text = f"States.{name}({', '.join(f'$[{index}]' for index in range(len(arguments)))})"
    return compile_intrinsic(text)(Scope(list(arguments), {}, dict, lambda: Random(seed)))


def test_there_are_eighteen() -> None:
    assert len(INTRINSICS) == 18


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("Array", ["Foo", 2020, {"random": "abcdefg"}, None], ["Foo", 2020, {"random": "abcdefg"}, None]),
        ("ArrayPartition", [[1, 2, 3, 4, 5], 2.9], [[1, 2], [3, 4], [5]]),
        ("ArrayPartition", [[1, 2, 3], 2147483647], [[1, 2, 3]]),
        ("ArrayContains", [[1, 2, 3], 5], False),
        ("ArrayContains", [[1, 2, 3], 2], True),
        ("ArrayContains", [[], None], False),
        ("ArrayContains", [[1, None], None], True),
        ("ArrayContains", [[[1, 2], [3]], [3]], True),
        ("ArrayContains", [[{"a": 1, "b": []}], {"a": 1, "b": []}], True),
        ("ArrayContains", [[{"a": 1}], {"a": 1, "b": None}], False),
        ("ArrayContains", [[1], 1.0], False),
        ("ArrayContains", [[0, 1, -1], False], False),
        # Observed of AWS, and surprising: it compares the values' texts.
        ("ArrayContains", [[{"a": 1, "b": 2}], {"b": 2, "a": 1}], False),
        ("ArrayContains", [["true"], True], True),
        ("ArrayContains", [["9007199254740991"], 9007199254740991], True),
        ("ArrayRange", [1, 9, 2], [1, 3, 5, 7, 9]),
        ("ArrayRange", [-2, 2, 2], [-2, 0, 2]),
        ("ArrayRange", [5, 1, -2], [5, 3, 1]),
        ("ArrayRange", [3, 3, 1], [3]),
        ("ArrayRange", [3, 3, -1], [3]),
        ("ArrayRange", [5, 1, 1], []),
        ("ArrayRange", [1, 5, -1], []),
        ("ArrayRange", [1.6, 1.4, 1], [1]),
        ("ArrayRange", [5.4, -0.6, -2.4], [5, 3, 1]),
        ("ArrayRange", [1, 1000, 1], list(range(1, 1001))),
        ("ArrayRange", [1000, 1, -1], list(range(1000, 0, -1))),
        ("ArrayGetItem", [[1, 2, 3, 4, 5, 6, 7, 8, 9], 5], 6),
        ("ArrayGetItem", [[None], 0], None),
        ("ArrayGetItem", [[10, 20, 30], 1.9], 20),
        ("ArrayGetItem", [[], 999], None),
        ("ArrayLength", [[]], 0),
        ("ArrayUnique", [[1, 2, 3, 3, 3, 3, 3, 3, 4]], [1, 2, 3, 4]),
        ("ArrayUnique", [[]], []),
        ("ArrayUnique", [[None, None, 1, None]], [None, 1]),
        ("ArrayUnique", [["b", "a", "b"]], ["a", "b"]),
        ("ArrayUnique", [[True, False, True, False]], [False, True]),
        ("ArrayUnique", [[[1, 2], [1, 2], [2, 1]]], [[2, 1], [1, 2]]),
        ("ArrayUnique", [[{"a": 1, "b": 2}, {"b": 2, "a": 1}]], [{"a": 1, "b": 2}]),
        ("ArrayUnique", [[1, "1", 1, "01"]], [1, "1", "01"]),
        ("Base64Encode", ["héllo ✓ 🚀"], "aMOpbGxvIOKckyDwn5qA"),
        ("Base64Encode", ["x" * 60], "eHh4" * 20),
        ("Base64Decode", ["RGF0YSB0byBlbmNvZGU="], "Data to encode"),
        ("Base64Decode", [""], ""),
        ("Base64Decode", [" YWJj\r\nZA== "], "abcd"),
        ("Base64Decode", ["YWJjZA"], "abcd"),
        ("Base64Decode", ["YWJjZA==YWJj"], "abcd"),
        ("Base64Decode", ["YWJjZ"], "abc"),
        ("Base64Decode", ["=YWJj"], ""),
        ("Base64Decode", ["8J-agA"], "🚀"),
        ("Base64Decode", ["/w=="], "\ufffd"),
        ("Hash", ["input data", "SHA-1"], "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ("Hash", ["", "MD5"], "d41d8cd98f00b204e9800998ecf8427e"),
        ("Hash", [123, "MD5"], hashlib.md5(b"123", usedforsecurity=False).hexdigest()),
        ("Hash", [{"a": [1]}, "MD5"], hashlib.md5(b"{a=[1]}", usedforsecurity=False).hexdigest()),
        ("JsonMerge", [{"a": {"x": 1}, "b": 2}, {"a": {"y": 1}, "c": 3}, False], {"a": {"y": 1}, "b": 2, "c": 3}),
        ("JsonMerge", [{"a": 1}, {"a": None}, "false"], {"a": None}),
        ("JsonToString", [{"name": "Foö", "year": [2020, None, 1.5]}], '{"name":"Foö","year":[2020,null,1.5]}'),
        ("JsonToString", ["x"], '"x"'),
        ("StringToJson", [' {"foo": ["bar", null]} '], {"foo": ["bar", None]}),
        ("StringToJson", ['"x"'], "x"),
        ("StringToJson", [""], None),
        ("MathAdd", [111, -1], 110),
        ("MathAdd", [2147483646, 1], 2147483647),
        ("MathAdd", [-2147483647, -1], -2147483648),
        ("MathAdd", [0.49999999999999994, 0], 0),
        ("MathAdd", [-2.5, 2.5], 1),
        ("MathRandom", [5, 6], 5),
        ("MathRandom", [1.9, 2.9], 1),
        ("MathRandom", [10, 17, 1], 14),  # Java: new Random(1).nextInt(7) is 4
        ("MathRandom", [0, 1000, -10.7], 283),
        ("StringSplit", ["1,2,3,4,5", ","], ["1", "2", "3", "4", "5"]),
        ("StringSplit", ["This.is+a,test=string", ".+,="], ["This", "is", "a", "test", "string"]),
        ("StringSplit", [",a,,b,", ","], ["a", "b"]),
        ("StringSplit", ["a]b^c-d\\e", "\\]^-"], ["a", "b", "c", "d", "e"]),
        ("StringSplit", [",", ","], []),
        ("StringSplit", ["", ","], []),
        ("StringSplit", ["abc", ""], ["abc"]),
        ("StringSplit", ["", ""], []),
        ("Format", ["no placeholder"], "no placeholder"),
        ("Format", [r"\{{}\} \'{}\' \\ \n", 1, "x"], r"{1} 'x' \ \n"),
        ("Format", ["{}{}", "{}", r"\{"], r"{}\{"),
        ("Format", ["{} {} {}", True, False, None], "true false null"),
        ("Format", ["{} {}", {"a": "b", "c": {}}, ["x", None, 1.0, {}]], "{a=b, c={}} [x, null, 1.0, {}]"),
        ("Format", ["{} {}", 1e7, 9007199254740991], "1.0E7 9007199254740991"),
    ],
)
def test_results(name: str, arguments: list[Any], result: Json) -> None:
    actual = call(name, *arguments)
    assert actual == result
    assert json.dumps(actual) == json.dumps(result)  # 1, 1.0 and True are equal in Python


NOT_ARRAYS: list[Any] = ["abc", {"a": 1}, None, 1, True]
NOT_STRINGS: list[Any] = [["a"], {"a": 1}, None, 1, True]
NOT_NUMBERS: list[Any] = ["1", [1], {}, None, True]
NOT_OBJECTS: list[Any] = [[], "{}", None]
BAD_ARGUMENTS: list[tuple[str, list[Any]]] = [
    *(("ArrayPartition", [value, 1]) for value in NOT_ARRAYS),
    *(("ArrayPartition", [[1], value]) for value in [*NOT_NUMBERS, 0, -1, 0.6, -0.4]),
    *(("ArrayContains", [value, 1]) for value in NOT_ARRAYS),
    *(("ArrayRange", [value, 1, 1]) for value in NOT_NUMBERS),
    *(("ArrayRange", [1, value, 1]) for value in NOT_NUMBERS),
    *(("ArrayRange", [1, 1, value]) for value in [*NOT_NUMBERS, 0, 0.49]),
    ("ArrayRange", [1, 1001, 1]),
    ("ArrayRange", [1001, 1, -1]),
    ("ArrayRange", [0, 10**30, 1]),
    *(("ArrayGetItem", [value, 0]) for value in NOT_ARRAYS),
    *(("ArrayGetItem", [[1, 2], value]) for value in [*NOT_NUMBERS, 2, -1]),
    *(("ArrayLength", [value]) for value in NOT_ARRAYS),
    *(("ArrayUnique", [value]) for value in NOT_ARRAYS),
    *(("Base64Encode", [value]) for value in NOT_STRINGS),
    *(("Base64Decode", [value]) for value in NOT_STRINGS),
    ("Base64Encode", ["x" * 10_001]),
    ("Base64Encode", ["🚀" * 5_001]),  # two UTF-16 units each
    ("Base64Decode", ["A" * 10_001]),
    ("Hash", ["x" * 10_001, "MD5"]),
    *(("Hash", ["x", value]) for value in [*NOT_STRINGS, "", "md5", "MD-5", "SHA256", "sha-256", "SHA-224"]),
    *(("JsonMerge", [value, {}, False]) for value in NOT_OBJECTS),
    *(("JsonMerge", [{}, value, False]) for value in NOT_OBJECTS),
    *(("JsonMerge", [{}, {}, value]) for value in [True, "true", 0, None]),
    *(("StringToJson", [value]) for value in [*NOT_STRINGS, "{bad}", '{"a":1', "undefined", "NaN", "1 2", "01"]),
    *(("MathAdd", [value, 1]) for value in NOT_NUMBERS),
    *(("MathAdd", [1, value]) for value in NOT_NUMBERS),
    ("MathAdd", [2147483647, 1]),
    ("MathAdd", [-2147483648, -1]),
    ("MathAdd", [3000000000, -3000000000]),
    ("MathAdd", [1e300, 0]),
    *(("MathRandom", [value, 9]) for value in NOT_NUMBERS),
    *(("MathRandom", [1, value]) for value in NOT_NUMBERS),
    *(("MathRandom", [1, 9, value]) for value in NOT_NUMBERS),
    *(("MathRandom", [5, value]) for value in [5, 4, 5.9, 2**31]),
    *(("StringSplit", [value, ","]) for value in NOT_STRINGS),
    *(("StringSplit", ["a", value]) for value in NOT_STRINGS),
    *(("Format", [value]) for value in NOT_STRINGS),
]


@pytest.mark.parametrize(("name", "arguments"), BAD_ARGUMENTS)
def test_invalid_arguments(name: str, arguments: list[Json]) -> None:
    with pytest.raises(EvaluationError) as failed:
        call(name, *arguments)
    assert failed.value.detail.endswith(f"Invalid arguments in States.{name}")


@pytest.mark.parametrize(
    ("template", "values", "message"),
    [
        ("Hello {", 1, "Invalid template in States.Format: matching '}' not found for '{'"),
        ("Hello {{}}", 1, "Invalid template in States.Format: matching '}' not found for '{'"),
        (r"{\}", 0, "Invalid template in States.Format: matching '}' not found for '{'"),
        ("}", 0, "Invalid template in States.Format: matching '{' not found for '}'"),
        (r"\{}", 0, "Invalid template in States.Format: matching '{' not found for '}'"),
        ("{}", 0, "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}"),
        ("{}", 2, "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}"),
        (r"\{\}", 1, "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}"),
    ],
)
@pytest.mark.parametrize("literal", [True, False])
def test_bad_templates(template: str, values: int, message: str, *, literal: bool) -> None:
    arguments = "".join(", 1" for _ in range(values))
    text = f"States.Format('{template}'{arguments})" if literal else f"States.Format($.t{arguments})"
    with pytest.raises(EvaluationError) as failed:
        compile_intrinsic(text)(Scope({"t": template}, {}, dict))
    assert failed.value.detail.endswith(f": {message}")


def test_a_template_written_in_the_call_escapes_braces() -> None:
    assert compile_intrinsic(r"States.Format('\{\} \'{}\' \\', 1)")(Scope({}, {}, dict)) == r"{} '1' " + "\\"


# --- laws ---


def escaped(text: str) -> str:
    return re.sub(r"(['{}\\])", r"\\\1", text)


@given(st.lists(TEXT, min_size=1, max_size=5), st.data())
def test_format_puts_values_between_texts(texts: list[str], data: st.DataObject) -> None:
    values = data.draw(st.lists(TEXT, min_size=len(texts) - 1, max_size=len(texts) - 1))
    template = "{}".join(map(escaped, texts))
    model = texts[0] + "".join(value + text for value, text in zip(values, texts[1:], strict=True))
    assert call("Format", template, *values) == model
    paths = "".join(f", $[{index}]" for index in range(len(values)))
    literal = compile_intrinsic(f"States.Format('{template}'{paths})")
    assert literal(Scope([*values], {}, dict)) == model


@given(TEXT)
def test_a_string_literal_stands_for_its_text(text: str) -> None:
    assert compile_intrinsic(f"States.Array('{escaped(text)}')")(Scope({}, {}, dict)) == [text]


@given(st.lists(JSON), st.integers(1, 20))
def test_partitions_make_up_the_array(values: list[Any], size: int) -> None:
    chunks: Any = call("ArrayPartition", values, size)
    assert [value for chunk in chunks for value in chunk] == values
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(1 <= len(chunk) <= size for chunk in chunks[-1:])


@given(TEXT)
def test_base64_round_trip(text: str) -> None:
    encoded = call("Base64Encode", text)
    assert encoded == base64.b64encode(text.encode()).decode()
    assert call("Base64Decode", encoded) == text


@given(JSON)
def test_json_round_trip(value: Any) -> None:
    text = call("JsonToString", value)
    assert isinstance(text, str)
    assert call("StringToJson", text) == json.loads(text) == value


@given(INT32, INT32)
def test_math_add_adds_within_32_bits(first: int, second: int) -> None:
    if -(2**31) <= first + second < 2**31:
        assert call("MathAdd", first, second) == first + second
    else:
        with pytest.raises(EvaluationError):
            call("MathAdd", first, second)


@given(st.floats(-(2**30), 2**30))
def test_math_add_rounds_to_the_nearest_and_halves_up(number: float) -> None:
    rounded: Any = call("MathAdd", number, 0)
    assert isinstance(rounded, int)
    assert -0.5 < rounded - number <= 0.5


@given(INT32, INT32, st.none() | st.integers())
def test_math_random_stays_within_its_bounds_and_repeats_itself(a: int, b: int, seed: int | None) -> None:
    low, high = min(a, b), max(a, b) + 1
    if high == 2**31:
        high -= 1
        low = min(low, high - 1)
    arguments = [low, high] if seed is None else [low, high, seed]
    drawn = call("MathRandom", *arguments, seed=5)
    assert isinstance(drawn, int)
    assert low <= drawn < high
    assert call("MathRandom", *arguments, seed=5 if seed is None else 6) == drawn


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-9, 9).filter(bool))
def test_array_range_steps_from_the_first_to_the_last(first: int, last: int, step: int) -> None:
    model = []
    value = first
    while (step > 0 and value <= last) or (step < 0 and value >= last):
        model.append(value)
        value += step
    assert call("ArrayRange", first, last, step) == model


@given(st.lists(JSON))
def test_array_unique_keeps_each_value_once(values: list[Any]) -> None:
    unique: Any = call("ArrayUnique", values)
    texts = [json.dumps(value, sort_keys=True) for value in unique]
    assert sorted(texts) == sorted({json.dumps(value, sort_keys=True) for value in values})


@given(st.lists(JSON), st.integers(0, 10))
def test_an_array_contains_its_items(values: list[Any], index: int) -> None:
    if index < len(values):
        assert call("ArrayContains", values, call("ArrayGetItem", values, index)) is True


@given(st.lists(st.text("abc,;", max_size=5)), st.text(",;", min_size=1, max_size=3))
def test_string_split_gives_the_parts_without_delimiters(parts: list[str], delimiters: str) -> None:
    text = ",".join(parts)
    model = [part for part in re.split(f"[{delimiters}]", text) if part]
    assert call("StringSplit", text, delimiters) == model


@given(st.integers())
def test_uuid_is_of_version_4(seed: int) -> None:
    text = call("UUID", seed=seed)
    parsed = uuid.UUID(str(text))
    assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)
    assert call("UUID", seed=seed) == text
    assert call("UUID", seed=seed + 1) != text


def test_a_text_that_would_fill_the_memory_is_not_made() -> None:
    with pytest.raises(EvaluationError, match="the text is too long"):
        call("Format", "{}" * 100, *["x" * 250_000] * 100)
    assert call("Format", "{}" * 100, *["xy"] * 100) == "xy" * 100
