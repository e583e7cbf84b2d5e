"""Heartbeats of running tasks: all are heard, few are stored.

An event for each would fill the log of a task that says a thousand times per second that it is alive.  So at most
one in a tenth of HeartbeatSeconds is reported at once.  Of the others the last is remembered, and reported before
anything that could find the task silent: its timer, or its own answer.  So it times out at the same millisecond
as if all were stored.  A crash loses what is remembered, and HeartbeatSeconds count anew then anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.core.execution import OpenTask
from asl_engine.core.interpreter import timeout_of
from asl_engine.core.stimuli import Heartbeat, TaskReported
from asl_engine.engine.run import HeartbeatTimes

if TYPE_CHECKING:
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.run import Run

__all__ = ["of_task", "put"]

SHARE = 100  # milliseconds for each second of HeartbeatSeconds: a tenth


def of_task(run: Run, key: int, now: int, *, stuck: bool = False) -> Heartbeat | None:
    """What to tell the execution of a heartbeat that comes now; None where nothing follows, or it is remembered.

    ``stuck``: the execution takes nothing in at present, so it does not know of the last heartbeats yet.
    """
    task = run.execution.open.get(key)
    if not isinstance(task, OpenTask):
        return None
    if stuck:
        if task.timeout_due is not None and now >= task.timeout_due:  # its timer waits to be heard
            return None
    elif timeout_of(task, now) is not None:
        return Heartbeat(now, key)
    if task.heartbeat is None:
        return None
    if run.heartbeats is None:
        run.heartbeats = {}
    last = run.heartbeats.get(key)
    if last is None:
        run.heartbeats[key] = HeartbeatTimes(now, now)
        return Heartbeat(now, key)
    if now - last.reported >= task.heartbeat * SHARE:
        return Heartbeat(now, key)
    run.heartbeats[key] = HeartbeatTimes(now, last.reported)
    return None


def put(run: Run, stimulus: Stimulus) -> None:
    """Put a stimulus into the inbox, and before it the heartbeat that the execution has to know then."""
    if run.heartbeats and (heartbeat := _remembered(run, run.heartbeats, stimulus)) is not None:
        run.inbox.append(heartbeat)
    run.inbox.append(stimulus)


def _remembered(run: Run, heartbeats: dict[int, HeartbeatTimes], stimulus: Stimulus) -> Heartbeat | None:
    """The heartbeat that the execution has to hear of before this stimulus, if there is one."""
    key = getattr(stimulus, "task", getattr(stimulus, "timer", 0))
    last, task = heartbeats.get(key), run.execution.open.get(key)
    if last is None:
        return None
    if not isinstance(task, OpenTask) or isinstance(stimulus, TaskReported):
        del heartbeats[key]
    elif isinstance(stimulus, Heartbeat):
        heartbeats[key] = HeartbeatTimes(stimulus.at, stimulus.at)
    elif last.heard > last.reported and task.heartbeat_due is not None and stimulus.at >= task.heartbeat_due:
        heartbeats[key] = HeartbeatTimes(last.heard, last.heard)
    if not isinstance(task, OpenTask) or task.heartbeat_due is None or stimulus.at < task.heartbeat_due:
        return None
    return Heartbeat(stimulus.at, key, last.heard) if last.heard > last.reported else None
