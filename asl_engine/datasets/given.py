"""The items of a dataset whose content is given as text, without fetching anything."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from asl_engine.datasets.faults import StorageError
from asl_engine.datasets.reading import read
from asl_engine.json_text import JsonSyntaxError, loads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.datasets.item import Item
    from asl_engine.json_values import Json

__all__ = ["read_given"]


def read_given(
    content: str, resource: str, parameters: Json, config: Mapping[str, Json], max_items: int | None = None
) -> list[Item]:
    """The items that ``read`` would return if each object had this content.

    The content is that of the one object with the items, never a manifest; that of an inventory is CSV whose
    first row names the columns.  A listing is a JSON array of the objects listed, or an object with such an
    array as its Contents.  Raises as ``read``.
    """
    told = {name: value for name, value in config.items() if name != "ManifestType"}
    if config.get("ManifestType") == "S3_INVENTORY" or config.get("InputType") == "MANIFEST":
        told |= {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    listed = told.get("Transformation", "NONE") == "NONE"
    return list(read(resource, parameters, told, _Given(content, listed=listed), max_items))


class _Given:
    """A storage with the same content under each key."""

    def __init__(self, content: str, *, listed: bool) -> None:
        self._content = content
        self._listed = listed

    def open(self, bucket: str, key: str, version: str | None = None) -> BinaryIO:
        del bucket, key, version
        return io.BytesIO(self._content.encode("utf-8", "surrogatepass"))

    def list(self, bucket: str, prefix: str = "", start_after: str = "") -> Iterator[dict[str, Json]]:
        del bucket, start_after
        if not self._listed:  # objects are read, and there is exactly one
            yield {"Key": prefix.rstrip("/") or "data"}
            return
        try:
            found = loads(self._content)
        except JsonSyntaxError as error:
            raise StorageError(f"The listing is not JSON: {error}") from None
        if isinstance(found, dict):
            found = found.get("Contents")
        if not isinstance(found, list):
            raise StorageError("The listing has to be an array of objects")
        for described in found:
            if not isinstance(described, dict):
                raise StorageError("The listing has to be an array of objects")
            yield described

    def put(self, bucket: str, key: str, content: BinaryIO) -> None:
        del content
        raise StorageError(f"There is nowhere to write {bucket}/{key} to")
