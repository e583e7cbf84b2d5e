"""The read side: events as GetExecutionHistory shows them.

Shapes and names are those of botocore's Step Functions model (HistoryEvent and its details); which of
them a task's events use depends on what its Resource names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.arn import Arn, function_name, is_activity, service_integration
from asl_engine.core import events as ev
from asl_engine.errors import shown_error
from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asl_engine.core.execution import Identity
    from asl_engine.payload import Payload

__all__ = ["HistoryEvent", "project", "scheduled_before"]

HistoryEvent: TypeAlias = dict[str, Any]
Details: TypeAlias = dict[str, Any]
NOT_TRUNCATED = {"truncated": False}
OF_TASKS = (ev.TaskStarted, ev.TaskSubmitted, ev.TaskSucceeded, ev.TaskFailed, ev.TaskTimedOut)


def project(
    identity: Identity, events: Iterable[ev.Event], tasks: dict[int, str] | None = None
) -> Iterator[HistoryEvent]:
    """The history events of an execution, oldest first; ``timestamp`` is in milliseconds since the epoch.

    ``events`` start with the execution's first, because the names of a task's later events depend on the
    event that scheduled it.  If they start later, ``tasks`` must hold the resources by the ``seq`` of that
    event; new ones are added.
    """
    tasks = {} if tasks is None else tasks
    for event in events:
        if isinstance(event, ev.TaskScheduled):
            tasks[event.seq] = event.resource
        if event.id:
            name, key, details = _PROJECT[type(event)](event, identity, tasks)
            shown: HistoryEvent = {
                "timestamp": event.at,
                "type": name,
                "id": event.id,
                "previousEventId": event.previous,
            }
            if key is not None:
                shown[key] = details
            yield shown


def scheduled_before(events: Iterable[ev.Event]) -> set[int]:
    """The ``seq`` of the scheduling events that ``project`` needs besides these events."""
    needed: set[int] = set()
    scheduled: set[int] = set()
    for event in events:
        if isinstance(event, ev.TaskScheduled):
            scheduled.add(event.seq)
        elif isinstance(event, OF_TASKS):
            needed.add(event.task)
    return needed - scheduled


Shown: TypeAlias = tuple[str, str | None, Details]


def _data(field: str, payload: Payload) -> Details:
    return {field: payload.text, f"{field}Details": NOT_TRUNCATED}


def _failure(event: Any) -> Details:
    """Error and cause, each left out if there is none."""
    shown = {"error": shown_error(event.error), "cause": event.cause}
    return {key: value for key, value in shown.items() if value is not None}


def _named(name: str, details: Details) -> Shown:
    """The common rule: the key is the name in camel case followed by EventDetails."""
    return name, f"{name[0].lower()}{name[1:]}EventDetails", details


def _execution_started(event: ev.ExecutionStarted, identity: Identity, tasks: dict[int, str]) -> Shown:
    del tasks
    details: Details = {**_data("input", event.input), "roleArn": identity.role_arn}
    if identity.alias_arn is not None:
        details["stateMachineAliasArn"] = identity.alias_arn
    if identity.version_arn is not None:
        details["stateMachineVersionArn"] = identity.version_arn
    return _named("ExecutionStarted", details)


def _execution_succeeded(event: ev.ExecutionSucceeded, identity: Identity, tasks: dict[int, str]) -> Shown:
    del identity, tasks
    return _named("ExecutionSucceeded", _data("output", event.output))


def _ended_badly(event: ev.Event, identity: Identity, tasks: dict[int, str]) -> Shown:
    del identity, tasks
    return _named(type(event).__name__, _failure(event))


def _state_entered(event: ev.StateEntered, identity: Identity, tasks: dict[int, str]) -> Shown:
    del identity, tasks
    return (
        f"{event.type}StateEntered",
        "stateEnteredEventDetails",
        {"name": event.name, **_data("input", event.input)},
    )


def _state_exited(event: ev.StateExited, identity: Identity, tasks: dict[int, str]) -> Shown:
    del identity, tasks
    details = {"name": event.name, **_data("output", event.output)}
    if event.assigned is not None and event.assigned.value:
        details |= _assigned(event.assigned)
    return f"{event.type}StateExited", "stateExitedEventDetails", details


def _assigned(payload: Payload) -> Details:
    """Each variable's value as JSON text."""
    variables: Any = payload.value
    texts = {name: dumps(value) for name, value in variables.items()}
    return {"assignedVariables": texts, "assignedVariablesDetails": NOT_TRUNCATED}


def _evaluation_failed(event: ev.EvaluationFailed, identity: Identity, tasks: dict[int, str]) -> Shown:
    del identity, tasks
    details = {**_failure(event), "location": event.location, "state": event.state}
    return _named("EvaluationFailed", {key: value for key, value in details.items() if value is not None})


def _execution_redriven(event: ev.ExecutionRedriven, identity: Identity, tasks: dict[int, str]) -> Shown:
    del identity, tasks
    return _named("ExecutionRedriven", {"redriveCount": event.redrive_count})


