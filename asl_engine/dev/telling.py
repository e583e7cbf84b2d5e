"""One line for each thing that happens: executions begin and end, attempts fail, retries are due."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from asl_engine.practice.moments import AttemptEnded, Following, RetryDue, RunEnded, RunStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run

__all__ = ["Telling"]

FEW_MILLISECONDS: Final = 1
MINUTE: Final = 60


class Telling:
    """``observe`` takes events once they are stored; ``say`` gets each line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._following = Following()

    def observe(self, run: Run, events: list[Event]) -> None:
        if run.execution.identity.map_run is not None:  # there may be a million of them
            return
        who = f"{run.execution.identity.machine_name}/{run.execution.identity.name}"
        for moment in self._following.moments(run, events):
            told = _told(moment)
            if told:
                self.tell(f"{who} {told}")

    def tell(self, text: str) -> None:
        """Say something with the time of day before it."""
        self._say(f"{datetime.now().astimezone():%H:%M:%S} {text}")


def _told(moment: RunStarted | RunEnded | AttemptEnded | RetryDue) -> str:
    match moment:
        case RunStarted(redriven):
            return "redriven" if redriven else "started"
        case RunEnded(status, seconds, error):
            why = f" ({error})" if error else ""
            return f"{status.lower().replace('_', ' ')}{why} after {shown_seconds(seconds)}"
        case AttemptEnded(state, outcome, seconds, error):
            if outcome == "succeeded":
                return ""
            why = f" ({error})" if error else ""
            return f"{state} {outcome.replace('_', ' ')}{why} after {shown_seconds(seconds)}"
        case RetryDue(state, seconds):
            return f"{state} is tried again in {shown_seconds(seconds)}"


def shown_seconds(seconds: float) -> str:
    """``0.012 s``, ``12.3 s``, ``75 s``."""
    return f"{seconds:.3f} s" if seconds < FEW_MILLISECONDS else f"{seconds:.{1 if seconds < MINUTE else 0}f} s"
