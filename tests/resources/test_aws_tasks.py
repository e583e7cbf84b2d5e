"""Tasks that call AWS services, against services on this machine."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from asl_engine.errors import StatesError
from asl_engine.payload import Payload
from asl_engine.resources import PENDING
from asl_engine.resources.aws.clients import AwsClients, Connecting
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.http import bounds
from asl_engine.resources.python.registry import Registry
from asl_engine.resources.services import Services
from tests.resources.calls import EXECUTION, a_call
from tests.resources.moto_server import moto_server
from tests.resources.played_service import played

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.json_values import Json

TOKEN = ".waitForTaskToken"  # noqa: S105  the suffix of a resource


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture(autouse=True)
def settings(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def client(service: str, aws: str) -> Any:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client(service, endpoint_url=aws, region_name="us-east-1", **keys)


def served(name: str, given: Any, *, clients: AwsClients | None = None, **more: Any) -> Any:
    """What the resource returns; ``more`` goes into the call."""
    resource = f"arn:aws:states:::{name}"
    catalog = Catalog(Registry(), None, Services(clients or AwsClients()))

    async def main() -> Any:
        return await catalog[resource](a_call(resource, given, **more))

    return asyncio.run(main())


def result(name: str, given: Any, **more: Any) -> Any:
    return json.loads(served(name, given, **more).text)


def failure(name: str, given: Any, **more: Any) -> tuple[str | None, str]:
    with pytest.raises(StatesError) as caught:
        served(name, given, **more)
    return caught.value.error, caught.value.cause or ""


@pytest.fixture(scope="module")
def stock(aws: str) -> str:
    client("dynamodb", aws).create_table(
        TableName="stock",
        KeySchema=[{"AttributeName": "sku", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "sku", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "stock"


def test_dynamodb_items(stock: str) -> None:
    item: Json = {"sku": {"S": "tea"}, "left": {"N": "3"}, "fresh": {"BOOL": True}}
    put = result("dynamodb:putItem", {"TableName": stock, "Item": item})
    assert set(put) == {"SdkHttpMetadata", "SdkResponseMetadata"}
    assert put["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert put["SdkHttpMetadata"]["AllHttpHeaders"]["Content-Type"] == ["application/x-amz-json-1.0"]
    assert put["SdkResponseMetadata"]["RequestId"]
    key: Any = {"TableName": stock, "Key": {"sku": {"S": "tea"}}}
    assert result("dynamodb:getItem", key)["Item"] == item
    update: Any = {"UpdateExpression": "SET #l = :n", "ExpressionAttributeNames": {"#l": "left"}}
    result("dynamodb:updateItem", {**key, **update, "ExpressionAttributeValues": {":n": {"N": "2"}}})
    assert result("aws-sdk:dynamodb:getItem", key) == {
        "Item": {"fresh": {"Bool": True}, "left": {"N": "2"}, "sku": {"S": "tea"}}
    }
    result("dynamodb:deleteItem", key)
    assert "Item" not in result("dynamodb:getItem", key)
    assert result("aws-sdk:dynamodb:getItem", key) == {}


def test_a_service_that_refuses_is_worded_as_by_the_sdk_of_the_integration(stock: str) -> None:
    put: Any = {"TableName": stock, "Item": {"sku": {"S": "x"}}, "ConditionExpression": "attribute_exists(sku)"}
    error, cause = failure("dynamodb:putItem", put)
    assert error == "DynamoDB.ConditionalCheckFailedException"
    start = "The conditional request failed (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: "
    assert cause.startswith(f"{start}ConditionalCheckFailedException; Request ID: ")
    assert cause.endswith("; Proxy: null)")
    error, cause = failure("aws-sdk:dynamodb:putItem", put)
    assert error == "DynamoDb.ConditionalCheckFailedException"
    assert cause.startswith("The conditional request failed (Service: DynamoDb, Status Code: 400, Request ID: ")
    error, cause = failure("aws-sdk:dynamodb:describeTable", {"TableName": "nowhere"})
    assert error == "DynamoDb.ResourceNotFoundException"


def test_an_error_that_the_service_does_not_declare(stock: str) -> None:
    given: Any = {"TableName": stock, "Key": {"wrong": {"S": "x"}}}
    assert failure("dynamodb:getItem", given)[0] == "DynamoDB.AmazonDynamoDBException"
    assert failure("aws-sdk:dynamodb:getItem", given)[0] == "DynamoDb.DynamoDbException"


def test_objects_are_text_where_they_are_text(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client("s3", aws).create_bucket(Bucket="attic")
    put = result("aws-sdk:s3:putObject", {"Bucket": "attic", "Key": "a.txt", "Body": "grüße"})
    assert put["ETag"]
    got = result("aws-sdk:s3:getObject", {"Bucket": "attic", "Key": "a.txt"})
    assert got["Body"] == "grüße"
    assert got["ContentLength"] == 7
    assert got["LastModified"].endswith("Z")
    assert [*got] == sorted(got)
    assert "ResponseMetadata" not in got
    client("s3", aws).put_object(Bucket="attic", Key="b", Body=b"\xff\x00")
    assert result("aws-sdk:s3:getObject", {"Bucket": "attic", "Key": "b"})["Body"] == "/wA="
    monkeypatch.setattr(bounds, "LARGEST_STREAM", 1)
    error, cause = failure("aws-sdk:s3:getObject", {"Bucket": "attic", "Key": "b"})
    assert error == "States.DataLimitExceeded"
    assert str(cause).startswith("The state/task 'S' returned a result with a size exceeding")
    error, cause = failure("aws-sdk:s3:getObject", {"Bucket": "attic", "Key": "gone"})
    assert error == "S3.NoSuchKeyException"
    assert cause.startswith("The specified key does not exist. (Service: S3, Status Code: 404, Request ID: ")


def test_messages(aws: str) -> None:
    sqs = client("sqs", aws)
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sent = result("sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"id": 1}})
    assert {"MD5OfMessageBody", "MessageId", "SdkHttpMetadata", "SdkResponseMetadata"} == set(sent)
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == '{"id":1}'
    assert "Md5OfMessageBody" in result("aws-sdk:sqs:sendMessage", {"QueueUrl": url, "MessageBody": "x"})
    error, cause = failure("sqs:sendMessage", {"QueueUrl": url + "-gone", "MessageBody": "x"})
    assert error == "SQS.QueueDoesNotExistException"
    assert "(Service: AmazonSQS; Status Code: 400; Error Code: " in cause
    topic = client("sns", aws).create_topic(Name="news")["TopicArn"]
    assert result("sns:publish", {"TopicArn": topic, "Message": {"is": "json"}})["MessageId"]


def test_a_task_that_waits_for_its_token_has_submitted_and_is_pending(aws: str) -> None:
    sqs = client("sqs", aws)
    url = sqs.create_queue(QueueName="tokens")["QueueUrl"]
    submissions: list[Payload] = []
    given: Any = {"QueueUrl": url, "MessageBody": {"token": "t-1"}}
    assert served("sqs:sendMessage" + TOKEN, given, submissions=submissions) is PENDING
    assert json.loads(submissions[0].text)["MessageId"]
    again = served("sqs:sendMessage" + TOKEN, given, submitted=submissions[0])
    assert again is PENDING
    assert served("aws-sdk:sqs:sendMessage" + TOKEN, given, submitted=Payload({})) is PENDING
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ['{"token":"t-1"}']


def test_events_name_the_execution(aws: str) -> None:
    events, sqs = client("events", aws), client("sqs", aws)
    queue = sqs.create_queue(QueueName="bus")["QueueUrl"]
    events.put_rule(Name="all", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:bus"}])
    entry: Json = {"Source": "shop", "DetailType": "sold", "Detail": {"sku": "tea"}, "Resources": ["a"]}
    put = result("events:putEvents", {"Entries": [entry]})
    assert put["FailedEntryCount"] == 0
    assert put["Entries"][0]["EventId"]
    event = json.loads(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"])
    assert event["detail"] == {"sku": "tea"}
    assert event["resources"] == ["a", EXECUTION, "arn:aws:states:us-east-1:123456789012:stateMachine:shop"]


def test_an_event_that_is_not_taken() -> None:
    error, cause = failure("events:putEvents", {"Entries": [{"Source": "shop", "Detail": "{}"}]})
    assert error == "EventBridge.FailedEntry"
    assert json.loads(cause)["FailedEntryCount"] == 1


UNKNOWN = "The field '{}' is not supported by Step Functions"
MUST_BE = "The value for the field '{}' must be {}"
MISSING = "The field 'MessageBody' is required but was missing"
REFUSED: list[tuple[str, Any, str]] = [
    ("sqs:sendMessage", {"QueueUrl": 1}, f"{MUST_BE.format('QueueUrl', 'a STRING')}, {MISSING}"),
    ("sqs:sendMessage", {"QueueUrl": "u", "MessageBody": "b", "Delay": 1}, UNKNOWN.format("Delay")),
    ("aws-sdk:s3:listBuckets", {"x": 1}, UNKNOWN.format("x")),
    ("aws-sdk:dynamodb:query", [], "The Parameters must be an object"),
    ("aws-sdk:sqs:sendMessage", {"QueueUrl": "u", "MessageBody": 7}, MUST_BE.format("MessageBody", "a STRING")),
    ("aws-sdk:s3:putObject", {"Bucket": "b", "Key": "k"}, "The field 'Body' is required but was missing"),
    (
        "aws-sdk:dynamodb:getItem",
        {"TableName": "t", "Key": {"k": {"Bool": "yes"}}},
        MUST_BE.format("Bool", "a BOOLEAN"),
    ),
    ("dynamodb:getItem", {"TableName": "t", "Key": {}, "Keys": {}}, UNKNOWN.format("Keys")),
    ("aws-sdk:sfn:createActivity", {"Name": "a", "Tags": [{"key": "k"}]}, UNKNOWN.format("key")),
    (
        "aws-sdk:ecs:putAttributes",
        {"Attributes": [{"Value": "v"}, None, {"Name": "n"}]},
        "The field 'Name' is required but was missing",
    ),
    (
        "aws-sdk:cloudwatch:getMetricStatistics",
        {
            "Namespace": "n",
            "MetricName": "m",
            "StartTime": "soon",
            "EndTime": "2026-01-01T00:00:00Z",
            "Period": 60,
        },
        "The value of the field 'StartTime' has an invalid format",
    ),
]


@pytest.mark.parametrize(("name", "given", "problems"), REFUSED)
def test_parameters_that_do_not_fit(name: str, given: Any, problems: str) -> None:
    text = Payload(given).text
    assert failure(name, given) == (
        "States.Runtime",
        f"The Parameters '{text}' could not be used to start the Task: [{problems}]",
    )


def test_a_role_is_assumed(aws: str) -> None:
    role = "arn:aws:iam::210987654321:role/shop"
    identity = result("aws-sdk:sts:getCallerIdentity", {}, role=role)
    assert identity["Arn"].startswith("arn:aws:sts::210987654321:assumed-role/shop/")
    own = AwsClients(Connecting({"sts": aws, "sqs": aws}))
    assert result("aws-sdk:sqs:listQueues", {}, clients=own, role=role) is not None


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_is_the_execution_s_unless_the_sdk_s_own_comes_first(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "eu-west-1")
    url = result("aws-sdk:sqs:createQueue", {"QueueName": "here"})
    assert url["QueueUrl"]
    queues = {"QueueNamePrefix": "here"}
    assert result("aws-sdk:sqs:listQueues", queues).get("QueueUrls")
    elsewhere = AwsClients(Connecting(sdk_region=True))
    assert not result("aws-sdk:sqs:listQueues", queues, clients=elsewhere).get("QueueUrls")


def test_nobody_is_at_the_endpoint() -> None:
    clients = AwsClients(Connecting({"sqs": "http://127.0.0.1:9"}))
    error, cause = failure("sqs:sendMessage", {"QueueUrl": "http://q/1/2", "MessageBody": "x"}, clients=clients)
    assert error == "SQS.SdkClientException"
    assert cause.startswith("Unable to execute HTTP request: Could not connect to the endpoint URL: ")


def test_no_credentials_for_somebody_else_s_endpoint() -> None:
    clients = AwsClients(Connecting({"sqs": "http://sqs.example"}))
    error, cause = failure("aws-sdk:sqs:listQueues", {}, clients=clients)
    assert (error, cause) == ("Sqs.SdkClientException", "Unable to load credentials: Unable to locate credentials")


def test_json_for_a_text_is_sent_as_text(aws: str) -> None:
    sqs = client("sqs", aws)
    url = sqs.create_queue(QueueName="json")["QueueUrl"]
    for body in ({"a": [1, "ü"]}, [1, 2], "plain"):
        result("aws-sdk:sqs:sendMessage", {"QueueUrl": url, "MessageBody": body})
    bodies = {sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] for _ in range(3)}
    assert bodies == {'{"a":[1,"ü"]}', "[1,2]", "plain"}


def test_texts_and_integers_for_booleans(stock: str) -> None:
    for given, truth in (("true", True), (" TRUE ", True), ("False", False), (1, True), (0, False), (True, True)):
        result("dynamodb:putItem", {"TableName": stock, "Item": {"sku": {"S": "b"}, "ok": {"BOOL": given}}})
        got = result("dynamodb:getItem", {"TableName": stock, "Key": {"sku": {"S": "b"}}})
        assert got["Item"]["ok"] == {"BOOL": truth}


WRONG_VALUES: list[tuple[Any, str]] = [
    ({"TableName": "t", "Key": {"k": {"BOOL": "yes"}}}, MUST_BE.format("BOOL", "a BOOLEAN")),
    ({"TableName": "t", "Key": {"k": {"L": ["red", 7]}}}, MUST_BE.format("L", "an OBJECT")),
    (
        {"TableName": 1, "Key": None},
        f"{MUST_BE.format('TableName', 'a STRING')}, {MISSING.replace('MessageBody', 'Key')}",
    ),
]


@pytest.mark.parametrize(("given", "problems"), WRONG_VALUES)
def test_a_value_that_dynamodb_does_not_take_can_be_caught(given: Any, problems: str) -> None:
    error, cause = failure("dynamodb:getItem", given)
    assert error == "DynamoDB.AmazonDynamoDBException"
    start = (
        f"{problems} (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException; Request ID: "
    )
    assert cause.startswith(start)


REFUSAL = {"__type": "ValidationException", "message": "1 validation error detected: too short"}


@pytest.mark.parametrize(
    ("name", "at", "given", "sent"),
    [
        ("aws-sdk:secretsmanager:getSecretValue", "secretsmanager", {"SecretId": ""}, {"SecretId": ""}),
        ("aws-sdk:dynamodb:batchGetItem", "dynamodb", {"RequestItems": {}}, {"RequestItems": {}}),
        ("aws-sdk:sfn:createActivity", "stepfunctions", {"Name": "n" * 99}, {"name": "n" * 99}),
        ("aws-sdk:sfn:listActivities", "stepfunctions", {"MaxResults": -1}, {"maxResults": -1}),
        ("dynamodb:getItem", "dynamodb", {"TableName": "", "Key": {"k": {}}}, {"TableName": "", "Key": {"k": {}}}),
    ],
)
def test_what_the_service_judges_is_sent_to_it(name: str, at: str, given: Any, sent: Any) -> None:
    with played({name.rpartition(":")[2][:1].upper() + name.rpartition(":")[2][1:]: [REFUSAL]}) as service:
        error, cause = failure(name, given, clients=AwsClients(Connecting({at: service.url})))
    assert [asked for _, asked in service.asked] == [sent]
    assert error in {
        "SecretsManager.SecretsManagerException",
        "DynamoDb.DynamoDbException",
        "Sfn.ValidationException",
        "DynamoDB.AmazonDynamoDBException",
    }
    assert cause.startswith("1 validation error detected: too short (Service: ")


@pytest.mark.parametrize(
    ("name", "given", "error", "cause"),
    [
        (
            "aws-sdk:s3:deleteObject",
            {"Bucket": "attic", "Key": ""},
            "S3.SdkClientException",
            "Unable to marshall request: Key cannot be empty.",
        ),
        (
            "aws-sdk:s3:headBucket",
            {"Bucket": "no bucket"},
            "S3.SdkClientException",
            'Unable to marshall request: Invalid bucket name "no bucket": Bucket name must match',
        ),
        (
            "eks:deleteCluster",
            {"Name": ""},
            "EKS.SdkClientException",
            "Unable to marshall request: Name cannot be empty.",
        ),
    ],
)
def test_a_request_that_cannot_be_made(name: str, given: Any, error: str, cause: str) -> None:
    assert (error, cause) == (failure(name, given)[0], failure(name, given)[1][: len(cause)])


def test_a_text_is_an_attribute_value_of_dynamodb(stock: str) -> None:
    item: Any = {"sku": "text", "tags": {"L": ["red", {"N": "1"}, "blue"]}, "sizes": {"SS": ["s", "m"]}}
    nested: Any = {"shelf": {"M": {"row": "a", "deep": {"L": [{"L": ["x"]}, {"M": {"y": "z"}}]}}}}
    for name in ("dynamodb:putItem", "aws-sdk:dynamodb:putItem"):
        result(name, {"TableName": stock, "Item": {**item, **nested}})
        got = result("dynamodb:getItem", {"TableName": stock, "Key": {"sku": "text"}})["Item"]
        assert got["sku"] == {"S": "text"}
        assert got["tags"] == {"L": [{"S": "red"}, {"N": "1"}, {"S": "blue"}]}
        assert sorted(got["sizes"]["SS"]) == ["m", "s"]
        deep = {"L": [{"L": [{"S": "x"}]}, {"M": {"y": {"S": "z"}}}]}
        assert got["shelf"] == {"M": {"row": {"S": "a"}, "deep": deep}}


@pytest.mark.parametrize("name", ["dynamodb:putItem", "aws-sdk:dynamodb:putItem"])
def test_a_request_that_is_too_deep_for_the_sdk(name: str) -> None:
    """It is as deep as an input may be; DynamoDB itself takes 32 levels."""
    value: Any = {"S": "x"}
    for _ in range(245):
        value = {"L": [value]}
    error, cause = failure(name, {"TableName": "t", "Item": {"k": value}})
    assert error == f"{'DynamoDb' if 'sdk' in name else 'DynamoDB'}.SdkClientException"
    assert cause == "Unable to marshall request: It is nested too deeply."


def test_members_that_java_cannot_call_so_have_other_names_both_ways() -> None:
    selector: Any = {"Name": "s", "FieldSelectors": [{"Field": "eventCategory", "EqualsValue": ["Data"]}]}
    given: Any = {"TrailName": "t", "AdvancedEventSelectors": [selector]}
    told = {"Name": "s", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
    answer = {"TrailARN": "arn", "AdvancedEventSelectors": [told]}
    with played({"PutEventSelectors": [answer]}) as service:
        clients = AwsClients(Connecting({"cloudtrail": service.url}))
        got = result("aws-sdk:cloudtrail:putEventSelectors", given, clients=clients)
    assert service.asked == [("PutEventSelectors", {"TrailName": "t", "AdvancedEventSelectors": [told]})]
    assert got == {"AdvancedEventSelectors": [selector], "TrailARN": "arn"}
