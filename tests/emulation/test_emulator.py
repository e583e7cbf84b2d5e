"""moto in a process of its own: what is declared is made in it, and it is started again when it dies."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulation.served import OWN, configured, emulated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulation.served import Emulated

DECLARED = """
[emulation.resources.dead]
type = "AWS::SQS::Queue"
[emulation.resources.orders]
type = "AWS::SQS::Queue"
[emulation.resources.orders.properties]
VisibilityTimeout = "30"
DelaySeconds = 0
RedrivePolicy = {deadLetterTargetArn = "arn:aws:sqs:eu-west-1:111122223333:dead", maxReceiveCount = "2"}
[emulation.resources."in-order"]
type = "AWS::SQS::Queue"
properties = {QueueName = "in-order.fifo", FifoQueue = true, ContentBasedDeduplication = "true"}
[emulation.resources.plain]
type = "AWS::SQS::Queue"
properties = {FifoQueue = false}
[emulation.resources.simple]
type = "AWS::Serverless::SimpleTable"
[emulation.resources.numbered]
type = "AWS::Serverless::SimpleTable"
properties = {PrimaryKey = {Name = "number", Type = "Number"}}
[emulation.resources.streamed]
type = "AWS::DynamoDB::Table"
[emulation.resources.streamed.properties]
TableName = "read-model"
KeySchema = [{AttributeName = "pk", KeyType = "HASH"}, {AttributeName = "sk", KeyType = "RANGE"}]
AttributeDefinitions = [
  {AttributeName = "pk", AttributeType = "S"},
  {AttributeName = "sk", AttributeType = "S"},
  {AttributeName = "day", AttributeType = "S"},
]
ProvisionedThroughput = {ReadCapacityUnits = "5", WriteCapacityUnits = 5}
StreamSpecification = {StreamViewType = "NEW_AND_OLD_IMAGES"}
TimeToLiveSpecification = {AttributeName = "expires", Enabled = "true"}
PointInTimeRecoverySpecification = {PointInTimeRecoveryEnabled = true}
[[emulation.resources.streamed.properties.GlobalSecondaryIndexes]]
IndexName = "by-day"
KeySchema = [{AttributeName = "day", KeyType = "HASH"}]
Projection = {ProjectionType = "ALL"}
ProvisionedThroughput = {ReadCapacityUnits = "5", WriteCapacityUnits = 5}
[[emulation.resources.streamed.properties.LocalSecondaryIndexes]]
IndexName = "by-sort"
KeySchema = [{AttributeName = "pk", KeyType = "HASH"}, {AttributeName = "day", KeyType = "RANGE"}]
Projection = {ProjectionType = "KEYS_ONLY"}
[emulation.resources.everywhere]
type = "AWS::DynamoDB::GlobalTable"
[emulation.resources.everywhere.properties]
KeySchema = [{AttributeName = "id", KeyType = "HASH"}]
AttributeDefinitions = [{AttributeName = "id", AttributeType = "S"}]
Replicas = [{Region = "eu-west-1"}]
[emulation.resources.clicks]
type = "AWS::Kinesis::Stream"
properties = {ShardCount = "2", RetentionPeriodHours = "48"}
[emulation.resources.one]
type = "AWS::Kinesis::Stream"
"""
BAD = """
[emulation.resources.misspelt]
type = "AWS::SQS::Queue"
properties = {VisibilityTimout = 3}
[emulation.resources.keyless]
type = "AWS::DynamoDB::Table"
properties = {KeySchema = 3}
[emulation.resources.refused]
type = "AWS::SQS::Queue"
properties = {QueueName = "two words"}
[emulation.resources.lost]
type = "AWS::SQS::Queue"
properties = {RedrivePolicy = {maxReceiveCount = "some"}}
[emulation.resources.worded]
type = "AWS::Kinesis::Stream"
properties = {ShardCount = "two"}
[emulation.resources.odd]
type = "AWS::Serverless::SimpleTable"
properties = {PrimaryKey = {Type = "Boolean"}}
[emulation.resources.database]
type = "AWS::RDS::DBInstance"
[emulation.resources.key]
type = "AWS::KMS::Key"
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    with emulated(configured(tmp_path_factory.mktemp("project"), DECLARED + BAD)) as there:
        yield there


def attributes(there: Emulated, name: str) -> dict[str, str]:
    sqs = there.client("sqs")
    # As a template gives it to a function: the host is AWS's, and the endpoint counts.
    url = f"https://sqs.eu-west-1.amazonaws.com/111122223333/{name}"
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def test_queues_are_as_they_are_declared(there: Emulated) -> None:
    orders = attributes(there, "orders")
    assert orders["QueueArn"] == "arn:aws:sqs:eu-west-1:111122223333:orders"
    assert orders["VisibilityTimeout"] == "30"
    assert json.loads(orders["RedrivePolicy"]) == {
        "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111122223333:dead",
        "maxReceiveCount": 2,
    }
    fifo = attributes(there, "in-order.fifo")
    assert (fifo["FifoQueue"], fifo["ContentBasedDeduplication"]) == ("true", "true")
    assert "FifoQueue" not in attributes(there, "plain")


