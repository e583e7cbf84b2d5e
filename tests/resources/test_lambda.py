"""AWS Lambda through boto3, against a server on this machine that speaks Lambda's Invoke operation."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from asl_engine.errors import ProjectError, StatesError
from asl_engine.payload import Payload
from asl_engine.resources import TaskCall
from asl_engine.resources.aws import clients
from asl_engine.resources.lambda_ import service as lambda_
from asl_engine.resources.lambda_.service import lambda_resource

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:pay"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"  # the one of AWS's documentation
SETTINGS = ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")


@dataclass
class Service:
    """What the server answers, and what it was asked."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"null"
    hold: threading.Event | None = None
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((unquote(self.path), dict(self.headers), body))
            if state.hold is not None:
                assert state.hold.wait(10)
                return
            self.send_response(state.status)
            for name, value in {"Content-Length": str(len(state.body)), **state.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Nothing of the machine's own AWS settings is seen; nothing outside it is called."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")


def a_call(arn: str = ARN, text: str = '{"n":1}', deadline: int | None = None) -> TaskCall:
    return TaskCall(arn, Payload.of_text(text), "run:1", 0, deadline, "run", "Pay", lambda: None)


def answer(endpoint: str | None, call: TaskCall | None = None, region: str | None = None) -> Payload:
    resource = lambda_resource(endpoint, region)

    async def main() -> Payload:
        return await resource(call or a_call())

    return asyncio.run(main())


def failure(endpoint: str | None, call: TaskCall | None = None) -> tuple[str | None, str]:
    with pytest.raises(StatesError) as caught:
        answer(endpoint, call)
    return caught.value.error, str(caught.value.cause)


# -- success ---------------------------------------------------------------------------------------------


def test_the_payload_goes_there_and_the_result_comes_back(service: Service) -> None:
    service.body = b'{"total": 1.50, "name": "gr\xc3\xbc\xc3\x9fe"}'
    assert answer(service.url, a_call(text='{"n":"ü"}')).text == '{"total": 1.50, "name": "grüße"}'
    ((path, headers, body),) = service.requests
    assert path == f"/2015-03-31/functions/{ARN}/invocations"
    assert headers["X-Amz-Invocation-Type"] == "RequestResponse"
    assert f"Credential={KEY_ID}/" in headers["Authorization"]
    assert "/eu-west-1/lambda/" in headers["Authorization"]
    assert body == '{"n":"ü"}'.encode()


def test_an_empty_result_is_null(service: Service) -> None:
    service.body = b""
    assert answer(service.url).value is None


@pytest.mark.parametrize(
    ("size", "most", "error"),
    [
        (262_145, 262_144, "States.DataLimitExceeded"),
        (262_144, 262_144, "Lambda.Unknown"),
        (262_145, None, "Lambda.Unknown"),
    ],
)
def test_the_size_of_a_result_is_looked_at_before_its_syntax(
    service: Service, size: int, most: int | None, error: str
) -> None:
    service.body = b"<" + "\u00fc".encode() * ((size - 1) // 2) + b">" * ((size - 1) % 2)
    assert len(service.body) == size
    with pytest.raises(StatesError) as caught:
        answer(service.url, a_call()._replace(payload_bytes=most))
    assert caught.value.error == error
    if error == "States.DataLimitExceeded":
        assert caught.value.cause == (
            "The state/task 'Pay' returned a result with a size exceeding "
            "the maximum number of bytes service limit."
        )


def test_a_result_that_is_not_json(service: Service) -> None:
    service.body = b"<html>"
    error, cause = failure(service.url)
    assert error == "Lambda.Unknown"
    assert cause.startswith("The function's result is not JSON: ")


PLACES = {
    "real": (ARN, ARN, "eu-west-1"),
    "with a qualifier": (ARN + ":live", ARN + ":live", "eu-west-1"),
    "a placeholder region": ("arn:aws:lambda:region:account:function:pay", "pay", "us-west-2"),
    "a placeholder account": ("arn:aws:lambda:eu-west-1:account:function:pay", "pay", "eu-west-1"),
    "a placeholder with a qualifier": (
        "arn:aws:lambda:r:a:function:pay:7",
        "pay/invocations?Qualifier=7",
        "us-west-2",
    ),
    "a region of another partition": (
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:pay",
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:pay",
        "us-gov-west-1",
    ),
}


@pytest.mark.parametrize(("arn", "asked", "region"), PLACES.values(), ids=PLACES)
def test_what_is_asked_where(service: Service, arn: str, asked: str, region: str) -> None:
    answer(service.url, a_call(arn), region="us-west-2")
    path, headers, _ = service.requests[0]
    path = path.replace(f"{asked}/invocations", asked)
    assert path == f"/2015-03-31/functions/{asked}"
    assert f"/{region}/lambda/" in headers["Authorization"]


@pytest.mark.parametrize(
    "named",
    [
        {"AWS_DEFAULT_REGION": "ap-south-1"},
        {"AWS_REGION": "ap-south-1"},
        {"AWS_REGION": "ap-south-1", "AWS_DEFAULT_REGION": "us-west-1"},
    ],
    ids=" ".join,
)
def test_the_endpoint_and_the_region_of_the_sdk(
    service: Service, monkeypatch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", service.url)
    for name, region in named.items():
        monkeypatch.setenv(name, region)
    answer(None, a_call("arn:aws:lambda:r:a:function:pay"))
    assert "/ap-south-1/lambda/" in service.requests[0][1]["Authorization"]


def test_a_client_is_made_once_for_each_region_and_timeout(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "time", lambda: 0.0)
    made: list[int] = []
    make = clients.AwsClients._make

    def counting(self: Any, key: Any) -> Any:
        made.append(key.read_timeout)
        return make(self, key)

    monkeypatch.setattr(clients.AwsClients, "_make", counting)
    resource = lambda_resource(service.url)

    async def main() -> None:
        for deadline in (None, 900_000, 3_000, 3_999, 4_000, -5_000, None):
            await resource(a_call(deadline=deadline))
        await resource(a_call(ARN.replace("eu-west-1", "eu-west-2")))

    asyncio.run(main())
    assert made == [1024, 8, 2, 1024]


@pytest.mark.parametrize(("left", "seconds"), [(0, 2), (999, 2), (1_000, 4), (60_000, 64), (10**12, 1024)])
def test_a_read_timeout_is_no_shorter_than_what_is_left(
    left: int, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "time", lambda: 50.0)
    assert clients.read_timeout(50_000 + left) == seconds


# -- errors of the function ------------------------------------------------------------------------------

UNKNOWN = "The cause could not be determined because Lambda did not return an error type. Returned payload: "
FUNCTION_ERRORS = {
    "an exception": (
        '{"errorMessage": "no", "errorType": "PaymentDeclined", "requestId": "1", "stackTrace": []}',
        "PaymentDeclined",
        "",
    ),
    "a timeout": (
        '{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 3.00 seconds"}',
        "Sandbox.Timedout",
        "",
    ),
    "no error type": ('{"errorMessage":"2026-01-01T00:00:00Z 1 Task timed out"}', "Lambda.Unknown", UNKNOWN),
    "an error type that is null": ('{"errorType":null}', "Lambda.Unknown", UNKNOWN),
    "an empty error type": ('{"errorType":""}', "Lambda.Unknown", UNKNOWN),
    "not an object": ('"broken"', "Lambda.Unknown", UNKNOWN),
    "not JSON": ("<html>", "Lambda.Unknown", UNKNOWN),
    "nothing": ("", "Lambda.Unknown", UNKNOWN),
}


@pytest.mark.parametrize(("body", "error", "before"), FUNCTION_ERRORS.values(), ids=FUNCTION_ERRORS)
def test_an_error_of_the_function(service: Service, body: str, error: str, before: str) -> None:
    service.body = body.encode()
    service.headers = {"X-Amz-Function-Error": "Unhandled"}
    assert failure(service.url) == (error, before + body)
    assert len(service.requests) == 1


# -- errors of the service -------------------------------------------------------------------------------

NOT_FOUND = f"Function not found: {ARN}:$LATEST"
SERVICE_ERRORS = [
    (404, "ResourceNotFoundException", NOT_FOUND, "Lambda.ResourceNotFoundException"),
    (429, "TooManyRequestsException", "Rate Exceeded.", "Lambda.TooManyRequestsException"),
    (500, "ServiceException", "An error occurred.", "Lambda.ServiceException"),
    (502, "EC2ThrottledException", "Throttled.", "Lambda.EC2ThrottledException"),
    (403, "AccessDeniedException", "User: x is not authorized to perform: y", "Lambda.AWSLambdaException"),
    (503, "", "", "Lambda.AWSLambdaException"),
]


@pytest.mark.parametrize(("status", "code", "message", "error"), SERVICE_ERRORS)
def test_an_error_of_the_service(service: Service, status: int, code: str, message: str, error: str) -> None:
    service.status = status
    service.headers = {"x-amzn-RequestId": "r-1", **({"x-amzn-ErrorType": code} if code else {})}
    service.body = json.dumps({"Message": message}).encode()
    facts = f"Service: AWSLambda; Status Code: {status}; Error Code: {code or status}; Request ID: r-1"
    assert failure(service.url) == (error, f"{message} ({facts}; Proxy: null)")
    assert len(service.requests) == 1, "retries are the machine's"


def test_a_key_id_in_a_message_of_the_service_is_left_out(service: Service) -> None:
    service.status = 403
    service.headers = {"x-amzn-ErrorType": "IncompleteSignatureException"}
    service.body = json.dumps({"Message": f"Credential={KEY_ID}/2026 is wrong"}).encode()
    error, cause = failure(service.url)
    assert error == "Lambda.AWSLambdaException"
    assert cause.startswith("Credential=/2026 is wrong (Service: AWSLambda;")


def test_credentials_that_another_service_refuses(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(
        "[profile shop]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"
        f"region = eu-west-1\n[profile base]\naws_access_key_id = {KEY_ID}\n"
        "aws_secret_access_key = not-a-secret\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "shop")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", service.url)
    service.status = 403
    service.body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>No.</Message></Error></ErrorResponse>"
    assert failure(service.url) == (
        "Lambda.SdkClientException",
        "An error occurred (AccessDenied) when calling the AssumeRole operation: No.",
    )


# -- errors on the way -----------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error, cause = failure(f"http://user:password@127.0.0.1:{port}")
    assert error == "Lambda.SdkClientException"
    assert cause.startswith(f'Could not connect to the endpoint URL: "http://127.0.0.1:{port}/2015-03-31/')


def test_an_answer_that_does_not_come(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_, "read_timeout", lambda _deadline: 0.05)
    service.hold = threading.Event()
    error, cause = failure(service.url)
    service.hold.set()
    assert error == "Lambda.ClientExecutionTimeoutException"
    assert cause.startswith("Unable to execute HTTP request: Read timeout on endpoint URL: ")


def test_an_answer_that_breaks_off(service: Service) -> None:
    service.headers = {"Content-Length": "100"}
    error, _ = failure(service.url)
    assert error == "Lambda.SdkClientException"


def test_no_credentials(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert failure("http://lambda.example:80") == ("Lambda.SdkClientException", "Unable to locate credentials")
    assert answer(service.url).text == "null"  # nobody checks signatures on this machine


def test_credentials_from_a_command_that_fails(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "config").write_text("[default]\ncredential_process = sh -c 'echo token-9 >&2; exit 1'\n")
    assert failure(service.url) == (
        "Lambda.SdkClientException",
        "The AWS SDK could not retrieve credentials.",
    )


def test_no_region(service: Service) -> None:
    call = a_call("arn:aws:lambda:region:account:function:pay")
    assert failure(service.url, call) == ("Lambda.SdkClientException", "You must specify a region.")


def test_an_endpoint_that_is_no_url() -> None:
    assert failure("not a url") == ("Lambda.SdkClientException", "Invalid endpoint: not a url")


def test_without_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ProjectError, match=r'pip install "asl-engine\[lambda\]"'):
        lambda_resource()
