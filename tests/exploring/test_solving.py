"""What has to be given for a rule, and what can be proved of rules without running anything."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.exploring.formulas import solve
from asl_engine.exploring.given_errors import why_never
from asl_engine.exploring.proving import dead_names, dead_rules
from asl_engine.exploring.rules import DEFAULT, choice_rules
from asl_engine.exploring.term_scope import TermScope
from asl_engine.exploring.terms import (
    ConstantTerm,
    GivenPlace,
    GivenTerm,
    MergedTerm,
    ObjectTerm,
    PutTerm,
    looked_up,
    walked,
    written,
)
from asl_engine.json_values import MISSING
from asl_engine.language.tree import StateSource, all_states
from tests.testing.machines import ASK, PACK, SEND, machine, task


def state_of(*rules: dict[str, Any], language: str = "JSONPath", **fields: Any) -> StateSource:
    choices = [{**rule, "Next": "End"} for rule in rules]
    choice = {"Type": "Choice", "Choices": choices, "Default": "End", **fields}
    document = {"QueryLanguage": language, **machine(Choice=choice, End={"Type": "Succeed"})}
    return next(iter(all_states(document)))


def on(variable: str, operator: str, operand: Any) -> dict[str, Any]:
    return {"Variable": variable, operator: operand}


def both(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"And": [*rules]}


def when(condition: str) -> dict[str, Any]:
    return {"Condition": f"{{% {condition} %}}"}


# The last rule is the one sought; all before it must not match.
SOLVED: dict[str, list[dict[str, Any]]] = {
    "equals": [on("$.a.b", "StringEquals", "x")],
    "a gap between two numbers": [both(on("$.n", "NumericGreaterThan", 3), on("$.n", "NumericLessThan", 4))],
    "behind another": [on("$.n", "NumericGreaterThan", 3), on("$.n", "NumericGreaterThan", 2)],
    "no text": [both({"Not": on("$.a", "IsString", True)}, on("$.a", "IsPresent", True))],
    "absent": [on("$.a", "IsPresent", False)],
    "null": [on("$.a", "IsNull", True)],
    "a pattern": [on("$.a", "StringMatches", "log-*.txt")],
    "a narrower pattern first": [on("$.a", "StringMatches", "log-*.txt"), on("$.a", "StringMatches", "log-*")],
    "a timestamp": [on("$.t", "TimestampGreaterThan", "2024-02-29T12:00:00Z")],
    "is a timestamp": [on("$.t", "IsTimestamp", True)],
    "two places": [on("$.a", "NumericGreaterThanPath", "$.b")],
    "two places and a number": [
        both(on("$.a", "NumericGreaterThanPath", "$.b"), on("$.b", "NumericGreaterThan", 99))
    ],
    "an item": [on("$.rows[1].id", "NumericEquals", 7)],
    "of or": [
        on("$.a", "StringEquals", "x"),
        {"Or": [on("$.a", "StringEquals", "x"), on("$.a", "StringEquals", "y")]},
    ],
    "an order of texts": [both(on("$.a", "StringGreaterThan", "m"), on("$.a", "StringLessThan", "n"))],
}
SOLVED_JSONATA: dict[str, list[str]] = {
    "and": ["$states.input.a = 'x' and $states.input.n > 3"],
    "count": ["$count($states.input.rows[status = 'bad']) > 2"],
    "sum": ["$sum($states.input.rows.(price * n)) > 100"],
    "text": ["$uppercase($states.input.a) = 'GO'"],
    "in": ["$states.input.a in ['x', 'y']", "$states.input.a != 'z' and $exists($states.input.a)"],
    "a variable of its own": ["($n := $states.input.n; $n * 2 = 14)"],
    "regex": ["$contains($states.input.a, /^ab+\\d/)"],
    "not": ["$not($states.input.done)"],
    "substring": ["$substring($states.input.a, 0, 3) = 'ord'"],
    "a condition": ["($states.input.kind = 'a' ? $states.input.n : $states.input.m) >= 12"],
}


@pytest.mark.parametrize("rules", SOLVED.values(), ids=SOLVED)
def test_solved(rules: list[dict[str, Any]]) -> None:
    check_solved(state_of(*rules))


@pytest.mark.parametrize("conditions", SOLVED_JSONATA.values(), ids=SOLVED_JSONATA)
def test_solved_in_jsonata(conditions: list[str]) -> None:
    check_solved(state_of(*map(when, conditions), language="JSONata"))


def check_solved(state: StateSource) -> None:
    """The engine's own test of the rule agrees with what was found."""
    context = ObjectTerm({})
    rules = choice_rules(state.source, TermScope(state.language, GivenTerm(GivenPlace("input")), {}, context))
    wanted = len(rules.formulas) - 1
    found = solve(rules.needed(wanted), {"input": {}}, lambda docs: rules.outcome(docs) == wanted)
    assert found.docs is not None
    assert rules.outcome(found.docs) == wanted


