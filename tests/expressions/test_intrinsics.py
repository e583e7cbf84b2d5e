"""The grammar of intrinsic functions, and how a call fails."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.effort import Effort, EffortSpent
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.intrinsics.calls import MAX_DEPTH, compile_intrinsic
from asl_engine.expressions.scope import Scope

if TYPE_CHECKING:
    from asl_engine.json_values import Json

DATA: Json = {
    "a": "x",
    "i": 41,
    "empty": None,
    "with, comma": 1,
    "with) parenthesis": 2,
    "it's": 3,
    "items": [{"n": 1, "s": "a,b"}, {"n": 2, "s": "c)d"}],
}


def scope(data: Json = DATA) -> Scope:
    context: Json = {"Execution": {"Name": "run"}}
    return Scope(data, {"var": {"b": [10, 20]}, "nothing": None}, lambda: context, lambda: Random(1))


def evaluate(text: str) -> Json:
    return compile_intrinsic(text)(scope())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.Array()", []),
        ("States.Array( )", []),
        ("States.Array(1)  \n", [1]),
        ("States.Array( $.a ,\t$.i,\n'z' )", ["x", 41, "z"]),
        ("States.Array($.a,$.i)", ["x", 41]),
        ("States.Array(true, false, null)", [True, False, None]),
        ("States.Array(0, -1, 2.50, 1e3, -0.5E-1)", [0, -1, 2.5, 1000.0, -0.05]),
        ("States.Array('')", [""]),
        (r"States.Array('\'', '\{\}', '\\', '\\\'')", ["'", "{}", "\\", "\\'"]),
        ("States.Array('(a, b) $.c {}', 'line\nbreak \"q\"')", ["(a, b) $.c {}", 'line\nbreak "q"']),
        ("States.Array($, $$.Execution.Name, $var.b[1])", [DATA, "run", 20]),
        ("States.Array($.empty, $nothing)", [None, None]),
        ("States.Array($['with, comma'], $[\"with) parenthesis\"], $['it\\'s'])", [1, 2, 3]),
        ("States.Array($.items[?(@.n == 2)].s, $.items[0,1].n)", [["c)d"], [1, 2]]),
        ("States.Array($.items[?(@.s == 'a,b')].n)", [[1]]),
        ("States.Array(States.Array(States.MathAdd($.i, 1)), 'end')", [[42], "end"]),
    ],
)
def test_arguments(text: str, value: Json) -> None:
    result = evaluate(text)
    assert result == value
    assert repr(result) == repr(value)  # 1, 1.0 and True are equal in Python


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("States.Nope(1)", "There is no intrinsic function States.Nope", 0),
        ("States.format('a')", "There is no intrinsic function States.format", 0),
        ("States.Array(1, Math.Add(1, 2))", "There is no intrinsic function Math.Add", 16),
        ("States.UUID", "Expected the call", 0),
        ("States.UUID ()", "Expected the call", 0),
        ("", "Expected the call", 0),
        (" States.UUID()", "Expected the call", 0),
        ("States.UUID(1)", "States.UUID takes 0 arguments, and is given 1", 0),
        ("States.Format()", "States.Format takes at least 1 argument, and is given 0", 0),
        ("States.MathAdd(1)", "States.MathAdd takes 2 arguments, and is given 1", 0),
        ("States.MathRandom(1)", "States.MathRandom takes 2 to 3 arguments, and is given 1", 0),
        ("States.MathRandom(1, 2, 3, 4)", "and is given 4", 0),
        ("States.Array(States.ArrayLength($.a, 1))", "States.ArrayLength takes 1 argument, and is given 2", 13),
        ("States.Array('abc", "The string is not closed", 13),
        ("States.Array('abc)", "The string is not closed", 13),
        (r"States.Array('ab\nc')", "A backslash escapes", 16),
        ("States.Array('abc\\", "A backslash escapes", 17),
        ("States.Array(1", "Expected ',' or ')'", 14),
        ("States.Array(1 2)", "Expected ',' or ')'", 15),
        ("States.Array(", "Expected a path", 13),
        ("States.Array(1, )", "Expected a path", 16),
        ("States.Array(, 1)", "Expected a path", 13),
        ("States.Array([1])", "Expected a path", 13),
        ("States.Array(abc)", "Expected a path", 13),
        ('States.Array("a")', "Expected a path", 13),
        ("States.Array(1.)", "Expected a path", 13),
        ("States.Array(.5)", "Expected a path", 13),
        ("States.Array(01)", "Expected a path", 13),
        ("States.Array(+1)", "Expected a path", 13),
        ("States.Array(True)", "Expected a path", 13),
        ("States.Array(1, (2))", "Expected the call", 16),
        ("States.Array(1e999)", "too large", 13),
        ("States.UUID() x", "Nothing may follow", 14),
        ("States.StringSplit('a', 'b')[0]", "Nothing may follow", 28),
    ],
)
def test_what_is_refused_when_it_is_loaded(text: str, message: str, position: int) -> None:
    with pytest.raises(ExpressionSyntaxError) as refused:
        compile_intrinsic(text)
    assert message in refused.value.message
    assert refused.value.text == text
    assert refused.value.position == position


def test_an_integer_beyond_what_python_reads_is_refused() -> None:
    with pytest.raises(ExpressionSyntaxError):
        compile_intrinsic(f"States.Array({'9' * 5000})")


@pytest.mark.parametrize("path", ["$.", "$x.y z", "$.a[", "$.a[?(@.b", "$.a\\"])
def test_a_bad_path_is_refused_within_the_text_of_the_call(path: str) -> None:
    text = f"States.Array(1, {path})"
    with pytest.raises(ExpressionSyntaxError) as refused:
        compile_intrinsic(text)
    assert refused.value.text == text
    assert refused.value.position is None or 16 <= refused.value.position <= len(text)


def nested(levels: int) -> str:
    return "States.Array(" * levels + ")" * levels


def test_calls_nest_ten_levels_deep() -> None:
    value = evaluate(nested(MAX_DEPTH))
    for _ in range(MAX_DEPTH - 1):
        assert isinstance(value, list)
        (value,) = value
    assert value == []


def test_calls_do_not_nest_deeper() -> None:
    with pytest.raises(ExpressionSyntaxError) as refused:
        compile_intrinsic(nested(MAX_DEPTH + 1))
    assert refused.value.position == MAX_DEPTH * len("States.Array(")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (
            "States.Format('{}', $.nope)",
            "The JsonPath argument for the field '$.nope' could not be found in the input '{\"a\":[1]}'",
        ),
        (
            "States.Array(1,States.JsonToString( $.a.b ))",
            "The JsonPath argument for the field '$.a.b' could not be found in the input '{\"a\":[1]}'",
        ),
        (
            "States.Array($$.Nope)",
            "The JsonPath argument for the field '$$.Nope' could not be found in the input '{\"Execution\":{}}'",
        ),
        (
            "States.Array($var.c)",
            "The JsonPath argument for the field '$var.c' could not be found in the input '{\"b\":[10,20]}'",
        ),
        ("States.MathAdd('1', 2)", "Invalid arguments in States.MathAdd"),
        ("States.ArrayLength(States.MathAdd(null, 2))", "Invalid arguments in States.MathAdd"),
        ("States.ArrayLength(States.MathAdd(1, 2))", "Invalid arguments in States.ArrayLength"),
        ("States.MathRandom(2, 1)", "Invalid arguments in States.MathRandom"),
        (
            "States.Format('{} {}', 1)",
            "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}",
        ),
    ],
)
def test_a_failure_quotes_the_whole_call(text: str, detail: str) -> None:
    with pytest.raises(EvaluationError) as failed:
        compile_intrinsic(text)(Scope({"a": [1]}, {"var": {"b": [10, 20]}}, lambda: {"Execution": {}}))
    assert failed.value.detail == f"The function '{text}' had the following error: {detail}"
    assert failed.value.error == "States.Runtime"


def test_a_variable_that_is_not_assigned() -> None:
    with pytest.raises(EvaluationError, match=r"^The function 'States\.Array\(\$unknown\.a\)'.*\$unknown"):
        evaluate("States.Array($unknown.a)")


def test_a_value_nested_too_deeply_fails_the_call() -> None:
    deep: Json = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(EvaluationError, match=r"Invalid arguments in States\.Hash"):
        compile_intrinsic("States.Hash($, 'MD5')")(scope(deep))


def test_arguments_are_shared_and_not_changed() -> None:
    items: Json = [{"n": 1}, {"n": 1}]
    result = compile_intrinsic("States.ArrayUnique($)")(scope(items))
    assert items == [{"n": 1}, {"n": 1}]
    assert isinstance(result, list)
    assert isinstance(items, list)
    assert result[0] is items[0]


def test_randomness_is_made_once_and_shared_by_scopes_over_other_data() -> None:
    made: list[Random] = []

    def make() -> Random:
        made.append(Random(7))
        return made[-1]

    outer = Scope({}, {}, dict, make)
    inner = outer.over([]).over(1)
    assert not made
    uuid = compile_intrinsic("States.UUID()")
    assert len({uuid(outer), uuid(inner), uuid(outer.over(2))}) == 3
    assert len(made) == 1


def test_a_scope_without_randomness_says_so() -> None:
    with pytest.raises(LookupError, match="no source of randomness"):
        _ = Scope({}, {}, dict).over(1).random


LONG = [
    "States.ArrayContains($.list, 'x')",
    "States.ArrayPartition($.list, 2)",
    "States.ArrayUnique($.list)",
    "States.ArrayUnique($.nested)",
    "States.Format('{}', $.list)",
    "States.Hash($.list, 'MD5')",
    "States.JsonMerge($.object, $.object, false)",
    "States.JsonToString($.list)",
    "States.StringSplit($.text, ',')",
    "States.StringToJson($.text)",
]


@pytest.mark.parametrize("text", LONG)
def test_what_may_take_long_is_counted_before_it_is_done(text: str) -> None:
    def called(size: int, effort: Effort) -> None:
        numbers: list[Json] = list(range(size))
        data: Json = {
            "list": numbers,
            "nested": [[[numbers]]],
            "object": dict.fromkeys(map(str, numbers)),
            "text": "[" + ",".join(["12345678"] * size) + "]",
        }
        compile_intrinsic(text)(Scope(data, {}, lambda: None, effort=effort))

    effort = Effort(1_000)
    called(100, effort)
    assert 0 < effort.left < 1_000
    with pytest.raises(EffortSpent):
        called(2_000, Effort(1_000))
