"""Activity workers: poll for tasks, call the project's callables, report; wherever the machine runs.

A worker promises that a task is reported, or is given up so that its timeout or its heartbeat lets the
definition's Retry have it done elsewhere.  A server that is away is waited for; a worker that is asked to stop
finishes what it has begun, and what its last polls still bring.
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
LONGEST_PAUSE = 10.0  # seconds between attempts to reach a server that is away
# The task is somebody else's by now, or nobody's: there is nobody to report to.
GONE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}
# The result cannot be told: the task is left to its timeout.
UNTELLABLE = {"InvalidOutput", "ValidationException"}
# What no waiting puts right.
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
    """An activity and what does its tasks.  ``heartbeat`` is in seconds."""

    activity: str
    name: str
    resource: Resource
    heartbeat: float


class PolledTask(NamedTuple):
    """A task that has been handed to this worker."""

    token: str
    input: str


class WorkerPool:
    """The workers of one process: ``concurrency`` for each job.

    ``tell`` gets lines for people; ``worker`` is the name that histories show.
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
        """Take no new tasks; finish those that there are."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until ``stop`` is called.  Raises ``AwsError`` for what no waiting puts right."""
        slots = [asyncio.ensure_future(self._slot(job)) for job in self._jobs for _ in range(self._concurrency)]
        try:
            await asyncio.gather(*slots)
        finally:
            for slot in slots:
                slot.cancel()
            await asyncio.gather(*slots, return_exceptions=True)

    async def _slot(self, job: ActivityWork) -> None:
        """One task after the other."""
        while not self._stopping.is_set():
            ask = partial(self._polls.get_activity_task, activityArn=job.activity, workerName=self._worker)
            answer = await self._answer(f"poll for tasks of {job.activity}", ask, patient=False)
            if answer is not None and answer.get("taskToken"):
                await self._perform(job, PolledTask(answer["taskToken"], answer["input"]))

    async def _perform(self, job: ActivityWork, task: PolledTask) -> None:
        """Do a task and report it, with heartbeats meanwhile."""
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
        """Say that the task is alive, at intervals and when it says so itself; return when it is given up."""
        send = partial(self._sends.send_task_heartbeat, taskToken=task.token)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(beat.wait(), job.heartbeat)
            beat.clear()
            if await self._answer("send a heartbeat", send, patient=False, gone=GONE) is GIVEN_UP:
                return

    async def _report(self, job: ActivityWork, task: PolledTask, report: Payload | StatesError) -> bool:
        """Tell the result, as often as it takes.  False where nobody wants it any more."""
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

        Who is not ``patient`` stops repeating, with None, when the worker is asked to stop.  Raises
        ``AwsError`` for what no waiting puts right.
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
            await asyncio.sleep(min(LONGEST_PAUSE, 0.1 * 2**attempt) * (0.5 + random() / 2))


GIVEN_UP = object()


def _explained(doing: str, call: Callable[[], T]) -> T:
    with explained(doing):
        return call()


def _set_in(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """From any thread; a loop that has been closed has nobody to tell."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(event.set)


async def _outcome(job: ActivityWork, call: TaskCall) -> Payload | StatesError:
    """What the callable makes of the task; its failure is a result too."""
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
