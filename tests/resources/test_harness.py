"""``bedrockagentcore:invokeHarness``: an agent's conversation, streamed, as one answer."""

from __future__ import annotations

import asyncio
import json
from binascii import crc32
from typing import Any

import pytest

from asl_engine.errors import ProjectError, StatesError
from asl_engine.resources.aws.clients import AwsClients, Connecting
from asl_engine.resources.aws.optimised import OPTIMISED
from asl_engine.resources.catalog import Catalog, resolve
from asl_engine.resources.http import bounds
from asl_engine.resources.integrations import recognised
from asl_engine.resources.mocks.results import check_result
from asl_engine.resources.python.registry import Registry
from asl_engine.resources.recognition import unrecognised
from asl_engine.resources.services import Services
from tests.resources.calls import a_call
from tests.resources.played_service import played

NAME = "bedrockagentcore:invokeHarness"
RESOURCE = f"arn:aws:states:::{NAME}"
SESSION = "s" * 33
GIVEN: Any = {
    "HarnessArn": "arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/helper-0123456789",
    "RuntimeSessionId": SESSION,
    "Messages": [{"Role": "user", "Content": [{"Text": "Where is my order?"}]}],
    "Model": {"BedrockModelConfig": {"ModelId": "m", "Temperature": 0.7}},
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


def message(kind: str, name: str, data: Any) -> bytes:
    """One message of the vnd.amazon.eventstream encoding."""
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + len(value).to_bytes(2, "big") + value.encode()
        for key, value in (
            (":message-type", kind),
            (f":{kind}-type", name),
            (":content-type", "application/json"),
        )
    )
    payload = json.dumps(data).encode()
    prelude = (16 + len(headers) + len(payload)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    whole = prelude + crc32(prelude).to_bytes(4, "big") + headers + payload
    return whole + crc32(whole).to_bytes(4, "big")


def event(name: str, **data: Any) -> bytes:
    return message("event", name, data)


def text(index: int, words: str) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=index, delta={"text": words})


def told(tokens: int, milliseconds: int) -> bytes:
    usage = {"inputTokens": tokens, "outputTokens": 1, "totalTokens": tokens + 1}
    return event("metadata", usage=usage, metrics={"latencyMs": milliseconds})


TURNS = [
    event("messageStart", role="assistant"),
    text(0, "I look it up."),
    event("contentBlockStart", contentBlockIndex=1, start={"toolUse": {"toolUseId": "t", "name": "orders"}}),
    event("contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": "{}"}}),
    event("contentBlockStop", contentBlockIndex=1),
    event("messageStop", stopReason="tool_use"),
    told(10, 100),
    event("messageStart", role="user"),
    event("contentBlockDelta", contentBlockIndex=0, delta={"toolResult": [{"text": "sent"}]}),
    event("messageStop", stopReason="tool_result"),
    event("messageStart", role="assistant"),
    event("contentBlockDelta", contentBlockIndex=0, delta={"reasoningContent": {"text": "Hm."}}),
    text(1, "It was "),
    text(1, "sent."),
    text(2, "Anything else?"),
    event("messageStop", stopReason="end_turn"),
    told(20, 200),
]


def served(answer: Any) -> tuple[Any, list[tuple[str, Any]]]:
    with played({"invoke": [answer]}) as service:
        catalog = Catalog(Registry(), None, Services(AwsClients(Connecting({"bedrock-agentcore": service.url}))))

        async def main() -> Any:
            return await catalog[RESOURCE](a_call(RESOURCE, GIVEN))

        return json.loads(asyncio.run(main()).text), service.asked


def failure(answer: Any) -> StatesError:
    with pytest.raises(StatesError) as caught:
        served(answer)
    return caught.value


def test_the_last_message_is_the_answer_and_the_tokens_are_those_of_all() -> None:
    answer, asked = served(b"".join(TURNS))
    assert answer == {
        "Metrics": {"LatencyMs": 300},
        "Output": {
            "Message": {"Content": [{"Text": "It was sent."}, {"Text": "Anything else?"}], "Role": "assistant"}
        },
        "StopReason": "end_turn",
        "Usage": {"InputTokens": 30, "OutputTokens": 2, "TotalTokens": 32},
    }
    assert asked == [
        (
            "invoke",
            {
                "messages": [{"role": "user", "content": [{"text": "Where is my order?"}]}],
                "model": {"bedrockModelConfig": {"modelId": "m", "temperature": 0.7}},
            },
        )
    ]


def test_a_turn_that_says_nothing() -> None:
    answer, _ = served(event("messageStart", role="assistant") + event("messageStop", stopReason="tool_use"))
    assert answer["Output"]["Message"]["Content"] == []
    assert answer["StopReason"] == "tool_use"


def test_an_error_within_the_stream_and_one_before_it() -> None:
    broken = failure(TURNS[0] + message("exception", "validationException", {"message": "too many tools"}))
    assert broken.error == "BedrockAgentCore.ValidationException"
    assert (broken.cause or "").startswith("too many tools (Service: BedrockAgentCore, Status Code: ")
    refused = failure({"__type": "ThrottlingException", "message": "slower"})
    assert refused.error == "BedrockAgentCore.ThrottlingException"


def test_too_many_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LARGEST_STREAM", 5)
    assert failure(b"".join(TURNS)).error == "States.DataLimitExceeded"


def test_it_takes_a_quarter_of_an_hour_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OPTIMISED[NAME].longest == 900
    monkeypatch.setitem(OPTIMISED, NAME, OPTIMISED[NAME]._replace(longest=0))
    assert failure(b"".join(TURNS)).error == "States.Timeout"


def test_it_knows_request_and_response_only() -> None:
    assert recognised(RESOURCE)
    assert not recognised(f"{RESOURCE}.sync")
    assert not recognised(f"{RESOURCE}.waitForTaskToken")
    assert not recognised("arn:aws:states:::aws-sdk:bedrockagentcore:invokeHarness")  # a stream


def test_what_it_is_given_is_checked_and_what_mocks_return_is_not() -> None:
    state = {"Type": "Task", "Resource": RESOURCE, "Parameters": {"HarnessArn": 1, "Prompt": "x"}, "End": True}
    definition: Any = {"StartAt": "A", "States": {"A": state}}
    assert [finding.message for finding in unrecognised(definition)] == [
        "The value for the field 'HarnessArn' must be a STRING",
        "The field 'Prompt' is not supported by Step Functions",
        "The field 'RuntimeSessionId' is required but was missing",
        "The field 'Messages' is required but was missing",
    ]
    check_result(RESOURCE, {"Output": {"Message": {"Content": [{"Text": "x"}]}}}, "STRICT")


def test_an_sdk_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"s3": "s3"}
    monkeypatch.setattr("asl_engine.resources.aws.names.services", lambda: known)
    with pytest.raises(ProjectError, match="needs an AWS SDK that has the service 'bedrockagentcore'"):
        resolve([RESOURCE], Catalog(Registry()))
