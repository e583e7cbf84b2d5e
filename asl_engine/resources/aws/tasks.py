"""The resources of AWS services: one call, by the pattern that the Resource names.

"Service integration patterns" in the Developer Guide: the answer is the result, or is recorded while the task
waits for its token (``.waitForTaskToken``) or for the job it started (``.sync``).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asl_engine.arn import machine_arn_of
from asl_engine.errors import StatesError
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.payload import Payload
from asl_engine.resources.aws.calling import Operation, call_operation, sdk_operation
from asl_engine.resources.aws.jobs import follow
from asl_engine.resources.aws.names import operation_name, services
from asl_engine.resources.aws.optimised import OPTIMISED as TABLE
from asl_engine.resources.aws.optimised import Optimised
from asl_engine.resources.aws.places import rename, renamed
from asl_engine.resources.aws.shapes import OPTIMISED, SDK
from asl_engine.resources.parameters import parameter_faults
from asl_engine.resources.request_fields import refused_parameters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.json_values import Json
    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.aws.calling import ServiceAnswer
    from asl_engine.resources.aws.clients import AwsClients
    from asl_engine.resources.aws.optimised import Named
    from asl_engine.resources.integrations import Integration

    Ask = Callable[[AwsClients, Operation, Json, TaskCall], Awaitable[ServiceAnswer]]

__all__ = ["optimised_resource", "sdk_resource", "synced_resource"]


def sdk_resource(integration: Integration, clients: AwsClients, ask: Ask = call_operation) -> Direct:
    """``aws-sdk:<service>:<action>``; the integration must be a recognised one.  ``ask`` makes the call."""
    service = services()[integration.service]
    name = operation_name(service, integration.action)
    assert name is not None, "a recognised action"  # noqa: S101  for the type checker
    operation = sdk_operation(service, name)

    async def call_service(call: TaskCall) -> Payload:
        return Payload((await ask(clients, operation, call.input.value, call)).result)

    return call_service


def optimised_resource(integration: Integration, clients: AwsClients, ask: Ask = call_operation) -> Direct:
    """An integration of the table, by request and response.  ``ask`` makes the call."""
    entry = TABLE[integration.name]
    operation = _operation(entry)

    async def call_service(call: TaskCall) -> Payload:
        request = await _request(entry, integration, clients, call)
        try:
            async with asyncio.timeout(entry.longest):
                answer = await ask(clients, operation, request, call)
        except TimeoutError:
            cause = f"{integration.name} may take {entry.longest} seconds"
            raise StatesError("States.Timeout", cause) from None
        result = _shown(entry, answer.result)
        _check(entry, result)
        return Payload(dict(sorted({**result, **(answer.metadata if entry.family.legacy else {})}.items())))

    return call_service


def synced_resource(integration: Integration, clients: AwsClients, poll_seconds: float | None = None) -> Direct:
    """An integration of the table with ``.sync``.  ``poll_seconds``: how often to poll, None for the default."""
    entry = TABLE[integration.name]
    start, operation, job = optimised_resource(integration, clients), _operation(entry), entry.job
    assert job is not None, "a recognised pattern"  # noqa: S101  for the type checker

    async def run_job(call: TaskCall) -> Payload:
        submitted = call.submitted
        if submitted is None:
            submitted = await start(call)
            await call.submit(submitted)
        return await follow(job, operation, submitted.value, clients, call, poll_seconds=poll_seconds)

    return run_job


def _operation(entry: Optimised) -> Operation:
    return Operation(entry.service, entry.operation, OPTIMISED if entry.family.legacy else SDK, entry.family)


async def _request(entry: Optimised, integration: Integration, clients: AwsClients, call: TaskCall) -> Json:
    parameters = call.input.value
    if entry.has_rules and (faults := parameter_faults(integration, parameters)):
        raise refused_parameters(parameters, faults)
    if entry.operation == "PutEvents" and isinstance(parameters, dict):
        entries = parameters.get("Entries")
        if isinstance(entries, list):
            return {**parameters, "Entries": [_event(one, call) for one in entries]}
    if entry.named is not None and isinstance(parameters, dict):
        parameters = await _identified(parameters, entry.named, _operation(entry), clients, call)
    return renamed(parameters, entry.renamed)


async def _identified(
    parameters: dict[str, Json], named: Named, operation: Operation, clients: AwsClients, call: TaskCall
) -> dict[str, Json]:
    """The parameters with the id of what they name, which the service is asked for."""
    request = {field: value for field, value in parameters.items() if field != named.field}
    name, cluster = parameters[named.field], request["ClusterId"]
    listing, marker = operation._replace(name=named.listing), None
    while True:
        page: dict[str, Json] = {"ClusterId": cluster} | ({} if marker is None else {"Marker": marker})
        listed = (await call_operation(clients, listing, page, call)).result
        items = listed.get(named.items)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and item.get("Name") == name:
                into, _, field = named.into.partition(".")
                given = request[into]
                return {**request, into: {**(given if isinstance(given, dict) else {}), field: item.get("Id")}}
        marker = listed.get("Marker")
        if marker is None:
            cause = f"The cluster '{cluster}' has no '{name}' among its {named.items}"
            raise StatesError(f"{operation.family.prefix}.InvalidRequestException", cause)


def _event(event: Json, call: TaskCall) -> Json:
    """An event also names the execution and its state machine among its resources."""
    if not isinstance(event, dict):
        return event
    given = event.get("Resources")
    arns: list[Json] = [call.execution, machine_arn_of(call.execution)]
    resources: Json = [*(given if isinstance(given, list) else []), *arns]
    return {**event, "Resources": resources}


def _shown(entry: Optimised, result: dict[str, Json]) -> dict[str, Json]:
    result = rename(result, entry.shown)
    body = result.get("Body")
    if entry.operation == "InvokeModel" and isinstance(body, str):
        try:
            return {**result, "Body": loads(body)}
        except JsonSyntaxError:
            return result
    return result


def _check(entry: Optimised, result: dict[str, Json]) -> None:
    """Answers that report a failure.  "Add EventBridge events", "Run Amazon ECS or Fargate tasks"."""
    if entry.operation == "PutEvents" and result.get("FailedEntryCount"):
        raise StatesError("EventBridge.FailedEntry", dumps(result))
    failures = result.get("Failures")
    if entry.operation == "RunTask" and isinstance(failures, list) and failures:
        reason = failures[0].get("Reason") if isinstance(failures[0], dict) else None
        raise StatesError(f"ECS.{reason}" if isinstance(reason, str) else "ECS.Unknown", dumps(result))
