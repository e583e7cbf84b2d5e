"""The functions that Step Functions adds to JSONata, and those that depend on chance and time."""

from __future__ import annotations

import json
from random import Random
from typing import Any
from uuid import UUID

import pytest

from asl_engine.expressions.jsonata import Bindings, JsonataError, compile_jsonata
from asl_engine.json_values import MISSING

NOW = 1_705_314_030_123  # 2024-01-15T10:20:30.123Z


def evaluate(text: str, data: Any = None, seed: int = 7) -> Any:
    return compile_jsonata(text)(Bindings({"input": data}, {}, Random(seed), now=NOW))


VALUES = [
    ("$partition([1,2,3,4,5], 2)", [[1, 2], [3, 4], [5]]),
    ("$partition([1,2,3], 2.9)", [[1, 2], [3]]),
    ("$partition([], 2)", []),
    ("$partition(7, 2)", [[7]]),
    ("$range(0, 10, 5)", [0, 5, 10]),
    ("$range(1, 4, 2)", [1, 3]),
    ("$range(3, 1, -1)", [3, 2, 1]),
    ("$range(3, 1, 1)", []),
    ("$range(1.9, 3.9, 1)", [1, 2, 3]),
    ("$hash('abc', 'MD5')", "900150983cd24fb0d6963f7d28e17f72"),
    ("$hash('abc', 'SHA-1')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("$hash('é', 'SHA-256')", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"),
    ("$length($hash('abc', 'SHA-384'))", 96),
    ("$length($hash('abc', 'SHA-512'))", 128),
    ("$parse('{\"a\": [1, null]}')", {"a": [1, None]}),
    ("$parse('[1, 2]')[1]", 2),
    ("$random(42) = $random(42)", True),
    ("$random(42) = $random(43)", False),
    ("$random(42) = $random(42.0)", True),
    ("[$random(-1), $random(0.5), $random(1/0)][$ < 0 or $ >= 1]", MISSING),
    ("$random() = $random()", False),
    ("$now()", "2024-01-15T10:20:30.123Z"),
    ("$now('[Y0001]/[M01]')", "2024/01"),
    ("$millis()", NOW),
    ("$toMillis('10:30', '[H01]:[m01]')", 1_705_314_600_000),
    ("$shuffle([1])", [1]),
    ("$sort($shuffle([1..9]))", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("$shuffle($nothing)", MISSING),
    ("$partition($nothing, 2)", MISSING),
    ("$range($nothing, 2, 1)", MISSING),
    ("$hash($nothing, 'MD5')", MISSING),
    ("$parse($nothing)", MISSING),
]

ERRORS = [
    ("$partition([1], 0)", "D3137: The second argument of the partition function must be a positive integer"),
    ("$partition([1])", 'T0410: Argument 2 of function "partition" does not match function signature'),
    ("$partition([1], 'a')", 'T0410: Argument 2 of function "partition" does not match function signature'),
    ("$range(1, 2, 0)", "D3137: The third argument of the range function must not be zero"),
    ("$range(1, 2, 0.5)", "D3137: The third argument of the range function must not be zero"),
    ("$range(1, 1/0, 1)", "D3137: The third argument of the range function must not be zero"),
    ("$hash('a', 'CRC')", "D3137: The algorithm of the hash function must be one of MD5, SHA-1, SHA-256"),
    ("$parse('{')", "D3137: The argument of the parse function is not JSON"),
    ("$parse('1e999')", "D3137: The argument of the parse function is not JSON"),
    ("$random('a')", 'T0410: Argument 1 of function "random" does not match function signature'),
    ("$randomSeeded(1)", "T1006: Attempted to invoke a non-function"),
    ("$uuid(1)", 'T0410: Argument 1 of function "uuid" does not match function signature'),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values(text: str, expected: Any) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(JsonataError) as caught:
        evaluate(text)
    assert str(caught.value).startswith(message)


def test_chance_is_what_is_given() -> None:
    text = "[$random(), $uuid(), $shuffle([1..50])]"
    assert evaluate(text, seed=1) == evaluate(text, seed=1)
    assert evaluate(text, seed=1) != evaluate(text, seed=2)
    assert 0 <= evaluate("$random()") < 1
    assert evaluate("$shuffle([1..50])") != list(range(1, 51))


def test_chance_may_be_of_any_class() -> None:
    class Borrowed(Random):
        """As an engine may make one: it is made from another, not from a seed."""

        def __init__(self, source: Random) -> None:
            super().__init__()
            self.source = source

        def random(self) -> float:
            return self.source.random()

        def getrandbits(self, k: int, /) -> int:
            return self.source.getrandbits(k)

    bindings = Bindings(None, {}, Borrowed(Random(1)), now=NOW)
    expression = compile_jsonata("[$random(), $random(7) = $random(7), $count($shuffle([1, 2]))]")
    assert expression(bindings) == [Random(1).random(), True, 2]


@pytest.mark.parametrize(("seed", "number"), [(42, 0.7275636800328681), (42.9, 0.7275636800328681)])
def test_a_seed_is_one_of_java(seed: float, number: float) -> None:
    assert evaluate(f"$random({seed})") == number  # reported of AWS


def test_uuids_are_of_version_4() -> None:
    texts = [evaluate("$uuid()", seed=seed) for seed in range(50)]
    assert len(set(texts)) == 50
    for text in texts:
        assert str(UUID(text)) == text
        assert UUID(text).version == 4
        assert UUID(text).variant == "specified in RFC 4122"


def test_shuffle_takes_nothing_from_its_argument() -> None:
    data = list(range(20))
    evaluate("$shuffle($states.input)", data)
    assert data == list(range(20))


PARTIAL = [
    ("($f := $substring(?, 1); $f('hello'))", "ello"),
    ("($f := $substring(?, ?, 2); $f('hello', 1))", "el"),
    ("($f := function($a, $b, $c) { [$a, $b, $c] }; $f(?, 2)(1))", [1, 2]),
    ("($f := $partition(?, 2); $f([1, 2, 3]))", [[1, 2], [3]]),
    ("($f := $sum ~> $string ~> $length; $f([5, 6]))", 2),
    ("$map([1, 2], $string ~> $number)", [1, 2]),
    ("($f := $uppercase(?); $map(['a', 'b'], $f))", ["A", "B"]),
]


@pytest.mark.parametrize(("text", "expected"), PARTIAL)
def test_functions_are_values(text: str, expected: Any) -> None:
    assert evaluate(text) == expected


MATCHERS = [
    ("$contains('ab', function($s) { $s = 'ab' ? {'start': 0} })", True),
    ("$contains('ab', function($s) { $nothing })", False),
    (
        "$match('ab', function($s) { {'match': 'a', 'start': 0, 'groups': [], 'next': function() { $nothing }} })",
        {"match": "a", "index": 0, "groups": []},
    ),
    ("$match('aXbX', /X/).next", MISSING),
    ("$replace('ab', /(a)(b)/, '$2$1')", "ba"),
    ("$replace('abcdefghijkl', /(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)/, '$12$11$1$99')", "lkai9"),
    ("$replace('ab', /(a)|(x)/, '<$2>')", "<>b"),
]


@pytest.mark.parametrize(("text", "expected"), MATCHERS)
def test_matchers(text: str, expected: Any) -> None:
    assert evaluate(text) == expected


def test_a_matcher_without_a_next_match_is_called_all_the_same() -> None:
    with pytest.raises(JsonataError, match="T1006"):
        evaluate("$match('ab', function($s) { {'match': 'a', 'start': 0, 'end': 1, 'groups': []} })")


def test_a_matcher_must_give_a_match() -> None:
    with pytest.raises(JsonataError, match='T1010: The matcher function argument passed to function "contains"'):
        evaluate("$contains('ab', function($s) { {'a': 1} })")


def test_texts_of_numbers() -> None:
    data = [0.000001, 1e-7, 123456789012345680000, 1e21, 1.5e300, -2.5, 0.1 + 0.2, 2**53, 2**53 + 1, -0.0]
    shown = "[0.000001,1e-7,123456789012345680000,1e+21,1.5e+300,-2.5,0.3,9007199254740992,9007199254740992,0]"
    assert evaluate("$string($states.input)", data) == shown


def test_texts_of_values() -> None:
    data = {"a": [1, {"b": None}], "c": 'é\n"', "d": {}, "e": []}
    assert evaluate("$string($states.input)", data) == json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    assert evaluate("$string($states.input, true)", data) == json.dumps(data, ensure_ascii=False, indent=2)
    assert evaluate("$string([$sum, /a/, 1])") == '["","",1]'


EDGES: list[tuple[str, Any]] = [
    ("$substring('abc', 0/0)", "D1001: Number out of range: null"),
    ("$substring('abc', 0, 1/0)", "D1001: Number out of range: null"),
    ("$pad('a', 1/0)", "D1001: Number out of range: null"),
    ("$split('a b', ' ', 0/0)", "D1001: Number out of range: null"),
    ("$replace('aa', 'a', 'b', 1/0)", "D1001: Number out of range: null"),
    ("$replace('aaaa', 'a', 'b', 1.5)", "bbaa"),
    ("$replace('a', 'a', $sum)", "D3012: Attempted to replace a matched string with a non-string value"),
    ("$split('a b', $nothing)", ["a b"]),
    ("1/0 % 2.5", "D1001: Number out of range: null"),
    ("$round(1/0)", "Infinity"),
    ("$floor(1/0)", "Infinity"),
    ("$ceil(0/0)", "NaN"),
    ("$formatBase(0/0)", "NaN"),
    ("$formatBase(-1/0, 2)", "-Infinity"),
    ("$formatNumber(0/0, '0')", "D1001: Number out of range: null"),
    ("$formatInteger(1/0, '0')", "Infinity"),
    (
        "$formatNumber(5, $nothing)",
        "D3085: The mantissa part of a sub-picture must contain at least one character",
    ),
    ("$formatNumber(0.5, '.')", "D3085: The mantissa part of a sub-picture must contain at least one character"),
    ("$sift({'a': 1})", "T1006: Attempted to invoke a non-function"),
    ("$sift({})", MISSING),
    ("$substringAfter('abc', '')", "abc"),
    ("$substringBefore('abc', '')", ""),
    ("$formatNumber(1, '0', {'digit': '##'})", 'T0410: Argument 3 of function "formatNumber"'),
    ("$formatNumber(1, '0', {'digit': 5})", 'T0410: Argument 3 of function "formatNumber"'),
    ("$formatNumber(1, '0', {'zero-digit': ''})", 'T0410: Argument 3 of function "formatNumber"'),
    ("$uppercase(?)(5)", 'T0410: Argument 1 of function "uppercase" does not match function signature'),
    ("$sort(?)([2, 1])", [1, 2]),
    ("$replace('a', 'a', $nothing)", "D3012: Attempted to replace a matched string with a non-string value"),
    ("$replace('ab', function($s) { {'start': 'x'} }, 'y')", "T1010: The matcher function argument passed to"),
    ("$split('ab', function($s) { {'start': 0} })", "T1010: The matcher function argument passed to"),
    ("$formatNumber(5, '#e0')", "0e1"),
    ("$formatNumber(0.5, '.##')", ".5"),
    ("$formatNumber(5, '#.##')", "5.0"),
    ("$formatNumber(0.25, '#.#e0')", "0.2e0"),
    ("$formatInteger(5, '0-00:##')", "0:05"),
    ("($f := function($x) { (function($y) { -$y })($x) }; $f('a'))", "D1002: Cannot negate"),
    ("([1, 2])@$a.($a)@$b{'x': $exists($)}", {"x": False}),
    ("[$type(/a/)]", ["function"]),
    ("{'a': (/b/)('abc').end}", {"a": 2}),
    ("$number($pad('1', 5000, '0'))", "D3030: Unable to cast value to a number"),
    ("$number('0x' & $pad('', 400, 'f'))", "D1001: Number out of range: null"),
    ("$parseInteger('IQ', 'I')", "NaN"),
    ("$parseInteger('foo bar', 'w')", "NaN"),
    ("$parseInteger('12', 'w')", "NaN"),
    ("$parseInteger('', '0')", "NaN"),
    ("$parseInteger('x', '0') + 1", 'T2001: The left side of the "+" operator must evaluate to a number'),
    ("$toMillis('2018-13-01')", "D3110: The argument of the toMillis function must be an ISO 8601"),
    ("$toMillis('2018-01-01T25:00:00Z')", "D3110: The argument of the toMillis function must be an ISO 8601"),
    ("$fromMillis(0, '[X]')", "1970"),
    ("$encodeUrl('\\ud800')", "D3140: Malformed URL passed to $encodeUrl()"),
    ("$append(1, $nothing)", 1),
    ("$append([1], $nothing)", [1]),
    ("[1, 2]{'k': $type($)}", {"k": "array"}),
    ("'Hello' ~> $contains(/l+/)", True),
    ("(/a/)(5)", MISSING),
    ("(/a/)('ba').start", 1),
    ("$map([5], function($x) { $x })[]", [5]),
    ("($f := function() { $map([5], function($x) { $x }) }; $f()[])", [5]),
    ("[{'a': [{'b': 1}]}].a[0][]", [{"b": 1}]),
    ("[0/0 & '', -1/0 & '']", "D3001: Attempting to invoke string function on Infinity or NaN"),
    ("$string([0/0])", "[null]"),
    ("$string([1/0])", "D1001: Number out of range: null"),
    ("$string(1e300 * 10)", "1e+301"),
    ("$string([1e25 * 1])", "[1e+25]"),
    ("($n := 1; $f := function($x) { $g($x) }; $g := function($x) { -$x }; $f('a'))", "D1002: Cannot negate"),
    ("[[1, 2], [3]].([$, $])", [1, 2, 1, 2, 3, 3]),
    ("$match('ab', /b/).groups", []),
    (
        "{'a': 1} ~> |a|{'b': 2}|",
        "transform: The insert/update clause of the transform expression cannot be merged into 1",
    ),
    (
        "{'a': 'x'} ~> |a|{'b': 2}|",
        'transform: The insert/update clause of the transform expression cannot be merged into "x"',
    ),
    ("{'a': [{'c': 1}, true]} ~> |a|{'b': 2}|", "transform: The insert/update clause"),
    (
        "{'a': null} ~> |**|{'b': 2}|",
        "transform: The insert/update clause of the transform expression cannot be merged into null",
    ),
    ("{'a': [{'c': 1}]} ~> |a|{'b': 2}|", {"a": [{"c": 1, "b": 2}]}),
    ("{'a': [[1]]} ~> |a|{'b': 2}|", {"a": [[1]]}),
    ("{'a': null} ~> |a|{}, 'b'|", {"a": None}),
    ("{'a': 1} ~> |a|$nothing, 'b'|", {"a": 1}),
    ("$error('a' & $string([1, {'b': 2}]))", 'D3137: a[1,{"b":2}]'),
    ("-[1, 'a', {'b': [null, 0.5]}]", 'D1002: Cannot negate a non-numeric value: [1,"a",{"b":[null,0.5]}]'),
]


@pytest.mark.parametrize(("text", "expected"), EDGES)
def test_edges(text: str, expected: Any) -> None:
    try:
        value = evaluate(text)
    except JsonataError as error:
        value = str(error)[: len(expected)]
    assert value == expected


def test_a_long_value_is_cut_off_in_a_message() -> None:
    data: Any = {"long": "x" * 50_000, "many": list(range(50_000)), "deep": None}
    for _ in range(5000):
        data["deep"] = [data["deep"]]
    for name in data:
        with pytest.raises(JsonataError) as caught:
            evaluate(f"-$states.input.{name}", data)
        assert len(str(caught.value)) < 11_000
    folded = "$reduce([1..60], function($a, $b) { {'l': $a, 'r': $a} }, 1)"
    with pytest.raises(JsonataError, match="D1002"):
        evaluate(f"-({folded})")
