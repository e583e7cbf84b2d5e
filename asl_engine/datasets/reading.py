"""ItemReader: the items of a dataset, one after the other, whatever its size.

AWS documentation, "ItemReader (Map)".
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from asl_engine.arn import s3_action
from asl_engine.datasets.csv_text import DELIMITERS, csv_items
from asl_engine.datasets.decoding import texts
from asl_engine.datasets.faults import DataFault, StorageError, reader_failed
from asl_engine.datasets.item import Item, uri_of
from asl_engine.datasets.json_text import json_items
from asl_engine.datasets.jsonl import json_lines
from asl_engine.datasets.manifests import athena_objects, inventory_of
from asl_engine.datasets.parquet import parquet_items

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from asl_engine.datasets.storage import Storage
    from asl_engine.json_values import Json

__all__ = ["MAX_ITEMS", "read"]

# The most items read from a dataset (AWS documentation, "MaxItems").
MAX_ITEMS: Final = 100_000_000

Values: TypeAlias = "Iterator[tuple[str | None, Json]]"


def read(
    resource: str,
    parameters: Json,
    config: Mapping[str, Json],
    storage: Storage,
    max_items: int | None = None,
) -> Generator[Item, None, None]:
    """The items of the dataset that ``resource`` and its ``parameters`` name, read lazily.

    ``parameters`` are the evaluated Parameters or Arguments, ``config`` is ReaderConfig, and
    ``max_items`` is its MaxItems or the value at MaxItemsPath.  Close the iterator to stop early: it holds a
    file or a connection open.  Iterate it in a thread: it blocks.

    Raises ``StatesError`` States.ItemReaderFailed, at the first item or at any later one, if an object is
    missing, cannot be read, or is not in the format of ``config``; the cause names the object and the place.
    """
    action = s3_action(resource)
    if action not in {"getObject", "listObjectsV2"}:
        raise reader_failed(f"The resource {resource} cannot be read from: use s3:getObject or s3:listObjectsV2")
    most = MAX_ITEMS if max_items is None else min(max_items, MAX_ITEMS)
    given: Mapping[str, Json] = parameters if isinstance(parameters, dict) else {}
    reader = _listed if action == "listObjectsV2" else _got
    return _guarded(reader(given, config, storage), most)


def _guarded(items: Iterator[Item], most: int) -> Generator[Item, None, None]:
    try:
        yield from islice(items, most)
    except (StorageError, DataFault) as error:
        raise reader_failed(str(error)) from error
    except OSError as error:
        raise reader_failed(f"Reading failed: {error.strerror or error}") from error


def _listed(given: Mapping[str, Json], config: Mapping[str, Json], storage: Storage) -> Iterator[Item]:
    """The objects of a bucket themselves, or the items in them."""
    bucket = _required(given, "Bucket")
    found = storage.list(bucket, _optional(given, "Prefix") or "", _optional(given, "StartAfter") or "")
    if config.get("Transformation", "NONE") == "NONE":
        source = uri_of(bucket)
        yield from (Item(described, source) for described in found)
        return
    for described in found:
        key = str(described["Key"])
        if not key.endswith("/"):  # stands for a folder
            yield from _items_in(storage, ObjectLocation(bucket, key), config)


def _got(given: Mapping[str, Json], config: Mapping[str, Json], storage: Storage) -> Iterator[Item]:
    place = ObjectLocation(_required(given, "Bucket"), _required(given, "Key"), _optional(given, "VersionId"))
    manifest = config.get("ManifestType")
    if manifest == "ATHENA_DATA":
        with _opened(storage, place) as stream:
            for bucket, key in athena_objects(stream):
                yield from _items_in(storage, ObjectLocation(bucket, key), config)
    elif manifest is not None or config.get("InputType") == "MANIFEST":
        with _opened(storage, place) as stream:
            inventory = inventory_of(stream, place.bucket)
        columns: dict[str, Json] = {
            "InputType": "CSV",
            "CSVHeaderLocation": "GIVEN",
            "CSVHeaders": list(inventory.columns),
        }
        for key in inventory.keys:
            yield from _items_in(storage, ObjectLocation(inventory.bucket, key), columns)
    else:
        yield from _items_in(storage, place, config)


def _items_in(storage: Storage, place: ObjectLocation, config: Mapping[str, Json]) -> Iterator[Item]:
    """The items in one object, whose format is InputType."""
    form = FORMS.get(str(config.get("InputType")))
    if form is None:
        raise DataFault(f"InputType has to be one of {', '.join(FORMS)}, but is {config.get('InputType')!r}")
    source = uri_of(place.bucket, place.key)
    with _opened(storage, place) as stream:
        for name, value in form(stream, config):
            yield Item(value, source, name)


class ObjectLocation(NamedTuple):
    """The place of an object."""

    bucket: str
    key: str
    version: str | None = None


class PlacedFault(DataFault):
    """A fault that names its object."""


@contextmanager
def _opened(storage: Storage, place: ObjectLocation) -> Iterator[BinaryIO]:
    """The object's bytes; a fault while reading them names the object."""
    with closing(storage.open(*place)) as stream:
        try:
            yield stream
        except PlacedFault:  # in another object, which this one names
            raise
        except DataFault as fault:
            raise PlacedFault(f"{uri_of(place.bucket, place.key)} cannot be read: {fault}") from None


def _json(stream: BinaryIO, config: Mapping[str, Json]) -> Values:
    return json_items(texts(stream), _optional(config, "ItemsPointer"))


def _json_lines(stream: BinaryIO, config: Mapping[str, Json]) -> Values:
    del config
    return _unnamed(json_lines(texts(stream)))


def _csv(stream: BinaryIO, config: Mapping[str, Json]) -> Values:
    delimiter = str(config.get("CSVDelimiter", "COMMA"))
    if delimiter not in DELIMITERS:
        raise DataFault(f"CSVDelimiter has to be one of {', '.join(DELIMITERS)}, but is {delimiter}")
    headers: Any = config.get("CSVHeaders") if config.get("CSVHeaderLocation") == "GIVEN" else None
    return _unnamed(csv_items(texts(stream), DELIMITERS[delimiter], headers))


def _parquet(stream: BinaryIO, config: Mapping[str, Json]) -> Values:
    del config
    return _unnamed(parquet_items(stream))


def _unnamed(values: Iterable[Json] | Iterable[dict[str, Json]]) -> Values:
    return ((None, value) for value in values)


# How to read the items of each InputType; a member of an object comes with its name.
FORMS: Final[dict[str, Callable[[BinaryIO, Mapping[str, Json]], Values]]] = {
    "CSV": _csv,
    "JSON": _json,
    "JSONL": _json_lines,
    "PARQUET": _parquet,
}


def _required(given: Mapping[str, Json], name: str) -> str:
    value = _optional(given, name)
    if not value:
        raise DataFault(f"The ItemReader needs a {name}")
    return value


def _optional(given: Mapping[str, Json], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise DataFault(f"{name} has to be a string, but is {value!r:.80}")
    return value
