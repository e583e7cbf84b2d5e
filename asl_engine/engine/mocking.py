"""Mocked tasks: what a test case says comes before what would serve the task.

The n-th invocation of a state is counted in the execution's log, so that it is the n-th after a restart too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from asl_engine.arn import Arn
from asl_engine.core.events import StateEntered, TaskScheduled
from asl_engine.core.stimuli import TaskReported, WorkerReported
from asl_engine.errors import ProjectError, StatesError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.core.execution import OpenTask
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload
    from asl_engine.resources import Pending, Resource, TaskCall
    from asl_engine.resources.mocks.configuration import MockedResponse, MockFile
    from asl_engine.store.protocol import Store

__all__ = ["MOCK_CASE", "Mocking"]

MOCK_CASE = "mock_case"  # the option of executions that runs a test case


class Mocking(Mapping[str, "Resource"]):
    """Resources, with the mocks of test cases before them.

    ``cases`` says which executions, by ARN, run which test case; all others are left alone, unless ``every``
    names a state machine and the test case that all its executions run.
    """

    def __init__(
        self, resources: Mapping[str, Resource], store: Store, file: MockFile, every: tuple[str, str] | None = None
    ) -> None:
        self.file = file
        self.cases: dict[str, str] = {}
        self._every = every
        self._resources = resources
        self._store = store
        self._underway: set[asyncio.Task[None]] = set()

    def __getitem__(self, resource: str) -> Resource:
        async def mocked(call: TaskCall) -> Payload | Pending:
            case = self._case(call.execution)
            if case is None:
                return await self._resources[resource](call)
            mock = await self._mock(case, call.execution, call.state, int(call.key.rpartition(":")[2]))
            if mock is None:
                return await self._resources[resource](call)
            if mock.result is None:
                raise StatesError(mock.error, mock.cause)
            return mock.result

        return mocked

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def begin(self, machine: str, case: str, execution: str) -> None:
        """The execution runs a test case.  Raises ``ProjectError`` where there is none of that name."""
        self.file.read().states(machine, case)
        self.cases[execution] = case

    def stand_in(self, host: Host, run: Run, task: OpenTask) -> bool:
        """Whether an activity's task is mocked: then it is answered, as if a worker had."""
        case = self._case(run.arn)
        if case is None:
            return False
        try:
            if task.frame.state not in self.file.read().states(_machine(run.arn), case):
                return False
        except ProjectError:
            pass  # it is told as the task's failure
        answering = asyncio.ensure_future(self._work(case, host, run, task))
        self._underway.add(answering)
        answering.add_done_callback(self._underway.discard)
        return True

    async def _work(self, case: str, host: Host, run: Run, task: OpenTask) -> None:
        if not task.started:
            await host.ask(run, WorkerReported(host.clock.now(), task.key))
        failure: StatesError | None = None
        mock: MockedResponse | None = None
        try:
            mock = await self._mock(case, run.arn, task.frame.state, task.key)
        except StatesError as error:
            failure = error
        if mock is not None and mock.result is None:
            failure = StatesError(mock.error, mock.cause)
        name, cause = (None, None) if failure is None else (failure.error, failure.cause)
        result = None if mock is None else mock.result
        await host.ask(run, TaskReported(host.clock.now(), task.key, result, name, cause))

    def _case(self, execution: str) -> str | None:
        if self._every is not None and self._every[0] == _machine(execution):
            return self._every[1]
        return self.cases.get(execution)

    async def _mock(self, case: str, execution: str, state: str, key: int) -> MockedResponse | None:
        """Raises ``StatesError`` where the configuration cannot be used."""
        try:
            config = self.file.read()
            machine = _machine(execution)
            if state not in config.states(machine, case):
                return None
            return config.mock(machine, case, state, await self._invocation(execution, state, key))
        except ProjectError as error:
            raise StatesError("States.Runtime", str(error)) from None

    async def _invocation(self, execution: str, state: str, key: int) -> int:
        """How many tasks of the state were scheduled before the one with this key."""
        entered: dict[int, str] = {}
        before = 0
        for event in await self._store.events(execution):
            if event.seq >= key:
                break
            if isinstance(event, StateEntered):
                entered[event.frame] = event.name
            elif isinstance(event, TaskScheduled) and entered.get(event.frame) == state:
                before += 1
        return before


def _machine(execution: str) -> str:
    return Arn.of(execution).name
