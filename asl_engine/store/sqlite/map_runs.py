"""Map Runs and their children: for DescribeMapRun, for ListExecutions, and to continue after a restart.

A Map Run's row follows from the log of the execution that started it, and is written in the same
transaction: it begins with MapRunStarted and ends with the Map Run's last event or with the execution.  A
child is an execution like any other; its row here names its Map Run and its number there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.core import events as ev
from asl_engine.json_text import dumps, loads
from asl_engine.store.outcome import outcome
from asl_engine.store.records import MapRunChild, MapRunRecord, MapRunStatus
from asl_engine.store.sqlite.listing import IN_ORDER, behind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Status
    from asl_engine.json_values import Json
    from asl_engine.store.records import Place, Record
    from asl_engine.store.sqlite.connection import Fetch, Statement, Write

__all__ = ["INSERT_CHILD", "MapRunTable", "changes", "endings"]


INSERT = (
    "INSERT INTO map_runs (arn, execution, seq, status, started_at, configuration)"
    " VALUES (?, ?, ?, 'RUNNING', ?, ?)"
)
END = "UPDATE map_runs SET status = ?, stopped_at = ? WHERE execution = ? AND seq = ?"
END_ALL = "UPDATE map_runs SET status = 'ABORTED', stopped_at = ? WHERE execution = ? AND status = 'RUNNING'"
REDRIVE = (
    "UPDATE map_runs SET status = 'RUNNING', stopped_at = NULL, counts = NULL, redrive_count = ?, redriven_at = ?"
    " WHERE execution = ? AND seq = ?"
)
REDRIVE_CHILD = (
    "UPDATE children SET round = (SELECT redrive_count FROM map_runs WHERE map_runs.map_run = children.map_run)"
    " WHERE execution = ?"
)
# An Express child restarts as another execution, which takes the place of the previous one.
INSERT_CHILD: Final = (
    "INSERT OR REPLACE INTO children (map_run, number, execution, items, round, redrives)"
    " SELECT m.map_run, ?2, ?3, ?4, m.redrive_count, coalesce((SELECT 1 + before.redrives FROM children AS before"
    " WHERE before.map_run = m.map_run AND before.number = ?2), 0) FROM map_runs AS m WHERE m.arn = ?1"
)
SELECT = (
    "SELECT m.arn, e.arn, e.machine_arn, m.seq, m.status, m.started_at, m.stopped_at, m.redrive_count,"
    " m.redriven_at, m.configuration, m.counts"
    " FROM map_runs AS m JOIN executions AS e USING (execution)"
)
# CROSS JOIN makes SQLite join in this order.
CHILDREN = (
    "SELECT number, items, arn, status, round FROM children CROSS JOIN executions USING (execution)"
    " WHERE map_run = (SELECT map_run FROM map_runs WHERE arn = ?) AND number > ? ORDER BY number LIMIT ?"
)
CHILD_PAGE = (
    "SELECT arn, items, children.redrives FROM children CROSS JOIN executions USING (execution)"
    " WHERE map_run = (SELECT map_run FROM map_runs WHERE arn = ?1) AND {} AND (?5 IS NULL OR status = ?5)"
    f" {IN_ORDER} LIMIT ?2"
)
SUMS = (
    "SELECT status, count(*), sum(items) FROM children CROSS JOIN executions USING (execution)"
    " WHERE map_run = (SELECT map_run FROM map_runs WHERE arn = ?) GROUP BY status"
)

_ENDINGS: dict[type[Event], MapRunStatus] = {
    ev.MapRunSucceeded: "SUCCEEDED",
    ev.MapRunFailed: "FAILED",
    ev.MapRunAborted: "ABORTED",
}
# All events that change a Map Run's row, or a child's.
_TOLD_BY = {
    *_ENDINGS,
    ev.MapRunStarted,
    ev.MapRunRedriven,
    ev.ExecutionRedriven,
    ev.ExecutionFailed,
    ev.ExecutionTimedOut,
    ev.ExecutionAborted,
}


def endings(events: Sequence[Event]) -> list[tuple[int, MapRunStatus, int]]:
    """The Map Runs that these events end: key, status and time of each.  Key 0 stands for all that run."""
    found = [
        (event.map_run, _ENDINGS[type(event)], event.at)
        for event in events
        if isinstance(event, ev.MapRunSucceeded | ev.MapRunFailed | ev.MapRunAborted)
    ]
    ended = outcome(events)
    if ended is not None and ended[0] != "SUCCEEDED":
        found.append((0, "ABORTED", ended[1]))
    return found


def changes(key: int, events: Sequence[Event]) -> list[Statement]:
    """The statements that update the Map Runs of the execution ``key`` from its log."""
    if _TOLD_BY.isdisjoint(map(type, events)):  # nearly always
        return []
    found: list[Statement] = [
        (INSERT, (event.arn, key, event.seq, event.at, event.parameters.text))
        for event in events
        if isinstance(event, ev.MapRunStarted)
    ]
    for event in events:
        if isinstance(event, ev.MapRunRedriven):
            found.append((REDRIVE, (event.redrive_count, event.at, key, event.map_run)))
        elif isinstance(event, ev.ExecutionRedriven):
            found.append((REDRIVE_CHILD, (key,)))
    for map_run, status, at in endings(events):
        found.append((END, (status, at, key, map_run)) if map_run else (END_ALL, (at, key)))
    return found


class MapRunTable:
    """``MapRuns`` in SQLite.  ``records`` reads executions."""

    def __init__(
        self,
        fetch: Fetch,
        write: Write,
        records: Callable[[str, tuple[Any, ...]], Awaitable[list[Record]]],
    ) -> None:
        self._fetch = fetch
        self._write = write
        self._records = records

    async def get(self, arn: str) -> MapRunRecord | None:
        found = await self._select("WHERE m.arn = ?", (arn,))
        return found[0] if found else None

    async def page(self, execution: str, after: str, limit: int) -> list[MapRunRecord]:
        return await self._select(
            "WHERE m.execution = (SELECT execution FROM executions WHERE arn = ?1)"
            " AND (?2 = '' OR m.map_run < (SELECT map_run FROM map_runs WHERE arn = ?2))"
            " ORDER BY m.map_run DESC LIMIT ?3",
            (execution, after, limit),
        )

    async def _select(self, where: str, values: tuple[Any, ...]) -> list[MapRunRecord]:
        return [
            MapRunRecord._make((*known, _object(configuration) or {}, _object(counts)))
            for *known, configuration, counts in await self._fetch(f"{SELECT} {where}", values)
        ]

    async def configure(self, arn: str, configuration: dict[str, Json]) -> None:
        await self._write(("UPDATE map_runs SET configuration = ? WHERE arn = ?", (dumps(configuration), arn)))

    async def count(self, arn: str, counts: dict[str, Json]) -> None:
        await self._write(("UPDATE map_runs SET counts = ? WHERE arn = ?", (dumps(counts), arn)))

    async def kinship(self, execution: str) -> tuple[str, int] | None:
        rows = await self._fetch(
            "SELECT m.arn, c.items FROM children AS c JOIN map_runs AS m USING (map_run)"
            " WHERE c.execution = (SELECT execution FROM executions WHERE arn = ?)",
            (execution,),
        )
        return (str(rows[0][0]), int(rows[0][1])) if rows else None

    async def children(self, arn: str, after: int, limit: int) -> list[MapRunChild]:
        rows = await self._fetch(CHILDREN, (arn, after, limit))
        return [MapRunChild(*row) for row in rows]

    async def child_page(
        self, arn: str, status: Status | None, after: Place | None, limit: int
    ) -> list[tuple[Record, int, int]]:
        later, place = behind(after)
        found = await self._fetch(CHILD_PAGE.format(later), (arn, limit, *place, status))
        of_each = {str(arn): (int(items), int(redrives)) for arn, items, redrives in found}
        arns = f"WHERE arn IN (SELECT value FROM json_each(?)) {IN_ORDER}"
        records = await self._records(arns, (dumps([*of_each]),))
        return [(record, *of_each[record.identity.arn]) for record in records]

    async def sums(self, arn: str) -> dict[str, tuple[int, int]]:
        rows = await self._fetch(SUMS, (arn,))
        return {str(status): (int(number), int(items)) for status, number, items in rows}

    async def unsettled(self) -> list[str]:
        rows = await self._fetch("SELECT arn FROM map_runs WHERE status <> 'RUNNING' AND counts IS NULL", ())
        return [str(arn) for (arn,) in rows]


def _object(text: str | None) -> dict[str, Json] | None:
    value = None if text is None else loads(text)
    return value if isinstance(value, dict) else None
