"""What is told while the database cannot be used: each reason once, then ever more seldom, and when it is over."""

from __future__ import annotations

import asyncio

import pytest

from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.retrying import Retrying
from asl_engine.engine.timers import Timers
from asl_engine.errors import StoreError, StoreUnavailable


class Machine:
    """A machine whose time passes only in pauses, and a database that can be used again after so many seconds."""

    def __init__(self, usable_at: float, text: str = "it is full") -> None:
        self.seconds = 0.0
        self.usable_at = usable_at
        self.text = text
        self.notes: list[str | None] = []
        timers: Timers[object] = Timers(VirtualClock(), lambda *_: True, lambda *_: None)
        self.retrying = Retrying(timers.busy, self.notes.append, sleep=self.sleep, now=lambda: self.seconds)

    async def sleep(self, seconds: float) -> None:
        begin = self.seconds
        await asyncio.sleep(0)
        self.seconds = max(self.seconds, begin + seconds)

    async def work(self) -> float:
        if self.seconds < self.usable_at:
            raise StoreUnavailable(self.text)
        return self.seconds


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_one_execution(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(usable_at=100)
    # Pauses of 0.1, 0.2, ... 25.6 and 30 s: the sum is what it takes.
    assert asyncio.run(machine.retrying.insist("a", machine.work)) == pytest.approx(111.1)
    assert lines(caplog) == [
        "a waits: it is full; trying again in 0.1 s",
        "a waits: it is full; trying again in 6.4 s",
        "a waits: it is full; trying again in 25.6 s",
        "a waits: it is full; trying again in 30 s",
        "the database can be used again: a goes on after 111 s",
    ]
    assert machine.notes == ["it is full", None]


def test_many_executions_are_told_of_together(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(usable_at=10)

    async def main() -> None:
        await asyncio.gather(*(machine.retrying.insist(f"e{number}", machine.work) for number in range(1000)))

    asyncio.run(main())
    first, again, last = lines(caplog)
    assert first == "e0 waits: it is full; trying again in 0.1 s"
    assert again == "e0, e1, e2 and 997 others wait for 6.3 s: it is full; each is tried again within 30 s"
    assert last == "the database can be used again: 1000 executions go on after 13 s"


def test_another_reason_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(usable_at=2)

    async def work() -> float:
        machine.text = "it is full" if machine.seconds < 1 else "it is locked"
        return await machine.work()

    asyncio.run(machine.retrying.insist("a", work))
    assert lines(caplog) == [
        "a waits: it is full; trying again in 0.1 s",
        "a waits: it is locked; trying again in 1.6 s",
        "the database can be used again: a goes on after 1.6 s",
    ]
    assert machine.notes == ["it is full", None, "it is locked", None]


def test_a_disk_that_is_full_again_and_again_is_not_told_of_each_time(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(usable_at=0)

    async def main() -> None:
        for _ in range(20):
            machine.usable_at = machine.seconds + 0.1
            await machine.retrying.insist("a", machine.work)
            await machine.sleep(0.4)
        machine.seconds += 601  # it is news after a while
        machine.usable_at = machine.seconds + 0.1
        await machine.retrying.insist("a", machine.work)

    asyncio.run(main())
    assert [line for line in lines(caplog) if "waits" in line] == [
        "a waits: it is full; trying again in 0.1 s"
    ] * 3
    assert len(lines(caplog)) == 6
    assert machine.notes == ["it is full", None] * 21


def test_what_fails_for_good_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(usable_at=1)

    async def work() -> float:
        await machine.work()
        raise StoreError("it is damaged")

    with pytest.raises(StoreError, match="it is damaged"):
        asyncio.run(machine.retrying.insist("a", work))
    assert lines(caplog) == ["a waits: it is full; trying again in 0.1 s"]
    assert machine.notes == ["it is full", None]
