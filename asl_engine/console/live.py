"""What pages are told while they are open: Server-Sent Events, woken by the engine and not by looking at the disk.

A stream of one execution sends its history events, each message with the number of the last event of the log that
it covers.  The browser gives that number when it connects again, so nothing is missed or sent twice.  The
stream of the list sends the executions that have changed; how far it has come is a number of this server's, so
after a restart the page is told to fetch the list anew.
"""

from __future__ import annotations

import asyncio
import secrets
from bisect import bisect_right
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from asl_engine.console.refusals import ConsoleError, told_of
from asl_engine.console.shown import Glimpse, counted, event_shown, run_of_glimpse, run_of_past
from asl_engine.console.waiting import count_waiting
from asl_engine.errors import StoreError
from asl_engine.server.protocol.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from asl_engine.console.pasts import Past, Pasts
    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = ["Hub", "list_stream", "run_stream"]

MAX_STREAMS: Final = 256
MAX_CHANGED: Final = 500  # executions that are remembered; a list that lags further behind is fetched anew
MAX_LISTED: Final = 200  # in one message
MAX_EVENTS: Final = 500  # in one message
MAX_BYTES: Final = 262_144  # of their JSON, about
ALIVE_SECONDS: Final = 15.0
LIST_SECONDS: Final = 0.5  # between two messages
RUN_SECONDS: Final = 0.2
RETRY_SECONDS: Final = 2.0  # where the database cannot be read


