"""Choice rules: every operator, what does not compare, and what is wrong with a rule."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.choice_rule import OPERATORS, compile_rule
from asl_engine.expressions.scope import Scope


def scope(**data: Any) -> Scope:
    return Scope(data, {"v": 5}, lambda: {"State": {"RetryCount": 2}})


def rule_of(source: dict[str, Any]) -> Any:
    findings: list[tuple[str, str]] = []
    rule = compile_rule(source, lambda place, message: findings.append((place, message)))
    assert findings == []
    return rule


def test_the_operators_of_the_specification() -> None:
    orders = ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"]
    compared = {f"{kind}{order}" for kind in ("String", "Numeric", "Timestamp") for order in orders}
    compared.add("BooleanEquals")
    tests = {"StringMatches", "IsBoolean", "IsNull", "IsNumeric", "IsPresent", "IsString", "IsTimestamp"}
    expected = compared | {f"{name}Path" for name in compared} | tests
    assert len(expected) == 39
    assert set(OPERATORS) == expected | {"And", "Or", "Not"}


# Values of each type in ascending order; those on one line are equal.
ASCENDING: dict[str, list[list[Any]]] = {
    "String": [[""], ["A"], ["AB"], ["B"], ["a"], ["\U00010000"], ["\uffee"]],  # by UTF-16 unit, as in Java
    "Numeric": [[-1.5], [0, 0.0, -0.0], [1, 1.0], [2**53], [2**53 + 1], [1e300]],
    "Timestamp": [
        ["2012-10-09T19:00:55Z", "2012-10-09T20:00:55+01:00", "2012-10-09T19:00:55.000Z"],
        ["2012-10-09T19:00:55.000000001Z"],
        ["2012-10-09T19:00:55.1Z", "2012-10-09T19:00:55.100Z"],
    ],
}
HOLDS = {
    "Equals": lambda difference: difference == 0,
    "LessThan": lambda difference: difference < 0,
    "LessThanEquals": lambda difference: difference <= 0,
    "GreaterThan": lambda difference: difference > 0,
    "GreaterThanEquals": lambda difference: difference >= 0,
}


@pytest.mark.parametrize("kind", ASCENDING)
@pytest.mark.parametrize("order", HOLDS)
def test_comparisons(kind: str, order: str) -> None:
    ranked = [(rank, value) for rank, values in enumerate(ASCENDING[kind]) for value in values]
    by_path = rule_of({"Variable": "$.x", f"{kind}{order}Path": "$.y"})
    for (rank_x, x), (rank_y, y) in itertools.product(ranked, ranked):
        expected = HOLDS[order](rank_x - rank_y)
        by_literal = rule_of({"Variable": "$.x", f"{kind}{order}": y})
        assert by_literal(scope(x=x)) is expected, (x, y)
        assert by_path(scope(x=x, y=y)) is expected, (x, y)


@pytest.mark.parametrize("x", [True, False])
@pytest.mark.parametrize("y", [True, False])
def test_boolean_equals(x: bool, y: bool) -> None:
    assert rule_of({"Variable": "$.x", "BooleanEquals": y})(scope(x=x)) is (x is y)
    assert rule_of({"Variable": "$.x", "BooleanEqualsPath": "$.y"})(scope(x=x, y=y)) is (x is y)


SAMPLES: dict[str, Any] = {
    "String": "text",
    "Numeric": 1,
    "Timestamp": "2012-10-09T19:00:55Z",
    "Boolean": True,
}
OTHERS: dict[str, list[Any]] = {
    "String": [None, 1, True, [], {}, ["text"]],
    "Numeric": [None, "1", True, [], {}, [1]],
    "Timestamp": [None, 1, True, "text", "2012-10-09", "2012-10-09T19:00:55", []],
    "Boolean": [None, 1, 0, "true", [], {}],
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_values_of_another_type_never_compare(kind: str) -> None:
    sample = SAMPLES[kind]
    for order, other in itertools.product(["Equals"] if kind == "Boolean" else HOLDS, OTHERS[kind]):
        assert not rule_of({"Variable": "$.x", f"{kind}{order}": sample})(scope(x=other))
        by_path = rule_of({"Variable": "$.x", f"{kind}{order}Path": "$.y"})
        assert not by_path(scope(x=other, y=sample))
        assert not by_path(scope(x=sample, y=other))
        assert not by_path(scope(x=other, y=other))


TYPE_TESTS = {"IsNull", "IsBoolean", "IsNumeric", "IsString", "IsTimestamp", "IsPresent"}
TYPES: list[tuple[Any, set[str]]] = [
    (None, {"IsNull"}),
    (True, {"IsBoolean"}),
    (False, {"IsBoolean"}),
    (0, {"IsNumeric"}),
    (1, {"IsNumeric"}),
    (0.0, {"IsNumeric"}),
    (-1.5, {"IsNumeric"}),
    ("", {"IsString"}),
    ("text", {"IsString"}),
    ("2012-10-09T19:00:55", {"IsString"}),
    ("2012-10-09T19:00:55Z", {"IsString", "IsTimestamp"}),
    ("2012-10-09T19:00:55+01:00", {"IsString", "IsTimestamp"}),
    ([], set()),
    ([1], set()),
    ({}, set()),
    ({"a": None}, set()),
]


@pytest.mark.parametrize(("value", "holding"), TYPES)
@pytest.mark.parametrize("expected", [True, False])
def test_type_tests(value: Any, holding: set[str], expected: bool) -> None:
    for name in TYPE_TESTS:
        holds = name in holding or name == "IsPresent"
        assert rule_of({"Variable": "$.x", name: expected})(scope(x=value)) is (holds is expected), name


def test_absent_is_not_null() -> None:
    assert rule_of({"Variable": "$.x", "IsPresent": False})(scope())
    assert not rule_of({"Variable": "$.x", "IsPresent": True})(scope())
    assert not rule_of({"Variable": "$.x", "IsPresent": False})(scope(x=None))


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("log-*.txt", ["log-.txt", "log-a.txt", "log-\n.txt"], ["log-a.txt2", "xlog-a.txt", "log-txt", 1, None]),
        ("*", ["", "anything"], []),
        ("", [""], ["a"]),
        ("abc", ["abc"], ["abcd", "ab", "aabc"]),
        ("a*b*c", ["abc", "a--b--c", "abbc"], ["acb", "ab", "ac", "aXc"]),
        ("a**b", ["ab", "a*b"], ["a"]),
        ("*b*b*", ["bb", "abcb"], ["b", "abc"]),
        ("ab*ba", ["abba"], ["aba"]),
        (r"a\*b", ["a*b"], ["ab", r"a\*b", "axb"]),
        (r"a\\*b", ["a\\b", "a\\xb"], ["ab", "a*b"]),
        (r"a\b", [r"a\b"], ["ab"]),
        ("a\\", ["a\\"], ["a"]),
        ("a.c[0]?", ["a.c[0]?"], ["abc[0]?"]),
    ],
)
def test_string_matches(pattern: str, matching: list[Any], others: list[Any]) -> None:
    rule = rule_of({"Variable": "$.x", "StringMatches": pattern})
    assert [rule(scope(x=value)) for value in matching] == [True] * len(matching)
    assert [rule(scope(x=value)) for value in others] == [False] * len(others)


X, Y = {"Variable": "$.x", "BooleanEquals": True}, {"Variable": "$.y", "BooleanEquals": True}


@pytest.mark.parametrize("x", [True, False])
@pytest.mark.parametrize("y", [True, False])
def test_and_or_not(x: bool, y: bool) -> None:
    data = scope(x=x, y=y)
    assert rule_of({"And": [X, Y]})(data) is (x and y)
    assert rule_of({"Or": [X, Y]})(data) is (x or y)
    assert rule_of({"Not": X})(data) is (not x)
    assert rule_of({"Or": [{"Not": {"Or": [X, Y]}}, {"And": [X, {"Comment": "both", **Y}]}]})(data) is (x is y)


def test_and_or_look_no_further_than_they_need() -> None:
    absent = {"Variable": "$.absent", "IsNull": True}
    assert rule_of({"Or": [X, absent]})(scope(x=True))
    assert not rule_of({"And": [X, absent]})(scope(x=False))


@pytest.mark.parametrize("path", ["$v", "$$.State.RetryCount", "$.deep.list[0]"])
def test_what_a_variable_can_be(path: str) -> None:
    rule = rule_of({"Variable": path, "NumericGreaterThanPath": "$.y", "Next": "S", "Comment": "c", "Assign": {}})
    assert rule(scope(deep={"list": [3]}, y=1))


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ({"Variable": "$.absent", "StringEquals": "a"}, "$.absent"),
        ({"Variable": "$.absent", "StringMatches": "a"}, "$.absent"),
        ({"Variable": "$.absent.deep", "IsNull": True}, "$.absent.deep"),
        ({"Variable": "$w", "IsString": False}, "$w"),
        ({"Variable": "$.x", "NumericEqualsPath": "$.absent"}, "$.absent"),
        ({"Not": {"Variable": "$.absent", "NumericEquals": 1}}, "$.absent"),
    ],
)
def test_a_path_that_leads_nowhere(source: dict[str, Any], path: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        rule_of(source)(scope(x=1))
    assert caught.value.error == "States.Runtime"
    assert caught.value.detail == (
        f"Invalid path '{path}': The choice state's condition path references an invalid value."
    )


ONE = "A Choice rule must have exactly one operator, but there "
NO_OPERATOR = "The field '{}' is not supported: it is no operator of a Choice rule"
REFUSED: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({}, [("", f"{ONE}is none")]),
    ({"Variable": "$.x", "Next": "S"}, [("", f"{ONE}is none")]),
    (
        {"Variable": "$.x", "IsNull": True, "IsString": True},
        [("", f"{ONE}are IsNull, IsString")],
    ),
    (
        {"Variable": "$.x", "StringEqual": "a"},
        [
            (
                "/StringEqual",
                f"{NO_OPERATOR.format('StringEqual')}; did you mean 'StringEquals'?",
            ),
            ("", f"{ONE}is none"),
        ],
    ),
    (
        {"Variable": "$.x", "IsNull": True, "Condition": "{% true %}"},
        [("/Condition", "The field 'Condition' is not supported: it is no operator of a Choice rule")],
    ),
    ({"StringEquals": "a"}, [("", "The operator StringEquals requires the field 'Variable'")]),
    ({"IsPresent": True}, [("", "The operator IsPresent requires the field 'Variable'")]),
    (
        {"StringMatches": 1},
        [
            ("", "The operator StringMatches requires the field 'Variable'"),
            ("/StringMatches", "Expected a String"),
        ],
    ),
    ({"StringMatches": "a"}, [("", "The operator StringMatches requires the field 'Variable'")]),
    ({"Variable": 1, "IsNull": True}, [("/Variable", "Expected value of type String")]),
    ({"Variable": "x", "IsNull": True}, [("/Variable", "A path begins with $\n  x\n  ^")]),
    ({"Variable": "$.x[*]", "IsNull": True}, [("/Variable", "Value is not a Reference Path: $.x[*]")]),
    ({"Variable": "$.x", "StringEquals": 1}, [("/StringEquals", "Expected a String")]),
    ({"Variable": "$.x", "StringLessThan": None}, [("/StringLessThan", "Expected a String")]),
    ({"Variable": "$.x", "NumericEquals": "1"}, [("/NumericEquals", "Expected a Number")]),
    ({"Variable": "$.x", "NumericEquals": True}, [("/NumericEquals", "Expected a Number")]),
    ({"Variable": "$.x", "BooleanEquals": "true"}, [("/BooleanEquals", "Expected a Boolean")]),
    (
        {"Variable": "$.x", "TimestampEquals": "2023-02-24"},
        [("/TimestampEquals", "Expected a timestamp such as 2016-03-14T01:59:00Z")],
    ),
    ({"Variable": "$.x", "IsNull": "true"}, [("/IsNull", "Expected a Boolean")]),
    ({"Variable": "$.x", "IsPresent": 1}, [("/IsPresent", "Expected a Boolean")]),
    ({"Variable": "$.x", "StringEqualsPath": 1}, [("/StringEqualsPath", "Expected value of type String")]),
    (
        {"Variable": "$.", "StringEqualsPath": "$"},
        [("/Variable", "Expected a name (one with blanks or brackets goes into ['...'])\n  $.\n    ^")],
    ),
    ({"And": []}, [("/And", "Expected a non-empty array of Choice rules")]),
    ({"Or": X}, [("/Or", "Expected a non-empty array of Choice rules")]),
    ({"And": [1]}, [("/And[0]", "Expected value of type Object")]),
    ({"Not": [X]}, [("/Not", "Expected value of type Object")]),
    ({"Not": X, "Variable": "$.x"}, [("/Variable", "The field 'Variable' is not supported beside Not")]),
    ({"And": [X], "Variable": "$.x"}, [("/Variable", "The field 'Variable' is not supported beside And")]),
    (
        {"And": [X, {"Not": {**X, "Next": "S"}}, {"Or": [{"Variable": "$.x"}]}]},
        [
            ("/And[1]/Not/Next", "The field 'Next' is not supported in a rule within And, Or or Not"),
            ("/And[2]/Or[0]", f"{ONE}is none"),
        ],
    ),
]


@pytest.mark.parametrize(("source", "expected"), REFUSED)
def test_everything_that_is_wrong_is_reported(source: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    findings: list[tuple[str, str]] = []
    assert compile_rule(source, lambda place, message: findings.append((place, message))) is None
    assert findings == expected
