"""Logs of executions in memory, as long as somebody looks at them.  Only what is new of a log is read."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from asl_engine.core import events as ev
from asl_engine.errors import StoreError
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.server.protocol.errors import does_not_exist
from asl_engine.views.account import MANY_CHILDREN, Account, account_of, read_account

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.core.machine import StateMachine
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.records import Record

__all__ = ["Past", "Pasts", "at_leisure"]

MAX_LOGS: Final = 24
MAX_EVENTS: Final = 200_000  # of all of them; the newest is kept however long it is
MAX_WEIGHT: Final = 200_000_000  # characters of one of them
SAMPLE: Final = 200
LONG: Final = 500  # events, of which something is made in a thread

Result = TypeVar("Result")


async def at_leisure(work: Callable[[], Result], events: int) -> Result:
    """What is made of so many events; other requests are answered meanwhile."""
    return work() if events < LONG else await run_in_thread(work)


class Past:
    """The log of an execution as far as it has been read.

    ``seqs`` are the numbers in the log of the events that GetExecutionHistory shows, the one with the id 1 first;
    ``states`` the state that each belongs to, None for those that belong to none.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.events: list[ev.Event] = []
        self.seqs: list[int] = []
        self.states: list[str | None] = []
        self.lock = asyncio.Lock()
        self.has_map_run = False
        self.entered: dict[str, list[int]] = {}  # the seq of each entry, by the state's name
        self._tasks: dict[int, str] = {}
        self._at: dict[int, str] = {}  # the state that a frame is at
        self.kept: tuple[int, Account] | None = None

    def grow(self, events: Sequence[ev.Event]) -> None:
        """Take in what has been read of the log since."""
        for event in events:
            if isinstance(event, ev.StateEntered):
                self._at[event.frame] = event.name
                self.entered.setdefault(event.name, []).append(event.seq)
            elif isinstance(event, ev.MapRunStarted):
                self.has_map_run = True
            if event.id:
                self.seqs.append(event.seq)
                self.states.append(self._at.get(event.frame))
            if isinstance(event, ev.TaskScheduled):
                self._tasks[event.seq] = event.resource
        self.events += events

    def shown(self, number: int) -> dict[str, Any]:
        """The history event with the id ``number``: its text is made now, for all of them are far more."""
        event = self.events[self.seqs[number - 1] - 1]
        return next(iter(project(self.record.identity, [event], self._tasks)))

    def weight(self) -> int:
        """About how many characters of data it keeps in memory, judged by some of its events."""
        step = max(1, len(self.events) // SAMPLE)
        payloads = {
            id(value): value for event in self.events[::step] for value in event if isinstance(value, Payload)
        }
        return step * sum(payload.held for payload in payloads.values())

    @property
    def last(self) -> int:
        return self.events[-1].seq if self.events else 0

    def entry(self, seq: int) -> ev.StateEntered | None:
        """The event with this number, if a state was entered with it."""
        event = self.events[seq - 1] if 1 <= seq <= len(self.events) else None
        return event if isinstance(event, ev.StateEntered) else None


class Pasts:
    """The logs that somebody looks at."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._pasts: OrderedDict[str, Past] = OrderedDict()

    async def of(self, request: Request, arn: str) -> Past:
        """An execution of the caller's with its log as it is on disk.  Raises ExecutionDoesNotExist."""
        record = await self._service.execution(request, arn)
        past = self._pasts.get(arn)
        if past is None or past.record.identity != record.identity:  # its name was used again
            past = self._pasts[arn] = Past(record)
        self._pasts.move_to_end(arn)
        async with past.lock:
            try:
                events = await self._service.store.events(arn, past.last)
            except StoreError:
                if await self._service.store.record(arn) is not None:
                    raise
                self._pasts.pop(arn, None)
                raise does_not_exist("Execution", arn) from None
            await at_leisure(partial(past.grow, events), len(events))
            if events:
                # Read behind them: a status from before would stay with an end that has been shown.
                record = await self._service.execution(request, arn)
                if record.identity == past.record.identity:
                    past.record = record
        self._forget()
        return past

    def _forget(self) -> None:
        for arn in [arn for arn, past in self._pasts.items() if past.weight() > MAX_WEIGHT]:
            del self._pasts[arn]  # whoever asks for it has it; the next one reads it again
        total = sum(len(past.events) for past in self._pasts.values())
        while len(self._pasts) > 1 and (len(self._pasts) > MAX_LOGS or total > MAX_EVENTS):
            _, oldest = self._pasts.popitem(last=False)
            total -= len(oldest.events)

    async def account(self, past: Past) -> Account:
        """All there is to show of it, with many children of its Map Runs."""
        kept, service, now = past.kept, self._service, self._service.engine.clock.now()
        if kept is not None and kept[0] == past.last:
            if past.record.status != "RUNNING":
                return kept[1]
            if not past.has_map_run:  # only the time has gone on
                return replace(kept[1], until=max(now, kept[1].execution.at))
        record, events = past.record, [*past.events]
        if past.has_map_run:
            account = await read_account(service.store, record, now, MANY_CHILDREN, events)
        else:
            definition = await service.store.definition(record.definition)
            account = await at_leisure(partial(account_of, record, definition, events, now), len(events))
        past.kept = (events[-1].seq if events else 0, account)
        return account

    async def account_at(self, past: Past, at: int) -> Account:
        """As of the event ``at``; the children of Map Runs are left out."""
        events = past.events[:at]
        definition = await self._service.store.definition(past.record.definition)
        moment = events[-1].at if events else past.record.identity.started_at
        return await at_leisure(partial(account_of, past.record, definition, events, moment), len(events))

    async def machine(self, past: Past) -> StateMachine:
        """The machine that it runs, as it was when it was started."""
        return await self._service.compiled(past.record.definition)
