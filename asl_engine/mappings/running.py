"""The mappings of a project at work, by one process of all that share the database."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from asl_engine.engine.together import until_one_ends
from asl_engine.errors import StoreError
from asl_engine.mappings.leftovers import Leftovers
from asl_engine.mappings.polling import SourceRefused, SourceUnreachable, missing_endpoint
from asl_engine.mappings.queues import QueuePoller
from asl_engine.mappings.sources import QUEUE
from asl_engine.mappings.status import DISABLED, POLLING, WAITING, MappingStatus, MappingTally
from asl_engine.mappings.streams import StreamPoller
from asl_engine.store.mapping_records import MappingRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.settings import EventSourceMapping

__all__ = ["MappingRunner"]

log = logging.getLogger("asl_engine.mappings")

LOOK_SECONDS: Final = 0.5  # how soon the end of another process that polls is noticed
TELL_SECONDS: Final = 1.0  # between two writings of what was counted
KEPT_MS: Final = 14 * 24 * 3600 * 1000
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0  # before something that is not there is looked for again


class MappingRunner:
    """Runs until it is cancelled."""

    def __init__(self, mappings: Sequence[EventSourceMapping], polling: Polling) -> None:
        self._mappings = mappings
        self._tallies = {one.arn: MappingTally(WAITING if one.enabled else DISABLED) for one in mappings}
        self._polling = polling._replace(wake=self.others_have_written)
        self._leftovers = Leftovers(mappings, self._tallies, self._polling)

    def others_have_written(self) -> None:
        """Somebody may want a batch to be tried once more."""
        self._leftovers.wake()

    def status(self) -> list[MappingStatus]:
        """How each mapping fares, where this is the process that polls."""
        return [self._status(one, self._tallies[one.arn]) for one in self._mappings]

    def _status(self, one: EventSourceMapping, tally: MappingTally) -> MappingStatus:
        return MappingStatus(
            one.name,
            one.source.arn,
            one.function,
            tally.state,
            in_flight=tally.in_flight,
            processed=tally.processed,
            failed=tally.failed,
            discarded=tally.discarded,
            iterator_age_ms=tally.iterator_age_ms,
            last_error=tally.last_error,
            filtered=tally.filtered,
            backlog=tally.backlog,
        )

    async def run(self) -> None:
        if not self._mappings:
            return
        await self._claim()
        try:
            await self._go_on()
            tasks = [asyncio.create_task(self._poll(one)) for one in self._mappings if one.enabled]
            tasks += [asyncio.create_task(self._keep_telling()), asyncio.create_task(self._leftovers.run())]
            await until_one_ends(tasks)
        finally:
            with suppress(StoreError):  # then this process counts as one that died
                await self._tell()
                await self._polling.mappings.leave()

    async def tidy(self, now: int) -> None:
        """Forget the batches that were given up two weeks ago, and whose destination has heard of them."""
        await self._polling.mappings.tidy(now - KEPT_MS)

    async def _claim(self) -> None:
        """Return when this is the process that polls."""
        while True:
            try:
                if await self._polling.mappings.claim():
                    return
            except StoreError as error:
                log.warning("%s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def _go_on(self) -> None:
        """Go on counting where the last process has stopped."""
        while True:
            try:
                for record in await self._polling.mappings.mappings():
                    if record.arn in self._tallies:
                        state = self._tallies[record.arn].state
                        self._tallies[record.arn] = MappingTally.of({**record.tally})
                        self._tallies[record.arn].state = state
            except StoreError as error:
                log.warning("%s", error)
                await asyncio.sleep(LOOK_SECONDS)
            else:
                break
        for tally in self._tallies.values():
            tally.changed = True

    async def _keep_telling(self) -> None:
        """Keep what was counted; others see it in the database."""
        while True:
            try:
                await self._tell()
            except StoreError as error:
                log.warning("%s", error)
            await asyncio.sleep(TELL_SECONDS)

    async def _tell(self) -> None:
        now, records = self._polling.clock.now(), []
        for one in self._mappings:
            tally = self._tallies[one.arn]
            if tally.changed:
                tally.changed = False
                records.append(MappingRecord(one.arn, one.name, one.function, one.source.arn, tally.kept(), now))
        if records:
            await self._polling.mappings.put_mappings(records)

    async def _poll(self, mapping: EventSourceMapping) -> None:
        """Poll a source, and go on where that was not possible for a while."""
        tally, polling = self._tallies[mapping.arn], self._polling
        pause = FIRST_PAUSE
        while True:
            why = missing_endpoint(polling.clients, mapping.source) or polling.not_served(mapping.function)
            if why is None:
                try:
                    await self._poller(mapping, tally).run()
                except SourceRefused as error:
                    why = f"{mapping.source.arn} cannot be polled: {error}"
                except (SourceUnreachable, StoreError) as error:
                    why = str(error)
            polled = tally.state == POLLING
            if tally.waits_for(why or "it has ended"):
                polling.say(f"{mapping.name}: {why}")
            pause = FIRST_PAUSE if polled else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    def _poller(self, mapping: EventSourceMapping, tally: MappingTally) -> QueuePoller | StreamPoller:
        kind = QueuePoller if mapping.source.kind == QUEUE else StreamPoller
        return kind(mapping, self._polling, tally)
