"""JSONata as generated code: scopes, loops, names, what is counted, and that no text gets into the code."""

from __future__ import annotations

import ast
import warnings
from random import Random
from typing import Any

import pytest

from asl_engine.expressions.effort import Effort, EffortSpent
from asl_engine.expressions.jsonata import Bindings, JsonataError, compile_jsonata
from asl_engine.expressions.jsonata.codegen.runtime import RUNTIME
from asl_engine.json_values import MISSING

ROWS: Any = [{"name": "a", "n": 3, "tags": ["x"]}, {"name": "b", "n": 1.5, "tags": []}, {"name": "c"}]


def evaluate(text: str, data: Any = None, variables: dict[str, Any] | None = None, **bounds: Any) -> Any:
    return compile_jsonata(text)(Bindings({"input": data}, variables or {}, Random(1), **bounds))


SCOPES: dict[str, tuple[str, Any]] = {
    "a function keeps the item it was made for": (
        "($all := $map([1, 2, 3], function($i) { function($x) { $i * $x } }); $map($all, function($f) { $f(9) }))",
        [9, 18, 27],
    ),
    "it sees what is bound after it": (
        "($f := $map([1], function($i) { function() { $i + $later } }); $later := 5; $f())",
        6,
    ),
    "a name is that of outside until it is bound": ("($x := 1; ($y := $x; $x := 2; [$x, $y]))", [2, 1]),
    "a block does not change what is outside": ("($x := 1; ($x := 2); $x)", 1),
    "a function does not either": ("($x := 1; $f := function() { $x := 2 }; $f(); $x)", 1),
    "a binding between the items of an array": ("[$x := 1, $x + 1, ($x := 5), $x]", [1, 2, 5, 1]),
    "a binding in a branch": ("(true ? $x := 1 : $y := 2; $x & $y)", "1"),
    "a binding in a predicate": ("([1, 2, 3][($ > $limit ? $limit := $) > 0]; 1)", 1),
    "a binding in the lambda of a loop": ("$map([1, 2], function($i) { $x := $i * 2 })", [2, 4]),
    "a binding of a binding": ("($a := $b := 2; $a + $b)", 4),
    "a name that is bound again": ("($x := 1; $x := $x + 1; $x := $x * 10; $x)", 20),
    "the inner parameter hides the outer": (
        "$map([1, 2], function($x) { $map([10], function($x) { $x }) })",
        [[10], [10]],
    ),
    "the last of two parameters of one name": ("$map([5], function($x, $x) { $x })", 0),
    "an index, and the whole": ("$map([5, 6], function($x, $i, $all) { $x + $i + $count($all) })", [7, 9]),
    "more parameters than there are arguments": ("$map([1], function($a, $b, $c, $d) { $exists($d) })", False),
    "an accumulator in a function": (
        "($f := $reduce([1, 2, 3], function($a, $i) { function() { $i + ($i = 2 ? 1 : $a()) } }); $f())",
        6,
    ),
    "an accumulator that is given": ("$reduce([1, 2], function($a, $i, $k) { $a & $i & $k }, '>')", ">1021"),
    "nothing to accumulate": ("$reduce([], function($a, $i) { $i }, 'none')", "none"),
    "names of a sort": ("($by := -1; [1, 3, 2]^($ * $by))", [3, 2, 1]),
    "names of a group": ("$map([1], function($i) { [1, 2]{ 'k': $sum($) + $i } })", [{"k": 4}]),
    "names of a transform": ("$map([7], function($i) { {'a': 1} ~> |$|{'b': $i}| })", [{"a": 1, "b": 7}]),
    "names of a path's tuples": ("($x := 1; $states.input.both@$v.($v + $x))", [2, 3]),
    "a sort of one": ("$states.input^(>name).name", "one"),
    "a sort of nothing": ("$states.input.none^(>name)", MISSING),
    "a function by the name of a native one": ("($sum := function($x) { 'mine' }; $sum([1]))", "mine"),
    "a parameter by that name": ("$map([1], function($count) { $count + 1 })", 2),
}


