"""JSONata: a few hundred expressions, with what the reference implementation makes of them."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonata import Bindings, JsonataError, UnsupportedResult, compile_jsonata
from asl_engine.json_values import MISSING

SUITE = json.loads((Path(__file__).parent / "jsonata_cases.json").read_text(encoding="utf-8"))
INPUT_TEXT = json.dumps(SUITE["input"])


def evaluate(text: str, data: Any = None, variables: dict[str, Any] | None = None, **options: Any) -> Any:
    bindings = Bindings({"input": data}, variables or {}, Random(7), now=1_705_314_030_123, **options)
    return compile_jsonata(text)(bindings)


def outcome(text: str, data: Any) -> dict[str, Any]:
    """What happens, in the form of the cases."""
    try:
        value = evaluate(text, data)
    except ExpressionSyntaxError as error:
        return {"syntax_error": error.message}
    except JsonataError as error:
        return {"error": str(error)}
    except UnsupportedResult:
        return {"function": True}
    return {"nothing": True} if value is MISSING else {"value": value}


def typed(value: Any) -> Any:
    """The value so that true is not 1; numbers are compared by value."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return [typed(item) for item in value]
    return {key: typed(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("case", SUITE["cases"], ids=lambda case: case["expression"][:80])
def test_the_reference_implementation_agrees(case: dict[str, Any]) -> None:
    data = SUITE["input"]
    assert typed({"expression": case["expression"], **outcome(case["expression"], data)}) == typed(case)
    assert json.dumps(data) == INPUT_TEXT


# Where this engine goes its own way, and why.
DEVIATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "a slash after [] divides, it begins no regular expression": ("$count([1])[] / 2", {"value": 0.5}),
    "a slash after a transform divides as well": ("|$|{}| / 2", {"error": "T2001"}),
    "a character beyond U+FFFF is one character": ("$split('\U0001f600x', '')", {"value": ["\U0001f600", "x"]}),
    "... also for the index of a match": ("$match('\U0001f600x', /x/).index", {"value": 1}),
    "... and for a dot": ("$match('\U0001f600', /./).match", {"value": "\U0001f600"}),
    "members keep their order, also those named like numbers": ("$keys({'b': 1, '1': 2})", {"value": ["b", "1"]}),
    "no grouping separator stands at the end of the fraction": (
        "$formatNumber(1.5, '0.###,###')",
        {"value": "1.5"},
    ),
    "irregular groups of the integer part are those of the picture": (
        "$formatNumber(1234, '##,##,##0')",
        {"value": "1,234"},
    ),
    "rounding to more places than there are changes nothing": ("$round(1.5, 1000)", {"value": 1.5}),
    "what is not a time zone is taken for UTC": ("$fromMillis(0, '[H01][Z]', 'x')", {"value": "00+00:00"}),
    "an error within `and` keeps its own operator": (
        "true and 'a' + 1",
        {"error": 'T2001: The left side of the "+" operator must evaluate to a number'},
    ),
    "as a result, infinity is its name": ("[1/0, -1/0]", {"value": ["Infinity", "-Infinity"]}),
    "and so is not-a-number": ("{'k': 0/0}", {"value": {"k": "NaN"}}),
    "the empty regular class matches nothing": ("$contains('a', /[]/)", {"value": False}),
    "... and its inverse everything": ("$contains('\n', /[^]/)", {"value": True}),
    "a grouping of an empty array leaves the array alone": (
        "$states.input.z{'n': $count($)}",
        {"value": {"n": 0}},
    ),
}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_known_deviations(name: str) -> None:
    text, expected = DEVIATIONS[name]
    got = outcome(text, {"z": []})
    assert got.keys() == expected.keys()
    for key, value in expected.items():
        assert str(got[key]).startswith(value) if key == "error" else got[key] == value


SYNTAX_ERRORS = [
    ("1 +", "S0207: Unexpected end of expression", 3),
    ("(1", 'S0203: Expected ")" before end of expression', 2),
    ("[1 2]", 'S0202: Expected "]", got 2', 3),
    ("1 1", "S0201: Syntax error: 1", 2),
    ("1 ! 2", 'S0204: Unknown operator: "!"', 2),
    ("~1", 'S0204: Unknown operator: "~"', 0),
    (") + 1", 'S0211: The symbol ")" cannot be used as a unary operator', 0),
    ("'a\\x'", 'S0103: Unsupported escape sequence: \\"x"', 3),
    ("$match('a', /(/)", "S0302: No terminating / in regular expression", 12),
    ("$match('a', /+/)", "S0303: Invalid regular expression", 12),
    ("$match('a', /(a{1000}){1000}/)", "S0303: Invalid regular expression: its counted repetitions", 12),
    ("function($a)<n<n>>{$a}", "S0401: Type parameters can only be applied to functions and arrays", 14),
    ("function($a)<(sa<n>)>{$a}", "S0402: Choice groups containing parameterized types", 13),
    ("(" * 5000 + "1" + ")" * 5000, "The expression is nested too deeply", None),
]


@pytest.mark.parametrize(("text", "message", "position"), SYNTAX_ERRORS, ids=lambda value: str(value)[:40])
def test_syntax_errors_say_where(text: str, message: str, position: int | None) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_jsonata(text)
    assert caught.value.message.startswith(message)
    assert caught.value.position == position


def test_there_is_no_eval() -> None:
    with pytest.raises(JsonataError, match="T1006: Attempted to invoke a non-function"):
        evaluate("$eval('1')")
    assert evaluate("($eval := function($x) { $x }; $eval(1))") == 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("phone", [("phone", True)]),
        ("phone.number", [("phone", True)]),
        ("'phone'", []),
        ("'phone'.number", [("phone", True)]),
        ("a + $f(b, [c]) & (d ? e : {f: g}) & -h", [(name, True) for name in "afbcdegh"]),
        ("$states.input.phone", []),
        ("$states.input.phones[kind = 'home' and $$.x].number", [("$$", False)]),
        ("$states.input.(a + b).c{d: e}", []),
        ("$states.input.a@$v#$i[d]^(b, >c)", []),
        ("$items[price > limit]", []),
        ("$items{kind: $sum(price)}", []),
        ("$states.input ~> |a.b|{'c': d}, 'e'|", []),
        ("|a|{'b': c}|", []),
        ("$map($items, function($i) { $i.price * factor })", [("factor", True)]),
        ("a[b].c", [("a", True)]),
        ("a[b][c]", [("a", True)]),
        ("f(1)", [("f", True)]),
        ("$$", [("$$", False)]),
        ("$ & $x", []),
    ],
)
def test_references_to_nothing(text: str, names: list[tuple[str, bool]]) -> None:
    assert sorted(compile_jsonata(text).out_of_place) == sorted(names)