class _Bell:
    """What a stream waits for."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def rung(self, seconds: float) -> bool:
        """Whether it has rung, after so long at the most."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Hub:
    """Where events come in and streams wait for them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.boot = secrets.token_hex(4)  # numbers of another server mean nothing here
        self.number = 0
        self.open = 0
        self._changed: OrderedDict[str, tuple[int, Glimpse]] = OrderedDict()
        self._anew = 0  # the number of the last change that no list of executions tells
        self._of_run: dict[str, set[_Bell]] = {}
        self._lists: set[_Bell] = set()
        self._counts: tuple[int, dict[str, Any]] | None = None

    # -- what happens -------------------------------------------------------------------------------

    def observe(self, run: Run, events: list[Event]) -> None:
        """These events are on disk.  This is called for every decision of every execution."""
        del events
        for bell in self._of_run.get(run.arn, ()):
            bell.ring()
        if run.execution.identity.map_run is not None:  # such a child is in no list
            return
        self.number += 1
        changed = self._changed
        changed[run.arn] = (self.number, Glimpse.of(run.execution))
        changed.move_to_end(run.arn)
        while len(changed) > MAX_CHANGED:
            self._anew = max(self._anew, changed.popitem(last=False)[1][0])
        for bell in self._lists:
            bell.ring()

    def others_have_written(self) -> None:
        """Another process may have changed anything."""
        self.number += 1
        self._anew = self.number
        for bell in [*self._lists, *(bell for bells in self._of_run.values() for bell in bells)]:
            bell.ring()

    def close(self) -> None:
        """End all streams."""
        if not self.closed.done():
            self.closed.set_result(None)

    # -- what streams ask ---------------------------------------------------------------------------

    def check_room(self) -> None:
        """Raises ``ConsoleError`` where too many pages are open."""
        if self.open >= MAX_STREAMS:
            raise ConsoleError(503, "TooManyStreams", f"{MAX_STREAMS} pages are open", "Close some of them.")

    def listen(self, arn: str | None) -> _Bell:
        """A bell that rings for an execution, or for any; ``leave`` gives it back."""
        self.open += 1
        bell = _Bell()
        (self._lists if arn is None else self._of_run.setdefault(arn, set())).add(bell)
        return bell

    def leave(self, arn: str | None, bell: _Bell) -> None:
        self.open -= 1
        if arn is None:
            self._lists.discard(bell)
            return
        bells = self._of_run.get(arn, set())
        bells.discard(bell)
        if not bells:
            self._of_run.pop(arn, None)

    def since(self, number: int) -> list[Glimpse] | None:
        """What has changed behind a number, the newest first; None where nobody can say any more."""
        if number < self._anew:
            return None
        found: list[Glimpse] = []
        for at, seen in reversed(self._changed.values()):
            if at <= number:
                break
            if len(found) == MAX_LISTED:
                return None
            found.append(seen)
        return found

    async def counts(self, home: str) -> dict[str, Any]:
        """The numbers of executions by status; pages that are open share them."""
        if self._counts is None or self._counts[0] != self.number:
            number = self.number
            tally = await self.service.store.tally(home)
            self._counts = number, counted(tally)
        return self._counts[1]


def message(event: str, data: bytes, identifier: str | None = None) -> bytes:
    """One Server-Sent Event.  ``data`` is JSON as we write it, which has no line breaks."""
    head = "" if identifier is None else f"id: {identifier}\n"
    return f"event: {event}\n{head}data: ".encode() + data + b"\n\n"


BEGIN: Final = b"retry: 1000\n\n"
ALIVE: Final = b": alive\n\n"


async def list_stream(hub: Hub, request: Request, last: str | None) -> AsyncGenerator[bytes, None]:
    """The messages for a list of executions; ``last`` is what the browser saw last."""
    bell = hub.listen(None)
    try:
        yield BEGIN
        number = hub.number if last is None else _number(hub, last)
        first = last is not None
        while True:
            if first or await bell.rung(ALIVE_SECONDS):
                first = False
                try:
                    told = await _changed(hub, request, number)
                except StoreError:  # the page is told when it can be read again
                    await asyncio.sleep(RETRY_SECONDS)
                    bell.ring()
                    continue
                if told is not None:
                    number = told[0]
                    yield message("runs", to_json(told[1]), f"{hub.boot}.{number}")
                    await asyncio.sleep(LIST_SECONDS)
            else:
                yield ALIVE
    finally:
        hub.leave(None, bell)


def _number(hub: Hub, last: str) -> int:
    boot, _, number = last.partition(".")
    return int(number) if boot == hub.boot and number.isdecimal() and len(number) < 18 else -1


async def _changed(hub: Hub, request: Request, number: int) -> tuple[int, dict[str, Any]] | None:
    now = hub.number
    seen = hub.since(number)
    if seen == [] and number >= 0:
        return None
    own = [one for one in seen or () if request.owns(one.identity.arn)]
    return now, {
        "runs": [run_of_glimpse(hub.service, one) for one in own],
        "counts": await hub.counts(request.caller.prefix),
        "inbox": count_waiting(hub.service, request),
        "reload": seen is None,
    }


async def run_stream(
    hub: Hub, pasts: Pasts, request: Request, arn: str, after: int
) -> AsyncGenerator[bytes, None]:
    """The messages for one execution, from behind the event ``after`` on."""
    bell = hub.listen(arn)
    try:
        yield BEGIN
        bell.ring()
        while True:
            if not await bell.rung(ALIVE_SECONDS):
                yield ALIVE
                continue
            try:
                past = await pasts.of(request, arn)
            except ApiError as error:
                yield message("gone", to_json(told_of(error)[1]))
                return
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)
                bell.ring()
                continue
            while after < past.last:
                told, after = _events(hub.service, past, after)
                yield told
            await asyncio.sleep(RUN_SECONDS)
    finally:
        hub.leave(arn, bell)


def _events(service: Service, past: Past, after: int) -> tuple[bytes, int]:
    """A message, and the number of the last event that it covers."""
    begin = bisect_right(past.seqs, after)
    end = min(begin + MAX_EVENTS, len(past.seqs))
    events, length = [], 0
    for number in range(begin + 1, end + 1):
        events.append(to_json(event_shown(past, number)))
        length += len(events[-1])
        if length > MAX_BYTES:
            end = number
            break
    last = past.last if end == len(past.seqs) else past.seqs[end - 1]
    run = run_of_past(service, past)
    data = {"from": after + 1, "to": last, "total": len(past.seqs), "status": run["status"], "run": run}
    text = to_json(data)[:-1] + b',"events":[' + b",".join(events) + b"]}"
    return message("events", text, str(last)), last
