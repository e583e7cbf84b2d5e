"""What a stack of the CDK (2.x) declares that uses its constructs for APIs, events, queues, tables and buckets.

cdk.template.json is what it synthesised, without roles, policies and permissions.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.templates.reading import ACCOUNT, FUNCTION, MACHINE, cloudformation

if TYPE_CHECKING:
    from asl_engine.templates.declarations import Declarations

TAKE = f"{FUNCTION}:TakeAAA5D174"
ORDER = f"{MACHINE}:Order702A5B72"
QUEUES = f"arn:aws:sqs:us-east-1:{ACCOUNT}"
DEAD = f"{QUEUES}:DeadB2807C34"


@cache
def stack() -> Declarations:
    text = (Path(__file__).parent / "events" / "cdk.template.json").read_text(encoding="utf-8")
    return cloudformation(text)


def properties(kind: str) -> list[Any]:
    return [one.properties for one in stack().resources if one.type == kind]


def test_nothing_is_told() -> None:
    assert [*stack().told(), *stack().findings] == []


def test_routes() -> None:
    found = [one for one in stack().routes if one.method != "OPTIONS"]
    assert [(one.stage, one.method, one.path, one.target, one.payload) for one in found] == [
        ("prod", "POST", "/orders", TAKE, "1.0"),
        ("prod", "GET", "/orders/{id}", TAKE, "1.0"),
        ("prod", "POST", "/start", ORDER, "1.0"),
        ("prod", "ANY", "/", ORDER, "1.0"),
        ("prod", "ANY", "/{proxy+}", TAKE, "1.0"),
        ("prod", "ANY", "/", TAKE, "1.0"),
        ("$default", "GET", "/orders/{id}", TAKE, "2.0"),
        ("$default", "POST", "/begin", ORDER, "1.0"),
        ("$default", "ANY", "$default", f"{TAKE}:prod", "2.0"),
        ("$default", "ANY", "$default", TAKE, "2.0"),
    ]
    preflight = [one for one in stack().routes if one.method == "OPTIONS"]
    assert [(one.path, one.target, one.integration["Type"]) for one in preflight] == [
        ("/", None, "MOCK"),
        ("/orders", None, "MOCK"),
        ("/orders/{id}", None, "MOCK"),
        ("/start", None, "MOCK"),
    ]


def test_rules() -> None:
    rule, clock, scheduled = stack().rules
    assert (rule.bus, rule.configuration["EventPattern"]) == ("ShopBus7A6DB0DE", '{"source":["shop"]}')
    assert [*rule.targets.values()] == [
        {"Arn": TAKE, "DeadLetterConfig": {"Arn": DEAD}, "RetryPolicy": {"MaximumRetryAttempts": 2}},
        {
            "Arn": ORDER,
            "InputTransformer": {
                "InputPathsMap": {"detail-id": "$.detail.id"},
                "InputTemplate": '{"id":<detail-id>}',
            },
        },
        {"Arn": f"{QUEUES}:OrdersA9B65338"},
    ]
    assert clock.configuration["ScheduleExpression"] == "rate(5 minutes)"
    assert [one["Input"] for one in scheduled.targets.values()] == ['{"a":1}']


def test_mappings() -> None:
    queue, table, stream = stack().mappings
    assert {one.function for one in stack().mappings} == {"TakeAAA5D174"}
    assert (queue.source, queue.properties["ScalingConfig"]) == (
        f"{QUEUES}:OrdersA9B65338",
        {"MaximumConcurrency": 4},
    )
    assert table.source == f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/TableCD117FA1/stream/LATEST"
    assert table.properties["DestinationConfig"] == {"OnFailure": {"Destination": DEAD}}
    assert stream.properties["StartingPosition"] == "TRIM_HORIZON"


def test_resources() -> None:
    assert properties("AWS::SQS::Queue")[1] == {
        "RedrivePolicy": {"deadLetterTargetArn": DEAD, "maxReceiveCount": 3},
        "VisibilityTimeout": 60,
    }
    assert properties("AWS::S3::Bucket") == [
        {
            "NotificationConfiguration": {
                "LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": TAKE}]
            }
        }
    ]
    assert [(one["Protocol"], one["Endpoint"]) for one in properties("AWS::SNS::Subscription")] == [
        ("lambda", TAKE),
        ("sqs", f"{QUEUES}:OrdersA9B65338"),
    ]
    [function] = [one for one in stack().functions if one.name == "TakeAAA5D174"]
    assert (function.architecture, function.reserved) == ("arm64", 3)
