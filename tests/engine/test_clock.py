"""How time passes: the texts of --time, and a clock whose seconds are longer or shorter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import pytest

from asl_engine.engine.clock import ScaledClock, SkippingClock, SystemClock, checked_time, clock_of, scaled
from asl_engine.engine.engine import Engine
from asl_engine.errors import InvalidInput, StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
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
