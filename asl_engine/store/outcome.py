"""How a batch of events changes the status of its execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.core import events as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.execution import Status

__all__ = ["outcome", "redriven"]

_STATUS: dict[type[ev.Event], Status] = {
    ev.ExecutionSucceeded: "SUCCEEDED",
    ev.ExecutionFailed: "FAILED",
    ev.ExecutionTimedOut: "TIMED_OUT",
    ev.ExecutionAborted: "ABORTED",
}


def outcome(events: Sequence[ev.Event]) -> tuple[Status, int] | None:
    """The final status and its time, in milliseconds since the epoch; None if the execution goes on."""
    if not events:
        return None
    last = events[-1]
    status = _STATUS.get(type(last))
    return None if status is None else (status, last.at)


def redriven(events: Sequence[ev.Event]) -> ev.ExecutionRedriven | None:
    """The redrive that the batch begins with: the execution runs again, unless the batch also ends it."""
    return events[0] if events and isinstance(events[0], ev.ExecutionRedriven) else None
