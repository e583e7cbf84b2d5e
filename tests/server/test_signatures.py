"""Signed requests: what an SDK signs is answered, and nothing else is, in AWS's words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from asl_engine.resources.python.registry import Registry
from asl_engine.server.lambda_api import LambdaApi
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.http import MAX_BODY_BYTES
from asl_engine.server.protocol.signatures import DIFFERENT, MISSING, STAMP, UNKNOWN, read_signature
from tests.server.harness import PASS, ROLE, TARGET, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.harness import Server

KEY, SECRET = "ASLKTEST", "a-secret/of+more-than-sixteen"
OTHER = "another-secret-access-key"
SECRETS = {KEY: SECRET, "210987654321": OTHER}
HOST = "asl.example:8083"
BODY = b'{"maxResults":7}'


def signed(
    body: bytes = BODY,
    *,
    operation: str = "ListStateMachines",
    key: str = KEY,
    secret: str = SECRET,
    region: str = "eu-west-1",
    service: str = "states",
    host: str = HOST,
    query: str = "",
    more: dict[str, str] | None = None,
) -> dict[str, str]:
    """The headers of a request as botocore signs it."""
    headers = {"X-Amz-Target": TARGET + operation, "Content-Type": "application/x-amz-json-1.0", **(more or {})}
    request = AWSRequest("POST", f"http://{host}/{query}", headers, body)
    SigV4Auth(Credentials(key, secret), service, region).add_auth(request)
    return {"Host": host, **dict(request.headers.items())}


def verify(headers: dict[str, str], body: bytes = BODY, *, query: bytes = b"", late: float = 0) -> Any:
    """As the server does, so many seconds after the request was signed."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    moment = datetime.strptime(headers.get("X-Amz-Date", "20260301T120000Z"), STAMP).replace(tzinfo=UTC)
    found = read_signature(raw, query, SECRETS, lambda: moment.timestamp() + late)
    found.covers(body)
    return found


def changed(name: str, old: str, new: str, **how: Any) -> dict[str, str]:
    """A signed request with a part of a header replaced afterwards."""
    headers = signed(**how)
    assert old in headers[name]
    return headers | {name: headers[name].replace(old, new)}


def test_what_botocore_signs_is_signed() -> None:
    found = verify(signed())
    assert (found.key, found.region, found.secret) == (KEY, "eu-west-1", SECRET)


ACCEPTED: dict[str, tuple[dict[str, str], bytes, bytes]] = {
    "an empty body": (signed(b""), b"", b""),
    "a large one": (signed(b"x" * 1_000_000), b"x" * 1_000_000, b""),
    "not ASCII": (signed('{"name":"é☃"}'.encode()), '{"name":"é☃"}'.encode(), b""),
    "blanks in a header": (signed(more={"X-Amz-Meta": "  a   b  "}), BODY, b""),
    "a query": (signed(query="?b=2&a=x%20y&a=%2F&c"), BODY, b"b=2&a=x%20y&a=%2F&c"),
    "a session token, which is not looked at": (signed(more={"X-Amz-Security-Token": "t"}), BODY, b""),
    "a header that was added on the way": (signed() | {"X-Forwarded-For": "10.0.0.1"}, BODY, b""),
    "another key": (signed(key="210987654321", secret=OTHER), BODY, b""),
}