X, Y = on("$.a", "StringEquals", "x"), on("$.a", "StringEquals", "y")
DEAD: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    "twice the same": ([X, X], {"Choices[1]": "Choices[0] matches all that it would match"}),
    "two values at once": ([both(X, Y)], {"Choices[0]": "it contradicts itself"}),
    "less than what was more": (
        [on("$.n", "NumericGreaterThan", 1), on("$.n", "NumericGreaterThan", 5)],
        {"Choices[1]": "Choices[0] matches all that it would match"},
    ),
    "between two numbers the wrong way round": (
        [both(on("$.n", "NumericGreaterThan", 5), on("$.n", "NumericLessThan", 5))],
        {"Choices[0]": "it contradicts itself"},
    ),
    "a wider pattern first": (
        [on("$.a", "StringMatches", "log-*"), on("$.a", "StringMatches", "log-*.txt")],
        {"Choices[1]": "Choices[0] matches all that it would match"},
    ),
    "of two together": (
        [on("$.a", "IsPresent", True), on("$.a", "IsPresent", False), X],
        {"Choices[2]": "Choices[0] matches all that it would match", "Default": "one of the rules always matches"},
    ),
    "a text that is a number": (
        [both(on("$.a", "IsNumeric", True), X)],
        {"Choices[0]": "it contradicts itself"},
    ),
    "nothing wrong": ([X, Y, on("$.a", "IsString", True)], {}),
    "what lies between two patterns is not known": (
        [both(on("$.a", "StringMatches", "a*"), on("$.a", "StringMatches", "*z"))],
        {},
    ),
    "what two places have in common": (
        [both(on("$.a", "NumericGreaterThanPath", "$.b"), on("$.a", "NumericLessThanPath", "$.b"))],
        {"Choices[0]": "it contradicts itself"},
    ),
}


@pytest.mark.parametrize(("rules", "dead"), DEAD.values(), ids=DEAD)
def test_proved(rules: list[dict[str, Any]], dead: dict[str, str]) -> None:
    assert dead_rules(state_of(*rules)) == dead


@pytest.mark.parametrize(
    ("conditions", "dead"),
    [
        (["$states.input.n > 5 and $states.input.n < 3"], {"Choices[0]"}),
        (["$n >= 5", "$n > 7"], {"Choices[1]"}),
        (["$n >= 5", "$n > 3"], set()),
        (["$count($states.input.rows) > 1 and $count($states.input.rows) < 1"], set()),  # no comparison of a place
    ],
)
def test_proved_in_jsonata(conditions: list[str], dead: set[str]) -> None:
    assert dead_rules(state_of(*map(when, conditions), language="JSONata")).keys() == dead


def test_a_default_without_a_way_is_told() -> None:
    rules = [on("$.a", "IsPresent", True), on("$.a", "IsPresent", False)]
    assert DEFAULT < 0
    assert dead_rules(state_of(*rules)) == {"Default": "one of the rules always matches"}


# -- errors -------------------------------------------------------------------------------------------

