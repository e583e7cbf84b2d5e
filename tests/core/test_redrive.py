"""Redrive: what goes on, from where, and what the history shows of it.

The expected histories are those that AWS has given for the same shapes of machines.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.apply import fold
from asl_engine.core.events import ExecutionRedriven, StateEntered, TaskScheduled
from asl_engine.core.interpreter import MACHINE_TIMER, advance, machine_deadline
from asl_engine.core.redrive import answered_before, not_redrivable
from asl_engine.core.stimuli import RedriveRequested, Resumed, StopRequested, TimerReported
from asl_engine.errors import StatesError
from asl_engine.limits import AWS_LIMITS, NO_LIMITS, Limits
from tests.core.driver import IDENTITY, NOW, outcome
from tests.core.steps import (
    Steps,
    check_steps,
    each,
    parallel,
    picture,
    retry,
    same,
    scope,
    state,
    task,
    told,
    wait,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BROKEN = StatesError("E", "C")
DAY_MS = 24 * 3600 * 1000


def redriven(steps: Steps, token: str | None = None) -> None:
    steps.at += 60_000
    assert steps.take(RedriveRequested(steps.at, token))


def since_redrive(steps: Steps) -> list[str]:
    """The history from the last redrive on, in short."""
    first = max(event.id for event in steps.log if isinstance(event, ExecutionRedriven))
    return told(steps.log)[first - 1 :]


def followed(steps: Steps) -> list[int]:
    """What the attempts since the redrive follow from."""
    first = max(event.seq for event in steps.log if isinstance(event, ExecutionRedriven))
    return [event.previous for event in steps.log[first:] if isinstance(event, TaskScheduled)]


def entry(steps: Steps, name: str) -> int:
    """The history id of a state's last entry."""
    return max(event.id for event in steps.log if isinstance(event, StateEntered) and event.name == name)


def test_a_task_is_scheduled_again_as_if_just_entered() -> None:
    steps = Steps(
        scope(A=state("Pass", Next="T"), T=task(Retry=retry(MaxAttempts=1, IntervalSeconds=1))), {"n": 1}
    )
    steps.answer("T", BROKEN)
    steps.tick()
    steps.answer("T", BROKEN)
    assert outcome(steps.execution) == ("FAILED", ("E", "C"))
    redriven(steps)
    x = steps.execution
    assert (x.error, x.cause, x.stopped_at) == (None, None, None)
    # The history's links are AWS's: the redrive follows from the end, the attempt from the state's entry.
    assert since_redrive(steps) == [
        "12 11 ExecutionRedriven",
        "13 4 LambdaFunctionScheduled",
        "14 13 LambdaFunctionStarted",
    ]
    steps.answer("T", BROKEN)
    steps.tick()  # its retries are counted anew
    attempts = [event.attempt for event in steps.log if isinstance(event, TaskScheduled)]
    assert attempts == [0, 1, 0, 1]
    steps.answer("T", {"done": True})
    assert outcome(steps.execution) == ("SUCCEEDED", {"done": True})
    check_steps(steps)


def test_the_context_tells_of_the_redrive() -> None:
    seen = {"count.$": "$$.Execution.RedriveCount", "entered.$": "$$.State.EnteredTime", "all.$": "$$.Execution"}
    steps = Steps(scope(T=task(Parameters=seen)))
    parameters: list[Any] = []
    for _ in range(3):
        parameters.append(steps.tasks("T")[0].parameters.value)
        steps.answer("T", BROKEN)
        redriven(steps)
    assert [given["count"] for given in parameters] == [0, 1, 2]
    assert len({given["entered"] for given in parameters}) == 1
    assert "RedriveTime" not in parameters[0]["all"]
    assert list(parameters[1]["all"])[-2:] == ["RedriveCount", "RedriveTime"]
    assert parameters[2]["all"]["RedriveTime"] == "2023-11-14T22:15:20.000Z"
    assert steps.execution.redrive_count == 3
    check_steps(steps)


