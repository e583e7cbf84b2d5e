"""Parallel: branches at once, their results in order, and what becomes of the others when one fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.core.events import BranchStarted, StateExited, TaskScheduled
from asl_engine.core.interpreter import MACHINE_TIMER
from asl_engine.core.stimuli import StopRequested, TimerReported
from asl_engine.errors import StatesError
from asl_engine.language.loader import check
from asl_engine.limits import Limits
from tests.core.driver import drive, history, outcome
from tests.core.steps import (
    Steps,
    catch,
    check_laws,
    check_steps,
    each,
    late,
    parallel,
    retry,
    scope,
    state,
    task,
    told,
    types,
    wait,
)

BROKEN = StatesError("E", "C")
SMALL = Limits(payload_bytes=100)


def constant(name: str, value: Any, **fields: Any) -> dict[str, Any]:
    return scope(**{name: state("Pass", Result=value, **fields)})


A, B = scope(A=state("Pass")), scope(B=state("Pass"))

FLOWS: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("each branch gets the input", parallel(A, B), {"a": 1}, [{"a": 1}, {"a": 1}]),
    ("one branch", parallel(A), None, [{}]),
    (
        "results stand at their branch's place",
        parallel(constant("A", False), constant("B", None), constant("C", {}), constant("D", [])),
        None,
        [False, {}, {}, []],
    ),
    ("InputPath", parallel(A, InputPath="$.a"), {"a": 0}, [0]),
    ("Parameters", parallel(A, B, Parameters={"p.$": "$.a"}), {"a": ""}, [{"p": ""}, {"p": ""}]),
    ("ResultSelector", parallel(A, B, ResultSelector={"second.$": "$[1]"}), 5, {"second": 5}),
    ("ResultPath", parallel(A, ResultPath="$.r"), {"a": 1}, {"a": 1, "r": [{"a": 1}]}),
    ("ResultPath null", parallel(A, ResultPath=None), {"a": 1}, {"a": 1}),
    ("OutputPath", parallel(A, OutputPath="$[0].a"), {"a": None}, None),
    (
        "all of it, in order",
        parallel(
            A,
            B,
            InputPath="$.in",
            Parameters={"p.$": "$"},
            ResultSelector={"s.$": "$[0].p"},
            ResultPath="$.out",
            OutputPath="$.out",
        ),
        {"in": 7},
        {"s": 7},
    ),
    (
        "a Parallel in a Parallel",
        parallel(A, scope(P=parallel(B, constant("C", 3)))),
        1,
        [1, [1, 3]],
    ),
    (
        "a Map in a Parallel",
        parallel(scope(M=each(B)), A),
        [1, 2],
        [[1, 2], [1, 2]],
    ),
    (
        "branches of different lengths",
        parallel(scope(A1=state("Pass", Next="A2"), A2=state("Pass", Result=2)), B),
        1,
        [2, 1],
    ),
]


@pytest.mark.parametrize(("name", "fork", "data", "output"), FLOWS, ids=[case[0] for case in FLOWS])
def test_what_a_parallel_makes_of_its_input(name: str, fork: dict[str, Any], data: Any, output: Any) -> None:
    steps = Steps(scope(S=fork), data)
    assert outcome(steps.execution) == ("SUCCEEDED", output), name
    check_steps(steps)


def test_results_are_in_the_order_of_the_branches_not_of_the_answers() -> None:
    steps = Steps(scope(S=parallel(*(scope(**{name: task()}) for name in "ABC"))))
    for name in "CAB":
        assert steps.execution.status == "RUNNING"
        steps.answer(name, name)
    assert outcome(steps.execution) == ("SUCCEEDED", ["A", "B", "C"])
    check_steps(steps)


def test_how_the_events_follow_from_each_other() -> None:
    _, events = drive(scope(S=parallel(A, scope(T=task()), Next="Z"), Z=state("Pass")), None, {"T": [1]})
    assert told(events) == [
        "1 0 ExecutionStarted",
        "2 0 ParallelStateEntered",
        "3 2 ParallelStateStarted",
        "4 3 PassStateEntered",
        "5 4 PassStateExited",
        "6 3 TaskStateEntered",
        "7 6 LambdaFunctionScheduled",
        "8 7 LambdaFunctionStarted",
        "9 8 LambdaFunctionSucceeded",
        "10 9 TaskStateExited",
        "11 10 ParallelStateSucceeded",
        "12 10 ParallelStateExited",
        "13 12 PassStateEntered",
        "14 13 PassStateExited",
        "15 14 ExecutionSucceeded",
    ]


def test_how_the_events_of_a_failure_follow_from_each_other() -> None:
    definition = scope(
        S=parallel(scope(T=task()), scope(U=task()), Catch=catch("Z")),
        Z=state("Pass"),
    )
    _, events = drive(definition, None, {"T": [BROKEN]})
    assert told(events)[2:] == [
        "3 2 ParallelStateStarted",
        "4 3 TaskStateEntered",
        "5 4 LambdaFunctionScheduled",
        "6 5 LambdaFunctionStarted",
        "7 3 TaskStateEntered",
        "8 7 LambdaFunctionScheduled",
        "9 8 LambdaFunctionStarted",
        "10 6 LambdaFunctionFailed",
        "11 10 TaskStateAborted",
        "12 10 TaskStateAborted",
        "13 10 ParallelStateFailed",
        "14 13 ParallelStateExited",
        "15 14 PassStateEntered",
        "16 15 PassStateExited",
        "17 16 ExecutionSucceeded",
    ]


# -- Retry and Catch -----------------------------------------------------------------------------------


def test_a_retry_starts_all_branches_anew() -> None:
    definition = scope(
        S=parallel(
            scope(A=task()),
            scope(B=task()),
            Retry=retry(IntervalSeconds=3, MaxAttempts=2),
            ResultSelector={"results.$": "$", "tries.$": "$$.State.RetryCount"},
        )
    )
    steps = Steps(definition)
    steps.answer("A", "thrown away")
    steps.answer("B", BROKEN)
    assert [type(work).__name__ for work in steps.execution.open.values()] == ["OpenTimer"]
    steps.tick()
    steps.answer("B", BROKEN)  # A's second attempt is given up
    steps.tick()
    steps.answer("B", 2)
    steps.answer("A", 1)
    assert outcome(steps.execution) == ("SUCCEEDED", {"results": [1, 2], "tries": 2})
    assert [event.attempt for event in steps.log if isinstance(event, TaskScheduled)] == [0] * 6
    starts = [e["timestamp"] for e in history(steps.log) if e["type"] == "ParallelStateStarted"]
    assert starts == [0.0, 3.0, 9.0]
    check_steps(steps)


def test_when_no_retry_is_left_it_has_failed() -> None:
    definition = scope(S=parallel(scope(A=state("Fail", Error="E", Cause="C")), Retry=retry(MaxAttempts=1)))
    execution, events = drive(definition)
    assert outcome(execution) == ("FAILED", ("E", "C"))
    assert told(events)[2:] == [
        "3 2 ParallelStateStarted",
        "4 3 FailStateEntered",
        "5 4 ParallelStateStarted",
        "6 5 FailStateEntered",
        "7 6 ParallelStateFailed",
        "8 7 ExecutionFailed",
    ]


CATCHERS = [
    ({}, {"Error": "E", "Cause": "C"}),
    ({"ResultPath": "$.error"}, {"in": 1, "error": {"Error": "E", "Cause": "C"}}),
    ({"ResultPath": None}, {"in": 1}),
    ({"ResultPath": None, "Assign": {"cause.$": "$.Cause"}}, {"in": 1}),
]


@pytest.mark.parametrize(("fields", "output"), CATCHERS)
def test_where_a_catcher_puts_the_error(fields: dict[str, Any], output: Any) -> None:
    definition = scope(
        S=parallel(
            A,
            scope(F=state("Fail", Error="E", Cause="C")),
            Catch=catch("Z", **fields),
            OutputPath="$.not.applied",
        ),
        Z=state("Pass", Assign={"seen.$": "$cause"} if "Assign" in fields else {}),
    )
    execution, events = drive(definition, {"in": 1})
    assert outcome(execution) == ("SUCCEEDED", output)
    assigned = [e.assigned.value for e in events if isinstance(e, StateExited) and e.assigned is not None]
    assert assigned == ([{"cause": "C"}, {"seen": "C"}] if "Assign" in fields else [{}])
    check_laws(Steps(definition, {"in": 1}).machine, execution, events)


def test_a_branch_that_catches_its_own_error_is_no_failure() -> None:
    definition = scope(
        S=parallel(scope(T=task(Catch=catch("H")), H=state("Pass", OutputPath="$.Error")), A, ResultPath="$.r")
    )
    execution, _ = drive(definition, {"a": 1}, {"T": [BROKEN]})
    assert outcome(execution) == ("SUCCEEDED", {"a": 1, "r": ["E", {"a": 1}]})


RUNTIME = "An error occurred while executing the state 'P' (entered at the event id #4). Invalid path '$.x' : "


@pytest.mark.parametrize("handled", [{}, {"Retry": retry("States.ALL"), "Catch": catch("Z", "States.ALL")}])
def test_a_branch_that_cannot_run_ends_all(handled: dict[str, Any]) -> None:
    definition = scope(S=parallel(scope(P=state("Pass", InputPath="$.x")), scope(T=task()), **handled))
    if handled:
        definition["States"]["Z"] = state("Pass")
    execution, events = drive(definition)
    assert outcome(execution) == ("FAILED", ("States.Runtime", f"{RUNTIME}No results for path: $['x']"))
    # Recorded from AWS: it ends the execution where it happens, and nothing else is told.
    assert types(events)[-2:] == ["PassStateEntered", "ExecutionFailed"]


NOT_BEGUN = [
    ({"Parameters": {"p.$": "$.x"}}, "The JSONPath '$.x' specified for the field 'p.$' could not be found"),
    ({"InputPath": "$.x"}, "Invalid path '$.x' : No results"),
]


@pytest.mark.parametrize(("fields", "cause"), NOT_BEGUN)
def test_what_branches_cannot_be_given_fails_the_state_before_it_starts(
    fields: dict[str, Any], cause: str
) -> None:
    execution, events = drive(scope(S=parallel(A, **fields)))
    assert execution.error == "States.Runtime"
    assert cause in str(execution.cause)
    assert types(events) == ["ExecutionStarted", "ParallelStateEntered", "ExecutionFailed"]


TOO_LARGE = {
    "Parameters": {"a.$": "$", "b.$": "$"},
    "Retry": retry("States.DataLimitExceeded", MaxAttempts=2),
}


@pytest.mark.parametrize("work", [parallel(A, **TOO_LARGE), task(**TOO_LARGE)])
def test_work_that_cannot_begin_after_a_backoff_leaves_no_timer_behind(work: dict[str, Any]) -> None:
    steps = Steps(scope(S=work), "x" * 60, limits=SMALL)
    for seconds in (1, 2):
        assert len(steps.execution.open) == 1
        before = steps.at
        steps.tick()
        assert steps.at - before == seconds * 1000
    assert steps.execution.error == "States.DataLimitExceeded"
    assert types(steps.log)[-1:] == ["ExecutionFailed"]
    assert len(types(steps.log)) == 3
    check_steps(steps)


# -- what is given up ----------------------------------------------------------------------------------

BUSY = scope(
    S=parallel(
        scope(A=task()),
        scope(B=task(TimeoutSeconds=50, HeartbeatSeconds=20)),
        scope(W=wait(60)),
        scope(R=task(Retry=retry())),
        scope(P=parallel(scope(P1=task()), scope(P2=wait(70)), scope(P3=state("Pass")))),
        scope(M=each(scope(M1=task()), ItemsPath="$.items", MaxConcurrency=2)),
        scope(D=state("Pass")),
        Catch=catch("Z"),
    ),
    Z=wait(5),
)


def busy() -> tuple[Steps, list[int]]:
    """Every kind of work is open at once, and its keys."""
    steps = Steps(BUSY, {"items": [1, 2, 3]})
    steps.answer("R", BROKEN)
    return steps, list(steps.execution.open)


def test_a_failing_branch_takes_all_others_with_it() -> None:
    steps, keys = busy()
    assert len(keys) == 8
    events = steps.answer("A", BROKEN)
    assert steps.types(events) == [
        "LambdaFunctionFailed",
        "TaskStateAborted",  # A itself
        "TaskStateAborted",  # B
        "WaitStateAborted",
        "TaskStateAborted",  # R, in its backoff
        "TaskStateAborted",  # P1
        "WaitStateAborted",  # P2
        "ParallelStateAborted",
        "MapIterationAborted",  # two iterations of M
        "TaskStateAborted",
        "MapIterationAborted",
        "TaskStateAborted",
        "MapStateAborted",
        "ParallelStateFailed",
        "ParallelStateExited",
        "WaitStateEntered",
    ]
    aborted = [
        e["mapIterationAbortedEventDetails"] for e in history(steps.log) if e["type"] == "MapIterationAborted"
    ]
    assert aborted == [{"name": "M", "index": 0}, {"name": "M", "index": 1}]
    assert [work.frame.state for work in steps.execution.open.values()] == ["Z"]
    assert list(steps.execution.frames) == [0]
    for key in keys:
        for stimulus in late(steps.at, key):
            assert steps.take(stimulus) == []
    steps.tick()
    assert outcome(steps.execution) == ("SUCCEEDED", {"Error": "E", "Cause": "C"})
    check_steps(steps)


def test_a_failure_deep_inside_goes_up_as_far_as_nobody_catches_it() -> None:
    steps, _ = busy()
    events = steps.answer("P1", BROKEN)
    assert steps.types(events)[:5] == [
        "LambdaFunctionFailed",
        "TaskStateAborted",
        "WaitStateAborted",
        "ParallelStateFailed",  # P, which has no Catch: its branch fails, and so does S
        "TaskStateAborted",
    ]
    assert steps.types(events)[-3:] == ["ParallelStateFailed", "ParallelStateExited", "WaitStateEntered"]
    assert steps.types(events).count("ParallelStateAborted") == 0
    check_steps(steps)


@pytest.mark.parametrize("ending", ["stop", "timeout"])
def test_an_execution_that_ends_from_outside_leaves_nothing_open(ending: str) -> None:
    definition = {**BUSY, "TimeoutSeconds": 10}
    steps = Steps(definition, {"items": [1, 2, 3]})
    if ending == "stop":
        steps.take(StopRequested(steps.at, "Enough", "of it"))
        assert outcome(steps.execution) == ("ABORTED", ("Enough", "of it"))
    else:
        assert steps.take(TimerReported(steps.at + 9_999, MACHINE_TIMER)) == []
        steps.take(TimerReported(steps.at + 10_000, MACHINE_TIMER))
        assert outcome(steps.execution) == ("TIMED_OUT", ("States.Timeout", None))
    assert steps.execution.open == {}
    assert steps.execution.frames == {}
    check_steps(steps)


# -- limits --------------------------------------------------------------------------------------------

WIDE = [constant(name, name * 60) for name in "AB"]  # each fits, both do not


def test_joined_results_that_are_too_large_are_for_no_catch_all() -> None:
    definition = scope(S=parallel(*WIDE, Catch=catch("Z", "States.ALL")), Z=state("Pass"))
    execution, events = drive(definition, limits=SMALL)
    assert execution.error == "States.DataLimitExceeded"
    # The branches have succeeded; it is the state that cannot go on.
    assert types(events)[-2:] == ["ParallelStateSucceeded", "ExecutionFailed"]


def test_joined_results_that_are_too_large_can_be_caught_by_name() -> None:
    definition = scope(
        S=parallel(*WIDE, Catch=catch("Z", "States.DataLimitExceeded", ResultPath=None)), Z=state("Pass")
    )
    execution, _ = drive(definition, {"a": 1}, limits=SMALL)
    assert outcome(execution) == ("SUCCEEDED", {"a": 1})


def test_a_selector_makes_large_results_small() -> None:
    definition = scope(S=parallel(*WIDE, ResultSelector={"a.$": "$[0]"}))
    assert outcome(drive(definition, limits=SMALL)[0]) == ("SUCCEEDED", {"a": "A" * 60})


def test_arguments_that_are_too_large() -> None:
    definition = scope(S=parallel(A, Parameters={"a.$": "$", "b.$": "$"}))
    execution, _ = drive(definition, "x" * 60, limits=SMALL)
    assert execution.error == "States.DataLimitExceeded"


def test_every_branch_is_started_with_the_same_payload() -> None:
    _, events = drive(scope(S=parallel(A, B, Parameters={"x": 1})))
    one, two = [event.input for event in events if isinstance(event, BranchStarted)]
    assert one is two


# -- definitions ---------------------------------------------------------------------------------------

SCHEMA, TARGET, DUPLICATE = "SCHEMA_VALIDATION_FAILED", "MISSING_TRANSITION_TARGET", "DUPLICATE_STATE_NAME"
LEAVING = scope(A=state("Pass", Next="Z"))

REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    (scope(S=parallel()), SCHEMA, "/States/S/Branches", "cannot be empty"),
    (scope(S=state("Parallel", Branches={})), SCHEMA, "/States/S/Branches", "type Array"),
    (scope(S=state("Parallel", Branches=[1])), SCHEMA, "/States/S/Branches[0]", "type Object"),
    (scope(S=parallel({})), SCHEMA, "/States/S/Branches[0]", "'StartAt' is required"),
    (scope(S=parallel({**A, "StartAt": "Z"})), TARGET, "/States/S/Branches[0]/StartAt", "target: Z"),
    (scope(S=parallel({**A, "TimeoutSeconds": 1})), SCHEMA, "/States/S/Branches[0]/TimeoutSeconds", "here"),
    (scope(S=parallel({"StartAt": "A", "States": 1})), SCHEMA, "/States/S/Branches[0]/States", "Object"),
    # out of a branch, into a branch, from one into another
    (
        scope(S=parallel(LEAVING, Next="Z"), Z=state("Pass")),
        TARGET,
        "/States/S/Branches[0]/States/A/Next",
        "target: Z",
    ),
    (scope(S=parallel(A, Next="A")), TARGET, "/States/S/Next", "target: A"),
    (
        scope(S=parallel(scope(C=state("Pass", Next="B")), B)),
        TARGET,
        "/States/S/Branches[0]/States/C/Next",
        "target: B",
    ),
    (
        scope(S=parallel(scope(T=task(Catch=catch("Z"))), Next="Z"), Z=state("Pass")),
        TARGET,
        "/States/S/Branches[0]/States/T/Catch[0]/Next",
        "target: Z",
    ),
    # names are unique in the whole machine
    (scope(S=parallel(A, A)), DUPLICATE, "/States/S/Branches[1]/States/A", "two states 'A'"),
    (scope(A=parallel(A)), DUPLICATE, "/States/A/Branches[0]/States/A", "two states 'A'"),
    (scope(S=parallel(A, Next="A"), A=state("Pass")), DUPLICATE, "/States/A", "two states 'A'"),
    # inside a branch
    (
        scope(S=parallel(scope(A=state("Pass"), B=state("Pass")))),
        TARGET,
        "/States/S/Branches[0]/States/B",
        "not reachable",
    ),
    (
        scope(S=parallel(scope(P=parallel(scope(A=state("Pass"), B=state("Pass")))))),
        TARGET,
        "/States/S/Branches[0]/States/P/Branches[0]/States/B",
        "not reachable",
    ),
    (scope(S=parallel(scope(A=state("Pas")))), SCHEMA, "/States/S/Branches[0]/States/A/Type", "'Pass'?"),
]


@pytest.mark.parametrize(("definition", "code", "location", "message"), REFUSED)
def test_refused(definition: dict[str, Any], code: str, location: str, message: str) -> None:
    machine, findings = check(json.dumps(definition, indent=1))
    assert machine is None
    found = [f for f in findings if (f.code, f.location) == (code, location) and message in f.message]
    assert found, [str(finding) for finding in findings]
    assert found[0].line is not None


def test_a_definition_that_is_nested_too_deeply_is_refused_not_a_crash() -> None:
    inner = '{"StartAt":"S","States":{"S":{"Type":"Pass","End":true}}}'
    for number in range(220):
        inner = (
            f'{{"StartAt":"S{number}","States":{{"S{number}":'
            f'{{"Type":"Parallel","End":true,"Branches":[{inner}]}}}}}}'
        )
    machine, findings = check(inner)
    assert machine is None
    assert ["nested too deeply" in finding.message for finding in findings] == [True]
