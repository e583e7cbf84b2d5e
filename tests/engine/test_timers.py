"""What keeps time from jumping, and what happens where it is ended wrongly."""

from __future__ import annotations

import asyncio
import gc

import pytest

from asl_engine.engine.clock import SkippingClock
from asl_engine.engine.timers import Timers


class Rung(Timers[str]):
    """Timers, and those of them that have rung."""

    def __init__(self) -> None:
        self.rung: list[int] = []
        super().__init__(SkippingClock(), lambda *_: True, lambda _, key: self.rung.append(key))


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
            timers.set(FAR, "execution", 1)
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
                timers.set(FAR, "execution", 1)
                await passed()
                assert timers.rung == [1]
            timers.set(FAR + 1, "execution", 2)
            await passed()
            assert timers.rung == [1]

    asyncio.run(scenario())


def test_an_error_ends_what_was_under_way() -> None:
    async def scenario() -> None:
        timers = Rung()
        timers.set(FAR, "execution", 1)
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
