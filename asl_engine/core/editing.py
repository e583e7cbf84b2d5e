"""Other data for an execution that stands between two states: what somebody who debugs it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.core.events import InputReplaced, VariablesReplaced
from asl_engine.core.frames import BETWEEN_STATES

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.stimuli import EditRequested

__all__ = ["edit"]


def edit(decision: Decision, machine: StateMachine, stimulus: EditRequested) -> None:
    """Replace the input of the state that a frame is about to enter, and its variables."""
    del machine
    frame = decision.execution.frames.get(stimulus.frame)
    if frame is None or frame.phase not in BETWEEN_STATES:
        return
    decision.frame = frame
    if stimulus.input is not None:
        decision.emit_internal(InputReplaced, stimulus.input.apart())
    if stimulus.variables is not None:
        decision.emit_internal(VariablesReplaced, stimulus.variables.apart())
