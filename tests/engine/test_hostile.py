"""Resources and stores that misbehave: whoever waits hears of it, and nothing hangs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core.events import Event, TaskHeartbeatReceived
from asl_engine.engine import effects
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import Conflict, StoreError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.states.distributed_map import DistributedMap
from asl_engine.states.pass_ import Pass
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.records import Record

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.resources import TaskCall

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


def machine(**fields: Any) -> Any:
    state = {"Type": "Task", "Resource": FUNCTION, "End": True, **fields}
    return load(json.dumps({"StartAt": "T", "States": {"T": state}}))


class Odd(BaseException):
    """Nothing that anybody is prepared for."""


@pytest.mark.parametrize("error", [Odd("odd"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_leaves_a_resource_reaches_whoever_waits(error: BaseException) -> None:
    async def broken(call: TaskCall) -> Payload:
        del call
        raise error

    async def main() -> None:
        async with Engine(MemoryStore(), {FUNCTION: broken}, clock=VirtualClock()) as engine:
            run = await engine.start(machine(), "m", Payload({}), "n")
            with anyio.fail_after(5), pytest.raises(type(error)):
                await run.wait()

    anyio.run(main)


def test_a_callable_that_will_not_be_cancelled_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "FAREWELL_TIMEOUT", 0.01)

    async def stubborn(call: TaskCall) -> Payload:
        del call
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        async with Engine(MemoryStore(), {FUNCTION: stubborn}, clock=VirtualClock()) as engine:
            await engine.start(machine(), "m", Payload({}), "n")
            await asyncio.sleep(0)

    anyio.run(main)  # comes back, although its loop closes with the task still there


class LostStore(MemoryStore):
    """Loses touch with its log: what was there cannot be read, what comes does not fit."""

    lost = False

    async def append(self, arn: str, events: Any) -> None:
        if self.lost:
            raise Conflict("the log has grown")
        await super().append(arn, events)

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        if self.lost:
            raise StoreError("the disk is gone")
        return await super().events(arn, after)


def test_a_log_that_cannot_be_followed_is_reported() -> None:
    async def main() -> None:
        store = LostStore()

        async def answer(call: TaskCall) -> Payload:
            del call
            store.lost = True
            return Payload(1)

        async with Engine(store, {FUNCTION: answer}, clock=VirtualClock()) as engine:
            run = await engine.start(machine(), "m", Payload({}), "n")
            with anyio.fail_after(5), pytest.raises(StoreError, match="the disk is gone"):
                await run.wait()

    anyio.run(main)


class StoppedMeanwhile(MemoryStore):
    """Somebody stops the execution between the reading of its log and the next append."""

    stop: Any = None

    async def append(self, arn: str, events: Any) -> None:
        if self.stop is not None:
            stop, self.stop = self.stop, None
            await stop()
        await super().append(arn, events)


def test_an_execution_that_is_stopped_while_it_is_resumed() -> None:
    async def never(call: TaskCall) -> Payload:
        del call
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> None:
        store = StoppedMeanwhile()
        clock = VirtualClock()
        async with Engine(store, {FUNCTION: never}, clock=clock) as engine:
            run = await engine.start(machine(TimeoutSeconds=60), "m", Payload({}), "n")
        record = await store.record(run.arn)
        assert isinstance(record, Record)
        async with Engine(store, {FUNCTION: never}, clock=clock) as one, Engine(store, {}, clock=clock) as other:

            async def stop() -> None:
                assert record is not None
                assert await other.stop(run.machine, record)

            store.stop = stop
            resumed = await one.resume(run.machine, record)
            assert (await resumed.wait()).status == "ABORTED"

    anyio.run(main)


def test_an_answer_after_the_timeout_is_no_answer() -> None:
    async def main() -> None:
        clock = VirtualClock()

        async def late(call: TaskCall) -> Payload:
            del call
            clock.jump(clock.now() + 3_000)  # it blocks the loop, or the machine was suspended
            return Payload("too late")

        async with Engine(MemoryStore(), {FUNCTION: late}, clock=clock) as engine:
            for fields, error in (
                ({"TimeoutSeconds": 3}, "States.Timeout"),
                ({"HeartbeatSeconds": 1}, "States.Timeout"),
            ):
                run = await engine.start(machine(**fields), "m", Payload({}), next(iter(fields)))
                assert (await run.wait()).error == error

    anyio.run(main)


def test_events_do_not_grow_younger_when_the_clock_is_set_back() -> None:
    async def main() -> None:
        store = MemoryStore()
        clock = VirtualClock()

        async def answer(call: TaskCall) -> Payload:
            call.heartbeat()
            clock._now -= 60_000
            await asyncio.sleep(0)
            return Payload(1)

        async with Engine(store, {FUNCTION: answer}, clock=clock) as engine:
            run = await engine.start(machine(HeartbeatSeconds=5), "m", Payload({}), "n")
            execution = await run.wait()
        events = await store.events(run.arn)
        assert [event.at for event in events] == sorted(event.at for event in events)
        assert execution.stopped_at is not None
        assert execution.stopped_at >= execution.identity.started_at
        assert any(isinstance(event, TaskHeartbeatReceived) for event in events)

    anyio.run(main)


WAIT_AND_PASS = load(
    json.dumps(
        {
            "StartAt": "W",
            "States": {"W": {"Type": "Wait", "SecondsPath": "$", "Next": "P"}, "P": {"Type": "Pass", "End": True}},
        }
    )
)


def odd_for_one_second(state: Pass, decision: Decision, enter: Any = Pass.enter) -> None:
    if decision.frame.input.value == 1:
        raise TypeError("Object of type Odd is not JSON serializable")
    enter(state, decision)


def test_a_defect_ends_one_execution_and_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Pass, "enter", odd_for_one_second)

    async def main() -> None:
        async with Engine(MemoryStore(), {}, clock=VirtualClock()) as engine:
            runs = [await engine.start(WAIT_AND_PASS, "m", Payload(n), f"n{n}") for n in (1, 2)]
            broken, sound = [await run.wait() for run in runs]
        assert (broken.status, broken.error) == ("FAILED", "States.Runtime")
        assert broken.cause == (
            "A defect of asl-engine ended the execution. TypeError: Object of type Odd is not JSON serializable"
        )
        assert sound.status == "SUCCEEDED"

    anyio.run(main)
    assert [(entry.levelname, entry.exc_info is not None) for entry in caplog.records] == [("ERROR", True)]


def test_a_defect_at_the_very_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """StartExecution has stored it, so it can be described."""
    monkeypatch.setattr(Pass, "enter", odd_for_one_second)

    async def main() -> None:
        machine = load('{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}')
        store = MemoryStore()
        async with Engine(store, {}, clock=VirtualClock()) as engine:
            run = await engine.start(machine, "m", Payload(1), "n")
            assert (await run.wait()).status == "FAILED"
        record = await store.record(run.arn)
        assert record is not None
        assert record.status == "FAILED"

    anyio.run(main)


class NonsenseStore(MemoryStore):
    """Its logs cannot be read any more."""

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        log = await super().events(arn, after)
        return [log[0], log[0]]


def test_a_log_that_makes_no_sense_keeps_nobody_else_from_being_resumed() -> None:
    async def main() -> None:
        store = NonsenseStore()
        async with Engine(store, {}, clock=VirtualClock()) as engine:
            run = await engine.start(WAIT_AND_PASS, "m", Payload(10_000), "n")
        record = await store.record(run.arn)
        assert record is not None
        async with Engine(store, {}, clock=VirtualClock()) as engine:
            with pytest.raises(StoreError, match=f"The log of the execution {run.arn} cannot be followed: "):
                await engine.resume(WAIT_AND_PASS, record)

    anyio.run(main)


@pytest.mark.parametrize(
    ("selected", "error"),
    [("{% ${'a': $sum} %}", "States.QueryEvaluationError"), ("{% 1 %}", "States.Runtime")],
)
def test_an_item_that_cannot_be_made_fails_its_map_run(
    monkeypatch: pytest.MonkeyPatch, selected: str, error: str
) -> None:
    """Whether the definition is to blame, or we are."""
    if error == "States.Runtime":

        def broken(*_: Any) -> Any:
            raise TypeError("Object of type Odd is not JSON serializable")

        monkeypatch.setattr(DistributedMap, "item_input", broken)
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    }
    state = {"Type": "Map", "Items": [1, 2], "ItemSelector": selected, "ItemProcessor": processor, "End": True}

    async def main() -> None:
        async with Engine(MemoryStore(), {}, clock=VirtualClock()) as engine:
            definition = {"QueryLanguage": "JSONata", "StartAt": "M", "States": {"M": state}}
            run = await engine.start(load(json.dumps(definition)), "m", Payload({}), "n")
            with anyio.fail_after(5):
                execution = await run.wait()
        assert (execution.status, execution.error) == ("FAILED", error)

    anyio.run(main)
