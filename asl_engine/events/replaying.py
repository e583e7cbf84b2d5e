"""Replays: the events of an archive, put on their bus once more.

Some events and how far the replay has come are kept in one transaction: whatever is killed, each event is replayed
once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import event_resource
from asl_engine.errors import StoreError
from asl_engine.json_text import loads

if TYPE_CHECKING:
    from asl_engine.engine.timers import Timers
    from asl_engine.events.bus import EventBus
    from asl_engine.store.bus_records import ReplayRecord

__all__ = ["OPEN_REPLAYS", "Replayer"]

log = logging.getLogger("asl_engine.events")

OPEN_REPLAYS: Final = frozenset({"STARTING", "RUNNING", "CANCELLING"})
AT_ONCE: Final = 100  # events of one transaction
AGAIN_SECONDS: Final = 1.0


class Replayer:
    """Runs until it is cancelled."""

    def __init__(self, bus: EventBus, timers: Timers[Any]) -> None:
        self._bus = bus
        self._timers = timers
        self._changed = asyncio.Event()

    async def run(self) -> None:
        self._bus.on_change.append(self._changed.set)
        while True:
            self._changed.clear()
            try:
                await self.replay_all()
            except StoreError as error:
                log.error("%s", error)  # noqa: TRY400  the message says it all
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                await self._changed.wait()

    async def replay_all(self) -> None:
        """Go on with all replays that are not over."""
        with self._timers.busy():
            for replay in await self._bus.buses.replays():
                if replay.status in OPEN_REPLAYS:
                    await self._replay(replay)

    async def _replay(self, replay: ReplayRecord) -> None:
        while replay.status in OPEN_REPLAYS:
            async with self._bus.changing:  # CancelReplay writes the same record
                replay = await self._current(replay)
                if replay.status in OPEN_REPLAYS:
                    replay = await self._step(replay)

    async def _current(self, replay: ReplayRecord) -> ReplayRecord:
        return next((one for one in await self._bus.buses.replays() if one.arn == replay.arn), replay)

    async def _step(self, replay: ReplayRecord) -> ReplayRecord:
        """Replay some more events; the replay as it is then."""
        if replay.status == "CANCELLING":
            replay = replay._replace(status="CANCELLED", ended_at=self._bus.now())
            await self._bus.buses.put_replay(replay)
            return replay
        asked = replay.configuration
        begin, end = int(asked["EventStartTime"] * 1000), int(asked["EventEndTime"] * 1000)
        book = await self._bus.book()
        found = await self._bus.buses.archived(replay.archive_arn, replay.last or (begin, 0), end, AT_ONCE)
        destination = asked["Destination"]
        name = event_resource(replay.arn)
        events = []
        for one in found:
            event: Any = loads(one.text)
            event["replay-name"] = "" if name is None else name[1]
            only = destination.get("FilterArns") or None
            events.append(self._bus.made(book, destination["Arn"], event, one.time, only=only, archived=False))
        if found:
            replay = replay._replace(status="RUNNING", last=(found[-1].time, found[-1].number))
        else:
            replay = replay._replace(status="COMPLETED", ended_at=self._bus.now())
        await self._bus.buses.put_replay(replay, events)
        self._bus.tell(events)
        return replay
