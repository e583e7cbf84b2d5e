"""``apigateway:invoke``, against a server on this machine."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from asl_engine.errors import StatesError
from asl_engine.resources import PENDING
from asl_engine.resources.aws.clients import AwsClients, Connecting
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.python.registry import Registry
from asl_engine.resources.services import Services
from tests.resources.calls import a_call
from tests.resources.http_api import Api, http_api
from tests.resources.moto_server import moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.payload import Payload

HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
RESOURCE = "arn:aws:states:::apigateway:invoke"
ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI"


@pytest.fixture
def api() -> Iterator[Api]:
    with http_api() as served:
        yield served


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_API_GATEWAY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def served(api: Api, given: Any, resource: str = RESOURCE, *, elsewhere: bool = True, **more: Any) -> Any:
    """What the resource returns where API Gateway is said to be at the server on this machine."""
    clients = AwsClients(Connecting({"apigateway": api.url + "/gateway"} if elsewhere else {}))
    found = Catalog(Registry(), None, Services(clients))[resource]

    async def main() -> Any:
        return await found(a_call(resource, given, **more))

    return asyncio.run(main())


def failure(api: Api, given: Any, **more: Any) -> tuple[str | None, str | None]:
    with pytest.raises(StatesError) as caught:
        served(api, given, **more)
    return caught.value.error, caught.value.cause


def test_request_and_response(api: Api) -> None:
    api.headers["/gateway/prod/bills/a%20b"] = [("X-Amzn-Trace", "1")]
    given = {
        "ApiEndpoint": HOST,
        "Method": "POST",
        "Headers": {"key": ["value1", "value2"]},
        "Stage": "prod",
        "Path": "/bills/a b",
        "QueryParameters": {"billId": ["1", "ü"]},
        "RequestBody": {"name": "x", "category": None, "parts": [{"of": None}, None]},
        "AuthType": "NO_AUTH",
    }
    result = served(api, given).value
    ((method, path, headers, body),) = api.asked
    assert (method, path) == ("POST", "/gateway/prod/bills/a%20b?billId=1&billId=%C3%BC")
    assert (headers["host"], headers["key"]) == (HOST, "value1,value2")
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    assert json.loads(body) == {"name": "x", "parts": [{}, None]}
    assert set(result) == {"Headers", "ResponseBody", "StatusCode", "StatusText"}
    assert (result["ResponseBody"], result["StatusCode"], result["StatusText"]) == ({"ok": True}, 200, "OK")
    assert result["Headers"]["Set-Cookie"] == ["a=1", "b=2"]
    assert result["Headers"]["X-Amzn-Trace"] == ["1"]


def test_null_values_are_sent_where_they_are_allowed(api: Api) -> None:
    served(
        api,
        {"ApiEndpoint": HOST, "Method": "PUT", "RequestBody": {"category": None}, "AllowNullValues": True},
    )
    assert (api.asked[0][1], api.asked[0][3]) == ("/gateway", '{"category":null}')


@pytest.mark.parametrize(
    ("method", "body", "sent"),
    [("POST", "text, as it is", "text, as it is"), ("POST", {}, "{}"), ("GET", {}, ""), ("POST", [1], "[1]")],
)
def test_bodies(api: Api, method: str, body: Any, sent: str) -> None:
    served(api, {"ApiEndpoint": HOST, "Method": method, "RequestBody": body})
    assert api.asked[0][3] == sent


def test_the_sdk_says_where_it_is(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_API_GATEWAY", api.url + "/emulator")
    served(api, {"ApiEndpoint": HOST, "Method": "GET", "Path": "pets"}, elsewhere=False)
    assert (api.asked[0][1], api.asked[0][2]["host"]) == ("/emulator/pets", HOST)


def test_an_api_at_a_url_of_its_own(api: Api) -> None:
    served(api, {"ApiEndpoint": api.url, "Method": "GET", "Path": "pets/1%2F2"}, elsewhere=False)
    assert (api.asked[0][1], api.asked[0][2]["host"]) == ("/pets/1%2F2", api.url.removeprefix("http://"))


@pytest.mark.parametrize("kind", ["IAM_ROLE", "RESOURCE_POLICY"])
def test_signed(api: Api, kind: str) -> None:
    """The signature is the one that follows from what has arrived."""
    given = {
        "ApiEndpoint": HOST,
        "Method": "POST",
        "Stage": "prod",
        "Path": "a b/ü",
        "QueryParameters": {"b": ["2", "1 1"], "a": ["="]},
        "RequestBody": {"n": "ü"},
        "AuthType": kind,
    }
    served(api, given)
    ((method, path, headers, body),) = api.asked
    scope, signed, signature = (
        part.partition("=")[2].rstrip(",") for part in headers["authorization"].split()[1:]
    )
    assert scope == f"{ACCESS_KEY}/{headers['x-amz-date'][:8]}/eu-west-1/execute-api/aws4_request"
    assert "host" in signed.split(";")
    request = AWSRequest(
        method, api.url + path, {name: headers[name] for name in signed.split(";")}, body.encode()
    )
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "execute-api", "eu-west-1")
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert signature == expected
    assert SECRET_KEY not in json.dumps(headers)


def test_signed_with_the_role_of_the_task(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_server() as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
        role = "arn:aws:iam::123456789012:role/caller"
        given = {"ApiEndpoint": api.url, "Method": "GET", "AuthType": "IAM_ROLE"}
        served(api, given, elsewhere=False, role=role)
    headers = api.asked[0][2]
    assert ACCESS_KEY not in headers["authorization"]
    assert "x-amz-security-token" in headers


def test_an_api_on_this_machine_needs_no_credentials(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    served(api, {"ApiEndpoint": HOST, "Method": "GET", "AuthType": "IAM_ROLE"})
    assert "Credential=local/" in api.asked[0][2]["authorization"]
    told = failure(api, {"ApiEndpoint": "a.example.com", "Method": "GET", "AuthType": "IAM_ROLE"}, elsewhere=False)
    assert told[0] == "ApiGateway.SdkClientException"
    assert str(told[1]).startswith("The request could not be signed: Unable to locate credentials")


def test_a_callback(api: Api) -> None:
    submissions: list[Payload] = []
    given = {"ApiEndpoint": HOST, "Method": "POST", "Headers": {"TaskToken": ["token-1"]}}
    assert served(api, given, RESOURCE + ".waitForTaskToken", submissions=submissions) is PENDING
    assert api.asked[0][2]["tasktoken"] == "token-1"
    assert [payload.value["StatusCode"] for payload in submissions] == [200]  # type: ignore[index,call-overload]  # a JSON object is known


@pytest.mark.parametrize("status", [403, 404, 429, 500, 302])
def test_a_status_that_is_an_error(api: Api, status: int) -> None:
    api.answers["/gateway"] = (status, "application/json", b'{"message":"Missing Authentication Token"}')
    api.headers["/gateway"] = [("Location", api.url + "/elsewhere")]
    told = failure(api, {"ApiEndpoint": HOST, "Method": "GET"})
    assert told == (f"ApiGateway.{status}", '{"message":"Missing Authentication Token"}')
    assert len(api.asked) == 1


def test_answers_that_are_too_large(api: Api) -> None:
    api.answers["/gateway"] = (200, "text/plain", b"x" * 300_000)
    assert failure(api, {"ApiEndpoint": HOST, "Method": "GET"})[0] == "States.DataLimitExceeded"
    api.answers["/gateway"] = (500, "text/plain", b"x" * 3_000_000)
    error, cause = failure(api, {"ApiEndpoint": HOST, "Method": "GET"})
    assert (error, len(cause or "")) == ("ApiGateway.500", 262_144)


def test_nobody_answers(api: Api) -> None:
    error, cause = failure(api, {"ApiEndpoint": "http://127.0.0.1:9", "Method": "GET"})
    assert error == "ApiGateway.SdkClientException"
    assert str(cause).startswith("Unable to execute HTTP request: ConnectError")


PROBLEMS: dict[str, dict[str, Any]] = {
    "The field 'Method' is required but was missing": {"Method": None},
    "The value of the field 'Method' has an invalid format": {"Method": "get"},
    "The value of the field 'AuthType' has an invalid format": {"AuthType": "IAM_AUTH"},
    "The value of the field 'ApiEndpoint' has an invalid format": {"ApiEndpoint": f"{HOST}/prod"},
    "The field 'Url' is not supported by Step Functions": {"Url": "x"},
    "The header 'Authorization' is not supported": {"Headers": {"Authorization": ["x"]}},
    "The header 'X-Amz-Date' is not supported": {"Headers": {"X-Amz-Date": ["x"]}},
    "The value for the field 'TaskToken' must be an ARRAY": {"Headers": {"TaskToken": "x"}},
    "The value for the field 'X' must be an ARRAY of STRING values": {"Headers": {"X": ["a\r\nEvil: 1"]}},
    "The value of the field 'Stage' has an invalid format": {"Stage": 1},
    "The value of the field 'QueryParameters' has an invalid format": {"QueryParameters": "?symbol=1"},
    "The value of the field 'AllowNullValues' has an invalid format": {"AllowNullValues": "yes"},
}


@pytest.mark.parametrize(("problem", "change"), PROBLEMS.items())
def test_parameters_that_do_not_fit(api: Api, problem: str, change: dict[str, Any]) -> None:
    error, cause = failure(api, {"ApiEndpoint": HOST, "Method": "GET", **change})
    assert error == "States.Runtime"
    assert str(cause).endswith(f"could not be used to start the Task: [{problem}]")
    assert api.asked == []
