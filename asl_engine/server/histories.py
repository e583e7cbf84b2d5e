"""GetExecutionHistory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.answers import history_event
from asl_engine.history import project
from asl_engine.server.executions import KINDS
from asl_engine.server.service import moment
from asl_engine.server.tokens import page_token, position_of

if TYPE_CHECKING:
    from asl_engine.server.request import Request
    from asl_engine.server.service import Service

__all__ = ["get_execution_history"]


async def get_execution_history(request: Request, service: Service) -> dict[str, Any]:
    """A page ends with an event's id, so that what is added meanwhile moves nothing."""
    record = await service.execution(request, request.arn("executionArn", *KINDS))
    backwards = request.flag("reverseOrder", default=False)
    data = request.flag("includeExecutionData", default=True)
    size, query = request.page_size(), ("GetExecutionHistory", record.identity.arn, backwards, data)
    last = position_of(request.optional_text("nextToken"), query)
    events = [*project(record.identity, await service.store.events(record.identity.arn))]
    if backwards:
        events = [event for event in reversed(events) if last is None or event["id"] < last]
    else:
        events = events[last or 0 :]
    answer: dict[str, Any] = {"events": [history_event(event, moment, data=data) for event in events[:size]]}
    if len(events) > size:
        answer["nextToken"] = page_token(query, events[size - 1]["id"])
    return answer
