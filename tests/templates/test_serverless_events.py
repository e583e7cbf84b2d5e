"""Events of a serverless.yml, as the mappings, rules and routes that the framework makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.templates.reading import ACCOUNT, FUNCTION, MACHINE, serverless, told

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t/stream/2026"

MAPPINGS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a queue by its ARN": (f"sqs: {QUEUE}", QUEUE, {"BatchSize": 10}),
    "a queue with all settings": (
        (
            f"sqs: {{arn: {QUEUE}, batchSize: 5, maximumBatchingWindow: 2, enabled: false, maximumConcurrency: 3, "
            "functionResponseType: ReportBatchItemFailures, filterPatterns: [{body: {a: [1]}}]}"
        ),
        QUEUE,
        {
            "BatchSize": 5,
            "Enabled": False,
            "FilterCriteria": {"Filters": [{"Pattern": '{"body":{"a":[1]}}'}]},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MaximumBatchingWindowInSeconds": 2,
            "ScalingConfig": {"MaximumConcurrency": 3},
        },
    ),
    "a stream by its ARN": (f"stream: {TABLE}", TABLE, {"BatchSize": 10, "StartingPosition": "TRIM_HORIZON"}),
    "a stream with all settings": (
        (
            f"stream: {{type: dynamodb, arn: {TABLE}, batchSize: 7, batchWindow: 1, startingPosition: LATEST, "
            "maximumRetryAttempts: 4, bisectBatchOnFunctionError: true, maximumRecordAgeInSeconds: 60, "
            f"parallelizationFactor: 2, tumblingWindowInSeconds: 30, destinations: {{onFailure: {QUEUE}}}}}"
        ),
        TABLE,
        {
            "BatchSize": 7,
            "BisectBatchOnFunctionError": True,
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
            "MaximumBatchingWindowInSeconds": 1,
            "MaximumRecordAgeInSeconds": 60,
            "MaximumRetryAttempts": 4,
            "ParallelizationFactor": 2,
            "StartingPosition": "LATEST",
            "TumblingWindowInSeconds": 30,
        },
    ),
}


@pytest.mark.parametrize("case", MAPPINGS)
def test_mappings(case: str) -> None:
    given, source, properties = MAPPINGS[case]
    [mapping] = serverless(f"events: [{{{given}}}]").mappings
    assert (mapping.function, mapping.source, mapping.findings) == ("shop-dev-f", source, ())
    assert mapping.properties == properties


RULES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "a pattern": (
        (
            "eventBridge: {eventBus: shop, pattern: {source: [a]}, inputPath: '$.detail', deadLetterQueueArn: "
            f"{QUEUE}, retryPolicy: {{maximumEventAge: 60, maximumRetryAttempts: 2}}}}"
        ),
        "shop",
        {"EventPattern": '{"source":["a"]}'},
        {
            "DeadLetterConfig": {"Arn": QUEUE},
            "InputPath": "$.detail",
            "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 2},
        },
    ),
    "a transformer": (
        (
            "eventBridge: {pattern: {source: [a]}, "
            "inputTransformer: {inputPathsMap: {a: '$.id'}, inputTemplate: '<a>'}}"
        ),
        "default",
        {"EventPattern": '{"source":["a"]}'},
        {"InputTransformer": {"InputPathsMap": {"a": "$.id"}, "InputTemplate": "<a>"}},
    ),
    "a schedule on the bus": (
        "eventBridge: {schedule: rate(1 minute), input: {a: 1}}",
        "default",
        {"ScheduleExpression": "rate(1 minute)"},
        {"Input": '{"a":1}'},
    ),
    "a schedule": ("schedule: rate(2 hours)", "default", {"ScheduleExpression": "rate(2 hours)"}, {}),
    "one of the scheduler": (
        "schedule: {rate: rate(2 hours), method: scheduler, input: {a: 1}}",
        "default",
        {"ScheduleExpression": "rate(2 hours)"},
        {"Input": '{"a":1}'},
    ),
}


@pytest.mark.parametrize("case", RULES)
def test_rules(case: str) -> None:
    given, bus, configuration, target = RULES[case]
    [rule] = serverless(f"events:\n  - {given}").rules
    assert (rule.bus, rule.findings) == (bus, ())
    assert rule.configuration == {"State": "ENABLED", **configuration}
    assert [*rule.targets.values()] == [{"Arn": f"{FUNCTION}:shop-dev-f", **target}]


def test_a_list_of_rates_is_a_rule_for_each() -> None:
    rules = serverless("events: [{schedule: {rate: [rate(1 hour), rate(2 hours)], enabled: false}}]").rules
    assert [(one.configuration["ScheduleExpression"], one.configuration["State"]) for one in rules] == [
        ("rate(1 hour)", "DISABLED"),
        ("rate(2 hours)", "DISABLED"),
    ]
    assert len({one.name for one in rules}) == 2


def test_a_bus_that_rules_name_is_made_once() -> None:
    event = "eventBridge: {eventBus: shop, pattern: {source: [a]}}"
    found = serverless(f"events: [{{{event}}}, {{{event}}}]")
    assert [(one.type, one.name) for one in found.resources] == [("AWS::Events::EventBus", "shop")]
    assert len(found.rules) == 2


def test_rules_of_a_state_machine() -> None:
    found = serverless(
        machine="""
        events:
          - eventBridge: {event: {source: [a]}, eventBusName: shop, enabled: false}
          - cloudwatchEvent: {event: {source: [b]}, input: {x: 1}}
          - schedule: rate(1 day)
    """
    )
    assert [(one.bus, one.configuration) for one in found.rules] == [
        ("shop", {"State": "DISABLED", "EventPattern": '{"source":["a"]}'}),
        ("default", {"State": "ENABLED", "EventPattern": '{"source":["b"]}'}),
        ("default", {"State": "ENABLED", "ScheduleExpression": "rate(1 day)"}),
    ]
    assert {target["Arn"] for one in found.rules for target in one.targets.values()} == {f"{MACHINE}:m"}


def test_routes() -> None:
    found = serverless(
        """
        events:
          - http: POST orders
          - http: {path: "orders/{id}", method: any}
          - httpApi: GET /orders
          - httpApi: "*"
    """,
        "events: [{http: {path: start, method: post}}]",
    )
    assert [(one.api, one.stage, one.method, one.path, one.payload) for one in found.routes] == [
        ("ApiGatewayRestApi", "dev", "POST", "/orders", "1.0"),
        ("ApiGatewayRestApi", "dev", "ANY", "/orders/{id}", "1.0"),
        ("ApiGatewayRestApi", "dev", "POST", "/start", "1.0"),
        ("HttpApi", "$default", "GET", "/orders", "2.0"),
        ("HttpApi", "$default", "ANY", "$default", "2.0"),
    ]
    assert [one.target for one in found.routes] == [
        *[f"{FUNCTION}:shop-dev-f"] * 2,
        f"{MACHINE}:m",
        *[f"{FUNCTION}:shop-dev-f"] * 2,
    ]
    assert [one.findings for one in found.routes] == [()] * 5


def test_what_nothing_here_runs_is_told() -> None:
    found = serverless("events:\n  - alexaSkill: x\n  - htp: GET /\n")
    assert told(found.findings) == [
        ("WARNING", "Nothing here runs alexaSkill events: f is not called by them", 6),
        ("ERROR", "There are no events called htp; did you mean 'http'?", 7),
    ]
