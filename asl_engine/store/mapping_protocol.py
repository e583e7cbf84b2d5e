"""The interface of a store to its event source mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asl_engine.store.mapping_records import (
        BatchStatus,
        DiscardedBatch,
        MappingRecord,
        NewDiscarded,
        ShardRecord,
    )

__all__ = ["Mappings"]


class Mappings(Protocol):
    """The event source mappings of a store.  Each call is one transaction."""

    async def claim(self) -> bool:
        """Whether this process is the one that polls.  It becomes that where no living process is."""
        ...

    async def leave(self) -> None: ...

    async def mappings(self) -> list[MappingRecord]:
        """The mappings that are there, or were."""
        ...

    async def put_mappings(self, records: Sequence[MappingRecord]) -> None: ...

    async def shards(self, mapping_arn: str) -> list[ShardRecord]: ...

    async def put_shards(self, records: Sequence[ShardRecord], discarded: Sequence[NewDiscarded] = ()) -> None:
        """Keep how far shards have been read, together with the batches that are given up."""
        ...

    async def replace_shards(
        self, mapping_arn: str, records: Sequence[ShardRecord], discarded: Sequence[NewDiscarded] = ()
    ) -> None:
        """Forget the shards of a stream that is gone, for those of the one in its place."""
        ...

    async def forget_shards(self, mapping_arn: str, shards: Collection[str]) -> None:
        """Forget shards that are finished, and gone."""
        ...

    async def discarded(
        self, statuses: Collection[BatchStatus], limit: int, *, mapping_arn: str | None = None
    ) -> list[DiscardedBatch]:
        """The last batches that were given up and have these statuses, in the order in which they were."""
        ...

    async def settle(
        self,
        batch: DiscardedBatch,
        status: BatchStatus,
        note: Mapping[str, Any],
        event: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what has become of a batch, unless somebody has changed its status meanwhile.

        ``event`` is what is left of it.
        """
        ...

    async def redrive(self, numbers: Collection[int] | None) -> list[int]:
        """Have batches tried once more: those given, or all that are kept.  Returns their numbers."""
        ...

    async def tidy(self, before: int) -> None:
        """Forget the batches that were given up before a time, and that nobody has to look after any more."""
        ...
