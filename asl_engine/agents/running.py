"""The tools that make something happen: run, fork."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.agents.looking import brief
from asl_engine.agents.mocks import Mocks, Real, ahead_of, check_mocked, prepare, stand_ins
from asl_engine.agents.replies import ToolFailure, same, step, value_or_cut
from asl_engine.arn import Arn
from asl_engine.engine.clock import SKIP, clock_of
from asl_engine.engine.effects import local_identity
from asl_engine.errors import ExecutionAlreadyExists
from asl_engine.json_text import dumps, loads
from asl_engine.lab.forking import Departure, ForkPoint, forked_log, keep, name_of_fork, stem_of_forks, told_choice
from asl_engine.lab.recalling import recall
from asl_engine.lab.whereabouts import where_failed
from asl_engine.language.tree import all_states
from asl_engine.payload import Payload
from asl_engine.project.inputs import checked_name
from asl_engine.project.setup import absolute_mock, assemble, mock_file
from asl_engine.states.compiling import variable_fault
from asl_engine.testing.answers import in_turn
from asl_engine.testing.recordings import answers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from asl_engine.agents.home import AgentProject, Given, GivenDefinition
    from asl_engine.api import Prepared
    from asl_engine.core import events as ev
    from asl_engine.core.execution import Identity
    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["ForkRequest", "RunningTools"]


class ForkRequest(NamedTuple):
    """What a fork is asked for, as the tool took it."""

    execution: str
    at: str | None
    iteration: int | None
    branch: int | None
    visit: int | None
    input: Any
    variables: dict[str, Any] | None
    definition: Given | None
    mocks: Mocks | None
    real: Real
    name: str | None


class RunningTools:
    """Every execution runs in virtual time; waits and retries take none."""

    def __init__(self, home: AgentProject) -> None:
        self._home = home

    def run(
        self,
        definition: str | dict[str, Any],
        *,
        input: Any = None,  # noqa: A002  StartExecution's own term
        mocks: dict[str, Any] | None = None,
        case: str | None = None,
        real: Real = "none",
        keep: bool = True,
        name: str | None = None,
        substitutions: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a state machine to its end, in virtual time. Nothing real is called: give mocks for its tasks.

        definition: a file of the project, a state machine's name, or the definition itself. mocks: by state,
        function or resource, each {"return": VALUE}, {"error": NAME, "cause": TEXT} or a list of these, one for
        each call (the last is given again). case: FILE#CASE of a MockConfigFile.json. real: "callables" lets the
        project's own functions run, "aws" also calls AWS and HTTP APIs. keep: store the execution, for history,
        fork, pin and cost to look at (not with case).
        """
        found = self._home.read(definition, substitutions)
        arguments = {
            "definition": definition,
            "input": input,
            "mocks": mocks,
            "case": case,
            "name": name,
            "substitutions": substitutions,
        }
        given = {} if input is None else input
        answers = stand_ins(mocks)
        mocked = _states_of_case(found, self._case(case))
        left = prepare(
            self._home, found.definition, answers, real, mocked=mocked, substitutions=substitutions
        ).left
        check_mocked(left, "run", arguments)
        if keep and case is None:
            return self._kept(found, given, answers, real=real, name=name, substitutions=substitutions)
        from asl_engine.testing.workflow import Workflow

        with Workflow(
            found.definition,
            answers,
            case=case,
            project=str(self._home.root),
            substitutions=substitutions,
            validation="NONE",
        ) as workflow:
            done = workflow.run(given)
        shown: dict[str, Any] = {"status": done.status, "path": done.path}
        if done.status == "SUCCEEDED":
            shown["output"] = value_or_cut(
                dumps(done.output), step("run", "keep it to see all of it", **arguments)
            )
        else:
            shown |= {"error": done.error, "cause": done.cause}
        shown |= {"kept": False, "tree": done.tree.splitlines()[:60]}
        return shown | {
            "next": step("cost", "see what it would cost on AWS", definition=same(definition), input=input)
        }

    def _kept(
        self,
        found: GivenDefinition,
        given: Any,
        answers: Mapping[str, Callable[..., Any]],
        *,
        real: Real,
        name: str | None,
        substitutions: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        from asl_engine.api import run

        done = run(
            found.definition,
            given,
            tasks=answers,
            aws=real == "aws",
            project=self._home.root,
            name=name,
            db=self._home.db,
            time=SKIP,
            substitutions=substitutions,
        )
        return asyncio.run(brief(self._home, done.arn))

    def fork(
        self,
        execution: str,
        *,
        at: str | None = None,
        iteration: int | None = None,
        branch: int | None = None,
        visit: int | None = None,
        input: Any = None,  # noqa: A002  as for run
        variables: dict[str, Any] | None = None,
        definition: str | dict[str, Any] | None = None,
        mocks: dict[str, Any] | None = None,
        real: Real = "none",
        name: str | None = None,
    ) -> dict[str, Any]:
        """Go on with a copy of a past execution from one of its states, edited or not. Nothing real is called.

        at: the state to begin with; without it, where the execution has failed. iteration, branch (from 0) and
        visit (from 1) say which time it was entered. input: another input for that state; variables: to set before
        it. definition: an edited definition. mocks and real: as for run; with real="none", a task without a mock
        answers as it did in the past execution.
        """
        if at is None and not all(one is None for one in (iteration, branch, visit, input, variables)):
            raise ToolFailure("iteration, branch, visit, input and variables are about a state: name it with 'at'")
        request = ForkRequest(
            execution, at, iteration, branch, visit, input, variables, definition, mocks, real, name
        )
        return asyncio.run(self._fork(request))

    async def _fork(self, request: ForkRequest) -> dict[str, Any]:
        async with self._home.store(reading=False) as store:
            origin = await self._home.find(store, request.execution)
            who = origin.identity
            if who.map_run is not None:
                raise ToolFailure(f"{who.name} belongs to a Map Run: fork the execution that started it")
            past = await recall(store, origin)
            text = await store.definition(origin.definition)
            given = text if request.definition is None else self._home.read(request.definition).definition
            answers: dict[str, Callable[..., Any]] = {**stand_ins(request.mocks)}
            # Those of the tasks without a mock are answered as they were: what is left then was never called.
            unmocked = {task.state for task in prepare(self._home, given, answers, request.real).left}
            answers |= in_turn(answers_of(call for call in past.calls if call.state in unmocked))
            start, left = prepare(self._home, given, answers, request.real)
            log = _log(origin.identity, past.events, start, request)
            asked = {key: one for key, one in request._asdict().items() if one not in (None, "none")}
            failed = where_failed(past.events)
            begin = request.at or (failed.state if failed is not None else None)
            inner = {state.name for state in all_states(loads(start.machine.text))}
            ahead = inner if begin is None else ahead_of(start.machine.text, begin)
            check_mocked([task for task in left if task.state in ahead or task.state not in inner], "fork", asked)
            record = await self._keep(store, origin, log, start, request.name)
            await _go_on(store, start, record, past.events[-1].at)
        shown = await brief(self._home, record.identity.arn)
        told = None if request.at is None else told_choice(past.events, _point(request.at, request))
        return {"forkOf": who.name, **({"note": told} if told else {}), **shown}

    async def _keep(
        self, store: SqliteStore, origin: Record, log: Sequence[ev.Event], start: Prepared, given: str | None
    ) -> Record:
        """The fork in the store."""
        who = origin.identity
        taken = [one.identity.name for one in await store.find(stem_of_forks(who.name))]
        name = name_of_fork(who.name, taken) if given is None else checked_name(given, start.how.limits)
        arn = Arn.of(who.arn)
        identity = local_identity(arn.region, arn.account, who.machine_name, name, log[-1].at)
        how = start.how._replace(definition=origin.options.definition, time=SKIP)
        try:
            return await keep(store, how, start.machine, log, identity)
        except ExecutionAlreadyExists:
            raise ToolFailure(f"{who.machine_name} has an execution called {name} already") from None

    def _case(self, case: str | None) -> str | None:
        """The test case, whose file lies in the project."""
        if case is None:
            return None
        file, mark, name = case.rpartition("#")
        return absolute_mock(f"{self._home.confined(file)}#{name}" if mark else case)


def _point(state: str, request: ForkRequest) -> ForkPoint:
    return ForkPoint(state, request.iteration, request.branch, request.visit)


def _log(who: Identity, events: Sequence[ev.Event], start: Prepared, request: ForkRequest) -> list[ev.Event]:
    """The log that the fork begins with.  Raises ``AslError`` for a place or data that cannot be."""
    limits = start.how.limits
    for variable in request.variables or ():
        fault = variable_fault(variable, limits.name_length)
        if fault is not None:
            raise ToolFailure(f"variables: {fault}")
    point = None if request.at is None else _point(request.at, request)
    data = None if request.input is None else Payload(request.input)
    now = clock_of(SKIP, events[-1].at).now()
    wanted = Departure(point, data, request.variables)
    return forked_log(wanted, who, events, start.machine, at=now, limits=limits)


def _states_of_case(found: GivenDefinition, case: str | None) -> frozenset[str]:
    """The states that a test case mocks."""
    if case is None:
        return frozenset()
    file, name = mock_file(case)
    return frozenset(file.read().states(found.name, name))


async def _go_on(store: SqliteStore, start: Prepared, record: Record, since: int) -> None:
    """See a fork to its end."""
    served = start.served
    engine = assemble(
        store,
        served.stand_ins,
        record.options,
        start.project,
        since=since,
        stand_in=served.stand_ins.stand_in,
        activities=served.activities,
        s3=record.options.use_lambda,
    )
    if served.nested is not None:
        served.nested.engine = engine
    async with engine:
        await (await engine.resume(start.machine, record)).wait()
