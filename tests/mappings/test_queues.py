"""Queues: SQS as moto serves it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from asl_engine.errors import StatesError
from tests.mappings.harness import HOME, MIDNIGHT, Function, Lab, failing, run, until

if TYPE_CHECKING:
    from pathlib import Path


class Desk(NamedTuple):
    """What a test of queues works with; its queues are its own."""

    sqs: Any
    folder: Path
    url: str
    prefix: str

    def lab(self, **functions: Function) -> Lab:
        return Lab(self.folder, self.url, **functions)

    def queue(self, suffix: str = "", **attributes: str) -> str:
        """Make a queue; its name."""
        name = f"{self.prefix}{suffix}"
        self.sqs.create_queue(QueueName=name, Attributes=attributes)
        return name


@pytest.fixture
def desk(sqs: Any, tmp_path: Path, url: str, request: pytest.FixtureRequest) -> Desk:
    return Desk(sqs, tmp_path, url, request.node.name.replace("[", "-").strip("]")[:60])


def send(sqs: Any, queue: str, *bodies: str, **more: Any) -> None:
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body, **more)


def waiting(sqs: Any, queue: str) -> int:
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def left(sqs: Any, queue: str) -> int:
    """Messages that were not deleted."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def test_a_message_becomes_a_record(desk: Desk) -> None:
    queue, function = desk.queue(), Function()
    send(desk.sqs, queue, "hello", MessageAttributes={"kind": {"DataType": "String", "StringValue": "greeting"}})

    async def main() -> None:
        async with desk.lab(work=function).polling(m={"function": "work", "source": f"queue:{queue}"}):
            await until(lambda: function.calls and not left(desk.sqs, queue))

    run(main())
    (record,) = function.records
    assert record.keys() == {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "md5OfMessageAttributes",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    }
    assert record["body"] == "hello"
    assert record["md5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == f"arn:aws:sqs:{HOME[0]}:{HOME[1]}:{queue}"
    assert record["awsRegion"] == HOME[0]
    assert {"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= {
        *record["attributes"]
    }
    assert record["messageAttributes"] == {
        "kind": {
            "stringValue": "greeting",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        }
    }


def test_messages_go_in_batches_that_a_window_fills(desk: Desk) -> None:
    queue, function = desk.queue(), Function()
    send(desk.sqs, queue, *map(str, range(25)))
    mapping = {
        "function": "work",
        "source": f"queue:{queue}",
        "BatchSize": 25,
        "MaximumBatchingWindowInSeconds": 60,
    }

    async def main() -> None:
        lab = desk.lab(work=function)
        lab.stands_still = True
        async with lab.polling(m=mapping) as runner:
            await until(lambda: runner.status()[0].processed == 25)
            assert len(function.calls) == 1  # it was full before its window was over
            send(desk.sqs, queue, "late")
            await until(lambda: not waiting(desk.sqs, queue))
            assert len(function.calls) == 1
            lab.timers.set_horizon(float("inf"))
            await until(lambda: runner.status()[0].processed == 26)
        assert lab.clock.now() == MIDNIGHT + 60_000
        assert lab.heard == ["m: 25 records -> work succeeded", "m: 1 record -> work succeeded"]

    run(main())
    assert sorted(function.bodies) == sorted([*map(str, range(25)), "late"])
    assert left(desk.sqs, queue) == 0


def test_what_fails_stays_and_goes_to_the_dead_letter_queue(desk: Desk) -> None:
    dead = desk.queue("-dead")
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:{HOME[0]}:{HOME[1]}:{dead}", "maxReceiveCount": "2"}
    queue = desk.queue(RedrivePolicy=json.dumps(policy), VisibilityTimeout="0")
    function = Function(failing)
    send(desk.sqs, queue, "poison")

    async def main() -> None:
        lab = desk.lab(work=function)
        async with lab.polling(m={"function": "work", "source": f"queue:{queue}"}) as runner:
            await until(lambda: left(desk.sqs, dead) == 1)
            status = runner.status()[0]
            assert (status.processed, status.failed, status.last_error) == (0, 2, "ValueError: no")

    run(main())
    assert [call.attempt for call in function.calls] == [0, 1]
    assert len({call.key for call in function.calls}) == 1  # what was done is told apart by it


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        pytest.param(lambda _: None, 0, id="nothing"),
        pytest.param(lambda _: {"batchItemFailures": []}, 0, id="none"),
        pytest.param(lambda e: {"batchItemFailures": [_named(e, "1")]}, 1, id="one"),
        pytest.param(lambda _: {"batchItemFailures": [{"itemIdentifier": "else"}]}, 3, id="unknown"),
        pytest.param(lambda _: {"batchItemFailures": [{"itemidentifier": "x"}]}, 3, id="misspelt"),
        pytest.param(lambda _: "done", 3, id="text"),
    ],
)
def test_a_function_reports_what_has_failed(
    desk: Desk,
    answer: Any,
    kept: int,
) -> None:
    queue, function = desk.queue(VisibilityTimeout="600"), Function(answer)
    send(desk.sqs, queue, "0", "1", "2")
    mapping = {
        "function": "work",
        "source": f"queue:{queue}",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BatchSize": 11,
        "MaximumBatchingWindowInSeconds": 1,
    }

    async def main() -> None:
        async with desk.lab(work=function).polling(m=mapping) as runner:
            await until(lambda: len(function.bodies) == 3 and not runner.status()[0].in_flight)
            assert left(desk.sqs, queue) == kept

    run(main())


