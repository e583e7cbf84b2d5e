"""What a failure ends: the frame that fails, and the branches, iterations and Map Runs that go with it.

The events that tell of it, and the event that each follows, were recorded from AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.core import events as ev
from asl_engine.core.frames import BETWEEN_STATES, OpenMapRun
from asl_engine.errors import UNRECOVERABLE, shown_error

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.core.frames import Frame

__all__ = ["abort_children", "abort_map_runs", "fail"]

# State types that the history shows as aborted; the others are over as soon as they are entered.
ABORTED_TYPES = frozenset({"Task", "Wait", "Parallel", "Map"})
# Those among them that are shown as aborted even if they failed: the others' failure is shown as such.
FAILED_TYPES = frozenset({"Task"})


def fail(decision: Decision, error: str | None, cause: str | None) -> None:
    """End the decision's frame with a failure: the execution's own, or its branch's or iteration's.

    Error and cause are cut to the lengths that AWS stores.
    """
    frame = decision.frame
    parent = frame.parent
    # Recorded from AWS: what cannot be caught ends the execution where it happens.
    if parent is None or error in UNRECOVERABLE:
        abort_map_runs(decision)
        decision.frame = frame
        decision.emit_end(ev.ExecutionFailed, *decision.cut(shown_error(error), cause))
        return
    _fail_child(decision, frame, parent, *decision.cut(error, cause))
    decision.mark_ready(parent)


def _fail_child(decision: Decision, failed: Frame, parent: Frame, error: str | None, cause: str | None) -> None:
    """Let a branch or an iteration fail, which gives up all others: told in the order of their indexes."""
    if parent.fork is None:
        return
    follows = failed.last_id
    _show_fallen(decision, parent, follows)
    for child in _by_index(parent):
        if child is not failed:
            _abort(decision, child, parent, follows)
            continue
        decision.frame = failed
        if parent.type == "Map":
            decision.emit(ev.MapIterationFailed, parent.state, failed.index, error, cause)
        else:
            decision.emit_internal(ev.BranchFailed, error, cause)
        _show_aborted(decision, failed, follows)


def abort_map_runs(decision: Decision) -> None:
    """Give up every Map Run of an execution that is about to end, as far as the history has room."""
    x, room = decision.execution, decision.most
    for work in list(x.open.values()):
        if isinstance(work, OpenMapRun) and (room is None or x.history_length < room - 2):
            decision.frame = work.frame
            decision.emit(ev.MapRunAborted, work.key)


def abort_children(decision: Decision, frame: Frame) -> None:
    """Give up the branches or iterations that are under way, with all that they have begun."""
    _abort_children(decision, frame, frame.last_id)


def _abort_children(decision: Decision, frame: Frame, follows: int) -> None:
    _show_fallen(decision, frame, follows)
    for child in _by_index(frame):
        _abort(decision, child, frame, follows)


def _by_index(frame: Frame) -> list[Frame]:
    return sorted(frame.fork.children.values(), key=lambda child: child.index) if frame.fork is not None else []


def _show_fallen(decision: Decision, frame: Frame, follows: int) -> None:
    """The log may have ended between a child's end and its state's."""
    for child in frame.fork.fallen.values() if frame.fork is not None else ():
        _show_aborted(decision, child, follows)


def _abort(decision: Decision, child: Frame, parent: Frame, follows: int) -> None:
    _abort_children(decision, child, follows)
    decision.frame = child
    work = decision.execution.open.get(child.work)
    if isinstance(work, OpenMapRun):
        decision.emit(ev.MapRunAborted, work.key, previous=follows)
    if parent.type == "Map":
        decision.emit(ev.MapIterationAborted, parent.state, child.index, previous=follows)
    else:
        decision.emit_internal(ev.BranchAborted)
    _show_aborted(decision, child, follows)


def _show_aborted(decision: Decision, child: Frame, follows: int) -> None:
    types = ABORTED_TYPES if child.error is None else FAILED_TYPES
    if child.type in types and child.phase not in BETWEEN_STATES and not child.outcome_shown:
        decision.frame = child
        decision.emit(ev.StateAborted, child.state, child.type, previous=follows)