def _bare(event: ev.Event, identity: Identity, tasks: dict[int, str]) -> Shown:
    del identity, tasks
    return type(event).__name__, None, {}


def _iteration(event: Any, identity: Identity, tasks: dict[int, str]) -> Shown:
    del identity, tasks
    return _named(type(event).__name__, {"name": event.name, "index": event.number})


# -- tasks: four families of names --------------------------------------------------------------------


def _timeouts(event: ev.TaskScheduled, *fields: str) -> Details:
    given = {"timeoutInSeconds": event.timeout, "heartbeatInSeconds": event.heartbeat}
    return {field: given[field] for field in fields if given[field] is not None}


def _task_scheduled(event: ev.TaskScheduled, identity: Identity, tasks: dict[int, str]) -> Shown:
    del tasks
    if function_name(event.resource) is not None:
        details = {"resource": event.resource, **_data("input", event.parameters)}
        return _named(
            "LambdaFunctionScheduled", {**details, **_timeouts(event, "timeoutInSeconds"), **_credentials(event)}
        )
    if is_activity(event.resource):
        details = {"resource": event.resource, **_data("input", event.parameters)}
        given = _timeouts(event, "timeoutInSeconds", "heartbeatInSeconds")
        return _named("ActivityScheduled", {**details, **given})
    service, action = service_integration(event.resource)
    details = {
        "resourceType": service,
        "resource": action,
        "region": Arn.of(identity.arn).region,
        "parameters": event.parameters.text,
    }
    given = _timeouts(event, "timeoutInSeconds", "heartbeatInSeconds")
    return _named("TaskScheduled", {**details, **given, **_credentials(event)})


def _credentials(event: ev.TaskScheduled) -> Details:
    return {} if event.role is None else {"taskCredentials": {"roleArn": event.role}}


def _activity_started(event: ev.TaskStarted, identity: Identity, tasks: dict[int, str]) -> Shown:
    if is_activity(tasks[event.task]):
        return _named("ActivityStarted", {} if event.worker is None else {"workerName": event.worker})
    return _started(event, identity, tasks)


def _of_task(suffix: str, details_of: Callable[[Any], Details]) -> Callable[..., Shown]:
    """An event of a scheduled task: LambdaFunction..., Activity... or Task..., as its resource says."""

    def show(event: Any, identity: Identity, tasks: dict[int, str]) -> Shown:
        del identity
        resource = tasks[event.task]
        details = details_of(event)
        if function_name(resource) is not None:
            name = f"LambdaFunction{suffix}"
            return _named(name, details) if suffix != "Started" else (name, None, {})
        if is_activity(resource):
            return _named(f"Activity{suffix}", details)
        service, action = service_integration(resource)
        return _named(f"Task{suffix}", {"resourceType": service, "resource": action, **details})

    return show


_started = _of_task("Started", lambda _: {})

_PROJECT: dict[type[ev.Event], Callable[..., Shown]] = {
    ev.ExecutionStarted: _execution_started,
    ev.ExecutionSucceeded: _execution_succeeded,
    ev.ExecutionFailed: _ended_badly,
    ev.ExecutionTimedOut: _ended_badly,
    ev.ExecutionAborted: _ended_badly,
    ev.ExecutionRedriven: _execution_redriven,
    ev.StateEntered: _state_entered,
    ev.StateExited: _state_exited,
    ev.TaskScheduled: _task_scheduled,
    ev.EvaluationFailed: _evaluation_failed,
    ev.StateAborted: lambda event, *_: (f"{event.type}StateAborted", None, {}),
    ev.ParallelStateStarted: _bare,
    ev.ParallelStateSucceeded: _bare,
    ev.ParallelStateFailed: _bare,
    ev.MapStateStarted: lambda event, *_: _named("MapStateStarted", {"length": event.length}),
    ev.MapStateSucceeded: _bare,
    ev.MapStateFailed: _bare,
    ev.MapIterationStarted: _iteration,
    ev.MapIterationSucceeded: _iteration,
    ev.MapIterationFailed: _iteration,
    ev.MapIterationAborted: _iteration,
    ev.MapRunStarted: lambda event, *_: _named("MapRunStarted", {"mapRunArn": event.arn}),
    ev.MapRunRedriven: lambda event, *_: _named(
        "MapRunRedriven", {"mapRunArn": event.arn, "redriveCount": event.redrive_count}
    ),
    ev.MapRunSucceeded: _bare,
    ev.MapRunFailed: _ended_badly,
    ev.MapRunAborted: _bare,
    ev.TaskScheduleFailed: lambda event, *_: _named("ActivityScheduleFailed", _failure(event)),
    ev.TaskStarted: _activity_started,
    ev.TaskSubmitted: _of_task("Submitted", lambda event: _data("output", event.output)),
    ev.TaskSucceeded: _of_task("Succeeded", lambda event: _data("output", event.output)),
    ev.TaskFailed: _of_task("Failed", _failure),
    ev.TaskTimedOut: _of_task("TimedOut", _failure),
}
