"""One execution under test: what it did, what it waits for, and the assertions about it."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from asl_engine.arn import unlabelled
from asl_engine.engine.clock import VirtualClock
from asl_engine.errors import AslError, InvalidInput
from asl_engine.findings import did_you_mean
from asl_engine.json_text import loads
from asl_engine.language.tree import all_states
from asl_engine.project.setup import assemble
from asl_engine.projections.descriptions import history_event
from asl_engine.projections.history import project as project_history
from asl_engine.projections.moments import iso
from asl_engine.testing.differences import differences, shown
from asl_engine.testing.hiding import hidden
from asl_engine.testing.moved_clock import MovedClock
from asl_engine.testing.observers import ObservedDefinition, tell
from asl_engine.testing.states import UNSET, StateOfRun
from asl_engine.testing.tree import draw, path_of
from asl_engine.testing.waiting import Awaited, WaitingTask, awaited, waiting_tasks
from asl_engine.visits.reading import Lane, Visit, all_visits, read_visits

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine

    from asl_engine.api import Prepared
    from asl_engine.core.events import Event
    from asl_engine.core.execution import Status
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.run import Run
    from asl_engine.projections.history import HistoryEvent
    from asl_engine.store.memory.store import MemoryStore
    from asl_engine.testing.lab_tasks import LabTasks

__all__ = ["StillWaiting", "WorkflowRun"]

__tracebackhide__ = hidden


class StillWaiting(AslError):
    """A run cannot end by itself: it waits for somebody outside."""


class Beginning(NamedTuple):
    """What has begun an execution: another one, with its event ``seq``."""

    execution: str
    seq: int


def beginning(key: str) -> Beginning:
    """The task with this key."""
    execution, _, seq = key.rpartition(":")
    return Beginning(execution, int(seq))


class WorkflowRun:
    """An execution of a ``Workflow``, driven by the test that has started it.

    Nothing happens between two calls: ``finish`` lets it go to its end, ``clock`` lets time pass, ``task`` answers
    for somebody outside, ``stop`` aborts it.
    """

    def __init__(
        self, start: Prepared, tasks: LabTasks, store: MemoryStore, now: int, test_id: str | None
    ) -> None:
        self._start = start
        self._tasks = tasks
        self._store = store
        self._test_id = test_id
        self.name = start.name
        self._time = VirtualClock(now)
        self.clock = MovedClock(self._time, self._pass_until)
        self._logs: dict[str, tuple[Run, list[Event]]] = {}
        self._known: set[str] = set()
        self._begun: dict[Beginning, list[str]] = {}  # in the order in which they have begun
        self._visits: tuple[int, list[Visit]] = (-1, [])
        self._runner: asyncio.Runner | None = asyncio.Runner()
        try:
            self._run: Run = self._do(self._begin())
        except BaseException:
            self._close_runner()
            raise
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
    def path(self) -> list[str]:
        """The names of the machine's own states, in the order in which they were entered."""
        return path_of(self._read())

    @property
    def tree(self) -> str:
        """The path as a tree, with branches, iterations, attempts and errors."""
        return self._draw(())

    @property
    def history(self) -> list[HistoryEvent]:
        """The events as GetExecutionHistory lists them."""
        events = self._logs[self._run.arn][1]
        return [history_event(event, iso) for event in project_history(self._run.execution.identity, events)]

    def state(self, name: str) -> StateOfRun:
        """A state of the machine, wherever it is.  Raises ``InvalidInput`` for a name that no state has."""
        visits = [visit for visit in all_visits(self._read()) if visit.name == name]
        if not visits:
            names = [state.name for state in all_states(loads(self._start.machine.text))]
            if name not in names:
                raise InvalidInput(
                    f"the machine has no state {name!r}{did_you_mean(name, names)} "
                    f"(there are {', '.join(map(repr, names))})"
                )
        return StateOfRun(name, visits, self._draw)

    # -- what it waits for ------------------------------------------------------------------------------

    @property
    def waits_for(self) -> list[Awaited]:
        """What has to come for the run to go on; nothing when it has ended."""
        return awaited(run for run, _ in self._logs.values() if not run.done.done())

    def task(self, state: str) -> WaitingTask:
        """The task of this state, which waits for somebody outside."""
        found = self.tasks(state)
        if len(found) != 1:
            waiting = "\n".join(f"  {one}" for one in self.waits_for) or "  nothing"
            raise InvalidInput(
                f"{len(found) or 'no'} tasks of {state!r} wait for an answer"
                f"{': take one of run.tasks(...)' if found else ''}; the run waits for\n{waiting}\n\n{self.tree}"
            )
        return found[0]

    def tasks(self, state: str) -> list[WaitingTask]:
        """All tasks of this state that wait for somebody outside, such as those of a Map state's iterations."""
        runs = [run for run, _ in self._logs.values() if not run.done.done()]
        return [task for task in waiting_tasks(runs, self._time.now, self._tell) if task.state == state]

    # -- what happens to it -----------------------------------------------------------------------------

    def finish(self) -> WorkflowRun:
        """Let all the time pass that it takes to the end.  Raises ``StillWaiting``."""
        if self._runner is not None:
            self._do(self._pass(math.inf))
            self._look()
        if self._runner is not None:
            waiting = "\n".join(f"  {one}" for one in self.waits_for)
            raise StillWaiting(
                f"the execution does not end by itself, it waits for\n{waiting}\n"
                "Give stand-ins with tasks, or start it with workflow.start(...) and answer with run.task(...)."
                f"\n\n{self.tree}"
            )
        return self

    def stop(self, error: str | None = None, cause: str | None = None) -> WorkflowRun:
        """Abort the execution, as StopExecution."""
        if self._runner is not None:
            self._do(self._stop(error, cause))
            self._look()
        return self

    def close(self) -> None:
        """Leave an execution that has not ended as it is."""
        if self._runner is not None:
            self._end()

    # -- assertions -------------------------------------------------------------------------------------

    def assert_succeeded(self, output: Any = UNSET) -> WorkflowRun:
        """It succeeded, with this output where it is said.  ``...`` in it stands for anything."""
        if self.status != "SUCCEEDED":
            self._fail(*self._status_problems("SUCCEEDED"))
        problems = [] if output is UNSET else [f"output: {line}" for line in differences(output, self.output)]
        if problems:
            self._fail(*problems)
        return self

    def assert_failed(self, error: Any = UNSET, cause: Any = UNSET) -> WorkflowRun:
        """It failed, with this error and this cause where they are said."""
        return self._assert_ended("FAILED", error, cause)

    def assert_timed_out(self) -> WorkflowRun:
        return self._assert_ended("TIMED_OUT", UNSET, UNSET)

    def assert_aborted(self, error: Any = UNSET, cause: Any = UNSET) -> WorkflowRun:
        return self._assert_ended("ABORTED", error, cause)

    def assert_running(self) -> WorkflowRun:
        return self._assert_ended("RUNNING", UNSET, UNSET)

    def assert_path(self, *states: str) -> WorkflowRun:
        """The machine's own states were entered in this order, and no others."""
        path = self.path
        if path != list(states):
            same = 0
            while same < min(len(path), len(states)) and path[same] == states[same]:
                same += 1
            expected = states[same] if same < len(states) else "the end"
            got = path[same] if same < len(path) else "the end"
            self._fail(
                f"path: expected {' > '.join(states)}",
                f"path: got      {' > '.join(path)}",
                f"state {same + 1}: expected {expected}, got {got}",
                marked=self._read()[same : same + 1],
            )
        return self

    def assert_waits_for(self, *states: str) -> WorkflowRun:
        """These are the states that have something to wait for, in any order."""
        waiting = sorted(one.state for one in self.waits_for)
        if waiting != sorted(states):
            self._fail(f"expected to wait for {', '.join(states)}; waits for {', '.join(waiting) or 'nothing'}")
        return self

    def _assert_ended(self, status: Status, error: Any, cause: Any) -> WorkflowRun:
        problems = [] if self.status == status else self._status_problems(status)
        if error is not UNSET and self.error != error:
            problems.append(f"error: expected {shown(error)}, got {shown(self.error)}")
        if cause is not UNSET and self.cause != cause:
            problems.append(f"cause: expected {shown(cause)}, got {shown(self.cause)}")
        if problems:
            self._fail(*problems)
        return self

    def _status_problems(self, expected: Status) -> list[str]:
        problems = [f"status: expected {expected}, got {self.status}"]
        if self.status == "RUNNING":
            problems += [f"it waits for {one}" for one in self.waits_for]
        elif self.status == "SUCCEEDED":
            problems.append(f"output: {shown(self.output)}")
        else:
            problems += [f"error: {self.error}", f"cause: {self.cause}"]
        return problems

    def _fail(self, *problems: str, marked: Collection[Visit] = ()) -> NoReturn:
        lines = "\n".join(f"  {problem}" for problem in problems)
        if not marked and self.status not in {"RUNNING", "SUCCEEDED"}:
            marked = [visit for visit in self._read()[-1:] if not visit.exited]
        raise AssertionError(f"workflow {self._start.machine_name}:\n{lines}\n\n{self._draw(marked)}")

    def _draw(self, marked: Collection[Visit]) -> str:
        error = f" with {self.error}" if self.error else ""
        return draw(f"{self._start.machine_name}: {self.status}{error}", self._read(), marked)

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

    async def _begin(self) -> Run:
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
        run = await self._engine.start(start.machine, start.machine_name, start.input, start.name, start.how)
        await self._settle()
        return run

    async def _settle(self) -> None:
        """Wait until nothing happens any more, and see which executions have begun others."""
        await self._engine.timers.quiet()
        for arn, (run, _) in self._logs.items():
            if arn not in self._known:
                self._known.add(arn)
                begun_by = await self._begun_by(run)
                if begun_by is not None:
                    self._begun.setdefault(begun_by, []).append(arn)

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
        self._logs.setdefault(run.arn, (run, []))[1].extend(events)

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
            path = run.options.definition
            who = run.execution.identity
            name = unlabelled(who.machine_name)[0]
            known = None if path == Path() else path
            tell(ObservedDefinition(name, known, run.machine.text, who), events, self._test_id)

    def _close_runner(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()
