"""What is given up when a branch or an iteration fails, and how the history shows it.

Recorded from AWS: all of it follows from the event that failed, the failed Task too is shown as aborted, and
an iteration's end comes before its state's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine import events as ev
from asl_engine.frames import BETWEEN_STATES, OpenMapRun

if TYPE_CHECKING:
    from asl_engine.frames import Frame
    from asl_engine.states.turn import Turn

__all__ = ["abort_children"]

# State types that the history shows as aborted; the others are over as soon as they are entered.
ABORTED_TYPES = frozenset({"Task", "Wait", "Parallel", "Map"})
# Those among them that are shown as aborted even if they failed: the others' failure is shown as such.
FAILED_TYPES = frozenset({"Task"})


def abort_children(turn: Turn, frame: Frame) -> None:
    """Give up the branches or iterations that are under way, with all that they have begun."""
    _abort_children(turn, frame, frame.last_id)


def _abort_children(turn: Turn, frame: Frame, cause: int) -> None:
    """``cause`` is the event that all of this follows from."""
    if frame.fork is None:
        return
    # The log may have ended between a child's end and its state's.
    for child in frame.fork.fallen.values():
        _show_aborted(turn, child, cause)
    for child in list(frame.fork.children.values()):
        _abort(turn, child, frame, cause)


def _abort(turn: Turn, child: Frame, parent: Frame, cause: int) -> None:
    _abort_children(turn, child, cause)
    turn.frame = child
    work = turn.execution.open.get(child.work)
    if isinstance(work, OpenMapRun):
        turn.emit(ev.MapRunAborted, work.key, previous=cause)
    if parent.type == "Map":
        turn.emit(ev.MapIterationAborted, parent.state, child.index, previous=cause)
    else:
        turn.emit_internal(ev.BranchAborted)
    _show_aborted(turn, child, cause)


def _show_aborted(turn: Turn, child: Frame, cause: int) -> None:
    types = ABORTED_TYPES if child.error is None else FAILED_TYPES
    if child.type in types and child.phase not in BETWEEN_STATES and not child.settled:
        turn.frame = child
        turn.emit(ev.StateAborted, child.state, child.type, previous=cause)
