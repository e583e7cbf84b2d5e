"""Manifests: objects that list the objects with the items.

AWS documentation, "ItemReader": the inventory of a bucket (S3_INVENTORY), whose files are CSV, and the
manifest that an Athena query leaves behind (ATHENA_DATA), which has the URI of a data file in each line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from asl_engine.arn import last_part
from asl_engine.datasets.csv_text import csv_rows
from asl_engine.datasets.decoding import read_bytes, texts
from asl_engine.datasets.faults import DataFault
from asl_engine.datasets.item import LOCAL
from asl_engine.json_text import JsonSyntaxError, loads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["Inventory", "athena_objects", "inventory_of"]

MAX_INVENTORY_BYTES = 16 * 1024 * 1024


class Inventory(NamedTuple):
    """The bucket and the keys of an inventory's files, and their columns."""

    bucket: str
    keys: list[str]
    columns: list[str]


def inventory_of(stream: BinaryIO, bucket: str) -> Inventory:
    """Read a manifest.json that lies in ``bucket``.  Raises ``DataFault``."""
    try:
        manifest = loads(read_bytes(stream, MAX_INVENTORY_BYTES).decode("utf-8-sig"))
    except (JsonSyntaxError, UnicodeDecodeError) as error:
        raise DataFault(f"it is not JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise DataFault("it is not the manifest.json of an S3 inventory: it is no object")
    form, schema, files = manifest.get("fileFormat"), manifest.get("fileSchema"), manifest.get("files")
    if form != "CSV":
        raise DataFault(f"an inventory's fileFormat has to be CSV, but is {form!r}")
    if not isinstance(schema, str) or not isinstance(files, list):
        raise DataFault("it is not the manifest.json of an S3 inventory: fileSchema or files is missing")
    keys = []
    for file in files:
        key = file.get("key") if isinstance(file, dict) else None
        if not isinstance(key, str):
            raise DataFault("an entry of its files has no key")
        keys.append(key)
    destination = manifest.get("destinationBucket")
    # A folder stands for the bucket that the inventory was written to.
    if isinstance(destination, str) and not bucket.startswith(LOCAL):
        bucket = last_part(destination)  # an ARN
    return Inventory(bucket, keys, [column.strip() for column in schema.split(",")])


def athena_objects(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    """The bucket and the key of each data file.  Raises ``DataFault``."""
    for number, row in enumerate(csv_rows(texts(stream), ","), 1):
        uri = row[0].strip()
        parts = urlsplit(uri)
        if parts.scheme == "s3" and parts.netloc and len(parts.path) > 1:
            yield parts.netloc, uri.split("/", 3)[3]  # a key may hold ? and #
        elif parts.scheme == "file" and "/" in parts.path.strip("/"):
            folder, _, name = uri.rpartition("/")
            yield folder, unquote(name)
        else:
            raise DataFault(f"line {number} is not the URI of an object: {uri[:200]!r}")
