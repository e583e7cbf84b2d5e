"""The failures of datasets and results, and the error names under which a definition sees them."""

from __future__ import annotations

from asl_engine.errors import StatesError

__all__ = ["DataFault", "StorageError", "reader_failed", "writer_failed"]


class StorageError(Exception):
    """An object or a bucket cannot be read or written; the text says which, and why."""


class DataFault(Exception):
    """An object is not in the declared format: the text says what is wrong, and where in the object."""


def reader_failed(cause: str) -> StatesError:
    return StatesError("States.ItemReaderFailed", cause)


def writer_failed(cause: str) -> StatesError:
    return StatesError("States.ResultWriterFailed", cause)
