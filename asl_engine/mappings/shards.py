"""A shard that is read: its records, in order, go to its lanes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from asl_engine.errors import StoreUnavailable
from asl_engine.mappings.discarding import trimmed
from asl_engine.mappings.lanes import LaneWorker, Waiting
from asl_engine.mappings.polling import SourceRefused, SourceUnreachable
from asl_engine.mappings.progress import ShardProgress
from asl_engine.mappings.reading import iterator_after, iterator_at, read_page
from asl_engine.mappings.settings import LATEST, TRIM_HORIZON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.reading import Page, Shard, Stream, StreamRecord
    from asl_engine.mappings.settings import EventSourceMapping
    from asl_engine.mappings.status import MappingTally
    from asl_engine.store.mapping_records import NewDiscarded, ShardRecord

__all__ = ["ShardReader"]

log = logging.getLogger("asl_engine.mappings")

MAX_WAITING: Final = 2_000  # records in memory, besides the batches that are under way
MAX_WAITING_BYTES: Final = 24 * 1024 * 1024
FIRST_IDLE: Final = 0.05
AGAIN_SECONDS: Final = 1.0
ATTEMPTS: Final = 5
EXPIRED: Final = "ExpiredIteratorException"
TRIMMED: Final = "TrimmedDataAccessException"
SECOND: Final = 1000


class ShardReader:
    """Reads a shard until it ends, or until it is cancelled."""

    def __init__(
        self,
        mapping: EventSourceMapping,
        polling: Polling,
        tally: MappingTally,
        *,
        stream: Stream,
        shard: Shard,
        record: ShardRecord,
    ) -> None:
        self.mapping = mapping
        self.polling = polling
        self.tally = tally
        self.stream = stream
        self.shard = shard  # as it was listed last
        self.name = shard.name
        self._record = record
        self.progress = ShardProgress(mapping.factor, TRIM_HORIZON, record.progress)
        self._lanes = [LaneWorker(self, number) for number in range(mapping.factor)]
        self._room = asyncio.Event()
        self._saved: str | None = self.progress.position
        self._last: str | None = self.progress.position  # the last record that was read
        self._since = 0  # records that came before are not wanted

    async def run(self) -> None:
        """Raises what keeps it from reading.  At the shard's end, that is on disk."""
        tasks = [asyncio.create_task(lane.run()) for lane in self._lanes]
        tasks.append(asyncio.create_task(self._read()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self._record = self._record._replace(finished=True)
        await self.save()

    async def save(self, discarded: Sequence[NewDiscarded] = ()) -> None:
        """Keep the progress, with what is given up.  Nothing goes on before it is on disk."""
        self._saved = self.progress.position
        while True:
            record = self._record._replace(progress=self.progress.kept())
            try:
                await self.polling.mappings.put_shards([record], discarded)
            except StoreUnavailable as error:
                log.error("%s", error)  # noqa: TRY400  the message says it all
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                break
        if discarded:
            self.polling.wake()

    def drained(self) -> None:
        """A lane has worked something off."""
        self._room.set()

    async def _read(self) -> None:
        iterator: str | None = await self._begin()
        idle, failures = FIRST_IDLE, 0
        while iterator is not None:
            await self._wait_for_room()
            try:
                page = await read_page(self.polling, self.stream, self.shard, iterator)
            except SourceUnreachable:
                failures += 1
                if failures == ATTEMPTS:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            except SourceRefused as error:
                if error.code not in {EXPIRED, TRIMMED}:
                    raise
                iterator = await self._again(error.code)
                continue
            failures = 0
            self._take(page)
            iterator = page.next
            if page.is_last and iterator is not None:
                if self.progress.is_quiet and self._saved != self.progress.position:
                    await self.save()  # of what was read since, nothing was for the function
                await asyncio.sleep(0 if page.records else idle)
                idle = FIRST_IDLE if page.records else min(2 * idle, self.polling.idle_seconds)
        for lane in self._lanes:
            lane.end()

    async def _begin(self) -> str:
        """An iterator for where reading goes on."""
        start, position = self.progress.start, self.progress.position
        if position is not None:
            return await self._after(position)
        if start == LATEST:
            # Until there is a position, a process that dies must not skip what has come meanwhile.
            if self.progress.begun:
                self._since = self._record.since // SECOND * SECOND
                start = TRIM_HORIZON
            self.progress.begun = True
            await self.save()
        return await iterator_at(self.polling, self.stream, self.name, start)

    async def _after(self, position: str) -> str:
        try:
            return await iterator_after(self.polling, self.stream, self.name, position)
        except SourceRefused as error:
            if error.code != TRIMMED:
                raise
        return await self._again(TRIMMED)

    async def _again(self, code: str) -> str:
        """Another iterator in the place of one that cannot be used any more."""
        if code == EXPIRED:
            if self._last is None:
                return await self._begin()
            return await self._after(self._last)
        now = self.polling.clock.now()
        lost = trimmed(self.mapping, self.stream, self.name, self._last, now)
        self.tally.lost(0, lost.note["error"], now)
        self.polling.say(f"{self.mapping.name}: {lost.note['error']}; it goes on with the oldest that there is")
        await self.save([lost])
        return await iterator_at(self.polling, self.stream, self.name, TRIM_HORIZON)

    async def _wait_for_room(self) -> None:
        while True:
            waiting = [one for lane in self._lanes for one in lane.waiting]
            if len(waiting) < max(MAX_WAITING, self.mapping.batch_size * self.mapping.factor) and (
                sum(one.record.size for one in waiting) < MAX_WAITING_BYTES
            ):
                return
            self._room.clear()
            await self._room.wait()

    def _take(self, page: Page) -> None:
        """Give records to their lanes, but for those that are done, and those that no filter lets through."""
        for one in page.records:
            self._last = one.sequence
            if self.progress.is_done(one.sequence, one.key):
                self.progress.close(self.progress.read(one.sequence))
                continue
            read = self.progress.read(one.sequence)
            if one.at < self._since:
                self.progress.close(read)
            elif not self.mapping.filters.let_through(one.record):
                self.progress.close(read)
                self.tally.skipped(1)
            else:
                waiting = Waiting(one, read, self.polling.ago(one.at))
                self._lanes[self.progress.lane_of(one.key)].put(waiting)
        if page.records:
            self._tell_age(page.records[-1])
        elif page.is_last and self.progress.is_quiet:
            self.tally.iterator_age_ms = 0

    def _tell_age(self, last: StreamRecord) -> None:
        self.tally.iterator_age_ms = max(0, self.polling.wall() - last.at)
        self.tally.changed = True
