"""Watching over executions in SQL: for each state machine an index has what is asked for in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.store.watch_protocol import DeadLetter, WatchedExecution

if TYPE_CHECKING:
    from asl_engine.store.sqlite.connection import Fetch

__all__ = ["WatchTable"]

# The state machines that have executions, each found by one look-up in the index.
MACHINES: Final = """
    WITH RECURSIVE machines (arn) AS (
        SELECT min(machine_arn) FROM executions
        UNION ALL
        SELECT (SELECT min(machine_arn) FROM executions WHERE machine_arn > machines.arn)
        FROM machines WHERE arn IS NOT NULL
    )
"""
THEIRS: Final = "machines JOIN executions e ON e.machine_arn = machines.arn AND instr(e.machine_name, '/') = 0"
PLACED: Final = "coalesce(e.stopped_at, e.redriven_at, e.started_at)"  # as the index has it
LAST: Final = "(SELECT at FROM events v WHERE v.execution = e.execution ORDER BY v.seq DESC LIMIT 1)"
DEAD: Final = """
    SELECT 'delivery/' || delivery, rule_arn, due FROM deliveries
    WHERE status = 'FAILED' AND due > ?1
    UNION ALL
    SELECT 'batch/' || batch, mapping_arn, at FROM discarded_batches WHERE at > ?1
    ORDER BY 3, 1
"""


class WatchTable:
    """``Watch`` in SQLite."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def failed(self, after: int) -> list[WatchedExecution]:
        return await self._executions(
            f"{PLACED} AS at", f"e.status IN ('FAILED', 'TIMED_OUT') AND {PLACED} > ?1", after
        )

    async def running(self, after: int, until: int) -> list[WatchedExecution]:
        where = f"e.status = 'RUNNING' AND {PLACED} > ?1 AND {PLACED} <= ?2"
        return await self._executions(f"{PLACED} AS at", where, after, until)

    async def idle(self, after: int, until: int) -> list[WatchedExecution]:
        where = f"e.status = 'RUNNING' AND {PLACED} <= ?2 AND {LAST} > ?1 AND {LAST} <= ?2"
        return await self._executions(f"{LAST} AS at", where, after, until)

    async def next_running(self, after: int) -> int | None:
        where = f"e.status = 'RUNNING' AND {PLACED} > ?1"
        ((first,),) = await self._fetch(f"{MACHINES} SELECT min({PLACED}) FROM {THEIRS} WHERE {where}", (after,))
        return None if first is None else int(first)

    async def origins(self, prefix: str) -> list[str]:
        query = "SELECT origin FROM bus_events WHERE origin >= ?1 AND origin < ?1 || char(1114111)"
        return [str(origin) for (origin,) in await self._fetch(query, (prefix,))]

    async def dead_letters(self, after: int) -> list[DeadLetter]:
        return [DeadLetter._make(row) for row in await self._fetch(DEAD, (after,))]

    async def _executions(self, at: str, where: str, *values: int) -> list[WatchedExecution]:
        query = (
            f"{MACHINES} SELECT e.arn, e.machine_arn, {at} FROM {THEIRS} WHERE {where} ORDER BY at, e.execution"
        )
        return [WatchedExecution._make(row) for row in await self._fetch(query, values)]
