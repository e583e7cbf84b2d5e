"""Folders that stand for buckets: their keys, their listing, and what leads out of them."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine.datasets import Storage, StorageError, read, storage_of
from asl_engine.errors import StatesError
from tests.datasets.conftest import GET, LIST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.datasets.conftest import Items, Lay


def keys(storage: Storage, bucket: str = "data", **given: str) -> list[Any]:
    return [found["Key"] for found in storage.list(bucket, **given)]


NAMES = ["a", "a-b", "a/b", "a/b/c.json", "a.json", "b/ä", "b/z", "ab/x", "Z"]


def test_a_listing_is_in_the_order_of_the_keys(storage: Storage, lay: Lay) -> None:
    laid = sorted((lay(name, "x") for name in NAMES if name not in {"a", "a/b"}), key=str.encode)
    assert keys(storage) == laid
    for prefix in ("", "a", "a/", "a/b", "a/b/c.json", "b/", "c", "ab"):
        assert keys(storage, prefix=prefix) == [key for key in laid if key.startswith(prefix)]
    assert keys(storage, start_after="a/b/c.json") == [key for key in laid if key > "a/b/c.json"]


def test_a_listing_describes_objects(storage: Storage, lay: Lay, bucket: Path) -> None:
    lay("x/a.bin", b"12345")
    os.utime(bucket / "x/a.bin", (1_700_000_000.75, 1_700_000_000.75))
    (item,) = read(LIST, {"Bucket": "data", "Prefix": "x/"}, {}, storage)
    value: Any = item.value
    assert list(value) == ["Etag", "Key", "LastModified", "Size", "StorageClass"]
    assert value["Etag"].strip('"').isalnum()
    assert {**value, "Etag": ""} == {
        "Etag": "",
        "Key": "x/a.bin",
        "LastModified": 1_700_000_000,
        "Size": 5,
        "StorageClass": "STANDARD",
    }
    assert item.source == "s3://data"


def test_the_tag_changes_with_the_object(storage: Storage, lay: Lay) -> None:
    lay("a", "1")
    before = [found["Etag"] for found in storage.list("data")]
    lay("a", "22")
    assert [found["Etag"] for found in storage.list("data")] != before


def test_a_file_url_is_a_bucket(tmp_path: Path, lay: Lay) -> None:
    lay("with space/a.json", "[1]")
    url = (tmp_path / "data/with space").as_uri()
    (item,) = read(GET, {"Bucket": url, "Key": "a.json"}, {"InputType": "JSON"}, storage_of({}))
    assert (item.value, item.source) == (1, f"{url}/a.json")
    assert keys(storage_of({}), url) == ["a.json"]


OUTSIDE = ["../secret", "a/../../secret", "/etc/passwd", "", ".", "a//b", "a/./b", "a/", "nul\0", ".."]


@pytest.mark.parametrize("key", OUTSIDE)
def test_no_key_leads_out(storage: Storage, tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(StorageError, match="names no file"):
        storage.open("data", key)
    with pytest.raises(StorageError, match="names no file"):
        storage.put("data", key, io.BytesIO(b"x"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "secret"]


@settings(deadline=None)
@given(key=st.text('./a\\~:*"%\0', max_size=8))
def test_whatever_the_key_is_nothing_is_written_outside(
    tmp_path_factory: pytest.TempPathFactory, key: str
) -> None:
    root = tmp_path_factory.mktemp("keys")
    (root / "data").mkdir()
    local = storage_of({"data": root / "data"})
    try:
        local.put("data", key, io.BytesIO(b"x"))
    except StorageError:
        assert list((root / "data").rglob("*")) == []
    else:
        assert keys(local) == [key]
        with local.open("data", key) as stream:
            assert stream.read() == b"x"
    assert [path.name for path in root.iterdir()] == ["data"]


def test_no_link_leads_out(storage: Storage, bucket: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").write_text("secret")
    (bucket / "folder").symlink_to(tmp_path / "outside")
    (bucket / "file").symlink_to(tmp_path / "outside/x")
    (bucket / "circle").symlink_to(bucket)
    (bucket / "itself").symlink_to(bucket / "itself")
    (bucket / "nothing").symlink_to(bucket / "no")
    os.mkfifo(bucket / "pipe")
    (bucket / "real").write_text("1")
    (bucket / "inside").symlink_to(bucket / "real")
    for key in ("folder/x", "file"):
        with pytest.raises(StorageError, match="leads out of the folder"):
            storage.open("data", key)
    with pytest.raises(StorageError, match="leads out of the folder"):
        storage.put("data", "folder/y", io.BytesIO(b"x"))
    assert keys(storage) == ["inside", "real"]


class Breaking(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data:
            raise OSError(5, "the disk is gone")
        return data


def test_what_is_written_is_there_whole_or_not_at_all(storage: Storage, bucket: Path) -> None:
    storage.put("data", "a/b", io.BytesIO(b"old"))
    with pytest.raises(StorageError, match=r"Cannot write .*a/b: the disk is gone"):
        storage.put("data", "a/b", Breaking(b"new"))
    assert (bucket / "a/b").read_bytes() == b"old"
    assert keys(storage) == ["a/b"]


def test_what_a_killed_writer_has_left_is_no_object(storage: Storage, lay: Lay) -> None:
    lay("x/.asl-0123.tmp", "half")
    lay("x/.asl", "whole")
    assert keys(storage) == ["x/.asl"]


MISSING: dict[str, tuple[dict[str, str], str]] = {
    "an object": ({"Bucket": "data", "Key": "no.json"}, "The specified key does not exist."),
    "a folder": ({"Bucket": "data", "Key": "x"}, "The specified key does not exist."),
    "a part that is a file": ({"Bucket": "data", "Key": "x/a/b"}, "Cannot read"),
    "a bucket": ({"Bucket": "gone", "Key": "a"}, "The specified bucket does not exist (there is no folder"),
    "a URL": ({"Bucket": "file:///no/such/folder", "Key": "a"}, "The specified bucket does not exist"),
    "a URL of another machine": ({"Bucket": "file://host/x", "Key": "a"}, "no folder of this machine"),
    "a relative URL": ({"Bucket": "file://", "Key": "a"}, "no folder of this machine"),
    "a version": ({"Bucket": "data", "Key": "x/a", "VersionId": "1"}, "keeps no versions"),
    "a parameter": ({"Bucket": "data"}, "needs a Key"),
    "a long name": ({"Bucket": "data", "Key": "n" * 300}, "too long"),
}


@pytest.mark.parametrize(("parameters", "cause"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_said(tmp_path: Path, lay: Lay, parameters: Any, cause: str) -> None:
    lay("x/a", "[]")
    storage = storage_of({"data": tmp_path / "data", "gone": tmp_path / "gone"})
    with pytest.raises(StatesError) as caught:
        list(read(GET, parameters, {"InputType": "JSON"}, storage))
    assert caught.value.error == "States.ItemReaderFailed"
    assert cause in str(caught.value.cause)


def test_only_readers_are_read_from(storage: Storage) -> None:
    with pytest.raises(StatesError, match="cannot be read from"):
        read("arn:aws:states:::s3:putObject", {}, {}, storage)


def test_any_partition_will_do(storage: Storage, lay: Lay) -> None:
    lay("a", "1")
    assert len(list(read("arn:aws-cn:states:::s3:listObjectsV2", {"Bucket": "data"}, {}, storage))) == 1


def test_loading_a_listing(storage: Storage, lay: Lay) -> None:
    lay("in/1.jsonl", "1\n2")
    lay("in/2.jsonl", "")
    lay("in/3/4.jsonl", "3\n")
    lay("other.jsonl", "9")
    config = {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSONL"}
    found = list(read(LIST, {"Bucket": "data", "Prefix": "in/"}, config, storage))
    assert [(item.value, item.source) for item in found] == [
        (1, "s3://data/in/1.jsonl"),
        (2, "s3://data/in/1.jsonl"),
        (3, "s3://data/in/3/4.jsonl"),
    ]
    assert len(list(read(LIST, {"Bucket": "data", "Prefix": "in/"}, config, storage, 2))) == 2


def test_a_fault_in_a_loaded_object_names_it(storage: Storage, lay: Lay) -> None:
    lay("1.json", "[1]")
    lay("2.json", "[")
    found = read(LIST, {"Bucket": "data"}, {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"}, storage)
    assert next(found).value == 1
    with pytest.raises(StatesError, match=r"s3://data/2\.json cannot be read: Expecting value \(line 1"):
        next(found)


def test_an_input_type_is_needed(items: Items, lay: Lay) -> None:
    with pytest.raises(StatesError, match="InputType has to be one of CSV, JSON, JSONL, PARQUET, but is None"):
        items(lay("a", "x"))
    with pytest.raises(StatesError, match="CSVDelimiter has to be one of"):
        items(lay("a", "x"), InputType="CSV", CSVDelimiter="BAR")
