"""The 18 intrinsic functions, held against models that are written from AWS's documentation alone.

AWS Developer Guide, "Intrinsic functions for JSONPath states in Step Functions".  A model is the shortest Python
that does what the guide says, for arguments that the guide speaks of.  Where AWS has been observed to do something
else (fractions that are cut off, the order of ArrayUnique), the models keep out of the way, and
``tests/expressions`` has the observation.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from asl_engine.errors import EvaluationError
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.intrinsics.calls import compile_intrinsic
from asl_engine.expressions.intrinsics.functions import INTRINSICS
from asl_engine.expressions.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

fixed = settings(max_examples=60, derandomize=True, database=None, deadline=None)

LEAST, MOST = -(2**31), 2**31 - 1
MAX_RANGE = 1000
MAX_TEXT = 10_000
ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ARRAYS = st.lists(JSON, max_size=8)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)
SMALL = st.integers(-40, 40)


class Refused(Exception):
    """The guide says that the call fails."""


def call(text: str, data: Any, seed: int = 0) -> Any:
    return compile_intrinsic(text)(Scope(data, {}, dict, lambda: Random(seed)))


def outcome(name: str, arguments: list[Any], literal: bool) -> Any:
    """The result of a call, or Refused; arguments are literals, or read by paths."""
    written = [
        literal_of(value) if literal and not isinstance(value, list | dict) else f"$.p{index}"
        for index, value in enumerate(arguments)
    ]
    data = {f"p{index}": value for index, value in enumerate(arguments)}
    try:
        return call(f"States.{name}({', '.join(written)})", data)
    except EvaluationError:
        return Refused


def literal_of(value: Any) -> str:
    if isinstance(value, str):
        return "'" + re.sub(r"(['{}\\])", r"\\\1", value) + "'"
    return json.dumps(value)


def same(one: Any, other: Any) -> bool:
    """Equality that tells true from 1, and looks at no order of members."""
    return bool(json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


# The models, each with the arguments to try it with.


def array_partition(values: list[Any], size: int) -> Any:
    if size < 1:
        raise Refused
    chunks: list[list[Any]] = []
    for value in values:
        if not chunks or len(chunks[-1]) == size:
            chunks.append([])
        chunks[-1].append(value)
    return chunks


def array_contains(values: list[Any], wanted: Any) -> bool:
    return any(same(value, wanted) for value in values)


def array_range(first: int, last: int, step: int) -> list[int]:
    if step == 0:
        raise Refused
    values, value = [], first
    while value <= last if step > 0 else value >= last:
        values.append(value)
        value += step
        if len(values) > MAX_RANGE:
            raise Refused
    return values


def array_get_item(values: list[Any], index: int) -> Any:
    if not 0 <= index < len(values):
        raise Refused
    return values[index]


def json_merge(first: Any, second: Any, deep: Any) -> Any:
    if deep is not False or not isinstance(first, dict) or not isinstance(second, dict):
        raise Refused
    merged = dict(first)
    merged.update(second)
    return merged


def math_add(first: int, second: int) -> int:
    if not all(LEAST <= number <= MOST for number in (first, second, first + second)):
        raise Refused
    return first + second


def string_split(text: str, delimiters: str) -> list[str]:
    parts, part = [], ""
    for character in text:
        if character in delimiters:
            parts.append(part)
            part = ""
        else:
            part += character
    return [part for part in [*parts, part] if part]


def hashed(data: str, algorithm: str) -> str:
    if algorithm not in ALGORITHMS:
        raise Refused
    return hashlib.new(ALGORITHMS[algorithm], data.encode()).hexdigest()


NUMBERS = st.sampled_from((LEAST, LEAST + 1, MOST, MOST - 1, MOST + 1, -1, 0, 1)) | st.integers(-1000, 1000)
MODELS: dict[str, tuple[Callable[..., Any], tuple[st.SearchStrategy[Any], ...]]] = {
    "ArrayPartition": (array_partition, (ARRAYS, st.integers(-1, 9))),
    "ArrayContains": (array_contains, (st.lists(st.integers(0, 5) | st.sampled_from("abc")), st.integers(0, 5))),
    "ArrayRange": (array_range, (SMALL, SMALL, st.integers(-5, 5))),
    "ArrayGetItem": (array_get_item, (st.lists(JSON, min_size=1, max_size=5), st.integers(-2, 6))),
    "ArrayLength": (len, (ARRAYS,)),
    "Base64Encode": (lambda text: base64.b64encode(text.encode()).decode(), (TEXT,)),
    "Base64Decode": (
        lambda text: base64.b64decode(text).decode(),
        (TEXT.map(lambda text: base64.b64encode(text.encode()).decode()),),
    ),
    "Hash": (hashed, (TEXT, st.sampled_from([*ALGORITHMS, "sha256", "SHA256", "CRC32", ""]))),
    "JsonMerge": (json_merge, (OBJECTS | st.lists(SCALARS), OBJECTS, st.just(False) | st.just(True))),
    "StringToJson": (json.loads, (JSON.map(json.dumps),)),
    "JsonToString": (lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False), (JSON,)),
    "MathAdd": (math_add, (NUMBERS, NUMBERS)),
    "StringSplit": (string_split, (st.text("ab,;| .*+", max_size=12), st.text(",;|.*+ ", min_size=1, max_size=3))),
}
# Their results depend on chance, on an order that the guide leaves open, or on how they are written.
LAWS = {"Array", "ArrayUnique", "Format", "MathRandom", "UUID"}


def test_each_function_has_a_model_or_a_law() -> None:
    assert {f"States.{name}" for name in {*MODELS, *LAWS}} == INTRINSICS.keys()


@pytest.mark.parametrize("name", MODELS)
@fixed
@given(st.data(), st.booleans())
def test_a_function_does_what_its_model_does(name: str, drawn: st.DataObject, literal: bool) -> None:
    model, strategies = MODELS[name]
    arguments = [drawn.draw(strategy) for strategy in strategies]
    try:
        expected = model(*arguments)
    except Refused:
        expected = Refused
    result = outcome(name, arguments, literal)
    if expected is Refused or result is Refused:
        assert result is expected
    elif name == "JsonToString":
        assert json.loads(result) == json.loads(expected)
        assert len(result.encode()) <= len(json.dumps(arguments[0]).encode())
    else:
        assert same(result, expected)


@fixed
@given(st.lists(JSON, max_size=6))
def test_array_keeps_its_arguments(values: list[Any]) -> None:
    assert same(outcome("Array", values, literal=False), values)
    assert same(outcome("Array", values, literal=True), values)


@fixed
@given(st.lists(st.integers(0, 4) | st.sampled_from("abc") | st.none() | st.lists(st.booleans(), max_size=1)))
def test_array_unique_keeps_each_value_once(values: list[Any]) -> None:
    result = outcome("ArrayUnique", [values], literal=False)
    kept = [json.dumps(value) for value in result]
    assert len(kept) == len(set(kept))
    assert set(kept) == {json.dumps(value) for value in values}


@fixed
@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6), st.integers(0, 10**9), st.booleans())
def test_math_random_begins_at_the_first_and_ends_before_the_second(
    start: int, width: int, seed: int, seeded: bool
) -> None:
    arguments = [start, start + width, *([seed] if seeded else [])]
    drawn = outcome("MathRandom", arguments, literal=True)
    assert start <= drawn < start + width
    if seeded:
        assert outcome("MathRandom", arguments, literal=False) == drawn
        others = {outcome("MathRandom", [0, MOST, seed + more], literal=True) for more in range(8)}
        assert len(others) > 1


def test_math_random_reaches_each_number() -> None:
    assert {call("States.MathRandom(3, 6)", {}, seed) for seed in range(60)} == {3, 4, 5}
    assert {call(f"States.MathRandom(3, 6, {seed})", {}) for seed in range(60)} == {3, 4, 5}


def test_a_uuid_is_one_of_version_4() -> None:
    texts = [call("States.UUID()", {}, seed) for seed in range(50)]
    assert len(set(texts)) == 50
    for text in texts:
        assert str(UUID(text)) == text
        assert UUID(text).version == 4


PIECES = st.lists(
    st.none() | st.sampled_from(["{", "}", "'", "\\", "{}", "a", " ", "é", "\U0001f600", "$.p0", ","])
)


@fixed
@given(PIECES, st.data())
def test_format_fills_in_what_is_not_escaped(pieces: list[str | None], drawn: st.DataObject) -> None:
    """None stands for an occurrence of ``{}`` that is filled in; everything else is text."""
    template = "'" + "".join("{}" if piece is None else literal_of(piece)[1:-1] for piece in pieces) + "'"
    values = [drawn.draw(SCALARS) for piece in pieces if piece is None]
    written = ", ".join([template, *(f"$.p{index}" for index in range(len(values)))])
    shown = iter([value if isinstance(value, str) else json.dumps(value) for value in values])
    expected = "".join(next(shown) if piece is None else piece for piece in pieces)
    data = {f"p{index}": value for index, value in enumerate(values)}
    assert call(f"States.Format({written})", data) == expected
    with pytest.raises(EvaluationError):
        call(f"States.Format({written}, 'one too many')", data)


@fixed
@given(st.text("ab {}", max_size=8), st.lists(st.sampled_from("xyz"), max_size=4))
def test_format_reads_a_template_from_a_path(template: str, values: list[str]) -> None:
    assume("{" not in template.replace("{}", "") and "}" not in template.replace("{}", ""))
    parts = template.split("{}")
    result = outcome("Format", [template, *values], literal=False)
    if len(parts) != len(values) + 1:
        assert result is Refused
    else:
        assert result == "".join(part + value for part, value in zip(parts, [*values, ""], strict=True))


@st.composite
def nested(draw: st.DrawFn, depth: int) -> tuple[str, int]:
    """A sum that is nested so deep, as text and as its value."""
    if depth == 0:
        number = draw(st.integers(-9, 9))
        return str(number), number
    inner, value = draw(nested(depth - 1))
    more = draw(st.integers(-9, 9))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return f"States.MathAdd({more}, {inner})", more + value
    if kind == 1:
        return f"States.MathAdd({inner},{more})", more + value
    if kind == 2 and depth > 1:
        inner, value = draw(nested(depth - 2))
        return f"States.ArrayGetItem(States.Array({more}, {inner}), 1)", value
    return (
        f"States.StringToJson( States.Format('{{}}', {inner}))" if depth > 1 else f"States.MathAdd({inner}, 0)",
        value,
    )


@fixed
@given(st.data(), st.integers(1, 10))
def test_calls_nest_ten_deep(drawn: st.DataObject, depth: int) -> None:
    text, value = drawn.draw(nested(depth))
    deep = max_depth(text)
    if deep > 10:
        with pytest.raises(ExpressionSyntaxError):
            compile_intrinsic(text)
    else:
        assert call(text, {}) == value


def max_depth(text: str) -> int:
    """How deep the parentheses go; the texts above hold none."""
    deepest = depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def test_ten_levels_are_allowed_and_eleven_are_not() -> None:
    text = "0"
    for _ in range(10):
        text = f"States.MathAdd(1, {text})"
    assert call(text, {}) == 10
    with pytest.raises(ExpressionSyntaxError, match="nested 10 levels deep"):
        compile_intrinsic(f"States.MathAdd(1, {text})")


FAULTS = [
    "States.ArrayLength($.text)",
    "States.ArrayLength($.object)",
    "States.ArrayPartition($.text, 2)",
    "States.ArrayPartition($.array, 0)",
    "States.ArrayPartition($.array, -1)",
    "States.ArrayPartition($.array, 'two')",
    "States.ArrayContains($.object, 1)",
    "States.ArrayGetItem($.array, 3)",
    "States.ArrayGetItem($.array, -1)",
    "States.ArrayGetItem($.text, 0)",
    "States.ArrayRange(1, 5, 0)",
    "States.ArrayRange(1, 1001, 1)",
    "States.ArrayRange(0, 1000, 1)",
    "States.ArrayRange(0, -1000, -1)",
    "States.ArrayRange('1', 5, 1)",
    "States.ArrayUnique($.object)",
    "States.Base64Encode(5)",
    "States.Base64Encode($.long)",
    "States.Base64Decode($.long)",
    "States.Hash($.long, 'MD5')",
    "States.Hash('a', 'md5')",
    "States.Hash('a', null)",
    "States.JsonMerge($.object, $.object, true)",
    "States.JsonMerge($.object, $.array, false)",
    "States.StringToJson('{')",
    "States.StringToJson(1)",
    "States.MathRandom(5, 5)",
    "States.MathRandom(5, 1)",
    "States.MathRandom('1', 5)",
    "States.MathAdd(2147483647, 1)",
    "States.MathAdd(-2147483648, -1)",
    "States.MathAdd('1', 1)",
    "States.StringSplit(5, ',')",
    "States.StringSplit('a,b', 5)",
    "States.Format('{}')",
    "States.Format('a', 1)",
    "States.Format('{')",
    "States.Format('}')",
    "States.Format($.array)",
    "States.ArrayLength($.nothing)",
    "States.Nothing()",
    "States.UUID(1)",
    "States.MathAdd(1)",
    "States.MathAdd(1, 2, 3)",
    "States.ArrayLength()",
    "States.Format('a' 'b')",
    "States.Format('a",
    "States.Format('a', )",
    "States.MathAdd(1, 2) + 1",
]


@pytest.mark.parametrize("text", FAULTS)
def test_what_the_guide_does_not_allow_fails(text: str) -> None:
    data = {"text": "abc", "array": [1, 2, 3], "object": {"a": 1}, "long": "x" * (MAX_TEXT + 1)}
    with pytest.raises((EvaluationError, ExpressionSyntaxError)):
        call(text, data)


def test_what_the_limits_allow_succeeds() -> None:
    text = "é" * MAX_TEXT
    data = {"long": text, "encoded": "YWJj" * (MAX_TEXT // 4)}
    assert call("States.ArrayRange(1, 1000, 1)", {}) == list(range(1, 1001))
    assert call("States.ArrayRange(1000, 1, -1)", {}) == list(range(1000, 0, -1))
    assert base64.b64decode(call("States.Base64Encode($.long)", data)).decode() == text
    assert call("States.Base64Decode($.encoded)", data) == "abc" * (MAX_TEXT // 4)
    assert call("States.Hash($.long, 'SHA-512')", data) == hashlib.sha512(text.encode()).hexdigest()
