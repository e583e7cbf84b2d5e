"""Starts executions of one machine, many at a time: a distributed Map has thousands of children.

What they begin with shares a commit, and one that ends as soon as it begins is never waited for.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from asl_engine.arn import is_express
from asl_engine.core.execution import Execution
from asl_engine.core.stimuli import Started
from asl_engine.core.task_tokens import SALT_BYTES
from asl_engine.engine.map_runs.results import in_short
from asl_engine.engine.run import Run
from asl_engine.errors import AslError
from asl_engine.store.records import NewExecution, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine
    from asl_engine.engine.clock_changes import ClockChanges
    from asl_engine.engine.deciding import Deciding
    from asl_engine.engine.host import Host, Launch
    from asl_engine.store.run_options import RunOptions

__all__ = ["Launching"]

SALTS_AT_ONCE: Final = 256
TURN_SECONDS: Final = 0.01  # of decisions, before others have their turn


class Launching:
    """Starts executions for an engine, which decides for them and drives them."""

    def __init__(self, host: Host, deciding: Deciding, changes: ClockChanges) -> None:
        self._host = host
        self._deciding = deciding
        self._changes = changes
        self._salts = _salts()

    async def launch(
        self, machine: StateMachine, launches: Sequence[Launch], options: RunOptions
    ) -> list[Run | AslError]:
        """The run of each execution once its first events are on disk, or what prevents it."""
        with self._host.timers.busy():
            begun = await self._begun(machine, launches, options)
            new = [
                NewExecution(Record(one.identity, machine.digest, options=options), events, one.child)
                for one, (_, events) in zip(launches, begun, strict=True)
            ]
            failures = await self._kept(new, machine.text)
            for (run, events), failure in zip(begun, failures, strict=True):
                if failure is None:
                    self._host.begin(run, events)
        return [failure or run for (run, _), failure in zip(begun, failures, strict=True)]

    async def _begun(
        self, machine: StateMachine, launches: Sequence[Launch], options: RunOptions
    ) -> list[tuple[Run, list[Event]]]:
        """The runs, which nobody knows of yet, and their first events."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        begun = []
        for identity, given, child in launches:
            run = Run(machine, Execution(identity), options, self._changes.total)
            run.map_run = None if child is None else child.map_run
            events = await self._deciding.decide(run, Started(identity.started_at, given, next(self._salts)))
            if child is not None and is_express(identity.arn) and run.execution.status != "RUNNING":
                events = in_short(events)
            begun.append((run, events))
            if loop.time() - since > TURN_SECONDS:
                await asyncio.sleep(0)
                since = loop.time()
        return begun

    async def _kept(self, new: Sequence[NewExecution], definition: str) -> Sequence[AslError | None]:
        """What has kept each from being kept."""
        if len(new) > 1:
            return await self._host.store.create_many(new, definition)
        try:
            for record, events, child in new:
                await self._host.store.create(record, definition, events, child)
        except AslError as error:
            return (error,)
        return [None] * len(new)


def _salts() -> Iterator[str]:
    """Random texts that nobody can guess.  To ask the system for each would take as long as a short execution."""
    while True:
        made = os.urandom(SALT_BYTES * SALTS_AT_ONCE).hex()
        length = 2 * SALT_BYTES
        yield from (made[at : at + length] for at in range(0, len(made), length))
