"""What a function gets of a request, and what becomes of what it returns.

The shapes are those of "Set up Lambda proxy integrations in API Gateway" and of "Create AWS Lambda proxy
integrations for HTTP APIs" in the Developer Guide of API Gateway.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from asl_engine.errors import StatesError
from tests.gateway.calling import ACCOUNT, Backend, Client, http_route, route

REST_ERROR = (502, {"message": "Internal server error"})
HTTP_ERROR = (500, {"message": "Internal Server Error"})


def event_of(client: Client) -> Any:
    (event,) = client.backend.events
    return event


def returning(value: Any, *, http: bool = False) -> Client:
    return Client(http_route() if http else route(), backend=Backend(lambda _: value))


def test_an_event_of_payload_1() -> None:
    client = Client(route("POST", "/orders/{id}"))
    headers = [("Content-Type", "application/json"), ("X-Tag", "a"), ("x-tag", "b"), ("User-Agent", "curl/8")]
    client("POST", "/Prod/orders/a%20b?q=1&q=2&empty=&text=a%26b", '{"a":1}', headers)
    event = event_of(client)
    context = event.pop("requestContext")
    assert event == {
        "resource": "/orders/{id}",
        "path": "/orders/a%20b",
        "httpMethod": "POST",
        "headers": {
            "Host": "127.0.0.1:3000",
            "Content-Type": "application/json",
            "X-Tag": "b",
            "User-Agent": "curl/8",
        },
        "multiValueHeaders": {
            "Host": ["127.0.0.1:3000"],
            "Content-Type": ["application/json"],
            "X-Tag": ["a", "b"],
            "User-Agent": ["curl/8"],
        },
        "queryStringParameters": {"q": "2", "empty": "", "text": "a&b"},
        "multiValueQueryStringParameters": {"q": ["1", "2"], "empty": [""], "text": ["a&b"]},
        "pathParameters": {"id": "a%20b"},
        "stageVariables": None,
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }
    assert context["requestTimeEpoch"] > 1_600_000_000_000
    assert context["requestTime"].endswith(" +0000")
    identity = context["identity"]
    assert {name: identity[name] for name in identity if identity[name] is not None} == {
        "sourceIp": "127.0.0.1",
        "userAgent": "curl/8",
    }
    assert {name: context[name] for name in ("accountId", "apiId", "httpMethod", "path", "protocol", "stage")} == {
        "accountId": ACCOUNT,
        "apiId": "Api",
        "httpMethod": "POST",
        "path": "/Prod/orders/a%20b",
        "protocol": "HTTP/1.1",
        "stage": "Prod",
    }
    assert context["domainName"] == "api.execute-api.us-east-1.amazonaws.com"
    assert context["resourcePath"] == "/orders/{id}"


def test_what_a_request_lacks_is_null_in_payload_1() -> None:
    client = Client(route())
    client("GET", "/hello")
    event = event_of(client)
    for member in ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "body"):
        assert event[member] is None
    assert "version" not in event


def test_an_event_of_payload_2() -> None:
    client = Client(http_route("ANY", "/orders/{id}", stage="dev"))
    headers = [
        ("X-Tag", "a"),
        ("x-tag", "b"),
        ("Cookie", "one=1; two=2"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("User-Agent", "curl/8"),
    ]
    client("PUT", "/orders/a%20b?q=1&q=2", '{"a":1}', headers)
    event = event_of(client)
    context = event.pop("requestContext")
    assert event == {
        "version": "2.0",
        "routeKey": "ANY /orders/{id}",
        "rawPath": "/dev/orders/a b",
        "rawQueryString": "q=1&q=2",
        "cookies": ["one=1", "two=2"],
        "headers": {
            "host": "127.0.0.1:3000",
            "x-tag": "a,b",
            "content-type": "application/json; charset=utf-8",
            "user-agent": "curl/8",
        },
        "queryStringParameters": {"q": "1,2"},
        "pathParameters": {"id": "a b"},
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }
    assert context["http"] == {
        "method": "PUT",
        "path": "/dev/orders/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "curl/8",
    }
    assert (context["routeKey"], context["stage"]) == ("ANY /orders/{id}", "dev")
    assert {"accountId", "apiId", "domainName", "domainPrefix", "requestId", "time", "timeEpoch"} <= {*context}


def test_what_a_request_lacks_is_left_out_in_payload_2() -> None:
    client = Client(http_route("GET", "$default"))
    client("GET", "/any/where")
    event = event_of(client)
    assert {*event} == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    }
    assert (event["routeKey"], event["rawPath"], event["rawQueryString"]) == ("$default", "/any/where", "")


def test_payload_1_of_an_http_api_says_so() -> None:
    client = Client(http_route(payload="1.0"))
    client("GET", "/hello", headers={"X-Tag": "a"})
    event = event_of(client)
    assert (event["version"], event["headers"]["x-tag"]) == ("1.0", "a")


@pytest.mark.parametrize("made", [route, http_route])
def test_what_is_no_text_comes_in_base64(made: Any) -> None:
    client = Client(made("POST"))
    client("POST", "/hello", b"\xff\x00", {"Content-Type": "image/png"})
    event = event_of(client)
    assert (event["isBase64Encoded"], base64.b64decode(event["body"])) == (True, b"\xff\x00")


def test_a_whole_answer() -> None:
    client = returning(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "text/plain", "X-Number": 7, "X-Nothing": None, "Content-Length": "99"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": "Ü",
        }
    )
    answer = client("GET", "/hello")
    assert (answer.status, answer.body.decode()) == (201, "Ü")
    assert [one for one in answer.headers if one[0] != "x-amzn-requestid"] == [
        ("content-type", "text/plain"),
        ("x-number", "7"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("content-length", "2"),
    ]
    assert answer.header("x-amzn-requestid") == event_of(client)["requestContext"]["requestId"]


def test_an_answer_in_base64_is_decoded() -> None:
    body = base64.b64encode(b"\xff\x00").decode()
    assert (
        returning({"statusCode": 200, "body": body, "isBase64Encoded": True})("GET", "/hello").body == b"\xff\x00"
    )


def test_cookies_are_a_member_of_payload_2() -> None:
    answer = returning({"statusCode": 204, "cookies": ["a=1", "b=2"]}, http=True)("GET", "/hello")
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize("value", [{"a": [1, None]}, [1], 7, True, None, {"body": "no status"}])
def test_what_has_no_status_code_is_the_body_itself_in_payload_2(value: Any) -> None:
    answer = returning(value, http=True)("GET", "/hello")
    assert (answer.status, answer.header("content-type"), answer.json) == (200, "application/json", value)
    assert (returning(value)("GET", "/hello").status, returning("text", http=True)("GET", "/hello").body) == (
        502,
        b"text",
    )


MALFORMED = {
    "no object": ("hello", "it has to be an object with statusCode"),
    "no status": ({"body": "x"}, "it has no statusCode"),
    "a status that is none": ({"statusCode": "ok"}, "statusCode has to be a number from 100 to 599"),
    "a status out of range": ({"statusCode": 0}, "statusCode has to be a number"),
    "a body that is an object": ({"statusCode": 200, "body": {"a": 1}}, "body has to be a text (json.dumps"),
    "headers that are a list": ({"statusCode": 200, "headers": []}, ""),
    "headers that are a text": ({"statusCode": 200, "headers": "x"}, "headers has to be an object"),
    "a header that is a list": ({"statusCode": 200, "headers": {"a": [1]}}, "the header a has to be a text"),
    "a header with a line": ({"statusCode": 200, "headers": {"a": "b\nc"}}, "cannot be a header"),
    "values that are no list": ({"statusCode": 200, "multiValueHeaders": {"a": "b"}}, "multiValueHeaders"),
    "no Base64": ({"statusCode": 200, "body": "?", "isBase64Encoded": True}, "body is not Base64"),
}


@pytest.mark.parametrize("case", [name for name, (_, why) in MALFORMED.items() if why])
def test_a_malformed_answer_is_told_with_what_is_wrong(case: str) -> None:
    value, why = MALFORMED[case]
    client = returning(value)
    answer = client("GET", "/hello")
    assert (answer.status, answer.json) == REST_ERROR
    (told,) = client.told
    assert told.why.startswith("malformed proxy response: ")
    assert why in told.why
    if isinstance(value, dict) and "statusCode" in value:
        client = returning(value, http=True)
        answer = client("GET", "/hello")
        assert (answer.status, answer.json) == HTTP_ERROR


def failing(_event: Any) -> Any:
    raise StatesError("KeyError", json.dumps({"errorType": "KeyError", "errorMessage": "'id'"}))


def test_an_error_of_a_function_is_told_and_not_given_away() -> None:
    client = Client(route(), http_route(path="/other"), backend=Backend(failing))
    answer = client("GET", "/hello")
    assert (answer.status, answer.json) == REST_ERROR
    assert "KeyError" in client.told[0].why
    answer = client("GET", "/other")
    assert (answer.status, answer.json) == HTTP_ERROR


def test_a_function_that_takes_too_long_goes_on_behind_the_answer() -> None:
    ended: list[str] = []

    async def scenario() -> None:
        go = asyncio.Event()

        async def slow() -> Any:
            await go.wait()
            ended.append("ended")

        backend = Backend(lambda _: slow())
        soon = {"TimeoutInMillis": 1}
        client = Client(route(integration=soon), http_route(path="/other", integration=soon), backend=backend)
        answers = [await client.request("GET", path) for path in ("/hello", "/other")]
        assert [(one.status, one.json["message"]) for one in answers] == [
            (504, "Endpoint request timed out"),
            (503, "Service Unavailable"),
        ]
        assert "took more than 0.001 s" in client.told[0].why
        go.set()
        await asyncio.wait(client.gateway._going_on)
        assert ended == ["ended", "ended"]
        await client.gateway.close()

    asyncio.run(scenario())


def test_what_has_no_route() -> None:
    client = Client(route())
    answer = client("GET", "/nowhere")
    assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})
    assert answer.header("x-amzn-errortype") == "MissingAuthenticationTokenException"
    answer = Client(http_route())("GET", "/nowhere")
    assert (answer.status, answer.json) == (404, {"message": "Not Found"})
    assert [(one.status, one.target) for one in client.told] == [(403, "")]


def test_a_body_over_the_limit() -> None:
    client = Client(route("POST"), http_route("POST", "/other"))
    assert client("POST", "/hello", b"x" * 10_485_760).status == 200
    answers = [client("POST", path, b"x" * 10_485_761) for path in ("/hello", "/other")]
    assert [(one.status, one.json["message"]) for one in answers] == [
        (413, "Request Too Long"),
        (413, "Request Entity Too Large"),
    ]


def test_a_host_that_an_attacker_has_named_is_refused() -> None:
    client = Client(route())
    client.gateway._hosts = ["shop.test"]

    async def asked(host: str) -> int:
        scope = {"type": "http", "method": "GET", "path": "/hello", "query_string": b"", "client": None}
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await client.gateway({**scope, "headers": [(b"host", host.encode())]}, receive, send)
        return int(sent[0]["status"])

    statuses = [asyncio.run(asked(host)) for host in ("localhost:3000", "shop.test", "evil.example")]
    assert statuses == [200, 200, 403]


def test_a_head_is_an_answer_without_its_body() -> None:
    assert Client(route("ANY"))("HEAD", "/hello").body == b""
