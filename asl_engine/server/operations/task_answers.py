"""SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat: reports from whoever has the token of a task.

The operations answer once the resulting events are on disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.arn import parse_arn
from asl_engine.core.apply import fold
from asl_engine.core.events import TaskTimedOut
from asl_engine.core.execution import OpenTask
from asl_engine.core.stimuli import TaskReported
from asl_engine.core.task_tokens import TaskName, is_genuine, task_named
from asl_engine.engine.heartbeats import of_task
from asl_engine.errors import ExecutionBusy
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload
from asl_engine.server.protocol.errors import ApiError, breach, invalid_token, unsatisfied

if TYPE_CHECKING:
    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.run import Run
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = ["send_task_failure", "send_task_heartbeat", "send_task_success"]


async def send_task_success(request: Request, service: Service) -> dict[str, Any]:
    _execution_of(request)  # recorded from AWS: a malformed token is reported before a bad output
    output = _output(request, service)
    run, task = await _open_task(request, service)
    now = service.engine.clock.now()
    if not await _told(service, run, TaskReported(now, task.key, output), task):
        raise _closed()
    return {}


async def send_task_failure(request: Request, service: Service) -> dict[str, Any]:
    error, cause = request.optional_text("error"), request.optional_text("cause")
    run, task = await _open_task(request, service)
    now = service.engine.clock.now()
    if not await _told(service, run, TaskReported(now, task.key, None, error, cause), task):
        raise _closed()
    return {}


async def send_task_heartbeat(request: Request, service: Service) -> dict[str, Any]:
    """Has no effect on a task without HeartbeatSeconds."""
    run, task = await _open_task(request, service)
    stuck = run.arn in service.engine.retrying.stuck
    stimulus = of_task(run, task.key, service.engine.clock.now(), stuck=stuck)
    if stimulus is not None and stuck:
        service.engine.deliver(run, stimulus)  # it waits with all else, and counts from now
    elif stimulus is not None:
        await _told(service, run, stimulus, task)
    if task.key not in run.execution.open:
        raise _closed()
    return {}


async def _told(service: Service, run: Run, stimulus: Stimulus, task: OpenTask) -> list[Event]:
    """The resulting events, once they are on disk.  Raises TaskTimedOut, TaskDoesNotExist."""
    try:
        made = await service.engine.ask(run, stimulus)
    except ExecutionBusy:
        raise _driven_elsewhere() from None
    if any(isinstance(event, TaskTimedOut) and event.task == task.key for event in made):
        raise _closed()
    return made


async def _open_task(request: Request, service: Service) -> tuple[Run, OpenTask]:
    """The task that the request's token names.  Raises InvalidToken, TaskDoesNotExist, TaskTimedOut."""
    token = request.text("taskToken")
    name = _execution_of(request)
    if not request.owns(name.execution):
        raise _does_not_exist("Task does not exist")
    run = service.engine.runs.get(name.execution)
    if run is not None:
        return run, _named(run.execution, name.task, token)
    record = await service.store.record(name.execution)
    if record is None:
        raise _does_not_exist("Task does not exist")
    _named(fold(record.identity, await service.store.events(name.execution)), name.task, token)
    run = await service.driven(record)
    if run is None:
        raise _driven_elsewhere()
    return run, _named(run.execution, name.task, token)


def _execution_of(request: Request) -> TaskName:
    """The execution that the request's token names.  Raises InvalidToken, also for another region's token."""
    name = task_named(request.text("taskToken"))
    arn = None if name is None else parse_arn(name.execution)
    if name is None or arn is None or arn.region != request.caller.region:
        raise invalid_token("Invalid token")
    return name


def _named(execution: Execution, key: int, token: str) -> OpenTask:
    """The open task that the token was issued for.  Raises InvalidToken, TaskTimedOut."""
    if not is_genuine(token, execution.salt):
        raise invalid_token("Invalid token")
    task = execution.open.get(key)
    if not isinstance(task, OpenTask):
        raise _closed()
    return task


def _output(request: Request, service: Service) -> Payload:
    text = request.text("output")
    most = service.engine.limits.payload_bytes
    if most is not None and utf8_length(text) > most:
        raise unsatisfied(breach("output", f"Member must have length less than or equal to {most}"))
    try:
        return Payload(loads(text), text)
    except JsonSyntaxError as error:
        raise ApiError("InvalidOutput", f"Invalid Output: '{error}'") from None


def _closed() -> ApiError:
    return ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def _does_not_exist(reason: str) -> ApiError:
    return ApiError("TaskDoesNotExist", f"Task Does Not Exist: '{reason}'")


def _driven_elsewhere() -> ApiError:
    return _does_not_exist("Its execution is driven by another process: answer there")
