"""ItemReader, ItemBatcher and ResultWriter: what a definition may say, and what it comes to in a decision."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import EvaluationError, StatesError
from asl_engine.expressions.jsonata import Bindings
from asl_engine.expressions.scope import Scope
from asl_engine.json_values import MISSING
from asl_engine.payload import Payload
from asl_engine.states.compiling import Compiling
from asl_engine.states.item_fields import compile_item_batcher, compile_item_reader, compile_result_writer

if TYPE_CHECKING:
    from asl_engine.findings import Finding

GET, LIST, PUT = (f"arn:aws:states:::s3:{action}" for action in ("getObject", "listObjectsV2", "putObject"))


def compiled(field: str, source: Any, language: str = "JSONPath") -> tuple[Any, list[Finding]]:
    findings: list[Finding] = []
    compiling = Compiling("Each", {field: source}, "/States/Each", findings, lambda *_: "", language)
    compile_field = {
        "ItemReader": compile_item_reader,
        "ItemBatcher": compile_item_batcher,
        "ResultWriter": compile_result_writer,
    }[field]
    return compile_field(compiling), findings


class Decision(SimpleNamespace):
    """As much of a decision as fields are evaluated with."""

    def scope(self, data: Any) -> Scope:
        return Scope(data, {"v": 3}, dict, None)

    def bindings(self) -> Bindings:
        return Bindings({"input": self.input, "context": {}}, {"v": 3}, None, 0)  # type: ignore[arg-type]  # a stand-in of the test


def evaluated(field: str, source: Any, given: Any, language: str = "JSONPath") -> Any:
    made, findings = compiled(field, source, language)
    assert findings == []
    decision: Any = Decision(input=given)
    return tuple(made.evaluate(decision, Payload(given)))


JSON = {"InputType": "JSON"}
GOOD: dict[str, tuple[str, str, Any, Any, tuple[Any, ...]]] = {
    "a reader": (
        "ItemReader",
        "JSONPath",
        {
            "Resource": GET,
            "Parameters": {"Bucket": "b", "Key.$": "$.key"},
            "ReaderConfig": {**JSON, "MaxItemsPath": "$.n"},
        },
        {"key": "k", "n": 7},
        (GET, {"Bucket": "b", "Key": "k"}, JSON, 7),
    ),
    "a reader of a variable": (
        "ItemReader",
        "JSONPath",
        {"Resource": LIST, "Parameters": {"Bucket.$": "$v"}},
        {},
        (LIST, {"Bucket": 3}, {}, None),
    ),
    "a reader of JSONata": (
        "ItemReader",
        "JSONata",
        {
            "Resource": GET,
            "Arguments": {"Bucket": "b", "Key": "{% $states.input.key %}"},
            "ReaderConfig": {**JSON, "MaxItems": "{% $v + 1 %}"},
        },
        {"key": "k"},
        (GET, {"Bucket": "b", "Key": "k"}, JSON, 4),
    ),
    "arguments that are an expression": (
        "ItemReader",
        "JSONata",
        {"Resource": LIST, "Arguments": "{% $states.input %}"},
        {"Bucket": "b"},
        (LIST, {"Bucket": "b"}, {}, None),
    ),
    "a reader without parameters, in another partition": (
        "ItemReader",
        "JSONPath",
        {"Resource": "arn:aws-cn:states:::s3:listObjectsV2"},
        {},
        ("arn:aws-cn:states:::s3:listObjectsV2", {}, {}, None),
    ),
    "an inventory": (
        "ItemReader",
        "JSONPath",
        {"Resource": GET, "Parameters": {}, "ReaderConfig": {"ManifestType": "S3_INVENTORY", "MaxItems": 1}},
        {},
        (GET, {}, {"ManifestType": "S3_INVENTORY"}, 1),
    ),
    "a reader of all items": (
        "ItemReader",
        "JSONPath",
        {"Resource": LIST, "ReaderConfig": {"MaxItems": 0}},
        {},
        (LIST, {}, {}, None),
    ),
    **{
        f"a reader of {items!r} items": (
            "ItemReader",
            "JSONPath",
            {"Resource": LIST, "ReaderConfig": {"MaxItemsPath": "$.n"}},
            {"n": items},
            (LIST, {}, {}, read),
        )
        for items, read in (
            (0, None),
            ("0", None),
            (100_000_000, 100_000_000),
            (100_000_001, None),
            ("100000001", None),
            ("3", 3),
            ("+3", 3),
        )
    },
    **{
        f"a reader of {items!r} items in JSONata": (
            "ItemReader",
            "JSONata",
            {"Resource": LIST, "ReaderConfig": {"MaxItems": "{% $states.input.n %}"}},
            {"n": items},
            (LIST, {}, {}, read),
        )
        for items, read in ((0, None), (2, 2), (100_000_001, None))
    },
    "a batcher with a text": (
        "ItemBatcher",
        "JSONPath",
        {"MaxItemsPerBatchPath": "$.n", "MaxInputBytesPerBatchPath": "$.size"},
        {"n": "7", "size": "1000"},
        (7, 1000, MISSING),
    ),
    "a batcher": (
        "ItemBatcher",
        "JSONPath",
        {"MaxItemsPerBatchPath": "$.n", "MaxInputBytesPerBatch": 262_144, "BatchInput": {"a.$": "$.n"}},
        {"n": 7},
        (7, 262_144, {"a": 7}),
    ),
    "a batcher of JSONata": (
        "ItemBatcher",
        "JSONata",
        {"MaxItemsPerBatch": 5, "MaxInputBytesPerBatch": "{% $states.input.n %}"},
        {"n": 7},
        (5, 7, MISSING),
    ),
    "a writer": (
        "ResultWriter",
        "JSONPath",
        {"Resource": PUT, "Parameters": {"Bucket.$": "$.b", "Prefix": "p"}},
        {"b": "bucket"},
        ("bucket", "p", "NONE", "JSON"),
    ),
    "a writer of JSONata": (
        "ResultWriter",
        "JSONata",
        {
            "Resource": PUT,
            "Arguments": {"Bucket": "{% $states.input.b %}"},
            "WriterConfig": {"OutputType": "JSONL", "Transformation": "FLATTEN"},
        },
        {"b": "bucket"},
        ("bucket", "", "FLATTEN", "JSONL"),
    ),
    "a writer of the state's result": (
        "ResultWriter",
        "JSONPath",
        {"WriterConfig": {"OutputType": "JSON", "Transformation": "NONE"}},
        {},
        (None, "", "NONE", "JSON"),
    ),
}


@pytest.mark.parametrize(("field", "language", "source", "given", "expected"), GOOD.values(), ids=GOOD)
def test_fields_are_evaluated(field: str, language: str, source: Any, given: Any, expected: Any) -> None:
    assert evaluated(field, source, given, language) == expected


FAILING: dict[str, tuple[str, str, Any, Any, str]] = {
    "no path": (
        "ItemBatcher",
        "JSONPath",
        {"MaxItemsPerBatchPath": "$.x"},
        {},
        "Invalid path '$.x'",
    ),
    "no number": (
        "ItemBatcher",
        "JSONPath",
        {"MaxItemsPerBatchPath": "$.x"},
        {"x": "7.0"},
        'The MaxItemsPerBatchPath field refers to value "7.0" which is not a valid integer: $.x',
    ),
    "no bytes": (
        "ItemBatcher",
        "JSONPath",
        {"MaxInputBytesPerBatchPath": "$.x"},
        {"x": 262_145},
        'The MaxInputBytesPerBatchPath field refers to value "262145" which is not a valid integer: $.x',
    ),
    "no items": (
        "ItemReader",
        "JSONPath",
        {"Resource": LIST, "ReaderConfig": {"MaxItemsPath": "$.x"}},
        {"x": -1},
        'The MaxItemsPath field refers to value "-1" which is not a valid integer: $.x',
    ),
    "no number of JSONata": (
        "ItemReader",
        "JSONata",
        {"Resource": LIST, "ReaderConfig": {"MaxItems": "{% $states.input.x %}"}},
        {"x": -1},
        "The ItemReader/ReaderConfig/MaxItems field must be an integer from 0 to 100000000, but was -1",
    ),
    "no bucket": (
        "ResultWriter",
        "JSONPath",
        {"Resource": PUT, "Parameters": {"Bucket.$": "$.x"}},
        {"x": 1},
        'The ResultWriter needs a Bucket and a Prefix, but was given {"Bucket":1}',
    ),
}


@pytest.mark.parametrize(("field", "language", "source", "given", "detail"), FAILING.values(), ids=FAILING)
def test_what_cannot_be_evaluated_is_said(field: str, language: str, source: Any, given: Any, detail: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluated(field, source, given, language)
    assert detail in caught.value.detail


def test_an_empty_writer_fails_when_it_is_evaluated() -> None:
    with pytest.raises(StatesError) as caught:
        evaluated("ResultWriter", {}, {})
    assert caught.value.error == "States.ResultWriterFailed"


BAD: dict[str, tuple[str, str, Any, list[str]]] = {
    "an empty configuration of a writer": (
        "ResultWriter",
        "JSONPath",
        {"WriterConfig": {}},
        ["ResultWriter/WriterConfig"],
    ),
    "no type of output": (
        "ResultWriter",
        "JSONata",
        {"Resource": PUT, "Arguments": {}, "WriterConfig": {"Transformation": "NONE"}},
        ["ResultWriter/WriterConfig"],
    ),
    "more items than there can be": (
        "ItemReader",
        "JSONPath",
        {"Resource": LIST, "ReaderConfig": {"MaxItems": 100_000_001}},
        ["ItemReader/ReaderConfig/MaxItems"],
    ),
    "no resource": ("ItemReader", "JSONPath", {"Parameters": {}}, ["ItemReader"]),
    "another resource": (
        "ItemReader",
        "JSONPath",
        {"Resource": PUT, "ReaderConfig": JSON},
        ["ItemReader/Resource"],
    ),
    "no input type": ("ItemReader", "JSONPath", {"Resource": GET}, ["ItemReader/ReaderConfig"]),
    "unknown values": (
        "ItemReader",
        "JSONPath",
        {
            "Resource": GET,
            "ReaderConfig": {"InputType": "XML", "CSVDelimiter": ",", "MaxItems": -1, "CSVHeaders": [1]},
        },
        [
            "ItemReader/ReaderConfig/InputType",
            "ItemReader/ReaderConfig/CSVHeaders[0]",
            "ItemReader/ReaderConfig/CSVDelimiter",
            "ItemReader/ReaderConfig/MaxItems",
        ],
    ),
    "unknown fields": (
        "ItemReader",
        "JSONPath",
        {"Resource": GET, "Arguments": {}, "ReaderConfig": JSON},
        ["ItemReader/Arguments"],
    ),
    "no header location": (
        "ItemReader",
        "JSONPath",
        {"Resource": GET, "ReaderConfig": {"InputType": "CSV"}},
        ["ItemReader/ReaderConfig"],
    ),
    "no headers": (
        "ItemReader",
        "JSONPath",
        {"Resource": GET, "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}},
        ["ItemReader/ReaderConfig"],
    ),
    "flattening one object": (
        "ItemReader",
        "JSONPath",
        {"Resource": GET, "ReaderConfig": {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}},
        ["ItemReader/ReaderConfig/Transformation"],
    ),
    "flattening what": (
        "ItemReader",
        "JSONPath",
        {"Resource": LIST, "ReaderConfig": {"Transformation": "LOAD_AND_FLATTEN"}},
        ["ItemReader/ReaderConfig"],
    ),
    "an inventory of JSON": (
        "ItemReader",
        "JSONPath",
        {"Resource": GET, "ReaderConfig": {"InputType": "JSON", "ManifestType": "S3_INVENTORY"}},
        ["ItemReader/ReaderConfig/InputType"],
    ),
    "two maxima": (
        "ItemReader",
        "JSONPath",
        {"Resource": LIST, "ReaderConfig": {"MaxItems": 1, "MaxItemsPath": "$.x"}},
        ["ItemReader/ReaderConfig"],
    ),
    "a path that is none": (
        "ItemReader",
        "JSONPath",
        {"Resource": LIST, "Parameters": {"Bucket.$": "$["}, "ReaderConfig": {"MaxItemsPath": "x"}},
        ["ItemReader/Parameters/Bucket.$", "ItemReader/ReaderConfig/MaxItemsPath"],
    ),
    "a path in JSONata": (
        "ItemReader",
        "JSONata",
        {"Resource": LIST, "ReaderConfig": {"MaxItemsPath": "$.x"}},
        ["ItemReader/ReaderConfig/MaxItemsPath"],
    ),
    "a literal of JSONata": (
        "ItemReader",
        "JSONata",
        {"Resource": LIST, "ReaderConfig": {"MaxItems": "7"}},
        ["ItemReader/ReaderConfig/MaxItems"],
    ),
    "an expression that is none": (
        "ItemReader",
        "JSONata",
        {"Resource": LIST, "Arguments": {"Bucket": "{% ( %}"}},
        ["ItemReader/Arguments/Bucket"],
    ),
    "no limit of batches": ("ItemBatcher", "JSONPath", {"BatchInput": {}}, ["ItemBatcher"]),
    "batches that are too large": (
        "ItemBatcher",
        "JSONPath",
        {"MaxItemsPerBatch": 0, "MaxInputBytesPerBatch": 262_145},
        ["ItemBatcher/MaxItemsPerBatch", "ItemBatcher/MaxInputBytesPerBatch"],
    ),
    "a resource without parameters": ("ResultWriter", "JSONPath", {"Resource": PUT}, ["ResultWriter"]),
    "parameters without a resource": ("ResultWriter", "JSONPath", {"Parameters": {}}, ["ResultWriter"]),
    "another writer": (
        "ResultWriter",
        "JSONPath",
        {"Resource": GET, "Parameters": {}, "WriterConfig": {"OutputType": "CSV"}},
        ["ResultWriter/WriterConfig/OutputType", "ResultWriter/Resource"],
    ),
}


@pytest.mark.parametrize(("field", "language", "source", "places"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_reported(field: str, language: str, source: Any, places: list[str]) -> None:
    _, findings = compiled(field, source, language)
    codes = {"INVALID_JSONATA_EXPRESSION" if "{% ( %}" in str(source) else "SCHEMA_VALIDATION_FAILED"}
    assert sorted(str(finding.location) for finding in findings) == sorted(
        f"/States/Each/{place}" for place in places
    )
    assert {finding.code for finding in findings} == codes


@pytest.mark.parametrize("field", ["ItemReader", "ItemBatcher", "ResultWriter"])
def test_a_state_without_the_field_has_none(field: str) -> None:
    made, findings = compiled("ItemBatcher" if field != "ItemBatcher" else "ResultWriter", None)
    assert (made, findings) == (None, [])
