"""What keeps time from jumping, and what happens where it is ended wrongly."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from asl_engine.engine.clock import SkippingClock, VirtualClock
from asl_engine.engine.timers import Timers

if TYPE_CHECKING:
    from asl_engine.engine.clock import Clock


class Owner:
    """Something that has timers."""


EXECUTION = Owner()


class Rung(Timers[Owner]):
    """Timers, and those of them that have rung."""

    def __init__(self, clock: Clock | None = None, *, await_outside: bool = True) -> None:
        self.rung: list[int] = []
        super().__init__(
            clock or SkippingClock(),
            lambda *_: True,
            lambda _, key: self.rung.append(key),
            await_outside=await_outside,
        )


FAR = 10**15


async def passed() -> None:
    """Let everything happen that can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_time_jumps_only_when_nothing_is_under_way() -> None:
    async def scenario() -> None:
        timers = Rung()
        with timers.busy():
            other = timers.busy()
            timers.set(FAR, EXECUTION, 1)
            await passed()
        await passed()
        assert timers.rung == []
        other.close()
        await passed()
        assert timers.rung == [1]

    asyncio.run(scenario())


def test_time_jumps_for_work_that_only_waits() -> None:
    async def scenario() -> None:
        timers = Rung()
        with timers.busy():
            with timers.idle():
                timers.set(FAR, EXECUTION, 1)
                await passed()
                assert timers.rung == [1]
            timers.set(FAR + 10**9, EXECUTION, 2)
            await passed()
            assert timers.rung == [1]

    asyncio.run(scenario())


def test_an_error_ends_what_was_under_way() -> None:
    async def scenario() -> None:
        timers = Rung()
        timers.set(FAR, EXECUTION, 1)
        with pytest.raises(ValueError, match="broken"), timers.busy():
            raise ValueError("broken")
        await passed()
        assert timers.rung == [1]

    asyncio.run(scenario())


def test_nothing_ends_twice() -> None:
    async def scenario() -> None:
        busy = Rung().busy()
        busy.close()
        with pytest.raises(RuntimeError, match="ended already"):
            busy.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("closed", [False, True])
def test_what_is_never_ended_is_told_unless_the_timers_are_closed(closed: bool) -> None:
    timers = Rung()
    busy = timers.busy()
    if closed:
        timers.close()
        del busy
        gc.collect()  # a warning would be an error here
        return
    with pytest.warns(ResourceWarning, match="time will not jump again"):
        busy.__del__()
    busy.close()


def test_time_does_not_jump_past_its_horizon() -> None:
    async def scenario() -> None:
        clock = VirtualClock(0)
        timers = Rung(clock)
        timers.set_horizon(10)
        for due in (5, 10, 11):
            timers.set(due, EXECUTION, due)
        await timers.quiet()
        assert (timers.rung, clock.now()) == ([5, 10], 10)
        timers.set_horizon(11)
        timers.set(20, EXECUTION, 20)
        await timers.quiet()
        assert (timers.rung, clock.now()) == ([5, 10, 11], 11)

    asyncio.run(scenario())


def test_work_that_sleeps_lets_time_jump_and_then_counts_as_work_again() -> None:
    async def scenario() -> None:
        clock = VirtualClock(0)
        timers = Rung(clock)

        async def work() -> None:
            with timers.busy():
                timers.set(5, EXECUTION, 5)
                timers.set(15, EXECUTION, 15)
                await timers.sleep_until(10)
                for _ in range(20):
                    await asyncio.sleep(0)
                assert clock.now() == 10  # the timer behind it has not been reached meanwhile

        working = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        await timers.quiet()
        await working
        assert (timers.rung, clock.now()) == ([5, 15], 15)

    asyncio.run(scenario())


def test_work_that_is_cancelled_in_its_sleep_leaves_time_as_it_was() -> None:
    async def scenario() -> None:
        clock = VirtualClock(0)
        timers = Rung(clock)
        timers.set_horizon(5)

        async def work() -> None:
            with timers.busy():
                await timers.sleep_until(10)

        working = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        timers.set_horizon(20)
        await timers.quiet()
        assert clock.now() == 0
        with timers.busy():
            timers.set(15, EXECUTION, 15)
            await passed()
            assert timers.rung == []
        await timers.quiet()
        assert timers.rung == [15]

    asyncio.run(scenario())


@pytest.mark.parametrize(("awaited", "rung"), [(True, []), (False, [5])])
def test_time_jumps_past_those_outside_where_nobody_awaits_them(awaited: bool, rung: list[int]) -> None:
    async def scenario() -> None:
        timers = Rung(VirtualClock(0), await_outside=awaited)
        timers.set(5, EXECUTION, 5)
        outside = timers.outside()
        await passed()
        assert timers.rung == rung
        outside.close()

    asyncio.run(scenario())


def test_a_timer_does_not_keep_its_owner() -> None:
    async def scenario() -> None:
        timers = Rung(VirtualClock(0))
        owner = Owner()
        timers.set(5, owner, 5)
        timers.set(6, EXECUTION, 6)
        del owner
        await timers.quiet()
        assert timers.rung == [6]

    asyncio.run(scenario())
