"""What happens, as it happens, for somebody who watches a terminal.

Lines for what has happened, and one line, written over and over, for what is being waited for.
"""

from __future__ import annotations

from itertools import islice
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from asl_engine.arn import function_name
from asl_engine.cli.output import clean, err, readable_cause, seconds
from asl_engine.core import events as ev
from asl_engine.core.execution import OpenMapRun, OpenTask, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.execution import OpenWork
    from asl_engine.engine.map_runs.registry import MapRunRegistry
    from asl_engine.engine.run import Run

__all__ = ["Progress"]


MAX_WAITED_FOR = 10  # more than fit into a line, less than a Map may have open


class Progress:
    """Tell ``observe`` of events, and call ``tick`` now and then."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}  # by frame
        self._drawn = 0
        self.map_runs: MapRunRegistry | None = None  # the engine's, which knows how far they are

    def observe(self, run: Run, events: list[ev.Event]) -> None:
        if run.execution.identity.map_run is not None:  # there may be a million of them
            return
        self.clear()
        start = run.execution.identity.started_at
        for event in events:
            if isinstance(event, ev.StateEntered):
                self._names[event.frame] = event.name
            line = _LINES.get(type(event))
            if line is not None:
                by_the_clock = event._replace(at=event.at - run.execution.ahead)  # as what is due
                err(self._line(event.at - start, self._name(run, event), line(by_the_clock)))

    def _name(self, run: Run, event: ev.Event) -> str:
        if event.frame not in self._names and event.frame in run.execution.frames:  # a run that was resumed
            self._names[event.frame] = run.execution.frames[event.frame].state
        return self._names.get(event.frame, "")

    def _line(self, since_start: int, name: str, text: str) -> str:
        return clean(f"{seconds(since_start):>10}  {name:<24}  {text}")

    def tick(self, run: Run, now: int, *, stuck: bool = False) -> None:
        """Draw what the execution waits for; ``stuck``: that is the database."""
        some = islice(tuple(run.execution.open.values()), MAX_WAITED_FOR)  # a thread may be deciding
        waiting = [text for work in some if (text := self._waiting(work, now))]
        if stuck:
            waiting = ["waits until the database can be used"]
        if not waiting:
            self.clear()
            return
        since_start = now + run.execution.ahead - run.execution.identity.started_at
        line = f"{seconds(since_start):>10}  {clean('; '.join(waiting))}"[: get_terminal_size().columns - 1]
        err("\r" + line.ljust(self._drawn), end="")  # in one go: it must not flicker
        self._drawn = len(line)

    def _waiting(self, work: OpenWork, now: int) -> str:
        live = None
        if self.map_runs is not None and isinstance(work, OpenMapRun):
            live = self.map_runs.live(work.arn)
        if live is None:
            return _waiting(work, now)
        counts = live.standing()
        ended = sum(counts.items.values()) - counts.items.get("RUNNING", 0)
        failed = counts.items.get("FAILED", 0) + counts.items.get("TIMED_OUT", 0)
        shown = f"{work.frame.state}  {ended:,} of {counts.total:,} items done"
        return f"{shown}, {failed:,} failed" if failed else shown

    def clear(self) -> None:
        """Take away what ``tick`` has drawn."""
        if self._drawn:
            err("\r" + " " * self._drawn + "\r", end="")
            self._drawn = 0


def _waiting(work: OpenWork, now: int) -> str:
    state = work.frame.state
    if isinstance(work, OpenMapRun):
        return f"{state}  Map Run"
    if isinstance(work, OpenTask):
        limit = "" if work.due is None else f", {seconds(work.due - now)} to its timeout"
        return f"{state}  running{limit}" if work.started else ""
    if work.frame.phase is Phase.BACKOFF:
        return f"{state}  retry in {seconds(work.due - now)}"
    return f"{state}  waits for {seconds(work.due - now)} more"


def _scheduled(event: ev.TaskScheduled) -> str:
    name = function_name(event.resource) or event.resource
    return f"calls {name}" if event.attempt == 0 else f"calls {name}, retry {event.attempt}"


def _failed(event: Any) -> str:
    cause = readable_cause(event.cause)
    return f"failed: {event.error}" + (f": {cause}" if cause else "")


def _set(event: ev.ClockSet) -> str:
    if event.by == 0:
        return "the clock has caught up"
    return f"the clock was set {'forward' if event.by > 0 else 'back'} by {seconds(abs(event.by))}"


def _left(event: ev.StateExited) -> str:
    return "done" if event.next is None else f"done, next is {event.next}"


_LINES: dict[type[ev.Event], Callable[[Any], str]] = {
    ev.StateEntered: lambda event: f"entered ({event.type})",
    ev.StateExited: _left,
    ev.TaskScheduled: _scheduled,
    ev.TaskFailed: _failed,
    ev.TaskTimedOut: _failed,
    ev.TaskRestarted: lambda _: "calls again what had been interrupted",
    ev.ClockSet: _set,
    ev.WaitScheduled: lambda event: f"waits for {seconds(event.due - event.at)}",
    ev.RetryScheduled: lambda event: f"retry in {seconds(event.due - event.at)}",
}
