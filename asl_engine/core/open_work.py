"""Which events open work that the world is to see to, and which close it from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.core.events import (
    MapRunAborted,
    MapRunRedriven,
    MapRunStarted,
    RetryScheduled,
    StateAborted,
    TaskStarted,
    TaskTimedOut,
    WaitScheduled,
)

if TYPE_CHECKING:
    from asl_engine.core.events import Event

__all__ = ["CLOSING", "OPENING", "opened_by"]

OPENING = frozenset({TaskStarted, WaitScheduled, RetryScheduled, MapRunStarted, MapRunRedriven})
CLOSING = frozenset({TaskTimedOut, StateAborted, MapRunAborted})


def opened_by(event: Event) -> int:
    """The key of the work that an event of ``OPENING`` opens."""
    if isinstance(event, TaskStarted):
        return event.task
    return event.map_run if isinstance(event, MapRunRedriven) else event.seq
