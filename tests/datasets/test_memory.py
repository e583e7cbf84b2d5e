"""Datasets are larger than memory: what is held does not grow with them."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections import deque
from itertools import chain, count, islice, repeat
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.datasets import ChildExecution, batches, read, write_results
from asl_engine.states.item_flow import Writing
from tests.datasets.conftest import GET, LIST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from asl_engine.json_values import Json

MEGABYTE = 1024 * 1024


class Endless(io.RawIOBase):
    """A stream of so many bytes, made while it is read."""

    def __init__(self, opening: bytes, line: bytes, closing: bytes, size: int) -> None:
        super().__init__()
        block = line * (64 * 1024 // len(line) + 1)
        self._pieces = chain([opening], repeat(block, size // len(block)), [closing])
        self._rest = next(self._pieces) or next(self._pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._rest or next(self._pieces, b"")
        taken, self._rest = piece[: len(buffer)], piece[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


class Generated:
    """A storage whose objects are made when they are read, and which forgets what is written."""

    def __init__(self, make: Callable[[], io.RawIOBase] | None = None) -> None:
        self._make = make
        self.sizes: dict[str, int] = {}

    def open(self, bucket: str, key: str, version: str | None = None) -> BinaryIO:
        del bucket, key, version
        assert self._make is not None
        return io.BufferedReader(self._make())

    def list(self, bucket: str, prefix: str = "", start_after: str = "") -> Iterator[dict[str, Json]]:
        del bucket, prefix, start_after
        return ({"Key": f"{number:020}", "Size": number} for number in range(200_000))

    def put(self, bucket: str, key: str, content: BinaryIO) -> None:
        del bucket
        self.sizes[key] = sum(map(len, iter(lambda: content.read(MEGABYTE), b"")))


def peak(work: Callable[[], Iterable[object]]) -> tuple[int, int]:
    """How many things the work has given, and how many bytes it has held at most."""
    tracemalloc.start()
    try:
        counter = count()
        deque(zip(work(), counter, strict=False), maxlen=0)
        return next(counter) - 1, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LINE = b'{"id": 12345, "name": "a name", "tags": ["x", "y"]}'
FORMS: dict[str, tuple[bytes, bytes, bytes, dict[str, Json]]] = {
    "JSON": (b"[", LINE + b",\n", b"0]", {"InputType": "JSON"}),
    "a nested array": (b'{"a": {"b": [', LINE + b",", b"0]}}", {"InputType": "JSON", "ItemsPointer": "/a/b"}),
    "JSONL": (b"", LINE + b"\n", b"0", {"InputType": "JSONL"}),
    "CSV": (
        b"a,b\n",
        b"12345," + b"some text " * 9 + b"\n",
        b"1,2",
        {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    ),
    "quoted CSV": (
        b"a,b\n",
        b'"1 ""2""","x\n' + b"y" * 90 + b'"\n',
        b"1,2",
        {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    ),
}


# How many bytes of a form there are, and more than are ever held: tracing each allocation is slow.
SIZES = {"CSV": (3 * MEGABYTE, 4 * MEGABYTE), "quoted CSV": (3 * MEGABYTE // 2, 2 * MEGABYTE)}


@pytest.mark.parametrize("form", FORMS)
def test_a_large_object_is_read_in_little_memory(form: str) -> None:
    opening, line, closing, config = FORMS[form]
    size, bound = SIZES.get(form, (3 * MEGABYTE, 2 * MEGABYTE))
    storage = Generated(lambda: Endless(opening, line, closing, size))
    items, held = peak(lambda: read(GET, {"Bucket": "b", "Key": "k"}, config, storage))
    assert items > size // len(line) - 2 * 64 * 1024 // len(line)
    assert held < bound


def test_a_listing_is_read_in_little_memory() -> None:
    items, held = peak(lambda: islice(read(LIST, {"Bucket": "b"}, {}, Generated()), 100_000))
    assert items >= 99_999
    assert held < MEGABYTE


def test_batches_hold_one_batch() -> None:
    _, held = peak(lambda: batches(({"n": number, "x": "y" * 100} for number in range(20_000)), 100))
    assert held < MEGABYTE // 4


def test_results_are_written_in_little_memory() -> None:
    storage = Generated()
    children = (
        ChildExecution("SUCCEEDED", "{}", f"arn:{number}", "arn", str(number), 0, 1, json.dumps("x" * 500))
        for number in range(10_000)
    )

    def work() -> Iterable[object]:
        write_results(children, Writing("b", "", "NONE", "JSON"), storage, "arn:id")
        return ()

    _, held = peak(work)
    assert storage.sizes["id/SUCCEEDED_0.json"] > 6 * MEGABYTE
    assert held < 3 * MEGABYTE
