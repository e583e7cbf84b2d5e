"""``.sync``: polls a started job until it has ended, and stops it with its execution."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from asl_engine.errors import StatesError
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING
from asl_engine.payload import Payload
from asl_engine.resources.aws.calling import call_operation
from asl_engine.resources.aws.places import ask, find
from asl_engine.resources.cancelling import given_up

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.resources import TaskCall
    from asl_engine.resources.aws.calling import Operation
    from asl_engine.resources.aws.clients import AwsClients
    from asl_engine.resources.aws.optimised import FollowedJob

__all__ = ["follow"]

FIRST_SECONDS = 0.5
MAX_SECONDS = 10.0
GROWTH = 1.5


async def follow(
    job: FollowedJob,
    started_by: Operation,
    started: Json,
    clients: AwsClients,
    call: TaskCall,
    *,
    poll_seconds: float | None = None,
) -> Payload:
    """The job's result.  Raises ``StatesError`` if it failed, with its description as the cause."""
    parameters = call.input.value
    request = ask(job.ask, started, parameters)
    describe = started_by._replace(name=job.describe)
    wait = FIRST_SECONDS if poll_seconds is None else poll_seconds
    try:
        while True:
            described = await _described(clients, describe, request, call, job)
            status = described if isinstance(described, str) else find(described, job.status)
            if status in job.succeeded:
                return _ended(job, described)
            if status in job.failed:
                raise StatesError("States.TaskFailed", dumps(_result(job, described)))
            await asyncio.sleep(wait)
            wait = wait if poll_seconds is not None else min(wait * GROWTH, MAX_SECONDS)
    except asyncio.CancelledError as cancelled:
        if given_up(cancelled) and job.cancel is not None:
            with suppress(StatesError):  # it may have ended meanwhile
                stop = ask(job.cancel_ask or {}, started, parameters)
                await call_operation(clients, started_by._replace(name=job.cancel), stop, call)
        raise


async def _described(
    clients: AwsClients, describe: Operation, request: Json, call: TaskCall, job: FollowedJob
) -> dict[str, Json] | str:
    """The service's description of the job; the name of its error if that also means the job has ended."""
    try:
        return (await call_operation(clients, describe, request, call)).result
    except StatesError as error:
        name = (error.error or "").rpartition(".")[2]
        if name in job.succeeded:
            return name
        raise


def _ended(job: FollowedJob, described: Json) -> Payload:
    if isinstance(described, str):
        return Payload({})
    result = _result(job, described)
    if job.describe == "DescribeTasks" and not _went_well(result):
        raise StatesError("States.TaskFailed", dumps(result))
    return Payload(result)


def _result(job: FollowedJob, described: Json) -> Json:
    wrapped, _, place = job.result.rpartition("=")
    found = find(described, place)
    result = described if found is MISSING else found
    return {wrapped: result} if wrapped else result


def _went_well(task: Json) -> bool:
    """Whether all containers of a stopped ECS task exited with 0."""
    containers = find(task, "Containers")
    if not isinstance(containers, list) or not containers:
        return False
    return all(isinstance(one, dict) and one.get("ExitCode") == 0 for one in containers)
