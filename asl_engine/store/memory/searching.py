"""``search`` and ``tally`` in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from asl_engine.core import events as ev
from asl_engine.core.execution import Status
from asl_engine.store.records import FoundExecution, SearchPage, SearchPosition, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.store.records import ExecutionSearch, Record

__all__ = ["search", "tally"]

ENDINGS = (ev.ExecutionFailed, ev.ExecutionTimedOut, ev.ExecutionAborted)


def search(
    records: Mapping[str, Record],
    events: Mapping[str, Sequence[ev.Event]],
    wanted: ExecutionSearch,
    after: SearchPosition | None,
    *,
    limit: int,
    window: int,
) -> SearchPage:
    rows = [
        (SearchPosition(record.place.at if wanted.machine_arn is not None else 0, key), record)
        for key, record in enumerate(records.values())
        if record.identity.map_run is None
        and wanted.machine_arn in {None, record.identity.machine_arn}
        and wanted.status in {None, record.status}
    ]
    seen = sorted((row for row in rows if after is None or row[0] < after), reverse=True)[:window]
    found: list[FoundExecution] = []
    for position, record in seen:
        one = _with_error(record, events[record.identity.arn])
        if _fits(one, wanted):
            found.append(one)
            if len(found) == limit:
                return SearchPage(found, position)
    return SearchPage(found, seen[-1][0] if len(seen) == window else None)


def _with_error(record: Record, log: Sequence[ev.Event]) -> FoundExecution:
    last = log[-1] if log else None
    return FoundExecution(record, last.error, last.cause) if isinstance(last, ENDINGS) else FoundExecution(record)


def _fits(one: FoundExecution, wanted: ExecutionSearch) -> bool:
    who = one.record.identity
    return (
        who.machine_arn.startswith(wanted.home)
        and wanted.name.lower() in who.name.lower()
        and wanted.error.lower() in (one.error or "").lower()
        and (wanted.begin is None or who.started_at >= wanted.begin)
        and (wanted.end is None or who.started_at < wanted.end)
    )


def tally(records: Mapping[str, Record], home: str, machine_arn: str | None, most: int) -> dict[Status, Tally]:
    counts = dict.fromkeys(get_args(Status), 0)
    for record in records.values():
        who = record.identity
        if who.map_run is None and who.machine_arn.startswith(home) and machine_arn in {None, who.machine_arn}:
            counts[record.status] += 1
    return {status: Tally(min(count, most), count > most) for status, count in counts.items()}