def test_variables_come_from_outside_and_hide_functions() -> None:
    assert evaluate("$count + 1", variables={"count": 41}) == 42
    with pytest.raises(JsonataError, match="T1006"):
        evaluate("$count([1])", variables={"count": 41})


def test_names_of_any_script_are_told_apart() -> None:
    assert evaluate("($a² := 1; $ﬁ := 2; $fi := 3; [$a², $ﬁ, $fi])") == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$states.input.a + $count($items)", {"states", "items"}),
        ("($x := 1; $x + $y)", {"y"}),
        ("$map($items, function($i) { $i * $factor })", {"items", "factor"}),
        ("a@$v#$i.b[$v = $i]", set()),
        ("a[b]#$j.{'j': $j, 'k': $k}", {"k"}),
        ("$ & $$ & $sum(1)", set()),
        ("|$|{'a': $u}, $d|", {"u", "d"}),
        ("$states^($t)", {"states", "t"}),
    ],
)
def test_free_variables(text: str, names: set[str]) -> None:
    assert compile_jsonata(text).variables == names


def test_compiled_expressions_are_kept() -> None:
    assert compile_jsonata("1 + 41") is compile_jsonata("1 + 41")


def test_values_pass_through_unchanged() -> None:
    data = {"whole": 1.0, "huge": 10**30, "half": "\ud800", "deep": [{"a": [1.0]}]}
    assert evaluate("$states.input", data) is data
    assert evaluate("$states.input.deep", data) is data["deep"]
    assert evaluate("{'x': $states.input}", data)["x"] is data
    assert repr(evaluate("$states.input.whole", data)) == "1.0"
    assert evaluate("$states.input.huge", data) == 10**30


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.5 + 1.5", "3"), ("10 / 4", "2.5"), ("1e20 * 1", "100000000000000000000"), ("1e21 * 1", "1e+21"),
        ("9007199254740991 + 1", "9007199254740992"), ("9007199254740992 + 1", "9007199254740992"),
        ("0 * -1", "0"), ("3 % 2", "1"), ("-7 % 3", "-1"), ("0.1 + 0.2", "0.30000000000000004"),
    ],
)  # fmt: skip
def test_numbers_are_doubles_and_whole_ones_integers(text: str, shown: str) -> None:
    assert json.dumps(evaluate(text)) == shown


