"""A folder that stands for the bucket ``data``, and the reading of what is laid into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from asl_engine.datasets import Item, Storage, read, storage_of

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.json_values import Json

GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"

Lay: TypeAlias = Callable[[str, "str | bytes"], str]
Items: TypeAlias = Callable[..., list[Item]]


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def storage(bucket: Path) -> Storage:
    return storage_of({"data": bucket})


@pytest.fixture
def lay(bucket: Path) -> Lay:
    """Write an object; its key."""

    def lay(key: str, content: str | bytes) -> str:
        path = bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return key

    return lay


@pytest.fixture
def items(storage: Storage) -> Items:
    """The items of an object of the bucket."""

    def items(key: str, max_items: int | None = None, **config: Json) -> list[Item]:
        return list(read(GET, {"Bucket": "data", "Key": key}, config, storage, max_items))

    return items
