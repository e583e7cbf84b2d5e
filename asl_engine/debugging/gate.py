"""Decides, before each step of an execution, whether the world stops there.

It is asked by decisions that may be given up and taken again, also in a thread: what it has once said of a
place it says again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from asl_engine.core.execution import Phase
from asl_engine.core.frames import BETWEEN_STATES
from asl_engine.core.gate import StepHeld
from asl_engine.debugging.places import Failure, Standpoint, View, chain, kind_of
from asl_engine.errors import UNRECOVERABLE, EvaluationError, StatesError, shown_error
from asl_engine.states.recovery import matches, retrier_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.decision import Decision
    from asl_engine.core.execution import Execution
    from asl_engine.core.frames import Frame
    from asl_engine.core.machine import StateMachine
    from asl_engine.debugging.breakpoints import Breakpoint, Breakpoints, ErrorStops

__all__ = ["DebugGate", "Goal", "Motion", "Stop", "StopReason", "is_caught"]

StopReason: TypeAlias = Literal[
    "entry", "step", "breakpoint", "error", "pause", "waiting", "ended", "goto", "fork"
]
Motion: TypeAlias = Literal["continue", "into", "over", "out"]

LOOKED_AT: Final = frozenset({Phase.NEXT, Phase.ENDED, Phase.FAILED, Phase.ENTERED})


class Stop(NamedTuple):
    """Why the world has stopped, and where; ``place`` is None where it was told to, wherever it was."""

    reason: StopReason
    place: Standpoint | None = None
    breakpoints: tuple[Breakpoint, ...] = ()
    caught: bool = False


class Goal(NamedTuple):
    """Where to stop next: ``motion`` is seen from a frame of an execution, with the frames ``around`` it.

    ``outer`` is the execution that is debugged, where the other one is a child of a Map Run of it.
    """

    motion: Motion
    execution: str = ""
    frame: int = 0
    around: tuple[int, ...] = ()
    outer: str = ""

    def is_reached(self, arn: str, frame: Frame, decision: Decision) -> bool:
        if self.motion == "continue":
            return False
        if self.motion == "into":
            return self._is_within(arn, frame) or self._is_gone(arn, decision)
        if arn != self.execution:
            return arn == self.outer
        if self.motion == "over" and frame.id == self.frame:
            return True
        return frame.id in self.around and (self.motion == "out" or self._is_gone(arn, decision))

    def _is_within(self, arn: str, frame: Frame) -> bool:
        if arn != self.execution:  # the child of a Map Run
            return True
        return any(one.id == self.frame for one in chain(frame))

    def _is_gone(self, arn: str, decision: Decision) -> bool:
        return arn == self.execution and self.frame not in decision.execution.frames


class _Point(NamedTuple):
    """A moment of a frame that does not come again."""

    phase: Phase
    entered: int
    retries: int
    redrives: int


class DebugGate:
    """The gate of an engine that debugs executions of one machine; others go by.

    ``stopped`` is told of a stop, in whatever thread; ``log`` of the messages of log points.
    """

    def __init__(
        self,
        breakpoints: Breakpoints,
        errors: ErrorStops,
        stopped: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self.breakpoints = breakpoints
        self.errors = errors
        self.closed: Stop | None = None
        self.held: set[str] = set()  # the executions that a decision was held of
        self.text = ""  # of the machine that is debugged
        self._goal = Goal("continue")
        self._passed: dict[tuple[str, int], _Point] = {}
        self._stopped = stopped
        self._log = log
        self._machine: StateMachine | None = None
        self._begun = 0  # the last event before the step

    def close(self, stop: Stop) -> None:
        """Stop the world."""
        if self.closed is None:
            self.closed = stop
            self._stopped()

    def open(self, goal: Goal) -> None:
        self._goal = goal
        self.closed = None

    def pass_by(self, view: View) -> None:
        """Do not stop at the place where somebody stands already."""
        if view.frame is not None:
            self._is_new(view.execution, view.frame)

    # -- what the interpreter asks ------------------------------------------------------------------------

    def holds(self, decision: Decision, machine: StateMachine) -> bool:
        arn = decision.execution.identity.arn
        self._machine, self._begun = machine, decision.execution.seq
        frame = decision.frame
        if self.closed is None and machine.text == self.text and frame.phase in LOOKED_AT:
            stop = self._look(decision, machine, frame)
            if stop is not None:
                self.close(stop)
        if self.closed is not None:
            self.held.add(arn)
        return self.closed is not None

    def failing(self, decision: Decision, error: StatesError) -> None:
        frame, machine = decision.frame, self._machine
        if frame.phase is Phase.FAILED or machine is None or machine.text != self.text or self.closed is not None:
            return
        stop = self._at_error(decision, machine, frame, error.error, error.cause)
        if stop is None:
            return
        self.close(stop)
        if decision.execution.seq == self._begun:
            self.held.add(decision.execution.identity.arn)
            raise StepHeld

    # -- whether to stop ----------------------------------------------------------------------------------

    def _look(self, decision: Decision, machine: StateMachine, frame: Frame) -> Stop | None:
        if frame.phase is Phase.FAILED:
            return self._at_error(decision, machine, frame, frame.error, frame.cause)
        if frame.phase is Phase.ENTERED:
            return self._at_fail_state(decision, machine, frame)
        if not self._is_new(decision.execution, frame):
            return None
        x = decision.execution
        place = Standpoint(x.identity.arn, x.seq, frame.id, kind_of(frame))
        view = View(machine, x, place, live=True)
        hit = []
        for one in self.breakpoints.at(view):
            if one.counts():
                if one.message is None:
                    hit.append(one)
                else:
                    self._log(one.message.told(view))
        if hit:
            return Stop("breakpoint", place, tuple(hit))
        return Stop("step", place) if self._goal.is_reached(x.identity.arn, frame, decision) else None

    def _is_new(self, x: Execution, frame: Frame) -> bool:
        """Whether nobody has looked at the frame at this moment."""
        point = _Point(frame.phase, frame.entered_id, frame.retry_count, x.redrive_count)
        key = (x.identity.arn, frame.id)
        if self._passed.get(key) == point:
            return False
        self._passed[key] = point
        return True

    def _at_fail_state(self, decision: Decision, machine: StateMachine, frame: Frame) -> Stop | None:
        """A Fail state tells its error as it is entered."""
        state: Any = machine.states[frame.state]
        if state.type != "Fail":
            return None
        try:
            error, cause = state.error.evaluate(decision), state.cause.evaluate(decision)
        except (StatesError, EvaluationError):  # then this fails the state
            return None
        return self._at_error(decision, machine, frame, error, cause)

    def _at_error(
        self, decision: Decision, machine: StateMachine, frame: Frame, error: str | None, cause: str | None
    ) -> Stop | None:
        if not self._is_new(decision.execution, frame):
            return None
        caught = is_caught(machine, frame, error)
        if not self.errors.wants(error, caught=caught):
            return None
        x = decision.execution
        failure = Failure(shown_error(error), cause)
        place = Standpoint(x.identity.arn, x.seq, frame.id, "error", failure)
        return Stop("error", place, caught=caught)


def is_caught(machine: StateMachine, frame: Frame, error: str | None) -> bool:
    """Whether a Retry or a Catch takes the error, that of the frame's state or of one around it."""
    if error in UNRECOVERABLE:
        return False
    for one in chain(frame):
        if one.phase in BETWEEN_STATES:
            continue
        recovery: Any = getattr(machine.states.get(one.state), "recovery", None)
        if recovery is None:
            continue
        index = retrier_for(recovery, error)
        if index is not None and one.retries.get(index, 0) < recovery.retriers[index].max_attempts:
            return True
        if any(matches(catcher.error_equals, error) for catcher in recovery.catchers):
            return True
    return False
