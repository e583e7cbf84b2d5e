"""arn:aws:states:::lambda:invoke, with local callables and with a Lambda that is played."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import Any, cast

import pytest

from asl_engine.errors import StatesError
from asl_engine.payload import Payload
from asl_engine.resources import TaskCall
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.lambda_.invoke import lambda_integration
from asl_engine.resources.lambda_.service import Invocation
from asl_engine.resources.python.registry import Registry

INVOKE = "arn:aws:states:::lambda:invoke"
EXECUTION = "arn:aws:states:eu-west-1:210987654321:execution:m:one"
ARN = "arn:aws:lambda:eu-west-1:210987654321:function:{}"


def a_call(parameters: Any, resource: str = INVOKE) -> TaskCall:
    return TaskCall(resource, Payload(parameters), "run:1", 0, None, EXECUTION, "Pay", lambda: None)


def callables() -> Registry:
    registry = Registry()
    registry.add("echo", lambda event: event)
    registry.add("fail", lambda event: [][event["at"]])
    registry.add("whoami", lambda _event, context: context.function_name)
    return registry


class Played:
    """A Lambda service that answers as it is told, and remembers what it was asked."""

    def __init__(self, text: str = "null", *, failed: bool = False, **answer: Any) -> None:
        headers = {"x-amzn-requestid": "id-1", "server": "x", "date": "today", "content-type": "application/json"}
        meta = {"RequestId": "id-0", "HTTPStatusCode": 200, "HTTPHeaders": headers}
        self.made = Invocation(
            text, failed, {"StatusCode": 200, "ExecutedVersion": "7", "ResponseMetadata": meta, **answer}
        )
        self.asked: list[tuple[dict[str, Any], str | None]] = []

    async def invoke(
        self, request: dict[str, Any], region: str | None, deadline: int | None, role: str | None
    ) -> Invocation:
        assert deadline is None
        assert role is None
        self.asked.append((request, region))
        return self.made


def invoked(parameters: Any, remote: Any = None) -> Any:
    async def main() -> Payload:
        return await lambda_integration(callables(), remote)(a_call(parameters))

    return asyncio.run(main()).value


def failure(parameters: Any, remote: Any = None) -> tuple[str | None, str]:
    with pytest.raises(StatesError) as caught:
        invoked(parameters, remote)
    return caught.value.error, str(caught.value.cause)


# -- local callables ----------------------------------------------------------------------------------


def test_the_result_is_invokes_whole_answer() -> None:
    output = invoked({"FunctionName": "echo", "Payload": {"ü": 1}})
    date = output["SdkHttpMetadata"]["HttpHeaders"]["Date"]
    identifier = output["SdkResponseMetadata"]["RequestId"]
    trace = output["SdkHttpMetadata"]["HttpHeaders"]["X-Amzn-Trace-Id"]
    assert date.endswith(" GMT")
    assert trace.startswith("Root=1-")
    assert list(output) == ["ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"]
    assert (output["ExecutedVersion"], output["Payload"], output["StatusCode"]) == ("$LATEST", {"ü": 1}, 200)
    http = output["SdkHttpMetadata"]
    assert list(http["HttpHeaders"].items()) == [
        ("Connection", "keep-alive"),
        ("Content-Length", "8"),
        ("Content-Type", "application/json"),
        ("Date", date),
        ("X-Amz-Executed-Version", "$LATEST"),
        ("x-amzn-Remapped-Content-Length", "0"),
        ("x-amzn-RequestId", identifier),
        ("X-Amzn-Trace-Id", trace),
    ]
    assert http["AllHttpHeaders"] == {name: [value] for name, value in http["HttpHeaders"].items()}
    assert http["HttpStatusCode"] == 200


NAMES = {
    "a name": ({"FunctionName": "whoami"}, "whoami"),
    "a partial ARN": ({"FunctionName": "210987654321:function:whoami"}, "whoami"),
    "an ARN": ({"FunctionName": ARN.format("whoami")}, "whoami"),
    "an ARN with a qualifier": ({"FunctionName": ARN.format("whoami:live")}, "whoami"),
    "a qualifier": ({"FunctionName": "whoami", "Qualifier": "7"}, "whoami"),
}


@pytest.mark.parametrize(("parameters", "function"), NAMES.values(), ids=NAMES)
def test_the_ways_to_name_a_function(parameters: Any, function: str) -> None:
    assert invoked(parameters)["Payload"] == function


PAYLOADS = {
    "an object": ({"Payload": {"a": None}}, {"a": None}),
    "an empty array": ({"Payload": []}, []),
    "a string holds JSON": ({"Payload": '"word"'}, "word"),
    "an empty string": ({"Payload": ""}, {}),
    "null": ({"Payload": None}, {}),
    "none": ({}, {}),
}


@pytest.mark.parametrize(("payload", "event"), PAYLOADS.values(), ids=PAYLOADS)
def test_payloads(payload: Any, event: Any) -> None:
    assert invoked({"FunctionName": "echo", **payload})["Payload"] == event


def test_a_callable_gets_what_invoke_was_given_beside_the_event() -> None:
    registry, seen = Registry(), list[Any]()
    registry.add("keep", lambda _event, context: seen.append(context))
    trace = {"traceparent": "00-1-2-01", "else": 1, "baggage": 2}
    given = {"custom": {"a": 1}, "env": {"b": 2}, "client": {"app_title": "shop"}, "w3c": trace}
    sent = b64encode(json.dumps(given).encode()).decode()
    asked = {"FunctionName": "keep", "ClientContext": sent, "TenantId": "blue", "Qualifier": "7"}
    asyncio.run(_invoke(registry, asked))
    (context,) = seen
    client = context.client_context
    assert (client.custom, client.env, client.client.app_title) == ({"a": 1}, {"b": 2}, "shop")
    assert (client.client.installation_id, hasattr(client, "w3c")) == (None, False)
    assert context.w3c() == {"traceparent": "00-1-2-01"}
    assert (context.tenant_id, context.function_version) == ("blue", "7")
    assert context.invoked_function_arn == ARN.format("keep:7")


@pytest.mark.parametrize("given", ["{}", "e30", "gA=="])
def test_a_client_context_that_is_none(given: str) -> None:
    error, cause = failure({"FunctionName": "echo", "ClientContext": given})
    assert error == "Lambda.InvalidRequestContentException"
    assert cause == "Client context must be a valid Base64-encoded JSON object."


def test_the_size_of_a_result_is_looked_at_before_its_syntax() -> None:
    async def main() -> None:
        call = a_call({"FunctionName": "gone"})._replace(payload_bytes=9)
        await lambda_integration(callables(), cast("Any", Played("<" * 10)))(call)

    with pytest.raises(StatesError) as caught:
        asyncio.run(main())
    assert caught.value.error == "States.DataLimitExceeded"


def test_a_result_of_null_is_kept() -> None:
    assert invoked({"FunctionName": "echo", "Payload": "null"})["Payload"] is None


def test_the_cause_is_written_again_without_white_space() -> None:
    error, cause = failure({"FunctionName": "fail", "Payload": {"at": 1}})
    report = json.loads(cause)
    assert error == report["errorType"] == "IndexError"
    assert cause == json.dumps(report, separators=(",", ":"))


def test_a_cause_that_is_no_report_is_kept() -> None:
    registry = Registry()

    def refuse(_event: Any) -> None:
        raise StatesError("Own", "just text")

    registry.add("refuse", refuse)
    with pytest.raises(StatesError) as caught:
        asyncio.run(_invoke(registry, {"FunctionName": "refuse"}))
    assert (caught.value.error, caught.value.cause) == ("Own", "just text")


async def _invoke(registry: Registry, parameters: Any) -> Any:
    return (await lambda_integration(registry, None)(a_call(parameters))).value


NO_NAME = "The field 'FunctionName' is required but was missing"
# Reported of AWS for a number: stackoverflow.com/questions/76373088
NO_TEXT = "The value for the field 'Payload' must be a STRING"


def unusable(given: Any, fault: str) -> tuple[Any, str, str]:
    text = json.dumps(given, separators=(",", ":"))
    return given, "States.Runtime", f"The Parameters '{text}' could not be used to start the Task: [{fault}]"


BAD = {
    "no name": unusable({}, NO_NAME),
    "an empty name": unusable({"FunctionName": ""}, "The value of the field 'FunctionName' has an invalid format"),
    "no object": unusable([], "The Parameters must be an object"),
    "a number for a name": unusable(
        {"FunctionName": 7}, "The value for the field 'FunctionName' must be a STRING"
    ),
    "a number for a payload": unusable({"FunctionName": "echo", "Payload": 0}, NO_TEXT),
    "a truth for a payload": unusable({"FunctionName": "echo", "Payload": False}, NO_TEXT),
    "a field that Invoke does not have": unusable(
        {"FunctionName": "echo", "Body": {}}, "The field 'Body' is not supported by Step Functions"
    ),
    "text for a payload": (
        {"FunctionName": "echo", "Payload": "text"},
        "Lambda.InvalidRequestContentException",
        "Could not parse request body into json: Expecting value",
    ),
    "nobody": (
        {"FunctionName": "gone"},
        "Lambda.ResourceNotFoundException",
        f"Function not found: {ARN.format('gone')}:$LATEST (Service: AWSLambda; Status Code: 404; ",
    ),
    "nobody with a qualifier": (
        {"FunctionName": "gone", "Qualifier": "live"},
        "Lambda.ResourceNotFoundException",
        f"Function not found: {ARN.format('gone')}:live (Service: AWSLambda; Status Code: 404; ",
    ),
}


@pytest.mark.parametrize(("parameters", "error", "cause"), BAD.values(), ids=BAD)
def test_bad_parameters(parameters: Any, error: str, cause: str) -> None:
    got, text = failure(parameters)
    assert got == error
    assert text.startswith(cause)


def test_an_event_is_not_awaited() -> None:
    finished: list[bool] = []
    registry = Registry()

    def late(event: Any) -> None:
        finished.append(True)
        raise ValueError(event)

    registry.add("late", late)

    async def main() -> Any:
        output = await _invoke(registry, {"FunctionName": "late", "InvocationType": "Event"})
        assert not finished
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
        return output

    output = asyncio.run(main())
    assert finished
    assert (output["StatusCode"], output["Payload"]) == (202, "")
    dry = invoked({"FunctionName": "fail", "InvocationType": "DryRun"})
    assert dry["StatusCode"] == 204


# -- Lambda -------------------------------------------------------------------------------------------


def test_lambda_is_asked_with_the_parameters_and_tells_its_headers() -> None:
    remote = Played('{"a":1}', LogResult="bG9n")
    output = invoked({"FunctionName": "far", "Payload": {"n": 1}, "Qualifier": "7", "LogType": "Tail"}, remote)
    request = {"FunctionName": "far", "Qualifier": "7", "LogType": "Tail", "Payload": b'{"n":1}'}
    assert remote.asked == [(request, "eu-west-1")]
    assert (output["ExecutedVersion"], output["LogResult"], output["Payload"]) == ("7", "bG9n", {"a": 1})
    assert output["SdkHttpMetadata"]["HttpHeaders"] == {
        "Connection": "keep-alive",
        "Content-Length": "7",
        "Content-Type": "application/json",
        "Date": "today",
        "x-amzn-RequestId": "id-1",
    }
    assert output["SdkResponseMetadata"] == {"RequestId": "id-1"}


def test_a_function_that_fails_at_lambda() -> None:
    remote = Played('{"errorType": "Bad", "errorMessage": ""}', failed=True)
    assert failure({"FunctionName": "far"}, remote) == ("Bad", '{"errorType":"Bad","errorMessage":""}')
    assert remote.asked == [({"FunctionName": "far"}, "eu-west-1")]


# -- the catalogue --------------------------------------------------------------------------------------


def test_the_catalogue_serves_local_callables_before_lambda() -> None:
    async def remote(_call: TaskCall) -> Payload:
        return Payload("far")

    catalog = Catalog(callables(), remote)  # type: ignore[arg-type]  # a stand-in of the test

    async def answers(resource: str) -> Any:
        return (await catalog[resource](a_call(1, resource))).value

    assert asyncio.run(answers(ARN.format("echo"))) == 1
    assert asyncio.run(answers(ARN.format("gone"))) == "far"
    assert catalog[ARN.format("echo")] is catalog[ARN.format("echo")]
    assert [catalog.serves(one) for one in (INVOKE, ARN.format("echo"), ARN.format("x"), "arn:x")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        (ARN.format("gone"), "Lambda.ResourceNotFoundException"),
        ("arn:aws:states:::sqs:sendMesage", "States.Runtime"),
        (ARN.format("two-of"), "States.Runtime"),
    ],
)
def test_what_nothing_serves_fails_its_task(resource: str, error: str) -> None:
    registry = Registry()
    registry.add("two_of", lambda event: event)
    registry.add("twoOf", lambda event: event)
    catalog = Catalog(registry)

    async def main() -> None:
        await catalog[resource](a_call(1, resource))

    for _ in range(2):
        with pytest.raises(StatesError) as caught:
            asyncio.run(main())
        assert caught.value.error == error
    assert not catalog.serves(resource)