@pytest.mark.parametrize("name", SCOPES)
def test_names_are_those_of_their_scope(name: str) -> None:
    text, value = SCOPES[name]
    got = evaluate(text, {"name": "one", "both": [1, 2]})
    wanted = value[0] if isinstance(value, list) and len(value) == 1 else value  # a sequence of one is its item
    assert got == wanted


def test_a_variable_hides_a_function_while_it_has_its_name() -> None:
    text = "[$sum([1, 2]), $map([1], function($x) { $x })]"
    for _ in range(2):
        assert evaluate(text) == [3, 1]
        with pytest.raises(JsonataError, match="T1006: Attempted to invoke a non-function"):
            evaluate(text, variables={"sum": 5})
        with pytest.raises(JsonataError, match="T1006: Attempted to invoke a non-function"):
            evaluate(text, variables={"map": [1]})


@pytest.mark.parametrize("depth", [8, 25, 60])
def test_loops_are_nested_deeper_than_python_nests_them(depth: int) -> None:
    text = "1"
    for level in reversed(range(depth)):
        text = f"$map([{level}], function($x{level}) {{ $x{max(level - 7, 0)} + {text} }})"
    assert evaluate(text) == 1 + sum(max(level - 7, 0) for level in range(depth))


def test_paths_and_conditions_are_nested_as_deep() -> None:
    assert evaluate("$states.input.(a ? (" * 40 + "$states.input.a" + "))" * 40, {"a": 1}) == 1
    assert evaluate("true ? (" * 90 + "7" + ")" * 90) == 7


DEEP = {
    "objects": ("{'a': " * 150 + "7" + "}" * 150).replace("7", "$states.input.a"),
    "arrays": "$count(" + "[" * 150 + "]" * 150 + ")",
    "steps": "$states.input.(" * 110 + "a" + ")" * 110,
    "conditions": "true ? (" * 110 + "1" + ")" * 110,
    "groupings": "$states.input{'k': " * 60 + "a" + "}" * 60,
    "sorts": "$states.input^(a, (" * 60 + "a" + "))" * 60 + ".a",
    "filters": "$states.input[a = " * 90 + "1" + "].a" * 90,
    "lambdas": "(function(){" * 80 + "1" + "})()" * 80,
    "loops": "$map(1, function($i) { 0 + " * 80 + "$i" + "})" * 80,
    "calls": "$abs(" * 150 + "1" + ")" * 150,
    "operators": "+".join(["1"] * 200) + " - 199",
    "texts": "$length(" + "&".join(["'x'"] * 200) + ") - 199",
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_accepted_is_not_too_deep_to_be_generated(name: str) -> None:
    value = evaluate(DEEP[name], {"a": 1})
    while isinstance(value, dict):
        [value] = value.values()
    assert value == 1


HOSTILE = ["'", '"', "\\", "\n", "'''", "{x}", "\x00", "\u2028", "\U0001f600", "__import__('os')", "None", "#"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_texts_stay_what_they_are(name: str) -> None:
    quoted = f"`{name}`"
    row = {name: 5}
    assert evaluate(f"$states.input.{quoted}", row) == 5
    assert evaluate(f"$sum($states.input.rows.({quoted} + 0))", {"rows": [row, row]}) == 10
    assert evaluate(f"{{{_text(name)}: 1, 'x': {_text(name)}}}") == {name: 1, "x": name}
    assert evaluate(f"$states.input.rows[{quoted} = 5].{quoted}", {"rows": [row]}) == 5


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_only_what_is_written_here_gets_into_the_code() -> None:
    text = "$map($states.input.`import os`, function($os) { $os & 'eval' & $uppercase($os.`__class__`) })"
    names = {node.id for node in ast.walk(ast.parse(compile_jsonata(text).source)) if isinstance(node, ast.Name)}
    assert not names & {"import", "os", "eval", "__class__"}
    assert RUNTIME["__builtins__"] == {}


NAMED = {
    "$sift({'a': 1}, function($v) { function($p)<n:n>{1}('x') })": 'Argument 1 of function "sift"',
    "$map([1], function($v) { (function($p)<n:n>{1})('x') + 1 })": 'Argument 1 of function "map"',
    "($f := function($p)<n:n>{1}; $map([1], function($v) { $f('x') }))": 'Argument 1 of function "f"',
    "$map([1], function($v) { $uppercase() })": 'argument 1 of function "uppercase"',
    "$reduce([1], function($a, $b) { 1 }, $sum)": 'Argument 3 of function "reduce"',
    "$formatNumber(1, '0', {'digit': '##'})": 'Argument 3 of function "formatNumber"',
    "$map([1], function($v) { $v + 'x' })": 'right side of the "+" operator',
}


@pytest.mark.parametrize("text", NAMED)
def test_an_error_names_the_function_it_is_of(text: str) -> None:
    with pytest.raises(JsonataError) as caught:
        evaluate(text)
    assert NAMED[text] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "$map([1..900], function($x) { $x })",
        "$filter([1..900], function($x) { true })",
        "$reduce([1..900], function($a, $x) { $a })",
        "[1..900].($ + 1)",
        "[1..900][$ > 5]",
        "$map([1..450], function($x) { $uppercase('x') })",
    ],
)
def test_each_round_of_a_loop_is_counted(text: str) -> None:
    effort = Effort(10_000)
    evaluate(text, effort=effort)
    assert 1_800 <= 10_000 - effort.left <= 4_000
    with pytest.raises(JsonataError, match="D1012"):
        evaluate(text, steps=1_000)
    with pytest.raises(EffortSpent):
        evaluate(text, effort=Effort(1_000))


