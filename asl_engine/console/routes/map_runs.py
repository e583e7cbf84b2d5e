"""A Map Run and its children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from asl_engine.console.shown import run_of_record
from asl_engine.core.execution import Status
from asl_engine.store.records import Place

if TYPE_CHECKING:
    from asl_engine.console.asked import Asked

__all__ = ["map_run"]

DATES: Final = ("startDate", "stopDate", "redriveDate")


async def map_run(asked: Asked) -> dict[str, Any]:
    arn = asked.text("arn")
    status = asked.one_of("status", get_args(Status))
    limit = asked.number("limit", 100, 1, 500)
    told = await asked.perform("DescribeMapRun", {"mapRunArn": arn})
    query = ("console map run", arn, status)
    after = asked.position(*query)
    place = None if after is None else Place(*after)
    found = await asked.service.store.map_runs.child_page(arn, status, place, limit + 1)
    children = [run_of_record(asked.service, record) | {"items": items} for record, items, _ in found[:limit]]
    position = found[limit - 1][0].place if len(found) > limit else None
    return {
        "mapRun": told | {name: round(told[name] * 1000) for name in DATES if name in told},
        "children": children,
        "next": asked.token(position, *query),
    }
