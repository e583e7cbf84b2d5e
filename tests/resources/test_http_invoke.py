"""``http:invoke``, against a server on this machine."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import ProjectError, StatesError
from asl_engine.resources import Trace
from asl_engine.resources.http.connections import read_connections
from asl_engine.resources.http.form_encoding import form
from asl_engine.resources.http.invoke import http_resource
from tests.resources.calls import a_call
from tests.resources.http_api import Api, http_api

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "s3cr3t-v4lue"  # noqa: S105  what must not be seen
RESOURCE = "arn:aws:states:::http:invoke"


@pytest.fixture
def api() -> Iterator[Api]:
    with http_api() as served:
        yield served


def invoked(*given: Any, connections: Any = None, deadline: int | None = None) -> list[Any]:
    """The results of calls one after the other."""
    resource = http_resource(read_connections(connections or {}, {"KEY": SECRET}, "asl.toml"))

    async def main() -> list[Any]:
        return [(await resource(a_call(RESOURCE, one)._replace(deadline=deadline))).value for one in given]

    return asyncio.run(main())


def traced(given: Any, *, reveal: bool, connections: Any = None) -> dict[str, dict[str, str]]:
    """What is told of the request and the response."""
    told: dict[str, dict[str, str]] = {}
    resource = http_resource(read_connections(connections or {}, {"KEY": SECRET}, "asl.toml"))

    async def main() -> None:
        with suppress(StatesError):
            await resource(a_call(RESOURCE, given)._replace(trace=Trace(told.__setitem__, reveal)))

    asyncio.run(main())
    return told


def test_what_a_trace_is_told(api: Api) -> None:
    given = {
        "ApiEndpoint": api.url + "/orders",
        "Method": "POST",
        "Headers": {"X-One": "1"},
        "QueryParameters": {"page": 2},
        "RequestBody": {"a": 1},
    }
    told = traced(given, reveal=False)
    assert told["request"] == {
        "protocol": "http",
        "method": "POST",
        "url": api.url + "/orders?page=2",
        "headers": "[X-One: 1, Content-Type: application/json; charset=UTF-8, "
        "User-Agent: Amazon|StepFunctions|HttpInvoke|us-east-1, Range: bytes=0-262144]",
        "body": '{"a":1}',
    }
    response = told["response"]
    headers = response.pop("headers")
    assert response == {"protocol": "http", "statusCode": "200", "statusMessage": "OK", "body": '{"ok": true}'}
    assert headers.startswith("[")
    assert "Set-Cookie: a=1, Set-Cookie: b=2" in headers.title().replace("A=1", "a=1").replace("B=2", "b=2")


def test_a_trace_is_told_of_refusals_too(api: Api) -> None:
    api.answers["/bad"] = (404, "text/plain", b"the reason")
    told = traced({"ApiEndpoint": api.url + "/bad", "Method": "GET"}, reveal=False)
    assert "body" not in told["request"]
    assert (told["response"]["statusCode"], told["response"]["body"]) == ("404", "the reason")


@pytest.mark.parametrize("reveal", [False, True])
def test_a_trace_is_told_secrets_only_to_reveal_them(api: Api, reveal: bool) -> None:
    connection = {
        "auth": "API_KEY",
        "key-name": "x-key",
        "key-value": {"env": "KEY"},
        "headers": {"X-Header": {"env": "KEY"}},
        "query-parameters": {"q": {"env": "KEY"}},
        "body": {"b": {"env": "KEY"}},
    }
    given = {
        "ApiEndpoint": api.url,
        "Method": "POST",
        "RequestBody": {"a": 1},
        "InvocationConfig": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/shop/1"},
    }
    told = traced(given, reveal=reveal, connections={"shop": connection})["request"]
    for member in ("headers", "url", "body"):
        assert (SECRET in told[member]) is reveal
    assert f"x-key: {SECRET}" in told["headers"] or not reveal


def failure(given: Any, **more: Any) -> tuple[str | None, str]:
    with pytest.raises(StatesError) as caught:
        invoked(given, **more)
    assert SECRET not in str(caught.value)
    return caught.value.error, caught.value.cause or ""


def test_request_and_response(api: Api) -> None:
    given = {
        "ApiEndpoint": api.url + "/orders",
        "Method": "POST",
        "Headers": {"X-One": "1", "X-Many": ["a", "b"]},
        "QueryParameters": {"page": 2, "tag": ["x y", "ü"]},
        "RequestBody": {"name": "grüße"},
    }
    (result,) = invoked(given)
    ((method, path, headers, body),) = api.asked
    assert (method, path) == ("POST", "/orders?page=2&tag=x%20y&tag=%C3%BC")
    assert json.loads(body) == {"name": "grüße"}
    assert (headers["x-one"], headers["x-many"]) == ("1", "a,b")
    assert headers["content-type"] == "application/json; charset=UTF-8"
    assert headers["user-agent"] == "Amazon|StepFunctions|HttpInvoke|us-east-1"
    assert headers["range"] == "bytes=0-262144"
    assert set(result) == {"Headers", "ResponseBody", "StatusCode", "StatusText"}
    assert (result["ResponseBody"], result["StatusCode"], result["StatusText"]) == ({"ok": True}, 200, "OK")
    assert result["Headers"]["Set-Cookie"] == ["a=1", "b=2"]


def test_a_body_that_is_no_json_is_text(api: Api) -> None:
    api.answers["/text"] = (200, "text/plain", b"{not json")
    (result,) = invoked({"ApiEndpoint": api.url + "/text", "Method": "GET"})
    assert result["ResponseBody"] == "{not json"


@pytest.mark.parametrize(
    ("status", "text"), [(404, "Not Found"), (400, "Bad Request"), (503, "Service Unavailable")]
)
def test_a_status_that_is_an_error(api: Api, status: int, text: str) -> None:
    api.answers["/bad"] = (status, "text/plain", b"the reason")
    assert failure({"ApiEndpoint": api.url + "/bad", "Method": "GET"}) == (
        f"States.Http.StatusCode.{status}",
        text,
    )


def test_too_large_a_response(api: Api) -> None:
    api.answers["/large"] = (200, "text/plain", b"x" * 300_000)
    error, cause = failure({"ApiEndpoint": api.url + "/large", "Method": "GET"})
    assert error == "States.DataLimitExceeded"
    assert cause.startswith("The state/task 'S' returned a result with a size exceeding")


def test_a_redirect_is_no_way_for_secrets(api: Api) -> None:
    api.answers["/moved"] = (302, "text/plain", b"")
    api.headers["/moved"] = [("Location", api.url + "/elsewhere")]
    connection = {"auth": "API_KEY", "key-name": "X-Key", "key-value": {"env": "KEY"}}
    told = failure(with_connection(api, "/moved"), connections={"stock": connection})
    assert told == ("States.Http.StatusCode.302", "Found")
    assert [path for _, path, _, _ in api.asked] == ["/moved"]


def test_a_small_response_that_unpacks_to_a_large_one(api: Api) -> None:
    api.answers["/packed"] = (200, "text/plain", gzip.compress(b"x" * 30_000_000))
    api.headers["/packed"] = [("Content-Encoding", "gzip")]
    assert failure({"ApiEndpoint": api.url + "/packed", "Method": "GET"})[0] == "States.DataLimitExceeded"


def test_nobody_answers(api: Api) -> None:
    error, cause = failure({"ApiEndpoint": "http://127.0.0.1:9/", "Method": "GET"})
    assert (error, cause.partition(":")[0]) == ("States.Http.Socket", "ConnectError")
    soon = int(time.time() * 1000) + 50
    assert failure({"ApiEndpoint": api.url + "/slow", "Method": "GET"}, deadline=soon) == (
        "States.Http.Socket",
        "ReadTimeout",
    )


PROBLEMS = {
    "The field 'Method' is required but was missing": {"ApiEndpoint": "https://a"},
    "The value of the field 'ApiEndpoint' has an invalid format": {"ApiEndpoint": "a", "Method": "GET"},
    "The value of the field 'Method' has an invalid format": {"ApiEndpoint": "https://a", "Method": "get"},
    "The field 'Url' is not supported by Step Functions": {"ApiEndpoint": "https://a", "Method": "GET", "Url": 1},
    "The 'Headers' field contains unsupported values: [host]": {
        "ApiEndpoint": "https://a",
        "Method": "GET",
        "Headers": {"Host": "b"},
    },
    "The 'Headers' field contains unsupported values: [x-amz-date, authorization]": {
        "ApiEndpoint": "https://a",
        "Method": "GET",
        "Headers": {"X-Amz-Date": "b", "Authorization": "c"},
    },
    "The value for the field 'X' must be a STRING": {
        "ApiEndpoint": "https://a",
        "Method": "GET",
        "Headers": {"X": "a\nEvil: 1"},
    },
    "The value for the field 'Headers' must be an OBJECT": {
        "ApiEndpoint": "https://a",
        "Method": "GET",
        "Headers": 1,
    },
}


@pytest.mark.parametrize(("problem", "given"), PROBLEMS.items())
def test_parameters_that_do_not_fit(problem: str, given: Any) -> None:
    error, cause = failure(given)
    assert error == "States.Runtime"
    assert cause.endswith(f"could not be used to start the Task: [{problem}]")


def with_connection(api: Api, path: str = "/", **more: Any) -> Any:
    arn = "arn:aws:events:us-east-1:123456789012:connection/stock/0a1b"
    return {"ApiEndpoint": api.url + path, "Method": "POST", "Authentication": {"ConnectionArn": arn}, **more}


def test_basic(api: Api) -> None:
    invoked(
        with_connection(api),
        connections={"stock": {"auth": "BASIC", "username": "u", "password": {"env": "KEY"}}},
    )
    token = base64.b64encode(f"u:{SECRET}".encode()).decode()
    assert api.asked[0][2]["authorization"] == f"Basic {token}"


def test_an_api_key_and_what_the_connection_adds(api: Api) -> None:
    connection = {
        "auth": "API_KEY",
        "key-name": "X-Key",
        "key-value": {"env": "KEY"},
        "headers": {"X-Shop": "7"},
        "query-parameters": {"page": "9"},
        "body": {"shop": "7"},
    }
    given = with_connection(
        api,
        Headers={"X-Shop": "1", "x-shop": "2", "x-key": "mine"},
        QueryParameters={"page": "1", "own": "a+b & c"},
        RequestBody={"shop": "1", "n": 2},
    )
    invoked(given, connections={"stock": connection})
    ((_, path, headers, body),) = api.asked
    # Recorded from AWS: a header counts by its exact name, another spelling is a second value.
    assert (path, headers["x-shop"], headers["x-key"]) == ("/?own=a%2Bb%20%26%20c&page=9", "7,2", SECRET)
    assert json.loads(body) == {"shop": "7", "n": 2}


def test_a_body_that_is_no_object_has_no_room_for_the_connections(api: Api) -> None:
    connection = {"auth": "BASIC", "username": "u", "password": {"env": "KEY"}, "body": {"shop": "7"}}
    assert failure(with_connection(api, RequestBody="text"), connections={"stock": connection}) == (
        "States.Runtime",
        "Cannot merge connection body authorization parameters with request body.",
    )


def test_what_a_result_has_no_place_for(api: Api) -> None:
    api.answers["/image"] = (200, "Image/PNG; q=1", b"\x89PNG")
    assert failure({"ApiEndpoint": api.url + "/image", "Method": "GET"}) == (
        "States.Runtime",
        (
            "Unsupported response content-type 'image/png'. "
            "Please see documentation for list of unsupported content-types."
        ),
    )


def test_no_body_at_all(api: Api) -> None:
    api.answers["/gone"] = (204, "application/json", b"")
    (result,) = invoked({"ApiEndpoint": api.url + "/gone", "Method": "DELETE"})
    assert set(result) == {"Headers", "StatusCode", "StatusText"}


def test_oauth_asks_for_a_token_once(api: Api) -> None:
    api.answers["/token"] = (200, "application/json", b'{"access_token": "t-1", "expires_in": 3600}')
    connection = {
        "auth": "OAUTH_CLIENT_CREDENTIALS",
        "authorization-endpoint": api.url + "/token",
        "client-id": "me",
        "client-secret": {"env": "KEY"},
        "oauth-body": {"scope": "all"},
    }
    invoked(with_connection(api), with_connection(api), connections={"stock": connection})
    assert [path for _, path, _, _ in api.asked] == ["/token", "/", "/"]
    assert api.asked[0][3] == f"grant_type=client_credentials&client_id=me&client_secret={SECRET}&scope=all"
    assert api.asked[2][2]["authorization"] == "Bearer t-1"
    api.answers["/token"] = (401, "application/json", b"{}")
    error, cause = failure(with_connection(api), connections={"stock": connection})
    assert error == "Events.ConnectionResource.InvalidConnectionState"
    assert cause == "The connection stock was not given a token: status 401"


def test_a_connection_that_is_not_declared(api: Api) -> None:
    assert failure(with_connection(api))[0] == "Events.ConnectionResource.ConnectionNotFound"
    assert api.asked == []


def test_a_form(api: Api) -> None:
    transform = {"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": "BRACKETS"}}
    invoked(
        {
            "ApiEndpoint": api.url,
            "Method": "POST",
            "Headers": {"Content-Type": "application/json"},
            "RequestBody": {"a": [1, 2]},
            "Transform": transform,
        }
    )
    assert api.asked[0][2]["content-type"] == "application/x-www-form-urlencoded"
    assert api.asked[0][3] == "a%5B%5D=1&a%5B%5D=2"


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ("INDICES", "a%5B0%5D=1&a%5B1%5D=x+y&b%5Bc%5D=true&d="),
        ("REPEAT", "a=1&a=x+y&b%5Bc%5D=true&d="),
        ("COMMAS", "a=1%2Cx+y&b%5Bc%5D=true&d="),
        ("BRACKETS", "a%5B%5D=1&a%5B%5D=x+y&b%5Bc%5D=true&d="),
    ],
)
def test_arrays_in_forms(arrays: str, text: str) -> None:
    assert form({"a": [1, "x y"], "b": {"c": True}, "d": None}, arrays) == text


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"auth": "DIGEST"}, "auth has to be one of BASIC, API_KEY, OAUTH_CLIENT_CREDENTIALS"),
        ({"auth": "BASIC", "username": "u"}, "password is missing"),
        ({"auth": "BASIC", "username": "u", "password": 1}, "password: it has to be a text"),
        ({"auth": "BASIC", "user": "u"}, "there is no key 'user' with BASIC"),
        ({"auth": "BASIC", "username": "u", "password": "p", "headers": 1}, "headers: it has to be a table"),
    ],
)
def test_connections_that_are_refused(table: Any, message: str) -> None:
    with pytest.raises(ProjectError) as caught:
        read_connections({"stock": table}, {}, "asl.toml")
    assert str(caught.value).startswith("asl.toml: connections.stock")
    assert message in str(caught.value)


def test_only_a_call_needs_the_variable_of_a_connection(api: Api) -> None:
    table = {"auth": "BASIC", "username": "u", "password": {"env": "NO"}}
    arn = "arn:aws:events:us-east-1:123456789012:connection/stock/1"
    given = {"ApiEndpoint": api.url, "Method": "GET", "Authentication": {"ConnectionArn": arn}}
    with pytest.raises(StatesError) as caught:
        invoked(given, connections={"stock": table})
    assert (caught.value.error, caught.value.cause) == (
        "Events.ConnectionResource.InvalidConnectionState",
        "asl.toml: connections.stock.password: the environment variable NO is not set",
    )


def test_a_connection_does_not_show_its_secrets() -> None:
    table = {"auth": "BASIC", "username": "u", "password": SECRET}
    assert SECRET not in repr(read_connections({"stock": table}, {}, "asl.toml"))
