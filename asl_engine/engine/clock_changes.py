"""What a wall clock that was set means for the executions that are driven here: each is told, through its inbox.

Whatever was put into an inbox before has the time of before, and is decided before.  So the core needs no clock of
its own to count seconds by: it is told how far the only one that it knows has moved, and the log tells it again.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Final

from asl_engine.core.stimuli import ClockSetReported, Heartbeat
from asl_engine.engine.heartbeats import put
from asl_engine.engine.run import HeartbeatTimes

if TYPE_CHECKING:
    from asl_engine.core.execution import Execution
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run

__all__ = ["ClockChanges"]

TOGETHER: Final = 500  # executions, which share a few commits
PATIENCE_SECONDS: Final = 1.0


class ClockChanges:
    """``total`` is how far the wall clock was set since the engine was made, back and forth, in milliseconds."""

    def __init__(self, host: Host) -> None:
        self.clock = host.clock
        self._host = host
        self.total = 0

    def follow(self, by: int) -> None:
        """The wall clock has just been set."""
        self.total += by
        runs = [run for run in self._host.runs.values() if not run.done.done()]
        for run in runs:
            self._tell(run, by)
        if runs:
            self._host.spawn(self._drive(runs), self._host.timers.busy())

    def since(self, execution: Execution) -> int:
        """``Run.clock`` of an execution that was read from the log just now."""
        return self.total - self.clock.set_back_since(execution.at - execution.ahead)

    def catch_up(self, run: Run) -> None:
        """Tell an execution that is driven from now on of what it has missed: see ``Run.clock``."""
        by = self.total - run.clock
        if by or run.execution.ahead:
            self._tell(run, by)
            self._host.activate(run)

    def _tell(self, run: Run, by: int) -> None:
        now = self.clock.now()
        beaten = run.heartbeats or {}
        for key, (heard, reported) in beaten.items():  # no remembered one is left from before
            if heard > reported:
                run.inbox.append(Heartbeat(now - by, key, heard))
            beaten[key] = HeartbeatTimes(heard + by, heard + by)
        put(run, ClockSetReported(now, by))

    async def _drive(self, runs: list[Run]) -> None:
        """Not all at once: there may be a hundred thousand."""
        rest = iter(runs)
        while some := list(islice(rest, TOGETHER)):
            driving = [task for run in some if (task := self._host.activate(run)) is not None]
            if driving:
                await asyncio.wait(driving, timeout=PATIENCE_SECONDS)  # some may wait for a disk that is full
