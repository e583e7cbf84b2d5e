"""Datasets of a distributed Map: reading its items, batching them, writing its results.

This package knows storage and formats; it is synchronous, it streams, and it holds one item at a
time.  The Map state decides when to read how much, what an item becomes and what a failure means.
"""

from __future__ import annotations

from asl_engine.datasets.batching import Batch, batches
from asl_engine.datasets.faults import StorageError
from asl_engine.datasets.given import read_given
from asl_engine.datasets.item import Item
from asl_engine.datasets.reading import read
from asl_engine.datasets.results import ChildExecution, collect_results, write_results
from asl_engine.datasets.storage import LocalFirst, Storage, storage_of

__all__ = [
    "Batch",
    "ChildExecution",
    "Item",
    "LocalFirst",
    "Storage",
    "StorageError",
    "batches",
    "collect_results",
    "read",
    "read_given",
    "storage_of",
    "write_results",
]
