"""Daemon threads for work that would block the event loop.

``asyncio.to_thread`` and anyio's worker threads are joined when the process exits, so one callable that
never returns would keep it from exiting; these threads are not.  And a thread whose caller has gone away
is given up: it stops counting against the limit, and it ends when its work does.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DaemonThreads", "run_in_thread"]

_T = TypeVar("_T")


class _Job:
    """One piece of work.  ``result`` and ``failure`` are written before ``future`` is resolved."""

    __slots__ = ("abandoned", "context", "failure", "future", "loop", "result", "running", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.context = copy_context()
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.result: Any = None
        self.failure: BaseException | None = None
        self.running = False
        self.abandoned = False

    def perform(self) -> None:
        try:
            self.result = self.context.run(self.work)
        except BaseException as failure:  # noqa: BLE001  it is raised again where the result is awaited
            self.failure = failure

    def report(self) -> None:
        with suppress(RuntimeError):  # the loop has been closed: no caller waits any more
            self.loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class DaemonThreads:
    """A pool that grows on demand up to ``limit`` threads; further work waits for a free thread."""

    def __init__(self, limit: int = 64) -> None:
        self.limit = limit
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = Lock()
        self._threads = 0
        self._idle = 0  # threads without work minus jobs without a thread: negative under a backlog

    async def run(self, work: Callable[[], _T]) -> _T:
        """The result of ``work()``, called in a thread within a copy of the current context.

        Raises what ``work`` raises.  Cancelled, it abandons the work, whose outcome is then dropped.
        """
        job = _Job(work)
        with self._lock:
            self._idle -= 1
            self._grow()
        self._jobs.put(job)
        try:
            await job.future
        except asyncio.CancelledError:
            self._abandon(job)
            raise
        failure, job.failure = job.failure, None
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # it and the frames in its traceback must not keep each other alive
        result: _T = job.result
        return result

    def _grow(self) -> None:
        """Start a thread if work waits for one and the limit allows; the caller holds the lock."""
        if self._idle < 0 and self._threads < self.limit:
            Thread(target=self._serve, name="asl-task", daemon=True).start()
            self._threads += 1
            self._idle += 1

    def _abandon(self, job: _Job) -> None:
        with self._lock:
            job.abandoned = True
            if job.running:
                self._threads -= 1
                self._grow()

    def _serve(self) -> None:
        while True:
            job = self._jobs.get()
            if self._begin(job):
                job.perform()
            if self._ended(job):
                return
            job.report()
            del job  # an idle thread must not keep the last result alive

    def _begin(self, job: _Job) -> bool:
        with self._lock:
            job.running = not job.abandoned
            return job.running

    def _ended(self, job: _Job) -> bool:
        """Whether this thread has been replaced while it ran ``job``."""
        with self._lock:
            if job.running and job.abandoned:
                return True
            job.running = False
            self._idle += 1
            return False


_shared = DaemonThreads()


async def run_in_thread(work: Callable[[], _T]) -> _T:
    """``DaemonThreads.run`` on the threads that the whole process shares."""
    return await _shared.run(work)
