"""A state machine under test, with what stands in for its tasks."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args

from asl_engine.errors import InvalidInput, ProjectError
from asl_engine.json_values import MISSING
from asl_engine.project.arguments import check_texts
from asl_engine.project.inputs import machine_name
from asl_engine.project.setup import absolute_mock, mock_file
from asl_engine.project.stand_ins import AWS, OR_AWS, OR_LAMBDA
from asl_engine.resources.mocks.results import FieldValidation
from asl_engine.store.memory.store import MemoryStore
from asl_engine.testing.answers import in_turn
from asl_engine.testing.deployment import check_answers, stationed
from asl_engine.testing.hiding import hidden
from asl_engine.testing.lab_tasks import LabTasks, is_left_to_tests
from asl_engine.testing.lacking import NotOnTarget
from asl_engine.testing.moved_clock import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from asl_engine.api import Definition, Prepared
    from asl_engine.core.machine import StateMachine
    from asl_engine.engine.mocking import Mocking
    from asl_engine.errors import Parameter
    from asl_engine.json_values import Json, Missing
    from asl_engine.project.stand_ins import CalledTask
    from asl_engine.testing.answers import Answers
    from asl_engine.testing.parity import Rehearsal
    from asl_engine.testing.targets import RunTarget
    from asl_engine.testing.workflow_run import WorkflowRun

__all__ = ["Workflow"]

__tracebackhide__ = hidden
BEGIN = "2024-01-01T00:00:00Z"


def _by_the_target(_machine: StateMachine, _task: CalledTask) -> bool:
    return True


class Workflow:
    """A state machine under test: each ``run`` or ``start`` is an execution of its own, in memory.

    ``definition`` is a path, JSON text or the parsed object, as for ``asl_engine.run``; so are ``project``,
    ``substitutions`` and ``aws_limits``, and the keys of ``tasks``.  What stands there answers the task: a value,
    an exception, ``fails(...)``, ``waits()``, a callable, or a list of those, one for each call in turn.

    ``case`` is ``FILE#CASE``, a test case of a MockConfigFile.json, which comes before ``tasks``.  ``validation``
    is how strictly results are held against the model of the service that they stand for: STRICT, PRESENT or
    NONE, as for TestState.  ``faults`` let tasks go wrong before anything answers them, as for
    ``asl_engine.run``: ``"ProcessPayment:PaymentError@2"``; ``seed`` decides which calls a percentage hits.
    ``target`` is where executions run, here without one: see ``RunTarget``.
    ``now`` is when executions start.  As a context it leaves those that have not ended.
    """

    def __init__(
        self,
        definition: Definition,
        tasks: Mapping[str, object] | None = None,
        *,
        case: str | None = None,
        validation: FieldValidation = "STRICT",
        now: str | datetime = BEGIN,
        project: str | os.PathLike[str] | None = None,
        substitutions: Mapping[str, str] | None = None,
        aws_limits: bool | Mapping[str, int | None] = True,
        test_id: str | None = None,
        faults: Sequence[str] = (),
        seed: int = 0,
        target: RunTarget | Rehearsal | None = None,
    ) -> None:
        if validation not in get_args(FieldValidation):
            raise InvalidInput(f"validation={validation!r}: it is one of {', '.join(get_args(FieldValidation))}")
        self._definition = definition
        self._tasks = dict(tasks or {})
        self._case = None if case is None else absolute_mock(case)
        self._validation = validation
        self._now = moment(now, "now")
        self._project = project
        self._substitutions = substitutions
        self._aws_limits = aws_limits
        self._test_id = test_id
        self._faults = [*check_texts("faults", faults)]
        self._seed = seed
        self._target = target
        self.runs: list[WorkflowRun] = []

    def run(
        self,
        input: Json | Missing = MISSING,  # noqa: A002  StartExecution's own term
        tasks: Mapping[str, object] | None = None,
        *,
        faults: Sequence[str] = (),
    ) -> WorkflowRun:
        """Run it to its end.  ``tasks`` and ``faults`` come before those of the workflow, for this run."""
        return self.start(input, tasks, faults=faults).finish()

    def start(
        self,
        input: Json | Missing = MISSING,  # noqa: A002  StartExecution's own term
        tasks: Mapping[str, object] | None = None,
        *,
        faults: Sequence[str] = (),
    ) -> WorkflowRun:
        """Run it to where it first waits: for time to pass, or for somebody outside."""
        from asl_engine.api import prepared
        from asl_engine.testing.local_run import LocalRun

        answers = in_turn({**self._tasks, **(tasks or {})})
        store = MemoryStore()
        mocking, answered = self._mocks(store)
        there = self._target is not None and not self._target.is_here
        with self._worded():
            start = prepared(
                self._definition,
                input,
                tasks=answers,
                project=self._project,
                substitutions=self._substitutions,
                aws_limits=self._aws_limits,
                faults=[*check_texts("faults", faults), *self._faults],
                seed=self._seed,
                answered=_by_the_target if there else answered,
            )
        if self._target is None:
            lab = LabTasks(answers, start.served.stand_ins.fallback, self._validation, mocking)
            run: WorkflowRun = LocalRun(start, lab, store, self._now, self._test_id)
        else:
            run = self._on_target(self._target, start, answers, store)
        self.runs.append(run)
        return run

    @contextmanager
    def _worded(self) -> Iterator[None]:
        """Let a message offer what a test can do."""
        try:
            yield
        except ProjectError as error:
            parts: list[str | Parameter] = []
            for part in error.parts:
                if part == OR_LAMBDA and self._project is None:
                    parts.append(", or name the folder of the project that has them with project='FOLDER'")
                elif part not in {OR_LAMBDA, OR_AWS, AWS}:
                    parts.append(part)
            raise ProjectError(*parts) from None
        except InvalidInput as error:
            given = self._definition if isinstance(self._definition, str | os.PathLike) else None
            if given is None or not str(error).startswith(f"there is no file {os.fspath(given)} "):
                raise
            where = f"; a relative path begins at the current folder, which is {Path.cwd()}"
            raise InvalidInput(*error.parts, "" if Path(given).is_absolute() else where) from None

    def _on_target(
        self, target: RunTarget | Rehearsal, start: Prepared, answers: Mapping[str, Answers], store: MemoryStore
    ) -> WorkflowRun:
        """Raises ``NotOnTarget``."""
        from asl_engine.testing.local_run import LocalRun
        from asl_engine.testing.parity import Rehearsal
        from asl_engine.testing.target_run import TargetRun

        self._check_own(start)
        check_answers(answers)
        states = stationed(start.machine, answers, (start.project.region, start.project.account))
        lab = LabTasks(answers, start.served.stand_ins.fallback, self._validation, None, states)
        if not isinstance(target, Rehearsal):
            return TargetRun(start, lab, target, states, self._test_id)
        return LocalRun(target.prepared(start, [*states]), lab, store, self._now, None, is_observed=False)

    def _check_own(self, start: Prepared) -> None:
        """Raises ``NotOnTarget`` for what only the engine here can do."""
        for is_given, what in (
            (
                self._case is not None,
                "case: a test case of MockConfigFile.json counts attempts as they are made here",
            ),
            (bool(start.how.faults), "faults: the tasks of a target go wrong by themselves"),
            (self._now != moment(BEGIN, "now"), "now: executions start when it is that moment there"),
            (self._aws_limits is not True, "aws_limits: a target has its own"),
        ):
            if is_given:
                raise NotOnTarget(what)

    @contextmanager
    def rehearsed(self) -> Iterator[list[WorkflowRun]]:
        """Meanwhile, run here what is to be run on the target.  Gives those runs, which are not among ``runs``."""
        from asl_engine.testing.parity import REHEARSAL

        target, runs = self._target, self.runs
        self._target, self.runs = REHEARSAL, []
        try:
            yield self.runs
        finally:
            self.close()
            self._target, self.runs = target, runs

    def close(self) -> None:
        """Leave what has not ended."""
        for run in self.runs:
            run.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _mocks(self, store: MemoryStore) -> tuple[Mocking | None, Callable[[StateMachine, CalledTask], bool]]:
        """The mocks of the test case, and which tasks the caller sees to: those, and what the test answers."""
        if self._case is None:
            return None, lambda _machine, task: is_left_to_tests(task)
        from asl_engine.engine.mocking import Mocking

        file, case = mock_file(self._case)
        name = self._machine_name()
        mocked = file.read().states(name, case)
        checked: list[bool] = []

        def answered(machine: StateMachine, task: CalledTask) -> bool:
            if not checked:
                checked.append(True)
                types: dict[str, Any] = {state: compiled.type for state, compiled in machine.states.items()}
                file.read().check(name, case, types)
            return task.state in mocked or is_left_to_tests(task)

        return Mocking({}, store, file, (name, case)), answered

    def _machine_name(self) -> str:
        from asl_engine.api import UNNAMED

        given = self._definition
        if isinstance(given, str) and not given.lstrip().startswith("{"):
            return machine_name(given)
        return machine_name(os.fspath(given)) if isinstance(given, os.PathLike) else UNNAMED
