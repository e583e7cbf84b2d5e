"""ListExecutions in SQL: one state machine's executions in the order of ``Place``, a page at a time.

The index holds each status in that order.  A page of all statuses is the beginning of each, merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from asl_engine.core.execution import Status

if TYPE_CHECKING:
    from asl_engine.store.records import Place

__all__ = ["IN_ORDER", "behind", "of_machine"]

AT = "coalesce(stopped_at, redriven_at, started_at)"
IN_ORDER = f"ORDER BY {AT} DESC, execution DESC"
PAGE = f"SELECT execution FROM executions WHERE status = '{{}}' AND {{}} {IN_ORDER} LIMIT ?2"
# Behind the moment ?3 and the execution of the ARN ?4, which may be gone by now; with neither, from the beginning.
# The first condition follows from the second, and is what the index can look up.
BEHIND = (
    f"{AT} <= ?3 AND ({AT} < ?3 OR execution < coalesce((SELECT execution FROM executions WHERE arn = ?4), 0))"
)


def behind(after: Place | None) -> tuple[str, tuple[Any, ...]]:
    """The condition for what comes behind a place, and the values of ?3 and ?4."""
    return ("TRUE", (None, None)) if after is None else (BEHIND, (after.at, after.arn))


def of_machine(
    machine_arn: str, status: Status | None, after: Place | None, limit: int, qualified: str | None
) -> tuple[str, tuple[Any, ...]]:
    """What to select, from WHERE on, and its values."""
    later, place = behind(after)
    where = f"machine_arn = ?1 AND {later} AND (?5 IS NULL OR version_arn = ?5 OR alias_arn = ?5)"
    values = (machine_arn, limit, *place, qualified)
    if status is not None:
        return f"WHERE status = ?6 AND {where} {IN_ORDER} LIMIT ?2", (*values, status)
    each = " UNION ALL ".join(f"SELECT * FROM ({PAGE.format(one, where)})" for one in get_args(Status))
    return f"WHERE execution IN ({each}) {IN_ORDER} LIMIT ?2", values
