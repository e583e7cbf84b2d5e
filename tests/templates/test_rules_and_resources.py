"""Rules, schedules, mappings and other resources of a CloudFormation template, and what is told of them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session

from asl_engine.templates.event_sources import BOOLEANS, INTEGERS, MEMBERS
from tests.templates.reading import ACCOUNT, FUNCTION, cloudformation, sam, serverless, told

HEAD = "Resources:\n  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: take}}\n"
TARGET = "Targets: [{Id: t, Arn: !GetAtt F.Arn}]"


def declared(resource: str) -> Any:
    return cloudformation(f"{HEAD}  X: {resource}\n")


TOLD = {
    "a pattern that is none": (
        f"{{Type: AWS::Events::Rule, Properties: {{EventPattern: {{source: a}}, {TARGET}}}}}",
        ("ERROR", '"source" must be an object or an array'),
    ),
    "a schedule that is none": (
        f"{{Type: AWS::Events::Rule, Properties: {{ScheduleExpression: hourly, {TARGET}}}}}",
        (
            "ERROR",
            (
                "Parameter ScheduleExpression is not valid: hourly: it is rate(5 minutes), "
                "cron(0 12 ? * MON-FRI *) or at(2030-01-01T00:00:00)"
            ),
        ),
    ),
    "a rule of nothing": (
        f"{{Type: AWS::Events::Rule, Properties: {{{TARGET}}}}}",
        ("ERROR", "The rule has neither an EventPattern nor a ScheduleExpression"),
    ),
    "a target that nothing here is": (
        (
            "{Type: AWS::Events::Rule, Properties: {EventPattern: {source: [a]}, Targets: [{Id: t, Arn: "
            "'arn:aws:ecs:us-east-1:123456789012:cluster/c'}]}}"
        ),
        (
            "WARNING",
            (
                "Events are sent to state machines, Lambda functions, SQS queues and event buses here, and not to "
                "arn:aws:ecs:us-east-1:123456789012:cluster/c"
            ),
        ),
    ),
    "the universal target": (
        (
            "{Type: AWS::Scheduler::Schedule, Properties: {ScheduleExpression: rate(1 day), Target: {Arn: "
            "'arn:aws:scheduler:::aws-sdk:sqs:sendMessage', RoleArn: r}}}"
        ),
        (
            "WARNING",
            (
                "Events are sent to state machines, Lambda functions, SQS queues and event buses here, and not to "
                "arn:aws:scheduler:::aws-sdk:sqs:sendMessage (the universal target)"
            ),
        ),
    ),
    "a time zone": (
        (
            "{Type: AWS::Scheduler::Schedule, Properties: {ScheduleExpression: 'cron(0 9 * * ? *)', "
            "ScheduleExpressionTimezone: Europe/Paris, Target: {Arn: !GetAtt F.Arn}}}"
        ),
        ("WARNING", "Schedules run in UTC here, not in Europe/Paris"),
    ),
    "a mapping of Kafka": (
        (
            "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F, Topics: [t], "
            "EventSourceArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/c/1'}}"
        ),
        (
            "WARNING",
            "Nothing here polls a Kafka topic: only queues of SQS, and streams of DynamoDB and Kinesis",
        ),
    ),
    "a mapping of no source": (
        "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F}}",
        ("ERROR", "The mapping has no EventSourceArn"),
    ),
    "a number that is none": (
        (
            "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F, BatchSize: many, "
            "EventSourceArn: 'arn:aws:sqs:us-east-1:123456789012:q'}}"
        ),
        ("ERROR", "BatchSize has to be a whole number; it is many"),
    ),
    "a stream that only its stack knows": (
        "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: f, EventSourceArn: !ImportValue s}}",
        ("ERROR", "No stack here exports s: substitute a value for s"),
    ),
    "a parameter that CloudFormation does not make": (
        "{Type: AWS::SSM::Parameter, Properties: {Type: SecureString, Value: x}}",
        ("ERROR", "CloudFormation makes no parameters of the type SecureString"),
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_is_told_of_a_resource(case: str) -> None:
    resource, expected = TOLD[case]
    found = declared(resource)
    every = {one for one in (*found.told(), *found.findings) if one.line == 3}
    assert [(one.severity, one.message) for one in every] == [expected]


def test_a_rule_without_a_target_here_is_still_one() -> None:
    [rule] = declared(TOLD["a target that nothing here is"][0]).rules
    assert rule.targets == {}


def test_a_rule_names_its_bus_by_its_arn_too() -> None:
    [rule] = declared(
        '{Type: AWS::Events::Rule, Properties: {EventPattern: \'{"source": ["a"]}\', EventBusName: '
        f"'arn:aws:events:us-east-1:{ACCOUNT}:event-bus/shop', {TARGET}}}}}"
    ).rules
    assert (rule.bus, rule.configuration["EventPattern"]) == ("shop", '{"source": ["a"]}')
    assert rule.targets == {"t": {"Arn": f"{FUNCTION}:take"}}


RESOURCES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "a queue": (
        (
            '{Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: "30", RedrivePolicy: {deadLetterTargetArn: a,'
            ' maxReceiveCount: "3"}, Tags: [{Key: a, Value: !Ref Nothing}]}}'
        ),
        "AWS::SQS::Queue",
        "X",
        {"VisibilityTimeout": 30, "RedrivePolicy": {"deadLetterTargetArn": "a", "maxReceiveCount": 3}},
    ),
    "a queue in order": (
        "{Type: AWS::SQS::Queue, Properties: {FifoQueue: 'true'}}",
        "AWS::SQS::Queue",
        "X.fifo",
        {"FifoQueue": True},
    ),
    "a bucket": ("{Type: AWS::S3::Bucket}", "AWS::S3::Bucket", "x", {}),
    "a global table": (
        (
            "{Type: AWS::DynamoDB::GlobalTable, Properties: {TableName: t, KeySchema: [{AttributeName: id, "
            "KeyType: HASH}], Replicas: [{Region: us-east-1}], GlobalSecondaryIndexes: [{IndexName: i, "
            "WriteProvisionedThroughputSettings: {}}]}}"
        ),
        "AWS::DynamoDB::Table",
        "t",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [{"IndexName": "i"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "TableName": "t",
        },
    ),
    "a table of SAM": (
        "{Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: n, Type: Number}}}",
        "AWS::DynamoDB::Table",
        "X",
        {
            "AttributeDefinitions": [{"AttributeName": "n", "AttributeType": "N"}],
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
        },
    ),
    "a secret": (
        "{Type: AWS::SecretsManager::Secret, Properties: {Name: s, KmsKeyId: !ImportValue k, SecretString: hush}}",
        "AWS::SecretsManager::Secret",
        "s",
        {"Name": "s", "SecretString": "hush"},
    ),
    "a bus": (
        "{Type: AWS::Events::EventBus, Properties: {Name: shop}}",
        "AWS::Events::EventBus",
        "shop",
        {"Name": "shop"},
    ),
}


@pytest.mark.parametrize("case", RESOURCES)
def test_resources(case: str) -> None:
    given, kind, name, properties = RESOURCES[case]
    [resource] = declared(given).resources
    assert (resource.type, resource.name, resource.findings) == (kind, name, ())
    assert resource.properties == properties


def test_a_resource_whose_condition_does_not_hold_is_not_there() -> None:
    text = "Conditions: {Never: !Equals [a, b]}\nResources:\n  Q: {Type: AWS::SQS::Queue, Condition: Never}\n"
    assert cloudformation(text).resources == ()


def test_topics_and_buckets_of_sam() -> None:
    found = sam(
        """
        Events:
          T: {Type: SNS, Properties: {Topic: !Ref Topic, FilterPolicy: {kind: [a]}}}
          B:
            Type: S3
            Properties:
              Bucket: !Ref Files
              Events: "s3:ObjectCreated:*"
              Filter: {S3Key: {Rules: [{Name: suffix, Value: .csv}]}}
    """,
        rest="Topic: {Type: AWS::SNS::Topic}\nFiles: {Type: AWS::S3::Bucket}",
    )
    by_type = {one.type: one.properties for one in found.resources}
    assert by_type["AWS::SNS::Subscription"] == {
        "Endpoint": f"{FUNCTION}:F",
        "FilterPolicy": {"kind": ["a"]},
        "Protocol": "lambda",
        "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:Topic",
    }
    assert by_type["AWS::S3::Bucket"]["NotificationConfiguration"] == {
        "LambdaConfigurations": [
            {
                "Event": "s3:ObjectCreated:*",
                "Filter": {"S3Key": {"Rules": [{"Name": "suffix", "Value": ".csv"}]}},
                "Function": f"{FUNCTION}:F",
            }
        ]
    }


def test_a_queue_between_a_topic_and_a_function() -> None:
    found = sam(
        "Events: {T: {Type: SNS, Properties: {Topic: !Ref Topic, SqsSubscription: true}}}",
        rest="Topic: {Type: AWS::SNS::Topic, Properties: {FifoTopic: true}}",
    )
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:FTQueue.fifo"
    [mapping] = found.mappings
    assert (mapping.source, mapping.properties) == (queue, {"BatchSize": 10, "Enabled": True})
    [subscription] = [one for one in found.resources if one.type == "AWS::SNS::Subscription"]
    assert (subscription.properties["Protocol"], subscription.properties["Endpoint"]) == ("sqs", queue)
    assert ("AWS::SQS::Queue", "FTQueue.fifo") in [(one.type, one.name) for one in found.resources]


def test_topics_and_buckets_of_serverless() -> None:
    found = serverless("""
        events:
          - sns: placed
          - sns: {topicName: placed, filterPolicy: {kind: [a]}}
          - s3: {bucket: files, event: "s3:ObjectRemoved:*", rules: [{prefix: in/}]}
    """)
    topics = [one for one in found.resources if one.type == "AWS::SNS::Topic"]
    assert [one.name for one in topics] == ["placed"]
    assert [
        one.properties.get("FilterPolicy") for one in found.resources if one.type.endswith("Subscription")
    ] == [
        None,
        {"kind": ["a"]},
    ]
    [bucket] = [one for one in found.resources if one.type == "AWS::S3::Bucket"]
    assert bucket.name == "files"
    notified: Any = bucket.properties["NotificationConfiguration"]
    assert notified["LambdaConfigurations"][0]["Filter"] == {
        "S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}
    }


@pytest.mark.parametrize("reference", ["F.Alias", "FAliaslive"])
def test_the_alias_that_sam_publishes(reference: str) -> None:
    rule = f"Properties: {{EventPattern: {{source: [a]}}, Targets: [{{Id: t, Arn: !Ref {reference}}}]}}"
    [found] = sam("AutoPublishAlias: live", rest=f"R: {{Type: AWS::Events::Rule, {rule}}}").rules
    assert (found.targets, found.findings) == ({"t": {"Arn": f"{FUNCTION}:F:live"}}, ())


@pytest.mark.parametrize(
    ("given", "architecture", "reserved"),
    [
        ("Architectures: [arm64]\nReservedConcurrentExecutions: '5'", "arm64", 5),
        ("ReservedConcurrentExecutions: 0", "x86_64", 0),
        ("{}", "x86_64", None),
    ],
)
def test_architecture_and_concurrency(given: str, architecture: str, reserved: int | None) -> None:
    [function] = sam("" if given == "{}" else given).functions
    assert (function.architecture, function.reserved, function.findings) == (architecture, reserved, ())


def test_concurrency_that_is_none_is_told() -> None:
    [function] = sam("ReservedConcurrentExecutions: few\nArchitectures: [mips]").functions
    assert [message for _, message, _ in told(function.findings)] == [
        "There is no architecture mips; there are x86_64, arm64",
        "ReservedConcurrentExecutions has to be a whole number from 0 on",
    ]


def test_properties_of_mappings_are_members_of_the_operation() -> None:
    model = get_session().get_service_model("lambda").operation_model("CreateEventSourceMapping").input_shape
    assert model is not None
    assert {*MEMBERS} <= {*model.members}
    kinds = {**dict(model.members), **dict(model.members["ScalingConfig"].members)}
    assert {kinds[name].type_name for name in INTEGERS} == {"integer"}
    assert {kinds[name].type_name for name in BOOLEANS} == {"boolean"}
