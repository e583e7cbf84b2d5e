"""Alerts: executions that fail, or do not get on, and what nobody could deliver, told to whoever is to hear of it.

An alert is an event of the source ``asl.alerts`` on the default bus, so it is kept, and delivered to the targets
of its rule, as every event is.  What there is to tell follows from the database: a process that was killed is
replaced by one that comes to the same alerts, each with the same origin, of which the bus keeps one.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import Arn, event_resource
from asl_engine.core.events import ExecutionFailed, ExecutionRedriven, ExecutionStarted, ExecutionTimedOut
from asl_engine.errors import StoreError
from asl_engine.events.alert_rules import AGES, DAY_MS, PREFIX, SOURCE
from asl_engine.events.waiting import LOOK_SECONDS, NextMoment
from asl_engine.json_text import dumps
from asl_engine.server.silent_companion import SilentCompanion
from asl_engine.store.bus_records import FAILED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.engine.clock import Clock
    from asl_engine.engine.run import Run
    from asl_engine.engine.timers import Timers
    from asl_engine.events.alert_rules import Alert
    from asl_engine.events.bus import EventBus
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service
    from asl_engine.store.bus_records import Delivery, DeliveryStatus
    from asl_engine.store.watch_protocol import DeadLetter, Watch, WatchedExecution

__all__ = ["AlertCompanion", "Alerts", "bursts"]

log = logging.getLogger("asl_engine.alerts")

ENDED_BADLY: Final = (ExecutionFailed, ExecutionTimedOut)
BEGAN: Final = (ExecutionStarted, ExecutionRedriven)
PUT: Final = "alert/"  # how the origins of alerts begin
SHOWN: Final = 10  # executions that an alert names
LATE_MS: Final = 60_000  # what is committed later than it happened
PART: Final = 20  # executions that do not get on are looked for so often in the time that they are given
PAUSE_SECONDS: Final = 0.1  # between two looks


class _Happened(NamedTuple):
    """Something that counts, at a moment; ``subject`` is what it is counted for."""

    key: str
    subject: str
    at: int


def bursts(
    happened: Sequence[_Happened], number: int, period: int, last: int | None
) -> Iterator[Sequence[_Happened]]:
    """Where there are ``number`` of them within a period: those that have happened in it until then.

    ``happened`` is in the order of time, and about one subject; ``last`` is when it was so before, None for never.
    It is so at most once in each period.
    """
    begin = 0
    for at, one in enumerate(happened):
        while happened[begin].at <= one.at - period:
            begin += 1
        if at + 1 - begin >= number and (last is None or one.at >= last + period):
            last = one.at
            yield happened[begin : at + 1]


class Alerts:
    """Looks for what is to be told, until it is cancelled.

    ``jumps``: where the clock skips, time may jump to the moment at which an execution has run for too long.
    """

    def __init__(
        self,
        alerts: Sequence[Alert],
        watch: Watch,
        bus: EventBus,
        timers: Timers[Any],
        clock: Clock,
        *,
        jumps: bool = False,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._alerts = alerts
        self._watch = watch
        self._bus = bus
        self._timers = timers
        self._clock = clock
        self._pause = pause
        self._waiting = NextMoment(timers, clock, jumps=jumps)
        self._looked: dict[str, int] = {}  # by the alert: up to which moment all was told
        self._last: dict[tuple[str, str], int] | None = None  # by alert and subject, when it was told last
        self._due: int | None = None
        self._patience = min((one.period for one in alerts if one.kind in AGES), default=None)
        self._told = ""
        self._look_at: dict[str, Callable[[Alert, int], Awaitable[int | None]]] = {
            "failures": self._failures,
            "running": self._running,
            "no-progress": self._idle,
            "dead-letters": self._dead_letters,
        }

    async def run(self) -> None:
        self._bus.on_outcome.append(self._outcome)
        with self._timers.busy():
            while True:
                self._waiting.changed.clear()
                try:
                    self._due = await self.look()
                    self._told = ""
                except StoreError as error:
                    if str(error) != self._told:
                        self._told = str(error)
                        log.error("%s", error)  # noqa: TRY400  the message says it all
                    await asyncio.sleep(LOOK_SECONDS)
                    continue
                await self._waiting.until(self._due)
                await asyncio.sleep(self._pause)

    def observe(self, run: Run, events: Sequence[Event]) -> None:
        """These events are on disk: is there anything to look at?"""
        if not events or run.execution.identity.map_run is not None:
            return
        first = events[0]
        if isinstance(first, BEGAN) and self._patience is not None:
            is_new = self._due is None or self._due > first.at + self._patience
        else:
            is_new = False
        if is_new or isinstance(events[-1], ENDED_BADLY):
            self._waiting.changed.set()

    def others_have_written(self) -> None:
        """Another process may have failed an execution, or begun one."""
        self._waiting.changed.set()

    def _outcome(self, delivery: Delivery, status: DeliveryStatus, note: Mapping[str, Any]) -> None:
        del delivery, note
        if status == FAILED:
            self._waiting.changed.set()

    async def look(self) -> int | None:
        """Put what is to be told; when to look again, None: when something happens."""
        now = self._clock.now()
        if self._last is None:
            self._last = _last_told(await self._watch.origins(PUT))
        dues = [await self._look_at[alert.kind](alert, now) for alert in self._alerts]
        return min((due for due in dues if due is not None), default=None)

    # -- what there may be to tell --------------------------------------------------------------------------

    async def _failures(self, alert: Alert, now: int) -> None:
        after = self._after(alert, now)
        found = await self._watch.failed(after - alert.period)
        happened = [_Happened(one.arn, one.machine_arn, one.at) for one in _of(alert, found)]
        for machine, burst in self._bursts(happened, alert):
            name = Arn.of(machine).name
            text = f"{len(burst)} executions of {name} have failed within {_seconds(alert.period)}"
            detail = {
                "stateMachineArn": machine,
                "executions": [one.key for one in burst[-SHOWN:]],
                "number": len(burst),
                "withinSeconds": alert.period // 1000,
            }
            await self._tell(alert, (machine, burst[-1].at), text, detail, [machine])
        self._looked[alert.name] = now

    async def _dead_letters(self, alert: Alert, now: int) -> int | None:
        after = self._after(alert, now)
        found = await self._watch.dead_letters(after - alert.period)
        happened = [_Happened(*one) for one in found if not _is_alert(one)]
        for owner, burst in self._bursts(happened, alert):
            resource = event_resource(owner)
            name = owner if resource is None else resource[1]
            text = f"{len(burst)} dead letters of {name} within {_seconds(alert.period)}"
            detail = {"owner": owner, "number": len(burst), "withinSeconds": alert.period // 1000}
            await self._tell(alert, (owner, burst[-1].at), text, detail, [owner])
        self._looked[alert.name] = now
        return now + LATE_MS  # nothing tells of the batches that mappings give up

    async def _running(self, alert: Alert, now: int) -> int | None:
        until = now - alert.period
        found = [*_of(alert, await self._watch.running(self._looked.get(alert.name, 0), until))]
        await self._stuck(alert, found, f"run for longer than {_seconds(alert.period)}")
        self._looked[alert.name] = max(until, self._looked.get(alert.name, 0))
        following = await self._watch.next_running(until)
        return None if following is None else following + alert.period

    async def _idle(self, alert: Alert, now: int) -> int | None:
        looked, until = self._looked.get(alert.name, 0), now - alert.period
        if until - looked >= alert.period // PART or not looked:
            found = [*_of(alert, await self._watch.idle(looked, until))]
            await self._stuck(alert, found, f"have made no progress for {_seconds(alert.period)}")
            self._looked[alert.name] = until
        is_running = await self._watch.next_running(0) is not None
        return self._looked[alert.name] + alert.period + max(1000, alert.period // PART) if is_running else None

    async def _stuck(self, alert: Alert, found: list[WatchedExecution], what: str) -> None:
        if found:
            last = found[-1]
            arns = [one.arn for one in found]
            text = f"{len(found)} executions {what}" if len(found) > 1 else f"{last.arn} {_singular(what)}"
            detail = {"executions": arns[-SHOWN:], "number": len(found), "seconds": alert.period // 1000}
            await self._tell(alert, (last.arn, last.at), text, detail, arns[-SHOWN:])

    def _after(self, alert: Alert, now: int) -> int:
        """From when on something may not have been told.  What was told a day ago the bus has forgotten."""
        return max(now - DAY_MS, self._looked.get(alert.name, 0) - LATE_MS)

    # -- telling it -------------------------------------------------------------------------------------------

    def _bursts(self, happened: Sequence[_Happened], alert: Alert) -> Iterator[tuple[str, Sequence[_Happened]]]:
        by_subject: dict[str, list[_Happened]] = {}
        for one in happened:
            by_subject.setdefault(one.subject, []).append(one)
        for subject, theirs in by_subject.items():
            last = None if self._last is None else self._last.get((alert.name, subject))
            for burst in bursts(theirs, alert.number, alert.period, last):
                yield subject, burst

    async def _tell(
        self, alert: Alert, of: tuple[str, int], text: str, detail: Mapping[str, Any], resources: Sequence[str]
    ) -> None:
        """``of`` is what it is about, and when that was so: it is told once."""
        subject, at = of
        told = {"alert": alert.name, "kind": alert.kind, "text": text, **detail}
        entry = {"Source": SOURCE, "DetailType": "Alert", "Detail": dumps(told), "Resources": [*resources]}
        await self._bus.put([entry], origin=f"{PUT}{alert.name}/{subject}@{at}")
        last = self._last
        if last is not None and last.get((alert.name, subject), at - 1) < at:
            last[alert.name, subject] = at
            log.warning("alert %s: %s", alert.name, text)


def _last_told(origins: Sequence[str]) -> dict[tuple[str, str], int]:
    """By alert and subject, when it was told last, of the origins of alerts that the bus has."""
    last: dict[tuple[str, str], int] = {}
    for origin in origins:
        name, _, rest = origin.removeprefix(PUT).partition("/")
        subject, _, numbers = rest.rpartition("@")
        at = int(numbers.partition("/")[0])  # the number of the entry follows
        last[name, subject] = max(at, last.get((name, subject), at))
    return last


def _of(alert: Alert, found: Sequence[WatchedExecution]) -> Iterator[WatchedExecution]:
    return (one for one in found if not alert.machines or Arn.of(one.machine_arn).name in alert.machines)


def _is_alert(letter: DeadLetter) -> bool:
    """An alert that could not be delivered is no reason for another."""
    resource = event_resource(letter.owner)
    return resource is not None and resource[1].startswith(PREFIX)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000} s"


def _singular(what: str) -> str:
    return what.replace("run for", "runs for").replace("have made", "has made")


class AlertCompanion(SilentCompanion):
    """``Alerts`` beside a server's API, where it answers nothing: a ``Companion``."""

    path = "/alerts"

    def __init__(
        self, service: Service, operations: Operations, admission: Admission, *, alerts: Sequence[Alert]
    ) -> None:
        del operations, admission
        watch, bus, engine = service.store.watch, service.bus, service.engine
        self._alerts = None
        if watch is not None and bus is not None:  # else there is nothing to put them on
            self._alerts = Alerts(alerts, watch, bus, engine.timers, engine.clock)

    async def run(self) -> None:
        if self._alerts is not None:
            await self._alerts.run()

    def observe(self, run: Run, events: list[Event]) -> None:
        if self._alerts is not None:
            self._alerts.observe(run, events)

    def others_have_written(self) -> None:
        if self._alerts is not None:
            self._alerts.others_have_written()
