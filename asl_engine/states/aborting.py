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

__all__ = ["abort_children", "abort_map_runs", "fail_child"]

# State types that the history shows as aborted; the others are over as soon as they are entered.
ABORTED_TYPES = frozenset({"Task", "Wait", "Parallel", "Map"})
# Those among them that are shown as aborted even if they failed: the others' failure is shown as such.
FAILED_TYPES = frozenset({"Task"})


def fail_child(turn: Turn, failed: Frame, parent: Frame, error: str | None, cause: str | None) -> None:
    """Let a branch or an iteration fail, which gives up all others: told in the order of their indexes."""
    if parent.fork is None:
        return
    follows = failed.last_id
    _show_fallen(turn, parent, follows)
    for child in _by_index(parent):
        if child is not failed:
            _abort(turn, child, parent, follows)
            continue
        turn.frame = failed
        if parent.type == "Map":
            turn.emit(ev.MapIterationFailed, parent.state, failed.index, error, cause)
        else:
            turn.emit_internal(ev.BranchFailed, error, cause)
        _show_aborted(turn, failed, follows)


def abort_map_runs(turn: Turn) -> None:
    """Give up every Map Run of an execution that is about to end, as far as the history has room."""
    x, room = turn.execution, turn.limits.history_events
    for work in list(x.open.values()):
        if isinstance(work, OpenMapRun) and (room is None or x.history_length < room - 2):
            turn.frame = work.frame
            turn.emit(ev.MapRunAborted, work.key)


def abort_children(turn: Turn, frame: Frame) -> None:
    """Give up the branches or iterations that are under way, with all that they have begun."""
    _abort_children(turn, frame, frame.last_id)


def _abort_children(turn: Turn, frame: Frame, follows: int) -> None:
    _show_fallen(turn, frame, follows)
    for child in _by_index(frame):
        _abort(turn, child, frame, follows)


def _by_index(frame: Frame) -> list[Frame]:
    return sorted(frame.fork.children.values(), key=lambda child: child.index) if frame.fork is not None else []


def _show_fallen(turn: Turn, frame: Frame, follows: int) -> None:
    """The log may have ended between a child's end and its state's."""
    for child in frame.fork.fallen.values() if frame.fork is not None else ():
        _show_aborted(turn, child, follows)


def _abort(turn: Turn, child: Frame, parent: Frame, follows: int) -> None:
    _abort_children(turn, child, follows)
    turn.frame = child
    work = turn.execution.open.get(child.work)
    if isinstance(work, OpenMapRun):
        turn.emit(ev.MapRunAborted, work.key, previous=follows)
    if parent.type == "Map":
        turn.emit(ev.MapIterationAborted, parent.state, child.index, previous=follows)
    else:
        turn.emit_internal(ev.BranchAborted)
    _show_aborted(turn, child, follows)


def _show_aborted(turn: Turn, child: Frame, follows: int) -> None:
    types = ABORTED_TYPES if child.error is None else FAILED_TYPES
    if child.type in types and child.phase not in BETWEEN_STATES and not child.settled:
        turn.frame = child
        turn.emit(ev.StateAborted, child.state, child.type, previous=follows)