def test_numbers_beyond_doubles_are_infinite() -> None:
    data = {"n": 10**400}
    assert evaluate("$states.input.n * 2", data) == "Infinity"
    assert evaluate("-$states.input.n - 1", data) == "-Infinity"
    with pytest.raises(JsonataError, match="D1001"):
        evaluate("1/0 + 1")
    assert evaluate("$states.input.n & ''", data) == "Infinity"


def test_bindings_without_states() -> None:
    assert compile_jsonata("[$states, $v]")(Bindings(None, {"v": [1]}, Random(1))) == [None, 1]


def test_any_number_of_signatures_is_matched() -> None:
    for kinds in product(["1", "'a'", "true", "[]"], repeat=5):
        assert evaluate(f"$count($zip({', '.join(kinds)}))") in {0, 1}


@pytest.mark.parametrize(
    ("text", "symbol", "position", "instead"),
    [
        ("1 ?? 2", "?", 3, "'??' came with JSONata 2.1, and Step Functions has 2.0.6: write $exists(a) ? a : b"),
        ("0 ?: 2", ":", 3, "'?:' came with JSONata 2.1, and Step Functions has 2.0.6: write a ? a : b"),
        ("$sum([$states.input.a??0])", "?", 22, "write $exists(a) ? a : b"),
        ("{'a': nope ?: 1}", ":", 12, "write a ? a : b"),
    ],
)
def test_the_operators_of_later_versions_are_refused(text: str, symbol: str, position: int, instead: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        evaluate(text)
    assert caught.value.position == position
    assert caught.value.message.startswith(f'S0211: The symbol "{symbol}" cannot be used as a unary operator (')
    assert instead in caught.value.message


@pytest.mark.parametrize("text", ["true ? 1 : 2", "true?1:2", "nope?1:2", "$map(['a'], $contains(?, /(?:a)/))"])
def test_a_condition_is_no_later_operator(text: str) -> None:
    evaluate(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$pad('a', 2.5)", {"error": "D1001: Number out of range: 2.5"}),
        ("$pad('a', -1.5)", {"error": "D1001: Number out of range: -1.5"}),
        ("$pad('abc', 2.5)", {"value": "abc"}),
        ("$pad('abc', -2.5)", {"value": "abc"}),
        ("$pad('a', 3)", {"value": "a  "}),
        # 94,756 milliseconds are more than a minute and a half.
        ("$toMillis('2026-04-08T19:05:04.94756', '[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f1]')",
         {"value": 1_775_675_198_756}),
        ("$toMillis('2026-04-08T19:05:04.5', '[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f1]')",
         {"value": 1_775_675_104_005}),
        ("$toMillis('2026-04-08T19:05:04.94756Z')", {"value": 1_775_675_104_947}),
    ],
)  # fmt: skip
def test_functions_are_those_of_2_0_6(text: str, expected: dict[str, Any]) -> None:
    assert outcome(text, None) == expected
