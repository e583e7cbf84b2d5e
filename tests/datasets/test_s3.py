"""S3 over HTTP: what is asked for, what is made of the answers, and streams that break off."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.datasets import ChildExecution, Storage, read, storage_of, write_results
from asl_engine.errors import StatesError
from asl_engine.states.item_flow import Writing
from tests.datasets.conftest import GET, LIST
from tests.datasets.s3_server import S3Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[S3Server]:
    with S3Server() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        yield running


@pytest.fixture
def remote(server: S3Server) -> Storage:
    del server
    return storage_of({}, "us-east-1")


def values(storage: Storage, key: str, **config: Any) -> list[Any]:
    return [item.value for item in read(GET, {"Bucket": "shop", "Key": key}, config, storage)]


def test_objects_are_read(server: S3Server, remote: Storage) -> None:
    server.objects["shop/in/ä b.json"] = b'[1, {"a": null}]'
    assert values(remote, "in/ä b.json", InputType="JSON") == [1, {"a": None}]


def test_local_folders_come_first(server: S3Server, tmp_path: Path) -> None:
    server.objects["shop/a"] = b"1"
    (tmp_path / "a").write_text("2")
    assert values(storage_of({"shop": tmp_path}), "a", InputType="JSONL") == [2]
    assert values(storage_of({"other": tmp_path}, "us-east-1"), "a", InputType="JSONL") == [1]


def test_all_pages_of_a_listing_are_read(server: S3Server, remote: Storage) -> None:
    server.objects |= {f"shop/in/{number}": b"x" * number for number in range(5)} | {"shop/out": b""}
    found = list(read(LIST, {"Bucket": "shop", "Prefix": "in/"}, {}, remote))
    assert [item.source for item in found] == ["s3://shop"] * 5
    listed: list[Any] = [item.value for item in found]
    assert [value["Key"] for value in listed] == [f"in/{number}" for number in range(5)]
    assert list(listed[1].items()) == [
        ("Etag", '"9dd4e461268c8034f5c8564e155c67a6"'),
        ("Key", "in/1"),
        ("LastModified", 1_704_164_645),
        ("Size", 1),
        ("StorageClass", "STANDARD"),
    ]
    after = read(LIST, {"Bucket": "shop", "Prefix": "in/", "StartAfter": "in/3"}, {}, remote)
    assert len(list(after)) == 1


def test_a_listing_is_loaded_without_the_folders(server: S3Server, remote: Storage) -> None:
    server.objects |= {"shop/in/": b"", "shop/in/1": b"1\n2", "shop/in/2": b"3"}
    config = {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSONL"}
    assert [item.value for item in read(LIST, {"Bucket": "shop"}, config, remote)] == [1, 2, 3]


LINES = "".join(f'{{"n":{number}}}\n' for number in range(1000)).encode()


def test_a_stream_goes_on_where_it_broke_off(server: S3Server, remote: Storage) -> None:
    server.objects["shop/a"] = LINES
    server.breaks = [4000, 0, 1, 2000]
    assert values(remote, "a", InputType="JSONL") == [{"n": number} for number in range(1000)]
    assert server.ranges == [None, "bytes=4000-", "bytes=4000-", "bytes=4001-", "bytes=6001-"]


def test_a_stream_that_gives_nothing_more_is_given_up(server: S3Server, remote: Storage) -> None:
    server.objects["shop/a"] = LINES
    server.breaks = [4000, *[0] * 20]
    with pytest.raises(StatesError, match=rf"s3://shop/a broke off 5 times at byte 4000 of {len(LINES)}"):
        values(remote, "a", InputType="JSONL")


def test_an_object_that_was_replaced_is_not_another_half(server: S3Server, remote: Storage) -> None:
    server.objects["shop/a"] = LINES * 100
    server.breaks = [300_000]
    found = read(GET, {"Bucket": "shop", "Key": "a"}, {"InputType": "JSONL"}, remote)
    next(found)
    server.objects["shop/a"] = LINES
    with pytest.raises(StatesError, match="pre-conditions"):
        list(found)


FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "no key": (
        {"Bucket": "shop", "Key": "no"},
        "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: REQ): s3://shop/no",
    ),
    "no bucket": ({"Bucket": "nowhere", "Key": "no"}, "The specified bucket does not exist (Service: S3"),
    "no access": ({"Bucket": "secret", "Key": "no"}, "User  is not authorized (Service: S3, Status Code: 403"),
    "no bucket's name": ({"Bucket": "a b", "Key": "no"}, "Invalid bucket name"),
}


@pytest.mark.parametrize(("parameters", "cause"), FAULTS.values(), ids=FAULTS)
def test_what_the_service_refuses_is_said(remote: Storage, parameters: dict[str, str], cause: str) -> None:
    with pytest.raises(StatesError) as caught:
        list(read(GET, {**parameters}, {"InputType": "JSON"}, remote))
    assert caught.value.error == "States.ItemReaderFailed"
    assert cause in str(caught.value.cause)


def test_results_are_written(server: S3Server, remote: Storage) -> None:
    child = ChildExecution("SUCCEEDED", "1", "arn:e", "arn:m", "e", 0, 1, "2")
    write_results([child], Writing("shop", "out", "COMPACT", "JSON"), remote, "arn:x:id")
    assert server.objects["shop/out/id/SUCCEEDED_0.json"] == b"[2]"
    assert json.loads(server.objects["shop/out/id/manifest.json"])["DestinationBucket"] == "shop"


def test_what_cannot_be_written_is_said(remote: Storage) -> None:
    child = ChildExecution("SUCCEEDED", "1", "arn:e", "arn:m", "e", 0, 1, "2")
    with pytest.raises(StatesError, match=r"Cannot write s3://secret/out/id/SUCCEEDED_0.json: .*Access") as caught:
        write_results([child], Writing("secret", "out", "COMPACT", "JSON"), remote, "arn:x:id")
    assert caught.value.error == "States.ResultWriterFailed"


def test_a_parquet_file_is_copied_before_it_is_read(server: S3Server, remote: Storage) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pa.table({"x": list(range(3000))}), file)
    server.objects["shop/t.parquet"] = file.getvalue()
    assert values(remote, "t.parquet", InputType="PARQUET") == [{"x": number} for number in range(3000)]


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(StatesError, match=r'S3 needs boto3: pip install "asl-engine\[s3\]"'):
        values(storage_of({}), "a", InputType="JSON")


def test_an_endpoint_that_is_none_is_said(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    del server
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "nonsense")
    with pytest.raises(StatesError, match="S3 cannot be reached: Invalid endpoint"):
        values(storage_of({}, "us-east-1"), "a", InputType="JSON")
