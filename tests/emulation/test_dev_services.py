"""``asl dev`` with services: tasks and functions use what is declared, and topics and buckets call them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from tests.cli.project import Project, Result, finished, machine, task, wait_for
from tests.server.harness import ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")

ACCOUNT = "123456789012"
LAMBDA = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:later"
CONFIGURATION = f"""
[functions.separate]
handler = "separate:handler"

[events.rules.uploaded]
pattern = {{source = ["aws.s3"]}}
targets = {{note = "{LAMBDA}:note"}}
[events.rules.told]
bus = "shop"
pattern = {{source = ["shop"]}}
targets = {{note = "{LAMBDA}:note"}}

[emulation.resources.shop]
type = "AWS::Events::EventBus"
[emulation.resources.notes]
type = "AWS::Serverless::SimpleTable"
[emulation.resources.work]
type = "AWS::SQS::Queue"
[emulation.resources.orders]
type = "AWS::SNS::Topic"
properties = {{Subscription = [{{Protocol = "sqs", Endpoint = "arn:aws:sqs:us-east-1:{ACCOUNT}:work"}}]}}
[emulation.resources.gold]
type = "AWS::SNS::Subscription"
[emulation.resources.gold.properties]
TopicArn = "arn:aws:sns:us-east-1:{ACCOUNT}:orders"
Protocol = "lambda"
Endpoint = "{LAMBDA}:note"
FilterPolicy = {{kind = ["gold"]}}
[emulation.resources.broken]
type = "AWS::SNS::Subscription"
[emulation.resources.broken.properties]
TopicArn = "arn:aws:sns:us-east-1:{ACCOUNT}:orders"
Protocol = "lambda"
Endpoint = "{LAMBDA}:fail"
FilterPolicy = '{{"kind": ["broken"]}}'
[emulation.resources.Uploads]
type = "AWS::S3::Bucket"
[emulation.resources.Uploads.properties]
BucketName = "uploads"
[emulation.resources.Uploads.properties.NotificationConfiguration]
EventBridgeConfiguration = {{EventBridgeEnabled = true}}
QueueConfigurations = [{{Event = "s3:ObjectRemoved:*", Queue = "arn:aws:sqs:us-east-1:{ACCOUNT}:work"}}]
[[emulation.resources.Uploads.properties.NotificationConfiguration.LambdaConfigurations]]
Event = "s3:ObjectCreated:*"
Function = "{LAMBDA}:note"
Filter = {{S3Key = {{Rules = [{{Name = "suffix", Value = ".jpg"}}]}}}}
[emulation.resources.Archive]
type = "AWS::S3::Bucket"
properties = {{VersioningConfiguration = {{Status = "Enabled"}}}}
[emulation.resources.password]
type = "AWS::SecretsManager::Secret"
[emulation.resources.password.properties.GenerateSecretString]
SecretStringTemplate = '{{"user": "ann"}}'
GenerateStringKey = "password"
PasswordLength = "20"
ExcludePunctuation = true
[emulation.resources.token]
type = "AWS::SecretsManager::Secret"
properties = {{Name = "shop/token", SecretString = "s3cret"}}
[emulation.resources.stage]
type = "AWS::SSM::Parameter"
properties = {{Name = "/shop/stage", Type = "String", Value = 7}}
[emulation.resources.fifo]
type = "AWS::SNS::Topic"
properties = {{TopicName = "in-order.fifo", FifoTopic = true}}
[emulation.resources."from-fifo"]
type = "AWS::SNS::Subscription"
[emulation.resources."from-fifo".properties]
TopicArn = "arn:aws:sns:us-east-1:{ACCOUNT}:in-order.fifo"
Protocol = "lambda"
Endpoint = "{LAMBDA}:note"
"""
TASKS = '''
import json
import boto3

notes = boto3.resource("dynamodb").Table("notes")  # when the module is imported: the surroundings are there


def note(event):
    """Keep what it was called with."""
    if "Records" in event and "Sns" in event["Records"][0]:
        key = "sns " + event["Records"][0]["Sns"]["Message"]
    elif "Records" in event:
        key = "s3 " + event["Records"][0]["s3"]["object"]["key"]
    else:
        key = event["source"] + " " + event["detail-type"]
    notes.put_item(Item={"id": key, "event": json.dumps(event)})


def fail(event):
    raise ValueError("it is broken")


def reach(event):
    """What boto3 reaches from here."""
    put = boto3.client("events").put_events(
        Entries=[{"EventBusName": "shop", "Source": "shop", "DetailType": event["who"], "Detail": "{}"}]
    )
    started = boto3.client("stepfunctions").start_execution(stateMachineArn=event["machine"])
    called = boto3.client("lambda").invoke(FunctionName="echo", Payload=json.dumps(event["who"]))
    secret = boto3.client("secretsmanager").get_secret_value(SecretId="shop/token")["SecretString"]
    stage = boto3.client("ssm").get_parameter(Name="/shop/stage")["Parameter"]["Value"]
    queue = boto3.client("sqs").get_queue_url(QueueName="work")["QueueUrl"]
    return {
        "failed": put["FailedEntryCount"],
        "started": started["executionArn"].split(":")[6],
        "called": json.loads(called["Payload"].read()),
        "secret": secret,
        "stage": stage,
        "queue": queue.rpartition("/")[2],
    }


def echo(event):
    return event
'''
SEPARATE = """
import sys

