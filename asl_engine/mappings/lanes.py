"""A lane of a shard: records become batches, and the function is called with one batch after the other.

A batch that fails is called for again until it succeeds, its attempts are used up, or it is too old; meanwhile the
lane goes no further, so that the order is kept.  What is given up is on disk with the position after it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol

from asl_engine.mappings.calling import MAX_EVENT_BYTES, call_with_batch
from asl_engine.mappings.discarding import AGE, ATTEMPTS, discarded_batch
from asl_engine.mappings.progress import Range
from asl_engine.mappings.settings import MAX_AGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.mappings.calling import BatchOutcome
    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.progress import ReadRecord, ShardProgress
    from asl_engine.mappings.reading import Stream, StreamRecord
    from asl_engine.mappings.settings import EventSourceMapping
    from asl_engine.mappings.status import MappingTally
    from asl_engine.store.mapping_records import NewDiscarded

__all__ = ["LaneHost", "LaneWorker", "Waiting"]

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 1_000, 60_000


class Waiting(NamedTuple):
    """A record that was read; ``born`` is the engine's time at which it came into the stream."""

    record: StreamRecord
    read: ReadRecord
    born: int


class LaneHost(Protocol):
    """What a lane needs of the shard that it belongs to."""

    mapping: EventSourceMapping
    polling: Polling
    tally: MappingTally
    stream: Stream
    name: str
    progress: ShardProgress

    async def save(self, discarded: Sequence[NewDiscarded] = ()) -> None: ...

    def drained(self) -> None: ...


