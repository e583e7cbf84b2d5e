"""Map states by themselves: what a trial shows of their items, and when too many of them have failed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.engine.state_tests import datasets_of
from asl_engine.inspection.question import Refusal, StateConfiguration, StateMock
from asl_engine.inspection.subject import load_subject
from asl_engine.inspection.trial import Trial
from asl_engine.inspection.verdict import to_answer
from asl_engine.limits import AWS_LIMITS
from asl_engine.payload import Payload
from tests.inspection.test_inspection import END, JSONATA, WHO, mocked, read

INPUT: Any = {"list": [1, 2, 3], "b": "bucket", "k": "key", "two": 2, "ten": 10.5}
STATES = {"StartAt": "I", "States": {"I": {"Type": "Pass", **END}}}
INLINE = {"Type": "Map", "ItemProcessor": STATES, **END}
CONFIG = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
DISTRIBUTED = {"Type": "Map", "ItemProcessor": {**CONFIG, **STATES}, **END}
BY_PATH = {**DISTRIBUTED, "ItemsPath": "$.list"}
BY_EXPRESSION = {**DISTRIBUTED, **JSONATA, "Items": "{% $states.input.list %}"}
OBJECT = "arn:aws:states:::s3:getObject"
PLACE = {"Bucket.$": "$.b", "Key.$": "$.k"}
EXCEEDED = "States.ExceedToleratedFailureThreshold"


def reading(config: dict[str, Any], resource: str = OBJECT, **fields: Any) -> dict[str, Any]:
    reader = {"Resource": resource, "Parameters": PLACE, "ReaderConfig": config}
    return {**DISTRIBUTED, "ItemReader": reader, **fields}


def tried(source: dict[str, Any], mock: StateMock, configuration: StateConfiguration | None = None) -> Trial:
    configuration = configuration or StateConfiguration()
    datasets = datasets_of(configuration.map_item_reader_data)
    subject = load_subject(json.dumps(source))
    payload = Payload(INPUT, json.dumps(INPUT))
    made = Trial(subject, WHO, payload, mock=mock, configuration=configuration, datasets=datasets)
    made.begin()
    return made


def shown(made: Trial) -> dict[str, Any]:
    """What is shown before the result, but for the input."""
    data: Any = to_answer(made.verdict(), "DEBUG")["inspectionData"]
    hidden = ("input", "afterInputPath", "afterResultSelector", "afterResultPath")
    return {name: read(value) for name, value in data.items() if name not in hidden}


LIST = {"afterItemsPath": [1, 2, 3]}
BATCHES = [{"Items": ["1", "2"]}, {"Items": ["3"]}]
STAGES: dict[str, tuple[dict[str, Any], str | None, dict[str, Any]]] = {
    "a count": (
        {**BY_PATH, "ToleratedFailureCount": 2, "MaxConcurrency": 7},
        None,
        {**LIST, "maxConcurrency": 7, "toleratedFailureCount": 2},
    ),
    "a count of none": (
        {**BY_PATH, "ToleratedFailureCount": 0},
        None,
        {**LIST, "maxConcurrency": 0, "toleratedFailureCount": 0},
    ),
    "paths": (
        {
            **BY_PATH,
            "ToleratedFailureCountPath": "$.two",
            "ToleratedFailurePercentagePath": "$.ten",
            "MaxConcurrencyPath": "$.two",
        },
        None,
        {**LIST, "maxConcurrency": 2, "toleratedFailureCount": 2, "toleratedFailurePercentage": 10.5},
    ),
    "inline": (
        {**INLINE, "ItemsPath": "$.list", "ToleratedFailurePercentage": 50},
        None,
        {**LIST, "maxConcurrency": 0, "toleratedFailurePercentage": 50.0},
    ),
    "expressions": (
        {
            **BY_EXPRESSION,
            "ToleratedFailureCount": "{% $states.input.two %}",
            "ToleratedFailurePercentage": "{% $states.input.ten %}",
            "MaxConcurrency": "{% $states.input.two %}",
        },
        None,
        {"maxConcurrency": 2, "toleratedFailureCount": 2, "toleratedFailurePercentage": 10.5},
    ),
    "batches": (
        {**BY_PATH, "ItemBatcher": {"MaxItemsPerBatch": 2}},
        None,
        {**LIST, "afterItemBatcher": BATCHES, "maxConcurrency": 0},
    ),
    "batches of selected items, with an input": (
        {
            **BY_PATH,
            "ItemSelector": {"v.$": "$$.Map.Item.Value"},
            "ItemBatcher": {"MaxItemsPerBatchPath": "$.two", "BatchInput": {"of.$": "$.b"}},
        },
        None,
        {
            **LIST,
            "afterItemSelector": [{"v": 1}, {"v": 2}, {"v": 3}],
            "afterItemBatcher": [
                {"BatchInput": {"of": "bucket"}, "Items": ['{"v":1}', '{"v":2}']},
                {"BatchInput": {"of": "bucket"}, "Items": ['{"v":3}']},
            ],
            "maxConcurrency": 0,
        },
    ),
    "members of an object": (
        {**DISTRIBUTED, "ItemSelector": {"k.$": "$$.Map.Item.Key"}},
        None,
        {"afterItemsPath": INPUT, "afterItemSelector": [{"k": name} for name in INPUT], "maxConcurrency": 0},
    ),
    "batches of pairs": (
        {**BY_EXPRESSION, "Items": {"a": 1}, "ItemBatcher": {"MaxItemsPerBatch": 2}},
        None,
        {"afterItemBatcher": [{"Items": ['{"Key":"a","Value":1}']}], "maxConcurrency": 0},
    ),
    "batches by expressions": (
        {
            **BY_EXPRESSION,
            "ItemSelector": "{% $states.context.Map.Item.Value * 2 %}",
            "ItemBatcher": {"MaxItemsPerBatch": "{% $states.input.two %}"},
        },
        None,
        {
            "afterItemSelector": [2, 4, 6],
            "afterItemBatcher": [{"Items": ["2", "4"]}, {"Items": ["6"]}],
            "maxConcurrency": 0,
        },
    ),
    "an ItemReader, and nothing is said of its data": (
        reading({"InputType": "JSON"}),
        None,
        {"maxConcurrency": 0},
    ),
    "JSON": (
        reading({"InputType": "JSON"}, ItemBatcher={"MaxItemsPerBatch": 2}),
        "[1, 2, 3]",
        {"afterItemBatcher": BATCHES, "maxConcurrency": 0},
    ),
    "JSON, a part of it": (
        reading({"InputType": "JSON", "ItemsPointer": "/a/b"}),
        '{"a": {"b": [1, 2]}}',
        {"afterItemsPointer": [1, 2], "maxConcurrency": 0},
    ),
    "JSON, an object in it": (
        reading({"InputType": "JSON", "ItemsPointer": "/a"}, ItemSelector={"k.$": "$$.Map.Item.Key"}),
        '{"a": {"x": 1, "y": 2}}',
        {
            "afterItemsPointer": {"x": 1, "y": 2},
            "afterItemSelector": [{"k": "x"}, {"k": "y"}],
            "maxConcurrency": 0,
        },
    ),
    "JSON Lines, some of them": (
        reading(
            {"InputType": "JSONL", "MaxItems": 2},
            ItemSelector={"v.$": "$$.Map.Item.Value.n", "s.$": "$$.Map.Item.Source"},
        ),
        '{"n": 1}\n{"n": 2}\n{"n": 3}\n',
        {
            "afterItemSelector": [{"v": 1, "s": "s3://bucket/key"}, {"v": 2, "s": "s3://bucket/key"}],
            "maxConcurrency": 0,
        },
    ),
    "CSV": (
        reading(
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "PIPE"},
            ItemSelector={"v.$": "$$.Map.Item.Value"},
        ),
        "a|b\n1|2\n",
        {"afterItemSelector": [{"v": {"a": "1", "b": "2"}}], "maxConcurrency": 0},
    ),
    "an inventory": (
        reading({"InputType": "MANIFEST"}, ItemSelector={"v.$": "$$.Map.Item.Value.Key"}),
        "Bucket,Key\nb,one\n",
        {"afterItemSelector": [{"v": "one"}], "maxConcurrency": 0},
    ),
    "a listing": (
        reading({}, "arn:aws:states:::s3:listObjectsV2", ItemSelector={"v.$": "$$.Map.Item.Value.Key"}),
        '[{"Key": "one"}, {"Key": "two"}]',
        {"afterItemSelector": [{"v": "one"}, {"v": "two"}], "maxConcurrency": 0},
    ),
    "by expressions": (
        {
            **DISTRIBUTED,
            **JSONATA,
            "ItemReader": {
                "Resource": OBJECT,
                "Arguments": {"Bucket": "{% $states.input.b %}", "Key": "{% $states.input.k %}"},
                "ReaderConfig": {"InputType": "JSON", "MaxItems": "{% $states.input.two %}"},
            },
            "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
        },
        "[5, 6, 7]",
        {"afterItemSelector": [{"v": 5}, {"v": 6}], "maxConcurrency": 0},
    ),
}


@pytest.mark.parametrize(("source", "data", "expected"), STAGES.values(), ids=STAGES)
def test_what_is_shown_of_the_items(source: dict[str, Any], data: str | None, expected: dict[str, Any]) -> None:
    made = tried(source, mocked(["r"]), StateConfiguration(map_item_reader_data=data))
    assert shown(made) == expected
    assert made.verdict().status == "SUCCEEDED"
    assert made.verdict().output == '["r"]'


def test_lists_are_written_as_recorded() -> None:
    made = tried({**BY_PATH, "ItemBatcher": {"MaxItemsPerBatch": 2}}, mocked([]))
    assert made.verdict().data["afterItemBatcher"] == '[{"Items":["1","2"]}, {"Items":["3"]}]'


def test_what_a_result_writer_has_written_goes_on() -> None:
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}}
    source = {**BY_PATH, "ResultWriter": writer, "ResultPath": "$.r"}
    written = {"MapRunArn": "arn", "ResultWriterDetails": {"Bucket": "b", "Key": "p/manifest.json"}}
    output: Any = tried(source, mocked(written)).verdict().output
    assert json.loads(output) == {**INPUT, "r": written}


FAILURES: dict[str, tuple[dict[str, Any], int, bool]] = {
    "none, and none tolerated": ({}, 0, False),
    "one, and none tolerated": ({}, 1, True),
    "as many as tolerated": ({"ToleratedFailureCount": 2}, 2, False),
    "one more than tolerated": ({"ToleratedFailureCount": 2}, 3, True),
    "one, and a count of none": ({"ToleratedFailureCount": 0}, 1, True),
    "a third, and more tolerated": ({"ToleratedFailurePercentage": 34}, 1, False),
    "a third, and less tolerated": ({"ToleratedFailurePercentage": 33}, 1, True),
    "few enough, but too large a part": ({"ToleratedFailureCount": 2, "ToleratedFailurePercentage": 10}, 1, True),
    "too many, but a small part": ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 90}, 2, True),
    "all, and all tolerated": ({"ToleratedFailurePercentage": 100}, 3, False),
}


@pytest.mark.parametrize(("fields", "failed", "exceeds"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("source", [BY_PATH, BY_EXPRESSION])
def test_how_many_may_fail(source: dict[str, Any], fields: dict[str, Any], failed: int, exceeds: bool) -> None:
    configuration = StateConfiguration(map_iteration_failure_count=failed)
    verdict = tried({**source, **fields}, mocked([1, 2, 3]), configuration).verdict()
    assert (verdict.status, verdict.error) == (("FAILED", EXCEEDED) if exceeds else ("SUCCEEDED", None))


def test_a_mocked_error_comes_before_the_threshold() -> None:
    configuration = StateConfiguration(map_iteration_failure_count=3, error_caused_by_state="I")
    assert tried(BY_PATH, StateMock(error="Bad"), configuration).verdict().error == "Bad"


@pytest.mark.parametrize("mock", [mocked([]), StateMock(error="Bad")])
def test_no_more_items_can_fail_than_there_are(mock: StateMock) -> None:
    for source, data in ((BY_PATH, None), (reading({"InputType": "JSON"}), "[1, 2, 3]")):
        configuration = StateConfiguration(map_iteration_failure_count=4, map_item_reader_data=data)
        with pytest.raises(Refusal, match="MapIterationFailureCount 4 exceeds the number of items"):
            tried(source, mock, configuration)


WRONG = {
    "not JSON": (reading({"InputType": "JSON"}), "[1,", "s3://bucket/key cannot be read: "),
    "not a listing": (reading({}, "arn:aws:states:::s3:listObjectsV2"), "7", "The listing has to be an array"),
    "a listing of other things": (
        reading({}, "arn:aws:states:::s3:listObjectsV2"),
        "[7]",
        "The listing has to be",
    ),
    "a listing that is no JSON": (
        reading({}, "arn:aws:states:::s3:listObjectsV2"),
        "{",
        "The listing is not JSON",
    ),
}


@pytest.mark.parametrize(("source", "data", "cause"), WRONG.values(), ids=WRONG)
def test_data_that_no_reader_could_have_read(source: dict[str, Any], data: str, cause: str) -> None:
    caught = {**source, "Catch": [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Handle"}]}
    verdict = tried(caught, mocked([]), StateConfiguration(map_item_reader_data=data)).verdict()
    assert (verdict.status, verdict.error, verdict.next) == ("CAUGHT_ERROR", "States.ItemReaderFailed", "Handle")
    assert str(verdict.cause).startswith(cause)


def test_inputs_too_large_to_be_shown_fail_the_state() -> None:
    limit = AWS_LIMITS.payload_bytes
    assert limit is not None
    text = json.dumps("x" * (limit // 3))
    source = reading(
        {"InputType": "JSON"}, ItemSelector={"all.$": "$$.Map.Item.Value", "too.$": "$$.Map.Item.Value"}
    )
    verdict = tried(source, mocked([]), StateConfiguration(map_item_reader_data=f"[{text}, {text}]")).verdict()
    assert (verdict.status, verdict.error) == ("FAILED", "States.DataLimitExceeded")
