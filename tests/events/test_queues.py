"""Queues as targets and for dead letters: SQS as moto serves it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from asl_engine.events.delivering import DeliveryAttempt, DeliveryFailed
from asl_engine.events.senders import QueueSender
from asl_engine.resources.aws.clients import AwsClients, Connecting
from asl_engine.store.bus_records import BusEvent, Delivery, RuleRecord, TargetRecord
from tests.resources.moto_server import moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUEUE = "arn:aws:sqs:us-east-1:123456789012:"
RULE = RuleRecord("arn:aws:events:us-east-1:123456789012:rule/r", "bus", 0, {})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def sqs(url: str) -> Any:
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    return boto3.client("sqs", region_name="us-east-1", endpoint_url=url, **keys)


@pytest.fixture
def sender(url: str) -> QueueSender:
    return QueueSender(AwsClients(Connecting({"sqs": url})))


def attempt(name: str, note: Mapping[str, Any] = {}, **configuration: Any) -> DeliveryAttempt:
    event = BusEvent(7, "an-id", "bus", 0, 0, '{"id":"an-id"}')
    delivery = Delivery(1, event, RULE.arn, "t", "PENDING", 3, 0, 0, note)
    return DeliveryAttempt(delivery, RULE, TargetRecord(RULE.arn, "t", QUEUE + name, configuration), '{"a":1}', 3)


def received(sqs: Any, name: str) -> list[Any]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return list(found.get("Messages", []))


def test_a_queue_gets_the_input(sqs: Any, sender: QueueSender) -> None:
    sqs.create_queue(QueueName="plain")
    note = asyncio.run(_sent(sender, attempt("plain")))
    (message,) = received(sqs, "plain")
    assert message["Body"] == '{"a":1}'
    assert note == {"message": message["MessageId"]}


def test_a_queue_that_keeps_the_order_drops_what_it_has_had(sqs: Any, sender: QueueSender) -> None:
    sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})
    one = attempt("q.fifo", SqsParameters={"MessageGroupId": "g"})
    asyncio.run(_sent(sender, one))
    asyncio.run(_sent(sender, one))
    assert len(received(sqs, "q.fifo")) == 1


def test_a_dead_letter_says_why(sqs: Any, sender: QueueSender) -> None:
    sqs.create_queue(QueueName="dead")
    note = {"code": "HTTP 500", "message": "no", "exhausted": "MaximumRetryAttempts"}
    letter = attempt("gone", note, DeadLetterConfig={"Arn": f"{QUEUE}dead"})
    assert asyncio.run(_dead(sender, letter)) == {"deadLetter": f"{QUEUE}dead"}
    (message,) = received(sqs, "dead")
    assert json.loads(message["Body"]) == {"id": "an-id"}
    assert {name: one["StringValue"] for name, one in message["MessageAttributes"].items()} == {
        "RULE_ARN": RULE.arn,
        "TARGET_ARN": f"{QUEUE}gone",
        "ERROR_CODE": "HTTP 500",
        "ERROR_MESSAGE": "no",
        "RETRY_ATTEMPTS": "2",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    }


def test_a_queue_that_is_gone_is_not_tried_again(sqs: Any, sender: QueueSender) -> None:
    del sqs
    with pytest.raises(DeliveryFailed) as caught:
        asyncio.run(_sent(sender, attempt("nowhere")))
    assert caught.value.final


def test_a_service_that_does_not_answer_is_tried_again() -> None:
    nobody = QueueSender(AwsClients(Connecting({"sqs": "http://127.0.0.1:9"})))
    with pytest.raises(DeliveryFailed) as caught:
        asyncio.run(_sent(nobody, attempt("plain")))
    assert caught.value.code == "Unreachable"
    assert not caught.value.final


async def _sent(sender: QueueSender, one: DeliveryAttempt) -> Mapping[str, Any]:
    return await sender(one)


async def _dead(sender: QueueSender, one: DeliveryAttempt) -> Mapping[str, Any]:
    return await sender.send_dead(one)
