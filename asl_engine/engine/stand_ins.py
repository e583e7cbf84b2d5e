"""Stand-ins: what answers a task instead of what its Resource names, and how the history shows that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from asl_engine.arn import is_submitted, waits_for_token
from asl_engine.core.stimuli import TaskReported, WorkerReported
from asl_engine.engine.task_calls import task_call
from asl_engine.errors import StatesError
from asl_engine.payload import Payload
from asl_engine.resources import PENDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.core.execution import OpenTask
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.resources import Pending, Resource, TaskCall

__all__ = ["StandIns"]

# Errors of a job or a callback; those of a request are named after its service, ``SQS.AmazonSQSException``.
AFTER_SUBMISSION = frozenset({"States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout"})


class StandIns(ABC, Mapping[str, "Resource"]):
    """Resources, with stand-ins before them.  Whoever derives from it says which tasks have one.

    For the tasks of activities, which call no resource, ``stand_in`` is the engine's argument of that name.
    """

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self._resources = resources

    @abstractmethod
    async def find(self, call: TaskCall) -> Resource | None:
        """What answers this task, None for what its Resource names.  Raises ``StatesError`` to fail the task."""

    @abstractmethod
    def covers(self, run: Run, task: OpenTask) -> bool:
        """Whether ``find`` would give an answer for the task of an activity."""

    def __getitem__(self, resource: str) -> Resource:
        async def called(call: TaskCall) -> Payload | Pending:
            answer = await self.find(call)
            if answer is None:
                return await self._resources[resource](call)
            return await _answered(answer, call)

        return called

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def stand_in(self, host: Host, run: Run, task: OpenTask) -> bool:
        """Answer the task of an activity, as if a worker had; False for one without a stand-in."""
        if not self.covers(run, task):
            return False
        host.spawn(self.work(host, run, task), host.timers.busy())
        return True

    async def work(self, host: Host, run: Run, task: OpenTask, answer: Resource | None = None) -> None:
        """Answer the task of an activity, with what ``find`` gives unless the answer is known."""
        insist = partial(host.retrying.insist, run.arn)
        if not task.started:
            await insist(lambda: host.ask(run, WorkerReported(host.clock.now(), task.key)))
        call = task_call(host, run, task)
        try:
            answer = answer or await self.find(call)
            output = None if answer is None else await answer(call)
            assert isinstance(output, Payload), "it covers the task"  # noqa: S101  for the type checker
            report = TaskReported(host.clock.now(), task.key, output)
        except StatesError as error:
            report = TaskReported(host.clock.now(), task.key, None, error.error, error.cause)
        await insist(lambda: host.ask(run, report))


async def _answered(answer: Resource, call: TaskCall) -> Payload | Pending:
    """The answer.  A task that waits for work elsewhere is shown as submitted before it ends."""
    try:
        output = await answer(call)
    except StatesError as error:
        if _has_been_submitted(call.resource, error.error):
            await call.submit(Payload({}))
        raise
    if is_submitted(call.resource):
        await call.submit(Payload({}) if output is PENDING else output)
    return output


def _has_been_submitted(resource: str, error: str | None) -> bool:
    """Whether a task of this kind fails so only when its request has been answered."""
    if not is_submitted(resource):
        return False
    return error in AFTER_SUBMISSION or (waits_for_token(resource) and "." not in (error or ""))
