"""Map: what becomes of it when an iteration fails, an item cannot be made, or the execution ends."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.core.events import TaskScheduled
from asl_engine.core.interpreter import MACHINE_TIMER
from asl_engine.core.stimuli import StopRequested, TimerReported
from asl_engine.errors import StatesError
from asl_engine.limits import Limits
from tests.core.driver import drive, history, outcome
from tests.core.steps import (
    Steps,
    catch,
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
PASS = scope(P=state("Pass"))
TASK = scope(T=task())


def test_how_the_events_of_a_failure_follow_from_each_other() -> None:
    definition = scope(S=each(TASK, Retry=retry(MaxAttempts=1), Catch=catch("Z")), Z=state("Pass"))
    _, events = drive(definition, [1, 2], {"T": [BROKEN, 1, BROKEN]})
    assert told(events)[11:] == [
        "12 8 LambdaFunctionFailed",
        "13 12 MapIterationFailed",
        "14 12 TaskStateAborted",
        "15 12 MapIterationAborted",
        "16 12 TaskStateAborted",
        "17 12 MapStateStarted",
        "18 17 MapIterationStarted",
        "19 17 MapIterationStarted",
        "20 18 TaskStateEntered",
        "21 20 LambdaFunctionScheduled",
        "22 21 LambdaFunctionStarted",
        "23 19 TaskStateEntered",
        "24 23 LambdaFunctionScheduled",
        "25 24 LambdaFunctionStarted",
        "26 22 LambdaFunctionSucceeded",
        "27 26 TaskStateExited",
        "28 27 MapIterationSucceeded",
        "29 25 LambdaFunctionFailed",
        "30 29 MapIterationFailed",
        "31 29 TaskStateAborted",
        "32 29 MapStateFailed",
        "33 32 MapStateExited",
        "34 33 PassStateEntered",
        "35 34 PassStateExited",
        "36 35 ExecutionSucceeded",
    ]
    details = history(events)[12]
    assert details["mapIterationFailedEventDetails"] == {"name": "S", "index": 0}


def test_what_falls_is_told_in_the_order_of_the_items() -> None:
    """Recorded from AWS: all of it follows from the event that failed."""
    steps = Steps(scope(S=each(TASK)), ["left", "right"])
    steps.answer(steps.tasks()[1], BROKEN)
    assert told(steps.log)[11:] == [
        "12 11 LambdaFunctionFailed",
        "13 12 MapIterationAborted",
        "14 12 TaskStateAborted",
        "15 12 MapIterationFailed",
        "16 12 TaskStateAborted",
        "17 12 MapStateFailed",
        "18 17 ExecutionFailed",
    ]
    check_steps(steps)


# -- Retry and Catch -----------------------------------------------------------------------------------


def test_a_retry_starts_all_iterations_anew() -> None:
    definition = scope(
        S=each(
            scope(T=task(ResultSelector={"r.$": "$", "inner.$": "$$.State.RetryCount"})),
            ItemSelector={"v.$": "$$.Map.Item.Value", "try.$": "$$.State.RetryCount"},
            Retry=retry(IntervalSeconds=2, BackoffRate=3.0),
            MaxConcurrency=1,
        )
    )
    steps = Steps(definition, ["a", "b"])
    steps.answer("T", 1)
    steps.answer("T", BROKEN)
    steps.tick()
    steps.answer("T", BROKEN)
    steps.tick()
    steps.answer("T", 1)
    steps.answer("T", 2)
    assert outcome(steps.execution) == ("SUCCEEDED", [{"r": 1, "inner": 0}, {"r": 2, "inner": 0}])
    given = [event.parameters.value for event in steps.log if isinstance(event, TaskScheduled)]
    assert given == [
        {"v": "a", "try": 0},
        {"v": "b", "try": 0},
        {"v": "a", "try": 1},
        {"v": "a", "try": 2},
        {"v": "b", "try": 2},
    ]
    starts = [e["timestamp"] for e in history(steps.log) if e["type"] == "MapStateStarted"]
    assert starts == [0.0, 2.0, 8.0]
    check_steps(steps)


CATCHERS = [
    ({}, {"Error": "E", "Cause": "C"}),
    ({"ResultPath": "$.error"}, {"items": [1, 2], "error": {"Error": "E", "Cause": "C"}}),
    ({"ResultPath": None, "Assign": {"cause.$": "$.Cause"}}, {"items": [1, 2]}),
]


@pytest.mark.parametrize(("fields", "output"), CATCHERS)
def test_where_a_catcher_puts_the_error(fields: dict[str, Any], output: Any) -> None:
    definition = scope(
        S=each(TASK, ItemsPath="$.items", Catch=catch("Z", **fields)),
        Z=state("Pass", Assign={"seen.$": "$cause"} if "Assign" in fields else {}),
    )
    steps = Steps(definition, {"items": [1, 2]})
    steps.answer(steps.tasks()[1], BROKEN)
    assert outcome(steps.execution) == ("SUCCEEDED", output)
    check_steps(steps)


def test_an_iteration_that_retries_and_catches_its_own_errors_is_no_failure() -> None:
    definition = scope(
        S=each(
            scope(
                T=task(Retry=retry(MaxAttempts=1), Catch=catch("H", "States.ALL")),
                H=state("Pass", OutputPath="$.Error"),
            )
        )
    )
    steps = Steps(definition, [1, 2])
    first, second = steps.tasks()
    steps.answer(first, BROKEN)
    steps.answer(second, "fine")
    steps.tick()
    steps.answer("T", BROKEN)
    assert outcome(steps.execution) == ("SUCCEEDED", ["E", "fine"])
    check_steps(steps)


def test_an_iteration_that_cannot_run_is_for_no_catch_all() -> None:
    definition = scope(
        S=each(scope(P=state("Pass", InputPath="$.x")), Catch=catch("Z", "States.ALL")), Z=state("Pass")
    )
    execution, events = drive(definition, [{"x": 1}, {}])
    assert execution.error == "States.Runtime"
    assert "Invalid path '$.x' : No results" in str(execution.cause)
    assert types(events)[-2:] == ["PassStateEntered", "ExecutionFailed"]


# -- what is given up ----------------------------------------------------------------------------------


def test_a_failing_iteration_takes_all_others_with_it() -> None:
    inner = scope(
        C=state(
            "Choice",
            Choices=[
                {"Variable": "$", "StringEquals": "wait", "Next": "W"},
                {"Variable": "$", "StringEquals": "fork", "Next": "X"},
            ],
            Default="T",
        ),
        T=task(),
        W=wait(30),
        X=parallel(scope(X1=task()), scope(X2=wait(40))),
    )
    steps = Steps(scope(S=each(inner, Catch=catch("Z")), Z=state("Pass")), ["bad", "wait", "fork", "good"])
    keys = list(steps.execution.open)
    assert len(keys) == 5
    events = steps.answer("T", BROKEN)
    assert steps.types(events) == [
        "LambdaFunctionFailed",
        "MapIterationFailed",
        "TaskStateAborted",
        "MapIterationAborted",
        "WaitStateAborted",
        "TaskStateAborted",
        "WaitStateAborted",
        "MapIterationAborted",
        "ParallelStateAborted",
        "MapIterationAborted",
        "TaskStateAborted",
        "MapStateFailed",
        "MapStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert steps.execution.open == {}
    check_steps(steps)


def test_late_answers_to_iterations_that_were_given_up_are_ignored() -> None:
    definition = scope(S=each(TASK, Retry=retry(), MaxConcurrency=2))
    steps = Steps(definition, [1, 2, 3])
    first, second = steps.tasks()
    steps.answer(first, BROKEN)
    for stimulus in late(steps.at, second.key):
        assert steps.take(stimulus) == []
    steps.tick()
    for stimulus in late(steps.at, second.key):
        assert steps.take(stimulus) == []
    for number in (1, 2, 3):
        steps.answer("T", number)
    assert outcome(steps.execution) == ("SUCCEEDED", [1, 2, 3])
    check_steps(steps)


def test_an_item_that_cannot_be_made_gives_up_those_under_way() -> None:
    """ItemSelector is evaluated when an iteration starts: some may have started before."""
    definition = scope(
        S=each(
            TASK,
            MaxConcurrency=2,
            ItemSelector={"n.$": "States.MathAdd($$.Map.Item.Value, 1)"},
            Catch=catch("Z", "States.ALL"),
        ),
        Z=state("Pass"),
    )
    steps = Steps(definition, [1, 2, "three"])
    assert len(steps.tasks()) == 2
    steps.answer(steps.tasks()[0], 1)
    assert steps.execution.error == "States.Runtime"
    # Recorded from AWS: it ends the execution where it happens, and nothing else is told.
    assert types(steps.log)[-2:] == ["MapIterationSucceeded", "ExecutionFailed"]
    check_steps(steps)


def test_an_item_that_is_too_large_can_be_retried_and_caught_by_name() -> None:
    definition = scope(
        S=each(
            TASK,
            ItemSelector={"v.$": "$$.Map.Item.Value", "w.$": "$$.Map.Item.Value"},
            Retry=retry("States.DataLimitExceeded", MaxAttempts=1),
            Catch=catch("Z", "States.DataLimitExceeded", ResultPath=None),
        ),
        Z=state("Pass"),
    )
    steps = Steps(definition, ["small", "x" * 60], limits=Limits(payload_bytes=100))
    assert steps.tasks() == []
    steps.tick()
    assert outcome(steps.execution)[0] == "SUCCEEDED"
    assert types(steps.log).count("MapIterationAborted") == 2
    check_steps(steps)


# -- limits and endings --------------------------------------------------------------------------------

FULL = "The execution reached the maximum number of history events ({})."


@pytest.mark.parametrize("limit", range(4, 25))
def test_the_history_can_be_full_anywhere_inside_a_map(limit: int) -> None:
    definition = scope(S=each(scope(X=parallel(PASS)), MaxConcurrency=1, Retry=retry("States.ALL")))
    steps = Steps(definition, list(range(10)), limits=Limits(history_events=limit))
    assert outcome(steps.execution) == ("FAILED", ("States.Runtime", FULL.format(limit)))
    assert steps.execution.history_length == limit
    assert types(steps.log)[-1] == "ExecutionFailed"
    assert steps.execution.open == {}
    check_steps(steps)


@pytest.mark.parametrize("limit", range(4, 30))
def test_a_full_history_does_not_wait_for_what_it_could_not_show(limit: int) -> None:
    steps = Steps(scope(S=each(TASK, MaxConcurrency=2)), [1, 2, 3], limits=Limits(history_events=limit))
    while steps.tasks():
        assert steps.execution.history_length < limit - 1
        steps.answer("T", 0)
    # Three times seven events, four of the Map, and two of the execution.
    assert steps.execution.status == ("FAILED" if limit < 27 else "SUCCEEDED")
    assert steps.execution.history_length == min(limit, 27)
    check_steps(steps)


def test_joined_results_that_are_too_large() -> None:
    limits = Limits(payload_bytes=100)
    inner = scope(P=state("Pass", Result="x" * 60))
    execution, events = drive(scope(S=each(inner)), [1, 2], limits=limits)
    assert execution.error == "States.DataLimitExceeded"
    assert types(events)[-2:] == ["MapStateSucceeded", "ExecutionFailed"]
    definition = scope(S=each(inner, ResultPath=None))
    assert outcome(drive(definition, [1, 2], limits=limits)[0]) == ("SUCCEEDED", [1, 2])


@pytest.mark.parametrize("ending", ["ABORTED", "TIMED_OUT"])
def test_an_execution_that_ends_from_outside_leaves_nothing_open(ending: str) -> None:
    steps = Steps({**scope(S=each(TASK)), "TimeoutSeconds": 10}, [1, 2, 3])
    steps.take(StopRequested(steps.at) if ending == "ABORTED" else TimerReported(steps.at + 10_000, MACHINE_TIMER))
    assert steps.execution.status == ending
    assert (steps.execution.open, steps.execution.frames) == ({}, {})
    check_steps(steps)
