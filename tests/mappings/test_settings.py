"""What a project says of its mappings: what is taken, and what is refused, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.errors import InvalidInput
from asl_engine.findings import Finding
from asl_engine.mappings.settings import read_mappings
from asl_engine.templates.declarations import DeclaredMapping
from tests.mappings.harness import HOME

QUEUE = {"function": "work", "source": "queue:orders"}
TABLE = {"function": "work", "source": "table:orders", "StartingPosition": "TRIM_HORIZON"}
KINESIS = {"function": "work", "source": "stream:clicks", "StartingPosition": "LATEST"}
DEAD = "arn:aws:sqs:us-east-1:123456789012:dead"


def read(table: dict[str, Any], *declared: DeclaredMapping) -> Any:
    return read_mappings(table, declared, HOME, "asl.toml")


def one(**members: Any) -> Any:
    (mapping,) = read({"m": members}).mappings
    return mapping


def test_a_queue_has_the_defaults_of_aws() -> None:
    mapping = one(**QUEUE)
    assert mapping.function == "arn:aws:lambda:us-east-1:123456789012:function:work"
    assert mapping.source.arn == "arn:aws:sqs:us-east-1:123456789012:orders"
    assert (mapping.batch_size, mapping.window, mapping.reports, mapping.enabled) == (10, 0, False, True)
    assert mapping.arn == one(**QUEUE).arn
    assert mapping.arn.startswith("arn:aws:lambda:us-east-1:123456789012:event-source-mapping:")


def test_a_stream_has_the_defaults_of_aws() -> None:
    mapping = one(**TABLE)
    assert mapping.source.arn == "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/LATEST"
    assert (mapping.batch_size, mapping.retries, mapping.max_age, mapping.factor) == (100, -1, -1, 1)
    assert one(**KINESIS).source.arn == "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"


@pytest.mark.parametrize(
    ("source", "kind", "name"),
    [
        ("arn:aws:sqs:eu-west-1:1:q.fifo", "queue", "q.fifo"),
        ("arn:aws:dynamodb:eu-west-1:1:table/T/stream/2026-01-01T00:00:00.000", "table", "T"),
        ("arn:aws:dynamodb:eu-west-1:1:table/T", "table", "T"),
        ("arn:aws:kinesis:eu-west-1:1:stream/S", "stream", "S"),
    ],
)
def test_a_source_may_be_an_arn(source: str, kind: str, name: str) -> None:
    members = {} if kind == "queue" else {"StartingPosition": "LATEST"}
    found = one(function="work", source=source, **members).source
    assert (found.kind, found.name, found.region) == (kind, name, "eu-west-1")


@pytest.mark.parametrize(
    ("base", "members", "told"),
    [
        (QUEUE, {"function": 1}, "function: it has to be the name or the ARN of a function; it is 1"),
        (QUEUE, {"source": "orders"}, "source: 'orders' is no source; it is the ARN of a queue"),
        (QUEUE, {"source": "arn:aws:mq:us-east-1:1:broker:b"}, "is no source that can be polled here"),
        (KINESIS, {"source": "arn:aws:kinesis:us-east-1:1:stream/S/consumer/C:1"}, "name its stream instead"),
        (QUEUE, {"BatchSise": 1}, "BatchSise: there is no such key; did you mean 'BatchSize'?"),
        (QUEUE, {"Topics": ["t"]}, "Topics: it goes with Kafka"),
        (QUEUE, {"BatchSize": 0}, "BatchSize: it has to be a whole number from 1 to 10000; it is 0"),
        (QUEUE, {"BatchSize": True}, "it is True"),
        (QUEUE, {"BatchSize": 11}, "BatchSize: more than 10 need a MaximumBatchingWindowInSeconds"),
        (QUEUE, {"MaximumBatchingWindowInSeconds": 301}, "from 0 to 300; it is 301"),
        (QUEUE | {"source": "queue:q.fifo"}, {"BatchSize": 11}, "from 1 to 10; it is 11"),
        (QUEUE | {"source": "queue:q.fifo"}, {"MaximumBatchingWindowInSeconds": 1}, "not for FIFO queues"),
        (QUEUE, {"ScalingConfig": {"MaximumConcurrency": 1}}, "ScalingConfig.MaximumConcurrency: it has to be"),
        (QUEUE, {"ScalingConfig": {"Maximum": 2}}, "ScalingConfig: there is no 'Maximum'"),
        (QUEUE, {"ScalingConfig": 3}, "ScalingConfig: it has to be a table with MaximumConcurrency; it is 3"),
        (
            QUEUE,
            {"ScalingConfig": {"MaximumConcurrency": 2}, "ProvisionedPollerConfig": {}},
            "it does not go with ProvisionedPollerConfig",
        ),
        (QUEUE, {"FunctionResponseTypes": ["All"]}, 'it can be ["ReportBatchItemFailures"]'),
        (QUEUE, {"Enabled": "no"}, "Enabled: it has to be true or false; it is 'no'"),
        (QUEUE, {"StartingPosition": "LATEST"}, "StartingPosition: it is for streams"),
        (QUEUE, {"DestinationConfig": {}}, "a queue has a redrive policy of its own"),
        (QUEUE, {"FilterCriteria": []}, "FilterCriteria is a table with the list Filters"),
        (
            QUEUE,
            {"FilterCriteria": {"Filters": [{}]}},
            "FilterCriteria.Filters[0] has to be a table with a Pattern",
        ),
        (
            QUEUE,
            {"FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": 1}}'}]}},
            'FilterCriteria.Filters[0].Pattern: /body/a: "a" must be an object or an array',
        ),
        (QUEUE, {"FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 11}}, "there are at most 10, not 11"),
        (QUEUE, {"FilterCriteria": {"Filters": [{"Pattern": " " * 4097}]}}, "it has 4097 characters"),
        (TABLE, {"StartingPosition": None}, "StartingPosition: it has to be one of TRIM_HORIZON, LATEST; it is"),
        (TABLE, {"StartingPosition": "AT_TIMESTAMP"}, "AT_TIMESTAMP is for Kinesis"),
        (KINESIS, {"StartingPosition": "AT_TIMESTAMP"}, "StartingPositionTimestamp: it goes with"),
        (KINESIS, {"StartingPositionTimestamp": 1}, "StartingPositionTimestamp: it goes with"),
        (
            KINESIS,
            {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": "noon"},
            "seconds since 1970, or a time such as 2026-01-31T12:00:00Z; it is 'noon'",
        ),
        (TABLE, {"ScalingConfig": {}}, "ScalingConfig: it is for queues"),
        (TABLE, {"MaximumRecordAgeInSeconds": 59}, "from 60 to 604800, or -1 for no limit; it is 59"),
        (TABLE, {"MaximumRetryAttempts": -2}, "from 0 to 10000, or -1 for no limit"),
        (TABLE, {"ParallelizationFactor": 11}, "from 1 to 10"),
        (TABLE, {"BatchSize": 10_001}, "from 1 to 10000"),
        (TABLE, {"TumblingWindowInSeconds": 30}, "windows with a state are not run here"),
        (TABLE, {"DestinationConfig": {"OnSuccess": {"Destination": DEAD}}}, "DestinationConfig.OnSuccess: it is"),
        (
            TABLE,
            {"DestinationConfig": {"OnFailure": {"Destination": "dead"}}},
            "DestinationConfig.OnFailure.Destination: it has to be the ARN of a queue, a topic or a bucket",
        ),
        (TABLE, {"DestinationConfig": {"OnFailure": {"Destination": f"{DEAD}.fifo"}}}, "is FIFO"),
    ],
)
def test_what_aws_refuses_is_refused_at_its_place(base: Any, members: Any, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        one(**(base | members))
    assert str(caught.value).startswith("asl.toml: event-source-mappings.m")
    assert told in str(caught.value)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has to be a table with function and source"):
        read({"m": 1})


def test_everything_that_aws_takes_is_taken() -> None:
    mapping = one(
        **KINESIS
        | {
            "BatchSize": 7,
            "BisectBatchOnFunctionError": True,
            "DestinationConfig": {"OnFailure": {"Destination": DEAD}},
            "Enabled": False,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MaximumBatchingWindowInSeconds": 2,
            "MaximumRecordAgeInSeconds": 60,
            "MaximumRetryAttempts": 3,
            "MetricsConfig": {"Metrics": ["EventCount"]},
            "ParallelizationFactor": 4,
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": "2026-01-31T12:00:00+00:00",
            "Tags": {"team": "shop"},
            "TumblingWindowInSeconds": 0,
        }
    )
    assert (mapping.batch_size, mapping.window, mapping.max_age, mapping.retries) == (7, 2000, 60_000, 3)
    assert (mapping.bisect, mapping.destination, mapping.enabled, mapping.factor) == (True, DEAD, False, 4)
    assert mapping.starting_at == 1_769_860_800_000
    scaled = one(**QUEUE, ScalingConfig={"MaximumConcurrency": 2}, BatchSize="5")
    assert (scaled.concurrency, scaled.batch_size) == (2, 5)


def declared(name: str, **properties: Any) -> DeclaredMapping:
    return DeclaredMapping(
        name, "work", "arn:aws:sqs:us-east-1:123456789012:q", properties, f"template.yaml: /Resources/{name}"
    )


def test_those_of_templates_come_too_and_the_configuration_comes_first() -> None:
    found = read({"A": QUEUE}, declared("A", BatchSize=1), declared("B", BatchSize=2))
    assert [(mapping.name, mapping.batch_size) for mapping in found.mappings] == [("A", 10), ("B", 2)]


def test_one_of_a_template_that_cannot_be_run_leaves_the_others() -> None:
    vague = declared("C")._replace(findings=(Finding("UNRESOLVED", "Ref: there is no X", "/Resources/C"),))
    found = read({}, declared("A", BatchSize=0), declared("B"), vague)
    assert [mapping.name for mapping in found.mappings] == ["B"]
    first, second = found.left_out
    assert first.startswith("template.yaml: /Resources/A.BatchSize: it has to be a whole number")
    assert first.endswith(": the mapping A is left out")
    assert second == "template.yaml: /Resources/C: Ref: there is no X: the mapping C is left out"


def test_one_of_a_template_runs_without_what_is_not_known_here() -> None:
    finding = Finding("EVENT_NOT_RUN", "nothing here provisions pollers", "/Resources/A", "WARNING")
    found = read({}, declared("A", BatchSize=3)._replace(findings=(finding,)))
    assert [(mapping.name, mapping.batch_size) for mapping in found.mappings] == [("A", 3)]
    assert found.left_out == ["template.yaml: /Resources/A: nothing here provisions pollers"]
