"""ListExecutions in SQL: one state machine's executions in the order of ``Place``, a page at a time.

The indexes hold each status in that order: those of a machine, of a version and of an alias.  A page of all
statuses is the beginning of each, merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from asl_engine.arn import last_part
from asl_engine.core.execution import Status

if TYPE_CHECKING:
    from asl_engine.store.records import Place

__all__ = ["IN_ORDER", "RUNNING", "behind", "newest", "of_machine"]

AT = "coalesce(stopped_at, redriven_at, started_at)"
IN_ORDER = f"ORDER BY {AT} DESC, execution DESC"
# The conditions are those of an index.
RUNNING = "SELECT arn FROM executions WHERE status = 'RUNNING' AND instr(machine_name, '/') = 0 ORDER BY execution"
PAGE = f"SELECT execution FROM executions WHERE status = '{{}}' AND {{}} {IN_ORDER} LIMIT ?2"
# Behind the moment ?3 and the execution of the ARN ?4, which may be gone by now; with neither, from the beginning.
# The first condition follows from the second, and is what the index can look up.
BEHIND = (
    f"{AT} <= ?3 AND ({AT} < ?3 OR execution < coalesce((SELECT execution FROM executions WHERE arn = ?4), 0))"
)


def behind(after: Place | None) -> tuple[str, tuple[Any, ...]]:
    """The condition for what comes behind a place, and the values of ?3 and ?4."""
    return ("TRUE", (None, None)) if after is None else (BEHIND, (after.at, after.arn))


def _started_through(qualified: str | None) -> str:
    """The column that has the ARN: the name of an alias is no number."""
    if qualified is None:
        return "machine_arn"
    return "version_arn" if last_part(qualified).isdecimal() else "alias_arn"


def of_machine(
    machine_arn: str, status: Status | None, after: Place | None, limit: int, qualified: str | None
) -> tuple[str, tuple[Any, ...]]:
    """What to select, from WHERE on, and its values.

    ``qualified`` is the ARN of a version or an alias of the machine, whose executions alone are listed.
    """
    later, place = behind(after)
    where = f"{_started_through(qualified)} = ?1 AND {later}"
    values = (machine_arn if qualified is None else qualified, limit, *(() if after is None else place))
    if status is not None:
        return f"WHERE {where} AND status = ?{len(values) + 1} {IN_ORDER} LIMIT ?2", (*values, status)
    each = " UNION ALL ".join(f"SELECT * FROM ({PAGE.format(one, where)})" for one in get_args(Status))
    return f"WHERE execution IN ({each}) {IN_ORDER} LIMIT ?2", values


def newest(machine_name: str | None, status: Status | None, limit: int) -> tuple[str, tuple[Any, ...]]:
    """What to select for the executions that were created last, children apart, and its values.

    A condition that is not asked for is left out, since an index can only look up an equality.  There is one for
    the status; those of a machine are searched for among the executions of that status, or among all.
    """
    conditions = ["instr(machine_name, '/') = 0"]
    values: list[Any] = [limit]
    for column, value in (("machine_name", machine_name), ("status", status)):
        if value is not None:
            values.append(value)
            conditions.append(f"{column} = ?{len(values)}")
    return f"WHERE {' AND '.join(conditions)} ORDER BY execution DESC LIMIT ?1", tuple(values)
