"""What an engine does about the work that its executions have open.

It runs tasks, offers them to workers, drives Map Runs and sets timers, and gives up what is closed.  A task that
leads to the next one performs it too: a sequence of tasks is one asyncio task.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from asl_engine.core.events import ClockSet, TaskFailed, TaskHeartbeatReceived, TaskScheduled, TaskSucceeded
from asl_engine.core.execution import OpenTask, OpenTimer
from asl_engine.core.open_work import CLOSING, OPENING, opened_by
from asl_engine.core.stimuli import MapRunReported, TaskReported
from asl_engine.engine.activity_queue import PendingTask
from asl_engine.engine.due_times import watch_all, watch_due
from asl_engine.engine.heartbeats import put
from asl_engine.engine.host import Host
from asl_engine.engine.task_calls import task_call
from asl_engine.errors import StatesError
from asl_engine.resources import PENDING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from asl_engine.core.events import Event
    from asl_engine.core.execution import OpenMapRun, OpenWork
    from asl_engine.engine.host import StandIn
    from asl_engine.engine.map_runs.registry import MapRunRegistry
    from asl_engine.engine.run import Run
    from asl_engine.resources import Pending, Resource

__all__ = ["Working"]


class WorkHost(Host, Protocol):
    """The engine, as seen by what does the open work of its executions."""

    @property
    def resources(self) -> Mapping[str, Resource]: ...
    @property
    def map_runs(self) -> MapRunRegistry: ...
    @property
    def stand_in(self) -> StandIn | None: ...
    @property
    def closed(self) -> bool: ...


class Working:
    """The open work of an engine's executions.

    ``drive`` has an execution take in what is in its inbox, ``abandon`` leaves one that cannot be driven on.
    """

    def __init__(
        self,
        host: WorkHost,
        drive: Callable[[Run], Awaitable[None]],
        abandon: Callable[[Run, BaseException], None],
    ) -> None:
        self._host = host
        self._drive = drive
        self._abandon = abandon
        # Most events ask for nothing.
        self._asked_for_by: dict[type[Event], Callable[[Run, Any], None]] = {
            **dict.fromkeys(OPENING, self._opened),
            TaskScheduled: self._scheduled,
            TaskHeartbeatReceived: self._heartbeat_received,
            TaskSucceeded: self._answered,
            TaskFailed: self._answered,
            ClockSet: self._clock_set,
            **dict.fromkeys(CLOSING, self._closed),
        }

    # -- what stored events ask for -----------------------------------------------------------------

    def act(self, run: Run, events: list[Event], *, driving: bool) -> None:
        """``driving``: whoever asks performs ``Run.next`` itself."""
        run.takes_next = driving
        for event in events:
            act = self._asked_for_by.get(type(event))
            if act is not None:
                act(run, event)
        run.takes_next = False

    def _opened(self, run: Run, event: Event) -> None:
        self.watch(run, run.execution.open.get(opened_by(event)))

    def _scheduled(self, run: Run, event: TaskScheduled) -> None:
        work = run.execution.open.get(event.seq)
        if isinstance(work, OpenTask) and work.is_activity:
            self.watch(run, work)

    def _heartbeat_received(self, run: Run, event: TaskHeartbeatReceived) -> None:
        watch_due(self._host, run, run.execution.open.get(event.task))

    def _answered(self, run: Run, event: TaskSucceeded | TaskFailed) -> None:
        run.no_longer_pending(event.task)
        run.stop_waiting(event.task)

    def _clock_set(self, run: Run, event: ClockSet) -> None:
        del event
        watch_all(self._host, run)

    def _closed(self, run: Run, event: Event) -> None:
        del event
        run.cancel_closed()
        self._host.map_runs.close(run)

    # -- open work ----------------------------------------------------------------------------------

    def watch(self, run: Run, work: OpenWork | None) -> None:
        """See to open work: run the task or offer it to workers, drive the Map Run, set the timers."""
        if work is None:
            return
        if isinstance(work, OpenTask) and work.is_activity:
            if work.key not in run.tasks:
                self._hold_open(run, work)
        elif not isinstance(work, OpenTimer) and work.started and work.key not in run.tasks:
            if run.takes_next and run.next is None and isinstance(work, OpenTask):
                run.next = work
            else:
                self._spawn(run, work)
        watch_due(self._host, run, work)

    def _hold_open(self, run: Run, work: OpenTask) -> None:
        """The task of an activity is work under way too, for which time does not jump."""
        if work.key in run.pending:  # it has been started: whoever works for it has been found
            return
        host = self._host
        run.pending[work.key] = host.timers.outside()
        if host.stand_in is not None and host.stand_in(host, run, work):
            return
        if not work.started:
            host.activities.offer(work.resource, PendingTask(run, work.key))

    def start_next(self, run: Run) -> None:
        """Whoever drives is not finished yet: the task does not wait for that."""
        if run.next is not None:
            self._spawn(run, run.next)
            run.next = None

    def _spawn(self, run: Run, work: OpenTask | OpenMapRun) -> None:
        run.tasks[work.key] = self._host.spawn(self.go_on(run, work), self._host.timers.busy())

    async def go_on(self, run: Run, work: OpenTask | OpenMapRun | None = None) -> None:
        """Perform open work, if any, then drive the execution; perform what this leads to, and so on."""
        mine = asyncio.current_task()
        assert mine is not None  # noqa: S101  the engine spawns this
        while True:
            if work is not None:
                run.tasks[work.key] = mine
                await self._perform(run, work)
                if run.driving or not run.inbox:
                    return
                if mine.cancelling():  # what was called has ignored that; the drive would meet it
                    run.driving = True
                    self._host.spawn(self.go_on(run), self._host.timers.busy())
                    return
            run.driving = True
            await self._drive(run)
            work, run.next = run.next, None
            if work is None:
                return

    async def _perform(self, run: Run, work: OpenTask | OpenMapRun) -> None:
        """Do open work, and put what has come of it into the inbox."""
        pending = False
        try:
            stimulus = await (self._call(run, work) if isinstance(work, OpenTask) else self._map(run, work))
            pending = stimulus is PENDING and not run.done.done() and work.key in run.execution.open
        finally:
            run.forget(work.key)
            if pending:
                run.pending[work.key] = self._host.timers.outside()
        if stimulus is not None and stimulus is not PENDING:
            put(run, stimulus)

    async def _call(self, run: Run, task: OpenTask) -> TaskReported | Pending | None:
        host = self._host
        try:
            output = await host.resources[task.resource](task_call(host, run, task))
        except StatesError as error:
            return TaskReported(host.clock.now(), task.key, None, error.error, error.cause)
        except BaseException as error:  # a resource is broken, not the task: whoever waits must hear of it
            if host.closed or task.key not in run.tasks:  # or it was told to stop
                raise
            self._abandon(run, error)
            return None
        if output is PENDING:
            return output
        return TaskReported(host.clock.now(), task.key, output)

    async def _map(self, run: Run, work: OpenMapRun) -> MapRunReported | None:
        try:
            return await self._host.map_runs.drive(run, work)
        except Exception as error:  # noqa: BLE001  a child cannot be driven on, and neither can its parent
            self._abandon(run, error)
            return None

    # -- what is given up ---------------------------------------------------------------------------

    def leave(self, run: Run) -> None:
        """Give up all that is under way."""
        run.next = None
        for key in [*run.tasks, *run.pending]:
            run.cancel(key)
