"""DescribeMapRun, ListMapRuns, UpdateMapRun, and the executions of a Map Run in ListExecutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.engine.map_runs.counts import Counts
from asl_engine.projections.descriptions import list_item, present
from asl_engine.projections.moments import moment
from asl_engine.server.protocol.errors import ApiError, not_found
from asl_engine.server.protocol.tokens import page_token, position_of
from asl_engine.server.targets import EXECUTION_KINDS
from asl_engine.states.distributed_map import MapRunConfiguration
from asl_engine.store.records import Place

if TYPE_CHECKING:
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.records import MapRunRecord

__all__ = ["describe_map_run", "list_children", "list_map_runs", "update_map_run"]

ENDS = {"succeeded": "SUCCEEDED", "failed": "FAILED", "timedOut": "TIMED_OUT", "aborted": "ABORTED"}


async def describe_map_run(request: Request, service: Service) -> dict[str, Any]:
    record = await _map_run(request, service)
    configuration = _configuration(record)
    counts = await _counts(service, record)
    return present(
        mapRunArn=record.arn,
        executionArn=record.execution,
        status=record.status,
        startDate=moment(record.started_at),
        stopDate=None if record.stopped_at is None else moment(record.stopped_at),
        maxConcurrency=configuration.concurrency,
        toleratedFailurePercentage=configuration.tolerated_percentage,
        toleratedFailureCount=configuration.tolerated_count,
        itemCounts=_shown(counts.items, counts.total, counts.written_items),
        executionCounts=_shown(counts.executions, counts.total_executions, counts.written),
        redriveCount=record.redrive_count,
        redriveDate=None if record.redriven_at is None else moment(record.redriven_at),
    )


async def list_map_runs(request: Request, service: Service) -> dict[str, Any]:
    """The newest first."""
    execution = await service.execution(request, request.arn("executionArn", *EXECUTION_KINDS))
    arn = execution.identity.arn
    size, query = request.page_size(), ("ListMapRuns", arn)
    after = position_of(request.optional_text("nextToken"), query) or ""
    found = await service.store.map_runs.page(arn, str(after), size + 1)
    answer: dict[str, Any] = {"mapRuns": [_listed(record) for record in found[:size]]}
    if len(found) > size:
        answer["nextToken"] = page_token(query, found[size - 1].arn)
    return answer


async def update_map_run(request: Request, service: Service) -> dict[str, Any]:
    """Stores the change before it takes effect; members that are left out stay as they are."""
    record = await _map_run(request, service)
    if record.status != "RUNNING":
        raise ApiError("ValidationException", f"Map Run is {record.status} and cannot be updated: '{record.arn}'")
    given: dict[str, Any] = present(
        concurrency=request.data.get("maxConcurrency"),
        tolerated_count=request.data.get("toleratedFailureCount"),
        tolerated_percentage=request.data.get("toleratedFailurePercentage"),
    )
    configuration = _configuration(record)._replace(**given)
    await service.store.map_runs.configure(record.arn, configuration._asdict())
    live = service.engine.map_runs.live(record.arn)
    if live is not None:
        live.update(configuration)
    return {}


async def list_children(request: Request, service: Service) -> dict[str, Any]:
    """ListExecutions with a mapRunArn."""
    record = await _map_run(request, service)
    status: Any = request.optional_text("statusFilter")
    redriven = request.optional_text("redriveFilter")
    size, query = request.page_size(), ("ListExecutions", record.arn, status, redriven)
    after = position_of(request.optional_text("nextToken"), query)
    place = None if after is None else Place._make(after)
    found = await service.store.map_runs.child_page(record.arn, status, place, size + 1)
    shown = [
        list_item(child, moment)
        | {"mapRunArn": record.arn, "itemCount": items, "redriveCount": child.redrive_count + redrives}
        for child, items, redrives in found[:size]
        if redriven is None or (child.redrive_count + redrives > 0) == (redriven == "REDRIVEN")
    ]
    answer: dict[str, Any] = {"executions": shown}
    if len(found) > size:
        answer["nextToken"] = page_token(query, found[size - 1][0].place)
    return answer


async def _map_run(request: Request, service: Service) -> MapRunRecord:
    """A Map Run of the caller's.  Raises InvalidArn and ResourceNotFound."""
    arn = request.arn("mapRunArn", "mapRun")
    record = await service.store.map_runs.get(arn) if request.owns(arn) else None
    if record is None:
        raise not_found(arn)
    return record


def _configuration(record: MapRunRecord) -> MapRunConfiguration:
    fields: Any = record.configuration
    return MapRunConfiguration(**fields)


async def _counts(service: Service, record: MapRunRecord) -> Counts:
    """The live counts if this process drives it, else the final ones, else those of the children as stored."""
    live = service.engine.map_runs.live(record.arn)
    if live is not None:
        return live.standing()
    if record.status != "RUNNING" and record.counts is not None:
        return Counts.of_json(record.counts)
    return Counts.of_sums(await service.store.map_runs.sums(record.arn))


def _listed(record: MapRunRecord) -> dict[str, Any]:
    return present(
        executionArn=record.execution,
        mapRunArn=record.arn,
        stateMachineArn=record.machine_arn,
        startDate=moment(record.started_at),
        stopDate=None if record.stopped_at is None else moment(record.stopped_at),
    )


def _shown(numbers: dict[str, int], total: int, written: int) -> dict[str, int]:
    counted = {name: numbers.get(status, 0) for name, status in ENDS.items()}
    running, waiting = numbers.get("RUNNING", 0), numbers.get("PENDING_REDRIVE", 0)
    return {
        "pending": max(0, total - running - waiting - sum(counted.values())),
        "running": running,
        **counted,
        "total": total,
        "resultsWritten": written,
        "failuresNotRedrivable": 0,
        "pendingRedrive": waiting,
    }
