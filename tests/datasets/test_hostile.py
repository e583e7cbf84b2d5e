"""Whatever an object holds: items, or the one error that a definition can catch."""

from __future__ import annotations

import gzip
import io
import os
from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from asl_engine.datasets import read
from asl_engine.errors import StatesError
from asl_engine.json_text import dumps
from tests.datasets.conftest import GET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from asl_engine.json_values import Json

CONFIGS: dict[str, dict[str, Json]] = {
    "JSON": {"InputType": "JSON"},
    "ItemsPointer": {"InputType": "JSON", "ItemsPointer": "/a/1"},
    "JSONL": {"InputType": "JSONL"},
    "CSV": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    "S3_INVENTORY": {"ManifestType": "S3_INVENTORY"},
    "ATHENA_DATA": {"ManifestType": "ATHENA_DATA", "InputType": "JSONL"},
    "PARQUET": {"InputType": "PARQUET"},
}


class Holding:
    """A storage in which every object is the same."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def open(self, bucket: str, key: str, version: str | None = None) -> BinaryIO:
        del bucket, key, version
        return io.BytesIO(self._content)

    def list(self, bucket: str, prefix: str = "", start_after: str = "") -> Iterator[dict[str, Json]]:
        raise NotImplementedError

    def put(self, bucket: str, key: str, content: BinaryIO) -> None:
        raise NotImplementedError


def only_items_or_the_error(content: bytes, config: dict[str, Json]) -> None:
    fault = StatesError("States.ItemReaderFailed", "none")
    try:
        for item in read(GET, {"Bucket": "b", "Key": "k"}, config, Holding(content), 1000):
            dumps(item.input)
    except StatesError as error:
        fault = error
    assert fault.error == "States.ItemReaderFailed"
    assert fault.cause


TEXTS = st.sampled_from(
    [
        '{"a":[0,[1,{"b":"\\u00e9"}]]}',
        "[1,",
        '"',
        "\\",
        "\n",
        "\r",
        ",",
        "{",
        "}",
        "]",
        "NaN",
        "1e9",
        "\ufeff",
        "é",
    ]
)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@settings(deadline=None)
@given(parts=st.lists(TEXTS.map(str.encode) | st.binary(max_size=5), max_size=12), packed=st.booleans())
def test_anything(config: dict[str, Json], parts: list[bytes], packed: bool) -> None:
    content = b"".join(parts)
    only_items_or_the_error(gzip.compress(content) if packed else content, config)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_damaged_parquet(seed: int) -> None:
    file = io.BytesIO()
    rows: Any = {"x": [1, 2, 3], "y": ["a", None, "c"], "z": [[1.5], [], None]}
    parquet.write_table(pa.table(rows), file)
    content = bytearray(file.getvalue())
    random = Random(seed)
    for _ in range(random.randint(1, 4)):
        content[random.randrange(4, len(content) - 8)] = random.randrange(256)
    only_items_or_the_error(bytes(content), CONFIGS["PARQUET"])


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_rubbish(config: dict[str, Json]) -> None:
    only_items_or_the_error(os.urandom(300_000), config)
    only_items_or_the_error(b"\0" * 300_000, config)
