"""The timers of an execution: what they are set for, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import is_express
from asl_engine.core.interpreter import MACHINE_TIMER, lifetime_end, machine_deadline

if TYPE_CHECKING:
    from asl_engine.core.execution import OpenWork
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run

__all__ = ["watch_all", "watch_due", "watch_lifetime"]


def watch_lifetime(host: Host, run: Run) -> None:
    """Set the timers that end the execution itself."""
    deadline, last = machine_deadline(run.machine, run.execution), lifetime_end(run.execution, host.limits)
    if deadline is not None:
        host.timers.set(deadline, run, MACHINE_TIMER)
    # Where time jumps it does not jump there of itself: see ``watch_due``.
    if last is not None and (not host.clock.skips or is_express(run.arn)):
        host.timers.set(last, run, MACHINE_TIMER)


def watch_due(host: Host, run: Run, work: OpenWork | None) -> None:
    if work is not None and work.due is not None:
        host.timers.set(work.due, run, work.key)
        last = lifetime_end(run.execution, host.limits)
        if last is not None and last < work.due:
            host.timers.set(last, run, MACHINE_TIMER)


def watch_all(host: Host, run: Run) -> None:
    """Set all timers of the execution anew: what they are set for has moved."""
    watch_lifetime(host, run)
    for work in run.execution.open.values():
        watch_due(host, run, work)
