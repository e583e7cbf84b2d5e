"""Redrives under test: a run that has failed goes on, and so do the answers of its tasks."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.errors import ExecutionNotRedrivable
from asl_engine.testing import Workflow, fails, returns
from asl_engine.testing.observers import OBSERVERS
from tests.testing.machines import FUNCTION, RETRY, machine, task

TWO = machine(A=task(f"{FUNCTION}a", Next="B"), B=task(f"{FUNCTION}b", Retry=RETRY))
MODE = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
MANY = machine(
    M={
        "Type": "Map",
        "ItemProcessor": {**machine(One=task(f"{FUNCTION}one")), "ProcessorConfig": MODE},
        "End": True,
    }
)


def test_a_redrive_goes_on_with_the_answers_and_the_assertions_are_about_the_whole() -> None:
    answers = {"a": [1], "b": [*[fails("E")] * 4, fails("F", "why"), returns(7, after="10s")]}
    run = Workflow(TWO, answers).run({})
    run.assert_failed("E").state("B").assert_attempts(4, delays=[2, 4, 8])

    run.redrive().assert_failed("F", "why")
    run.redrive().assert_running()
    run.finish().assert_succeeded(7).assert_path("A", "B")
    run.state("B").assert_attempts(6, delays=[2, 4, 8]).assert_called_with(*[1] * 6)
    assert run.redrives == 2
    assert run.clock.now.isoformat() == "2024-01-01T00:00:24+00:00"
    assert [event["type"] for event in run.history].count("ExecutionRedriven") == 2
    assert run.tree.splitlines() == [
        "StateMachine: SUCCEEDED, redriven twice",
        "├─ A",
        "└─ B: 6 attempts, after 2s, 4s, 8s, a redrive, a redrive; E x 4, F",
    ]


def test_the_children_of_a_map_run_that_failed_go_on() -> None:
    run = Workflow(MANY, {"one": [1, fails("E"), 3, 4]}).run([1, 2, 3])
    run.assert_failed("States.ExceedToleratedFailureThreshold")

    run.redrive().assert_succeeded([1, 4, 3])
    run.state("M").assert_iterations(3)
    run.state("One").assert_entered(3).assert_attempts(4, delays=[])
    assert run.state("One").calls == [1, 2, 2, 3]


def test_a_run_that_was_stopped_goes_on_where_it_waited() -> None:
    run = Workflow(machine(W={"Type": "Wait", "Seconds": 60, "End": True})).start({})
    run.stop("Enough").assert_aborted("Enough")
    run.redrive().assert_waits_for("W").finish().assert_succeeded()


@pytest.mark.parametrize(
    ("answer", "seconds", "reason"),
    [
        (1, 0, "Execution is SUCCEEDED and cannot be redriven"),
        (fails("E"), 15 * 86400, "Execution redrivable period exceeded"),
    ],
)
def test_what_cannot_be_redriven_says_why(answer: Any, seconds: int, reason: str) -> None:
    run = Workflow(machine(A=task(f"{FUNCTION}a")), {"a": answer}).run()
    run.clock.advance(seconds)
    with pytest.raises(ExecutionNotRedrivable, match=reason):
        run.redrive()


def test_a_run_that_goes_on_cannot_be_redriven() -> None:
    run = Workflow(machine(W={"Type": "Wait", "Seconds": 60, "End": True})).start({})
    with pytest.raises(ExecutionNotRedrivable, match="Execution is RUNNING and cannot be redriven"):
        run.redrive()
    run.close()


def test_observers_hear_of_what_went_on_once_more_and_of_nothing_else() -> None:
    told: list[tuple[str, str]] = []

    def ran(definition: Any, events: Any, test_id: str | None) -> None:
        del test_id
        who = "parent" if definition.execution.map_run is None else "child"
        told.append((who, type(events[-1]).__name__))

    OBSERVERS.append(ran)
    try:
        run = Workflow(MANY, {"one": [1, fails("E"), 3, 4]}).run([1, 2, 3])
        first, told[:] = sorted(told), []
        run.redrive()
    finally:
        OBSERVERS.remove(ran)
    done, failed = "ExecutionSucceeded", "ExecutionFailed"
    assert first == [("child", failed), ("child", done), ("child", done), ("parent", failed)]
    assert sorted(told) == [("child", done), ("parent", done)]
