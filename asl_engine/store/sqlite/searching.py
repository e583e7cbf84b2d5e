"""Searching executions in SQL, by what has an index and by what has none, at a bounded cost.

What an index finds (a machine, a status) is looked up in the index's order, as many executions as a *window* has.
All else (a part of the name, the error, the time) is looked for among those alone.  So a page costs the same
however many executions there are, and whoever wants to go on does so behind the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from asl_engine.core.execution import Status
from asl_engine.store.records import FoundExecution, SearchPage, SearchPosition, Tally
from asl_engine.store.sqlite.listing import AT
from asl_engine.store.sqlite.rows import RECORD_COLUMNS, record_of

if TYPE_CHECKING:
    from asl_engine.store.records import ExecutionSearch
    from asl_engine.store.sqlite.connection import Fetch

__all__ = ["search", "statement", "tally"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
THEMSELVES: Final = "instr(machine_name, '/') = 0"  # the condition of the indexes
# The end of an execution is its last event.
ENDING: Final = """(
    SELECT data FROM events WHERE events.execution = executions.execution
    AND status IN ('FAILED', 'TIMED_OUT', 'ABORTED') ORDER BY seq DESC LIMIT 1
)"""
ERROR: Final = f"json_extract({ENDING}, '$.error')"
CAUSE: Final = f"json_extract({ENDING}, '$.cause')"


class _Values(list[Any]):
    """The values of a statement, each with a number."""

    def __call__(self, value: Any) -> str:
        self.append(value)
        return f"?{len(self)}"


async def search(
    fetch: Fetch, wanted: ExecutionSearch, after: SearchPosition | None, limit: int, window: int
) -> SearchPage:
    """One page.  ``limit`` and ``window`` are at least 1."""
    rows = await fetch(*statement(wanted, after, limit, window))
    found = [FoundExecution(record_of(row[:-4]), *row[-4:-2]) for row in rows]
    if len(rows) == limit:
        return SearchPage(found, SearchPosition(*rows[-1][-2:]))
    values = _Values()
    order = "ASC, key ASC" if wanted.machine_arn is not None else "ASC"
    place = "at" if wanted.machine_arn is not None else "key"
    scanned = _scanned(wanted, after, window, values)
    last = await fetch(
        f"SELECT at, key, count(*) OVER () FROM ({scanned}) ORDER BY {place} {order} LIMIT 1", tuple(values)
    )
    is_all = not last or last[0][2] < window
    return SearchPage(found, None if is_all else SearchPosition(*last[0][:2]))


def statement(
    wanted: ExecutionSearch, after: SearchPosition | None, limit: int, window: int
) -> tuple[str, tuple[Any, ...]]:
    """What finds a page: each row is a record, its error and cause, and its position."""
    values = _Values()
    scanned = _scanned(wanted, after, window, values)
    filters = [f"substr(machine_arn, 1, length({(home := values(wanted.home))})) = {home}"]
    if wanted.name:
        filters.append(f"instr(lower(name), lower({values(wanted.name)}))")
    if wanted.error:
        filters.append(f"instr(lower({ERROR}), lower({values(wanted.error)}))")
    if wanted.begin is not None:
        filters.append(f"started_at >= {values(wanted.begin)}")
    if wanted.end is not None:
        filters.append(f"started_at < {values(wanted.end)}")
    order = "key DESC" if wanted.machine_arn is None else "at DESC, key DESC"
    # The window is the outer loop: CROSS JOIN keeps it there.
    query = f"""
        WITH scanned AS MATERIALIZED ({scanned})
        SELECT {RECORD_COLUMNS}, {ERROR}, {CAUSE}, at, key
        FROM scanned CROSS JOIN executions ON executions.execution = scanned.key
        WHERE {" AND ".join(filters)} ORDER BY {order} LIMIT {values(limit)}
    """
    return query, tuple(values)


def _scanned(wanted: ExecutionSearch, after: SearchPosition | None, window: int, values: _Values) -> str:
    """The window: what an index gives in its order."""
    if wanted.machine_arn is not None:
        return _of_machine(wanted.machine_arn, wanted.status, after, window, values)
    conditions = [THEMSELVES]
    if wanted.status is not None:
        conditions.append(f"status = {values(wanted.status)}")
    if after is not None:
        conditions.append(f"execution < {values(after.key)}")
    return f"""
        SELECT execution AS key, {AT} AS at FROM executions WHERE {" AND ".join(conditions)}
        ORDER BY execution DESC LIMIT {values(window)}
    """


def _of_machine(
    machine_arn: str, status: Status | None, after: SearchPosition | None, window: int, values: _Values
) -> str:
    machine, most = values(machine_arn), values(window)
    behind = "TRUE"
    if after is not None:
        at, key = values(after.at), values(after.key)
        behind = f"{AT} <= {at} AND ({AT} < {at} OR execution < {key})"
    each = (
        f"""
        SELECT * FROM (
            SELECT execution AS key, {AT} AS at FROM executions
            WHERE machine_arn = {machine} AND status = '{one}' AND {behind}
            ORDER BY {AT} DESC, execution DESC LIMIT {most}
        )
        """
        for one in (STATUSES if status is None else (status,))
    )
    return f"SELECT * FROM ({' UNION ALL '.join(each)}) ORDER BY at DESC, key DESC LIMIT {most}"


# Whether there are executions of machines elsewhere: two look-ups in an index.
ELSEWHERE: Final = """
    SELECT EXISTS (SELECT 1 FROM executions WHERE machine_arn < ?1)
    OR EXISTS (SELECT 1 FROM executions WHERE machine_arn > ?1 || char(1114111))
"""


async def tally(fetch: Fetch, home: str, machine_arn: str | None, most: int) -> dict[Status, Tally]:
    """How many executions there are of each status, up to ``most``.

    An index suffices, as long as all of them are of this home; else each one is looked at.
    """
    is_mixed = machine_arn is None and bool((await fetch(ELSEWHERE, (home,)))[0][0])
    values = _Values()
    limit = values(most + 1)
    of = THEMSELVES if machine_arn is None else f"machine_arn = {values(machine_arn)}"
    seen, own = "1", "count(*)"
    if is_mixed:
        begin = values(home)
        seen, own = "machine_arn", f"total(substr(machine_arn, 1, length({begin})) = {begin})"
    each = (
        f"""
        SELECT '{status}', count(*), {own}
        FROM (SELECT {seen} FROM executions WHERE {of} AND status = '{status}' LIMIT {limit})
        """
        for status in STATUSES
    )
    rows = await fetch(" UNION ALL ".join(each), tuple(values))
    return {status: Tally(min(int(own), most), seen > most) for status, seen, own in rows}
