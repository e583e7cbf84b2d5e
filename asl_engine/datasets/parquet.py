"""Parquet: an item per row, with the columns as members.  Needs the extra ``parquet`` (pyarrow).

A row group is read in batches of rows.  The file must be seekable: an object from the network is
first copied to a temporary file.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from uuid import UUID

from asl_engine.datasets.decoding import decompressed, pieces
from asl_engine.datasets.faults import DataFault, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.json_values import Json

__all__ = ["parquet_items"]

# Quotas of the ItemReader for Parquet files.
MAX_FOOTER_BYTES: Final = 5 * 1024 * 1024
MAX_ROW_GROUP_BYTES: Final = 256 * 1024 * 1024
MAGIC: Final = b"PAR1"
ROWS: Final = 1024  # at a time


def parquet_items(stream: BinaryIO) -> Iterator[dict[str, Json]]:
    """The rows as items.  Raises ``DataFault`` if it is not a Parquet file, or exceeds the quotas."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise StorageError('reading PARQUET needs pyarrow: pip install "asl-engine[parquet]"') from None
    with _seekable(stream) as file:
        _check_footer(file)
        try:
            table = parquet.ParquetFile(file, memory_map=False, pre_buffer=False)
            for group in range(table.num_row_groups):
                size = table.metadata.row_group(group).total_byte_size
                if size > MAX_ROW_GROUP_BYTES:
                    raise DataFault(f"its row group {group} has {size} bytes, more than {MAX_ROW_GROUP_BYTES}")
            number = 0
            for batch in table.iter_batches(ROWS, use_threads=False):
                for row in batch.to_pylist():
                    yield {name: _json(value, name, number) for name, value in row.items()}
                    number += 1
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise DataFault(f"it cannot be read as a Parquet file: {error}") from None


def _seekable(stream: BinaryIO) -> BinaryIO:
    if stream.seekable() and decompressed(stream) is stream:
        return stream
    file = TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        for piece in pieces(stream):
            file.write(piece)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _check_footer(file: BinaryIO) -> None:
    """The file ends with the footer, its length and the magic bytes."""
    size = file.seek(0, 2)
    file.seek(max(size - 8, 0))
    end = file.read(8)
    file.seek(0)
    if len(end) < 8 or end[4:] != MAGIC:
        raise DataFault("it is no Parquet file: it does not end with PAR1")
    footer = int.from_bytes(end[:4], "little")
    if footer > MAX_FOOTER_BYTES:
        raise DataFault(f"its footer has {footer} bytes, more than {MAX_FOOTER_BYTES}")


def _json(value: Any, name: str, row: int) -> Json:
    """A value as JSON: times in ISO 8601, decimals and bytes (base64) as text, so that nothing is lost."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not isfinite(value):
            raise DataFault(f"the column {name} of row {row + 1} is {value}, which is not a JSON value")
        return value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {str(key): _json(inner, name, row) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner, name, row) for inner in value]
    if isinstance(value, tuple):  # an entry of a map column
        return [_json(inner, name, row) for inner in value]
    raise DataFault(f"the column {name} of row {row + 1} has a type that JSON cannot hold: {type(value).__name__}")
