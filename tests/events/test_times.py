"""Retries, schedules and replays in virtual time, without a server: the clock jumps to whatever is due."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.timers import Timers
from asl_engine.errors import StoreUnavailable
from asl_engine.events.backoff import LONGEST_MS, RetryPolicy
from asl_engine.events.bus import EventBus
from asl_engine.events.declared import DeclaredRule, declare
from asl_engine.events.delivering import Deliverer, DeliveryAttempt, DeliveryFailed
from asl_engine.events.entries import Home
from asl_engine.events.running import BusRunner
from asl_engine.json_text import loads
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOME = Home("us-east-1", "123456789012")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
BEGIN = 1_700_000_000_000  # 2023-11-14T22:13:20Z
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ENTRY = {"Source": "shop", "DetailType": "d", "Detail": "{}"}


class World:
    """A bus at work.  ``got`` is what was delivered, and when; ``failures`` are raised first."""

    def __init__(self, bus: EventBus, clock: VirtualClock, timers: Timers[Any]) -> None:
        self.bus, self.clock, self.timers = bus, clock, timers
        self.got: list[tuple[int, Any]] = []
        self.failures: list[Exception] = []
        self.always: Exception | None = None
        self.held: asyncio.Event | None = None  # what the rule "slow" waits for
        self.under_way: list[str] = []

    async def send(self, attempt: DeliveryAttempt) -> dict[str, Any]:
        if self.held is not None and attempt.rule.arn.endswith("slow"):
            self.under_way.append(attempt.key)
            await self.held.wait()
        self.got.append((self.clock.now(), loads(attempt.input)))
        if self.failures:
            raise self.failures.pop(0)
        if self.always is not None:
            raise self.always
        return {}

    async def until(self, moment: int) -> None:
        """Let time come to a moment, and all that is due until then happen."""
        self.timers.set_horizon(moment)
        await self.timers.quiet()
        self.clock.jump(moment)


@asynccontextmanager
async def world(folder: Path, *rules: DeclaredRule, begin: int = BEGIN) -> AsyncIterator[World]:
    store = await SqliteStore.open(folder / "asl.db", synchronous="OFF")
    clock = VirtualClock(begin)
    timers: Timers[Any] = Timers(clock, lambda *_: True, lambda *_: None)
    timers.set_horizon(begin)
    timers.start()
    bus = EventBus(store.bus, clock.now, HOME)
    await declare(bus, HOME, [], [*rules])
    made = World(bus, clock, timers)
    runner = asyncio.ensure_future(BusRunner(bus, timers, clock, made.send, jumps=True).run())
    try:
        yield made
    finally:
        runner.cancel()
        with suppress(asyncio.CancelledError):
            await runner
        timers.close()
        await store.close()


def rule(name: str = "r", *, target: dict[str, Any] | None = None, **configuration: Any) -> DeclaredRule:
    kept = (
        {"State": "ENABLED", **configuration}
        if configuration
        else {"State": "ENABLED", "EventPattern": '{"source": ["shop"]}'}
    )
    return DeclaredRule(name, "default", kept, {"t": {"Arn": FUNCTION, **(target or {})}})


def times(made: World) -> list[int]:
    return [moment - BEGIN for moment, _ in made.got]


def test_a_schedule_is_due_again_and_again(tmp_path: Path) -> None:
    async def main() -> None:
        rules = (
            rule("often", ScheduleExpression="rate(20 minutes)"),
            rule("noon", ScheduleExpression="cron(0 12 * * ? *)"),
        )
        async with world(tmp_path, *rules) as made:
            await made.until(BEGIN + DAY)
            names = [event["resources"][0].rpartition("/")[2] for _, event in made.got]
            assert names.count("often") == 72
            assert names.count("noon") == 1
            often = [moment for (moment, event), name in zip(made.got, names, strict=True) if name == "often"]
            assert often == [BEGIN + n * 20 * MINUTE for n in range(1, 73)]
            (noon,) = [event for (_, event), name in zip(made.got, names, strict=True) if name == "noon"]
            assert noon["time"] == "2023-11-15T12:00:00Z"
            assert (noon["source"], noon["detail-type"], noon["detail"]) == ("aws.events", "Scheduled Event", {})

    asyncio.run(main())


def test_of_the_times_that_nobody_was_there_for_one_is_made_up_for(tmp_path: Path) -> None:
    hourly = rule("hourly", ScheduleExpression="rate(1 hour)")

    async def main() -> None:
        async with world(tmp_path, hourly) as made:
            await made.until(BEGIN + HOUR + MINUTE)
            assert times(made) == [HOUR]
        async with world(tmp_path, hourly, begin=BEGIN + 5 * HOUR + MINUTE) as made:
            await made.until(BEGIN + 7 * HOUR)
            assert times(made) == [5 * HOUR + MINUTE, 6 * HOUR, 7 * HOUR]
            assert made.got[0][1]["time"] == "2023-11-15T00:13:20Z"  # when it was due

    asyncio.run(main())


def test_a_schedule_that_is_over_or_disabled_is_never_due(tmp_path: Path) -> None:
    async def main() -> None:
        once = rule("once", ScheduleExpression="at(2023-11-14T23:00:00)")
        off = rule("off", ScheduleExpression="rate(1 minute)", State="DISABLED")
        async with world(tmp_path, once, off) as made:
            await made.until(BEGIN + DAY)
            assert [event["time"] for _, event in made.got] == ["2023-11-14T23:00:00Z"]

    asyncio.run(main())


def test_a_delivery_is_tried_again_with_a_back_off(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, rule()) as made:
            made.failures = [DeliveryFailed("HTTP 503", "busy")] * 3 + [ValueError("a defect of ours")]
            await made.bus.put([ENTRY])
            await made.until(BEGIN + HOUR)
            waits = [after - before for before, after in zip(times(made), times(made)[1:], strict=False)]
            assert len(made.got) == 5
            for number, wait in enumerate(waits):
                assert 500 << number <= wait <= 1000 << number
            assert len({event["id"] for _, event in made.got}) == 1
            assert await made.bus.buses.lanes() == []
            assert await made.bus.buses.failed(10) == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("policy", "attempts", "exhausted"),
    [
        ({"MaximumRetryAttempts": 0}, 1, "MaximumRetryAttempts"),
        ({"MaximumRetryAttempts": 4}, 5, "MaximumRetryAttempts"),
        ({"MaximumEventAgeInSeconds": 60}, 6, "MaximumEventAgeInSeconds"),
        ({}, None, "MaximumEventAgeInSeconds"),
    ],
)
def test_a_delivery_is_given_up_and_kept(
    tmp_path: Path, policy: Any, attempts: int | None, exhausted: str
) -> None:
    async def main() -> None:
        async with world(tmp_path, rule(target={"RetryPolicy": policy})) as made:
            made.always = DeliveryFailed("HTTP 500", "no")
            await made.bus.put([ENTRY])
            await made.until(BEGIN + 2 * DAY)
            (dead,) = await made.bus.buses.failed(10)
            assert dead.note == {"code": "HTTP 500", "message": "no", "exhausted": exhausted}
            assert dead.attempts == len(made.got)
            assert attempts is None or abs(len(made.got) - attempts) <= (attempts > 5)
            assert times(made)[-1] < DAY
            made.always = None
            await made.bus.buses.redrive(None, made.bus.now())
            made.bus.on_lanes([(dead.rule_arn, dead.target)])
            await made.until(BEGIN + 3 * DAY)
            assert await made.bus.buses.failed(10) == []
            assert made.got[-1][1]["id"] == made.got[0][1]["id"]

    asyncio.run(main())


def test_intervals_grow_and_stay_below_a_bound() -> None:
    policy = RetryPolicy()
    waits = [policy.next_due(attempts, 0, 0, seed=attempts) for attempts in range(1, 186)]
    assert all(wait is not None and wait <= LONGEST_MS for wait in waits)
    assert policy.next_due(186, 0, 0, seed=1) is None
    assert policy.next_due(1, 0, 2 * DAY, seed=1) is None
    assert len({policy.next_due(12, 0, 0, seed=seed) for seed in range(100)}) > 50


def test_a_target_that_is_gone_is_a_dead_letter_and_the_rest_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, rule(), rule("other")) as made:
            made.failures = [DeliveryFailed("HTTP 503", "busy")] * 2
            await made.bus.put([ENTRY])
            await asyncio.sleep(0.05)
            await declare(made.bus, HOME, [], [rule("other")])
            await made.until(BEGIN + HOUR)
            (dead,) = await made.bus.buses.failed(10)
            assert dead.note["code"] == "TargetGone"
            assert "rule/r is gone" in dead.note["message"]
            assert await made.bus.buses.lanes() == []
            assert len(made.got) == 3

    asyncio.run(main())


def test_a_slow_target_holds_up_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, rule("fast"), rule("slow")) as made:
            made.held = asyncio.Event()
            for _ in range(10):
                await made.bus.put([ENTRY] * 10)
            for _ in range(1000):
                if len(made.got) == 100:
                    break
                await asyncio.sleep(0.01)
            assert len(made.got) == 100
            assert len(made.under_way) == 16  # at once
            made.held.set()
            await made.until(BEGIN + MINUTE)
            assert len(made.got) == 200
            assert len({*made.under_way}) == 100

    asyncio.run(main())


def test_what_was_delivered_is_forgotten_after_a_day_and_dead_letters_are_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, rule()) as made:
            made.failures = [DeliveryFailed("HTTP 400", "no", final=True)]
            await made.bus.put([ENTRY])
            await made.until(BEGIN + MINUTE)
            await made.bus.put([ENTRY, ENTRY])
            await made.until(BEGIN + 2 * MINUTE)
            assert len(await made.bus.buses.events()) == 3
            assert await made.bus.buses.tidy(BEGIN + DAY, {}) == 2
            (kept,) = await made.bus.buses.events()
            (dead,) = await made.bus.buses.failed(10)
            assert dead.event == kept

    asyncio.run(main())


def test_an_event_that_cannot_be_kept_is_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(tmp_path, rule()) as made:

            async def refuse(*_: Any) -> None:
                raise StoreUnavailable("the disk is full")

            with monkeypatch.context() as patch:
                patch.setattr(made.bus.buses, "keep", refuse)
                with pytest.raises(StoreUnavailable):
                    await made.bus.put([ENTRY])
            assert await made.bus.buses.events() == []
            await made.bus.put([ENTRY])
            await made.until(BEGIN + MINUTE)
            assert len(made.got) == 1

    asyncio.run(main())


def test_what_a_task_puts_twice_is_kept_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, rule()) as made:
            first = await made.bus.put([ENTRY, ENTRY], origin="task")
            assert await made.bus.put([ENTRY, ENTRY], origin="task") == first
            await made.until(BEGIN + MINUTE)
            assert [event["id"] for _, event in made.got] == [one["EventId"] for one in first]

    asyncio.run(main())


def test_one_process_of_several_delivers(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, rule()) as first:
            await first.bus.put([ENTRY])
            await first.until(BEGIN + MINUTE)
            async with world(tmp_path, rule()) as second:
                await second.bus.put([ENTRY])
                await second.until(BEGIN + MINUTE)
                assert second.got == []
                first.bus.on_lanes(await first.bus.buses.lanes())
                await first.until(BEGIN + 2 * MINUTE)
                assert len(first.got) == 2

    asyncio.run(main())


def test_an_event_is_passed_on_once_however_often_that_is_tried(tmp_path: Path) -> None:
    second = "arn:aws:events:us-east-1:123456789012:event-bus/second"

    async def main() -> None:
        async with world(tmp_path, rule(target={"Arn": second})) as made:
            await declare(made.bus, HOME, ["second"], [rule(target={"Arn": second})])
            await made.timers.quiet()  # the world's own has begun, and is not told of what comes
            deliverer = Deliverer(made.bus, made.timers, made.send)
            lanes: list[tuple[str, str]] = []
            made.bus.on_lanes = lanes.extend
            await made.bus.put([ENTRY])
            (lane,) = lanes
            (delivery,) = await made.bus.buses.pending(*lane, 10)
            for _ in range(2):
                await deliverer._attempt(delivery)
            assert len(await made.bus.buses.events(bus_arn=second)) == 1

    asyncio.run(main())
