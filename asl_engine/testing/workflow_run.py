"""One execution under test: what it did, what it waits for, and the assertions about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NoReturn

from asl_engine.engine.durations import how_often
from asl_engine.errors import AslError, InvalidInput
from asl_engine.findings import did_you_mean
from asl_engine.json_text import loads
from asl_engine.language.tree import all_states
from asl_engine.testing.differences import differences, shown
from asl_engine.testing.hiding import hidden
from asl_engine.testing.states import UNSET, StateOfRun
from asl_engine.testing.tree import draw, path_of
from asl_engine.visits.reading import all_visits

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asl_engine.core.execution import Status
    from asl_engine.projections.history import HistoryEvent
    from asl_engine.testing.executions import ExecutionLog
    from asl_engine.testing.moved_clock import RunClock
    from asl_engine.testing.waiting import Awaited, WaitingTask
    from asl_engine.visits.reading import Visit

__all__ = ["StillWaiting", "WorkflowRun"]

__tracebackhide__ = hidden
MAX_WAITS = 5  # that are told by the way


class StillWaiting(AslError):
    """A run cannot end by itself: it waits for somebody outside."""


class WorkflowRun(ABC):
    """An execution of a ``Workflow``, driven by the test that has started it.

    ``finish`` lets it go to its end, ``clock`` lets time pass, ``task`` answers for somebody outside, ``stop``
    aborts it, ``redrive`` goes on with one that has failed.
    """

    name: str
    machine_name: str
    definition: str  # as it runs, with its placeholders filled in

    # -- what it did ------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def status(self) -> Status: ...

    @property
    @abstractmethod
    def output(self) -> Any:
        """None unless the execution succeeded."""

    @property
    @abstractmethod
    def error(self) -> str | None: ...

    @property
    @abstractmethod
    def cause(self) -> str | None: ...

    @property
    @abstractmethod
    def redrives(self) -> int:
        """How often it was redriven."""

    @property
    @abstractmethod
    def history(self) -> list[HistoryEvent]:
        """The events as GetExecutionHistory lists them."""

    @property
    @abstractmethod
    def clock(self) -> RunClock: ...

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """What only this run is called: its ARN and those of its machine and its activities, names, the role."""

    @abstractmethod
    def _read(self) -> list[Visit]:
        """The visits of the execution, as far as it has come."""

    @property
    def logs(self) -> list[ExecutionLog]:
        """The execution, children of Map Runs, what its tasks have started; nothing of what ran elsewhere."""
        return []

    @property
    def path(self) -> list[str]:
        """The names of the machine's own states, in the order in which they were entered."""
        return path_of(self._read())

    @property
    def tree(self) -> str:
        """The path as a tree, with branches, iterations, attempts and errors."""
        return self._draw(())

    def state(self, name: str) -> StateOfRun:
        """A state of the machine, wherever it is.  Raises ``InvalidInput`` for a name that no state has."""
        visits = [visit for visit in all_visits(self._read()) if visit.name == name]
        if not visits:
            names = [state.name for state in all_states(loads(self.definition))]
            if name not in names:
                raise InvalidInput(
                    f"the machine has no state {name!r}{did_you_mean(name, names)} "
                    f"(there are {', '.join(map(repr, names))})"
                )
        return StateOfRun(name, visits, self._draw)

    # -- what it waits for ------------------------------------------------------------------------------

    @property
    @abstractmethod
    def waits_for(self) -> Sequence[Awaited]:
        """What has to come for the run to go on; nothing when it has ended."""

    @abstractmethod
    def tasks(self, state: str) -> list[WaitingTask]:
        """All tasks of this state that wait for somebody outside, such as those of a Map state's iterations."""

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

    # -- what happens to it -----------------------------------------------------------------------------

    @abstractmethod
    def finish(self) -> WorkflowRun:
        """Let it go to its end.  Raises ``StillWaiting``."""

    @abstractmethod
    def stop(self, error: str | None = None, cause: str | None = None) -> WorkflowRun:
        """Abort the execution, as StopExecution."""

    @abstractmethod
    def redrive(self) -> WorkflowRun:
        """Go on with an execution that has ended without success, as RedriveExecution, to where it first waits.

        Answers that come in turn go on with the next one.  Raises ``ExecutionNotRedrivable``.
        """

    @abstractmethod
    def close(self) -> None:
        """Leave an execution that has not ended as it is."""

    def _still_waiting(self) -> StillWaiting:
        waiting = "\n".join(f"  {one}" for one in self.waits_for)
        return StillWaiting(
            f"the execution does not end by itself, it waits for\n{waiting}\n"
            "Give stand-ins with tasks, or start it with workflow.start(...) and answer with run.task(...)."
            f"\n\n{self.tree}"
        )

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
        raise AssertionError(f"workflow {self.machine_name}:\n{lines}\n\n{self._draw(marked)}")

    def _draw(self, marked: Collection[Visit]) -> str:
        error = f" with {self.error}" if self.error else ""
        redriven = f", redriven {how_often(self.redrives)}" if self.redrives else ""
        title = f"{self.machine_name}: {self.status}{error}{redriven}{self._awaited()}"
        return draw(title, self._read(), marked)

    def _awaited(self) -> str:
        """What a run that has not ended waits for, and how long."""
        waiting = self.waits_for if self.status == "RUNNING" else ()
        now = round(self.clock.now.timestamp() * 1000) if waiting else 0
        told = [one.told(now) for one in waiting[:MAX_WAITS]]
        more = [f"{len(waiting) - MAX_WAITS} more"] if len(waiting) > MAX_WAITS else []
        return f"; it waits for {', '.join([*told, *more])}" if told else ""
