"""A stream that is polled: its shards are read side by side, each once its parents are read to their end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from asl_engine.mappings.polling import SourceRefused
from asl_engine.mappings.reading import find_stream
from asl_engine.mappings.settings import AT_TIMESTAMP, LATEST, TRIM_HORIZON
from asl_engine.mappings.shards import ShardReader
from asl_engine.store.mapping_records import ShardRecord

if TYPE_CHECKING:
    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.reading import Shard, Stream
    from asl_engine.mappings.settings import EventSourceMapping
    from asl_engine.mappings.status import MappingTally

__all__ = ["StreamPoller"]

LIST_SECONDS: Final = 10.0  # between two looks at which shards there are


class StreamPoller:
    """Polls a stream until it is cancelled.  ``tally`` is what it counts."""

    def __init__(self, mapping: EventSourceMapping, polling: Polling, tally: MappingTally) -> None:
        self._mapping = mapping
        self._polling = polling
        self._tally = tally
        self._records: dict[str, ShardRecord] = {}
        self._readers: dict[str, ShardReader] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Raises ``SourceRefused`` and ``SourceUnreachable`` for what keeps it from polling."""
        try:
            stream = await find_stream(self._polling, self._mapping.source)
            await self._go_on(stream)
            if self._tally.polls():
                self._polling.say(f"{self._mapping.name}: polls {stream.arn}")
            while True:
                await self._follow(stream)
                ended = await self._wait()
                if not ended and not self._tasks:
                    await asyncio.sleep(self._polling.idle_seconds)
                found = await find_stream(self._polling, self._mapping.source)
                if found.identity != stream.identity:
                    raise SourceRefused("StreamReplaced", f"another stream is in the place of {stream.identity}")
                stream = found
        finally:
            for task in self._tasks.values():
                task.cancel()
            if self._tasks:
                await asyncio.wait([*self._tasks.values()])

    async def _go_on(self, stream: Stream) -> None:
        """Find out where the last process has stopped, or begin where StartingPosition says."""
        mapping, mappings = self._mapping, self._polling.mappings
        known = await mappings.shards(mapping.arn)
        replaced = next((record.stream for record in known if record.stream != stream.identity), None)
        if replaced is not None:
            self._polling.say(
                f"{mapping.name}: {stream.identity} is in the place of {replaced}; it begins at {mapping.starting}"
            )
            known = []
        if not known:
            known = [self._begun(stream, shard, first=True) for shard in stream.shards]
            await mappings.replace_shards(mapping.arn, known)
        self._records = {record.shard: record for record in known}

    def _begun(self, stream: Stream, shard: Shard, *, first: bool) -> ShardRecord:
        """A shard that nothing is known of.  One that appears later is read from its beginning."""
        start: str | int = TRIM_HORIZON
        skipped = False
        if first and self._mapping.starting == AT_TIMESTAMP:
            start = self._mapping.starting_at or 0
        elif first and self._mapping.starting == LATEST:
            start, skipped = LATEST, shard.closed
        since = self._polling.wall()
        return ShardRecord(self._mapping.arn, shard.name, stream.identity, since, skipped, {"start": start})

    async def _follow(self, stream: Stream) -> None:
        """Begin to read the shards whose turn it is."""
        mapping = self._mapping
        new = [self._begun(stream, one, first=False) for one in stream.shards if one.name not in self._records]
        if new:
            await self._polling.mappings.put_shards(new)
            self._records |= {record.shard: record for record in new}
        listed = {shard.name for shard in stream.shards}
        gone = {name for name, record in self._records.items() if record.finished and name not in listed}
        if gone:
            await self._polling.mappings.forget_shards(mapping.arn, gone)
            for name in gone:
                del self._records[name]
        for shard in stream.shards:
            if shard.name in self._tasks:
                self._readers[shard.name].shard = shard
            elif not self._records[shard.name].finished and not any(map(self._is_open, shard.parents)):
                reader = ShardReader(
                    mapping,
                    self._polling,
                    self._tally,
                    stream=stream,
                    shard=shard,
                    record=self._records[shard.name],
                )
                self._readers[shard.name] = reader
                self._tasks[shard.name] = asyncio.create_task(reader.run())

    def _is_open(self, parent: str) -> bool:
        """Whether a parent has still to be read; one that is not listed any more is gone with its records."""
        return parent in self._records and not self._records[parent].finished

    async def _wait(self) -> bool:
        """Wait until a shard ends, or it is time to look which there are; whether one has ended."""
        tasks = [*self._tasks.values()]
        if not tasks:
            return False
        done, _ = await asyncio.wait(tasks, timeout=LIST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for name, task in [*self._tasks.items()]:
            if task in done:
                del self._tasks[name]
                task.result()
                self._records[name] = self._records[name]._replace(finished=True)
        return bool(done)
