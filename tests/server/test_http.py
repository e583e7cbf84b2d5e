"""The protocol: what no SDK would send, and what a browser would."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import ExecutionBusy, StoreError
from asl_engine.server.operations import table as operations
from asl_engine.server.protocol import http, uvicorn_limits
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.request import Caller, Request, caller_of
from asl_engine.server.protocol.service_model import Shape, input_shapes
from asl_engine.server.protocol.validation import KINDS
from tests.server.botocore_model import service_model
from tests.server.harness import FAIL

if TYPE_CHECKING:
    from tests.server.harness import Server

LIST = "ListStateMachines"


def test_an_answer(server: Server) -> None:
    status, headers, body = server.post(LIST, "{}")
    assert (status, list(body)) == (200, ["stateMachines"])
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert len(headers["x-amzn-requestid"]) == 36
    assert "server" not in headers


def test_no_body_is_an_empty_one(server: Server) -> None:
    assert server.post(LIST, "")[0] == 200


REFUSED: dict[str, tuple[str, bytes, dict[str, str], int, str]] = {
    "an unknown operation": ("Dance", b"{}", {}, 400, "UnknownOperationException"),
    "no operation": (LIST, b"{}", {"X_Amz_Target": ""}, 400, "UnknownOperationException"),
    "another service": (LIST, b"{}", {"X_Amz_Target": LIST}, 400, "UnknownOperationException"),
    "another content type": (LIST, b"{}", {"Content_Type": "text/plain"}, 400, "SerializationException"),
    "no JSON": (LIST, b"{", {}, 400, "SerializationException"),
    "not UTF-8": (LIST, b'{"a":"\xff"}', {}, 400, "SerializationException"),
    "no number": (LIST, b'{"maxResults":NaN}', {}, 400, "SerializationException"),
    "a deep one": (LIST, b"[" * 100_000, {}, 400, "SerializationException"),
    "no object": (LIST, b"[]", {}, 400, "SerializationException"),
    "a large one": (LIST, b" " * 1_200_000, {}, 413, "RequestEntityTooLargeException"),
    "a web page": (LIST, b"{}", {"Origin": "http://localhost"}, 403, "AccessDeniedException"),
    "another host": (LIST, b"{}", {"Host": "attacker.example:8083"}, 403, "AccessDeniedException"),
    "a host that looks like it": (LIST, b"{}", {"Host": "localhost.example"}, 403, "AccessDeniedException"),
}


@pytest.mark.parametrize(("operation", "body", "headers", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(  # noqa: PLR0917  the columns of the table
    server: Server, operation: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    got, answered, shown = server.post(operation, body, **headers)
    assert (got, shown["__type"]) == (status, code)
    assert shown["message"]
    assert answered["x-amzn-requestid"]


def test_an_unknown_member(server: Server) -> None:
    status, _, shown = server.post(LIST, '{"colour":1}')
    assert (status, shown["__type"]) == (400, "ValidationException")
    assert shown["message"] == "There is no member 'colour'"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:8083", "[::1]:8083", "sync-localhost", "states.localhost:80"]
)
def test_names_of_this_machine(server: Server, host: str) -> None:
    assert server.post(LIST, "{}", Host=host)[0] == 200


def test_other_methods_are_not_allowed(server: Server) -> None:
    import http.client

    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    connection.request("GET", "/")
    assert connection.getresponse().status == 405
    connection.close()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ValueError("secret"), 500, "InternalFailure"),
        (StoreError("secret"), 503, "ServiceUnavailable"),
        (ExecutionBusy("secret"), 503, "ServiceUnavailable"),
    ],
)
def test_our_defects_are_not_the_callers_business(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    async def broken(*_: Any) -> Any:
        raise error

    monkeypatch.setitem(operations.OPERATIONS, LIST, broken)
    got, _, shown = server.post(LIST, "{}")
    assert (got, shown["__type"]) == (status, code)
    assert "secret" not in shown["message"]


def test_a_caller_who_takes_too_long(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(http, "BODY_SECONDS", 0.01)
    with socket.create_connection((server.host, server.port), 30) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
            b"X-Amz-Target: AWSStepFunctions.ListStateMachines\r\nContent-Length: 10\r\n\r\n{"
        )
        assert b" 408 " in connection.recv(4096)


HEADS = {
    "many headers": (b"X-%d: ", b"y" * 1000 + b"\r\n"),
    "one header": (b"", b"y" * 1000),
}


@pytest.mark.parametrize(("first", "rest"), HEADS.values(), ids=HEADS)
def test_a_head_without_end(server: Server, first: bytes, rest: bytes) -> None:
    import socket

    with socket.create_connection((server.host, server.port), 30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nX: ")
        with suppress(OSError):  # it hangs up at some point
            for number in range(20_000):
                connection.sendall((first % number if first else b"") + rest)
            raise AssertionError("all of it was taken")
    assert server.post(LIST, "{}")[0] == 200


def test_a_long_body_in_pieces_is_no_head(server: Server) -> None:
    import socket

    body = b'{"nextToken":"' + b"x" * 1_000_000 + b'"}'
    with socket.create_connection((server.host, server.port), 30) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines\r\n"
        )
        connection.sendall(b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n" % len(body))
        connection.sendall(body)
        assert b"ValidationException" in connection.recv(65_536) + connection.recv(65_536)


def test_a_caller_who_goes_away(server: Server) -> None:
    import socket

    with socket.create_connection((server.host, server.port), 30) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
            b"X-Amz-Target: AWSStepFunctions.ListStateMachines\r\nContent-Length: 10\r\n\r\n{"
        )
    assert server.post(LIST, "{}")[0] == 200


DEFAULT = Caller("us-east-1", "123456789012")
SIGNED = "AWS4-HMAC-SHA256 Credential={}/20250101/{}/states/aws4_request, SignedHeaders=host"
CALLERS = {
    "nobody": ("", DEFAULT),
    "a key": (SIGNED.format("AKIA", "eu-west-1"), Caller("eu-west-1", "123456789012")),
    "an account": (SIGNED.format("210987654321", "eu-west-1"), Caller("eu-west-1", "210987654321")),
    "a strange region": (SIGNED.format("AKIA", "EU:west"), DEFAULT),
}


@pytest.mark.parametrize(("authorization", "caller"), CALLERS.values(), ids=CALLERS)
def test_who_calls(authorization: str, caller: Caller) -> None:
    assert caller_of(authorization, DEFAULT) == caller


def test_without_botocore_members_are_still_checked() -> None:
    request = Request({"name": 1, "maxResults": True, "reverseOrder": 0}, DEFAULT)
    for ask in (
        lambda: request.text("name"),
        request.page_size,
        lambda: request.flag("reverseOrder", default=False),
    ):
        with pytest.raises(ApiError) as caught:
            ask()
        assert caught.value.code == "SerializationException"
    for ask in (lambda: request.text("definition"), lambda: Request({"maxResults": -1}, DEFAULT).page_size()):
        with pytest.raises(ApiError) as caught:
            ask()
        assert caught.value.code == "ValidationException"


def test_without_botocore_nothing_else_is(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    from asl_engine.server.protocol import validation

    monkeypatch.setattr("asl_engine.server.protocol.service_model.find_spec", lambda _: None)
    input_shapes.cache_clear()
    try:
        assert input_shapes() is None
        validation.check(LIST, {"colour": 1})
        assert server.post(LIST, '{"colour":1}')[0] == 200
    finally:
        input_shapes.cache_clear()


CONSTRAINTS = {"enum", "max", "min", "pattern", "sensitive"}


def described(shape: Any) -> Any:
    """A shape of the model, and all that it consists of."""
    own = (shape.name, shape.type_name, {name: shape.metadata[name] for name in CONSTRAINTS & {*shape.metadata}})
    if shape.type_name == "structure":
        members = {name: described(member) for name, member in shape.members.items()}
        return (*own, [*shape.required_members], members)
    return (*own, described(shape.member)) if shape.type_name == "list" else own


def test_requests_are_checked_against_what_botocore_reads() -> None:
    model = service_model()
    expected = {name: described(model.operation_model(name).input_shape) for name in model.operation_names}
    ours: dict[str, Shape] = input_shapes() or {}
    assert {name: described(shape) for name, shape in ours.items()} == expected


def test_the_operations_are_those_of_the_model() -> None:
    assert set(operations.OPERATIONS) <= set(service_model().operation_names)


def types_within(shape: Any) -> set[str]:
    inner = [*shape.members.values()] if shape.type_name == "structure" else []
    inner += [shape.member] if shape.type_name == "list" else []
    return {shape.type_name}.union(*map(types_within, inner))


def test_every_type_that_a_request_may_have_is_checked() -> None:
    model = service_model()
    shapes = [model.operation_model(name).input_shape for name in model.operation_names]
    assert set().union(*map(types_within, shapes)) <= KINDS.keys()


def undeclared(shape: Any, value: Any, place: str = "") -> list[str]:
    """The members of an answer that the service model does not know."""
    if shape.type_name == "structure":
        found = [f"{place}.{name}" for name in value if name not in shape.members]
        inner = [undeclared(shape.members[name], value[name], f"{place}.{name}") for name in value if not found]
        return found + [name for names in inner for name in names]
    if shape.type_name == "list":
        return [name for item in value for name in undeclared(shape.member, item, place)]
    return []


def test_answers_have_declared_members_only(server: Server, name: str) -> None:
    failing = {"name": name + "f", "definition": json.dumps(FAIL), "roleArn": "arn:x"}
    definition = json.dumps(
        {
            "StartAt": "T",
            "States": {
                "T": {
                    "Type": "Task",
                    "Resource": "arn:aws:lambda:us-east-1:123456789012:function:nothing",
                    "End": True,
                }
            },
        }
    )
    activity = f"arn:aws:states:us-east-1:123456789012:activity:{name}"
    work = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}}
    worked = {"name": name + "w", "definition": json.dumps(work), "roleArn": "arn:x"}
    machine = f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"
    run = machine.replace("stateMachine", "execution") + ":one"
    express = {"name": name + "x", "definition": definition, "roleArn": "arn:x", "type": "EXPRESS"}
    routing = [{"stateMachineVersionArn": f"{machine}:1", "weight": 100}]
    asked: list[tuple[str, dict[str, Any]]] = [
        ("CreateStateMachine", {"name": name, "definition": definition, "roleArn": "arn:x"}),
        ("DescribeStateMachine", {"stateMachineArn": machine}),
        ("ListStateMachines", {}),
        ("StartExecution", {"stateMachineArn": machine, "name": "one"}),
        ("DescribeExecution", {"executionArn": run}),
        ("StopExecution", {"executionArn": run}),
        ("GetExecutionHistory", {"executionArn": run}),
        ("ListExecutions", {"stateMachineArn": machine}),
        ("CreateStateMachine", express),
        ("StartSyncExecution", {"stateMachineArn": machine + "x"}),
        ("DescribeStateMachineForExecution", {"executionArn": run}),
        ("UpdateStateMachine", {"stateMachineArn": machine, "roleArn": "arn:y", "publish": True}),
        ("PublishStateMachineVersion", {"stateMachineArn": machine}),
        ("ListStateMachineVersions", {"stateMachineArn": machine}),
        ("CreateStateMachineAlias", {"name": "live", "routingConfiguration": routing}),
        ("UpdateStateMachineAlias", {"stateMachineAliasArn": f"{machine}:live", "description": "d"}),
        ("DescribeStateMachineAlias", {"stateMachineAliasArn": f"{machine}:live"}),
        ("ListStateMachineAliases", {"stateMachineArn": machine}),
        ("DeleteStateMachineAlias", {"stateMachineAliasArn": f"{machine}:live"}),
        ("DeleteStateMachineVersion", {"stateMachineVersionArn": f"{machine}:1"}),
        ("TagResource", {"resourceArn": machine, "tags": [{"key": "k", "value": "v"}]}),
        ("ListTagsForResource", {"resourceArn": machine}),
        ("UntagResource", {"resourceArn": machine, "tagKeys": ["k"]}),
        ("ListMapRuns", {"executionArn": run}),
        ("CreateStateMachine", failing),
        ("StartExecution", {"stateMachineArn": machine + "f", "name": "one"}),
        ("RedriveExecution", {"executionArn": run.replace(":one", "f:one")}),
        ("DeleteStateMachine", {"stateMachineArn": machine}),
        ("ValidateStateMachineDefinition", {"definition": "{}"}),
        ("CreateActivity", {"name": name}),
        ("DescribeActivity", {"activityArn": activity}),
        ("ListActivities", {}),
        ("CreateStateMachine", worked),
        ("StartExecution", {"stateMachineArn": machine + "w"}),
        ("StartExecution", {"stateMachineArn": machine + "w"}),
        ("GetActivityTask", {"activityArn": activity}),
        ("SendTaskHeartbeat", {}),
        ("SendTaskSuccess", {"output": "1"}),
        ("GetActivityTask", {"activityArn": activity}),
        ("SendTaskFailure", {}),
        ("DeleteActivity", {"activityArn": activity}),
        ("TestState", {"definition": json.dumps({"Type": "Succeed"}), "inspectionLevel": "TRACE"}),
    ]
    token = ""
    for operation, data in asked:
        sent = {**data, "taskToken": token} if operation.startswith("SendTask") else data
        status, _, body = server.post(operation, json.dumps(sent))
        assert status == 200, body
        token = body.get("taskToken", token)
        assert undeclared(service_model().operation_model(operation).output_shape, body) == []
    of_map_runs = {"DescribeMapRun", "UpdateMapRun"}  # tests/server/test_map_runs.py asks them
    assert {operation for operation, _ in asked} == set(operations.OPERATIONS) - of_map_runs


REQUEST = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines\r\n"
    b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"
)


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        (b"", 0),
        (b"P", 0),
        (REQUEST.partition(b"\r\n\r\n")[0], 0),
        (REQUEST + b"\r\n", 1),
        (REQUEST + REQUEST[:-4], 1),
        (REQUEST + REQUEST + b"POST", 2),
    ],
)
def test_who_sends_no_request_is_hung_up_on(
    server: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes, answers: int
) -> None:
    import socket

    monkeypatch.setattr(uvicorn_limits, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(http, "BODY_SECONDS", 0.2)
    with socket.create_connection((server.host, server.port), 30) as connection:
        connection.sendall(sent)
        received = b""
        while part := connection.recv(65_536):
            received += part
    assert received.count(b"HTTP/1.1 200 OK") == answers


def test_a_head_that_trickles_in_has_no_more_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(uvicorn_limits, "HEAD_SECONDS", 0.2)
    with socket.create_connection((server.host, server.port), 30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nX: ")
        connection.settimeout(0.01)
        while True:
            try:
                connection.sendall(b"x")
                assert connection.recv(1) == b""  # it has hung up
                break
            except TimeoutError:
                continue
            except OSError:
                break