sys.path.insert(0, "tasks")
import callables


def handler(event, context):
    return callables.reach(event)
"""


class Dev(NamedTuple):
    """``told`` is what the command has written to stderr, ``exports`` what to type into another shell.

    ``messages`` are those that were received from the queue.
    """

    told: list[str]
    exports: dict[str, str]
    messages: list[str]

    def client(self, service: str) -> Any:
        url = self.exports.get({"stepfunctions": "AWS_ENDPOINT_URL_SFN"}.get(service, "AWS_ENDPOINT_URL"))
        return boto3.client(
            service,
            endpoint_url=url,
            region_name=self.exports["AWS_REGION"],
            aws_access_key_id="a",
            aws_secret_access_key="b",  # noqa: S106  nobody checks it
        )

    def output(self, definition: str, given: Any) -> Any:
        client = self.client("stepfunctions")
        arn = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{definition}"
        run = ended(client, client.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"])
        return json.loads(run["output"]) if run["status"] == "SUCCEEDED" else (run["error"], run["cause"])

    def note(self, key: str) -> Any:
        """The event that ``note`` was called with, once it was."""
        dynamodb, found = self.client("dynamodb"), []

        def look() -> bool:
            found.append(dynamodb.get_item(TableName="notes", Key={"id": {"S": key}}).get("Item"))
            return found[-1] is not None

        wait_for(look)
        return json.loads(found[-1]["event"]["S"])

    def message(self, wanted: str) -> Any:
        """The message of the queue in which this text stands."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="work")["QueueUrl"]

        def look() -> bool:
            received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
            self.messages.extend(message["Body"] for message in received.get("Messages", ()))
            return any(wanted in body for body in self.messages)

        wait_for(look)
        return json.loads(next(body for body in self.messages if wanted in body))


def no_command(*arguments: str) -> Result:
    raise AssertionError(f"nothing runs asl {arguments} in this process")


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    root: Path = tmp_path_factory.mktemp("shop")
    project = Project(root, no_command)
    for folder in ("tasks", "statemachines"):
        (root / folder).mkdir()
    (root / "asl.toml").write_text(CONFIGURATION, encoding="utf-8")
    (root / "tasks" / "callables.py").write_text(TASKS, encoding="utf-8")
    (root / "separate.py").write_text(SEPARATE, encoding="utf-8")
    project.define("later", machine(P={"Type": "Pass"}))
    project.define("here", machine(R=task("reach")))
    project.define("apart", machine(R=task("separate")))
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/work", "MessageBody.$": "$"},
        "ResultPath": None,
    }
    get = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:secretsmanager:getSecretValue",
        "Parameters": {"SecretId": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:password"},
        "ResultSelector": {"secret.$": "States.StringToJson($.SecretString)"},
    }
    project.define("services", machine(Send=send, Get=get))
    process = project.spawn("dev", "--port", "0", "--time", "skip")
    told: list[str] = []
    errors, process.stderr = process.stderr, None
    assert errors is not None
    assert process.stdout is not None
    reading = threading.Thread(target=lambda: told.extend(errors), daemon=True)
    reading.start()
    exports = {}
    while "AWS_DEFAULT_REGION" not in exports:
        line = process.stdout.readline()
        assert line, told
        name, _, text = line.strip().removeprefix("export ").partition("=")
        exports[name] = text
    try:
        wait_for(lambda: any("services.json is made" in line for line in told))
        yield Dev(told, exports, [])
    finally:
        process.send_signal(signal.SIGTERM)
        code = finished(process).code
        reading.join()
        errors.close()
        shutil.rmtree(root)
    assert code == 0


