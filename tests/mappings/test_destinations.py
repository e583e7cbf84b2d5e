"""Where a batch that is given up is told of: a topic, a bucket, a queue that is not there yet."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from asl_engine.store.mapping_records import KEPT, UNSENT
from tests.mappings.harness import HOME, Function, Lab, client, failing, found, run, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

PLACE = f"{HOME[0]}:{HOME[1]}"


def give_up(folder: Path, url: str, name: str, destination: str, check: Callable[[Lab], Awaitable[Any]]) -> Any:
    """Put a record that fails into a stream; what a check of the lab shows."""
    kinesis = client(url, "kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.put_record(StreamName=name, Data=b"poison", PartitionKey="k")
    mapping = {
        "function": "work",
        "source": f"stream:{name}",
        "StartingPosition": "TRIM_HORIZON",
        "MaximumRetryAttempts": 0,
        "DestinationConfig": {"OnFailure": {"Destination": destination}},
    }
    lab = Lab(folder, url, work=Function(failing))

    async def main() -> Any:
        async with lab.polling(m=mapping):
            return await check(lab)

    return run(main())


async def kept(lab: Lab) -> Any:
    (batch,) = await found(lambda: lab.store.mappings.discarded([KEPT], 10))
    return batch


def test_a_topic(tmp_path: Path, url: str, sqs: Any) -> None:
    sns = client(url, "sns")
    topic = sns.create_topic(Name="given-up")["TopicArn"]
    queue = sqs.create_queue(QueueName="given-up-of-topic")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{PLACE}:given-up-of-topic")
    batch = give_up(tmp_path, url, "to-a-topic", topic, kept)
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(json.loads(message["Body"])["Message"])
    assert told == batch.invocation
    assert told["KinesisBatchInfo"]["batchSize"] == 1
    assert batch.note["sent"]


def test_a_bucket_gets_the_records_as_well(tmp_path: Path, url: str) -> None:
    s3 = client(url, "s3")
    s3.create_bucket(Bucket="given-up")
    batch = give_up(tmp_path, url, "to-a-bucket", "arn:aws:s3:::given-up", kept)
    (item,) = s3.list_objects_v2(Bucket="given-up")["Contents"]
    assert item["Key"] == batch.note["sent"]
    assert item["Key"].startswith("aws/lambda/")
    assert "/shardId-000000000000/" in item["Key"]
    told = json.loads(s3.get_object(Bucket="given-up", Key=item["Key"])["Body"].read())
    (record,) = json.loads(told.pop("payload"))["Records"]
    assert b64decode(record["kinesis"]["data"]) == b"poison"
    assert told == batch.invocation


def test_a_destination_that_is_not_there_yet_hears_of_it_later(tmp_path: Path, url: str, sqs: Any) -> None:
    async def check(lab: Lab) -> Any:
        await until(lambda: any("does not take what was given up" in line for line in lab.said))
        (batch,) = await found(lambda: lab.store.mappings.discarded([UNSENT], 10))
        assert "NonExistentQueue" in batch.note["destinationError"]
        sqs.create_queue(QueueName="late-dead")
        return await kept(lab)

    batch = give_up(tmp_path, url, "late", f"arn:aws:sqs:{PLACE}:late-dead", check)
    assert "destinationError" not in batch.note
    url_of_queue = sqs.get_queue_url(QueueName="late-dead")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=url_of_queue)["Messages"]
    assert json.loads(message["Body"]) == batch.invocation
