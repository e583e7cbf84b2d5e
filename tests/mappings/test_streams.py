"""Streams: of tables and of Kinesis, as moto serves them."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from asl_engine.errors import StatesError
from asl_engine.store.mapping_records import DONE, KEPT
from tests.mappings.harness import HOME, Function, Lab, client, failing, found, run, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLACE = f"{HOME[0]}:{HOME[1]}"


class Desk(NamedTuple):
    """What a test of streams works with; its table, its stream and its queue are its own."""

    url: str
    folder: Path
    name: str
    kinesis: Any
    dynamodb: Any
    sqs: Any

    def lab(self, **functions: Function) -> Lab:
        return Lab(self.folder, self.url, **functions)

    def stream(self, shards: int = 1) -> str:
        self.kinesis.create_stream(StreamName=self.name, ShardCount=shards)
        return f"stream:{self.name}"

    def table(self, view: str = "NEW_AND_OLD_IMAGES") -> str:
        self.dynamodb.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
        )
        return f"table:{self.name}"

    def put(self, *texts: str, key: str = "k") -> list[str]:
        """Put records into the Kinesis stream; their sequence numbers."""
        return [
            self.kinesis.put_record(StreamName=self.name, Data=text.encode(), PartitionKey=key)["SequenceNumber"]
            for text in texts
        ]

    def dead(self) -> str:
        self.sqs.create_queue(QueueName=f"{self.name}-dead")
        return f"arn:aws:sqs:{PLACE}:{self.name}-dead"

    def dead_letters(self) -> list[Any]:
        url = self.sqs.get_queue_url(QueueName=f"{self.name}-dead")["QueueUrl"]
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]


@pytest.fixture
def desk(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    name = request.node.name.replace("[", "-").strip("]")[:60]
    return Desk(url, tmp_path, name, *(client(url, service) for service in ("kinesis", "dynamodb", "sqs")))


def mapping(source: str, **more: Any) -> dict[str, Any]:
    return {"function": "work", "source": source, "StartingPosition": "TRIM_HORIZON", **more}


def texts(function: Function) -> list[list[str]]:
    """The data of the records of each call."""
    return [
        [b64decode(record["kinesis"]["data"]).decode() for record in function.event(n)["Records"]]
        for n in range(len(function.calls))
    ]


def data(record: dict[str, Any]) -> str:
    return b64decode(record["kinesis"]["data"]).decode()


def refusing(*poison: str) -> Callable[[dict[str, Any]], None]:
    """A function that fails for a batch with one of these."""

    def work(event: dict[str, Any]) -> None:
        for record in event["Records"]:
            if data(record) in poison:
                raise StatesError("ValueError", data(record))

    return work


def _seen(letters: list[list[Any]], new: list[Any]) -> list[Any]:
    letters.append(new)
    return new


async def polled(lab: Lab, look: Callable[[Any], Any], **members: Any) -> None:
    """Run one mapping until a look at its runner shows something."""
    async with lab.polling(m=members) as runner:
        await until(lambda: look(runner))


def test_a_record_of_kinesis(desk: Desk) -> None:
    source, function = desk.stream(), Function()
    (sequence,) = desk.put("hello", key="p")
    run(polled(desk.lab(work=function), lambda r: r.status()[0].processed == 1, **mapping(source)))
    (record,) = function.records
    arrived = record["kinesis"].pop("approximateArrivalTimestamp")
    assert isinstance(arrived, float)
    assert record == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "p",
            "sequenceNumber": sequence,
            "data": "aGVsbG8=",
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{HOME[1]}:role/asl-engine",
        "awsRegion": HOME[0],
        "eventSourceARN": f"arn:aws:kinesis:{PLACE}:stream/{desk.name}",
    }


def test_changes_of_a_table(desk: Desk) -> None:
    source, function = desk.table(), Function()
    key = {"id": {"S": "1"}}
    desk.dynamodb.put_item(TableName=desk.name, Item={**key, "n": {"N": "1"}, "raw": {"B": b"\x00\xff"}})
    desk.dynamodb.put_item(TableName=desk.name, Item={**key, "n": {"N": "2"}})
    desk.dynamodb.delete_item(TableName=desk.name, Key=key)
    run(polled(desk.lab(work=function), lambda r: r.status()[0].processed == 3, **mapping(source)))
    arn = desk.dynamodb.describe_table(TableName=desk.name)["Table"]["LatestStreamArn"]
    first, second, third = function.records
    assert [record["eventName"] for record in function.records] == ["INSERT", "MODIFY", "REMOVE"]
    assert first.keys() == {
        "eventID",
        "eventName",
        "eventVersion",
        "eventSource",
        "awsRegion",
        "dynamodb",
        "eventSourceARN",
    }
    assert (first["eventSource"], first["eventSourceARN"], first["eventVersion"][0]) == ("aws:dynamodb", arn, "1")
    change = first["dynamodb"]
    assert change["Keys"] == key
    assert change["NewImage"] == {**key, "n": {"N": "1"}, "raw": {"B": "AP8="}}
    assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert isinstance(change["ApproximateCreationDateTime"], int | float)
    assert {"SequenceNumber", "SizeBytes"} <= change.keys()
    assert "OldImage" not in change
    assert second["dynamodb"]["OldImage"]["n"] == {"N": "1"}
    assert "NewImage" not in third["dynamodb"]


def test_a_batch_that_fails_is_tried_again_before_what_comes_after_it(desk: Desk) -> None:
    source = desk.stream()
    failures = iter([True, True])

    def work(_: object) -> None:
        if next(failures, False):
            failing()

    function = Function(work)
    desk.put("a", "b", "c")
    lab = desk.lab(work=function)
    begin = lab.clock.now()
    run(polled(lab, lambda r: r.status()[0].processed == 3, **mapping(source, BatchSize=2)))
    assert texts(function) == [["a", "b"]] * 3 + [["c"]]
    assert [call.attempt for call in function.calls] == [0, 1, 2, 0]
    assert len({call.key for call in function.calls}) == 2
    assert lab.clock.now() - begin == 3000  # one second, and then two


def test_a_poison_record_is_isolated_and_told_of(desk: Desk) -> None:
    source, function = desk.stream(), Function(refusing("poison"))
    sequences = desk.put("a", "b", "poison", "c", "d", "e")
    config = mapping(
        source,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": desk.dead()}},
    )
    letters: list[list[Any]] = []

    async def main() -> None:
        lab = desk.lab(work=function)
        async with lab.polling(m=config) as runner:
            await until(lambda: _seen(letters, desk.dead_letters()))
            await until(lambda: runner.status()[0].processed == 5)
            assert runner.status()[0].discarded == 1
            (kept,) = await found(lambda: lab.store.mappings.discarded([KEPT], 10))
            assert data(kept.event["Records"][0]) == "poison"
            assert kept.note["error"] == "ValueError: poison"

    run(main())
    succeeded = [text for batch in texts(function) if "poison" not in batch for text in batch]
    assert succeeded == ["a", "b", "c", "d", "e"]
    assert texts(function).count(["poison"]) == 2  # the retry counts for it alone
    (letter,) = letters[-1]
    info = letter.pop("KinesisBatchInfo")
    assert letter.pop("timestamp").endswith("Z")
    assert letter["requestContext"].pop("requestId")
    assert letter == {
        "requestContext": {
            "functionArn": f"arn:aws:lambda:{PLACE}:function:work",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
    }
    assert info.pop("approximateArrivalOfFirstRecord") == info.pop("approximateArrivalOfLastRecord")
    assert info == {
        "shardId": "shardId-000000000000",
        "startSequenceNumber": sequences[2],
        "endSequenceNumber": sequences[2],
        "batchSize": 1,
        "streamArn": f"arn:aws:kinesis:{PLACE}:stream/{desk.name}",
    }


def test_a_function_reports_the_first_that_failed(desk: Desk) -> None:
    source = desk.stream()
    times = {"c": 0}

    def work(event: dict[str, Any]) -> Any:
        for record in event["Records"]:
            if data(record) == "c":
                times["c"] += 1
                if times["c"] < 3:
                    return {"batchItemFailures": [{"itemIdentifier": record["kinesis"]["sequenceNumber"]}]}
        return None

    function = Function(work)
    desk.put("a", "b", "c", "d")
    config = mapping(source, FunctionResponseTypes=["ReportBatchItemFailures"])
    run(polled(desk.lab(work=function), lambda r: r.status()[0].processed == 4, **config))
    assert texts(function) == [["a", "b", "c", "d"], ["c", "d"], ["c", "d"]]


def test_what_is_too_old_is_given_up_without_a_call(desk: Desk) -> None:
    source, function = desk.stream(), Function(failing)
    desk.put("a", "b")
    lab = desk.lab(work=function)
    config = mapping(source, MaximumRecordAgeInSeconds=60)

    async def main() -> None:
        async with lab.polling(m=config) as runner:
            await until(lambda: runner.status()[0].discarded == 2)
            given_up = await found(lambda: lab.store.mappings.discarded([KEPT], 10))
            assert {one.invocation["requestContext"]["condition"] for one in given_up} == {"RecordAgeExceeded"}

    run(main())
    assert 5 <= len(function.calls) <= 8  # after 1, 2, 4, ... seconds, for a minute


def test_a_call_that_does_not_get_to_the_function_is_no_attempt(desk: Desk) -> None:
    source = desk.stream()
    refusals = iter([StatesError("Lambda.TooManyRequestsException", "Rate Exceeded")] * 4)

    def work(_: object) -> None:
        for refusal in refusals:
            raise refusal

    function = Function(work)
    desk.put("a")
    config = mapping(source, MaximumRetryAttempts=0)
    run(polled(desk.lab(work=function), lambda r: r.status()[0].processed == 1, **config))
    assert len(function.calls) == 5


def test_keys_are_in_order_side_by_side(desk: Desk) -> None:
    source, function = desk.stream(), Function()
    keys = [f"key{n}" for n in range(6)]
    for number in range(4):
        for key in keys:
            desk.put(f"{key}/{number}", key=key)

    async def main() -> None:
        function.gate = asyncio.Event()
        async with desk.lab(work=function).polling(m=mapping(source, ParallelizationFactor=3)) as runner:
            await until(lambda: function.under_way > 1)
            function.gate.set()
            await until(lambda: runner.status()[0].processed == 24)

    run(main())
    assert 2 <= function.most <= 3
    for key in keys:
        assert [data(r)[-1] for r in function.records if r["kinesis"]["partitionKey"] == key] == list("0123")


def test_the_next_process_goes_on_where_the_last_has_stopped(desk: Desk) -> None:
    source, function = desk.stream(), Function()
    desk.put("a", "b")
    lab = desk.lab(work=function)
    run(polled(lab, lambda r: r.status()[0].processed == 2, **mapping(source)))
    desk.put("c")
    run(polled(lab, lambda r: r.status()[0].processed == 3, **mapping(source)))
    assert [data(record) for record in function.records] == ["a", "b", "c"]


def test_a_batch_is_the_same_one_after_a_crash(desk: Desk) -> None:
    """The function was called with two records; when it is called again, there are more, and a retry is left."""
    source = desk.stream()
    first = Function()
    desk.put("a", "b")

    async def die() -> None:
        first.gate = asyncio.Event()
        async with desk.lab(work=first).polling(m=mapping(source)):
            await until(lambda: first.calls)

    run(die())
    desk.put("c")
    second = Function()
    run(polled(desk.lab(work=second), lambda r: r.status()[0].processed == 3, **mapping(source)))
    assert texts(second) == [["a", "b"], ["c"]]
    assert second.calls[0].key == first.calls[0].key


def test_attempts_are_counted_on_after_a_crash(desk: Desk) -> None:
    source, function = desk.stream(), Function(failing)
    desk.put("a")
    config = mapping(source, MaximumRetryAttempts=3)
    lab = desk.lab(work=function)
    lab.stands_still = True
    run(polled(lab, lambda _: len(function.calls) == 1 and lab.said[1:], **config))
    lab.stands_still = False
    run(polled(lab, lambda r: r.status()[0].discarded == 1, **config))
    assert [call.attempt for call in function.calls] == [0, 1, 2, 3]


async def _begun(lab: Lab) -> bool:
    (shard,) = await lab.store.mappings.shards(lab.arns["m"])
    return bool(shard.progress.get("begun"))


def test_latest_begins_with_what_comes(desk: Desk) -> None:
    source, function = desk.stream(), Function()
    desk.put("old")

    async def main() -> None:
        lab = desk.lab(work=function)
        async with lab.polling(m=mapping(source, StartingPosition="LATEST")):
            await until(lambda: lab.said)
            await found(lambda: _begun(lab))
            for number in range(100):
                desk.put(f"new{number}")
                if function.calls:
                    break
                await asyncio.sleep(0.02)

    run(main())
    assert "old" not in [data(record) for record in function.records]
    assert function.records


def test_another_stream_in_its_place_is_begun_anew_and_told_of(desk: Desk) -> None:
    source, function = desk.stream(), Function()
    desk.put("a", "b")
    lab = desk.lab(work=function)
    run(polled(lab, lambda r: r.status()[0].processed == 2, **mapping(source)))
    desk.kinesis.delete_stream(StreamName=desk.name)
    desk.stream()
    desk.put("c")
    run(polled(lab, lambda r: r.status()[0].processed == 3, **mapping(source)))
    assert [data(record) for record in function.records] == ["a", "b", "c"]
    assert any("is in the place of" in line for line in lab.said)


def test_what_no_filter_lets_through_is_skipped(desk: Desk) -> None:
    source, function = desk.stream(), Function()
    desk.put('{"n":1}', '{"n":2}', "text", '{"n":3}')
    config = mapping(source, FilterCriteria={"Filters": [{"Pattern": {"data": {"n": [{"numeric": [">", 1]}]}}}]})
    lab = desk.lab(work=function)

    async def main() -> None:
        async with lab.polling(m=config) as runner:
            await until(lambda: runner.status()[0].processed == 2)
            assert runner.status()[0].filtered == 2

    run(main())
    assert [data(record) for record in function.records] == ['{"n":2}', '{"n":3}']


def test_a_batch_that_was_given_up_is_tried_once_more(desk: Desk) -> None:
    source, function = desk.stream(), Function(refusing("a"))
    desk.put("a", "b")
    config = mapping(source, MaximumRetryAttempts=0)

    async def main() -> None:
        lab = desk.lab(work=function)
        async with lab.polling(m=config) as runner:
            await until(lambda: runner.status()[0].discarded == 2)
            assert await lab.store.mappings.redrive(None) == [1]
            runner.others_have_written()
            await until(lambda: len(function.calls) == 2)  # and it fails again
            await until(lambda: runner.status()[0].failed == 4)
            function.answer = lambda _: None
            await found(lambda: lab.store.mappings.redrive([1]))
            runner.others_have_written()
            await until(lambda: runner.status()[0].processed == 2)
            await found(lambda: lab.store.mappings.discarded([DONE], 10))

    run(main())
    assert len({call.key for call in function.calls}) == 1
    assert [call.attempt for call in function.calls] == [0, 1, 2]
