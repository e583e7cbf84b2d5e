"""Answers that somebody gives to tasks while an execution is debugged, before whatever would serve them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import Arn, unlabelled
from asl_engine.engine.stand_ins import StandIns
from asl_engine.errors import StatesError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.core.execution import OpenTask
    from asl_engine.debugging.given import GivenAnswer
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload
    from asl_engine.resources import Direct, Resource, TaskCall

__all__ = ["DebugTasks"]


class DebugTasks(StandIns):
    """Resources, with ``given`` answers before them, by the state.  ``inner`` are the stand-ins behind them."""

    def __init__(
        self,
        resources: Mapping[str, Resource],
        inner: StandIns | None,
        given: dict[str, GivenAnswer],
        machine_name: str,
    ) -> None:
        super().__init__(resources if inner is None else inner)
        self._inner = inner
        self._given = given
        self._machine_name = machine_name

    async def find(self, call: TaskCall) -> Direct | None:
        given = self._given.get(call.state) if self._is_debugged(call.execution) else None
        if given is None:
            return None
        if given.once:
            del self._given[call.state]
        return _resource(given)

    def covers(self, run: Run, task: OpenTask) -> bool:
        return self._is_debugged(run.arn) and task.frame.state in self._given

    def stand_in(self, host: Host, run: Run, task: OpenTask) -> bool:
        if super().stand_in(host, run, task):
            return True
        return self._inner is not None and self._inner.stand_in(host, run, task)

    def _is_debugged(self, execution: str) -> bool:
        return unlabelled(Arn.of(execution).name)[0] == self._machine_name


def _resource(given: GivenAnswer) -> Direct:
    async def answer(_call: TaskCall) -> Payload:
        if given.output is None:
            raise StatesError(given.error, given.cause)
        return given.output

    return answer
