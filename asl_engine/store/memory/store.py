"""The in-memory store: for tests, and for runs that need no record."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

from asl_engine.core.apply import shared
from asl_engine.errors import AslError, Conflict, ExecutionAlreadyExists
from asl_engine.store.memory import searching
from asl_engine.store.memory.machines import MemoryMachines
from asl_engine.store.memory.map_runs import MemoryMapRuns
from asl_engine.store.memory.places import behind
from asl_engine.store.outcome import outcome, redriven

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Status
    from asl_engine.store.memory.machines import MemoryTags
    from asl_engine.store.records import (
        ActivityRecord,
        Child,
        ExecutionSearch,
        NewExecution,
        Orphan,
        Place,
        Record,
        SearchPage,
        SearchPosition,
        Tally,
    )

__all__ = ["MemoryStore"]


class MemoryActivities:
    """``Activities`` in memory."""

    def __init__(self, tags: MemoryTags) -> None:
        self._activities: dict[str, ActivityRecord] = {}
        self._tags = tags

    async def add(self, record: ActivityRecord, tags: Mapping[str, str] | None = None) -> ActivityRecord:
        if record.arn not in self._activities:
            self._activities[record.arn] = record
            await self._tags.put(record.arn, tags or {})
        return self._activities[record.arn]

    async def get(self, arn: str) -> ActivityRecord | None:
        return self._activities.get(arn)

    async def page(self, prefix: str, after: str, limit: int) -> list[ActivityRecord]:
        arns = sorted(arn for arn in self._activities if arn.startswith(prefix) and arn > after)
        return [self._activities[arn] for arn in arns[:limit]]

    async def arns(self, prefix: str = "") -> list[str]:
        return sorted(arn for arn in self._activities if arn.startswith(prefix))

    async def remove(self, arn: str) -> None:
        self._activities.pop(arn, None)
        self._tags.kept.pop(arn, None)


class MemoryStore:
    """Keeps executions for as long as the object lives."""

    def __init__(self) -> None:
        self.driven: set[str] = set()
        self._records: dict[str, Record] = {}
        self._events: dict[str, list[Event]] = {}
        self._definitions: dict[str, str] = {}
        self.machines = MemoryMachines(self._definitions, self._is_running, self._delete_executions)
        self.versions = self.machines.versions
        self.aliases = self.machines.aliases
        self.tags = self.machines.tags
        self.activities = MemoryActivities(self.tags)
        self.map_runs = MemoryMapRuns(self._records)
        self.bus = None
        self.mappings = None
        self.watch = None

    async def create(
        self, record: Record, definition: str, events: Sequence[Event], child: Child | None = None
    ) -> None:
        arn = record.identity.arn
        if arn in self._records:
            raise ExecutionAlreadyExists(f"The execution {arn} exists already")
        self._definitions[record.definition] = definition
        self._records[arn] = record
        own = shared(events)
        self._events[arn] = [*events[:own]]
        if child is not None:
            self.map_runs.add(child, arn)
        await self.append(arn, events[own:])

    async def create_many(self, new: Sequence[NewExecution], definition: str) -> list[AslError | None]:
        failures: list[AslError | None] = []
        for record, events, child in new:
            try:
                await self.create(record, definition, events, child)
            except AslError as error:
                failures.append(error)
            else:
                failures.append(None)
        return failures

    async def append(self, arn: str, events: Sequence[Event]) -> None:
        log = self._events[arn]
        if events and events[0].seq != len(log) + 1:
            raise Conflict(f"The log of {arn} has grown meanwhile")
        log.extend(events)
        self.map_runs.follow(self._records[arn], events)
        again, ended = redriven(events), outcome(events)
        if again is not None:
            count, at = again.redrive_count, again.at
            self._records[arn] = self._records[arn]._replace(
                status="RUNNING", stopped_at=None, redrive_count=count, redriven_at=at
            )
        if ended is not None:
            self._records[arn] = self._records[arn]._replace(status=ended[0], stopped_at=ended[1])
        await asyncio.sleep(0)  # no disk makes whoever drives an execution wait: let others get on

    def _is_running(self, machine_arn: str) -> bool:
        return any(
            record.status == "RUNNING" and record.identity.machine_arn == machine_arn
            for record in self._records.values()
        )

    def _delete_executions(self, machine_arn: str) -> None:
        """Forget what a server has started of a machine, unless one of its executions runs."""
        if self._is_running(machine_arn):
            return
        gone = {
            arn
            for arn, record in self._records.items()
            if record.status != "RUNNING"
            and record.options.served
            and (
                record.identity.machine_arn == machine_arn
                or record.identity.machine_arn.startswith(f"{machine_arn}/")
            )
        }
        for arn in gone:
            del self._records[arn], self._events[arn]
        self.map_runs.forget(gone)

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        return self._events.get(arn, [])[after:]

    async def history(
        self, arn: str, after: int = 0, limit: int = 1000, *, backwards: bool = False
    ) -> list[Event]:
        log = self._events[arn]
        behind = reversed(log[: after - 1] if after else log) if backwards else log[after:]
        return [*islice((event for event in behind if event.id), limit)]

    async def events_at(self, arn: str, numbers: Collection[int]) -> list[Event]:
        log = self._events[arn]
        return [log[number - 1] for number in sorted({*numbers})]

    async def logs(self, arns: Collection[str]) -> dict[str, list[Event]]:
        return {arn: [*self._events[arn]] for arn in arns if arn in self._events}

    async def record(self, arn: str) -> Record | None:
        return self._records.get(arn)

    async def records(self, arns: Collection[str]) -> list[Record]:
        return [record for arn, record in self._records.items() if arn in {*arns}]

    async def definition(self, digest: str) -> str:
        return self._definitions[digest]

    async def find(self, text: str) -> list[Record]:
        records = self._records.values()
        exact = [record for record in records if text in (record.identity.arn, record.identity.name)]
        return exact or [record for record in records if text and record.identity.name.startswith(text)]

    async def executions(
        self, machine: str | None = None, status: Status | None = None, limit: int = 1000
    ) -> list[Record]:
        chosen = [
            record
            for record in reversed(self._records.values())
            if machine in (None, record.identity.machine_name)
            and status in (None, record.status)
            and record.identity.map_run is None
        ]
        return chosen[:limit]

    async def running(self) -> list[str]:
        return [
            arn
            for arn, record in self._records.items()
            if record.status == "RUNNING" and record.identity.map_run is None
        ]

    async def page(
        self,
        machine_arn: str,
        status: Status | None = None,
        after: Place | None = None,
        limit: int = 100,
        qualified: str | None = None,
    ) -> list[Record]:
        chosen = [
            record
            for record in behind(self._records, after)
            if machine_arn == record.identity.machine_arn
            and status in (None, record.status)
            and qualified in (None, record.identity.version_arn, record.identity.alias_arn)
        ]
        return chosen[:limit]

    async def search(
        self, wanted: ExecutionSearch, after: SearchPosition | None = None, limit: int = 50, window: int = 2000
    ) -> SearchPage:
        return searching.search(self._records, self._events, wanted, after, limit=limit, window=window)

    async def tally(self, home: str, machine_arn: str | None = None, most: int = 1000) -> dict[Status, Tally]:
        return searching.tally(self._records, home, machine_arn, most)

    async def claim(self, arn: str) -> bool:
        """Always succeeds: no other process can see these executions."""
        del arn
        return False

    async def claim_many(self, arns: Collection[str]) -> dict[str, bool]:
        return {arn: False for arn in arns if self._records[arn].status == "RUNNING"}

    async def leave(self, arns: Collection[str]) -> None:
        """Nobody could claim them."""

    async def unclaim(self, arn: str) -> None:
        """Nobody else could have had it."""

    def other_leases(self) -> dict[str, bool]:
        return {}

    async def orphans(self) -> list[Orphan]:
        return []

    def note(self, waits_for: str | None) -> None:
        """Nobody else can look into this store."""

    async def changed(self) -> bool:
        return False

    async def close(self) -> None:
        """Nothing to release."""
