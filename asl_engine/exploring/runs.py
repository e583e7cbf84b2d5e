"""One run of the machine under exploration: in memory, in virtual time, every task answered by a script."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asl_engine.errors import StatesError
from asl_engine.exploring.scripts import Script
from asl_engine.exploring.terms import INPUT
from asl_engine.exploring.tracing import RunLog, RunTrace, is_endless, traced
from asl_engine.json_text import loads
from asl_engine.language.tree import all_states
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.testing.answers import Answer, in_turn
from asl_engine.testing.coverage import NotOfDefinition, points_taken
from asl_engine.testing.moved_clock import moment
from asl_engine.testing.workflow_run import StillWaiting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.api import Prepared
    from asl_engine.core.execution import Status
    from asl_engine.json_values import Json
    from asl_engine.language.tree import StateSource
    from asl_engine.resources.mocks.results import FieldValidation
    from asl_engine.resources.python.context import TaskContext

__all__ = ["Laboratory", "Ran"]

UNCHECKED: FieldValidation = "NONE"


@dataclass
class Ran:
    """What came of a script.  ``docs`` is all that was given; ``answers`` what each state's task did, in turn.

    ``points`` are the keys of the coverage points that were taken.  ``endless``: it was left within a loop.
    """

    script: Script
    docs: dict[str, Json]
    answers: dict[str, list[Answer]]
    trace: RunTrace
    points: frozenset[str]
    status: Status
    output: Any
    error: str | None
    cause: str | None
    path: list[str]
    endless: bool = False
    aim: str = ""

    @property
    def input(self) -> Json:
        return self.docs[INPUT]


@dataclass
class _Oracle:
    """Answers the calls of one state's task as the script has it."""

    state: str
    laboratory: Laboratory
    number: int = 0
    answers: list[Answer] = field(default_factory=list)

    async def __call__(self, event: Any, context: TaskContext) -> Any:
        del event
        number, self.number = self.number, self.number + 1
        return self.laboratory.answer(self, number, context.idempotency_key)


class Laboratory:
    """Runs scripts.  ``shapes`` are what the tasks of states are known to have to give, by state."""

    def __init__(self, start: Prepared, given: Mapping[str, _Oracle]) -> None:
        self.start = start
        self.oracles = given
        for oracle in given.values():
            oracle.laboratory = self
        self.document = loads(start.machine.text)
        self.states: dict[str, StateSource] = {state.name: state for state in all_states(self.document)}
        self.shapes: dict[str, Json] = {}
        self.runs = 0
        self._script = Script({})
        self._docs: dict[str, Json] = {}
        self._calls: dict[str, tuple[str, int]] = {}

    def answer(self, oracle: _Oracle, number: int, key: str) -> Any:
        self._calls[key] = (oracle.state, number)
        fault = next((one for one in self._script.faults if one.hits(oracle.state, number)), None)
        if fault is not None:
            failure = Answer(error=StatesError(fault.error, None))
            oracle.answers.append(failure)
            raise StatesError(fault.error, None)
        value = self._docs.setdefault(f"{oracle.state}#{number}", deepcopy(self._shape(oracle.state, number)))
        oracle.answers.append(Answer(value=value))
        return value

    def _shape(self, state: str, number: int) -> Json:
        """What the last call was given, so that a loop goes on as it has begun; else what suits the state."""
        earlier = self._docs.get(f"{state}#{number - 1}")
        return self.shapes.get(state, {}) if earlier is None else earlier

    def run(self, script: Script) -> Ran:
        from asl_engine.testing.lab_tasks import LabTasks
        from asl_engine.testing.local_run import LocalRun
        from asl_engine.testing.workflow import BEGIN

        self.runs += 1
        self._script, self._docs, self._calls = script, dict(script.docs), {}
        given = self._docs.setdefault(INPUT, {})
        for oracle in self.oracles.values():
            oracle.number, oracle.answers = 0, []
        start = self.start._replace(input=Payload(deepcopy(given)))
        tasks = LabTasks(in_turn(self.oracles), start.served.stand_ins.fallback, UNCHECKED, None)
        run = LocalRun(start, tasks, MemoryStore(), moment(BEGIN, "now"), None)
        try:
            run.finish()
        except StillWaiting:
            run.close()
        logs = [RunLog(one.identity.arn, one.events, one.identity.map_run) for one in run.logs]
        points: set[str] = set()
        for one in run.logs:
            with suppress(NotOfDefinition):
                points |= points_taken(start.machine, one.events, one.identity, start.how.limits).keys()
        trace = traced(_numbered(logs), self.states, self._calls, self._docs)
        return Ran(
            script,
            self._docs,
            {state: oracle.answers for state, oracle in self.oracles.items() if oracle.answers},
            trace,
            frozenset(points),
            run.status,
            run.output,
            run.error,
            run.cause,
            run.path,
            endless=is_endless(run.cause),
        )

    @classmethod
    def of(cls, prepare: Any, states: Mapping[str, StateSource]) -> Laboratory:
        """``prepare(tasks)`` checks the definition with these stand-ins for its tasks."""
        unset: Any = None
        oracles = {name: _Oracle(name, unset) for name, state in states.items() if state.type == "Task"}
        return cls(prepare(in_turn(oracles)), oracles)


def _numbered(logs: list[RunLog]) -> list[RunLog]:
    """The children of each Map Run, counted in the order in which they have begun."""
    counts: dict[str | None, int] = {}
    found = []
    for log in logs:
        number = counts.get(log.map_run, 0)
        counts[log.map_run] = number + 1
        found.append(log._replace(number=number))
    return found
