"""Delivers what is to be delivered: reads it from the database, tries, and keeps what has come of it.

Each target of a rule is a lane of its own, with so many deliveries under way: one that does not answer holds up no
other.  Nothing waits in memory for longer than an attempt takes, and one timer serves all lanes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import event_resource
from asl_engine.errors import AslError, StoreError
from asl_engine.events.backoff import retry_policy
from asl_engine.events.entries import whole_seconds
from asl_engine.events.language.transformers import RuleFacts
from asl_engine.json_text import loads
from asl_engine.projections.causes import readable_cause
from asl_engine.store.bus_records import DELIVERED, FAILED, PENDING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping

    from asl_engine.engine.timers import Busy, Timers
    from asl_engine.events.bus import EventBus
    from asl_engine.store.bus_records import Delivery, NewEvent, RuleRecord, TargetRecord

    Sender = Callable[["DeliveryAttempt"], Awaitable[Mapping[str, Any]]]

__all__ = ["Deliverer", "DeliveryAttempt", "DeliveryFailed"]

log = logging.getLogger("asl_engine.events")

LANE_LIMIT: Final = 16  # deliveries under way to one target
AGAIN_SECONDS: Final = 1.0  # before the database is asked again
MAX_HOPS: Final = 8  # from bus to bus


class DeliveryFailed(AslError):
    """A target did not take an event.  ``final``: it never will, so trying again is pointless.

    ``retries``: how often at most to try again, whatever the target's policy allows; None for no such bound.
    ``throttled``: it is to be tried again for as long as the event is young enough, and that is not counted.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        final: bool = False,
        retries: int | None = None,
        throttled: bool = False,
    ) -> None:
        super().__init__(f"{code}: {readable_cause(message)}")
        self.code = code
        self.message = message
        self.final = final
        self.retries = retries
        self.throttled = throttled


class DeliveryAttempt(NamedTuple):
    """One attempt to deliver: the input that the target gets, as JSON text."""

    delivery: Delivery
    rule: RuleRecord
    target: TargetRecord
    input: str
    number: int

    @property
    def key(self) -> str:
        """The same in each attempt, after a crash too: whoever keeps it can tell that it was there before."""
        return f"{self.delivery.event.number}/{self.delivery.rule_arn}/{self.delivery.target}"


class _Lane:
    """What is under way for one target, and when the next is due.

    ``ended`` is what has ended since the table was last read: what was read then may still show it as pending.
    """

    __slots__ = ("due", "ended", "under_way")

    def __init__(self) -> None:
        self.under_way: set[int] = set()
        self.ended: set[int] = set()
        self.due: int | None = None


