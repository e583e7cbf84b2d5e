"""What a task is given when it is called: its input, its key, and how to speak up meanwhile."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from asl_engine.arn import is_submitted
from asl_engine.core.stimuli import SubmissionReported
from asl_engine.engine.effects import token_of
from asl_engine.engine.heartbeats import of_task
from asl_engine.resources import TaskCall

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.core.execution import OpenTask
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload

__all__ = ["task_call"]


def task_call(host: Host, run: Run, task: OpenTask) -> TaskCall:
    if task.submitted is not None:
        run.note_submission(task.key)
    return TaskCall(
        resource=task.resource,
        input=task.parameters,
        key=f"{run.arn}:{task.key}",
        attempt=task.attempt,
        deadline=task.timeout_due,
        execution=run.arn,
        state=task.frame.state,
        heartbeat=heartbeat(host, run, task.key),
        role=task.role,
        idle=host.timers.idle,
        deaths=task.frame.deaths,
        payload_bytes=host.limits.payload_bytes,
        token=token_of(run.execution, task) if is_submitted(task.resource) else "",
        submitted=task.submitted,
        submit=submission(host, run, task.key),
    )


def submission(host: Host, run: Run, key: int) -> Callable[[Payload], Awaitable[None]]:
    async def report(output: Payload) -> None:
        await host.ask(run, SubmissionReported(host.clock.now(), key, output))

    async def submit(output: Payload) -> None:
        await host.retrying.insist(run.arn, partial(report, output))  # the work is under way, and not to be lost
        if key in run.tasks:
            run.note_submission(key)

    return submit


def heartbeat(host: Host, run: Run, key: int) -> Callable[[], None]:
    """May be called from any thread."""
    loop = asyncio.get_running_loop()

    def deliver() -> None:
        if run.arn in host.runs:
            stimulus = of_task(run, key, host.clock.now(), stuck=run.arn in host.retrying.stuck)
            if stimulus is not None:
                host.deliver(run, stimulus)

    def beat() -> None:
        loop.call_soon_threadsafe(deliver)

    return beat
