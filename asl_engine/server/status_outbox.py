"""Puts what EventBridge hears of executions on the default bus.

An event that something follows from is kept in the very transaction that changes the status: whatever is killed,
both are there or neither.  One that nothing follows from is not kept.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from asl_engine.arn import Arn
from asl_engine.core.apply import apply
from asl_engine.core.execution import Execution
from asl_engine.errors import StoreError
from asl_engine.events.entries import Home, bus_arn_of
from asl_engine.projections.status_events import status_event, status_of
from asl_engine.resources.log_subjects import about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Run
    from asl_engine.events.bus import EventBus
    from asl_engine.events.rule_book import RuleBook
    from asl_engine.store.bus_records import NewEvent

__all__ = ["StatusOutbox"]

log = logging.getLogger("asl_engine.server")


class StatusOutbox:
    """Its ``along`` is the store's, its ``observe`` the engine's."""

    def __init__(self, bus: EventBus, engine: Engine) -> None:
        self._bus = bus
        self._engine = engine
        self._kept: dict[tuple[str, int], NewEvent | None] = {}  # by execution and event, until that is observed
        self._puts: set[asyncio.Task[None]] = set()

    def along(self, arn: str, events: Sequence[Event], identity: Identity | None) -> list[NewEvent]:
        """What is to be kept with events of an execution."""
        book = self._bus.current
        if book is None or book.is_empty:
            return []
        changes = [event for event in events if status_of(event) is not None]
        if not changes:
            return []
        run = self._engine.runs.get(arn)
        if identity is not None:
            execution = Execution(identity)
            for event in events:
                apply(execution, event)
        elif run is not None:
            execution = run.execution
        else:  # one that is not driven here is stopped or redriven
            return []
        found = []
        for event in changes:
            made = self._made(book, execution, event)
            self._kept[arn, event.seq] = made
            if made is not None:
                found.append(made)
        return found

    def observe(self, run: Run, events: list[Event]) -> None:
        """Events are on disk: tell who delivers, and put what could not be kept with them."""
        book = self._bus.current
        if book is not None and book.is_empty and not self._kept:
            return
        for event in events:
            if status_of(event) is None:
                continue
            key = (run.arn, event.seq)
            if key not in self._kept:
                task = asyncio.ensure_future(self._put(run.execution, event))
                self._puts.add(task)
                task.add_done_callback(self._puts.discard)
            elif (made := self._kept.pop(key)) is not None:
                self._bus.tell([made])

    async def _put(self, execution: Execution, event: Event) -> None:
        try:
            made = self._made(await self._bus.book(), execution, event)
            if made is not None:
                await self._bus.keep([made])
        except StoreError as error:
            arn = execution.identity.arn
            log.error("%s: its status event is lost: %s", arn, error, extra=about(arn))  # noqa: TRY400  it says all

    def _made(self, book: RuleBook, execution: Execution, event: Event) -> NewEvent | None:
        """The status event with what follows from it; None where nothing does."""
        who = execution.identity
        status = status_of(event)
        bus_arn = bus_arn_of(Home(*Arn.of(who.arn).home), None)
        # AWS sends EventBridge no events of Express executions.
        if who.type == "EXPRESS" or status is None or not book.watches(bus_arn):
            return None
        origin = f"{who.arn}#{event.seq}"
        told = status_event(execution, status, event.at, self._bus.identifier(origin), self._engine.limits)
        made = self._bus.made(book, bus_arn, told, event.at, origin=origin)
        return made if made.deliveries or made.archives else None
