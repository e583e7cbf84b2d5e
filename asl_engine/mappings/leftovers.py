"""Batches that were given up: destinations hear of them, and where somebody asks they are tried once more."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from asl_engine.errors import StoreError
from asl_engine.mappings.calling import call_with_batch
from asl_engine.mappings.discarding import send_discarded
from asl_engine.mappings.polling import SourceRefused, SourceUnreachable
from asl_engine.mappings.sources import TABLE
from asl_engine.store.mapping_records import DONE, KEPT, REDRIVEN, UNSENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.settings import EventSourceMapping
    from asl_engine.mappings.status import MappingTally
    from asl_engine.store.mapping_records import DiscardedBatch

__all__ = ["Leftovers"]

log = logging.getLogger("asl_engine.mappings")

AT_ONCE: Final = 100
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


class Leftovers:
    """Runs until it is cancelled."""

    def __init__(
        self,
        mappings: Sequence[EventSourceMapping],
        tallies: Mapping[str, MappingTally],
        polling: Polling,
    ) -> None:
        self._mappings = {one.arn: one for one in mappings}
        self._tallies = tallies
        self._polling = polling
        self._woken = asyncio.Event()
        self._woken.set()
        self._told: set[int] = set()  # those whose destination was said not to take them

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    async def run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                is_over = await self._look()
            except StoreError as error:
                log.warning("%s", error)
                is_over = False
            if is_over:
                pause = FIRST_PAUSE
            else:
                self._woken.set()
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _look(self) -> bool:
        """Whether all is done that is to be done."""
        is_over = True
        for one in await self._polling.mappings.discarded((UNSENT, REDRIVEN), AT_ONCE):
            mapping = self._mappings.get(one.mapping_arn)
            if mapping is None:
                continue
            if one.status == REDRIVEN:
                await self._redrive(mapping, one)
            elif mapping.destination is None:  # it had one
                await self._polling.mappings.settle(one, KEPT, one.note)
            else:
                is_over = await self._send(mapping, one) and is_over
        return is_over

    async def _send(self, mapping: EventSourceMapping, batch: DiscardedBatch) -> bool:
        try:
            sent = await send_discarded(self._polling, mapping, batch)
        except (SourceRefused, SourceUnreachable) as error:
            if batch.number not in self._told:
                self._told.add(batch.number)
                note = {**batch.note, "destinationError": str(error)}
                await self._polling.mappings.settle(batch, UNSENT, note)
                self._polling.say(
                    f"{mapping.name}: {mapping.destination} does not take what was given up: {error}"
                )
            return False
        note = {key: value for key, value in batch.note.items() if key != "destinationError"}
        await self._polling.mappings.settle(batch, KEPT, {**note, **sent})
        return True

    async def _redrive(self, mapping: EventSourceMapping, batch: DiscardedBatch) -> None:
        """Call the function with a batch once more; what fails again is kept again."""
        kind = mapping.source.kind
        records: list[dict[str, Any]] = batch.event["Records"]
        identifiers = [
            record["dynamodb"]["SequenceNumber"] if kind == TABLE else record["kinesis"]["sequenceNumber"]
            for record in records
        ]
        redrives = int(batch.note.get("redrives", 0)) + 1
        calls = int(batch.invocation["requestContext"]["approximateInvokeCount"])
        with self._polling.timers.busy():
            outcome = await call_with_batch(
                self._polling,
                mapping,
                {**batch.event},
                identifiers,
                key=batch.key,
                attempt=calls + redrives - 1,
            )
            now, tally = self._polling.clock.now(), self._tallies[mapping.arn]
            note = {**batch.note, "redrives": redrives}
            left = [one for one, name in zip(records, identifiers, strict=True) if name in outcome.failed]
            tally.processed += len(records) - len(left)
            tally.changed = True
            if not left:
                await self._polling.mappings.settle(batch, DONE, note)
                self._polling.say(f"{mapping.name}: the batch {batch.number} has succeeded now")
                return
            tally.failure(len(left), str(outcome.error), now)
            status = UNSENT if mapping.destination is not None and "sent" not in note else KEPT
            note["error"] = outcome.error
            await self._polling.mappings.settle(batch, status, note, {**batch.event, "Records": left})
            self._polling.say(f"{mapping.name}: the batch {batch.number} has failed again: {outcome.error}")
