"""What a task is given when it is called: its input, its key, and how to speak up meanwhile."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asl_engine.arn import is_submitted
from asl_engine.core.stimuli import SubmissionReported
from asl_engine.engine.effects import token_of
from asl_engine.engine.heartbeats import of_task
from asl_engine.resources import TaskCall

if TYPE_CHECKING:
    from asl_engine.core.execution import OpenTask
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload

__all__ = ["task_call"]


def task_call(host: Host, run: Run, task: OpenTask) -> TaskCall:
    if task.submitted is not None:
        run.note_submission(task.key)
    voice = _Voice(host, run, task.key)
    frame = task.frame
    return TaskCall(
        task.resource,
        task.parameters,
        f"{run.arn}:{task.key}",
        task.attempt,
        task.timeout_due,
        run.arn,
        frame.state,
        voice.beat,
        role=task.role,
        token=token_of(run.execution, task) if is_submitted(task.resource) else "",
        submitted=task.submitted,
        submit=voice.submit,
        idle=host.timers.idle,
        deaths=frame.deaths,
        payload_bytes=host.limits.payload_bytes,
        execution_id=run.execution.id,
    )


class _Voice:
    """How a task speaks up while it is being done."""

    __slots__ = ("_host", "_key", "_run")

    def __init__(self, host: Host, run: Run, key: int) -> None:
        self._host = host
        self._run = run
        self._key = key

    async def submit(self, output: Payload) -> None:
        run, key = self._run, self._key
        report = partial(self._report, output)
        await self._host.retrying.insist(run.arn, report)  # the work is under way, and not to be lost
        if key in run.tasks:
            run.note_submission(key)

    async def _report(self, output: Payload) -> None:
        await self._host.ask(self._run, SubmissionReported(self._host.clock.now(), self._key, output))

    def beat(self) -> None:
        """May be called from any thread."""
        self._run.done.get_loop().call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        host, run = self._host, self._run
        if run.arn in host.runs:
            stimulus = of_task(run, self._key, host.clock.now(), stuck=run.arn in host.retrying.stuck)
            if stimulus is not None:
                host.deliver(run, stimulus)
