"""Lambda functions that run where AWS, or an endpoint that speaks for it, runs them.

Needs the extra ``lambda`` (boto3), which is imported with the first call.  Credentials, and the region
and the endpoint unless they are given, come from wherever the AWS SDK finds them.
"""

from __future__ import annotations

import re
from functools import partial
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.errors import ProjectError, StatesError
from asl_engine.jsontypes import JsonSyntaxError, Payload, loads
from asl_engine.resources.registry import function_name, qualifier
from asl_engine.resources.threads import run_in_thread

if TYPE_CHECKING:
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
_LONGEST_READ = 1024  # seconds: a function runs for 900 at most
# What must not reach a history: the user part of a URL, and access key ids (the IAM User Guide's prefixes).
_SECRETS = re.compile(r"(?<=//)[^/@\s\"]+@|\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")


def lambda_resource(endpoint: str | None = None, region: str | None = None) -> LambdaService:
    """A resource that invokes the function its ARN names, once per call: retries are the machine's.

    ``endpoint`` is a URL.  ``region`` serves ARNs whose own region is only a placeholder.  Raises
    ``ProjectError`` where boto3 is not installed.
    """
    from importlib.util import find_spec

    if find_spec("boto3") is None:
        raise ProjectError('calling AWS Lambda needs boto3: pip install "asl-engine[lambda]"')
    return LambdaService(_Clients(endpoint, region))


class Invocation(NamedTuple):
    """What Invoke has answered: the payload's text, and everything else as boto3 gives it.

    ``failed`` says that the function, not the service, has failed; its report is the payload.
    """

    text: str
    failed: bool
    answer: dict[str, Any]


class LambdaService:
    """Lambda's Invoke operation; called with a task whose resource is a function's ARN, it is a resource."""

    def __init__(self, clients: _Clients) -> None:
        self._clients = clients

    async def __call__(self, call: TaskCall) -> Payload:
        request = {
            **_target(call.resource),
            "InvocationType": "RequestResponse",
            "Payload": call.input.text.encode(),
        }
        made = await self.invoke(request, lambda_region(call.resource), call.deadline)
        if made.failed:
            raise function_error(made.text)
        return function_result(made.text)

    async def invoke(self, request: dict[str, Any], region: str | None, deadline: int | None) -> Invocation:
        """Send a request, whose members are those of Invoke.

        ``region`` is None for the AWS SDK's own; ``deadline`` is in milliseconds since the epoch.  Raises
        ``StatesError`` where the service refuses or cannot be reached.
        """
        return await run_in_thread(partial(_invoke, self._clients, request, region, deadline))


class _Clients:
    """boto3 clients, made on first use and kept: one takes longer to make than a function to answer.

    A client has one read timeout, so that there is one for each power of two that a call may need.
    """

    def __init__(self, endpoint: str | None, region: str | None) -> None:
        self._endpoint = endpoint
        self._region = region
        self._session: Any = None
        self._clients: dict[tuple[str | None, int], Any] = {}
        self._lock = Lock()  # boto3 sessions are not thread-safe

    def get(self, region: str | None, read_timeout: int) -> Any:
        key = (region or self._region, read_timeout)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(*key)
            return self._clients[key]

    def _make(self, region: str | None, read_timeout: int) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"total_max_attempts": 1},
            connect_timeout=10,
            read_timeout=read_timeout,
            max_pool_connections=64,
            tcp_keepalive=True,  # a connection is silent for as long as its function runs
        )
        self._session = self._session or boto3.Session()
        return self._session.client("lambda", region_name=region, endpoint_url=self._endpoint, config=config)


def _invoke(clients: _Clients, request: dict[str, Any], region: str | None, deadline: int | None) -> Invocation:
    from botocore.exceptions import BotoCoreError, ClientError

    client: Any = None
    try:
        client = clients.get(region, _read_timeout(deadline))
        answer = client.invoke(**request)
        body = answer["Payload"].read()
    except ClientError as error:
        raise _refused(error, client) from error
    except (BotoCoreError, OSError, ValueError) as error:  # ValueError: the endpoint is no URL
        raise _unreachable(error) from error
    return Invocation(body.decode(errors="replace"), "FunctionError" in answer, answer)


def lambda_region(arn: str) -> str | None:
    """The region in a function's ARN, None where it is only a placeholder."""
    region = arn.split(":")[3]
    return region if _REGION.fullmatch(region) else None


def _target(arn: str) -> dict[str, str]:
    """The full ARN if AWS could have issued it, else the bare name: its caller's own function."""
    if lambda_region(arn) and _ACCOUNT.fullmatch(arn.split(":")[4]):
        return {"FunctionName": arn}
    version = qualifier(arn)
    return {"FunctionName": function_name(arn) or arn, **({"Qualifier": version} if version else {})}


def _read_timeout(deadline: int | None) -> int:
    """Whole seconds, a power of two: not less than what is left, so that the state's timeout comes first."""
    if deadline is None:
        return _LONGEST_READ
    left = max(0, deadline - int(time() * 1000)) // 1000 + 1
    return min(1 << left.bit_length(), _LONGEST_READ)


def function_result(text: str) -> Payload:
    """What a function has returned.  Raises ``StatesError`` where it is not JSON."""
    try:
        return Payload(loads(text), text) if text else Payload.of_text("null")
    except JsonSyntaxError as error:
        raise StatesError("Lambda.Unknown", f"The function's result is not JSON: {error}") from None


def function_error(text: str) -> StatesError:
    """The failure of which a function's report tells; its cause is the report."""
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

    An error that the Invoke operation does not declare, such as AccessDeniedException, goes by the name
    of all of them: AWSLambdaException.
    """
    if error.operation_name != "Invoke":  # STS or SSO, asked for credentials
        return StatesError("Lambda.SdkClientException", _clean(str(error)))
    detail, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code = detail.get("Code", "Unknown")
    declared = {shape.name for shape in client.meta.service_model.operation_model("Invoke").error_shapes}
    facts = (
        f"Service: AWSLambda; Status Code: {meta.get('HTTPStatusCode')}; Error Code: {code}; "
        f"Request ID: {meta.get('RequestId')}; Proxy: null"
    )
    name = code if code in declared else "AWSLambdaException"
    return StatesError(f"Lambda.{name}", f"{_clean(detail.get('Message', ''))} ({facts})")


def _unreachable(error: Exception) -> StatesError:
    from botocore import exceptions

    if isinstance(error, exceptions.ReadTimeoutError):
        return StatesError(
            "Lambda.ClientExecutionTimeoutException", _clean(f"Unable to execute HTTP request: {error}")
        )
    if isinstance(error, exceptions.CredentialRetrievalError):  # quotes the output of the user's own command
        return StatesError("Lambda.SdkClientException", "The AWS SDK could not retrieve credentials.")
    return StatesError("Lambda.SdkClientException", _clean(str(error)))


def _clean(text: str) -> str:
    return _SECRETS.sub("", text)
