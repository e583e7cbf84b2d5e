"""StartExecution, StartSyncExecution, DescribeExecution, ListExecutions, StopExecution."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asl_engine.answers import describe_execution as described
from asl_engine.answers import list_item, present
from asl_engine.answers import start_execution as started
from asl_engine.arn import execution_arn, express_arn
from asl_engine.errors import ExecutionAlreadyExists
from asl_engine.execution import Identity, fold
from asl_engine.jsontypes import JsonSyntaxError, Payload, loads
from asl_engine.limits import utf8_length
from asl_engine.server.errors import ApiError
from asl_engine.server.names import checked_name
from asl_engine.server.service import SERVED, moment
from asl_engine.server.tokens import page_token, position_of

if TYPE_CHECKING:
    from asl_engine.engine import Run
    from asl_engine.execution import Execution
    from asl_engine.server.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store import Record
    from asl_engine.store.machines import MachineRecord

__all__ = [
    "describe_execution",
    "list_executions",
    "start_execution",
    "start_sync_execution",
    "stop_execution",
]

KINDS = ("execution", "express")
BILLED_MEMORY_MB = 64  # the least that AWS bills
BILLED_STEP_MS = 100


async def start_execution(request: Request, service: Service) -> dict[str, Any]:
    """A Standard execution that runs with this name and input is given again."""
    record = await _startable(request, service)
    try:
        run = await _launch(request, service, record)
    except ExecutionAlreadyExists:
        return await _again(request, service, record)
    return started(run.execution.identity, moment)


async def start_sync_execution(request: Request, service: Service) -> dict[str, Any]:
    """Express machines only: the answer comes when the execution has ended."""
    record = await _startable(request, service)
    if record.type != "EXPRESS":
        raise ApiError(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
        )
    run = await _launch(request, service, record)
    execution = await run.wait()
    answer = described(execution, moment, data=request.optional_text("includedData") != "METADATA_ONLY")
    for member in ("redriveCount", "redriveStatus", "redriveStatusReason"):
        answer.pop(member, None)
    return answer | _failure(execution) | {"billingDetails": _billing(execution)}


async def describe_execution(request: Request, service: Service) -> dict[str, Any]:
    record = await service.execution(request, request.arn("executionArn", *KINDS))
    data = request.optional_text("includedData") != "METADATA_ONLY"
    return described(await _execution(service, record), moment, data=data)


async def list_executions(request: Request, service: Service) -> dict[str, Any]:
    if request.data.get("mapRunArn") is not None:
        raise ApiError("ResourceNotFound", f"Resource not found: '{request.data['mapRunArn']}'")
    if request.data.get("stateMachineArn") is None:
        raise ApiError("ValidationException", "Must provide a state machine ARN or map run ARN")
    machine = await service.machine(request, request.arn("stateMachineArn", "stateMachine"))
    if machine.type == "EXPRESS":
        raise ApiError(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
        )
    status: Any = request.optional_text("statusFilter")
    size, query = request.page_size(), ("ListExecutions", machine.arn, status, request.data.get("redriveFilter"))
    after = position_of(request.optional_text("nextToken"), query) or ""
    found = await service.store.page(machine.arn, status, str(after), size + 1)
    if request.data.get("redriveFilter") == "REDRIVEN":
        found = []  # nothing is ever redriven yet
    answer: dict[str, Any] = {"executions": [list_item(record, moment) for record in found[:size]]}
    if len(found) > size:
        answer["nextToken"] = page_token(query, found[size - 1].identity.arn)
    return answer


async def stop_execution(request: Request, service: Service) -> dict[str, Any]:
    """An execution that has ended stays as it is."""
    record = await service.execution(request, request.arn("executionArn", *KINDS))
    machine = await service.compiled(record.definition)
    error, cause = request.optional_text("error"), request.optional_text("cause")
    await service.engine.stop(machine, record, error, cause)
    ended = await service.store.record(record.identity.arn)
    assert ended is not None  # noqa: S101  executions are never removed
    return {"stopDate": moment(ended.stopped_at or service.engine.clock.now())}


async def _startable(request: Request, service: Service) -> MachineRecord:
    record = await service.machine(request, request.arn("stateMachineArn", "stateMachine"))
    if record.status == "DELETING":
        raise ApiError("StateMachineDeleting", f"State Machine is being deleted: '{record.arn}'")
    return record


async def _launch(request: Request, service: Service, record: MachineRecord) -> Run:
    """Raises InvalidName, InvalidExecutionInput and ``ExecutionAlreadyExists``."""
    given = request.optional_text("name")
    name = str(uuid4()) if given is None else checked_name(given)
    payload = _input(request, service)
    unique = (str(uuid4()),) if record.type == "EXPRESS" else ()
    arn = express_arn if record.type == "EXPRESS" else execution_arn
    identity = Identity(
        arn=arn(*request.caller, record.name, name, *unique),
        name=name,
        machine_arn=record.arn,
        machine_name=record.name,
        role_arn=record.role_arn,
        started_at=service.engine.clock.now(),
    )
    machine = await service.compiled(record.definition)
    return service.watch(await service.engine.launch(machine, identity, payload, {SERVED: True}))


def _input(request: Request, service: Service) -> Payload:
    text = request.optional_text("input")
    if text is None:
        return Payload({}, "{}")
    try:
        payload = Payload(loads(text), text)
    except JsonSyntaxError as error:
        raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None
    most = service.engine.limits.payload_bytes
    if most is not None and utf8_length(text) > most:
        raise ApiError("InvalidExecutionInput", f"Input exceeds the maximum length ({most} bytes)")
    return payload


async def _again(request: Request, service: Service, machine: MachineRecord) -> dict[str, Any]:
    """The execution that has the name: the same if it runs with the same input."""
    arn = execution_arn(*request.caller, machine.name, request.text("name"))
    record = await service.execution(request, arn)
    execution = await _execution(service, record)
    same = _canonical(execution.input) == _canonical(_input(request, service))
    if record.status != "RUNNING" or not same:
        raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
    return started(record.identity, moment)


def _canonical(payload: Payload | None) -> str | None:
    """The same text for the same value, whatever the order of its keys; 1 and true stay different."""
    return None if payload is None else json.dumps(payload.value, sort_keys=True)


async def _execution(service: Service, record: Record) -> Execution:
    """The execution as the store has it: what is told is on disk."""
    return fold(record.identity, await service.store.events(record.identity.arn))


def _failure(execution: Execution) -> dict[str, Any]:
    return present(error=execution.error, cause=execution.cause)


def _billing(execution: Execution) -> dict[str, int]:
    """The duration in steps of 100 ms, as AWS bills it, and the least memory."""
    taken = (execution.stopped_at or 0) - execution.identity.started_at
    billed = max(1, -(-taken // BILLED_STEP_MS)) * BILLED_STEP_MS
    return {"billedMemoryUsedInMB": BILLED_MEMORY_MB, "billedDurationInMilliseconds": billed}
