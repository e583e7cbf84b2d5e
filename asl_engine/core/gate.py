"""What may hold an execution between two steps, such as a debugger.

Nobody else pays for it: without a gate, a decision takes its steps as if there were no such thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.core.machine import StateMachine
    from asl_engine.errors import StatesError

__all__ = ["Gate", "StepHeld"]


class StepHeld(Exception):
    """The execution is to be held before the step that was being taken, which has led to no event."""


class Gate(Protocol):
    """Asked by ``advance``.  What it holds goes on with the next stimulus, once the gate lets it."""

    def holds(self, decision: Decision, machine: StateMachine) -> bool:
        """Whether to stop before the next step of the decision's frame."""
        ...

    def failing(self, decision: Decision, error: StatesError) -> None:
        """The step has failed.  Where it has led to no event, ``StepHeld`` may be raised to stop before it."""
        ...
