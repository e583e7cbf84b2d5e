"""Compressed objects, manifests and Parquet files."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from asl_engine.datasets.decoding import texts
from asl_engine.errors import StatesError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.datasets.conftest import Items, Lay


@pytest.mark.parametrize("key", ["a.jsonl.gz", "a.jsonl"])
def test_what_is_compressed_is_read(lay: Lay, items: Items, key: str) -> None:
    found = items(lay(key, gzip.compress(b"1\n2\n")), InputType="JSONL")
    assert [item.value for item in found] == [1, 2]


DAMAGED = {
    "cut": (gzip.compress(bytes(range(256)) * 99)[:-20], "cannot be decompressed behind byte"),
    "changed": (gzip.compress(b"1\n2\n")[:-8] + b"\0" * 8, "cannot be decompressed behind byte"),
    "only the magic number": (b"\x1f\x8b", "cannot be decompressed behind byte 0"),
    "zstandard": (b"\x28\xb5\x2f\xfd rubbish", "Zstandard|decompress"),
}


@pytest.mark.parametrize(("content", "cause"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_is_said(lay: Lay, items: Items, content: bytes, cause: str) -> None:
    with pytest.raises(StatesError, match=cause):
        items(lay("a.gz", content), InputType="JSONL")


def test_an_archive_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.datasets.decoding.MAX_OBJECT_BYTES", 1_000_000)
    bomb = gzip.compress(b"\n" * 10_000_000)
    assert len(bomb) < 20_000
    with pytest.raises(Exception, match="more than 1000000 bytes"):
        list(texts(io.BytesIO(bomb)))


INVENTORY: dict[str, Any] = {
    "sourceBucket": "source",
    "destinationBucket": "arn:aws:s3:::data",
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, Size",
    "files": [{"key": "inv/1.csv.gz", "size": 1}, {"key": "inv/2.csv.gz"}],
}


@pytest.mark.parametrize("config", [{"InputType": "MANIFEST"}, {"ManifestType": "S3_INVENTORY"}])
def test_an_inventory(lay: Lay, items: Items, config: dict[str, str]) -> None:
    lay("inv/1.csv.gz", gzip.compress(b'"source","a%20b","1"\n"source","c","2"\n'))
    lay("inv/2.csv.gz", gzip.compress(b'"source","d","3"\n'))
    found = items(lay("inv/manifest.json", json.dumps(INVENTORY)), **config)
    assert [(item.value, item.source) for item in found] == [
        ({"Bucket": "source", "Key": "a%20b", "Size": "1"}, "s3://data/inv/1.csv.gz"),
        ({"Bucket": "source", "Key": "c", "Size": "2"}, "s3://data/inv/1.csv.gz"),
        ({"Bucket": "source", "Key": "d", "Size": "3"}, "s3://data/inv/2.csv.gz"),
    ]


BAD_INVENTORIES: dict[str, tuple[Any, str]] = {
    "no JSON": ("x", "s3://data/m.json cannot be read: it is not JSON"),
    "another value": ([], "it is no object"),
    "another format": ({**INVENTORY, "fileFormat": "ORC"}, "fileFormat has to be CSV, but is 'ORC'"),
    "no schema": ({**INVENTORY, "fileSchema": None}, "fileSchema or files is missing"),
    "no files": ({**INVENTORY, "files": {}}, "fileSchema or files is missing"),
    "a file without a key": ({**INVENTORY, "files": [{}]}, "has no key"),
    "a missing file": (INVENTORY, "The specified key does not exist."),
}


@pytest.mark.parametrize(("manifest", "cause"), BAD_INVENTORIES.values(), ids=BAD_INVENTORIES)
def test_what_is_no_inventory_is_said(lay: Lay, items: Items, manifest: Any, cause: str) -> None:
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    with pytest.raises(StatesError) as caught:
        items(lay("m.json", text), InputType="MANIFEST")
    assert cause in str(caught.value.cause)


def test_an_athena_manifest(lay: Lay, items: Items, bucket: Path) -> None:
    lay("out/1", gzip.compress(b"1\n2"))
    lay("out/x?#.jsonl", "3")
    lay("out/y z", "4")
    uris = f"s3://data/out/1\ns3://data/out/x?#.jsonl\n{(bucket / 'out/y z').as_uri()}\n"
    found = items(lay("m.csv", uris), ManifestType="ATHENA_DATA", InputType="JSONL")
    assert [item.value for item in found] == [1, 2, 3, 4]
    assert found[2].source == "s3://data/out/x?#.jsonl"


def test_an_athena_manifest_of_csv(lay: Lay, items: Items) -> None:
    lay("out/1", "1;2")
    config: Any = {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "b"], "CSVDelimiter": "SEMICOLON"}
    manifest = lay("m.csv", "s3://data/out/1")
    found = items(manifest, ManifestType="ATHENA_DATA", InputType="CSV", **config)
    assert [item.value for item in found] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("uri", ["http://x/y", "s3://bucket", "s3:///key", "nothing", "file:///top"])
def test_what_is_no_uri_is_located(lay: Lay, items: Items, uri: str) -> None:
    lay("out/1", "1")
    with pytest.raises(StatesError, match=r"s3://data/m.csv cannot be read: line 2 is not the URI of an object"):
        items(lay("m.csv", f"s3://data/out/1\n{uri}\n"), ManifestType="ATHENA_DATA", InputType="JSONL")


def table(**columns: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file, row_group_size=2)
    return file.getvalue()


COLUMNS: dict[str, tuple[Any, list[Any]]] = {
    "numbers": ([1, None, 3], [1, None, 3]),
    "fractions": ([0.5, 1.0, -2.5], [0.5, 1.0, -2.5]),
    "truth": ([True, False, None], [True, False, None]),
    "text": (["a", "", "é"], ["a", "", "é"]),
    "times": ([datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)] * 3, ["2024-01-02T03:04:05+00:00"] * 3),
    "days": ([date(2024, 1, 2)] * 3, ["2024-01-02"] * 3),
    "decimals": ([Decimal("1.10")] * 3, ["1.10"] * 3),
    "bytes": ([b"\x00\xff"] * 3, ["AP8="] * 3),
    "lists": ([[1, None], [], None], [[1, None], [], None]),
    "objects": ([{"a": 1}, {"a": None}, None], [{"a": 1}, {"a": None}, None]),
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("given", "expected"), COLUMNS.values(), ids=COLUMNS)
def test_parquet(lay: Lay, items: Items, given: Any, expected: list[Any], compressed: bool) -> None:
    content = table(x=given)
    found = items(lay("t.parquet", gzip.compress(content) if compressed else content), InputType="PARQUET")
    assert [item.value for item in found] == [{"x": value} for value in expected]


def test_a_parquet_file_without_rows(lay: Lay, items: Items) -> None:
    assert items(lay("t.parquet", table(x=[])), InputType="PARQUET") == []


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no Parquet file"),
    "rubbish": (bytes(range(256)) * 9, "no Parquet file"),
    "only the end": (b"PAR1" * 20, "more than 5242880|cannot be read as a Parquet file"),
    "cut": (table(x=["abc"] * 999)[:300] + table(x=[1])[-8:], "cannot be read as a Parquet file"),
    "a NaN": (table(x=[1.0, float("nan")]), "the column x of row 2 is nan"),
}


@pytest.mark.parametrize(("content", "cause"), BAD_FILES.values(), ids=BAD_FILES)
def test_what_is_no_parquet_file_is_said(lay: Lay, items: Items, content: bytes, cause: str) -> None:
    with pytest.raises(StatesError, match=cause):
        items(lay("t.parquet", content), InputType="PARQUET")


def test_a_row_group_that_is_too_large_is_refused(lay: Lay, items: Items, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.datasets.parquet.MAX_ROW_GROUP_BYTES", 10)
    with pytest.raises(StatesError, match="its row group 0 has"):
        items(lay("t.parquet", table(x=[1, 2])), InputType="PARQUET")


def test_without_pyarrow_the_extra_is_named(lay: Lay, items: Items, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(StatesError, match=r'pip install "asl-engine\[parquet\]"'):
        items(lay("t.parquet", table(x=[1])), InputType="PARQUET")