@pytest.mark.parametrize(("headers", "body", "query"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(headers: dict[str, str], body: bytes, query: bytes) -> None:
    assert verify(headers, body, query=query).key in SECRETS


def test_the_date_may_be_that_of_http() -> None:
    moment = datetime.now(UTC).replace(microsecond=0)
    headers = signed(more={"Date": format_datetime(moment, usegmt=True)})
    assert "X-Amz-Date" not in headers  # botocore then signs that header alone
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    read_signature(raw, b"", SECRETS).covers(BODY)


def without(*names: str, **how: Any) -> dict[str, str]:
    return {name: value for name, value in signed(**how).items() if name not in names}


def unsigned(name: str) -> dict[str, str]:
    """A request whose signature would hold whatever that header says."""
    request = AWSRequest("POST", f"http://{HOST}/", {"X-Amz-Target": TARGET + "ListStateMachines"}, BODY)
    auth = SigV4Auth(Credentials(KEY, SECRET), "states", "eu-west-1")
    original = auth.headers_to_sign

    def fewer(given: Any) -> Any:
        headers = original(given)
        del headers[name]
        return headers

    auth.headers_to_sign = fewer
    auth.add_auth(request)
    return {"Host": HOST, **dict(request.headers.items())}


INVALID, INCOMPLETE = "InvalidSignatureException", "IncompleteSignatureException"
REFUSED: dict[str, tuple[dict[str, str], bytes, str, str]] = {
    "no signature": (without("Authorization"), BODY, "MissingAuthenticationTokenException", MISSING),
    "an empty one": (signed() | {"Authorization": ""}, BODY, INCOMPLETE, "Unsupported AWS 'algorithm': ''"),
    "a token": (signed() | {"Authorization": "Bearer x"}, BODY, INCOMPLETE, "'Bearer'"),
    "a version of the algorithm": (
        changed("Authorization", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        BODY,
        INCOMPLETE,
        "'AWS4-ECDSA-P256-SHA256'",
    ),
    "nothing behind it": (
        signed() | {"Authorization": "AWS4-HMAC-SHA256"},
        BODY,
        INCOMPLETE,
        "requires 'Credential'",
    ),
    "no signed headers": (
        changed("Authorization", "SignedHeaders=", "Other="),
        BODY,
        INCOMPLETE,
        "'SignedHeaders'",
    ),
    "a part twice": (
        changed(
            "Authorization", "Credential=", "Credential=999999999999/x/us-east-1/states/aws4_request, Credential="
        ),
        BODY,
        INCOMPLETE,
        "given twice",
    ),
    "an unknown key": (signed(key="ASLKOTHER"), BODY, "UnrecognizedClientException", UNKNOWN),
    "no key": (changed("Authorization", f"Credential={KEY}/", "Credential=/"), BODY, "Unrecognized", UNKNOWN),
    "the secret of another key": (signed(secret=OTHER), BODY, INVALID, DIFFERENT),
    "no secret": (signed(secret=""), BODY, INVALID, DIFFERENT),
    "another body": (signed(), b'{"maxResults":8}', INVALID, DIFFERENT),
    "no body": (signed(), b"", INVALID, DIFFERENT),
    "a body that is said not to be signed": (
        signed() | {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"},
        b"{}",
        INVALID,
        DIFFERENT,
    ),
    "another operation": (
        changed("X-Amz-Target", "ListStateMachines", "DeleteStateMachine"),
        BODY,
        INVALID,
        DIFFERENT,
    ),
    "an operation that is not signed": (unsigned("X-Amz-Target"), BODY, INVALID, "'x-amz-target' must be"),
    "a date that is not signed": (unsigned("X-Amz-Date"), BODY, INVALID, "'x-amz-date' must be a 'SignedHeader'"),
    "a host that is not signed": (unsigned("host"), BODY, INVALID, "'host' must be a 'SignedHeader'"),
    "another host": (changed("Host", "asl.example", "attacker.example"), BODY, INVALID, DIFFERENT),
    "another service": (signed(service="dynamodb"), BODY, INVALID, "scoped to correct service: 'states'."),
    "another end": (
        changed("Authorization", "aws4_request", "aws5"),
        BODY,
        INVALID,
        "'aws4_request', not 'aws5'.",
    ),
    "another region": (changed("Authorization", "eu-west-1", "us-east-1"), BODY, INVALID, DIFFERENT),
    "no region": (changed("Authorization", "eu-west-1", ""), BODY, INVALID, "scoped to a valid region."),
    "a strange one": (signed(region="eu west"), BODY, INVALID, "scoped to a valid region."),
    "a short scope": (changed("Authorization", "/states/", "/"), BODY, INCOMPLETE, "exactly 5 slash-delimited"),
    "another day": (
        signed() | {"X-Amz-Date": "20260301T120000Z"},
        BODY,
        INVALID,
        "Date in Credential scope does not match",
    ),
    "no date": (without("X-Amz-Date"), BODY, INCOMPLETE, "existence of either a 'X-Amz-Date' or a 'Date' header"),
    "a signature that is none": (
        changed("Authorization", "Signature=", "Signature=x"),
        BODY,
        INVALID,
        DIFFERENT,
    ),
    "one that is not ASCII": (changed("Authorization", "Signature=", "Signature=é"), BODY, INVALID, DIFFERENT),
}


@pytest.mark.parametrize(("headers", "body", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(headers: dict[str, str], body: bytes, code: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        verify(headers, body)
    assert caught.value.code.startswith(code)
    assert message in caught.value.message
    assert caught.value.status == 400
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(
    "date", ["yesterday", "20260301T126000Z", "2026-03-01T12:00:00Z", "20260301T120000Z\x00", "9" * 99]
)
def test_a_date_that_is_none(date: str) -> None:
    raw = [(name.encode(), value.encode()) for name, value in (signed() | {"X-Amz-Date": date}).items()]
    with pytest.raises(ApiError, match="Date must be in ISO-8601") as caught:
        read_signature(raw, b"", SECRETS)
    assert caught.value.code == INCOMPLETE


def test_a_header_that_is_sent_twice_is_not_the_one_that_was_signed() -> None:
    raw = [(name.encode(), value.encode()) for name, value in signed().items()]
    for name in (b"X-Amz-Target", b"Host"):
        with pytest.raises(ApiError, match="does not match"):
            read_signature([*raw, (name, b"other")], b"", SECRETS).covers(BODY)
    with pytest.raises(ApiError, match="more than one"):
        read_signature([*raw, (b"authorization", b"x")], b"", SECRETS)


def test_a_query_that_was_added() -> None:
    with pytest.raises(ApiError, match="does not match"):
        verify(signed(), query=b"a=1")


@pytest.mark.parametrize("late", [0, 299.9, 300, -300])
def test_five_minutes_are_in_time(late: float) -> None:
    verify(signed(), late=late)


def test_more_are_not() -> None:
    headers = signed()
    stamp = headers["X-Amz-Date"]
    moment = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)

    def shown(seconds: int) -> str:
        return (moment + timedelta(seconds=seconds)).strftime(STAMP)

    with pytest.raises(ApiError) as caught:
        verify(headers, late=301)
    assert (caught.value.code, caught.value.message) == (
        INVALID,
        f"Signature expired: {stamp} is now earlier than {shown(1)} ({shown(301)} - 5 min.)",
    )
    with pytest.raises(ApiError) as caught:
        verify(headers, late=-302)
    assert (caught.value.code, caught.value.message) == (
        INVALID,
        f"Signature not yet current: {stamp} is still later than {shown(-2)} ({shown(-302)} + 5 min.)",
    )


# -- a server that wants them --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    registry = Registry()
    registry.add("double", lambda event: event * 2)
    db = tmp_path_factory.mktemp("guarded") / "asl.db"
    with running(db, registry, secrets=SECRETS, companions=[LambdaApi]) as server:
        yield server


def client(
    server: Server,
    key: str = KEY,
    secret: str = SECRET,
    region: str = "us-east-1",
    service: str = "stepfunctions",
) -> Any:
    return boto3.client(
        service,
        endpoint_url=f"http://{server.host}:{server.port}",
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
    )


def test_boto3_needs_nothing_but_the_key(guarded: Server) -> None:
    sfn = client(guarded)
    machine = sfn.create_state_machine(name="é-m", definition=json.dumps(PASS), roleArn=ROLE)["stateMachineArn"]
    arn = sfn.start_execution(stateMachineArn=machine, input='{"é": "☃"}')["executionArn"]
    assert arn.split(":")[3:5] == ["us-east-1", "123456789012"]
    assert len(list(sfn.get_paginator("list_state_machines").paginate())) == 1


@pytest.mark.parametrize("secret", [SECRET, "wrong-but-as-long-as-it-should"])
def test_the_other_apis_want_a_signature_too(guarded: Server, secret: str) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:double"
    buses = client(guarded, secret=secret, service="events").list_event_buses
    functions = client(guarded, secret=secret, service="lambda")
    invoke = partial(functions.invoke, FunctionName=arn, Payload=b"21", Qualifier="$LATEST")
    if secret == SECRET:
        assert buses()["EventBuses"][0]["Name"] == "default"
        assert invoke()["Payload"].read() == b"42"
        return
    for ask in (buses, invoke):
        with pytest.raises(ClientError) as caught:
            ask()
        assert caught.value.response["Error"]["Code"] == INVALID


def test_a_region_and_an_account_are_those_of_the_signature(guarded: Server) -> None:
    other = client(guarded, "210987654321", OTHER, "eu-west-1")
    arn = other.create_activity(name="a")["activityArn"]
    assert arn == "arn:aws:states:eu-west-1:210987654321:activity:a"
    assert client(guarded).list_activities()["activities"] == []


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [(KEY, "wrong-but-as-long-as-it-should", INVALID), ("test", "test", "UnrecognizedClientException")],
)
def test_boto3_hears_why(guarded: Server, key: str, secret: str, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        client(guarded, key, secret).list_state_machines()
    assert caught.value.response["Error"]["Code"] == code


def post(server: Server, headers: dict[str, str], body: bytes, path: str = "/") -> tuple[int, Any]:
    connection = HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def here(server: Server, body: bytes = BODY, **how: Any) -> dict[str, str]:
    return signed(body, host=f"{server.host}:{server.port}", **how)


def test_a_request_can_be_seen_and_sent_again_but_not_changed(guarded: Server) -> None:
    headers = here(guarded)
    assert post(guarded, headers, BODY)[0] == 200
    assert post(guarded, headers, BODY)[0] == 200  # as on AWS: for five minutes
    status, shown = post(guarded, headers, b'{"maxResults":8}')
    assert (status, shown["__type"]) == (400, INVALID)
    status, shown = post(guarded, headers | {"X-Amz-Target": TARGET + "ListActivities"}, BODY)
    assert (status, shown["__type"]) == (400, INVALID)


def test_a_request_with_the_signature_in_its_address_is_not_signed(guarded: Server) -> None:
    request = AWSRequest(
        "POST", f"http://{guarded.host}:{guarded.port}/", {"X-Amz-Target": TARGET + "ListActivities"}
    )
    SigV4QueryAuth(Credentials(KEY, SECRET), "states", "us-east-1").add_auth(request)
    path = "/" + request.url.partition("/")[2].partition("/")[2].partition("/")[2]
    headers = {"X-Amz-Target": TARGET + "ListActivities", "Content-Type": "application/x-amz-json-1.0"}
    status, shown = post(guarded, headers, b"", path)
    assert (status, shown) == (400, {"__type": "MissingAuthenticationTokenException", "message": MISSING})


def test_who_is_not_known_hears_nothing_else(guarded: Server) -> None:
    """Neither which operations there are, nor what is wrong with a body."""
    for operation, body in (
        ("Dance", b"{}"),
        ("ListActivities", b"{"),
        ("ListActivities", b"x" * MAX_BODY_BYTES * 2),
    ):
        headers = {"X-Amz-Target": TARGET + operation, "Content-Type": "text/plain"}
        status, shown = guarded.post(operation, body, **{k.replace("-", "_"): v for k, v in headers.items()})[::2]
        assert (status, shown["__type"]) == (400, "MissingAuthenticationTokenException")


def test_a_body_is_bounded_for_those_who_sign_too(guarded: Server) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    assert post(guarded, here(guarded, body), body)[0] == 413
    assert post(guarded, here(guarded, b"{"), b"{")[1]["__type"] == "SerializationException"


def test_a_huge_header(guarded: Server) -> None:
    headers = here(guarded) | {"Authorization": "AWS4-HMAC-SHA256 " + "Credential=" * 5_000}
    status, shown = post(guarded, headers, BODY)
    assert (status, shown["__type"]) == (400, INCOMPLETE)
    assert len(shown["message"]) < 300
    assert post(guarded, here(guarded), BODY)[0] == 200


def test_web_pages_and_other_names_are_refused_all_the_same(guarded: Server) -> None:
    assert post(guarded, here(guarded) | {"Origin": "http://localhost"}, BODY)[0] == 403
    assert post(guarded, signed(host="attacker.example"), BODY)[0] == 403