def test_tables_are_as_they_are_declared(there: Emulated) -> None:
    dynamodb = there.client("dynamodb")
    table = dynamodb.describe_table(TableName="read-model")["Table"]
    assert table["KeySchema"][1] == {"AttributeName": "sk", "KeyType": "RANGE"}
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-day"]
    assert [index["IndexName"] for index in table["LocalSecondaryIndexes"]] == ["by-sort"]
    ttl = dynamodb.describe_time_to_live(TableName="read-model")["TimeToLiveDescription"]
    assert ttl == {"AttributeName": "expires", "TimeToLiveStatus": "ENABLED"}
    keys = {}
    for name in ("simple", "numbered", "everywhere"):
        table = dynamodb.describe_table(TableName=name)["Table"]
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        (definition,) = table["AttributeDefinitions"]
        keys[name] = definition["AttributeName"], definition["AttributeType"]
    assert keys == {"simple": ("id", "S"), "numbered": ("number", "N"), "everywhere": ("id", "S")}


def test_streams_are_as_they_are_declared(there: Emulated) -> None:
    kinesis = there.client("kinesis")
    found = {}
    for name in ("clicks", "one"):
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        found[name] = summary["OpenShardCount"], summary["RetentionPeriodHours"]
    assert found == {"clicks": (2, 48), "one": (1, 24)}


def test_what_cannot_be_made_is_told_by_its_place(there: Emulated) -> None:
    attributes(there, "orders")  # by now everything was tried
    told = {}
    for line in there.said:
        place, _, what = line.partition("asl.toml: emulation.resources.")[2].partition(": ")
        told[place] = what
    assert told["misspelt"] == (
        "AWS::SQS::Queue has no property 'VisibilityTimout'; did you mean 'VisibilityTimeout'?"
    )
    assert told["keyless"] == "the table is not as it should be: KeySchema has to be a list; it is 3"
    assert told["refused"].startswith("the queue is not as it should be: InvalidParameterValue: ")
    assert told["lost"].startswith(
        "the queue is not as it should be: RedrivePolicy has to have deadLetterTargetArn"
    )
    assert told["worded"] == "the stream is not as it should be: ShardCount has to be a number; it is 'two'"
    assert told["odd"].startswith("the table is not as it should be: PrimaryKey has to have a Name, and a Type")
    assert told["database"].startswith(
        "it is not made: AWS::RDS::DBInstance is none of AWS::DynamoDB::GlobalTable,"
    )
    assert "key" not in told


def test_functions_find_it_by_their_environment(there: Emulated) -> None:
    emulator = there.emulation.emulator
    assert emulator is not None
    found = {name: text for name, text in os.environ.items() if name.startswith("AWS_")}
    assert found == found | {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_ENDPOINT_URL_EVENTBRIDGE": OWN,
        "AWS_ENDPOINT_URL_LAMBDA": OWN,
        "AWS_ENDPOINT_URL_SFN": OWN,
        "AWS_REGION": "eu-west-1",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    assert there.client("sts").get_caller_identity()["Account"] == "111122223333"


def test_a_transaction_that_fails_undoes_nothing_of_others(there: Emulated) -> None:
    """Rows are put while transactions fail: all rows are there, and nothing is answered with moto's own error."""
    dynamodb, rows = there.client("dynamodb"), 30
    large = {"L": [{"M": {"n": {"N": str(number)}}} for number in range(200)]}  # it takes a while to copy
    for number in range(8):
        dynamodb.put_item(TableName="simple", Item={"id": {"S": f"large-{number}"}, "parts": large})
    dynamodb.put_item(TableName="simple", Item={"id": {"S": "taken"}})
    take: Any = {
        "TableName": "simple",
        "Item": {"id": {"S": "taken"}},
        "ConditionExpression": "attribute_not_exists(id)",
    }

    def put(number: int) -> None:
        if number % 2:
            dynamodb.put_item(TableName="simple", Item={"id": {"S": f"row-{number}"}})
            return
        with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
            dynamodb.transact_write_items(TransactItems=[{"Put": take}])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(put, range(2 * rows)))
    assert dynamodb.scan(TableName="simple", Select="COUNT")["Count"] == rows + 9


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_one_that_was_killed_is_started_again_with_everything_declared(there: Emulated) -> None:
    """Last in its module: what the others have put there is gone."""
    sqs = there.client("sqs")
    url = sqs.get_queue_url(QueueName="plain")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="lost")
    faults = len(there.said)
    os.kill(there.process, signal.SIGKILL)
    # The address stays, and whoever asks meanwhile waits.
    assert attributes(there, "plain")["ApproximateNumberOfMessages"] == "0"
    assert attributes(there, "orders")["VisibilityTimeout"] == "30"
    lost, made = there.said[faults:]
    assert lost == (
        "the emulator of AWS's services has ended (signal 9) and is started again: what was in its queues and "
        "tables is gone"
    )
    assert made.startswith("made 5 queues, 2 streams, 4 tables in ")
