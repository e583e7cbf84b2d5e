"""Mocked tasks: what a test case says comes before what would serve the task.

The n-th invocation of a state is counted in the execution's log, so that it is the n-th after a restart too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import Arn, unlabelled
from asl_engine.core.events import StateEntered, TaskScheduled
from asl_engine.engine.stand_ins import StandIns
from asl_engine.errors import ProjectError, StatesError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.core.execution import OpenTask
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload
    from asl_engine.resources import Direct, Resource, TaskCall
    from asl_engine.resources.mocks.configuration import MockedResponse, MockFile
    from asl_engine.store.protocol import Store

__all__ = ["Mocking"]


class Mocking(StandIns):
    """Resources, with the mocks of test cases before them.

    Which test case an execution runs is one of its options (``mock_case``), which the children of its Map Runs
    share; or ``every`` names a state machine and the test case that all its executions run.
    """

    def __init__(
        self, resources: Mapping[str, Resource], store: Store, file: MockFile, every: tuple[str, str] | None = None
    ) -> None:
        super().__init__(resources)
        self.file = file
        self._every = every
        self._store = store

    async def find(self, call: TaskCall) -> Direct | None:
        case = self._case_of_all(call.execution)
        if case is None:
            record = await self._store.record(call.execution)
            case = None if record is None else record.options.mock_case
        if case is None:
            return None
        mock = await self._mock(case, call.execution, call.state, int(call.key.rpartition(":")[2]))
        return None if mock is None else _answer(mock)

    def covers(self, run: Run, task: OpenTask) -> bool:
        case = self._case_of_all(run.arn) or run.options.mock_case
        if case is None:
            return False
        try:
            return task.frame.state in self.file.read().states(_machine(run.arn), case)
        except ProjectError:
            return True  # it is told as the task's failure

    def _case_of_all(self, execution: str) -> str | None:
        if self._every is None or self._every[0] != _machine(execution):
            return None
        return self._every[1]

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


def _answer(mock: MockedResponse) -> Direct:
    async def answer(_call: TaskCall) -> Payload:
        if mock.result is None:
            raise StatesError(mock.error, mock.cause)
        return mock.result

    return answer


def _machine(execution: str) -> str:
    """The state machine that the test cases are for; a Map Run's child is an execution of ``machine/label``."""
    return unlabelled(Arn.of(execution).name)[0]
