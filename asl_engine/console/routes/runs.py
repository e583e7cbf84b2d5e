"""The list of executions: filtered, a page at a time, at a cost that does not grow with their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from asl_engine.console.shown import counted, run_of_record
from asl_engine.core.execution import Status
from asl_engine.server.protocol.errors import does_not_exist
from asl_engine.store.records import ExecutionSearch, SearchPosition

if TYPE_CHECKING:
    from asl_engine.console.asked import Asked

__all__ = ["counts_of", "runs"]

STATUSES: Final[tuple[str, ...]] = get_args(Status)
MAX_PAGE: Final = 200
WINDOW: Final = 2_000  # executions that are looked at for one page, where an index does not find them


async def runs(asked: Asked) -> dict[str, Any]:
    machine = asked.optional("machine")
    if machine is not None and not asked.api.owns(machine):
        raise does_not_exist("State Machine", machine)
    wanted = ExecutionSearch(
        home=asked.desk.caller.prefix,
        machine_arn=machine,
        status=asked.one_of("status", STATUSES),
        name=asked.optional("name") or "",
        error=asked.optional("error") or "",
        begin=asked.optional_number("from"),
        end=asked.optional_number("to"),
    )
    query = ("console runs", *wanted)
    after = asked.position(*query)
    limit = asked.number("limit", 50, 1, MAX_PAGE)
    place = None if after is None else SearchPosition(*after)
    is_searched = bool(wanted.name or wanted.error) or wanted.begin is not None or wanted.end is not None
    page = await asked.service.store.search(wanted, place, limit, WINDOW if is_searched else limit)
    return {
        "runs": [run_of_record(asked.service, *one) for one in page.found],
        "next": asked.token(page.position, *query),
        "counts": await counts_of(asked, machine),
    }


async def counts_of(asked: Asked, machine: str | None = None) -> dict[str, Any]:
    """The numbers of executions by status, of a machine or of all."""
    if machine is None:
        return await asked.desk.hub.counts(asked.desk.caller.prefix)
    return counted(await asked.service.store.tally(asked.desk.caller.prefix, machine))
