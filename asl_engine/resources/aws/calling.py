"""One call of one operation: the task's JSON in, the task's JSON out, failures as a definition sees them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import Arn
from asl_engine.errors import StatesError
from asl_engine.resources.aws.clients import read_timeout
from asl_engine.resources.aws.failures import (
    Family,
    clean,
    refused,
    sdk_family,
    unreachable,
    unsendable,
)
from asl_engine.resources.aws.harness import conversation
from asl_engine.resources.aws.names import service_model
from asl_engine.resources.aws.requests import read_request, unfit
from asl_engine.resources.aws.shapes import SDK, Spelling, TooLarge, to_result
from asl_engine.resources.http.bounds import too_large
from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.resources import TaskCall
    from asl_engine.resources.aws.clients import AwsClients

__all__ = ["Operation", "ServiceAnswer", "call_operation", "sdk_operation"]

# Headers as the AWS SDK for Java shows them; other headers are shown as received.
_HEADERS = {
    name.lower(): name
    for name in ("x-amzn-RequestId", "Content-Length", "Content-Type", "Connection", "Date", "Server", "Location")
}


class Operation(NamedTuple):
    """An operation by botocore's names, with the spelling of its data and the names of its errors.

    ``tokens``: the task has to give those of idempotency; otherwise they are filled in.
    """

    service: str
    name: str
    spelling: Spelling
    family: Family
    tokens: bool = False


class ServiceAnswer(NamedTuple):
    """``result`` has the members of the answer, ``metadata`` what version 1 of the SDK for Java adds."""

    result: dict[str, Json]
    metadata: dict[str, Json]


def sdk_operation(service: str, name: str) -> Operation:
    return Operation(service, name, SDK, sdk_family(service_model(service)), tokens=True)


async def call_operation(
    clients: AwsClients, operation: Operation, parameters: Json, call: TaskCall
) -> ServiceAnswer:
    """Raises ``StatesError``.  The region is the execution's; the role is that of the task's credentials."""
    work = partial(
        _call,
        clients,
        operation,
        parameters,
        region=Arn.of(call.execution).region,
        role=call.role,
        timeout=read_timeout(call.deadline),
        state=call.state,
    )
    try:
        return await run_in_thread(work)
    except RecursionError:  # an input may be so deep that whoever walks over the request, botocore too, runs out
        raise unsendable("It is nested too deeply.", operation.family) from None


def _call(
    clients: AwsClients,
    operation: Operation,
    parameters: Json,
    *,
    region: str,
    role: str | None,
    timeout: int,
    state: str,
) -> ServiceAnswer:
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    model = service_model(operation.service)
    shapes = model.operation_model(operation.name)
    shape = shapes.input_shape
    request, faults = read_request(shape, parameters, operation.spelling, tokens=operation.tokens)
    if faults:
        raise unfit(parameters, faults, model, operation.family)
    empty = [name for name, value in request.items() if value == "" and _is_in_path(shape.members[name])]
    if empty:  # without its name, a request for an object would be one for its bucket
        raise unsendable(f"{operation.spelling.name(empty[0], shape.name)} cannot be empty.", operation.family)
    answer: dict[str, Any] = {}
    try:
        client = clients.get(operation.service, region, role, timeout)
        answer = getattr(client, xform_name(operation.name))(**request)
        if shapes.has_event_stream_output:  # of all integrations, only InvokeHarness has one
            result = conversation(answer["stream"])
        else:
            result = to_result(shapes.output_shape, answer, operation.spelling)
    except TooLarge:
        raise too_large(state) from None
    except ParamValidationError as error:  # what botocore looks at in any case, such as a bucket's name
        raise unsendable(error.kwargs["report"], operation.family) from error
    except ClientError as error:
        if error.operation_name == "AssumeRole":
            raise StatesError(
                "States.TaskFailed", f"The role {role} cannot be assumed: {clean(str(error))}"
            ) from error
        told = error.response
        meta = told.get("ResponseMetadata") or answer.get("ResponseMetadata", {})  # within a stream, the answer's
        raise refused(told.get("Error", {}), meta, model, operation.family) from error
    except (BotoCoreError, OSError, ValueError) as error:  # ValueError: the endpoint is not a URL
        raise unreachable(error, operation.family) from error
    return ServiceAnswer(result, _metadata(answer["ResponseMetadata"]))


def _is_in_path(member: Any) -> bool:
    """Whether a member of a request is sent within the path of its URL."""
    return bool(member.serialization.get("location") == "uri")


def _metadata(meta: dict[str, Any]) -> dict[str, Json]:
    headers = {_HEADERS.get(name.lower(), name): value for name, value in meta.get("HTTPHeaders", {}).items()}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": dict(sorted(headers.items(), key=lambda header: header[0].lower())),
            "HttpStatusCode": meta.get("HTTPStatusCode"),
        },
        "SdkResponseMetadata": {"RequestId": meta.get("RequestId") or headers.get("x-amzn-RequestId")},
    }
