"""What a reader returns: items, each with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["LOCAL", "MAX_ITEM_BYTES", "MAX_OBJECT_BYTES", "Item", "uri_of"]

# Quotas of the ItemReader (AWS documentation, "Quotas related to Map Run"): one item, and one decompressed
# object.  They also bound our memory.
MAX_ITEM_BYTES: Final = 8 * 1024 * 1024
MAX_OBJECT_BYTES: Final = 10 * 1024**3

LOCAL: Final = "file://"


class Item(NamedTuple):
    """One item of a dataset.

    ``value`` and ``key`` are ``Map.Item.Value`` and ``Map.Item.Key`` of the context object; there is a key
    if the dataset is a JSON object.  ``source`` is ``Map.Item.Source``: the URI of the object read, or of
    the bucket if the items are a listing.
    """

    value: Json
    source: str
    key: str | None = None

    def context(self, index: int) -> dict[str, Json]:
        """``Map.Item`` of the context object."""
        shown: dict[str, Json] = {"Index": index, "Value": self.value}
        if self.key is not None:
            shown["Key"] = self.key
        if self.source:
            shown["Source"] = self.source
        return shown

    @property
    def input(self) -> Json:
        """The input of the iteration without an ItemSelector: a member of an object is a pair."""
        return self.value if self.key is None else {"Key": self.key, "Value": self.value}


def uri_of(bucket: str, key: str = "") -> str:
    """``s3://bucket/key``; a bucket that is a ``file://`` URL stays a URL."""
    base = bucket if bucket.startswith(LOCAL) else f"s3://{bucket}"
    return f"{base.rstrip('/')}/{key}" if key else base
