"""Map Runs of the in-memory store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.core.events import ExecutionRedriven, MapRunRedriven, MapRunStarted
from asl_engine.store.memory.places import behind
from asl_engine.store.records import Child, MapRunChild, MapRunRecord
from asl_engine.store.sqlite.map_runs import endings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Status
    from asl_engine.json_values import Json
    from asl_engine.store.records import Place, Record

__all__ = ["MemoryMapRuns"]


class MemoryMapRuns:
    """``MapRuns`` in memory."""

    def __init__(self, records: dict[str, Record]) -> None:
        self._records = records
        self._map_runs: dict[str, MapRunRecord] = {}
        self._children: dict[str, list[tuple[Child, str]]] = {}  # by Map Run, in the order of their start
        self._rounds: dict[str, int] = {}  # by child: as MapRunChild has them
        self._redrives: dict[str, int] = {}  # by child: how often it was begun anew
        self._kinship: dict[str, Child] = {}

    def follow(self, record: Record, events: Sequence[Event]) -> None:
        """Update the Map Runs of an execution from its new events."""
        who = record.identity
        for event in events:
            if isinstance(event, MapRunStarted):
                configuration: Any = event.parameters.value
                self._map_runs[event.arn] = MapRunRecord(
                    event.arn,
                    who.arn,
                    who.machine_arn,
                    event.seq,
                    "RUNNING",
                    event.at,
                    None,
                    0,
                    None,
                    configuration,
                    None,
                )
            elif isinstance(event, MapRunRedriven):
                self._map_runs[event.arn] = self._map_runs[event.arn]._replace(
                    status="RUNNING",
                    stopped_at=None,
                    redrive_count=event.redrive_count,
                    redriven_at=event.at,
                    counts=None,
                )
            elif isinstance(event, ExecutionRedriven) and who.arn in self._kinship:
                self._rounds[who.arn] = self._map_runs[self._kinship[who.arn].map_run].redrive_count
        for key, status, at in endings(events):
            for arn, map_run in self._map_runs.items():
                if map_run.execution == who.arn and map_run.status == "RUNNING" and key in (0, map_run.seq):
                    self._map_runs[arn] = map_run._replace(status=status, stopped_at=at)

    def add(self, child: Child, arn: str) -> None:
        children = self._children.setdefault(child.map_run, [])
        before = next((place for place in children if place[0].number == child.number), None)
        if before is not None:
            children.remove(before)
        self._redrives[arn] = 0 if before is None else 1 + self._redrives[before[1]]
        self._rounds[arn] = self._map_runs[child.map_run].redrive_count
        children.append((child, arn))
        self._kinship[arn] = child

    def forget(self, executions: Collection[str]) -> None:
        """Forget executions that were deleted, and the Map Runs that they have started."""
        for arn in [one.arn for one in self._map_runs.values() if one.execution in executions]:
            del self._map_runs[arn]
            self._children.pop(arn, None)
        for arn, children in self._children.items():
            self._children[arn] = [kin for kin in children if kin[1] not in executions]
        for own in executions:
            for kept in (self._kinship, self._rounds, self._redrives):
                kept.pop(own, None)

    async def get(self, arn: str) -> MapRunRecord | None:
        return self._map_runs.get(arn)

    async def page(self, execution: str, after: str, limit: int) -> list[MapRunRecord]:
        found = [map_run for map_run in reversed(self._map_runs.values()) if map_run.execution == execution]
        begin = [map_run.arn for map_run in found].index(after) + 1 if after else 0
        return found[begin : begin + limit]

    async def configure(self, arn: str, configuration: dict[str, Json]) -> None:
        self._map_runs[arn] = self._map_runs[arn]._replace(configuration=configuration)

    async def count(self, arn: str, counts: dict[str, Json]) -> None:
        self._map_runs[arn] = self._map_runs[arn]._replace(counts=counts)

    async def kinship(self, execution: str) -> tuple[str, int] | None:
        child = self._kinship.get(execution)
        return None if child is None else (child.map_run, child.items)

    async def children(self, arn: str, after: int, limit: int) -> list[MapRunChild]:
        kin = [
            MapRunChild(child.number, child.items, own, self._records[own].status, self._rounds[own])
            for child, own in sorted(self._children.get(arn, []))
        ]
        return [child for child in kin if child.number > after][:limit]

    async def child_page(
        self, arn: str, status: Status | None, after: Place | None, limit: int
    ) -> list[tuple[Record, int, int]]:
        children = {own: child for child, own in self._children.get(arn, [])}
        found = [
            (record, children[own].items, self._redrives[own])
            for record in behind({own: self._records[own] for own in children}, after)
            for own in (record.identity.arn,)
            if status in (None, record.status)
        ]
        return found[:limit]

    async def sums(self, arn: str) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for child, own in self._children.get(arn, []):
            number, items = found.get(self._records[own].status, (0, 0))
            found[self._records[own].status] = (number + 1, items + child.items)
        return found

    async def unsettled(self) -> list[str]:
        return [m.arn for m in self._map_runs.values() if m.status != "RUNNING" and m.counts is None]
