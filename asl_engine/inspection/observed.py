"""A compiled state with an observer around it.

The interpreter meets the observer where it would meet the state, at the same moments and with the same
decision: what is evaluated there for the record sees what the state sees, randomness included.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from asl_engine.core.events import ExecutionSucceeded, TaskScheduled, TaskStarted
from asl_engine.core.state import State
from asl_engine.errors import UNRECOVERABLE, EvaluationError, StatesError
from asl_engine.inspection.map_stages import map_stages
from asl_engine.inspection.stages import stages_after_work, stages_before_work
from asl_engine.payload import Payload
from asl_engine.states.recovery import Recovery, recover, retrier_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.decision import Decision
    from asl_engine.inspection.map_stages import Datasets
    from asl_engine.inspection.stages import Stages
    from asl_engine.states.recovery import Catcher

__all__ = ["Elsewhere", "MockedWork", "Observation", "Observed"]


@dataclass
class Observation:
    """The observations: the stages of the data, the failure, if any, and the catcher that took it.

    ``used_up`` is the retrier for that failure, where it has no attempts left.
    ``items`` is the number of a Map state's items, if known; ``exchange`` are the request and the
    response of an HTTP Task, each as its members.
    """

    stages: dict[str, Payload | int | float] = field(default_factory=dict)
    error: str | None = None
    cause: str | None = None
    caught_by: int | None = None
    used_up: int | None = None
    items: int | None = None
    exchange: dict[str, dict[str, str]] = field(default_factory=dict)

    def look_on(self, stages: Stages) -> None:
        """Keep the stages up to the first failure: the state itself then fails at the same point."""
        try:
            self.stages.update(stages)
        except (StatesError, EvaluationError):
            return

    def note_failure(
        self, decision: Decision, recovery: Recovery | None, error: str | None, cause: str | None
    ) -> None:
        self.error, self.cause = error, cause
        index = None if recovery is None or error in UNRECOVERABLE else retrier_for(recovery, error)
        if index is not None and recovery is not None:
            tries = decision.frame.retries.get(index, 0)
            self.used_up = index if tries >= recovery.retriers[index].max_attempts else None


class Elsewhere(State):
    """The state after the tested one: the test is over."""

    type: ClassVar[str] = "Succeed"

    def enter(self, decision: Decision) -> None:
        decision.emit_end(ExecutionSucceeded, decision.frame.input)


class Observed(State):
    """A state under test.  ``type`` is for the log, if the state leads to itself."""

    type: ClassVar[str] = "Pass"

    def __init__(self, state: State, language: str, record: Observation) -> None:
        super().__init__(state.name, None)
        self.language = language
        self.state = _with_noted_catchers(state, record)
        self.record = record
        self.takes_token = state.takes_token
        self._entered = False

    def enter(self, decision: Decision) -> None:
        if self._entered:  # it leads to itself
            decision.emit_end(ExecutionSucceeded, decision.frame.input)
            return
        self._entered = True
        self.begin(decision)

    def begin(self, decision: Decision) -> None:
        self.record.look_on(stages_before_work(self.state, self.language, decision))
        self.state.enter(decision)

    def scheduled(self, decision: Decision) -> None:
        self.state.scheduled(decision)

    def waited(self, decision: Decision) -> None:
        self.state.waited(decision)

    def succeeded(self, decision: Decision) -> None:
        self.record.look_on(stages_after_work(self.state, decision, result_of(decision)))
        self.state.succeeded(decision)

    def failed(self, decision: Decision, error: str | None, cause: str | None) -> None:
        self.record.note_failure(decision, getattr(self.state, "recovery", None), error, cause)
        self.state.failed(decision, error, cause)


class MockedWork(Observed):
    """A Parallel or a Map state whose branches or iterations are mocked as a whole, like a task."""

    def __init__(self, state: State, language: str, record: Observation, datasets: Datasets) -> None:
        super().__init__(state, language, record)
        self.datasets = datasets

    def begin(self, decision: Decision) -> None:
        self.record.stages.update(self._stages(decision))
        decision.emit(TaskScheduled, "", Payload({}), None, None, decision.frame.retry_count)

    def scheduled(self, decision: Decision) -> None:
        decision.emit(TaskStarted, decision.frame.work)

    def succeeded(self, decision: Decision) -> None:
        result, state = result_of(decision), self._forking
        self.record.look_on(stages_after_work(state, decision, result))
        state.flow.exit(decision, result, state.next)

    def failed(self, decision: Decision, error: str | None, cause: str | None) -> None:
        self.record.note_failure(decision, self._forking.recovery, error, cause)
        recover(decision, self._forking.recovery, error, cause)

    def _stages(self, decision: Decision) -> Stages:
        if self.state.type == "Map":
            return map_stages(self.state, decision, self.datasets, partial(setattr, self.record, "items"))
        return stages_before_work(self.state, self.language, decision)

    @property
    def _forking(self) -> Any:
        return self.state


def result_of(decision: Decision) -> Payload:
    result = decision.frame.result
    assert result is not None  # noqa: S101  the work has succeeded
    return result


def _with_noted_catchers(state: State, record: Observation) -> State:
    """The same state, with catchers that record when they are followed."""
    recovery: Any = getattr(state, "recovery", None)
    if recovery is None:
        return state
    catchers = tuple(
        catcher._replace(exit=_noting(record, index, catcher)) for index, catcher in enumerate(recovery.catchers)
    )
    made: State = replace(state, recovery=Recovery(recovery.retriers, catchers))  # type: ignore[call-arg]  # every state with a Catch has it
    return made


def _noting(record: Observation, index: int, catcher: Catcher) -> Callable[[Decision, Payload, str], None]:
    def exit_noted(decision: Decision, caught: Payload, target: str) -> None:
        catcher.exit(decision, caught, target)
        record.caught_by = index

    return exit_noted
