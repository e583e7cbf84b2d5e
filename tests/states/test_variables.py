"""Variables: where Assign can stand, what it sees, who sees what it has set, and for how long."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.events import StateExited
from asl_engine.errors import StatesError
from asl_engine.language.loader import check
from asl_engine.limits import Limits
from asl_engine.store.records import Record
from asl_engine.store.sqlite.store import SqliteStore
from tests.core.driver import IDENTITY, drive, history, outcome
from tests.core.steps import Steps, catch, check_steps, each, parallel, retry, same, scope, state, task, wait

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = StatesError("E", "C")
FLAG = {"Variable": "$.flag", "BooleanEquals": True}


def assigned(events: Any) -> list[Any]:
    """What each Assign has set, in order."""
    return [e.assigned.value for e in events if isinstance(e, StateExited) and e.assigned is not None]


ASSIGN = {"Assign": {"x.$": "$", "c": 1}}
CHOICE = state("Choice", Choices=[{**FLAG, "Next": "Z", "Assign": {"rule.$": "$.flag"}}], Default="Z", **ASSIGN)
PLAIN_CHOICE = state("Choice", Choices=[{**FLAG, "Next": "Z"}], Default="Z", **ASSIGN)
Z = state("Pass")

PLACES: list[tuple[str, dict[str, Any], Any, dict[str, Any], Any]] = [
    ("Pass: its result", state("Pass", Result=5, Next="Z", **ASSIGN), 0, {}, {"x": 5, "c": 1}),
    (
        "Pass: its parameters",
        state("Pass", Parameters={"p": 2}, Next="Z", **ASSIGN),
        0,
        {},
        {"x": {"p": 2}, "c": 1},
    ),
    ("Task: its result", task(Next="Z", **ASSIGN), 0, {"S": ["r"]}, {"x": "r", "c": 1}),
    (
        "Task: the selected result, before ResultPath and OutputPath",
        task(Next="Z", ResultSelector={"s.$": "$"}, ResultPath="$.r", OutputPath="$.r.s", **ASSIGN),
        {"a": 1},
        {"S": ["r"]},
        {"x": {"s": "r"}, "c": 1},
    ),
    ("Wait: its input", wait(1, Next="Z", InputPath="$.a", **ASSIGN), {"a": 3}, {}, {"x": 3, "c": 1}),
    ("Choice: the rule's own", CHOICE, {"flag": True}, {}, {"rule": True}),
    ("Choice: the state's, for Default", CHOICE, {"flag": False}, {}, {"x": {"flag": False}, "c": 1}),
    ("Choice: the state's is not for a rule", PLAIN_CHOICE, {"flag": True}, {}, None),
    ("Choice: the state's for Default", PLAIN_CHOICE, {"flag": False}, {}, {"x": {"flag": False}, "c": 1}),
    ("Parallel: its results", parallel(scope(P=Z), Next="Z", **ASSIGN), 7, {}, {"x": [7], "c": 1}),
    (
        "Parallel: its selected results",
        parallel(scope(P=Z), ResultSelector={"s.$": "$[0]"}, ResultPath=None, Next="Z", **ASSIGN),
        7,
        {},
        {"x": {"s": 7}, "c": 1},
    ),
    ("Map: its results", each(scope(P=Z), Next="Z", **ASSIGN), [1, None], {}, {"x": [1, None], "c": 1}),
    (
        "Catch: the error",
        task(Next="Z", Catch=catch("Z", Assign={"e.$": "$.Error", "c.$": "$.Cause"}), **ASSIGN),
        0,
        {"S": [BROKEN]},
        {"e": "E", "c": "C"},
    ),
    ("Catch: the state's is not for it", task(Next="Z", Catch=catch("Z"), **ASSIGN), 0, {"S": [BROKEN]}, None),
    ("an empty one", state("Pass", Next="Z", Assign={}), 0, {}, {}),
    (
        "values that are not true",
        state("Pass", Next="Z", Assign={"a": False, "b": None, "c": 0, "d": "", "e": [], "f": {}}),
        0,
        {},
        {"a": False, "b": None, "c": 0, "d": "", "e": [], "f": {}},
    ),
    (
        "the context object and intrinsic functions",
        state("Pass", Next="Z", Assign={"n.$": "$$.State.Name", "u.$": "States.Format('{}!', $.a)"}),
        {"a": "b"},
        {},
        {"n": "S", "u": "b!"},
    ),
    (
        "templates inside",
        state("Pass", Next="Z", Assign={"deep": {"list": [{"v.$": "$.a"}]}}),
        {"a": 1},
        {},
        {"deep": {"list": [{"v": 1}]}},
    ),
]


@pytest.mark.parametrize(
    ("name", "first", "data", "answers", "expected"), PLACES, ids=[case[0] for case in PLACES]
)
def test_what_assign_sets(name: str, first: dict[str, Any], data: Any, answers: Any, expected: Any) -> None:
    execution, events = drive(scope(S=first, Z=Z), data, answers)
    assert execution.status == "SUCCEEDED", name
    assert assigned(events) == ([] if expected is None else [expected])


def test_assign_sees_the_variables_as_they_were_when_the_state_was_entered() -> None:
    definition = scope(
        A=state("Pass", Assign={"x": 1, "y": 2}, Next="B"),
        B=state("Pass", Assign={"x.$": "$y", "y.$": "$x"}, Next="C"),
        C=state("Pass", Parameters={"x.$": "$x", "y.$": "$y"}),
    )
    assert outcome(drive(definition)[0]) == ("SUCCEEDED", {"x": 2, "y": 1})


def test_the_state_itself_does_not_see_what_it_assigns() -> None:
    definition = scope(
        A=state("Pass", Assign={"x": 1}, Next="B"),
        B=state("Pass", Parameters={"x.$": "$x"}, Assign={"x": 2}, OutputPath="$.x", Next="C"),
        C=state("Pass", Parameters={"given.$": "$", "x.$": "$x"}),
    )
    assert outcome(drive(definition)[0]) == ("SUCCEEDED", {"given": 1, "x": 2})


# -- where $name can stand -----------------------------------------------------------------------------

VARIABLES = {"n": 2, "t": "2023-11-14T22:13:25Z", "list": [1, 2], "o": {"a": {"b": "deep"}}, "f": False}

READS: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("InputPath", state("Pass", InputPath="$o.a"), None, {"b": "deep"}),
    ("OutputPath", state("Pass", OutputPath="$o.a.b"), None, "deep"),
    ("a variable that is false", state("Pass", OutputPath="$f"), None, False),
    ("Parameters", state("Pass", Parameters={"v.$": "$list[1]"}), None, {"v": 2}),
    ("a path with a filter", state("Pass", Parameters={"v.$": "$list[?(@ > 1)]"}), None, {"v": [2]}),
    (
        "an intrinsic function",
        state("Pass", Parameters={"v.$": "States.Format('{}-{}', $n, $.n)"}),
        1,
        {"v": "2-1"},
    ),
    ("ResultSelector", task(ResultSelector={"r.$": "$", "v.$": "$n"}), None, {"r": "R", "v": 2}),
    ("ItemsPath", each(scope(P=Z), ItemsPath="$list"), None, [1, 2]),
    ("ItemSelector", each(scope(P=Z), ItemsPath="$list", ItemSelector={"v.$": "$n"}), None, [{"v": 2}] * 2),
    ("MaxConcurrencyPath", each(scope(P=Z), ItemsPath="$list", MaxConcurrencyPath="$n"), None, [1, 2]),
    ("SecondsPath", state("Wait", SecondsPath="$n"), None, {"n": 1}),
    ("TimestampPath", state("Wait", TimestampPath="$t"), None, {"n": 1}),
    ("TimeoutSecondsPath", task(TimeoutSecondsPath="$n"), None, "R"),
    ("Parallel Parameters", parallel(scope(P=Z), Parameters={"v.$": "$n"}), None, [{"v": 2}]),
]


@pytest.mark.parametrize(("name", "reader", "n", "output"), READS, ids=[case[0] for case in READS])
def test_where_a_variable_can_be_read(name: str, reader: dict[str, Any], n: Any, output: Any) -> None:
    definition = scope(A=state("Pass", Assign=VARIABLES, Next="S"), S=reader)
    execution, _ = drive(definition, {"n": 1 if n is None else n}, {"S": ["R"]})
    assert outcome(execution) == ("SUCCEEDED", output), name


RULES = [
    ({"Variable": "$n", "NumericEquals": 2}, True),
    ({"Variable": "$.n", "NumericLessThanPath": "$n"}, True),
    ({"Variable": "$n", "NumericLessThanPath": "$.n"}, False),
    ({"Variable": "$f", "IsBoolean": True}, True),
    ({"Variable": "$nobody", "IsPresent": True}, False),
    ({"Not": {"Variable": "$o.a.b", "StringEquals": "deep"}}, False),
]


@pytest.mark.parametrize(("rule", "matches"), RULES)
def test_variables_in_choice_rules(rule: dict[str, Any], matches: bool) -> None:
    definition = scope(
        A=state("Pass", Assign=VARIABLES, Next="S"),
        S=state("Choice", Choices=[{**rule, "Next": "Yes"}], Default="No"),
        Yes=state("Pass", Result=True),
        No=state("Pass", Result=False),
    )
    assert outcome(drive(definition, {"n": 1})[0]) == ("SUCCEEDED", matches)


def test_variables_in_a_failure() -> None:
    definition = scope(
        A=state("Pass", Assign={"e": "MyError", "c": "my cause"}, Next="F"),
        F=state("Fail", ErrorPath="$e", CausePath="$c"),
    )
    assert outcome(drive(definition)[0]) == ("FAILED", ("MyError", "my cause"))


UNKNOWN = [
    state("Pass", InputPath="$nobody.a"),
    state("Pass", OutputPath="$nobody"),
    state("Pass", Parameters={"v.$": "$nobody"}),
    state("Pass", Parameters={"v.$": "States.Format('{}', $nobody)"}),
    state("Pass", Assign={"v.$": "$nobody.a[0]"}),
    state("Choice", Choices=[{"Variable": "$nobody", "NumericEquals": 1, "Next": "S"}], Default="E"),
    state("Wait", SecondsPath="$nobody"),
    state("Wait", TimestampPath="$nobody"),
    state("Fail", ErrorPath="$nobody"),
    task(TimeoutSecondsPath="$nobody"),
    each(scope(P=Z), ItemsPath="$nobody"),
    each(scope(P=Z), ItemSelector={"v.$": "$nobody"}),
    each(scope(P=Z), MaxConcurrencyPath="$nobody"),
    parallel(scope(P=Z), Parameters={"v.$": "$nobody"}),
]


@pytest.mark.parametrize("reader", UNKNOWN, ids=json.dumps)
def test_a_variable_that_nobody_has_assigned_is_a_runtime_error_that_names_it(reader: dict[str, Any]) -> None:
    execution, _ = drive(scope(S=reader, **({"E": Z} if "Default" in reader else {})), [1])
    assert execution.error == "States.Runtime"
    cause = str(execution.cause)
    assert cause.startswith("An error occurred while executing the state 'S' (entered at the event id #2). ")
    assert "$nobody" in cause


# -- scopes --------------------------------------------------------------------------------------------


def test_inner_scopes_read_outer_variables_and_keep_theirs_to_themselves() -> None:
    definition = scope(
        A=state("Pass", Assign={"x": "outer", "y": "outer"}, Next="S"),
        S=parallel(
            scope(P1=state("Pass", Assign={"x": "one"}, Next="P2"), P2=state("Pass", OutputPath="$x")),
            scope(
                Q1=wait(5, Assign={"y": "two"}, Next="Q2"),
                Q2=state("Pass", Parameters={"x.$": "$x", "y.$": "$y"}),
            ),
            scope(
                M=each(
                    scope(
                        R1=state("Pass", Assign={"x.$": "$"}, Next="R2"),
                        R2=state("Pass", Parameters={"x.$": "$x", "y.$": "$y"}),
                    )
                )
            ),
            Assign={"joined.$": "$[0]"},
            Next="Z",
        ),
        Z=state("Pass", Parameters={"results.$": "$", "after": {"x.$": "$x", "y.$": "$y", "joined.$": "$joined"}}),
    )
    steps = Steps(definition, [1, 2])
    steps.tick()
    assert outcome(steps.execution) == (
        "SUCCEEDED",
        {
            "results": ["one", {"x": "outer", "y": "two"}, [{"x": 1, "y": "outer"}, {"x": 2, "y": "outer"}]],
            "after": {"x": "outer", "y": "outer", "joined": "one"},
        },
    )
    check_steps(steps)


GONE = [
    parallel(scope(P=state("Pass", Assign={"inner": 1})), Next="Z"),
    each(scope(P=state("Pass", Assign={"inner": 1})), Next="Z"),
]


@pytest.mark.parametrize("fork", GONE)
def test_what_a_branch_assigned_is_gone_after_it(fork: dict[str, Any]) -> None:
    execution, _ = drive(scope(S=fork, Z=state("Pass", OutputPath="$inner")), [1])
    assert execution.error == "States.Runtime"
    assert "The variable $inner is not assigned" in str(execution.cause)


def test_siblings_do_not_see_each_other() -> None:
    definition = scope(
        S=parallel(
            scope(P=state("Pass", Assign={"p": 1})),
            scope(W=wait(5, Next="Q"), Q=state("Pass", OutputPath="$p")),
        )
    )
    steps = Steps(definition)
    steps.tick()
    assert steps.execution.error == "States.Runtime"
    check_steps(steps)


def test_a_retry_of_a_fork_begins_with_the_outer_variables() -> None:
    definition = scope(
        A=state("Pass", Assign={"x": 0}, Next="S"),
        S=parallel(
            scope(P=state("Pass", Parameters={"x.$": "$x"}, Assign={"x": 1}, Next="T"), T=task()),
            Retry=retry(),
        ),
    )
    steps = Steps(definition)
    steps.answer("T", BROKEN)
    steps.tick()
    steps.answer("T", "done")
    assert assigned(steps.log) == [{"x": 0}, {"x": 1}, {"x": 1}]
    given = [event.output.value for event in steps.log if isinstance(event, StateExited) and event.name == "P"]
    assert given == [{"x": 0}, {"x": 0}]
    check_steps(steps)


# -- names ---------------------------------------------------------------------------------------------

SOUND = ["x", "_", "_1", "camelCase", "größe", "states_", "x" * 80]


@pytest.mark.parametrize("name", SOUND)
def test_names_that_variables_can_have(name: str) -> None:
    definition = scope(
        A=state("Pass", Assign={f"{name}.$": "$"}, Next="B"), B=state("Pass", Parameters={"v.$": f"${name}"})
    )
    assert outcome(drive(definition, 1)[0]) == ("SUCCEEDED", {"v": 1})


UNSOUND = [
    ("1x", "no digit first"),
    ("a-b", "letters, digits"),
    ("a b", "letters, digits"),
    ("a.b", "letters, digits"),
    ("$a", "letters, digits"),
    ("", "letters, digits"),
    ("states", "reserved"),
    ("x" * 81, "at most 80 characters, but this has 81"),
]
OWNERS: list[tuple[str, Any]] = [
    ("/States/S/Assign", lambda assign: scope(S=state("Pass", Assign=assign))),
    (
        "/States/S/Catch[0]/Assign",
        lambda assign: scope(S=task(Catch=catch("Z", Assign=assign), Next="Z"), Z=Z),
    ),
    (
        "/States/S/Choices[0]/Assign",
        lambda assign: scope(S=state("Choice", Choices=[{**FLAG, "Next": "Z", "Assign": assign}]), Z=Z),
    ),
    (
        "/States/S/Branches[0]/States/P/Assign",
        lambda assign: scope(S=parallel(scope(P=state("Pass", Assign=assign)))),
    ),
]


@pytest.mark.parametrize("suffix", ["", ".$"])
@pytest.mark.parametrize(("name", "message"), UNSOUND, ids=[case[0][:5] for case in UNSOUND])
@pytest.mark.parametrize(("location", "build"), OWNERS, ids=[case[0] for case in OWNERS])
def test_names_that_are_refused(location: str, build: Any, name: str, message: str, suffix: str) -> None:
    machine, findings = check(json.dumps(build({f"{name}{suffix}": "$.a"}), indent=1))
    assert machine is None
    assert [(f.code, f.location) for f in findings] == [("SCHEMA_VALIDATION_FAILED", f"{location}/{name}{suffix}")]
    assert message in findings[0].message
    assert findings[0].line is not None


@pytest.mark.parametrize("value", ["text", 1, None, [], True])
@pytest.mark.parametrize(("location", "build"), OWNERS, ids=[case[0] for case in OWNERS])
def test_assign_is_an_object(location: str, build: Any, value: Any) -> None:
    machine, findings = check(json.dumps(build(value)))
    assert machine is None
    assert [f.location for f in findings] == [location]
    assert "Expected value of type Object" in findings[0].message


@pytest.mark.parametrize("kind", ["Succeed", "Fail"])
def test_states_that_have_no_assign(kind: str) -> None:
    _, findings = check(json.dumps(scope(S=state(kind, Assign={"x": 1}))))
    assert [f.location for f in findings] == ["/States/S/Assign"]


def test_a_path_inside_assign_is_checked_where_it_is() -> None:
    _, findings = check(json.dumps(scope(S=state("Pass", Assign={"x": {"y.$": "no path"}}))))
    assert [f.location for f in findings] == ["/States/S/Assign/x/y.$"]


def test_a_result_cannot_be_put_into_a_variable_by_a_path() -> None:
    _, findings = check(json.dumps(scope(S=state("Pass", ResultPath="$x"))))
    assert [f.location for f in findings] == ["/States/S/ResultPath"]


# -- size, history, store ------------------------------------------------------------------------------


def test_variables_that_are_too_large_can_be_caught_by_name() -> None:
    definition = scope(
        S=task(Assign={"a.$": "$", "b.$": "$"}, Catch=catch("Z", "States.DataLimitExceeded"), Next="Z"), Z=Z
    )
    limits = Limits(variable_bytes=200)
    execution, _ = drive(definition, {}, {"S": ["x" * 110]}, limits)
    assert execution.output is not None
    assert execution.output.value["Error"] == "States.DataLimitExceeded"  # type: ignore[call-overload,index]  # a JSON object is known
    execution, events = drive(definition, {}, {"S": ["x" * 80]}, limits)
    assert assigned(events) == [{"a": "x" * 80, "b": "x" * 80}]


def test_the_history_shows_what_was_assigned_as_texts() -> None:
    definition = scope(
        A=state("Pass", Assign={"s": "text", "o": {"a": [1, None]}, "n": 1.5}, Next="B"),
        B=state("Pass", Assign={}, Next="C"),
        C=state("Pass"),
    )
    _, events = drive(definition)
    exits = [event["stateExitedEventDetails"] for event in history(events) if event["type"] == "PassStateExited"]
    assert exits[0]["assignedVariables"] == {"s": '"text"', "o": '{"a":[1,null]}', "n": "1.5"}
    assert exits[0]["assignedVariablesDetails"] == {"truncated": False}
    assert not any("assignedVariables" in details for details in exits[1:])


def test_assigned_variables_come_back_from_the_store(tmp_path: Path) -> None:
    definition = scope(
        A=state("Pass", Assign={"größe": 'a "quote" \\ ☃', "o": {"assigned": None}, "f": 1.0}, Next="B"),
        B=state("Pass", Assign={}, Next="M"),
        M=each(scope(P=state("Pass", Assign={"i.$": "$"}))),
    )
    steps = Steps(definition, ["x" * 300, {"assigned": 1}])

    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db")
        try:
            record = Record(IDENTITY, steps.machine.digest)
            await store.create(record, steps.machine.text, steps.log)
            stored = await store.events(IDENTITY.arn)
        finally:
            await store.close()
        assert same(stored, steps.log)
        assert assigned(stored) == assigned(steps.log)
        assert list(history(stored)) == list(history(steps.log))

    asyncio.run(main())
