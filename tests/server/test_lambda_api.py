"""Lambda's Invoke operation, asked by boto3: the functions of a server, their failures, and what is refused."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from asl_engine.resources.python.registry import Registry
from asl_engine.server.lambda_api import LambdaApi
from tests.cli.project import wait_for
from tests.server.harness import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.harness import Server

ARN = "arn:aws:lambda:us-east-1:123456789012:function:double"
seen: list[Any] = []


def double(event: Any) -> Any:
    return event * 2


def fail(event: Any) -> Any:
    seen.append(event)
    raise ValueError(f"not {event}")


def told(event: Any, context: Any) -> Any:
    return {
        "event": event,
        "arn": context.invoked_function_arn,
        "custom": None if context.client_context is None else context.client_context.custom,
    }


def note(event: Any) -> None:
    seen.append(event)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    registry = Registry()
    for function in (double, fail, told, note):
        registry.add(function.__name__, function)
    with running(tmp_path_factory.mktemp("lambda") / "asl.db", registry, companions=[LambdaApi]) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=f"http://{server.host}:{server.port}",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106  nobody checks it
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize("name", ["double", ARN, "123456789012:function:double", f"{ARN}:live"])
def test_a_function_by_its_names(client: Any, name: str) -> None:
    answer = client.invoke(FunctionName=name, Payload=json.dumps("é"))
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == "éé"


def test_what_it_is_told_besides_the_event(client: Any) -> None:
    context = b64encode(b'{"custom": {"k": "v"}}').decode()
    answer = client.invoke(FunctionName="told", ClientContext=context, Qualifier="7")
    found = json.loads(answer["Payload"].read())
    assert found == {"event": {}, "arn": f"{ARN.replace('double', 'told')}:7", "custom": {"k": "v"}}


def test_a_failure_is_the_answer(client: Any) -> None:
    answer = client.invoke(FunctionName="fail", Payload=b'"x"')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    report = json.loads(answer["Payload"].read())
    assert (report["errorType"], report["errorMessage"]) == ("ValueError", "not x")


def test_an_event_is_accepted_and_tried_three_times(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    seen.clear()
    with caplog.at_level(logging.WARNING, "asl_engine.server"):
        answer = client.invoke(FunctionName="fail", InvocationType="Event", Payload=b'"y"')
        assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
        wait_for(lambda: "given up" in caplog.text)
    assert seen == ["y"] * 3
    assert "the function fail has failed 3 times with an event, which is given up: ValueError: " in caplog.text
    client.invoke(FunctionName="note", InvocationType="Event", Payload=b'{"n": 1}')
    wait_for(lambda: {"n": 1} in seen)


def test_a_dry_run_calls_nothing(client: Any) -> None:
    seen.clear()
    answer = client.invoke(FunctionName="note", InvocationType="DryRun", Payload=b"1")
    assert answer["StatusCode"] == 204
    assert not seen


@pytest.mark.parametrize(
    ("request_", "code", "message", "status"),
    [
        ({"FunctionName": "nobody"}, "ResourceNotFoundException", f"Function not found: {ARN[:-6]}nobody", 404),
        (
            {"FunctionName": "nobody", "InvocationType": "Event"},
            "ResourceNotFoundException",
            f"Function not found: {ARN[:-6]}nobody",
            404,
        ),
        (
            {"FunctionName": "double", "Payload": b"{"},
            "InvalidRequestContentException",
            "Could not parse request body into json: ",
            400,
        ),
        (
            {"FunctionName": "double", "ClientContext": "e30x"},
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
            400,
        ),
        (
            {"FunctionName": "double", "InvocationType": "Event", "Payload": b" " * 1_048_577},
            "RequestTooLargeException",
            "More than 1048576 bytes",
            413,
        ),
    ],
)
def test_what_is_refused(client: Any, request_: dict[str, Any], code: str, message: str, status: int) -> None:
    with pytest.raises(ClientError) as caught:
        client.invoke(**request_)
    response = caught.value.response
    assert response["Error"]["Code"] == code
    assert response["Error"]["Message"].startswith(message)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/2015-03-31/functions/double/invocations", {"X-Amz-Invocation-Type": "Later"}, 400),
        ("POST", "/2015-03-31/functions/double/invocations", {"Origin": "http://evil.example"}, 403),
        ("POST", "/2015-03-31/functions/double/invocations", {"Host": "evil.example"}, 403),
        ("GET", "/2015-03-31/functions/double/invocations", {}, 405),
        ("GET", "/2015-03-31/functions", {}, 404),
        ("POST", "/2015-03-31/functions/a%2Fb/invocations", {}, 404),
        ("POST", "/2015-03-31/functions//invocations", {}, 404),
    ],
)
def test_what_no_sdk_sends(server: Server, method: str, path: str, headers: dict[str, str], status: int) -> None:
    connection = HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request(method, path, b"1", headers)
        answer = connection.getresponse()
        assert answer.status == status
        assert json.loads(answer.read())["Message"]
        assert answer.getheader("x-amzn-errortype")
    finally:
        connection.close()