def test_a_long_text_counts_in_every_round() -> None:
    data = {"text": "x" * 80_000}
    with pytest.raises(JsonataError, match="D1012"):
        evaluate("$map([1..200], function($i) { $uppercase($states.input.text) })", data, steps=1_000_000)


LITERALS = ["$exists(1)", "$exists('x')", "'a' = 1", "1 in null", "[1][0] and 'x'", "$count(1) > 0 ? 1 : 2"]


@pytest.mark.parametrize("text", LITERALS)
def test_python_has_nothing_to_warn_of(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(text)


def test_a_key_that_is_grouped_is_no_text() -> None:
    with pytest.raises(JsonataError, match="T1003"):
        evaluate("{'a'{'b': 1}: 2}")


SORTED: dict[str, tuple[str, Any]] = {
    "items of the same rank stay in order": ("$states.input^(n).name", ["b", "d", "a", "c"]),
    "... also from the highest to the lowest": ("$states.input^(>n).name", ["a", "c", "b", "d"]),
    "a second term": ("$states.input^(>n, >name).name", ["c", "a", "d", "b"]),
    "what is missing comes last": ("$append($states.input, {'name': 'e'})^(>n).name", ["a", "c", "b", "d", "e"]),
}


@pytest.mark.parametrize("name", SORTED)
def test_items_are_sorted_by_names(name: str) -> None:
    text, names = SORTED[name]
    rows = [{"name": "a", "n": 2}, {"name": "b", "n": 1}, {"name": "c", "n": 2.0}, {"name": "d", "n": 1}]
    assert evaluate(text, rows) == names


@pytest.mark.parametrize(("other", "code"), [("x", "T2007"), (True, "T2008")])
def test_what_cannot_be_compared_is_not_sorted(other: Any, code: str) -> None:
    with pytest.raises(JsonataError, match=code):
        evaluate("$states.input^(n)", [{"n": 1}, {"n": other}])


def test_a_literal_is_no_function() -> None:
    with pytest.raises(JsonataError, match="T1006"):
        evaluate("1()")


def test_the_types_that_are_not_common_are_treated_alike() -> None:
    text = "$map($states.input, function($r) { {'sum': $r.n + 1, 'big': $r.n > 2, 'is': $r.name = 'a'} })"
    assert evaluate(text, ROWS) == [
        {"sum": 4, "big": True, "is": True},
        {"sum": 2.5, "big": False, "is": False},
        {"is": False},
    ]
    with pytest.raises(JsonataError, match="T2010"):
        evaluate("$map($states.input, function($r) { $r.n > 2 })", [{"n": True}])
