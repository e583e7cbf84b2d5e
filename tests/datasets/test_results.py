"""The files of a ResultWriter, their manifest, and results that are no files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.datasets import ChildExecution, collect_results, storage_of, write_results
from asl_engine.errors import StatesError
from asl_engine.states.item_flow import Writing

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.datasets import Storage

MAP_RUN = "arn:aws:states:us-east-1:123456789012:mapRun:Shop/Each:5f0ee4b1-8a3d-33e9-a3b1-0f6d1a2b3c4d"
UNIQUE = MAP_RUN.rsplit(":", 1)[-1]
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:Shop/Each"


def child(name: str, status: str = "SUCCEEDED", **members: Any) -> ChildExecution:
    arn = f"arn:aws:states:us-east-1:123456789012:execution:Shop/Each:{name}"
    return ChildExecution(status, '{"n":1}', arn, MACHINE, name, 1_700_000_000_123, 1_700_000_001_000, **members)


CHILDREN = [
    child("a", output='[1,{"x":"é"}]'),
    child("b", "FAILED", error="Boom", cause="it went"),
    child("c", output='"text"'),
    ChildExecution("PENDING", '{"n":9}'),
    child("d", "TIMED_OUT", error="States.Timeout"),
]
SUCCEEDED = {
    "ExecutionArn": "arn:aws:states:us-east-1:123456789012:execution:Shop/Each:a",
    "Input": '{"n":1}',
    "InputDetails": {"Included": True},
    "Name": "a",
    "Output": '[1,{"x":"é"}]',
    "OutputDetails": {"Included": True},
    "RedriveCount": 0,
    "RedriveStatus": "NOT_REDRIVABLE",
    "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    "StartDate": "2023-11-14T22:13:20.123Z",
    "StateMachineArn": MACHINE,
    "Status": "SUCCEEDED",
    "StopDate": "2023-11-14T22:13:21.000Z",
}
FAILED = {
    "Cause": "it went",
    "Error": "Boom",
    "ExecutionArn": "arn:aws:states:us-east-1:123456789012:execution:Shop/Each:b",
    "Input": '{"n":1}',
    "InputDetails": {"Included": True},
    "Name": "b",
    "RedriveCount": 0,
    "RedriveStatus": "REDRIVABLE_BY_MAP_RUN",
    "StartDate": "2023-11-14T22:13:20.123Z",
    "StateMachineArn": MACHINE,
    "Status": "FAILED",
    "StopDate": "2023-11-14T22:13:21.000Z",
}
PENDING = {"Input": '{"n":9}', "InputDetails": {"Included": True}, "Status": "PENDING"}


def written(bucket: Path, name: str) -> Any:
    return json.loads((bucket / "out" / UNIQUE / name).read_text())


def test_executions_are_written_by_status(storage: Storage, bucket: Path) -> None:
    result = write_results(CHILDREN, Writing("data", "out", "NONE", "JSON"), storage, MAP_RUN)
    key = f"out/{UNIQUE}/manifest.json"
    assert result == {"MapRunArn": MAP_RUN, "ResultWriterDetails": {"Bucket": "data", "Key": key}}
    succeeded, failed = written(bucket, "SUCCEEDED_0.json"), written(bucket, "FAILED_0.json")
    assert [list(succeeded[0].items()), list(failed[0].items())] == [list(SUCCEEDED.items()), list(FAILED.items())]
    assert [record["Name"] for record in succeeded + failed] == ["a", "c", "b", "d"]
    assert written(bucket, "PENDING_0.json") == [PENDING]
    folder = bucket / "out" / UNIQUE
    files: Any = {
        status: [{"Key": f"out/{UNIQUE}/{status}_0.json", "Size": (folder / f"{status}_0.json").stat().st_size}]
        for status in ("FAILED", "PENDING", "SUCCEEDED")
    }
    manifest = {"DestinationBucket": "data", "MapRunArn": MAP_RUN, "ResultFiles": files}
    assert (folder / "manifest.json").read_text() == json.dumps(manifest, separators=(",", ":"))
    assert sorted(path.name for path in folder.iterdir()) == [
        "FAILED_0.json",
        "PENDING_0.json",
        "SUCCEEDED_0.json",
        "manifest.json",
    ]


SHAPES: dict[str, tuple[str, str, str]] = {
    "lines": ("NONE", "JSONL", f"{json.dumps(SUCCEEDED, ensure_ascii=False, separators=(',', ':'))}\n"),
    "compact": ("COMPACT", "JSON", '[[1,{"x":"é"}],"text"]'),
    "compact lines": ("COMPACT", "JSONL", '[1,{"x":"é"}]\n"text"\n'),
    "flat": ("FLATTEN", "JSON", '[1,{"x":"é"},"text"]'),
    "flat lines": ("FLATTEN", "JSONL", '1\n{"x":"é"}\n"text"\n'),
}


@pytest.mark.parametrize(("transformation", "output_type", "expected"), SHAPES.values(), ids=SHAPES)
def test_transformations(
    storage: Storage, bucket: Path, transformation: str, output_type: str, expected: str
) -> None:
    children = CHILDREN if transformation != "NONE" else CHILDREN[:2]
    write_results(children, Writing("data", "out", transformation, output_type), storage, MAP_RUN)
    assert (bucket / "out" / UNIQUE / "SUCCEEDED_0.json").read_text() == expected
    failed = (bucket / "out" / UNIQUE / "FAILED_0.json").read_text()
    first = failed.splitlines()[0] if output_type == "JSONL" else failed
    record = json.loads(first)
    assert (record if output_type == "JSONL" else record[0]) == FAILED


@pytest.mark.parametrize(("prefix", "folder"), [("", ""), ("a/b", "a/b/"), ("a/", "a/"), ("/a", "a/")])
def test_prefixes(storage: Storage, bucket: Path, prefix: str, folder: str) -> None:
    result: Any = write_results([], Writing("data", prefix, "NONE", "JSON"), storage, MAP_RUN)
    assert result["ResultWriterDetails"]["Key"] == f"{folder}{UNIQUE}/manifest.json"
    manifest = json.loads((bucket / result["ResultWriterDetails"]["Key"]).read_text())
    assert manifest["ResultFiles"] == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}


@pytest.mark.parametrize("output_type", ["JSON", "JSONL"])
def test_files_are_split(storage: Storage, bucket: Path, output_type: str) -> None:
    children = [child(str(number), output=f'"{"x" * 20}"') for number in range(7)]
    write_results(children, Writing("data", "out", "COMPACT", output_type), storage, MAP_RUN, max_file_bytes=50)
    manifest = written(bucket, "manifest.json")
    sizes = [entry["Size"] for entry in manifest["ResultFiles"]["SUCCEEDED"]]
    assert len(sizes) == 4
    assert max(sizes) <= 50
    read = ""
    for number, entry in enumerate(manifest["ResultFiles"]["SUCCEEDED"]):
        assert entry["Key"] == f"out/{UNIQUE}/SUCCEEDED_{number}.json"
        assert (bucket / entry["Key"]).stat().st_size == entry["Size"]
        read += (bucket / entry["Key"]).read_text()
    assert read.count("x" * 20) == 7


def test_an_execution_that_is_larger_than_a_file_has_one_of_its_own(storage: Storage, bucket: Path) -> None:
    children = [child(str(number), output=f'"{"x" * 99}"') for number in range(2)]
    write_results(children, Writing("data", "out", "COMPACT", "JSON"), storage, MAP_RUN, max_file_bytes=50)
    assert len(written(bucket, "manifest.json")["ResultFiles"]["SUCCEEDED"]) == 2


def test_a_destination_that_is_missing_is_said(tmp_path: Path) -> None:
    storage = storage_of({"gone": tmp_path / "gone"})
    with pytest.raises(StatesError, match="The specified bucket does not exist") as caught:
        write_results(CHILDREN, Writing("gone", "out", "NONE", "JSON"), storage, MAP_RUN)
    assert caught.value.error == "States.ResultWriterFailed"
    with pytest.raises(StatesError, match="needs a Bucket"):
        write_results(CHILDREN, Writing(None, "", "NONE", "JSON"), storage, MAP_RUN)


COLLECTED: dict[str, tuple[str, str, Any]] = {
    "compact": ("COMPACT", "JSON", [[1, {"x": "é"}], "text"]),
    "flat": ("FLATTEN", "JSON", [1, {"x": "é"}, "text"]),
    "lines": ("FLATTEN", "JSONL", '1\n{"x":"é"}\n"text"'),
}


@pytest.mark.parametrize(("transformation", "output_type", "expected"), COLLECTED.values(), ids=COLLECTED)
def test_results_without_a_destination(transformation: str, output_type: str, expected: Any) -> None:
    children = [CHILDREN[0], CHILDREN[2]]
    assert collect_results(children, Writing(None, "", transformation, output_type)) == expected


def test_a_failed_execution_is_collected_as_it_is() -> None:
    writing = Writing(None, "", "COMPACT", "JSON")
    assert collect_results(CHILDREN[1:3], writing) == [FAILED, "text"]
    assert collect_results(CHILDREN[:1], writing._replace(transformation="NONE")) == [SUCCEEDED]
