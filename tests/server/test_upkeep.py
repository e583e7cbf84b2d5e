"""What a server does every hour: by the engine's clock, and again after a failure."""

from __future__ import annotations

import asyncio
import logging

import pytest

from asl_engine.engine.clock import SystemClock, VirtualClock
from asl_engine.errors import StoreError
from asl_engine.server.upkeep import EVERY, Upkeep

BEGIN = 1_700_000_000_000


def test_at_the_start_and_then_every_hour() -> None:
    clock = VirtualClock(BEGIN)
    done: list[int] = []

    async def work(now: int) -> None:
        done.append(now - BEGIN)

    async def main() -> None:
        upkeep = Upkeep(clock, work)
        for moment in (0, 1, EVERY - 1, EVERY, EVERY + 1, 5 * EVERY, 6 * EVERY - 1, 6 * EVERY):
            clock.jump(BEGIN + moment)
            await upkeep.look()

    asyncio.run(main())
    assert done == [0, EVERY, 5 * EVERY, 6 * EVERY]  # it does not catch up on what it has missed


@pytest.mark.parametrize(("by", "told"), [(10**12, "forward by 1000000000 s"), (-(10**7), "back by 10000 s")])
def test_when_the_clock_is_set_there_is_an_hour_to_put_it_right(
    by: int, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    wall, steady = [BEGIN], [0]
    clock = SystemClock(lambda: wall[0] * 1_000_000, lambda: steady[0] * 1_000_000)
    done: list[int] = []

    async def work(now: int) -> None:
        done.append(now)

    async def passes(milliseconds: int, upkeep: Upkeep) -> None:
        wall[0] += milliseconds
        steady[0] += milliseconds
        await upkeep.look()

    async def main() -> None:
        upkeep = Upkeep(clock, work)
        await upkeep.look()
        await passes(EVERY // 2, upkeep)
        wall[0] += by
        clock.step()
        await passes(EVERY // 2, upkeep)
        assert done == [BEGIN]
        await passes(EVERY, upkeep)

    with caplog.at_level(logging.WARNING, "asl_engine.server"):
        asyncio.run(main())
    assert done == [BEGIN, BEGIN + 2 * EVERY + by]
    assert [record.message for record in caplog.records] == [
        f"the clock was set {told}; nothing that ended long ago is deleted for an hour"
    ]


def test_a_failure_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock(BEGIN)
    fails = ["locked", "locked", None, "locked"]
    done: list[str | None] = []

    async def work(_now: int) -> None:
        reason = fails.pop(0)
        if reason is not None:
            raise StoreError(reason)
        done.append(reason)

    async def main() -> None:
        upkeep = Upkeep(clock, work)
        for hour in range(4):
            clock.jump(BEGIN + hour * EVERY)
            await upkeep.look()

    with caplog.at_level(logging.ERROR, "asl_engine.server"):
        asyncio.run(main())
    assert done == [None]
    assert [record.message for record in caplog.records] == [
        "locked",
        "locked",
    ]  # once each time it begins to fail


def test_it_goes_on_until_it_is_cancelled() -> None:
    begun = asyncio.Event()

    async def work(_now: int) -> None:
        begun.set()

    async def main() -> None:
        running = asyncio.ensure_future(Upkeep(VirtualClock(BEGIN), work).run())
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
