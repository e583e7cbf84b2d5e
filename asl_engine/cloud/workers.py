"""Activity workers: they poll for tasks, call the project's callables and report, wherever the machine runs.

A worker either reports a task or gives it up; then the task's timeout or heartbeat fails, and the definition's
Retry assigns it to another worker.  A worker waits for a server that does not answer.  When it is asked to stop,
it finishes its tasks, and those that its open polls still return.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from hashlib import sha256
from random import random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from asl_engine.cloud.client import AwsError, error_code, explained
from asl_engine.errors import StatesError
from asl_engine.limits import AWS_LIMITS, cut, utf8_length
from asl_engine.payload import Payload
from asl_engine.resources import TaskCall
from asl_engine.resources.python.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.cloud.client import Aws
    from asl_engine.resources import Resource

__all__ = ["ActivityWork", "WorkerPool"]

T = TypeVar("T")

POLL_TIMEOUT = 75  # seconds: GetActivityTask answers after 60, the service model says
MAX_PAUSE = 10.0  # seconds between attempts to reach a server that is away
# The task is no longer open, or another worker has it: there is nothing to report.
GONE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}
# The server refuses the result: the task is left to its timeout.
UNTELLABLE = {"InvalidOutput", "ValidationException"}
# Errors that waiting cannot cure.
FATAL = {
    *(
        "ActivityDoesNotExist",
        "InvalidArn",
        "AccessDenied",
        "AccessDeniedException",
        "UnrecognizedClientException",
    ),
    *("ExpiredToken", "ExpiredTokenException", "InvalidSignatureException", "InvalidClientTokenId"),
    *("UnknownOperationException", "ValidationException"),
}


class ActivityWork(NamedTuple):
    """An activity, and the resource that does its tasks.  ``heartbeat`` is in seconds."""

    activity: str
    name: str
    resource: Resource
    heartbeat: float


class PolledTask(NamedTuple):
    """A task that this worker has received."""

    token: str
    input: str


class WorkerPool:
    """The workers of one process: ``concurrency`` for each job.

    ``tell`` receives lines for people; ``worker`` is the name that histories show.
    """

    def __init__(
        self, aws: Aws, jobs: Sequence[ActivityWork], *, concurrency: int, worker: str, tell: Callable[[str], None]
    ) -> None:
        self._jobs = jobs
        self._concurrency = concurrency
        self._worker = worker
        self._tell = tell
        slots = concurrency * len(jobs)
        # One connection for each poll, and for each report and heartbeat beside it.
        once: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "max_pool_connections": slots + 1}
        self._polls = aws.client("stepfunctions", read_timeout=POLL_TIMEOUT, **once)
        self._sends = aws.client("stepfunctions", **once)
        self._threads = DaemonThreads(3 * slots + 1)
        self._stopping = asyncio.Event()
        self._away = False
        self.done = 0

    def stop(self) -> None:
        """Take no new tasks, and finish the current ones."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until ``stop`` is called.  Raises ``AwsError`` for an error that waiting cannot cure."""
        slots = [asyncio.ensure_future(self._slot(job)) for job in self._jobs for _ in range(self._concurrency)]
        try:
            await asyncio.gather(*slots)
        finally:
            for slot in slots:
                slot.cancel()
            await asyncio.gather(*slots, return_exceptions=True)

    async def _slot(self, job: ActivityWork) -> None:
        """Poll for tasks and do them, one at a time."""
        while not self._stopping.is_set():
            ask = partial(self._polls.get_activity_task, activityArn=job.activity, workerName=self._worker)
            answer = await self._answer(f"poll for tasks of {job.activity}", ask, patient=False)
            if answer is not None and answer.get("taskToken"):
                await self._perform(job, PolledTask(answer["taskToken"], answer["input"]))

    async def _perform(self, job: ActivityWork, task: PolledTask) -> None:
        """Do a task and report it; send heartbeats meanwhile."""
        beat = asyncio.Event()
        loop = asyncio.get_running_loop()
        call = TaskCall(
            resource=job.activity,
            input=Payload.of_text(task.input),
            key=sha256(task.token.encode()).hexdigest(),
            attempt=0,
            deadline=None,
            execution="",
            state="",
            heartbeat=lambda: _set_in(loop, beat),
        )
        work = asyncio.ensure_future(_outcome(job, call))
        beats = asyncio.ensure_future(self._beats(job, task, beat))
        try:
            await asyncio.wait([work, beats], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._tell(f"{job.name}: the task has timed out there: it is given up here")
                return
            report = work.result()
            if not await self._report(job, task, report):
                self._tell(f"{job.name}: the result is not taken: the task has timed out there")
                return
            self.done += 1
        finally:
            for part in (work, beats):
                part.cancel()
            await asyncio.gather(work, beats, return_exceptions=True)

    async def _beats(self, job: ActivityWork, task: PolledTask, beat: asyncio.Event) -> None:
        """Send heartbeats at intervals, and when the task asks for one.  Returns when the task is given up."""
        send = partial(self._sends.send_task_heartbeat, taskToken=task.token)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(beat.wait(), job.heartbeat)
            beat.clear()
            if await self._answer("send a heartbeat", send, patient=False, gone=GONE) is GIVEN_UP:
                return

    async def _report(self, job: ActivityWork, task: PolledTask, report: Payload | StatesError) -> bool:
        """Report the result until the server answers.  Returns False if the task is no longer open there."""
        if isinstance(report, Payload):
            send = partial(self._sends.send_task_success, taskToken=task.token, output=report.text)
        else:
            error, cause = cut(report.error, report.cause, AWS_LIMITS)
            send = partial(
                self._sends.send_task_failure, taskToken=task.token, error=error or "", cause=cause or ""
            )
        doing = f"report a task of {job.activity}"
        return await self._answer(doing, send, patient=True, gone=GONE | UNTELLABLE) is not GIVEN_UP

    async def _answer(
        self, doing: str, call: Callable[[], Any], *, patient: bool, gone: set[str] | frozenset[str] = frozenset()
    ) -> Any:
        """The answer of a call, repeated while the server is away; GIVEN_UP for the errors ``gone``.

        Without ``patient``, it returns None once the worker is asked to stop.  Raises ``AwsError`` for an error
        that waiting cannot cure.
        """
        attempt = 0
        while True:
            try:
                answer = await self._threads.run(partial(_explained, doing, call))
            except AwsError as error:
                code = error_code(error)
                if code in gone:
                    return GIVEN_UP
                if code in FATAL:
                    raise
                if not self._away:
                    self._away = True
                    self._tell(f"{error}; trying again until it succeeds")
            else:
                if self._away:
                    self._away = False
                    self._tell("the endpoint answers again")
                return answer
            if self._stopping.is_set() and not patient:
                return None
            attempt += 1
            await asyncio.sleep(min(MAX_PAUSE, 0.1 * 2**attempt) * (0.5 + random() / 2))


GIVEN_UP = object()


def _explained(doing: str, call: Callable[[], T]) -> T:
    with explained(doing):
        return call()


def _set_in(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set an event of a loop from any thread; nothing happens if the loop is closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(event.set)


async def _outcome(job: ActivityWork, call: TaskCall) -> Payload | StatesError:
    """The result of the callable, or the error that it failed with."""
    try:
        result = await job.resource(call)
    except StatesError as error:
        return error
    assert isinstance(result, Payload)  # noqa: S101  a callable answers at once; only resources of servers do not
    most = AWS_LIMITS.payload_bytes
    if most is not None and utf8_length(result.text) > most:
        return StatesError(
            "States.DataLimitExceeded",
            f"The activity {job.name} returned a result with a size exceeding the maximum number of bytes "
            "service limit.",
        )
    return result
