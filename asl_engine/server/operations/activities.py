"""Activities: creating, describing, listing and deleting them, and handing out their tasks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from asl_engine.arn import activity_arn, is_activity
from asl_engine.core.events import TaskStarted
from asl_engine.core.execution import OpenTask
from asl_engine.core.stimuli import Heartbeat, WorkerReported
from asl_engine.engine.activity_queue import PendingTask, TooManyPolls
from asl_engine.engine.effects import token_of
from asl_engine.errors import StoreUnavailable
from asl_engine.projections.moments import moment
from asl_engine.server.configuration import configured
from asl_engine.server.operations.tags import checked_tags
from asl_engine.server.protocol.errors import ApiError, does_not_exist, invalid_arn
from asl_engine.server.protocol.request import checked_name
from asl_engine.server.protocol.tokens import page_token, position_of
from asl_engine.store.records import ActivityRecord

if TYPE_CHECKING:
    from asl_engine.engine.run import Run
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = [
    "begin_task",
    "create_activity",
    "delete_activity",
    "describe_activity",
    "get_activity_task",
    "list_activities",
]

POLL_SECONDS = 60.0  # how long GetActivityTask waits for a task
ENCRYPTION = "encryptionConfiguration"


async def create_activity(request: Request, service: Service) -> dict[str, Any]:
    """Idempotent by name and encryption; tags are ignored."""
    name = checked_name(request.text("name"))
    arn = activity_arn(*request.caller, name)
    configuration = {ENCRYPTION: configured(request.data)[ENCRYPTION]}
    tags = checked_tags(request, arn)
    activities, most = service.store.activities, service.engine.limits.activities
    if most is not None and await activities.get(arn) is None:
        there = await activities.arns(request.caller.activities)
        if len(there) >= most:
            raise ApiError("ActivityLimitExceeded", f"The limit of {most} activities has been reached")
    record = ActivityRecord(arn, name, service.engine.clock.now(), configuration)
    kept = await activities.add(record, tags)
    if kept.configuration != configuration:
        raise ApiError("ActivityAlreadyExists", f"Activity Already Exists: '{arn}'")
    service.engine.activities.learn(arn)
    return {"activityArn": arn, "creationDate": moment(kept.created_at)}


async def describe_activity(request: Request, service: Service) -> dict[str, Any]:
    record = await _activity(request, service)
    return {**_listed(record), ENCRYPTION: record.configuration[ENCRYPTION]}


async def list_activities(request: Request, service: Service) -> dict[str, Any]:
    size, query = request.page_size(), ("ListActivities", *request.caller)
    after = position_of(request.optional_text("nextToken"), query) or ""
    found = await service.store.activities.page(request.caller.activities, str(after), size + 1)
    answer: dict[str, Any] = {"activities": [_listed(record) for record in found[:size]]}
    if len(found) > size:
        answer["nextToken"] = page_token(query, found[size - 1].arn)
    return answer


async def delete_activity(request: Request, service: Service) -> dict[str, Any]:
    """Succeeds for an activity that does not exist.  Tasks that were scheduled for it stay open."""
    arn = _arn(request)
    if request.owns(arn):
        await service.store.activities.remove(arn)
        service.engine.activities.forget(arn)
    return {}


async def get_activity_task(request: Request, service: Service) -> dict[str, Any]:
    """The oldest task of an activity, as soon as there is one; an empty answer after a minute.

    A worker that hangs up while it waits gives up its place.  If it hangs up before it has received a task, the
    task goes to the next worker at once, without a missed heartbeat.
    """
    record = await _activity(request, service)
    gone = asyncio.ensure_future(request.gone())
    try:
        return await _handed_out(request, service, record.arn, gone)
    finally:
        gone.cancel()


async def _handed_out(request: Request, service: Service, arn: str, gone: asyncio.Future[None]) -> dict[str, Any]:
    activities, most = service.engine.activities, service.engine.limits.activity_polls
    loop = asyncio.get_running_loop()
    until = loop.time() + POLL_SECONDS
    while True:
        try:
            pending = await activities.take(arn, until - loop.time(), most, gone)
        except TooManyPolls:
            raise ApiError(
                "ActivityWorkerLimitExceeded",
                "The maximum number of workers concurrently polling for activity tasks has been reached.",
            ) from None
        if pending is None:
            return {"taskToken": None, "input": None}
        try:
            task = await begin_task(service, pending, request.optional_text("workerName"))
        except StoreUnavailable:  # it may be on disk all the same that the task has started
            activities.offer(arn, pending._replace(taken=True), first=True)
            raise
        if task is None:
            continue  # it has just timed out or been aborted
        if gone.done():
            activities.offer(arn, pending._replace(taken=True), first=True)
        return {"taskToken": token_of(pending.owner.execution, task), "input": task.parameters.text}


async def begin_task(service: Service, pending: PendingTask[Run], worker: str | None) -> OpenTask | None:
    """The task, once TaskStarted is on disk; None if the task is no longer open."""
    run, key, taken = pending
    engine = service.engine
    made = await engine.ask(run, WorkerReported(engine.clock.now(), key, worker))
    started = any(isinstance(event, TaskStarted) and event.task == key for event in made)
    if taken and not started:  # its heartbeats are now expected from another worker
        await engine.ask(run, Heartbeat(engine.clock.now(), key))
    task = run.execution.open.get(key)
    return task if isinstance(task, OpenTask) and (started or taken) else None


def _arn(request: Request) -> str:
    arn = request.arn("activityArn", "activity")
    if not is_activity(arn):
        raise invalid_arn(f"Resource type not valid in this context: {arn}")
    return arn


async def _activity(request: Request, service: Service) -> ActivityRecord:
    """An activity of the caller's.  Raises InvalidArn and ActivityDoesNotExist."""
    arn = _arn(request)
    record = await service.store.activities.get(arn) if request.owns(arn) else None
    if record is None:
        raise does_not_exist("Activity", arn)
    return record


def _listed(record: ActivityRecord) -> dict[str, Any]:
    return {"activityArn": record.arn, "name": record.name, "creationDate": moment(record.created_at)}
