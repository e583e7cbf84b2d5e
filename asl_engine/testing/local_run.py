"""An execution under test that the engine runs here, in memory and in virtual time."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import unlabelled
from asl_engine.core.execution import OpenTask
from asl_engine.core.redrive import not_redrivable
from asl_engine.core.stimuli import WorkerReported
from asl_engine.engine.clock import VirtualClock
from asl_engine.errors import ExecutionNotRedrivable
from asl_engine.project.setup import assemble
from asl_engine.projections.descriptions import history_event
from asl_engine.projections.history import project as project_history
from asl_engine.projections.moments import iso
from asl_engine.testing.executions import ExecutionLog
from asl_engine.testing.hiding import hidden
from asl_engine.testing.moved_clock import MovedClock
from asl_engine.testing.observers import ObservedDefinition, tell
from asl_engine.testing.waiting import Awaited, WaitingTask, awaited, waiting_tasks
from asl_engine.testing.workflow_run import WorkflowRun
from asl_engine.visits.reading import Lane, Visit, read_visits

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from asl_engine.api import Prepared
    from asl_engine.core.events import Event
    from asl_engine.core.execution import Status
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Run
    from asl_engine.projections.history import HistoryEvent
    from asl_engine.store.memory.store import MemoryStore
    from asl_engine.testing.lab_tasks import LabTasks

__all__ = ["LocalRun"]

__tracebackhide__ = hidden


class Beginning(NamedTuple):
    """What has begun an execution: another one, with its event ``seq``."""

    execution: str
    seq: int


def beginning(key: str) -> Beginning:
    """The task with this key."""
    execution, _, seq = key.rpartition(":")
    return Beginning(execution, int(seq))


class LocalRun(WorkflowRun):
    """Nothing happens between two calls of the test."""

    def __init__(
        self,
        start: Prepared,
        tasks: LabTasks,
        store: MemoryStore,
        now: int,
        test_id: str | None,
        *,
        is_observed: bool = True,
    ) -> None:
        self._start = start
        self._tasks = tasks
        self._store = store
        self._test_id = test_id
        self._is_observed = is_observed
        self.name, self.machine_name = start.name, start.machine_name
        self.definition = start.machine.text
        self._time = VirtualClock(now)
        self._clock = MovedClock(self._time, self._pass_until)
        self._logs: dict[str, tuple[Run, list[Event]]] = {}
        self._known: set[str] = set()
        self._begun: dict[Beginning, list[str]] = {}  # in the order in which they have begun
        self._visits: tuple[int, list[Visit]] = (-1, [])
        self._told: dict[str, int] = {}  # how many events of each execution the observers know
        self._runner: asyncio.Runner | None = None
        self._run: Run = self._go_on(self._begin)
        self._look()

    # -- what it did ------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        return self._run.execution.status

    @property
    def output(self) -> Any:
        """None unless the execution succeeded."""
        output = self._run.execution.output
        return None if output is None else output.value

    @property
    def error(self) -> str | None:
        return self._run.execution.error

    @property
    def cause(self) -> str | None:
        return self._run.execution.cause

    @property
    def history(self) -> list[HistoryEvent]:
        """The events as GetExecutionHistory lists them."""
        events = self._logs[self._run.arn][1]
        return [history_event(event, iso) for event in project_history(self._run.execution.identity, events)]

    @property
    def logs(self) -> list[ExecutionLog]:
        """The execution; then the children of its Map Runs, and what its tasks have started."""
        return [
            ExecutionLog(run.execution.identity, run.machine.text, events, run.execution.stopped_at)
            for run, events in self._logs.values()
        ]

    @property
    def redrives(self) -> int:
        return self._run.execution.redrive_count

    @property
    def names(self) -> list[str]:
        who = self._run.execution.identity
        return [who.arn, who.machine_arn, who.role_arn, who.machine_name, *self._start.served.activities]

    @property
    def clock(self) -> MovedClock:
        return self._clock

    # -- what it waits for ------------------------------------------------------------------------------

    @property
    def waits_for(self) -> list[Awaited]:
        """What has to come for the run to go on; nothing when it has ended."""
        return awaited(run for run, _ in self._logs.values() if not run.done.done())

    def tasks(self, state: str) -> list[WaitingTask]:
        """All tasks of this state that wait for somebody outside, such as those of a Map state's iterations."""
        runs = [run for run, _ in self._logs.values() if not run.done.done()]
        return [task for task in waiting_tasks(runs, self._time.now, self._tell) if task.state == state]

    # -- what happens to it -----------------------------------------------------------------------------

    def finish(self) -> LocalRun:
        """Let all the time pass that it takes to the end.  Raises ``StillWaiting``."""
        if self._runner is not None:
            self._do(self._pass(math.inf))
            self._look()
        if self._runner is not None:
            raise self._still_waiting()
        return self

    def stop(self, error: str | None = None, cause: str | None = None) -> LocalRun:
        """Abort the execution, as StopExecution."""
        if self._runner is not None:
            self._do(self._stop(error, cause))
            self._look()
        return self

    def redrive(self) -> LocalRun:
        execution, now = self._run.execution, self._time.now()
        reason = not_redrivable(execution, now, self._start.how.limits)
        if reason is not None:
            raise ExecutionNotRedrivable(self._run.arn, reason)
        self._run = self._go_on(self._again)
        self._look()
        return self

    def close(self) -> None:
        """Leave an execution that has not ended as it is."""
        if self._runner is not None:
            self._end()

    def _read(self) -> list[Visit]:
        """The visits of the execution; read again where there are new events, of it or of those within."""
        length = sum(len(events) for _, events in self._logs.values())
        if self._visits[0] != length:
            self._visits = (length, self._visits_of(self._run.arn))
        return self._visits[1]

    def _visits_of(self, arn: str) -> list[Visit]:
        inner = {
            by.seq: [self._lane(number, one) for number, one in enumerate(begun)]
            for by, begun in self._begun.items()
            if by.execution == arn
        }
        return read_visits(self._logs[arn][1], inner)

    def _lane(self, number: int, arn: str) -> Lane:
        """An execution within."""
        execution = self._logs[arn][0].execution
        began, status = execution.identity.started_at, execution.status
        return Lane("execution", number, 0, self._visits_of(arn), began, execution.stopped_at, status)

    # -- the engine -------------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        assert self._runner is not None  # noqa: S101  asked before
        from asl_engine.api import is_loop_running

        if is_loop_running():
            work.close()
            raise RuntimeError(
                "a workflow under test has an event loop of its own and cannot be driven where one is running: "
                "use it from a plain function, not from a coroutine"
            )
        return self._runner.run(work)

    def _go_on(self, begin: Callable[[], Coroutine[Any, Any, Run]]) -> Run:
        """Drive the execution from here, with an engine of its own."""
        self._runner = asyncio.Runner()
        try:
            run: Run = self._do(begin())
        except BaseException:
            self._close_runner()
            raise
        return run

    async def _begin(self) -> Run:
        start, engine = self._start, self._assembled()
        run = await engine.start(start.machine, start.machine_name, start.input, start.name, start.how)
        await self._settle()
        return run

    async def _again(self) -> Run:
        record = await self._store.record(self._run.arn)
        assert record is not None  # noqa: S101  it was started
        run = await self._assembled().redrive(self._start.machine, record)
        await self._settle()
        return run

    def _assembled(self) -> Engine:
        start = self._start
        nested = start.served.nested
        self._engine = assemble(
            self._store,
            self._tasks,
            start.how,
            start.project,
            observer=self._observe,
            stand_in=self._tasks.stand_in,
            activities=start.served.activities,
            s3=False,
            clock=self._time,
            await_outside=False,
        )
        if nested is not None:
            nested.engine = self._engine
        self._tasks.sleep = self._sleep
        self._engine.timers.set_horizon(self._time.now())
        return self._engine

    async def _settle(self) -> None:
        """Wait until nothing happens any more, and see which executions have begun others."""
        await self._engine.timers.quiet()
        while self._tasks.has_workers and (waiting := [*self._untaken()]):
            for run, task in waiting:
                await self._engine.ask(run, WorkerReported(self._time.now(), task.key))
            await self._engine.timers.quiet()
        for arn, (run, _) in self._logs.items():
            if arn not in self._known:
                self._known.add(arn)
                begun_by = await self._begun_by(run)
                if begun_by is not None:
                    self._begun.setdefault(begun_by, []).append(arn)

    def _untaken(self) -> Iterator[tuple[Run, OpenTask]]:
        for run, _ in self._logs.values():
            for work in run.execution.open.values():
                if isinstance(work, OpenTask) and work.is_activity and not work.started:
                    yield run, work

    async def _begun_by(self, run: Run) -> Beginning | None:
        started_by = run.options.started_by
        if run.execution.identity.map_run is None:
            return None if started_by is None else beginning(started_by)
        kinship = await self._store.map_runs.kinship(run.arn)
        record = None if kinship is None else await self._store.map_runs.get(kinship[0])
        return None if record is None else Beginning(record.execution, record.seq)

    async def _sleep(self, milliseconds: int) -> None:
        await self._engine.timers.sleep_until(self._time.now() + milliseconds)

    def _observe(self, run: Run, events: list[Event]) -> None:
        log = self._logs[run.arn][1] if run.arn in self._logs else []
        log.extend(events)
        self._logs[run.arn] = (run, log)  # a redrive has another run

    async def _pass(self, until: float) -> None:
        self._engine.timers.set_horizon(until)
        await self._settle()

    def _pass_until(self, moment: int) -> None:
        if self._runner is not None:
            self._do(self._pass(moment))
        self._time.jump(moment)
        self._look()

    def _tell(self, run: Run, stimulus: Stimulus) -> None:
        async def told() -> None:
            await self._engine.ask(run, stimulus)
            await self._pass(self._time.now())

        self._do(told())
        self._look()

    async def _stop(self, error: str | None, cause: str | None) -> None:
        record = await self._store.record(self._run.arn)
        assert record is not None  # noqa: S101  it was started
        await self._engine.stop(self._start.machine, record, error, cause)
        await self._pass(self._time.now())

    def _look(self) -> None:
        """Raise what the test has to hear of, and leave the engine when the execution has ended."""
        if self._runner is None:
            return
        if self._tasks.refused:
            self._end()
            raise self._tasks.refused[0]
        if self._run.done.done():
            self._end()
            self._run.done.result()

    def _end(self) -> None:
        self._do(self._engine.__aexit__(None, None, None))
        self._close_runner()
        for run, events in self._logs.values():
            if not self._is_observed or len(events) == self._told.get(run.arn):
                continue
            self._told[run.arn] = len(events)
            path = run.options.definition
            who = run.execution.identity
            name = unlabelled(who.machine_name)[0]
            known = None if path == Path() else path
            tell(ObservedDefinition(name, known, run.machine.text, who), events, self._test_id)

    def _close_runner(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()
