"""Executions as they stand, and as they stood: from those that run here, or from their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.core.apply import fold
from asl_engine.debugging.places import View
from asl_engine.errors import ExecutionDoesNotExist
from asl_engine.states.distributed_map import processor_of

if TYPE_CHECKING:
    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution
    from asl_engine.core.machine import StateMachine
    from asl_engine.debugging.places import Standpoint
    from asl_engine.engine.engine import Engine
    from asl_engine.store.protocol import Store

__all__ = ["ExecutionReader"]


class ExecutionReader:
    """Reads executions of ``machine``, and of its Map states' children.  ``engine`` is what runs some of them."""

    def __init__(self, store: Store, machine: StateMachine) -> None:
        self.engine: Engine | None = None
        self._store = store
        self._machine = machine
        self._read: tuple[str, list[Event]] = ("", [])

    async def log(self, arn: str) -> list[Event]:
        """The log as far as it is on disk; it is read once, as long as it does not grow."""
        run = None if self.engine is None else self.engine.runs.get(arn)
        known_arn, known = self._read
        if known_arn != arn or run is None or run.told != len(known):
            self._read = arn, await self._store.events(arn)
        return self._read[1]

    async def standing(self, arn: str) -> Execution:
        """An execution as it stands now.  Raises ``ExecutionDoesNotExist``."""
        run = None if self.engine is None else self.engine.runs.get(arn)
        return await self._folded(arn) if run is None else run.execution

    async def view_at(self, place: Standpoint) -> View:
        """How it stood at a place of the past."""
        execution = await self._folded(place.execution, place.seq)
        return View(self.machine_of(execution), execution, place, live=False)

    async def _folded(self, arn: str, length: int | None = None) -> Execution:
        record = await self._store.record(arn)
        if record is None:
            raise ExecutionDoesNotExist(f"there is no execution {arn}")
        return fold(record.identity, (await self.log(arn))[:length])

    def machine_of(self, execution: Execution) -> StateMachine:
        """The machine itself; for the child of a Map Run, its item processor."""
        return processor_of(self._machine, execution.identity.machine_name)
