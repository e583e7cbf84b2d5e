"""StartExecution, StartSyncExecution, DescribeExecution, ListExecutions, StopExecution."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asl_engine.arn import execution_arn, express_arn
from asl_engine.core.execution import Identity
from asl_engine.core.redrive import not_redrivable
from asl_engine.errors import ExecutionAlreadyExists
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import canonical_text
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload
from asl_engine.projections.descriptions import describe_execution as described
from asl_engine.projections.descriptions import list_item, present
from asl_engine.projections.descriptions import start_execution as started
from asl_engine.projections.moments import moment
from asl_engine.resources.trace_context import read_trace
from asl_engine.server.configuration import without_defaults
from asl_engine.server.mocks import check_case, without_case
from asl_engine.server.operations.map_runs import list_children
from asl_engine.server.operations.redrive import reason_against
from asl_engine.server.protocol.errors import ApiError, breach, unsatisfied
from asl_engine.server.protocol.request import checked_name
from asl_engine.server.protocol.tokens import page_token, position_of
from asl_engine.server.targets import EXECUTION_KINDS, Chosen, deleting, resolved, target
from asl_engine.store.records import Place
from asl_engine.store.run_options import RunOptions

if TYPE_CHECKING:
    from asl_engine.core.execution import Execution
    from asl_engine.engine.run import Run
    from asl_engine.json_values import Json
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.records import MachineRecord

__all__ = [
    "describe_execution",
    "list_executions",
    "start_execution",
    "start_sync_execution",
    "stop_execution",
]

# Members of DescribeExecution that StartSyncExecution does not return.
ASYNCHRONOUS = (
    "redriveCount",
    "redriveStatus",
    "redriveStatusReason",
    "stateMachineVersionArn",
    "stateMachineAliasArn",
)
LOOK_SECONDS = 1.0  # how soon somebody who waits hears that the database cannot be used
BILLED_MEMORY_MB = 64  # the least that AWS bills
BILLED_STEP_MS = 100


async def start_execution(request: Request, service: Service) -> dict[str, Any]:
    """Idempotent for a Standard execution that is running with the same name and input."""
    request = without_case(request, service)
    chosen = await _startable(request, service)
    try:
        run = await _launch(request, service, chosen)
    except ExecutionAlreadyExists:
        return await _again(request, service, chosen.record)
    return started(run.execution.identity, moment)


async def start_sync_execution(request: Request, service: Service) -> dict[str, Any]:
    """Answers when the execution has ended.  Express machines only."""
    request = without_case(request, service)
    chosen = await _startable(request, service)
    if chosen.record.type != "EXPRESS":
        raise ApiError(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
        )
    run = await _launch(request, service, chosen)
    while not run.done.done():
        await asyncio.wait({run.done}, timeout=LOOK_SECONDS)
        service.engine.retrying.check(run.arn)  # the client is not to wait for as long as the execution has to
    execution = await run.wait()
    answer = described(execution, moment, None, data=request.optional_text("includedData") != "METADATA_ONLY")
    for member in ASYNCHRONOUS:
        answer.pop(member, None)
    return answer | _failure(execution) | {"billingDetails": _billing(execution)}


async def describe_execution(request: Request, service: Service) -> dict[str, Any]:
    record = await service.execution(request, request.arn("executionArn", *EXECUTION_KINDS))
    data = request.optional_text("includedData") != "METADATA_ONLY"
    execution = await service.outlined(record)
    answer = described(execution, moment, await reason_against(service, record, execution), data=data)
    if record.identity.map_run is not None:
        kinship = await service.store.map_runs.kinship(record.identity.arn)
        answer |= present(mapRunArn=kinship and kinship[0])
        if not_redrivable(execution, service.engine.clock.now(), service.engine.limits) is None:
            answer["redriveStatus"] = "REDRIVABLE_BY_MAP_RUN"
            del answer["redriveStatusReason"]
    return answer


async def list_executions(request: Request, service: Service) -> dict[str, Any]:
    if request.data.get("mapRunArn") is not None:
        if request.data.get("stateMachineArn") is not None:
            raise ApiError(
                "ValidationException", "Must provide either a state machine ARN or a map run ARN, not both"
            )
        return await list_children(request, service)
    if request.data.get("stateMachineArn") is None:
        raise ApiError("ValidationException", "Must provide a state machine ARN or map run ARN")
    found = target(request, "stateMachineArn", "machine", "version", "alias")
    machine, version, _ = await resolved(request, service, found)
    if machine.type == "EXPRESS":
        raise ApiError(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
        )
    status: Any = request.optional_text("statusFilter")
    if (
        request.data.get("redriveFilter") is not None
    ):  # recorded from AWS: it applies to the executions of a Map Run only
        detail = "RedriveFilter cannot be applied to ListExecutions call with StateMachine ARN"
        raise ApiError("ValidationException", detail)
    if status == "PENDING_REDRIVE":
        raise ApiError("ValidationException", "The status PENDING_REDRIVE can only be listed with a map run ARN")
    size, query = request.page_size(), ("ListExecutions", found.arn, status)
    after = position_of(request.optional_text("nextToken"), query)
    place = None if after is None else Place._make(after)
    qualified = None if version is None else found.arn
    executions = await service.store.page(machine.arn, status, place, size + 1, qualified)
    answer: dict[str, Any] = {"executions": [list_item(record, moment) for record in executions[:size]]}
    if len(executions) > size:
        answer["nextToken"] = page_token(query, executions[size - 1].place)
    return answer


async def stop_execution(request: Request, service: Service) -> dict[str, Any]:
    """Has no effect on an execution that has ended."""
    record = await service.execution(request, request.arn("executionArn", *EXECUTION_KINDS))
    machine = await service.compiled(record.definition)
    error, cause = request.optional_text("error"), request.optional_text("cause")
    await service.engine.stop(machine, record, error, cause)
    ended = await service.store.record(record.identity.arn)
    stopped_at = None if ended is None else ended.stopped_at  # its machine may have been deleted meanwhile
    return {"stopDate": moment(stopped_at or service.engine.clock.now())}


async def _startable(request: Request, service: Service) -> Chosen:
    found = target(request, "stateMachineArn", "machine", "version", "alias")
    chosen = await resolved(request, service, found, draw=True)
    if chosen.record.status == "DELETING":
        raise deleting(chosen.record.arn)
    return chosen


async def _launch(request: Request, service: Service, chosen: Chosen) -> Run:
    """Raises InvalidName, InvalidExecutionInput, ValidationException and ``ExecutionAlreadyExists``."""
    record = chosen.record
    given = request.optional_text("name")
    name = str(uuid4()) if given is None else checked_name(given, service.engine.limits.name_length)
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
        version_arn=chosen.version_arn,
        alias_arn=chosen.alias_arn,
    )
    machine = await service.compiled(record.definition)
    service.check_capacity()
    options = RunOptions(
        limits=service.engine.limits,  # resuming and replaying it need them
        served=True,
        revision=_revision(record),
        mock_case=request.mock_case,
        started_by=request.started_by,
        trace=_trace(request),
    )
    if request.mock_case is not None and await service.store.record(identity.arn) is None:
        check_case(request, service, record.name, machine)  # one that exists keeps its own
    return service.watch(await service.engine.launch(machine, identity, payload, options))


def _trace(request: Request) -> str | None:
    """The trace that the execution goes on with.  A header that is none is ignored, as on AWS."""
    header = request.optional_text("traceHeader")
    parent = None if header is None else read_trace(header)
    return None if parent is None else parent.w3c


def _revision(record: MachineRecord) -> dict[str, Json]:
    """What the execution stores of its machine, for DescribeStateMachineForExecution."""
    kept = present(revisionId=record.revision_id, updateDate=record.updated_at)
    return kept | without_defaults(record.configuration)


def _input(request: Request, service: Service) -> Payload:
    text = request.optional_text("input")
    if text is None:
        return Payload({}, "{}")
    most = service.engine.limits.payload_bytes
    if most is not None and utf8_length(text) > most:
        raise unsatisfied(breach("input", f"Member must have length less than or equal to {most}"))
    try:
        return Payload(loads(text), text)
    except JsonSyntaxError as error:
        raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None


async def _again(request: Request, service: Service, machine: MachineRecord) -> dict[str, Any]:
    """The answer for a name that is taken: success if that execution is running with the same input."""
    arn = execution_arn(*request.caller, machine.name, request.text("name"))
    record = await service.execution(request, arn)
    if request.started_by is not None and record.options.started_by == request.started_by:
        return started(record.identity, moment)  # the task started it itself, before a crash
    execution = await service.outlined(record)
    before, now = execution.input, _input(request, service)
    same = before is not None and canonical_text(before.value) == canonical_text(now.value)
    if record.status != "RUNNING" or not same:
        raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
    return started(record.identity, moment)


def _failure(execution: Execution) -> dict[str, Any]:
    return present(error=execution.error, cause=execution.cause)


def _billing(execution: Execution) -> dict[str, int]:
    """The duration in steps of 100 ms, as AWS bills it, and the least memory."""
    taken = (execution.stopped_at or 0) - execution.identity.started_at
    billed = max(1, -(-taken // BILLED_STEP_MS)) * BILLED_STEP_MS
    return {"billedMemoryUsedInMB": BILLED_MEMORY_MB, "billedDurationInMilliseconds": billed}
