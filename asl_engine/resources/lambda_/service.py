"""Lambda functions on AWS, or at an endpoint with its API.

Needs the extra ``lambda`` (boto3), which is imported with the first call.  The AWS SDK finds the
credentials, and the region and the endpoint unless they are given.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import Arn, function_name, function_qualifier, parse_arn
from asl_engine.errors import ProjectError, StatesError, too_large
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload
from asl_engine.resources.aws.clients import AwsClients, Connecting, read_timeout
from asl_engine.resources.aws.failures import clean
from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.resources import TaskCall

__all__ = [
    "Invocation",
    "LambdaService",
    "function_error",
    "function_result",
    "lambda_region",
    "lambda_resource",
]

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_ACCOUNT = re.compile(r"\d{12}")


def lambda_resource(endpoint: str | None = None, region: str | None = None) -> LambdaService:
    """A resource that invokes the function its ARN names, once per call: the state machine does the retries.

    ``endpoint`` is a URL.  ``region`` serves ARNs whose own region is only a placeholder.  Raises
    ``ProjectError`` if boto3 is not installed.
    """
    from importlib.util import find_spec

    if find_spec("boto3") is None:
        raise ProjectError('calling AWS Lambda needs boto3: pip install "asl-engine[lambda]"')
    return LambdaService(AwsClients(Connecting({"lambda": endpoint} if endpoint else {})), region)


class Invocation(NamedTuple):
    """The answer of Invoke: the payload's text, and everything else as boto3 returns it.

    ``failed`` means that the function, not the service, failed; its report is the payload.
    """

    text: str
    failed: bool
    answer: dict[str, Any]


class LambdaService:
    """Lambda's Invoke operation; also a resource for tasks whose Resource is a function's ARN."""

    def __init__(self, clients: AwsClients, region: str | None = None) -> None:
        self._clients = clients
        self._region = region

    async def __call__(self, call: TaskCall) -> Payload:
        request = {
            **_target(call.resource),
            "InvocationType": "RequestResponse",
            "Payload": call.input.text.encode(),
        }
        made = await self.invoke(request, lambda_region(call.resource), call.deadline, call.role)
        if made.failed:
            raise function_error(made.text)
        return function_result(made.text, call)

    async def invoke(
        self, request: dict[str, Any], region: str | None, deadline: int | None, role: str | None = None
    ) -> Invocation:
        """Send a request with the members of Invoke.

        ``region`` is None for the AWS SDK's own; ``deadline`` is in milliseconds since the epoch; ``role`` is
        assumed for the call.  Raises ``StatesError`` if the service refuses or cannot be reached.
        """
        make = partial(self._clients.get, "lambda", region or self._region, role, read_timeout(deadline))
        return await run_in_thread(partial(_invoke, make, request))


def _invoke(make: Callable[[], Any], request: dict[str, Any]) -> Invocation:
    from botocore.exceptions import BotoCoreError, ClientError

    client: Any = None
    try:
        client = make()
        answer = client.invoke(**request)
        body = answer["Payload"].read()
    except ClientError as error:
        raise _refused(error, client) from error
    except (BotoCoreError, OSError, ValueError) as error:  # ValueError: the endpoint is not a URL
        raise _unreachable(error) from error
    return Invocation(body.decode(errors="replace"), "FunctionError" in answer, answer)


def lambda_region(arn: str) -> str | None:
    """The region in a function's ARN, None if it is only a placeholder."""
    parts = parse_arn(arn)
    return parts.region if parts is not None and _REGION.fullmatch(parts.region) else None


def _target(arn: str) -> dict[str, str]:
    """The full ARN if AWS could have issued it, else the bare name: a function in the caller's account."""
    if lambda_region(arn) and _ACCOUNT.fullmatch(Arn.of(arn).account):
        return {"FunctionName": arn}
    version = function_qualifier(arn)
    return {"FunctionName": function_name(arn) or arn, **({"Qualifier": version} if version else {})}


def function_result(text: str, call: TaskCall) -> Payload:
    """The value that a function returned.

    Raises ``StatesError`` if it is not JSON.  Recorded from AWS: the size of a text matters before its syntax.
    """
    try:
        return Payload(loads(text), text) if text else Payload.of_text("null")
    except JsonSyntaxError as error:
        if call.payload_bytes is not None and utf8_length(text) > call.payload_bytes:
            raise too_large(call.state) from None
        raise StatesError("Lambda.Unknown", f"The function's result is not JSON: {error}") from None


def function_error(text: str) -> StatesError:
    """The failure that a function reports; its cause is the report."""
    try:
        report = loads(text)
    except JsonSyntaxError:
        report = None
    name = report.get("errorType") if isinstance(report, dict) else None
    if isinstance(name, str) and name:
        return StatesError(name, text)
    unknown = "The cause could not be determined because Lambda did not return an error type."
    return StatesError("Lambda.Unknown", f"{unknown} Returned payload: {text}")


def _refused(error: Any, client: Any) -> StatesError:
    """The service's own error, worded as Step Functions words it.

    An error that the Invoke operation does not declare, such as AccessDeniedException, gets the
    generic name AWSLambdaException.
    """
    if error.operation_name != "Invoke":  # STS or SSO, called for credentials
        return StatesError("Lambda.SdkClientException", clean(str(error)))
    detail, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code = detail.get("Code", "Unknown")
    declared = {shape.name for shape in client.meta.service_model.operation_model("Invoke").error_shapes}
    facts = (
        f"Service: AWSLambda; Status Code: {meta.get('HTTPStatusCode')}; Error Code: {code}; "
        f"Request ID: {meta.get('RequestId')}; Proxy: null"
    )
    name = code if code in declared else "AWSLambdaException"
    return StatesError(f"Lambda.{name}", f"{clean(detail.get('Message', ''))} ({facts})")


def _unreachable(error: Exception) -> StatesError:
    from botocore import exceptions

    if isinstance(error, exceptions.ReadTimeoutError):
        return StatesError(
            "Lambda.ClientExecutionTimeoutException", clean(f"Unable to execute HTTP request: {error}")
        )
    if isinstance(error, exceptions.CredentialRetrievalError):  # quotes the output of the user's own command
        return StatesError("Lambda.SdkClientException", "The AWS SDK could not retrieve credentials.")
    return StatesError("Lambda.SdkClientException", clean(str(error)))