class Deliverer:
    """Runs until it is cancelled.  ``send`` delivers; ``send_dead`` sends dead letters, None where nothing can."""

    def __init__(self, bus: EventBus, timers: Timers[Any], send: Sender, send_dead: Sender | None = None) -> None:
        self._bus = bus
        self._timers = timers
        self._send = send
        self._send_dead = send_dead
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self._dirty: set[tuple[str, str]] = set()
        self._woken = asyncio.Event()
        self._busy: Busy | None = None  # while there is something to look at
        self._alarm: tuple[int, asyncio.Task[None]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, lanes: Iterable[tuple[str, str]]) -> None:
        """Look at these lanes."""
        self._dirty.update(lanes)
        if self._dirty:
            self._begin()

    def _begin(self) -> None:
        if self._busy is None:
            self._busy = self._timers.busy()
        self._woken.set()

    async def run(self) -> None:
        self._bus.on_lanes = self.wake
        try:
            await self.look_at_all()
            while True:
                await self._woken.wait()
                self._woken.clear()
                await self._look()
                if not self._woken.is_set() and self._busy is not None:
                    self._set_alarm()
                    self._busy.close()
                    self._busy = None
        finally:
            await self._close()

    async def look_at_all(self) -> None:
        """Look at all that is pending, whoever has put it there."""
        with self._timers.busy():
            while True:
                try:
                    self.wake(await self._bus.buses.lanes())
                except StoreError as error:
                    log.error("%s", error)  # noqa: TRY400  the message says it all
                    await asyncio.sleep(AGAIN_SECONDS)
                else:
                    return

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._busy is not None:
            self._busy.close()
            self._busy = None

    async def _look(self) -> None:
        while self._dirty:
            name = self._dirty.pop()
            try:
                await self._fill(name)
            except StoreError as error:
                log.error("%s", error)  # noqa: TRY400  the message says it all
                await asyncio.sleep(AGAIN_SECONDS)
                self._dirty.add(name)

    async def _fill(self, name: tuple[str, str]) -> None:
        """Begin as many deliveries of a lane as are due and as there is room for."""
        lane = self._lanes.setdefault(name, _Lane())
        lane.due = None
        if len(lane.under_way) >= LANE_LIMIT:
            return  # each that ends looks again
        lane.ended.clear()
        for delivery in await self._bus.buses.pending(*name, LANE_LIMIT + 1):
            if delivery.number in lane.under_way or delivery.number in lane.ended:
                continue
            if delivery.due > self._bus.now():
                lane.due = delivery.due
                break
            if len(lane.under_way) >= LANE_LIMIT:
                break
            lane.under_way.add(delivery.number)
            self._spawn(self._deliver(name, lane, delivery))
        if not lane.under_way and lane.due is None:
            del self._lanes[name]

    def _set_alarm(self) -> None:
        """Wake up when the next delivery is due."""
        due = min((lane.due for lane in self._lanes.values() if lane.due is not None), default=None)
        if self._alarm is not None:
            if self._alarm[0] == due and not self._alarm[1].done():
                return
            self._alarm[1].cancel()
            self._alarm = None
        if due is not None:
            self._alarm = due, self._spawn(self._ring(due))

    async def _ring(self, due: int) -> None:
        await self._timers.sleep_until(due)
        now = self._bus.now()
        self.wake(name for name, lane in self._lanes.items() if lane.due is not None and lane.due <= now)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task during which time does not jump; even one that is cancelled before it begins ends that."""
        busy = self._timers.busy()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: busy.close())
        return task

    # -- one delivery -----------------------------------------------------------------------------

    async def _deliver(self, name: tuple[str, str], lane: _Lane, delivery: Delivery) -> None:
        try:
            await self._attempt(delivery)
        except StoreError as error:  # it is pending still, and is tried again
            log.error("%s", error)  # noqa: TRY400  the message says it all
            await asyncio.sleep(AGAIN_SECONDS)
        finally:
            lane.under_way.discard(delivery.number)
            lane.ended.add(delivery.number)
            self.wake([name])

    async def _attempt(self, delivery: Delivery) -> None:
        book = await self._bus.book()
        found = book.find(delivery.rule_arn, delivery.target)
        made = delivery._replace(attempts=delivery.attempts + 1)
        if found is None:
            gone = f"the target {delivery.target} of the rule {delivery.rule_arn} is gone"
            await self._settle(made, FAILED, _note(DeliveryFailed("TargetGone", gone)))
            return
        rule, target = found
        event: Any = loads(delivery.event.text)
        kind = event_resource(target.arn)
        if kind is not None and kind[0] == "event-bus":
            await self._forward(made, target, event)
            return
        attempt: DeliveryAttempt | None = None
        try:
            facts = RuleFacts(rule.arn, _name(rule), whole_seconds(delivery.event.at))
            attempt = DeliveryAttempt(
                delivery, rule, target, book.transformer(target)(event, facts), made.attempts
            )
            note = await self._send(attempt)
        except DeliveryFailed as failure:
            await self._failed(made, target, failure, attempt)
        except StoreError:
            raise
        except Exception as error:
            log.exception("delivery of %s to %s", delivery.event.id, target.arn)
            await self._failed(made, target, DeliveryFailed("InternalError", repr(error)), attempt)
        else:
            await self._settle(made, DELIVERED, note)

    async def _forward(self, delivery: Delivery, target: TargetRecord, event: dict[str, Any]) -> None:
        """Put the event on another bus, in the transaction that ends this delivery: exactly once."""
        book = await self._bus.book()
        hops = delivery.event.hops + 1
        failure = None
        if not (target.arn.endswith("event-bus/default") or target.arn in book.buses):
            failure = DeliveryFailed(
                "ResourceNotFoundException", f"Event bus {target.arn} does not exist", final=True
            )
        elif hops > MAX_HOPS:
            loop = f"the event came through {MAX_HOPS} buses: do they send to each other?"
            failure = DeliveryFailed("Loop", loop, final=True)
        if failure is not None:
            await self._failed(delivery, target, failure, None)
            return
        origin = f"{delivery.event.number}/{delivery.rule_arn}/{delivery.target}"
        forwarded = self._bus.made(book, target.arn, event, delivery.event.time, hops=hops, origin=origin)
        await self._settle(delivery, DELIVERED, {"event": forwarded.event.number}, [forwarded])

    async def _failed(
        self, delivery: Delivery, target: TargetRecord, failure: DeliveryFailed, attempt: DeliveryAttempt | None
    ) -> None:
        policy = retry_policy(target.configuration)
        if failure.retries is not None and failure.retries < policy.retries:
            policy = policy._replace(retries=failure.retries)
        now = self._bus.now()
        due = None
        throttled = int(delivery.note.get("throttled", 0)) + failure.throttled
        attempts = delivery.attempts - throttled
        if failure.throttled:
            due = policy._replace(retries=delivery.attempts).next_due(
                throttled, delivery.since, now, delivery.number
            )
        elif not failure.final:
            due = policy.next_due(attempts, delivery.since, now, delivery.number)
        note = _note(failure) | ({"throttled": throttled} if throttled else {})
        if due is not None:
            await self._settle(delivery, PENDING, note, due=due)
            return
        exhausted = None if failure.final else policy.exhausted_by(attempts)
        note |= {} if exhausted is None else {"exhausted": exhausted}
        dead = (target.configuration.get("DeadLetterConfig") or {}).get("Arn")
        if dead is not None and self._send_dead is not None and attempt is not None:
            letter = attempt._replace(delivery=delivery._replace(note=note))
            try:
                note |= await self._send_dead(letter)
            except DeliveryFailed as refused:
                note |= {"deadLetterError": str(refused)}
        log.warning("%s was not delivered to %s: %s", delivery.event.id, target.arn, failure)
        await self._settle(delivery, FAILED, note)

    async def _settle(
        self,
        delivery: Delivery,
        status: Any,
        note: Mapping[str, Any],
        forwarded: list[NewEvent] | None = None,
        due: int | None = None,
    ) -> None:
        events = forwarded or []
        await self._bus.buses.settle(delivery, status, self._bus.now() if due is None else due, note, events)
        self._bus.tell(events)
        for told in self._bus.on_outcome:
            told(delivery, status, note)


def _name(rule: RuleRecord) -> str:
    found = event_resource(rule.arn)
    return "" if found is None else found[1]


def _note(failure: DeliveryFailed) -> dict[str, Any]:
    return {"code": failure.code, "message": failure.message}
