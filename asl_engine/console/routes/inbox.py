"""Tasks that wait for somebody to answer, and how to take one that no worker has taken."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from asl_engine.console.payloads import shown
from asl_engine.console.refusals import ConsoleError
from asl_engine.console.shown import Glimpse, run_of_glimpse
from asl_engine.console.waiting import count_waiting, waiting_tasks
from asl_engine.core import events as ev
from asl_engine.core.execution import OpenTask
from asl_engine.engine.activity_queue import PendingTask
from asl_engine.engine.effects import token_of
from asl_engine.server.operations.activities import begin_task
from asl_engine.server.protocol.errors import ApiError

if TYPE_CHECKING:
    from asl_engine.console.asked import Asked
    from asl_engine.engine.run import Run

__all__ = ["inbox", "take"]

WORKER: Final = "console"
LOOKED_BACK: Final = 50  # events before that of the task
LOOKED_AT: Final = 300


async def inbox(asked: Asked) -> dict[str, Any]:
    limit = asked.number("limit", 100, 1, 500)
    begin = asked.position("console inbox") or 0
    found = [*islice(waiting_tasks(asked.service, asked.api), begin, begin + limit + 1)]
    return {
        "tasks": [_task(asked, run, task) | await _told(asked, run.arn, task) for run, task in found[:limit]],
        "next": asked.token(begin + limit if len(found) > limit else None, "console inbox"),
        "total": count_waiting(asked.service, asked.api),
    }


def _task(asked: Asked, run: Run, task: OpenTask) -> dict[str, Any]:
    return {
        "kind": "activity" if task.is_activity else "token",
        "run": run_of_glimpse(asked.service, Glimpse.of(run.execution)),
        "state": task.frame.state,
        "task": task.key,
        "token": token_of(run.execution, task) if task.started or not task.is_activity else None,
        "resource": task.resource,
        "activity": task.resource if task.is_activity else None,
        "enteredAt": task.frame.entered_at,
        "attempt": task.attempt,
        "heartbeatSeconds": task.heartbeat,
        "heartbeatDue": task.heartbeat_due,
        "timeoutAt": task.timeout_due,
        "payload": shown(task.parameters, arn=run.arn, event=task.key, field="parameters"),
    }


async def _told(asked: Asked, arn: str, task: OpenTask) -> dict[str, Any]:
    """What the log says of the task: when it was scheduled, with which event its state was entered, who has it.

    ``entry`` is None where that was long before, as after many retries.
    """
    events = await asked.service.store.history(arn, max(0, task.key - LOOKED_BACK), LOOKED_AT)
    entry = scheduled = worker = None
    for event in events:
        if isinstance(event, ev.StateEntered) and event.frame == task.frame.id and event.seq < task.key:
            entry = event.seq
        elif isinstance(event, ev.TaskScheduled) and event.seq == task.key:
            scheduled = event.at
        elif isinstance(event, ev.TaskStarted) and event.task == task.key:
            worker = event.worker
    return {"entry": entry, "scheduledAt": scheduled, "worker": worker}


async def take(asked: Asked) -> dict[str, Any]:
    """Be the worker of an activity's task.  Raises ``ConsoleError`` where somebody else is, or it is over."""
    arn, key = asked.given("arn"), asked.given_number("task")
    run = asked.service.engine.runs.get(arn) if asked.api.owns(arn) else None
    work = None if run is None or key is None else run.execution.open.get(key)
    if run is None or not isinstance(work, OpenTask) or not work.is_activity:
        raise ApiError("TaskTimedOut", "The task does not wait any more")
    if work.started:
        raise ConsoleError(409, "TaskTaken", "Another worker has taken the task", "Look at the inbox anew.")
    task = await begin_task(asked.service, PendingTask(run, work.key), WORKER)
    if task is None:
        raise ApiError("TaskTimedOut", "The task does not wait any more")
    return {"token": token_of(run.execution, task)}
