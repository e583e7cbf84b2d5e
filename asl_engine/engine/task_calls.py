"""What a task is given when it is called: its input, its key, and how to speak up meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asl_engine.arn import waits_for_token
from asl_engine.core.interpreter import SubmissionReported
from asl_engine.engine.effects import token_of
from asl_engine.engine.heartbeats import of_task
from asl_engine.resources import TaskCall

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.core.execution import OpenTask
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload

__all__ = ["task_call"]


def task_call(engine: Engine, run: Run, task: OpenTask) -> TaskCall:
    return TaskCall(
        resource=task.resource,
        input=task.parameters,
        key=f"{run.arn}:{task.key}",
        attempt=task.attempt,
        deadline=task.timeout_due,
        execution=run.arn,
        state=task.frame.state,
        heartbeat=heartbeat(engine, run, task.key),
        credentials=task.credentials,
        idle=engine.alarms.idle,
        token=token_of(run.execution, task) if waits_for_token(task.resource) else "",
        submitted=task.submitted,
        submit=submission(engine, run, task.key),
    )


def submission(engine: Engine, run: Run, key: int) -> Callable[[Payload], Awaitable[None]]:
    async def submit(output: Payload) -> None:
        await engine.ask(run, SubmissionReported(engine.clock.now(), key, output))

    return submit


def heartbeat(engine: Engine, run: Run, key: int) -> Callable[[], None]:
    """May be called from any thread."""
    loop = asyncio.get_running_loop()

    def deliver() -> None:
        if run.arn in engine.runs:
            stimulus = of_task(run, key, engine.clock.now())
            if stimulus is not None:
                engine.deliver(run, stimulus)

    def beat() -> None:
        loop.call_soon_threadsafe(deliver)

    return beat
