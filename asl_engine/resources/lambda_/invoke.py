"""``arn:aws:states:::lambda:invoke``: the task's parameters are a request to Lambda's Invoke operation.

"Invoke an AWS Lambda function with Step Functions" in the Developer Guide.  The function is one of the
project's callables, or else one in Lambda; the result is Invoke's whole answer, as the AWS SDK for Java
shows it.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from contextlib import suppress
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asl_engine.arn import Arn, function_arn, function_name, qualified_arn, unqualified
from asl_engine.errors import StatesError
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.payload import Payload
from asl_engine.resources.concurrency import THROTTLED
from asl_engine.resources.lambda_.deployed import machine_of, task_of
from asl_engine.resources.lambda_.service import Invocation, function_error, function_result, lambda_region
from asl_engine.resources.python.context import InvokeOptions, request_id
from asl_engine.resources.python.serving import callable_resource, slots_of
from asl_engine.resources.request_fields import (
    JSON_TEXT,
    STRING,
    RequestField,
    checked_parameters,
    field_faults,
    wrong_format,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json
    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.concurrency import Slots
    from asl_engine.resources.lambda_.local import LocalFunction
    from asl_engine.resources.lambda_.service import LambdaService
    from asl_engine.resources.python.registry import Registry

__all__ = ["function_not_found", "invocation_faults", "lambda_integration"]

# The members of Invoke.
FIELDS = {
    "FunctionName": RequestField(STRING, required=True),
    "ClientContext": RequestField(STRING),
    "DurableExecutionName": RequestField(STRING),
    "InvocationType": RequestField(STRING),
    "LogType": RequestField(STRING),
    "Payload": RequestField(JSON_TEXT),
    "Qualifier": RequestField(STRING),
    "TenantId": RequestField(STRING),
}
LATEST = "$LATEST"
# The headers that Lambda sends, in the order of both of the SDK's collections.  The SDK drops none of them.
ALL_HEADERS = (
    "X-Amz-Executed-Version",
    "x-amzn-Remapped-Content-Length",
    "Connection",
    "x-amzn-RequestId",
    "X-Amz-Log-Result",
    "Content-Length",
    "Date",
    "X-Amzn-Trace-Id",
    "Content-Type",
)
# Statuses of an asynchronous local call.
NOT_AWAITED = {"Event": 202, "DryRun": 204}


def lambda_integration(
    registry: Registry, remote: LambdaService | None, functions: Mapping[str, LocalFunction] | None = None
) -> Direct:
    """A resource that invokes the function named in the task's parameters.

    The function is one of ``functions``, else a callable, else ``remote``.
    """
    underway: set[asyncio.Task[Payload]] = set()

    async def invoke(call: TaskCall) -> Payload:
        parameters = checked_parameters(call.input.value, invocation_faults)
        arn = _function_arn(parameters, call.execution)
        name = function_name(arn) or ""
        own = (functions or {}).get(name)
        function = None if own is not None else registry.find(name)
        if own is None and function is None:
            name = task_of(registry, name, machine_of(call.execution)) or name
            function = registry.find(name)
        if own is not None:
            made = await own.invoke(
                _body(parameters) or "{}", call._replace(resource=arn), _invoke_options(parameters)
            )
            made = made._replace(answer=_plausible(call, 200, made.text))
        elif function is not None:
            local = callable_resource(registry, function, name, _invoke_options(parameters))
            slots = slots_of(registry, function, name)
            made = await _call_locally(local, call._replace(resource=arn), parameters, underway, slots)
        elif remote is not None:
            made = await remote.invoke(_request(parameters), lambda_region(arn), call.deadline, call.role)
        else:
            raise function_not_found(arn)
        if made.failed:
            raise _compact(function_error(made.text))
        return Payload(_document(made, call))

    return invoke


def function_not_found(arn: str) -> StatesError:
    """Lambda's error for a function that does not exist, as Step Functions words it."""
    version = "" if unqualified(arn)[1] is not None else f":{LATEST}"
    return StatesError(
        "Lambda.ResourceNotFoundException",
        f"Function not found: {arn}{version} (Service: AWSLambda; Status Code: 404; "
        f"Error Code: ResourceNotFoundException; Request ID: {uuid4()}; Proxy: null)",
    )


def invocation_faults(parameters: dict[str, Any]) -> list[str]:
    """What is wrong with the parameters, of which parts may be ``UNKNOWN``."""
    empty = [wrong_format("FunctionName")] if parameters.get("FunctionName") == "" else []
    return [*field_faults(parameters, FIELDS), *empty]


def _function_arn(parameters: Mapping[str, Any], execution: str) -> str:
    """The ARN of a function named in any form that Invoke accepts; region and account are the execution's."""
    arn = function_arn(*Arn.of(execution).home, parameters["FunctionName"])
    qualifier = parameters.get("Qualifier")
    return qualified_arn(arn, qualifier) if qualifier and unqualified(arn)[1] is None else arn


