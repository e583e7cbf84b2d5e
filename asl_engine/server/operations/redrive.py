"""RedriveExecution, and whether an execution can be redriven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.core.redrive import BEING_DELETED, OF_A_MAP_RUN, answered_before, not_redrivable
from asl_engine.errors import ExecutionNotRedrivable
from asl_engine.projections.moments import moment
from asl_engine.server.protocol.errors import ApiError

if TYPE_CHECKING:
    from asl_engine.core.execution import Execution
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.records import Record

__all__ = ["reason_against", "redrive_execution"]


async def redrive_execution(request: Request, service: Service) -> dict[str, Any]:
    """Repeats the answer for a client token that was used before, whatever happened to the execution since."""
    record = await service.execution(request, request.arn("executionArn", "execution"))
    token = request.optional_text("clientToken")
    async with service.changing:  # the second of two requests with one token must see what the first did
        execution = await service.folded(record)
        answered = answered_before(execution, token, service.engine.clock.now())
        if answered is not None:
            return {"redriveDate": moment(answered)}
        service.check_capacity()
        try:
            reason = await reason_against(service, record, execution)
            if reason is not None:
                raise ExecutionNotRedrivable(record.identity.arn, reason)
            run = await service.engine.redrive(await service.compiled(record.definition), record, token)
        except ExecutionNotRedrivable as error:
            raise ApiError("ExecutionNotRedrivable", str(error)) from None
    redriven_at = service.watch(run).execution.redriven_at
    assert redriven_at is not None  # noqa: S101  it has just been redriven
    return {"redriveDate": moment(redriven_at)}


async def reason_against(service: Service, record: Record, execution: Execution) -> str | None:
    """Why the execution cannot be redriven now; None where it can."""
    reason = not_redrivable(execution, service.engine.clock.now(), service.engine.limits)
    if reason is not None:
        return reason
    if record.identity.map_run is not None:
        return OF_A_MAP_RUN
    machine = await service.store.machines.get(record.identity.machine_arn)
    if machine is None:  # `asl run` has none; that of a server was deleted
        return BEING_DELETED if record.options.served else None
    return BEING_DELETED if machine.status == "DELETING" else None