def _named(event: dict[str, Any], body: str) -> dict[str, str]:
    (identifier,) = [one["messageId"] for one in event["Records"] if one["body"] == body]
    return {"itemIdentifier": identifier}


def test_a_message_that_no_filter_lets_through_is_deleted(desk: Desk) -> None:
    queue, function = desk.queue(), Function()
    send(desk.sqs, queue, '{"kind":"a"}', '{"kind":"b"}', "plain", '{"kind":["b"]}')
    criteria = {"Filters": [{"Pattern": {"body": {"kind": ["b"]}}}]}

    async def main() -> None:
        mapping = {"function": "work", "source": f"queue:{queue}", "FilterCriteria": criteria}
        async with desk.lab(work=function).polling(m=mapping) as runner:
            await until(lambda: not left(desk.sqs, queue))
            await until(lambda: runner.status()[0].processed == 2)
            assert runner.status()[0].filtered == 2

    run(main())
    assert sorted(function.bodies) == ['{"kind":"b"}', '{"kind":["b"]}']


def test_a_group_of_a_fifo_queue_is_in_one_batch_at_a_time(desk: Desk) -> None:
    queue = desk.queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for number in range(3):
        send(desk.sqs, queue, f"a{number}", MessageGroupId="a")
        send(desk.sqs, queue, f"b{number}", MessageGroupId="b")
    under_way = {"a": 0, "b": 0}

    async def work(event: dict[str, Any]) -> None:
        groups = {one["attributes"]["MessageGroupId"] for one in event["Records"]}
        for group in groups:
            under_way[group] += 1
        assert max(under_way.values()) == 1
        for _ in range(5):
            await asyncio.sleep(0)
        for group in groups:
            under_way[group] -= 1

    function = Function(work)

    async def main() -> None:
        mapping = {"function": "work", "source": f"queue:{queue}", "BatchSize": 2}
        async with desk.lab(work=function).polling(m=mapping):
            await until(lambda: not left(desk.sqs, queue))

    run(main())
    for group in "ab":
        assert [body for body in function.bodies if body[0] == group] == [f"{group}{n}" for n in range(3)]


def test_no_more_calls_at_a_time_than_allowed(desk: Desk) -> None:
    queue, function = desk.queue(), Function()
    send(desk.sqs, queue, *map(str, range(8)))

    async def main() -> None:
        mapping = {"function": "work", "source": f"queue:{queue}", "BatchSize": 1}
        mapping["ScalingConfig"] = {"MaximumConcurrency": 3}
        function.gate = asyncio.Event()
        async with desk.lab(work=function).polling(m=mapping) as runner:
            await until(lambda: function.under_way == 3)
            assert runner.status()[0].in_flight == 3
            function.gate.set()
            await until(lambda: not left(desk.sqs, queue))

    run(main())
    assert function.most == 3
    assert len(function.bodies) == 8


def test_a_throttled_call_is_tried_again_until_the_messages_are_seen_again(desk: Desk) -> None:
    queue = desk.queue(VisibilityTimeout="600")
    refusals = iter([StatesError("Lambda.TooManyRequestsException", "Rate Exceeded")] * 3)

    def answer(_: object) -> None:
        for refusal in refusals:
            raise refusal

    function = Function(answer)
    send(desk.sqs, queue, "one")

    async def main() -> None:
        async with desk.lab(work=function).polling(m={"function": "work", "source": f"queue:{queue}"}):
            await until(lambda: not left(desk.sqs, queue))

    run(main())
    assert len(function.calls) == 4
    assert len({call.key for call in function.calls}) == 1


def test_a_queue_that_is_not_there_yet_is_waited_for(desk: Desk) -> None:
    function = Function()

    async def main() -> None:
        lab = desk.lab(work=function)
        async with lab.polling(m={"function": "work", "source": "queue:later"}) as runner:
            await until(lambda: lab.said)
            assert runner.status()[0].state == "Waiting"
            assert "NonExistentQueue" in lab.said[0]
            desk.sqs.create_queue(QueueName="later")
            send(desk.sqs, "later", "x")
            await until(lambda: function.calls)
            assert runner.status()[0].state == "Enabled"
        assert [line.partition(" ")[0] for line in lab.said] == ["m:", "m:"]  # each thing is told once

    run(main())


def test_no_message_is_taken_for_a_function_that_nobody_has(desk: Desk) -> None:
    queue = desk.queue()
    send(desk.sqs, queue, "x")

    async def main() -> None:
        lab = desk.lab()
        async with lab.polling(m={"function": "nobody", "source": f"queue:{queue}"}):
            await until(lambda: lab.said)
            assert "there is no function" in lab.said[0]
        address = desk.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        kept = desk.sqs.receive_message(QueueUrl=address, AttributeNames=["All"])
        assert kept["Messages"][0]["Attributes"]["ApproximateReceiveCount"] == "1"

    run(main())


def test_a_failure_is_told_in_a_line_without_its_stack(desk: Desk) -> None:
    queue = desk.queue()
    report = {"errorMessage": "no lamp\nanywhere", "errorType": "OutOfStock", "stackTrace": ["  File"]}

    def answer(_: dict[str, Any]) -> None:
        raise StatesError("OutOfStock", json.dumps(report))

    send(desk.sqs, queue, "x")

    async def main() -> None:
        lab = desk.lab(work=Function(answer))
        async with lab.polling(m={"function": "work", "source": f"queue:{queue}"}):
            await until(lambda: lab.said[1:])
        assert lab.said[1] == "m: 1 of 1 failed: OutOfStock: no lamp anywhere"

    run(main())
