"""The wall clock is set while executions run: what counts seconds counts on, and what names a moment means it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.arn import execution_arn
from asl_engine.core.apply import fold
from asl_engine.core.events import ClockSet, StateEntered
from asl_engine.core.interpreter import EVENTS_PER_READING, MAX_DECISION_EVENTS
from asl_engine.core.replay import replay
from asl_engine.engine import clock_changes, timers
from asl_engine.engine.clock import SystemClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.records import Record
from tests.core.driver import IDENTITY, NOW
from tests.core.steps import FUNCTION, picture, retry, scope, state, task, types, wait

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.resources import TaskCall
    from asl_engine.store.records import Child

HOUR = 3600.0
YEARS = 20 * 365 * 24 * HOUR
SET = pytest.mark.parametrize(
    "by", [HOUR, -HOUR, YEARS, -YEARS], ids=["forward", "back", "decades on", "decades back"]
)
AT = "2023-11-14T22:15:20Z"  # two minutes after NOW


@pytest.fixture(autouse=True)
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine looks at its clock whenever nothing else happens, instead of every second."""
    monkeypatch.setattr(timers, "MAX_SLEEP_SECONDS", 0.0)


class Machine:
    """A machine with its two clocks in the test's hands, an engine on it, and its disk."""

    def __init__(self) -> None:
        self.wall = NOW * 1_000_000
        self.steady = 77
        self.store = MemoryStore()
        self.calls: list[tuple[TaskCall, asyncio.Future[Any]]] = []
        self.engine = self.booted()

    def booted(self) -> Engine:
        self.store.driven.clear()  # no other process knows of it
        clock = SystemClock(lambda: self.wall, lambda: self.steady)
        return Engine(self.store, {FUNCTION: self.work}, clock=clock)

    async def work(self, call: TaskCall) -> Payload:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.calls.append((call, answer))
        return Payload(await answer)

    async def after(self, seconds: float) -> None:
        """Time passes."""
        self.wall += round(seconds * 1e9)
        self.steady += round(seconds * 1e9)
        await self.quiet()

    async def set(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.wall += round(seconds * 1e9)
        await self.quiet()

    async def quiet(self) -> None:
        for _ in range(60):
            await asyncio.sleep(0)

    async def start(self, definition: dict[str, Any], data: Any = None, name: str = "n") -> Run:
        run = await self.engine.start(load(json.dumps(definition)), "m", Payload(data or {}), name)
        await self.quiet()
        return run

    async def events(self, run: Run) -> Sequence[Event]:
        return await self.store.events(run.arn)


def status(run: Run) -> str:
    """It changes between any two calls, which a type checker does not see."""
    return run.execution.status


def play(scenario: Callable[[Machine], Awaitable[None]]) -> None:
    async def main() -> None:
        machine = Machine()
        async with machine.engine:
            await scenario(machine)

    asyncio.run(main())


def stamps(events: Sequence[Event]) -> list[float]:
    """In seconds since the start; they never go back."""
    moments = [event.at for event in events]
    assert moments == sorted(moments)
    return [round((moment - NOW) / 1000, 3) for moment in moments]


def lawful(run: Run, events: Sequence[Event]) -> None:
    """The log leads to the execution, and the core comes to the log."""
    who = run.execution.identity
    assert picture(fold(who, events)) == picture(run.execution)
    assert replay(run.machine, who, events) is None


WAITING = {
    "Seconds": wait(60),
    "SecondsPath": state("Wait", SecondsPath="$.s"),
    "JSONata": state("Wait", QueryLanguage="JSONata", Seconds="{% $states.input.s %}"),
}


@SET
@pytest.mark.parametrize("waiting", WAITING.values(), ids=WAITING)
def test_a_wait_takes_its_seconds(by: float, waiting: dict[str, Any]) -> None:
    async def scenario(machine: Machine) -> None:
        run = await machine.start(scope(W=waiting), {"s": 60})
        await machine.after(10)
        await machine.set(by)
        await machine.after(49.9)
        assert status(run) == "RUNNING"
        await machine.after(0.1)
        assert status(run) == "SUCCEEDED"
        events = await machine.events(run)
        # The wall clock's time, but never before what was there already.
        assert stamps(events)[-1] == 60 + max(by, 0)
        lawful(run, events)

    play(scenario)


MOMENTS = {
    "Timestamp": state("Wait", Timestamp=AT),
    "TimestampPath": state("Wait", TimestampPath="$.t"),
    "JSONata": state("Wait", QueryLanguage="JSONata", Timestamp="{% $states.input.t %}"),
}


@pytest.mark.parametrize("waiting", MOMENTS.values(), ids=MOMENTS)
def test_a_moment_is_one_of_the_wall_clock(waiting: dict[str, Any]) -> None:
    async def scenario(machine: Machine) -> None:
        run = await machine.start(scope(W=waiting), {"t": AT})
        await machine.after(10)
        await machine.set(-HOUR)
        await machine.after(HOUR)  # it is 22:13:30 again
        assert status(run) == "RUNNING"
        await machine.set(60)
        await machine.after(49.9)
        assert status(run) == "RUNNING"
        await machine.after(0.1)
        assert status(run) == "SUCCEEDED"
        lawful(run, await machine.events(run))

    play(scenario)


def test_a_moment_that_the_clock_leaps_over_has_come() -> None:
    async def scenario(machine: Machine) -> None:
        run = await machine.start(scope(W=state("Wait", Timestamp=AT, Next="X"), X=wait(5)))
        await machine.set(HOUR)
        await machine.after(4.9)
        assert status(run) == "RUNNING"
        await machine.after(0.1)
        assert status(run) == "SUCCEEDED"
        lawful(run, await machine.events(run))

    play(scenario)


@SET
def test_a_retry_comes_after_its_interval(by: float) -> None:
    async def scenario(machine: Machine) -> None:
        await machine.start(scope(T=task(Retry=retry(IntervalSeconds=30))))
        machine.calls[0][1].set_exception(StatesError("E", ""))
        await machine.quiet()
        await machine.after(10)
        await machine.set(by)
        await machine.after(19.9)
        assert len(machine.calls) == 1
        await machine.after(0.1)
        assert len(machine.calls) == 2

    play(scenario)


@SET
def test_a_task_has_its_seconds_and_no_more(by: float) -> None:
    async def scenario(machine: Machine) -> None:
        answered = await machine.start(scope(T=task(TimeoutSeconds=20)), name="answered")
        silent = await machine.start(scope(T=task(TimeoutSeconds=20)), name="silent")
        await machine.after(5)
        await machine.set(by)
        await machine.after(14.9)
        machine.calls[0][1].set_result("in time")
        await machine.quiet()
        assert status(answered) == "SUCCEEDED"
        assert status(silent) == "RUNNING"
        await machine.after(0.1)
        assert (status(silent), silent.execution.error) == ("FAILED", "States.Timeout")
        for run in (answered, silent):
            lawful(run, await machine.events(run))

    play(scenario)


@SET
def test_heartbeats_are_expected_as_before(by: float) -> None:
    async def scenario(machine: Machine) -> None:
        run = await machine.start(scope(T=task(HeartbeatSeconds=20)))
        call = machine.calls[0][0]
        call.heartbeat()
        await machine.after(1)  # so soon after the first that it is only remembered
        call.heartbeat()
        await machine.quiet()
        await machine.set(by)
        await machine.after(19.9)
        assert status(run) == "RUNNING"
        call.heartbeat()
        await machine.quiet()
        await machine.set(-by)
        await machine.after(19.9)
        assert status(run) == "RUNNING"
        await machine.after(0.1)
        assert (status(run), run.execution.error) == ("FAILED", "States.Timeout")
        lawful(run, await machine.events(run))

    play(scenario)


@SET
def test_a_machine_has_its_seconds_and_no_more(by: float) -> None:
    async def scenario(machine: Machine) -> None:
        run = await machine.start({**scope(T=task()), "TimeoutSeconds": 60})
        await machine.after(10)
        await machine.set(by)
        await machine.after(49.9)
        assert status(run) == "RUNNING"
        await machine.after(0.1)
        assert status(run) == "TIMED_OUT"
        lawful(run, await machine.events(run))

    play(scenario)


@SET
def test_an_express_execution_has_its_five_minutes(by: float) -> None:
    async def scenario(machine: Machine) -> None:
        arn = execution_arn("us-east-1", "123456789012", "m", "n").replace(":execution:", ":express:") + ":1"
        who = IDENTITY._replace(arn=arn)
        run = await machine.engine.launch(load(json.dumps(scope(T=task()))), who, Payload({}))
        await machine.after(10)
        await machine.set(by)
        await machine.after(289.9)
        assert status(run) == "RUNNING"
        await machine.after(0.1)
        assert status(run) == "TIMED_OUT"

    play(scenario)


def test_back_and_forth_leaves_no_trace_in_what_follows() -> None:
    async def scenario(machine: Machine) -> None:
        run = await machine.start(scope(A=wait(10, Next="B"), B=wait(10, Next="C"), C=wait(10)))
        await machine.after(5)
        await machine.set(-HOUR)
        await machine.after(5)
        await machine.after(5)
        await machine.set(HOUR)
        await machine.after(5)
        await machine.after(10)
        assert status(run) == "SUCCEEDED"
        events = await machine.events(run)
        assert [event.ahead for event in events if isinstance(event, ClockSet)] == [HOUR * 1000, 0]
        entered = [event.at - NOW for event in events if isinstance(event, StateEntered)]
        assert entered == [0, 10_000, 20_000]
        assert stamps(events)[-1] == 30
        assert types(events).count("WaitStateEntered") == 3  # and the history shows nothing of it
        lawful(run, events)

    play(scenario)


def test_what_is_less_than_a_second_is_no_setting() -> None:
    """The clocks run apart: the wall clock is followed, and nothing is told to anybody."""

    async def scenario(machine: Machine) -> None:
        run = await machine.start(scope(W=wait(10)))
        for _ in range(5):
            await machine.after(1)
            await machine.set(0.9)
        await machine.after(0.5)
        assert status(run) == "SUCCEEDED"  # by the wall clock
        assert not any(isinstance(event, ClockSet) for event in await machine.events(run))

    play(scenario)


def test_new_executions_have_the_time_that_was_set() -> None:
    async def scenario(machine: Machine) -> None:
        await machine.set(-HOUR)  # and nothing runs that could care
        run = await machine.start(scope(W=wait(10)))
        assert run.execution.identity.started_at == NOW - HOUR * 1000
        await machine.after(10)
        assert status(run) == "SUCCEEDED"
        assert run.execution.stopped_at == NOW - HOUR * 1000 + 10_000

    play(scenario)


@pytest.mark.parametrize("by", [-HOUR, -YEARS])
def test_a_clock_that_was_set_back_while_nothing_ran(by: float) -> None:
    """The log is in the future: what remains is counted from the last that it says."""

    async def scenario(machine: Machine) -> None:
        run = await machine.start(scope(A=wait(10, Next="W"), W=wait(60, Next="X"), X=wait(5)))
        await machine.after(10)
        record = Record(run.execution.identity, run.machine.digest)
        machine.engine.timers.close()  # the process is gone
        await machine.set(by)
        machine.steady = 3  # and the machine has been started anew
        machine.engine = machine.booted()
        async with machine.engine:
            again = await machine.engine.resume(run.machine, record)
            await machine.quiet()
            await machine.after(59.9)
            assert again.execution.open
            assert again.execution.frames[0].state == "W"
            await machine.after(0.1)
            assert again.execution.frames[0].state == "X"
            await machine.after(5)
            assert status(again) == "SUCCEEDED"
        events = await machine.events(again)
        assert stamps(events)[-1] == 75
        lawful(again, events)

    play(scenario)


def test_stamps_catch_up_with_a_clock_that_has_reached_them() -> None:
    async def scenario(machine: Machine) -> None:
        run = await machine.start(scope(W=wait(60)))
        await machine.set(-30)
        assert run.execution.ahead == 30_000
        machine.engine.timers.close()
        await machine.after(40)
        machine.engine = machine.booted()
        async with machine.engine:
            again = await machine.engine.resume(run.machine, Record(run.execution.identity, run.machine.digest))
            await machine.after(20)
            assert again.execution.stopped_at == NOW + 30_000  # as the wall clock says
        lawful(again, await machine.events(again))

    play(scenario)


def test_a_redrive_after_the_clock_was_set_back() -> None:
    async def scenario(machine: Machine) -> None:
        definition = {**scope(W=wait(10, Next="T"), T=task(Next="L"), L=wait(20)), "TimeoutSeconds": 50}
        run = await machine.start(definition)
        await machine.after(10)
        machine.calls[0][1].set_exception(StatesError("E", ""))
        await machine.quiet()
        assert status(run) == "FAILED"
        await machine.set(-HOUR)
        again = await machine.engine.redrive(run.machine, Record(run.execution.identity, run.machine.digest))
        await machine.quiet()
        machine.calls[1][1].set_result({})
        await machine.quiet()
        await machine.after(19.9)
        assert status(again) == "RUNNING"
        await machine.after(0.1)
        assert status(again) == "SUCCEEDED"
        lawful(again, await machine.events(again))

    play(scenario)


class Slow(MemoryStore):
    """A disk on which a new execution is written while somebody sets the clock."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine

    async def create(
        self, record: Record, definition: str, events: Sequence[Event], child: Child | None = None
    ) -> None:
        await super().create(record, definition, events, child)
        await self._machine.set(HOUR)


def test_it_is_set_while_an_execution_is_being_started() -> None:
    """Between its first decision and the moment from which it is driven."""

    async def scenario(machine: Machine) -> None:
        machine.store = machine.engine.store = Slow(machine)
        run = await machine.start(scope(W=wait(60)))
        await machine.after(59.9)
        assert status(run) == "RUNNING"
        await machine.after(0.1)
        assert status(run) == "SUCCEEDED"
        lawful(run, await machine.events(run))

    play(scenario)


def test_all_are_told_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_changes, "TOGETHER", 3)

    async def scenario(machine: Machine) -> None:
        runs = [await machine.start(scope(W=wait(60)), name=f"n{number}") for number in range(10)]
        await machine.set(HOUR)
        await machine.set(HOUR)
        await machine.after(59.9)
        assert all(status(run) == "RUNNING" for run in runs)
        assert all(run.execution.shifted == 2 * HOUR * 1000 for run in runs)
        await machine.after(0.1)
        assert all(status(run) == "SUCCEEDED" for run in runs)

    play(scenario)


def test_time_advances_within_a_long_decision() -> None:
    """A loop without a wait: each turn has its own time, and a wait behind it counts from there."""
    turns = MAX_DECISION_EVENTS // 2
    loop = scope(
        Next=state("Pass", Parameters={"n.$": "States.MathAdd($.n, 1)"}, Next="Enough"),
        Enough=state(
            "Choice", Choices=[{"Variable": "$.n", "NumericLessThan": turns // 4, "Next": "Next"}], Default="W"
        ),
        W=wait(10),
    )

    async def scenario(machine: Machine) -> None:
        def steady() -> int:  # a millisecond between any two readings
            machine.wall += 1_000_000
            machine.steady += 1_000_000
            return machine.steady

        machine.engine.clock._steady = steady  # type: ignore[attr-defined]
        run = await machine.start(loop, {"n": 0})
        machine.engine.clock._steady = lambda: machine.steady  # type: ignore[attr-defined]
        events = await machine.events(run)
        entered = stamps([event for event in events if isinstance(event, StateEntered)])
        assert len(entered) == turns // 2 + 1
        # A millisecond for each reading: as often as it has to be, and not much more.
        assert turns / EVENTS_PER_READING < len({*entered}) < 2 * turns / EVENTS_PER_READING
        # What counts seconds counts from the moment itself.
        assert [work.due for work in run.execution.open.values()] == [events[-1].at + 10_000]
        assert events[-1].at > events[-2].at
        lawful(run, events)

    play(scenario)