def test_parallel_goes_on_with_the_branches_that_did_not_succeed() -> None:
    steps = Steps(scope(P=parallel(scope(A=task()), scope(B=task()), scope(C=task()))))
    steps.answer("A", "kept")
    steps.answer("B", BROKEN)
    redriven(steps)
    assert followed(steps) == [entry(steps, "B"), entry(steps, "C")]
    assert [work.frame.state for work in steps.tasks()] == ["B", "C"]
    steps.answer("C", "c")
    steps.answer("B", "b")
    assert outcome(steps.execution) == ("SUCCEEDED", ["kept", "b", "c"])
    names = [line.split()[2] for line in since_redrive(steps)]
    assert names == [
        "ExecutionRedriven",
        *["LambdaFunctionScheduled", "LambdaFunctionStarted"] * 2,
        *["LambdaFunctionSucceeded", "TaskStateExited"] * 2,
        "ParallelStateSucceeded",
        "ParallelStateExited",
        "ExecutionSucceeded",
    ]
    check_steps(steps)


def test_an_inline_map_goes_on_with_its_item_and_those_not_begun() -> None:
    """Recorded from AWS: no iteration is started anew, and the next one follows as ever."""
    steps = Steps(scope(M=each(scope(T=task()), MaxConcurrency=1)), [0, 1, 2])
    steps.answer("T", "first")
    steps.answer("T", BROKEN)
    redriven(steps)
    assert followed(steps) == [entry(steps, "T")]
    steps.answer("T", "second")
    steps.answer("T", "third")
    assert outcome(steps.execution) == ("SUCCEEDED", ["first", "second", "third"])
    names = [line.split()[2] for line in since_redrive(steps)]
    assert "MapStateStarted" not in names
    assert names.count("MapIterationStarted") == 1
    assert names.count("MapIterationSucceeded") == 2
    check_steps(steps)


def test_what_is_nested_goes_on_at_every_level() -> None:
    inner = scope(
        M=each(
            scope(
                X=task(),
            ),
            MaxConcurrency=2,
        )
    )
    steps = Steps(scope(P=parallel(scope(A=wait(100)), inner)), [0, 1, 2])
    steps.answer(steps.tasks("X")[1], "one")
    steps.answer(steps.tasks("X")[0], BROKEN)
    assert steps.execution.status == "FAILED"
    redriven(steps)
    assert [work.frame.index for work in steps.tasks("X")] == [0, 2]
    while steps.tasks("X"):
        work = steps.tasks("X")[0]
        steps.answer(work, f"again {work.frame.index}")
    steps.tick()  # the wait, from the beginning
    assert outcome(steps.execution) == ("SUCCEEDED", [[0, 1, 2], ["again 0", "one", "again 2"]])
    assert steps.at == NOW + 160_000
    check_steps(steps)


def test_variables_are_as_they_were() -> None:
    steps = Steps(
        scope(A=state("Pass", Assign={"x": 1}, Next="T"), T=task(Parameters={"x.$": "$x"}, Assign={"x": 2}))
    )
    steps.answer("T", BROKEN)
    redriven(steps)
    assert steps.tasks("T")[0].parameters.value == {"x": 1}
    check_steps(steps)


