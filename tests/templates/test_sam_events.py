"""Events of SAM's functions and state machines, as the mappings, rules and routes that SAM makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.templates.reading import ACCOUNT, FUNCTION, MACHINE, sam, told

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}"
TABLE = "{Type: AWS::DynamoDB::Table, Properties: {StreamSpecification: {StreamViewType: NEW_IMAGE}}}"

MAPPINGS = {
    "a queue": (
        "Queue: !GetAtt Q.Arn, BatchSize: 5, FunctionResponseTypes: [ReportBatchItemFailures]",
        "SQS",
        f"{QUEUE}:Q",
        {"BatchSize": 5, "FunctionResponseTypes": ["ReportBatchItemFailures"]},
    ),
    "numbers and truths as texts": (
        'Queue: !GetAtt Q.Arn, BatchSize: "7", Enabled: "false", ScalingConfig: {MaximumConcurrency: "2"}',
        "SQS",
        f"{QUEUE}:Q",
        {"BatchSize": 7, "Enabled": False, "ScalingConfig": {"MaximumConcurrency": 2}},
    ),
    "the stream of a table": (
        (
            "Stream: !GetAtt T.StreamArn, StartingPosition: LATEST, BisectBatchOnFunctionError: true, "
            "DestinationConfig: {OnFailure: {Destination: !GetAtt Q.Arn}}"
        ),
        "DynamoDB",
        f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/T/stream/LATEST",
        {
            "BisectBatchOnFunctionError": True,
            "DestinationConfig": {"OnFailure": {"Destination": f"{QUEUE}:Q"}},
            "StartingPosition": "LATEST",
        },
    ),
    "a stream of Kinesis": (
        "Stream: !GetAtt K.Arn, StartingPosition: TRIM_HORIZON, ParallelizationFactor: 4",
        "Kinesis",
        f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/K",
        {"ParallelizationFactor": 4, "StartingPosition": "TRIM_HORIZON"},
    ),
}
RESOURCES = f"Q: {{Type: AWS::SQS::Queue}}\nT: {TABLE}\nK: {{Type: AWS::Kinesis::Stream}}"


@pytest.mark.parametrize("case", MAPPINGS)
def test_mappings(case: str) -> None:
    given, kind, source, properties = MAPPINGS[case]
    [mapping] = sam(f"Events: {{E: {{Type: {kind}, Properties: {{{given}}}}}}}", rest=RESOURCES).mappings
    assert (mapping.logical, mapping.function, mapping.source) == ("FE", "F", source)
    assert mapping.properties == properties
    assert mapping.findings == ()


RULES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "a pattern": (
        "{Type: EventBridgeRule, Properties: {EventBusName: shop, Pattern: {source: [a]}, InputPath: '$.detail'}}",
        "shop",
        {"State": "ENABLED", "EventPattern": '{"source":["a"]}'},
        {"InputPath": "$.detail"},
    ),
    "its older name": (
        "{Type: CloudWatchEvent, Properties: {Pattern: {source: [a]}, Enabled: false}}",
        "default",
        {"State": "DISABLED", "EventPattern": '{"source":["a"]}'},
        {},
    ),
    "a schedule": (
        (
            "{Type: Schedule, Properties: {Schedule: rate(5 minutes), Input: '{}', RetryPolicy: "
            "{MaximumRetryAttempts: '3'}}}"
        ),
        "default",
        {"State": "ENABLED", "ScheduleExpression": "rate(5 minutes)"},
        {"Input": "{}", "RetryPolicy": {"MaximumRetryAttempts": 3}},
    ),
    "one of the scheduler": (
        "{Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), State: DISABLED, Input: 'x'}}",
        "default",
        {"State": "DISABLED", "ScheduleExpression": "rate(1 hour)"},
        {"Input": "x"},
    ),
}


@pytest.mark.parametrize("case", RULES)
@pytest.mark.parametrize("of", ["F", "M"])
def test_rules(case: str, of: str) -> None:
    given, bus, configuration, target = RULES[case]
    events = f"Events: {{E: {given}}}"
    [rule] = (sam(events) if of == "F" else sam(machine=events)).rules
    assert (rule.name, rule.bus, rule.findings) == (f"{of}E", bus, ())
    assert rule.configuration == configuration
    arn = f"{FUNCTION}:F" if of == "F" else f"{MACHINE}:M"
    assert [*rule.targets.values()] == [{"Arn": arn, **target}]


def test_routes_of_functions() -> None:
    found = sam("""
        Events:
          A: {Type: Api, Properties: {Path: "/orders/{id}", Method: get}}
          H: {Type: HttpApi, Properties: {Path: /orders, Method: any}}
          D: {Type: HttpApi}
    """)
    assert [(one.api, one.stage, one.method, one.path, one.payload) for one in found.routes] == [
        ("ServerlessRestApi", "Prod", "GET", "/orders/{id}", "1.0"),
        ("ServerlessHttpApi", "$default", "ANY", "/orders", "2.0"),
        ("ServerlessHttpApi", "$default", "ANY", "$default", "2.0"),
    ]
    assert {one.target for one in found.routes} == {f"{FUNCTION}:F"}
    assert {one.integration["Type"] for one in found.routes} == {"AWS_PROXY"}


def test_a_route_starts_a_state_machine() -> None:
    [route] = sam(machine="Events: {A: {Type: Api, Properties: {Path: /start, Method: POST}}}").routes
    assert (route.method, route.path, route.target) == ("POST", "/start", f"{MACHINE}:M")
    assert route.integration["RequestTemplates"] == {
        "application/json": '{"input": "$util.escapeJavaScript($input.json(\'$\'))", '
        f'"stateMachineArn": "{MACHINE}:M"}}'
    }
    assert route.findings == ()


def test_what_nothing_here_runs_is_told() -> None:
    found = sam("Events:\n  X: {Type: AlexaSkill}\n  Y: {Type: Sqs}")
    assert told(found.findings) == [
        ("WARNING", "Nothing here runs events of the type AlexaSkill: F is not called by X", 9),
        ("ERROR", "SAM has no events of the type Sqs there; did you mean 'SQS'?", 10),
    ]


@pytest.mark.parametrize("kind", ["Api", "HttpApi"])
def test_a_path_without_its_slash_is_told_and_left_out(kind: str) -> None:
    events = f"Events: {{E: {{Type: {kind}, Properties: {{Path: items, Method: get}}}}}}"
    declared = sam(events)
    assert declared.routes == ()
    ((severity, message, _),) = told(declared.findings)
    assert (severity, message) == (
        "ERROR",
        "The path of an API begins with a slash, as /items does; it is 'items'",
    )
