"""What ends an execution from outside: StopExecution, and the deletion of its state machine."""

from __future__ import annotations

from asl_engine.core.events import ExecutionAborted, ExecutionFailed, MachineDeleted
from asl_engine.core.stimuli import MachineDeletionReported, RedriveRequested, StopRequested
from asl_engine.errors import StatesError
from tests.core.driver import IDENTITY, NOW
from tests.core.steps import Steps, catch, check_steps, each, parallel, retry, scope, state, task, wait

CAUSE = f"State machine {IDENTITY.machine_name} has been deleted."
DELETION = MachineDeletionReported(NOW)


def deleted(steps: Steps) -> None:
    (event,) = steps.take(DELETION)
    assert isinstance(event, MachineDeleted)
    assert event.id == 0  # no history shows it
    assert steps.take(DELETION) == []
    assert steps.execution.status == "RUNNING"


def check_failed(steps: Steps) -> None:
    last = steps.log[-1]
    assert isinstance(last, ExecutionFailed)
    assert (last.error, last.cause) == ("States.Runtime", CAUSE)
    assert last.previous == next(event.id for event in reversed(steps.log[:-1]) if event.id)
    assert (steps.execution.status, steps.execution.open) == ("FAILED", {})
    check_steps(steps)


def test_the_next_state_of_a_deleted_machine_is_not_entered() -> None:
    steps = Steps(scope(T=task(Next="P"), P=state("Pass")))
    deleted(steps)
    steps.answer("T", 1)
    assert steps.types(steps.log)[-3:] == ["LambdaFunctionSucceeded", "TaskStateExited", "ExecutionFailed"]
    check_failed(steps)


def test_a_wait_is_sat_through() -> None:
    steps = Steps(scope(W=wait(60, Next="P"), P=state("Pass")))
    deleted(steps)
    steps.tick()
    check_failed(steps)


def test_a_retry_is_no_transition_and_a_catcher_leads_to_one() -> None:
    steps = Steps(scope(T=task(Retry=retry(MaxAttempts=1), Catch=catch("P")), P=state("Pass")))
    deleted(steps)
    steps.answer("T", StatesError("E", None))
    steps.tick()
    assert steps.execution.status == "RUNNING"
    steps.answer("T", StatesError("E", None))
    check_failed(steps)


def test_nothing_can_catch_it() -> None:
    branches = scope(T=task(Next="P"), P=state("Pass")), scope(U=task())
    steps = Steps(scope(B=parallel(*branches, Catch=catch("Q", "States.ALL")), Q=state("Pass")))
    deleted(steps)
    steps.answer("T", 1)
    check_failed(steps)


def test_no_further_iteration_begins() -> None:
    steps = Steps(scope(M=each(scope(T=task()), MaxConcurrency=1)), [1, 2])
    deleted(steps)
    steps.answer("T", 1)
    assert steps.tasks() == []
    assert steps.execution.status == "FAILED"
    check_steps(steps)


def test_the_last_state_ends_as_it_would() -> None:
    steps = Steps(scope(T=task()))
    deleted(steps)
    steps.answer("T", 1)
    assert steps.execution.status == "SUCCEEDED"
    assert steps.take(DELETION) == []
    check_steps(steps)


def test_a_redrive_goes_on_without_it() -> None:
    steps = Steps(scope(T=task(Next="P"), P=state("Pass")))
    deleted(steps)
    steps.answer("T", 1)
    steps.take(RedriveRequested(NOW))
    assert steps.execution.status == "SUCCEEDED"
    check_steps(steps)


def test_an_abortion_follows_from_nothing() -> None:
    steps = Steps(scope(T=task()))
    (event,) = steps.take(StopRequested(NOW, "Bad", "by hand"))
    assert isinstance(event, ExecutionAborted)
    assert (event.previous, event.error, event.cause) == (0, "Bad", "by hand")
    assert steps.take(RedriveRequested(NOW))[0].previous == event.id
    check_steps(steps)