def _invoke_options(parameters: Mapping[str, Any]) -> InvokeOptions:
    """What the function gets beside the event.  Raises ``StatesError`` for a bad client context."""
    given = parameters.get("ClientContext")
    if given is None:
        return InvokeOptions(None, parameters.get("TenantId"))
    try:
        context = loads(b64decode(given, validate=True).decode())
    except ValueError:
        raise StatesError(
            "Lambda.InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        ) from None
    return InvokeOptions(context, parameters.get("TenantId"))


def _request(parameters: Mapping[str, Any]) -> dict[str, Any]:
    given = (member for member in FIELDS if member != "Payload" and parameters.get(member) is not None)
    request = {member: parameters[member] for member in given}
    body = _body(parameters)
    return request if body is None else {**request, "Payload": body.encode()}


def _body(parameters: Mapping[str, Any]) -> str | None:
    """The event's text.  A string is sent as it is: it must itself be JSON."""
    payload = parameters.get("Payload")
    if payload is None or isinstance(payload, str):
        return payload
    return dumps(payload)


async def _call_locally(
    local: Direct,
    call: TaskCall,
    parameters: Mapping[str, Any],
    underway: set[asyncio.Task[Payload]],
    slots: Slots | None,
) -> Invocation:
    """Invoke a callable; the answer has the members of Lambda's."""
    body = _body(parameters)
    call = call._replace(input=_event(body))
    kind = parameters.get("InvocationType", "RequestResponse")
    if kind == "RequestResponse":
        try:
            text = (await local(call)).text
        except StatesError as error:
            compact = _compact(error)
            if compact is error:  # it must not become its own cause
                raise
            raise compact from error
        return Invocation(text, failed=False, answer=_plausible(call, 200, text))
    if kind == "Event":
        task = asyncio.ensure_future(_when_there_is_room(local, call, slots))
        underway.add(task)
        task.add_done_callback(underway.discard)
        task.add_done_callback(_forget)
    return Invocation("", failed=False, answer=_plausible(call, NOT_AWAITED.get(kind, 204), ""))


async def _when_there_is_room(local: Direct, call: TaskCall, slots: Slots | None) -> Payload:
    """Lambda puts an event that is throttled back into its own queue."""
    while True:
        try:
            return await local(call)
        except StatesError as error:
            if slots is None or slots.limit == 0 or error.error != THROTTLED:
                raise
        await slots.room()


def _event(body: str | None) -> Payload:
    try:
        return Payload({}) if not body else Payload(loads(body), body)
    except JsonSyntaxError as error:
        raise StatesError(
            "Lambda.InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from None


def _forget(task: asyncio.Task[Payload]) -> None:
    """Drop the result or the failure of an asynchronous invocation."""
    if not task.cancelled():
        task.exception()


def _plausible(call: TaskCall, status: int, text: str) -> dict[str, Any]:
    identifier = request_id(call.key)
    headers = {
        "X-Amz-Executed-Version": LATEST,
        "x-amzn-Remapped-Content-Length": "0",
        "x-amzn-RequestId": identifier,
        "Content-Length": str(len(text.encode())),
        "Date": formatdate(usegmt=True),
        "X-Amzn-Trace-Id": f"Root=1-{identifier[:8]}-{identifier.replace('-', '')[8:]};Sampled=0",
        "Content-Type": "application/json",
    }
    meta = {"RequestId": identifier, "HTTPStatusCode": status, "HTTPHeaders": headers}
    return {"StatusCode": status, "ExecutedVersion": LATEST, "ResponseMetadata": meta}


def _document(made: Invocation, call: TaskCall) -> Json:
    answer = made.answer
    meta = answer["ResponseMetadata"]
    sent = {name.lower(): value for name, value in meta["HTTPHeaders"].items()}
    sent |= {"connection": "keep-alive", "content-length": str(len(made.text.encode()))}
    headers = {name: sent[name.lower()] for name in ALL_HEADERS if name.lower() in sent}
    told = {"ExecutedVersion": answer.get("ExecutedVersion"), "LogResult": answer.get("LogResult")}
    return {
        **{name: value for name, value in told.items() if value is not None},
        "Payload": function_result(made.text, call).value if made.text else "",
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": dict(sorted(headers.items(), key=lambda header: header[0].lower())),
            "HttpStatusCode": meta["HTTPStatusCode"],
        },
        "SdkResponseMetadata": {"RequestId": sent.get("x-amzn-requestid", meta.get("RequestId"))},
        "StatusCode": answer["StatusCode"],
    }


def _compact(error: StatesError) -> StatesError:
    """The integration parses a function's report and writes it again, without white space."""
    with suppress(JsonSyntaxError):
        return StatesError(error.error, dumps(loads(error.cause or "")))
    return error
