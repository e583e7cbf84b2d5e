"""What no expression can do: run for ever, fill the memory, end the process, change what it is given."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonata import Bindings, JsonataError, UnsupportedResult, compile_jsonata
from asl_engine.json_values import MISSING

TOO_LONG = "D1012: Evaluation timeout after 20000 steps. Check for infinite loop"
TOO_DEEP = "D1011: Stack overflow."


def evaluate(text: str, data: Any = None, steps: int = 20_000) -> Any:
    return compile_jsonata(text)(Bindings({"input": data}, {}, Random(1), steps=steps, regex_seconds=0.05))


DOUBLING = "$reduce([1..40], function($a, $b) { %s }, %s)"
DAG = DOUBLING % ("{'l': $a, 'r': $a}", "1")

ENDLESS = {
    "recursion without end": ("($f := function($x) { 1 + $f($x) }; $f(1))", TOO_DEEP),
    "tail recursion without end": ("($f := function($x) { $f($x + 1) }; $f(1))", TOO_LONG),
    "mutual tail recursion": ("($f := function() { $g() }; $g := function() { $f() }; $f())", TOO_LONG),
    "a long range": ("[1..1e7]", TOO_LONG),
    "a longer range": ("[1..1e9]", "D2014: The size of the sequence allocated by the range operator"),
    "$range": ("$range(1, 1e15, 1)", TOO_LONG),
    "$pad": ("$pad('a', 1e12)", "memory: Expression evaluation memory limit exceeded"),
    "a doubled string": (DOUBLING % ("$a & $a", "'x'"), TOO_LONG),
    "a doubled array": (DOUBLING % ("[$a, $a]", "[1]"), TOO_LONG),
    "$append": (DOUBLING % ("$append($a, $a)", "[1]"), TOO_LONG),
    "$join": (DOUBLING % ("$join([$a, $a])", "'x'"), TOO_LONG),
    "$replace": ("$replace($pad('', 1e4, 'a'), 'a', $pad('', 1e4))", TOO_LONG),
    "$replace by matches": ("$replace($pad('', 1e4, 'a'), /a/, $pad('', 1e4))", TOO_LONG),
    "a result that unfolds": (DAG, TOO_LONG),
    "the text of a value that unfolds": (f"$string({DAG})", TOO_LONG),
    "comparing values that unfold": (f"{DAG} = {DAG}", TOO_LONG),
    "cloning a value that unfolds": (f"$clone({DAG})", TOO_LONG),
    "descending into a value that unfolds": (f"$count({DAG}.**)", TOO_LONG),
    "nested $map": ("$map([1..999], function($a) { $map([1..999], function($b) { $a }) })", TOO_LONG),
    "a path over a product": ("[1..999].([1..999])", TOO_LONG),
    "bindings over a product": ("$map([1], function($x) { $x.([1..999])@$a.([1..999])@$b.[$a, $b] })", TOO_LONG),
    "sorting": ("[1..15000]^($)", TOO_LONG),
    "a value that contains itself": ("{'a': {}} ~> |**|{'b': $}|", TOO_DEEP),
    "$sort": ("$sort([1..15000])", TOO_LONG),
    "distinct objects": ("$distinct([1..2000].{'a': $})", TOO_LONG),
    "$zip": ("$zip([1..9000], [1..9000], [1..1000])", TOO_LONG),
    "an endless regular expression": ("$contains('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /^(a|aa)+$/)", TOO_LONG),
    "a large picture": ("$formatNumber(1, '0.' & $pad('', 30000, '0'))", TOO_LONG),
    "Roman millions": ("$formatInteger(1e9, 'I')", "D1001: Number out of range: 1000000000"),
    "words beyond the doubles": ("$formatInteger(1/0, 'w')", "D1001: Number out of range: null"),
    "no such date": ("$fromMillis(1e18)", "D1001: Number out of range: 1000000000000000000"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_every_evaluation_ends(name: str) -> None:
    text, message = ENDLESS[name]
    with pytest.raises(JsonataError) as caught:
        evaluate(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 400 + "1" + ")" * 400,
        "[" * 400 + "]" * 400,
        "-" * 4000 + "1",
        "+".join(["1"] * 4000),
        "a" + ".a" * 9000,
        "function($a){" * 400 + "1" + "}" * 400,
    ],
    ids=lambda text: text[:12],
)
def test_depth_is_refused_and_not_suffered(text: str) -> None:
    with pytest.raises(ExpressionSyntaxError, match="nested too deeply"):
        compile_jsonata(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("($f := function($n, $sum) { $n = 0 ? $sum : $f($n - 1, $sum + $n) }; $f(5000, 0))", 12_502_500),
        ("($f := function($n) { $n = 0 ? 0 : 1 + $f($n - 1) }; $f(60))", 60),
        (
            "($e := function($n) { $n = 0 or $o($n - 1) }; $o := function($n) { $n != 0 and $e($n - 1) }; $e(8))",
            True,
        ),
        ("&".join(["'x'"] * 150), "x" * 150),
    ],
    ids=["tail recursion", "recursion", "mutual", "concatenation"],
)
def test_ordinary_depth_is_no_offence(text: str, value: Any) -> None:
    assert evaluate(text, steps=100_000) == value


def test_an_error_leaves_nothing_behind() -> None:
    for _ in range(3):
        with pytest.raises(JsonataError):
            evaluate("($f := function($x) { 1 + $f($x) }; $f(1))")
        assert evaluate("$sum([1..10])") == 55


DATA: Any = {
    "items": [{"id": 2, "tags": ["x", "y"], "n": None}, {"id": 1, "tags": [], "n": {"a": [1, [2]]}}],
    "nums": [3, 1, 2],
    "empty": [],
    "object": {"b": {"c": 1}, "a": [1]},
}
READING = [
    "$states.input ~> |items|{'new': 1}, 'tags'|",
    "$states.input ~> |**[$type($) = 'object']|{'new': 1}|",
    "$states.input.object ~> |b|{'c': 2}|",
    "[] ~> |$states|{'new': 1}, 'input'|",
    "{} ~> |$states.input.items|{'new': 1}|",
    "{'a': {'b': 1}} ~> |$v|{'new': 1}|",
    "$states.input.items^(>id)",
    "$sort($states.input.items, function($a, $b) { $a.id > $b.id })",
    "$reverse($states.input.nums)",
    "$shuffle($states.input.nums)",
    "$append($states.input.nums, $states.input.nums)",
    "$merge([$states.input.object, {'b': 5}])",
    "$merge($states.input.items)",
    "$states.input.items{$string(id): tags}",
    "$states.input.empty{'n': $}",
    "$states.input.items@$i#$p.$i.tags.{'i': $i, 'p': $p, 'up': %.id}",
    "($x := $states.input.nums; $x := $append($x, 4); $x[])",
    "$clone($states.input)",
    "$spread($states.input.object)",
    "$states.input.items.tags[]",
    "$zip($states.input.nums, $states.input.items)",
    "$sift($states.input.object, function($v) { true })",
    "$each($states.input.object, function($v, $k) { {$k: $v} })",
    "$reduce($states.input.items, function($a, $b) { $merge([$a, $b]) })",
    "$distinct($states.input.items)",
    "$partition($states.input.nums, 2)",
    "[$states.input.**]",
    "$states.input.object.*",
]


@pytest.mark.parametrize("text", READING)
def test_nothing_that_is_given_is_changed(text: str) -> None:
    data = copy.deepcopy(DATA)
    variables = {"v": data["items"]}
    result = compile_jsonata(text)(Bindings({"input": data}, variables, Random(1)))
    assert data == DATA
    assert list(variables) == ["v"]
    json.dumps(result)


def plain(value: Any) -> bool:
    if isinstance(value, list):
        return type(value) is list and all(map(plain, value))
    return all(map(plain, value.values())) if isinstance(value, dict) else True


@pytest.mark.parametrize("text", READING)
def test_results_are_plain_lists(text: str) -> None:
    assert plain(evaluate(text, DATA))
    assert plain(evaluate(f"{{'a': [{text}]}}", DATA))


def test_a_nested_function_is_no_result() -> None:
    for text in ("$sum", "{'f': $sum}", "[function() { 1 }]", "/a/"):
        with pytest.raises(UnsupportedResult):
            evaluate(text)


def test_threads_share_compiled_expressions() -> None:
    squares = "$sum($map($states.input.nums, function($n) { $n * $n }))"
    text = f"{squares} + ($f := function($n) {{ $n < 2 ? 1 : $n * $f($n - 1) }}; $f(9))"
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: evaluate(text, DATA), range(400))) == {14 + 362_880}


WORDS = st.sampled_from(
    [*"()[]{}.,;:?+-*/%|=<>^&@#$", ":=", "!=", "<=", ">=", "**", "..", "~>", "?:", "??", "and", "or", "in",
     "function", "$states.input", "items", "nums", "$x", "$i", "1", "'a'", '"b"', "`c`", "null", "true", "/a/",
     "$map", "$sum", "$string", "$keys", " ", "\u2028", "\\", "'", '"', "`", "$eval", "__import__", "\x00"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=14).map("".join) | st.text(max_size=30))
@settings(max_examples=400, deadline=None)
def test_any_text_is_an_expression_or_is_refused(text: str) -> None:
    data = copy.deepcopy(DATA)
    try:
        result = evaluate(text, data)
    except (ExpressionSyntaxError, JsonataError, UnsupportedResult):
        result = None
    assert result is MISSING or plain(result)
    assert data == DATA