TIMED: Any = {"TimeoutSeconds": 5}
NEVER: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "a function may fail with any name": (task(), "Mine", None),
    "a worker too": (task(PACK), "Mine", None),
    "whoever answers too": (task(ASK), "Mine", None),
    "a service may not": (task(SEND), "Mine", "begin with SQS"),
    "its own": (task(SEND), "SQS.AmazonSQSException", None),
    "of another service": (task(SEND), "DynamoDB.AmazonDynamoDBException", "begin with SQS"),
    "no timeout": (task(), "States.Timeout", "99,999,999 seconds"),
    "a timeout": (task(**TIMED), "States.Timeout", None),
    "no heartbeat": (task(**TIMED), "States.HeartbeatTimeout", "no HeartbeatSeconds"),
    "what nothing catches": (task(), "States.Runtime", "no Catch is asked"),
    "a misspelt name": (task(), "States.TaskFail", "did you mean 'States.TaskFailed'"),
    "all": (task(SEND), "States.ALL", None),
}


@pytest.mark.parametrize(("source", "name", "why"), NEVER.values(), ids=NEVER)
def test_errors_that_never_come(source: dict[str, Any], name: str, why: str | None) -> None:
    found = why_never(name, next(iter(all_states(machine(Work=source)))))
    assert (found is None) is (why is None)
    assert why is None or why in str(found)


def test_errors_of_what_is_within() -> None:
    inner = machine(Send=task(SEND), Stop={"Type": "Fail", "Error": "Stopped"})
    each = {"Type": "Map", "ItemProcessor": inner, "End": True}
    state = next(iter(all_states(machine(Each=each))))
    assert why_never("Mine", state) is not None
    assert why_never("Stopped", state) is None
    assert why_never("States.ExceedToleratedFailureThreshold", state) is None


def test_entries_behind_others() -> None:
    catchers = [
        {"ErrorEquals": [*names], "Next": "X"} for names in (["A"], ["A", "B"], ["States.TaskFailed"], ["C"])
    ]
    state = next(iter(all_states(machine(Work=task(Catch=catchers)))))
    assert [(one.field, one.entry, one.name, one.why) for one in dead_names(state)] == [
        ("Catch", 1, "A", "Catch[0] takes it first"),
        ("Catch", 3, "C", "Catch[2] takes it first"),
    ]


# -- terms --------------------------------------------------------------------------------------------

INPUT = GivenTerm(GivenPlace("input"))


def test_a_place_that_is_not_there_can_be_written() -> None:
    place = walked(INPUT, ["a", 1, "b"])
    assert isinstance(place, GivenTerm)
    docs = written({"input": {"c": 1}}, {place.place: 5})
    assert docs == {"input": {"c": 1, "a": [None, {"b": 5}]}}
    assert looked_up(docs, place.place) == 5
    assert written(docs, {place.place: MISSING})["input"] == {"c": 1, "a": [None, {}]}
    assert place.place.text == "$.a[1].b"


def test_a_member_of_all_items() -> None:
    docs = written({"input": {"rows": [{}, {"p": 1}]}}, {GivenPlace("input", ("rows", "p")): 2})
    assert docs == {"input": {"rows": [{"p": 2}, {"p": 2}]}}


def test_what_is_put_together_is_taken_apart() -> None:
    put = PutTerm(INPUT, ("r", "s"), ObjectTerm({"x": GivenTerm(GivenPlace("Work#0", ("y",)))}))
    assert walked(put, ["r", "s", "x"]).places() == {GivenPlace("Work#0", ("y",))}
    assert walked(put, ["r", "t"]).places() == {GivenPlace("input", ("r", "t"))}
    assert put.value({"input": {"r": {"t": 1}}, "Work#0": {"y": 2}}) == {"r": {"t": 1, "s": {"x": 2}}}
    merged = MergedTerm([INPUT, ObjectTerm({"a": ConstantTerm(1)})])
    assert merged.at("a").value({"input": {"a": 0}}) == 1
    assert merged.at("b").places() == {GivenPlace("input", ("b",))}
    assert merged.value({"input": {"a": 0, "b": 2}}) == {"a": 1, "b": 2}