@pytest.mark.parametrize("definition", ["here", "apart"])
def test_boto3_reaches_everything_from_callables_and_functions(dev: Dev, definition: str) -> None:
    found = dev.output(definition, {"who": definition, "machine": MACHINE})
    assert found == {
        "failed": 0,
        "started": "later",
        "called": definition,
        "secret": "s3cret",
        "stage": "7",
        "queue": "work",
    }
    assert dev.note(f"shop {definition}")["source"] == "shop"  # the engine's own bus has called the function


def test_tasks_call_the_services(dev: Dev) -> None:
    found = dev.output("services", {"n": 1})
    assert found["secret"]["user"] == "ann"
    assert len(found["secret"]["password"]) == 20
    assert dev.message('"n"') == {"n": 1}


def test_a_topic_calls_a_function_and_fills_a_queue(dev: Dev) -> None:
    sns = dev.client("sns")
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:orders"
    sns.publish(TopicArn=topic, Message="plain")
    kind = {"kind": {"DataType": "String", "StringValue": "gold"}}
    sns.publish(TopicArn=topic, Message="bar", Subject="about", MessageAttributes=kind)
    record = dev.note("sns bar")["Records"][0]
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"].startswith(f"{topic}:")
    sent = record["Sns"]
    assert (sent["Type"], sent["TopicArn"], sent["Subject"]) == ("Notification", topic, "about")
    assert sent["MessageAttributes"] == {"kind": {"Type": "String", "Value": "gold"}}
    for message in ("plain", "bar"):
        assert dev.message(f'"{message}"')["TopicArn"] == topic
    nobody = dev.client("dynamodb").get_item(TableName="notes", Key={"id": {"S": "sns plain"}})
    assert "Item" not in nobody  # the subscription has a filter


def test_a_function_that_fails_is_tried_again_and_given_up(dev: Dev) -> None:
    kind = {"kind": {"DataType": "String", "StringValue": "broken"}}
    dev.client("sns").publish(
        TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:orders", Message="x", MessageAttributes=kind
    )
    told = "the function fail has failed 3 times with what orders has sent, which is given up: ValueError: "
    wait_for(lambda: any(told in line for line in dev.told))


def test_a_bucket_calls_a_function_and_tells_the_bus(dev: Dev) -> None:
    s3 = dev.client("s3")
    assert s3.get_bucket_versioning(Bucket="Archive")["Status"] == "Enabled"
    s3.put_object(Bucket="uploads", Key="a b.jpg", Body=b"1234")
    (record,) = dev.note("s3 a+b.jpg")["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert record["s3"]["bucket"]["name"] == "uploads"
    assert record["s3"]["object"]["size"] == 4
    assert {"userIdentity", "requestParameters", "responseElements"} <= record.keys()
    assert record["s3"]["object"]["sequencer"]
    event = dev.note("aws.s3 Object Created")
    assert event["resources"] == ["arn:aws:s3:::uploads"]
    assert event["detail"]["object"]["key"] == "a b.jpg"
    assert event["detail"]["reason"] == "PutObject"
    s3.delete_object(Bucket="uploads", Key="a b.jpg")
    assert dev.note("aws.s3 Object Deleted")["detail"]["deletion-type"] == "Permanently Deleted"
    assert dev.message("ObjectRemoved:Delete")["Records"][0]["s3"]["object"]["key"] == "a+b.jpg"


def test_it_tells_what_is_there(dev: Dev) -> None:
    url = dev.exports["AWS_ENDPOINT_URL"]
    assert dev.exports["AWS_ENDPOINT_URL_LAMBDA"] == dev.exports["AWS_ENDPOINT_URL_SFN"]
    assert any(f"AWS's other services are emulated at {url}, in memory" in line for line in dev.told)
    made = "made 2 buckets, 1 parameter, 1 queue, 2 secrets, 2 subscriptions, 1 table, 2 topics in "
    assert any(made in line for line in dev.told), dev.told
    fault = (
        "emulation.resources.from-fifo: the subscription is not as it should be: a FIFO topic delivers to queues"
    )
    assert any(fault in line for line in dev.told)
