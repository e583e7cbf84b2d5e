"""A compiled state with an observer around it.

The interpreter calls the observer where it would call the state, at the same moments and with the same
turn: what the observer evaluates sees what the state sees, randomness included.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from asl_engine.core.events import ExecutionSucceeded, TaskScheduled, TaskStarted
from asl_engine.core.state import State
from asl_engine.errors import EvaluationError, StatesError
from asl_engine.inspection.map_stages import map_stages
from asl_engine.inspection.stages import stages_after_work, stages_before_work
from asl_engine.payload import Payload
from asl_engine.states.recovery import Recovery, recover

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.decision import Turn
    from asl_engine.inspection.map_stages import Datasets
    from asl_engine.inspection.stages import Stages
    from asl_engine.states.recovery import Catcher

__all__ = ["Elsewhere", "MockedWork", "Observation", "Observed"]


@dataclass
class Observation:
    """The observations: the stages of the data, the failure, if any, and the catcher that took it.

    ``items`` is the number of a Map state's items, if known; ``exchange`` are the request and the
    response of an HTTP Task, each as its members.
    """

    stages: dict[str, Payload | int | float] = field(default_factory=dict)
    error: str | None = None
    cause: str | None = None
    caught_by: int | None = None
    items: int | None = None
    exchange: dict[str, dict[str, str]] = field(default_factory=dict)

    def look_on(self, stages: Stages) -> None:
        """Keep the stages up to the first failure: the state itself then fails at the same point."""
        try:
            self.stages.update(stages)
        except (StatesError, EvaluationError):
            return


class Elsewhere(State):
    """The state after the tested one: the test is over."""

    type: ClassVar[str] = "Succeed"

    def enter(self, turn: Turn) -> None:
        turn.emit_end(ExecutionSucceeded, turn.frame.input)


class Observed(State):
    """A state under test.  ``type`` is for the log, if the state leads to itself."""

    type: ClassVar[str] = "Pass"

    def __init__(self, state: State, language: str, record: Observation) -> None:
        super().__init__(state.name, None)
        self.language = language
        self.state = _with_noted_catchers(state, record)
        self.record = record
        self._entered = False

    @property
    def takes_token(self) -> bool:
        return self.state.takes_token

    def enter(self, turn: Turn) -> None:
        if self._entered:  # it leads to itself
            turn.emit_end(ExecutionSucceeded, turn.frame.input)
            return
        self._entered = True
        self.begin(turn)

    def begin(self, turn: Turn) -> None:
        self.record.look_on(stages_before_work(self.state, self.language, turn))
        self.state.enter(turn)

    def scheduled(self, turn: Turn) -> None:
        self.state.scheduled(turn)

    def waited(self, turn: Turn) -> None:
        self.state.waited(turn)

    def succeeded(self, turn: Turn) -> None:
        self.record.look_on(stages_after_work(self.state, turn, result_of(turn)))
        self.state.succeeded(turn)

    def failed(self, turn: Turn, error: str | None, cause: str | None) -> None:
        self.record.error, self.record.cause = error, cause
        self.state.failed(turn, error, cause)


class MockedWork(Observed):
    """A Parallel or a Map state whose branches or iterations are mocked as a whole, like a task."""

    def __init__(self, state: State, language: str, record: Observation, datasets: Datasets) -> None:
        super().__init__(state, language, record)
        self.datasets = datasets

    def begin(self, turn: Turn) -> None:
        self.record.stages.update(self._stages(turn))
        turn.emit(TaskScheduled, "", Payload({}), None, None, turn.frame.retry_count)

    def scheduled(self, turn: Turn) -> None:
        turn.emit(TaskStarted, turn.frame.work)

    def succeeded(self, turn: Turn) -> None:
        result, state = result_of(turn), self._forking
        self.record.look_on(stages_after_work(state, turn, result))
        state.flow.exit(turn, result, state.next)

    def failed(self, turn: Turn, error: str | None, cause: str | None) -> None:
        self.record.error, self.record.cause = error, cause
        recover(turn, self._forking.recovery, error, cause)

    def _stages(self, turn: Turn) -> Stages:
        if self.state.type == "Map":
            return map_stages(self.state, turn, self.datasets, partial(setattr, self.record, "items"))
        return stages_before_work(self.state, self.language, turn)

    @property
    def _forking(self) -> Any:
        return self.state


def result_of(turn: Turn) -> Payload:
    result = turn.frame.result
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


def _noting(record: Observation, index: int, catcher: Catcher) -> Callable[[Turn, Payload, str], None]:
    def exit_noted(turn: Turn, caught: Payload, target: str) -> None:
        catcher.exit(turn, caught, target)
        record.caught_by = index

    return exit_noted
