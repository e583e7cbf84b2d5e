"""What a store tells of event source mappings: what they have come to, shards, discarded batches.

Times are in milliseconds since the epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DONE",
    "KEPT",
    "REDRIVEN",
    "UNSENT",
    "BatchStatus",
    "DiscardedBatch",
    "MappingRecord",
    "NewDiscarded",
    "ShardRecord",
]

# UNSENT: its destination has still to hear of it.  KEPT: until somebody redrives it.  REDRIVEN: it is to be tried
# once more.  DONE: that has succeeded.
BatchStatus: TypeAlias = Literal["UNSENT", "KEPT", "REDRIVEN", "DONE"]
UNSENT: Final[BatchStatus] = "UNSENT"
KEPT: Final[BatchStatus] = "KEPT"
REDRIVEN: Final[BatchStatus] = "REDRIVEN"
DONE: Final[BatchStatus] = "DONE"


class MappingRecord(NamedTuple):
    """A mapping that was polled, and what it has come to: ``mappings.status.Tally.kept``."""

    arn: str
    name: str
    function_arn: str
    source_arn: str
    tally: Mapping[str, Any]
    updated_at: int


class ShardRecord(NamedTuple):
    """How far a shard has been read.

    ``stream`` tells streams apart that have the same ARN: one after the other.  ``progress`` is what
    ``mappings.progress`` makes of it.
    """

    mapping_arn: str
    shard: str
    stream: str
    since: int
    finished: bool = False
    progress: Mapping[str, Any] = {}


class NewDiscarded(NamedTuple):
    """A batch that is given up.

    ``key`` is that of its calls: a batch is given up once.  ``invocation`` is what a destination gets, ``event``
    what the function got, and ``note`` why it was given up.
    """

    mapping_arn: str
    key: str
    at: int
    status: BatchStatus
    invocation: Mapping[str, Any]
    event: Mapping[str, Any]
    note: Mapping[str, Any] = {}


class DiscardedBatch(NamedTuple):
    """A batch that was given up, and what has become of it since."""

    number: int
    mapping_arn: str
    key: str
    at: int
    status: BatchStatus
    invocation: Mapping[str, Any]
    event: Mapping[str, Any]
    note: Mapping[str, Any]
