"""What can go wrong with datasets and results, and the names under which a definition sees it."""

from __future__ import annotations

from asl_engine.errors import StatesError

__all__ = ["DataFault", "StorageError", "reader_failed", "writer_failed"]


class StorageError(Exception):
    """An object or a bucket cannot be read or written; the text says which, and why."""


class DataFault(Exception):
    """An object is not what its reader was told: the text says what is wrong, and where in the object."""


def reader_failed(cause: str) -> StatesError:
    return StatesError("States.ItemReaderFailed", cause)


def writer_failed(cause: str) -> StatesError:
    return StatesError("States.ResultWriterFailed", cause)
