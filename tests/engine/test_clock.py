"""How time passes: the texts of --time, and a clock whose seconds are longer or shorter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import pytest

from asl_engine.engine.clock import (
    ScaledClock,
    SkippingClock,
    SystemClock,
    VirtualClock,
    checked_time,
    clock_of,
    scaled,
)
from asl_engine.engine.engine import Engine
from asl_engine.errors import InvalidInput, StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.steady import steady_ns
from asl_engine.store.memory.store import MemoryStore
from tests.core.steps import FUNCTION, retry, scope, task, wait

if TYPE_CHECKING:
    from asl_engine.resources import TaskCall

NOW = 1_700_000_000_000


class Machine:
    """This machine's time, in the test's hands."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> int:
        return self.time


@pytest.mark.parametrize(("scale", "passed"), [(0.1, 10_000), (1.0, 1_000), (2.0, 500), (0.001, 1_000_000)])
def test_seconds_are_scaled(scale: float, passed: int) -> None:
    machine = Machine()
    clock = ScaledClock(scale, machine)
    assert clock.now() == NOW
    machine.time += 1_000
    assert clock.now() == NOW + passed
    assert clock.seconds_until(clock.now() + 5_000) == pytest.approx(5 * scale)
    assert clock.seconds_until(NOW) == 0
    assert not clock.skips


def test_a_scaled_clock_catches_up_with_a_log_and_never_goes_back() -> None:
    machine = Machine()
    clock = ScaledClock(0.1, machine)
    clock.catch_up(NOW + 60_000)
    assert clock.now() == NOW + 60_000
    clock.catch_up(NOW)
    assert clock.now() == NOW + 60_000
    machine.time += 100
    assert clock.now() == NOW + 61_000


class Clocks:
    """The two clocks of a machine, in nanoseconds.  Each reading can be made to take some time."""

    def __init__(self) -> None:
        self.time_ns, self.steady_ns = NOW * 1_000_000, 5
        self.takes: list[int] = []

    def wall(self) -> int:
        self.pass_by(self.takes.pop(0) if self.takes else 0)
        return self.time_ns

    def steady(self) -> int:
        return self.steady_ns

    def pass_by(self, nanoseconds: int) -> None:
        self.time_ns += nanoseconds
        self.steady_ns += nanoseconds


@pytest.mark.parametrize("by", [1_000, -1_000, 3_600_000, -(10**12)])
def test_the_time_of_a_machine_follows_its_wall_clock_when_that_is_asked_for(by: int) -> None:
    machine = Clocks()
    clock = SystemClock(machine.wall, machine.steady)
    passing = clock.passing(5)
    machine.pass_by(10_000_000)
    assert (clock.now(), clock.step(), clock.now()) == (NOW + 10, 0, NOW + 10)
    machine.time_ns += by * 1_000_000
    machine.pass_by(10_000_000)
    assert clock.now() == NOW + 20
    assert clock.step() == by
    assert (clock.now(), clock.step()) == (NOW + 20 + by, 0)
    assert passing() == 25
    assert clock.set_back_since(NOW + 20) == min(by, 0)


def test_a_small_difference_is_followed_however_often_it_comes() -> None:
    machine = Clocks()
    clock = SystemClock(machine.wall, machine.steady)
    for _ in range(10):
        machine.time_ns += 999_000_000
        assert clock.step() == 0
        assert clock.now() == machine.time_ns // 1_000_000
    assert clock.set_back_since(clock.now() + 999) == 0


def test_a_process_that_was_stopped_between_two_readings_takes_it_for_no_setting() -> None:
    machine = Clocks()
    clock = SystemClock(machine.wall, machine.steady)
    machine.takes = [5 * 10**9]
    assert clock.now() == NOW + 5_000
    machine.takes = [5 * 10**9] * 3  # again and again: it is asked another time
    assert clock.step() == 0
    machine.time_ns += 10**10
    machine.takes = [5 * 10**9] * 2
    assert clock.step() == 10_000


def test_the_steady_clock_of_this_machine_is_steady() -> None:
    before = steady_ns()
    assert before <= steady_ns() < before + 10**11
    assert SystemClock().step() == 0


def test_nobody_sets_a_time_of_its_own() -> None:
    for clock in (SkippingClock(), ScaledClock(0.1), VirtualClock()):
        assert clock.step() == 0
        assert clock.set_back_since(clock.now() + 10**12) == 0
        assert clock.passing(7)() >= 7


def test_a_scaled_clock_tells_what_passes_within_a_decision() -> None:
    machine = Machine()
    passing = ScaledClock(0.1, machine).passing(3)
    machine.time += 50
    assert passing() == 503


def test_the_clock_of_a_text() -> None:
    assert type(clock_of("real", NOW)) is SystemClock
    assert type(clock_of("skip")) is SkippingClock
    ahead = SystemClock().now() + 10**9
    for text in ("skip", "scale=0.5"):
        assert clock_of(text, ahead).now() >= ahead
    assert clock_of("real", ahead).now() < ahead


@pytest.mark.parametrize("text", ["real", "skip", "scale=1", "scale=0.1", "scale=1e-3", "scale=60"])
def test_a_time_that_is_taken(text: str) -> None:
    assert checked_time(text) == text


@pytest.mark.parametrize(
    "text", ["", "fast", "Skip", "scale", "scale=", "scale=0", "scale=-1", "scale=nan", "scale=inf"]
)
def test_a_time_that_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="it is real, skip or scale=N"):
        checked_time(text)


@pytest.mark.parametrize(
    ("factor", "text"), [("0", "skip"), ("0.0", "skip"), ("1", "scale=1.0"), ("0.25", "scale=0.25")]
)
def test_a_factor_alone(factor: str, text: str) -> None:
    assert scaled(factor, "WAIT_TIME_SCALE=") == text


@pytest.mark.parametrize("factor", ["", "-1", "x", "nan"])
def test_a_factor_that_is_refused(factor: str) -> None:
    with pytest.raises(InvalidInput, match=f"^WAIT_TIME_SCALE={factor}: it is a number from 0 on"):
        scaled(factor, "WAIT_TIME_SCALE=")


def test_waits_retries_and_timeouts_follow_one_clock() -> None:
    """A minute of waiting in 0.06 seconds, and the times recorded are those of the minute."""
    once = retry("E", IntervalSeconds=10, MaxAttempts=1)
    machine = load(json.dumps(scope(W=wait(30, Next="T"), T=task(TimeoutSeconds=20, Retry=once))))

    async def work(call: TaskCall) -> Payload:
        if call.attempt == 0:
            raise StatesError("E", "")
        await anyio.sleep_forever()
        raise AssertionError

    async def main() -> None:
        clock = ScaledClock(0.001)
        async with Engine(MemoryStore(), {FUNCTION: work}, clock=clock) as engine:
            run = await engine.start(machine, "m", Payload({}), "one")
            ended = await run.wait()
        taken = (ended.stopped_at or 0) - ended.identity.started_at
        assert (ended.status, ended.error) == ("FAILED", "States.Timeout")
        assert taken >= 60_000

    anyio.run(main)


def test_a_skipping_clock_starts_at_a_given_moment() -> None:
    clock = SkippingClock(NOW)
    assert NOW <= clock.now() < NOW + 60_000
    clock.jump(NOW + 3_600_000)
    assert clock.now() >= NOW + 3_600_000
