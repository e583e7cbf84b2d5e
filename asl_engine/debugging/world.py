"""An engine whose executions can be held, all at once: while they are, nothing is decided and no time passes.

Tasks that are under way when the world stops go on: nobody can stop them.  What they answer is kept at once, and
followed when the world goes on.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from asl_engine.arn import is_activity
from asl_engine.core.stimuli import EditRequested, Resumed, TaskReported, WorkerReported
from asl_engine.debugging.answers import DebugTasks
from asl_engine.debugging.gate import DebugGate, Stop
from asl_engine.errors import StoreUnavailable
from asl_engine.project.setup import assemble
from asl_engine.testing.waiting import awaited

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.events import Event
    from asl_engine.core.execution import OpenTask
    from asl_engine.debugging.breakpoints import Breakpoints, ErrorStops
    from asl_engine.debugging.gate import Goal
    from asl_engine.debugging.given import GivenAnswer
    from asl_engine.debugging.held_clock import HeldClock
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload
    from asl_engine.project.setup import Setup
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record
    from asl_engine.testing.waiting import Awaited

__all__ = ["World"]

CHECK_SECONDS = 0.5  # how soon an `asl stop` from elsewhere is noticed


class World:
    """One engine, and the execution that is debugged in it.  Use it as an async context manager.

    Leaving it leaves what has not ended as it is: it can be resumed.
    """

    def __init__(
        self,
        store: Store,
        setup: Setup,
        clock: HeldClock,
        *,
        breakpoints: Breakpoints,
        errors: ErrorStops,
        given: dict[str, GivenAnswer],
        log: Callable[[str], None],
    ) -> None:
        self.clock = clock
        self._setup = setup
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self.gate = DebugGate(breakpoints, errors, self._world_stops, log)
        self.gate.text = setup.machine.text
        tasks = DebugTasks(setup.resources, setup.mocking(store), given, setup.name)
        self.engine = assemble(
            store,
            tasks,
            setup.how,
            setup.project,
            observer=self._observe,
            stand_in=tasks.stand_in,
            activities=filter(is_activity, setup.machine.resources),
            clock=clock,
            await_outside=False,
            gate=self.gate,
        )
        if setup.nested is not None:
            setup.nested.engine = self.engine
        self.run: Run | None = None
        self._impatient = False  # nobody is going to answer: let the time pass that is due
        clock.awaits_somebody = self._awaits_somebody

    async def __aenter__(self) -> Self:
        await self.engine.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.engine.__aexit__(*exc)

    # -- going on -----------------------------------------------------------------------------------------

    async def start(self, machine_name: str, name: str, given: Payload) -> Run:
        """Start an execution.  Raises ``ExecutionAlreadyExists``."""
        machine, how = self._setup.machine, self._setup.how
        self.run = await self.engine.start(machine, machine_name, given, name, how)
        return self.run

    async def resume(self, record: Record) -> Run:
        """Go on with an execution.  Raises ``ExecutionBusy`` where another process drives it."""
        self.run = await self.engine.resume(self._setup.machine, record)
        return self.run

    def stop(self, stop: Stop) -> None:
        self.gate.close(stop)

    def open(self, goal: Goal) -> None:
        """Let the world go on, until the gate stops it."""
        stop = self.gate.closed
        self.gate.open(goal)
        self._impatient = stop is not None and stop.reason == "waiting" and bool(self.waiting())
        self.clock.release()
        # The limit of a year that an execution has is nothing to wait for.
        self.engine.timers.set_horizon(
            max(self._dues(), default=self.clock.now()) if self._impatient else math.inf
        )
        for run in [*self.engine.runs.values()]:
            self._let_on(run)

    def _let_on(self, run: Run) -> None:
        if run.arn in self.gate.held and self.gate.closed is None:
            self.gate.held.discard(run.arn)
            self.engine.deliver(run, Resumed(self.clock.now()))

    async def until_stopped(self) -> Stop:
        """Why the world stands still.  Raises what ``Run.wait`` raises."""
        quiet = asyncio.ensure_future(self.engine.timers.quiet())
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            while True:
                self._woken.clear()
                is_quiet = quiet.done()
                stop = self._standstill(is_quiet=is_quiet)
                if stop is not None:
                    return stop
                if woken.done():
                    woken = asyncio.ensure_future(self._woken.wait())
                # Where it is quiet, nothing happens before time passes or somebody answers.
                awaited = {woken} if is_quiet else {woken, quiet}
                await asyncio.wait(awaited, timeout=CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if is_quiet:
                    quiet = asyncio.ensure_future(self.engine.timers.quiet())
                with suppress(StoreUnavailable):
                    await self.engine.check()
        finally:
            quiet.cancel()
            woken.cancel()

    def _standstill(self, *, is_quiet: bool) -> Stop | None:
        assert self.run is not None  # noqa: S101  it was started
        stop = self.gate.closed
        if stop is not None:
            return stop if self._is_kept(stop) else None
        if self.run.done.done() and not self.engine.runs:
            self.run.done.result()
            self.gate.close(Stop("ended"))
            return Stop("ended")
        if is_quiet and self.engine.runs and self._awaits_nothing_else():
            self.gate.close(Stop("waiting"))
            return Stop("waiting")
        return None

    def _is_kept(self, stop: Stop) -> bool:
        """Whether what led to the stop is on disk."""
        run = None if stop.place is None else self.engine.runs.get(stop.place.execution)
        return run is None or stop.place is None or run.told >= stop.place.seq

    def _awaits_nothing_else(self) -> bool:
        """Whether nothing can happen any more unless somebody outside answers a task."""
        waiting = self.waiting()
        runs = self.engine.runs.values()
        if not waiting and any(run.tasks for run in runs):  # one that waits for a nested execution, say
            return False
        if self.clock.is_skipping:  # what is due has come
            return True
        others = set() if self._impatient else {task.key for _, task in waiting}
        return not any(
            work.due is not None and work.key not in others for run in runs for work in run.execution.open.values()
        )

    def _dues(self) -> list[int]:
        return [
            work.due
            for run in self.engine.runs.values()
            for work in run.execution.open.values()
            if work.due is not None
        ]

    def _awaits_somebody(self) -> bool:
        return not self._impatient and bool(self.waiting())

    def _world_stops(self) -> None:
        self.clock.hold()
        self._loop.call_soon_threadsafe(self._woken.set)

    def _observe(self, run: Run, events: list[Event]) -> None:
        del events
        self._let_on(run)  # it was begun while the world stood still
        self._woken.set()

    # -- what is done to executions -------------------------------------------------------------------------

    async def edit(self, arn: str, frame: int, given: Payload | None, variables: Payload | None) -> bool:
        """Give a frame between two states other data; whether it was there to take it."""
        run = self.engine.runs.get(arn)
        if run is None:
            return False
        return bool(await self.engine.ask(run, EditRequested(self.clock.now(), frame, given, variables)))

    def waiting(self) -> list[tuple[Run, OpenTask]]:
        """The tasks that wait for somebody outside."""
        from asl_engine.core.execution import OpenTask

        return [
            (run, work)
            for run in self.engine.runs.values()
            for work in run.execution.open.values()
            if isinstance(work, OpenTask) and work.key in run.pending and work.key not in run.tasks
        ]

    def awaited(self) -> list[Awaited]:
        return awaited(self.engine.runs.values())

    async def answer(self, run: Run, task: OpenTask, given: GivenAnswer) -> None:
        """Answer a task for whoever it waits for."""
        if not task.started:
            await self.engine.ask(run, WorkerReported(self.clock.now(), task.key))
        report = TaskReported(self.clock.now(), task.key, given.output, given.error, given.cause)
        await self.engine.ask(run, report)

    async def abort(self) -> None:
        """Abort the execution, where it has not ended."""
        run = self.run
        if run is not None and not run.done.done():
            record = await self.engine.store.record(run.arn)
            if record is not None:
                await self.engine.stop(self._setup.machine, record, None, None)