STATES: dict[str, tuple[dict[str, Any], Any, list[str]]] = {
    # Recorded from AWS: a Fail state fails again, without being entered again.
    "Fail": (state("Fail", Error="E"), None, ["4 3 ExecutionRedriven", "5 4 ExecutionFailed"]),
    "Choice": (
        state("Choice", Choices=[{"Variable": "$.a", "IsPresent": True, "Next": "End"}]),
        None,
        ["4 3 ExecutionRedriven", "5 4 ExecutionFailed"],
    ),
    "Pass": (state("Pass", InputPath="$.a"), None, ["4 3 ExecutionRedriven", "5 4 ExecutionFailed"]),
    "no result": (
        state("Pass", QueryLanguage="JSONata", Output="{% $x %}"),
        None,
        ["5 4 ExecutionRedriven", "6 2 EvaluationFailed", "7 6 ExecutionFailed"],
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_what_cannot_succeed_fails_again(name: str) -> None:
    definition, data, expected = STATES[name]
    end = {"End": state("Succeed")} if definition["Type"] == "Choice" else {}
    steps = Steps(scope(S=definition, **end), data)
    before = outcome(steps.execution)
    redriven(steps)
    assert outcome(steps.execution) == before
    assert since_redrive(steps) == expected
    check_steps(steps)


def test_an_aborted_task_is_scheduled_again() -> None:
    steps = Steps(scope(T=task(TimeoutSeconds=10)))
    steps.take(StopRequested(NOW, "Stopped", "by hand"))
    redriven(steps)
    assert since_redrive(steps) == [
        "6 5 ExecutionRedriven",
        "7 2 LambdaFunctionScheduled",
        "8 7 LambdaFunctionStarted",
    ]
    assert steps.tasks("T")[0].timeout_due == steps.at + 10_000
    check_steps(steps)


def test_the_timeout_of_the_execution_is_counted_anew() -> None:
    steps = Steps({**scope(T=task()), "TimeoutSeconds": 30})
    steps.take(TimerReported(NOW + 30_000, MACHINE_TIMER))
    steps.at = NOW + 40_000
    assert steps.execution.status == "TIMED_OUT"
    redriven(steps)
    assert machine_deadline(steps.machine, steps.execution) == steps.at + 30_000
    assert steps.take(TimerReported(steps.at + 29_999, MACHINE_TIMER)) == []
    steps.take(TimerReported(steps.at + 30_000, MACHINE_TIMER))
    assert steps.execution.status == "TIMED_OUT"
    check_steps(steps)


def test_a_wait_for_a_moment_that_has_passed_is_over() -> None:
    steps = Steps(scope(W=state("Wait", Timestamp="2023-11-14T22:14:00Z", Next="T"), T=task()))
    steps.take(StopRequested(NOW))
    redriven(steps)
    assert [work.frame.state for work in steps.tasks()] == ["T"]
    check_steps(steps)


def test_a_backoff_is_not_waited_for() -> None:
    steps = Steps(scope(T=task(Retry=retry(IntervalSeconds=1000))))
    steps.answer("T", BROKEN)
    steps.take(StopRequested(NOW))
    redriven(steps)
    assert [(work.attempt, work.started) for work in steps.tasks("T")] == [(0, True)]
    check_steps(steps)


def test_a_parallel_that_has_joined_does_not_run_its_branches_again() -> None:
    steps = Steps(scope(P=parallel(scope(A=task()), ResultSelector={"x.$": "$.nothing"})))
    steps.answer("A", "done")
    assert steps.execution.status == "FAILED"
    redriven(steps)
    assert steps.tasks() == []
    assert since_redrive(steps)[1:] == [f"{len(told(steps.log))} {len(told(steps.log)) - 1} ExecutionFailed"]
    check_steps(steps)


def test_too_much_data_runs_all_branches_again() -> None:
    limits = Limits(payload_bytes=100)
    steps = Steps(scope(P=parallel(scope(A=task()), scope(B=task()))), limits=limits)
    for name in "AB":
        steps.answer(name, "x" * 80)
    assert steps.execution.error == "States.DataLimitExceeded"
    redriven(steps)
    assert [work.frame.state for work in steps.tasks()] == ["A", "B"]
    assert "ParallelStateStarted" in [line.split()[2] for line in since_redrive(steps)]
    for name in "AB":
        steps.answer(name, "small")
    assert outcome(steps.execution) == ("SUCCEEDED", ["small", "small"])
    check_steps(steps)


def failed_at(length: int) -> Steps:
    """An execution whose history has so many events."""
    states = {f"S{n}": state("Pass", Next=f"S{n + 1}") for n in range((length - 3) // 2)}
    last = f"S{len(states)}"
    return Steps(scope(**states, **{last: state("Fail")}), limits=NO_LIMITS)


def fail_task() -> Steps:
    steps = Steps(scope(T=task()))
    steps.answer("T", BROKEN)
    return steps


def succeed() -> Steps:
    return Steps(scope(S=state("Succeed")))


REFUSED: dict[str, tuple[Callable[[], Steps], int, Limits, str | None]] = {
    "it runs": (lambda: Steps(scope(T=task())), 0, AWS_LIMITS, "Execution is RUNNING and cannot be redriven"),
    "it has succeeded": (succeed, 0, AWS_LIMITS, "Execution is SUCCEEDED and cannot be redriven"),
    "just in time": (fail_task, 14 * DAY_MS, AWS_LIMITS, None),
    "too late": (fail_task, 14 * DAY_MS + 1, AWS_LIMITS, "Execution redrivable period exceeded"),
    "late without that limit": (fail_task, 15 * DAY_MS, AWS_LIMITS._replace(redrive_seconds=None), None),
    "too old": (
        fail_task,
        365 * DAY_MS + 1,
        AWS_LIMITS._replace(redrive_seconds=None),
        "Execution has exceeded the max execution time",
    ),
    "old without limits": (fail_task, 1000 * DAY_MS, NO_LIMITS, None),
    "room for two events": (lambda: failed_at(9), 0, Limits(history_events=11), None),
    "room for one": (
        lambda: failed_at(9),
        0,
        Limits(history_events=10),
        "Execution has exceeded the maximum history event limit",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_redriven(name: str) -> None:
    make, later, limits, reason = REFUSED[name]
    steps = make()
    at = NOW + later
    assert not_redrivable(steps.execution, at, limits) == reason
    assert bool(advance(steps.machine, steps.execution, RedriveRequested(at), limits)) == (reason is None)


def test_a_token_is_remembered_for_a_quarter_of_an_hour_and_ten_redrives() -> None:
    steps = fail_task()
    redriven(steps, "first")
    x, first = steps.execution, steps.at
    assert answered_before(x, "first", first + 900_000) == first
    assert answered_before(x, "first", first + 900_001) is None
    assert answered_before(x, "other", first) is answered_before(x, None, first) is None
    for number in range(9):
        steps.answer("T", BROKEN)
        redriven(steps, f"token {number}")
    assert answered_before(x, "first", first) == first
    steps.answer("T", BROKEN)
    redriven(steps, "eleventh")
    assert answered_before(x, "first", first) is None
    assert answered_before(x, "token 0", first) == first + 60_000


def test_after_any_event_it_goes_on_as_it_would_have() -> None:
    """Nested, failed, redriven, aborted, redriven: cut anywhere, the log alone says how it goes on."""
    machine = scope(
        P=parallel(scope(A=task(Next="A2"), A2=task()), scope(M=each(scope(X=task()), MaxConcurrency=2)))
    )
    steps = Steps(machine, [0, 1, 2])
    steps.answer("A", 1)
    steps.answer("X", BROKEN)
    redriven(steps, "one")
    steps.answer("X", "x")
    steps.take(StopRequested(steps.at))
    redriven(steps)
    while steps.tasks():
        steps.answer(steps.tasks()[0], "done")
    assert outcome(steps.execution) == ("SUCCEEDED", ["done", ["x", "done", "done"]])
    check_steps(steps)
    for length in range(1, len(steps.log)):
        cut = fold(IDENTITY, steps.log[:length])
        if cut.status != "RUNNING":
            continue
        rest = advance(steps.machine, cut, Resumed(steps.log[length - 1].at))
        expected = steps.log[length : length + len(rest)]
        assert same([event._replace(at=0) for event in rest], [event._replace(at=0) for event in expected])
        assert (
            picture(cut)["frames"].keys()
            == picture(fold(IDENTITY, steps.log[: length + len(rest)]))["frames"].keys()
        )
    assert json.dumps(picture(fold(IDENTITY, steps.log))) == json.dumps(picture(steps.execution))
