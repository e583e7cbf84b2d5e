"""GetExecutionHistory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.core.events import TaskScheduled
from asl_engine.projections.descriptions import history_event
from asl_engine.projections.history import project, scheduled_before
from asl_engine.projections.moments import moment
from asl_engine.server.protocol.tokens import page_token, position_of
from asl_engine.server.targets import EXECUTION_KINDS

if TYPE_CHECKING:
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = ["get_execution_history"]


async def get_execution_history(request: Request, service: Service) -> dict[str, Any]:
    """Page tokens name an event, so events that are added in between shift no page."""
    record = await service.execution(request, request.arn("executionArn", *EXECUTION_KINDS))
    backwards = request.flag("reverseOrder", default=False)
    data = request.flag("includeExecutionData", default=True)
    size, query = request.page_size(), ("GetExecutionHistory", record.identity.arn, backwards, data)
    last = position_of(request.optional_text("nextToken"), query) or 0
    store, arn = service.store, record.identity.arn
    found = await store.history(arn, last, size + 1, backwards=backwards)
    page = found[:size]
    scheduled = await store.events_at(arn, scheduled_before(page))
    tasks = {event.seq: event.resource for event in scheduled if isinstance(event, TaskScheduled)}
    shown = [*project(record.identity, reversed(page) if backwards else page, tasks)]
    if backwards:
        shown.reverse()
    answer: dict[str, Any] = {"events": [history_event(event, moment, data=data) for event in shown]}
    if len(found) > size:
        answer["nextToken"] = page_token(query, page[-1].seq)
    return answer