class LaneWorker:
    """Works off what a shard's reader puts into ``waiting``, until it is cancelled."""

    def __init__(self, shard: LaneHost, number: int) -> None:
        self._shard = shard
        self._mapping, self._polling = shard.mapping, shard.polling
        self._lane = shard.progress.lanes[number]
        self.waiting: deque[Waiting] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self._last: BatchOutcome | None = None

    def put(self, one: Waiting) -> None:
        self.waiting.append(one)
        self._news.set()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._news.set()

    @property
    def is_done(self) -> bool:
        return self._ended and not self.waiting

    async def run(self) -> None:
        """Returns when the shard has ended, and all of it is worked off."""
        while True:
            batch = await self._next()
            if batch is None:
                return
            with self._polling.timers.busy():
                await self._work_off(batch)

    # -- records become a batch -------------------------------------------------------------------

    async def _next(self) -> list[Waiting] | None:
        """The next batch: the one that was begun, or a new one.  None at the end."""
        ranges = self._lane.ranges
        while ranges:
            last = int(ranges[0].last)
            while not (self._ended or (self.waiting and int(self.waiting[-1].record.sequence) >= last)):
                await self._more()
            batch = []
            while self.waiting and int(self.waiting[0].record.sequence) <= last:
                batch.append(self.waiting.popleft())
            if batch:
                return batch
            ranges.popleft()  # its records are gone from the stream, or no filter lets them through any more
        while not self.waiting:
            if self._ended:
                return None
            await self._more()
        with self._polling.timers.busy():
            size = await self._window()
            batch = [self.waiting.popleft() for _ in range(size)]
            ranges.append(Range(batch[-1].record.sequence))
            await self._shard.save()
            return batch

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _window(self) -> int:
        """How many of the records that wait are the next batch, once it is full or its window is over."""
        due = self._polling.clock.now() + self._mapping.window
        while True:
            count, is_full = self._fitting()
            if is_full or self._ended or self._polling.clock.now() >= due:
                return count
            self._news.clear()
            more = asyncio.ensure_future(self._news.wait())
            ringing = asyncio.ensure_future(self._polling.timers.sleep_until(due))
            try:
                await asyncio.wait([more, ringing], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in (more, ringing):
                    one.cancel()
                await asyncio.wait([more, ringing])

    def _fitting(self) -> tuple[int, bool]:
        size = 0
        for count, one in enumerate(self.waiting):
            size += one.record.size
            if count == self._mapping.batch_size or (count and size > MAX_EVENT_BYTES):
                return count, True
        return len(self.waiting), len(self.waiting) >= self._mapping.batch_size

    # -- a batch and its function -----------------------------------------------------------------

    async def _work_off(self, batch: list[Waiting]) -> None:
        """Call the function until nothing is left of the batch, or it is split."""
        tally = self._shard.tally
        tally.in_flight += len(batch)
        left = batch
        try:
            while left:
                left = await self._without_old(left)
                if left:
                    left = await self._call(left)
        finally:
            tally.in_flight -= len(batch)
            self._shard.drained()

    async def _call(self, batch: list[Waiting]) -> list[Waiting]:
        """Call the function once; what is left of the batch."""
        mapping, tally, under_way = self._mapping, self._shard.tally, self._lane.ranges[0]
        records = [one.record for one in batch]
        outcome = await call_with_batch(
            self._polling,
            mapping,
            {"Records": [one.record for one in records]},
            [one.sequence for one in records],
            key=self._key(records),
            attempt=under_way.attempts,
        )
        now = self._polling.clock.now()
        if outcome.error is None:
            tally.succeeded(len(batch), now)
            await self._finish(batch)
            return []
        tally.failure(len(outcome.failed), outcome.error, now)
        self._polling.say(f"{mapping.name}: {len(outcome.failed)} of {len(batch)} failed: {outcome.error}")
        under_way.calls += 1
        self._last = outcome
        if not outcome.reached:
            await self._shard.save()
            await self._pause(under_way.calls)
            return batch
        first = next(n for n, one in enumerate(records) if one.sequence in outcome.failed)
        if first:  # what comes before the first that failed is done
            under_way.attempts, under_way.calls = 0, 1
            tally.processed += first
            await self._finish(batch[:first], goes_on=True)
            batch = batch[first:]
        elif mapping.bisect and len(batch) > 1:
            middle = len(batch) // 2
            self._lane.ranges.popleft()
            self._lane.ranges.extendleft(reversed(under_way.halves(records[middle - 1].sequence)))
            for one in reversed(batch):
                self.waiting.appendleft(one)
            await self._shard.save()
            return []
        under_way.attempts += 1
        if mapping.retries != MAX_AGE and under_way.attempts > mapping.retries:
            await self._discard(batch, ATTEMPTS)
            return []
        await self._shard.save()
        await self._pause(under_way.attempts)
        return batch

    async def _pause(self, failures: int) -> None:
        pause = min(FIRST_PAUSE_MS * 2 ** min(failures - 1, 10), LONGEST_PAUSE_MS)
        await self._polling.timers.sleep_until(self._polling.clock.now() + pause)

    async def _without_old(self, batch: list[Waiting]) -> list[Waiting]:
        """What is left of a batch once the records at its head are given up that are too old."""
        if self._mapping.max_age == MAX_AGE:
            return batch
        oldest = self._polling.clock.now() - self._mapping.max_age
        count = next((n for n, one in enumerate(batch) if one.born >= oldest), len(batch))
        if count:
            await self._discard(batch[:count], AGE, goes_on=count < len(batch))
        return batch[count:]

    def _key(self, records: Sequence[StreamRecord]) -> str:
        """The same whenever the function is called with these records."""
        shard = self._shard
        told = (self._mapping.arn, shard.stream.identity, shard.name, records[0].sequence, records[-1].sequence)
        return sha256("\n".join(told).encode()).hexdigest()

    async def _discard(self, batch: Sequence[Waiting], condition: str, *, goes_on: bool = False) -> None:
        records = [one.record for one in batch]
        now = self._polling.clock.now()
        given_up = discarded_batch(
            self._mapping,
            self._shard.stream,
            self._shard.name,
            records,
            key=self._key(records),
            condition=condition,
            calls=self._lane.ranges[0].calls,
            error=None if self._last is None else self._last.error,
            unhandled=self._last is not None and self._last.unhandled,
            now=now,
        )
        self._shard.tally.lost(len(batch), condition, now)
        await self._finish(batch, goes_on=goes_on, discarded=[given_up])
        self._polling.say(f"{self._mapping.name}: {len(batch)} given up: {condition}")

    async def _finish(
        self, batch: Sequence[Waiting], *, goes_on: bool = False, discarded: Sequence[NewDiscarded] = ()
    ) -> None:
        """Nothing more is to be done for these records, the first of the lane."""
        for one in batch:
            self._shard.progress.close(one.read)
        self._lane.done = batch[-1].record.sequence
        if not goes_on:
            self._lane.ranges.popleft()
            self._last = None
        await self._shard.save(discarded)
