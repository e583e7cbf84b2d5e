"""The shell: stimuli in, effects out, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core.apply import fold
from asl_engine.core.events import Event, StateExited, TaskHeartbeatReceived, TaskRestarted, TaskStarted
from asl_engine.engine.clock import SkippingClock, SystemClock, VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import ExecutionAlreadyExists, ExecutionBusy, StatesError, StoreError
from asl_engine.language.loader import load
from asl_engine.limits import Limits
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.records import Record
from tests.core.driver import IDENTITY

if TYPE_CHECKING:
    from asl_engine.core.execution import Execution
    from asl_engine.engine.run import Run
    from asl_engine.resources import TaskCall

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
TASK = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": FUNCTION, "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400, "End": True}}}


def machine_of(definition: Any) -> Any:
    return load(json.dumps(definition))


def with_fields(**fields: Any) -> Any:
    return {"StartAt": "T", "States": {"T": {**TASK["States"]["T"], **fields}}}  # type: ignore[index]  # it is a dict


async def answer(call: TaskCall) -> Payload:
    return Payload({"answer": call.attempt})


async def never(call: TaskCall) -> Payload:
    del call
    await asyncio.Event().wait()
    raise AssertionError


Scenario = Callable[[MemoryStore], Awaitable[None]]


def play(scenario: Scenario) -> None:
    """Run a scenario, which must not take any time."""

    async def main() -> None:
        with anyio.fail_after(20):
            await scenario(MemoryStore())

    anyio.run(main)


async def finish(engine: Engine, definition: Any, data: Any = None, name: str = "n") -> Execution:
    run = await engine.start(machine_of(definition), "m", Payload({} if data is None else data), name)
    return await run.wait()


def output(execution: Execution) -> Any:
    assert execution.output is not None
    return execution.output.value


def test_an_execution_runs_to_its_end() -> None:
    async def scenario(store: MemoryStore) -> None:
        seen: list[str] = []

        def observe(run: Run, events: list[Event]) -> None:
            assert len(store._events[run.arn]) >= events[-1].seq, "told before it was stored"
            seen.extend(type(event).__name__ for event in events)

        async with Engine(store, {FUNCTION: answer}, clock=VirtualClock(), observer=observe) as engine:
            execution = await finish(engine, TASK)
        assert (execution.status, output(execution)) == ("SUCCEEDED", {"answer": 0})
        assert seen == [type(event).__name__ for event in await store.events(execution.identity.arn)]
        record = await store.record(execution.identity.arn)
        assert record is not None
        assert record.status == "SUCCEEDED"
        assert fold(execution.identity, await store.events(record.identity.arn)).status == "SUCCEEDED"

    play(scenario)


def test_waits_cost_no_time_where_time_jumps() -> None:
    async def scenario(store: MemoryStore) -> None:
        clock = VirtualClock()
        begin = clock.now()
        async with Engine(store, {}, clock=clock) as engine:
            runs = [await engine.start(machine_of(WAIT), "m", Payload({}), f"n{number}") for number in range(100)]
            for run in runs:
                assert (await run.wait()).status == "SUCCEEDED"
        assert clock.now() == begin + 86_400_000

    play(scenario)


def test_real_time_passes_by_itself() -> None:
    async def scenario(store: MemoryStore) -> None:
        clock = SystemClock()
        now = clock.now()
        moment = now + 30
        definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "TimestampPath": "$.t", "End": True}}}
        from datetime import UTC, datetime

        text = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
        async with Engine(store, {}, clock=clock) as engine:
            execution = await finish(engine, definition, {"t": text})
        assert execution.status == "SUCCEEDED"
        assert clock.now() >= moment

    play(scenario)


def test_the_skipping_clock_goes_on_from_now() -> None:
    async def scenario(store: MemoryStore) -> None:
        clock = SkippingClock()
        async with Engine(store, {}, clock=clock) as engine:
            execution = await finish(engine, WAIT)
        assert execution.status == "SUCCEEDED"
        ahead = clock.now() - SystemClock().now()
        assert abs(ahead - 86_400_000) < 10_000

    play(scenario)


def test_a_task_that_never_returns_times_out_and_is_cancelled() -> None:
    async def scenario(store: MemoryStore) -> None:
        cancelled = asyncio.Event()
        clock = VirtualClock()

        async def stuck(call: TaskCall) -> Payload:
            try:
                # Time stands still while a task runs: somebody else has to move it.
                clock.jump(clock.now() + 5_000)
                call.heartbeat()
                return await never(call)
            finally:
                cancelled.set()

        async with Engine(store, {FUNCTION: stuck}, clock=clock) as engine:
            execution = await finish(engine, with_fields(TimeoutSeconds=5))
            await cancelled.wait()
        assert (execution.status, execution.error) == ("FAILED", "States.Timeout")

    play(scenario)


def test_a_heartbeat_puts_the_timeout_off() -> None:
    async def scenario(store: MemoryStore) -> None:
        clock = VirtualClock()

        async def beating(call: TaskCall) -> Payload:
            for _ in range(3):
                clock.jump(clock.now() + 2_000)
                call.heartbeat()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            return Payload("alive")

        async with Engine(store, {FUNCTION: beating}, clock=clock) as engine:
            execution = await finish(engine, with_fields(HeartbeatSeconds=3))
        assert output(execution) == "alive"
        events = await store.events(execution.identity.arn)
        assert sum(isinstance(event, TaskHeartbeatReceived) for event in events) == 3

    play(scenario)


# With HeartbeatSeconds 10, in milliseconds: when a task beats, when it answers, what is stored, when it ends.
TIMEOUT = "States.Timeout"
BEATS: dict[str, tuple[list[int], int | None, list[int], int, str | None]] = {
    "a thousand per second": ([*range(1, 5_000)], 5_000, [1, 1_001, 2_001, 3_001, 4_001], 5_000, None),
    "a thousand per second, then silent": ([*range(1, 900)], None, [1, 899], 10_899, TIMEOUT),
    "the next in the last moment": ([4_000, 4_500, 14_499], 24_000, [4_000, 4_500, 14_499], 24_000, None),
    "an answer in the last moment": ([4_000, 4_500], 14_499, [4_000, 4_500], 14_499, None),
    "the next too late": ([4_000, 4_500, 14_500], None, [4_000, 4_500], 14_500, TIMEOUT),
    "an answer too late": ([4_000, 4_500], 14_500, [4_000, 4_500], 14_500, TIMEOUT),
    "ever in the last moment": ([9_999, 19_998], 29_997, [9_999, 19_998], 29_997, None),
    "ever silent": ([], None, [], 10_000, TIMEOUT),
}


@pytest.mark.parametrize(("beats", "answers", "stored", "ends", "error"), BEATS.values(), ids=BEATS)
def test_all_heartbeats_count_and_few_are_stored(
    beats: list[int], answers: int | None, stored: list[int], ends: int, error: str | None
) -> None:
    async def scenario(store: MemoryStore) -> None:
        clock = VirtualClock()
        start = clock.now()

        async def beating(call: TaskCall) -> Payload:
            for moment in beats:
                clock.jump(start + moment)
                call.heartbeat()
                for _ in range(5):
                    await asyncio.sleep(0)
            if answers is None:
                with call.idle():  # time may jump to what is due
                    return await never(call)
            clock.jump(start + answers)
            return Payload("alive")

        async with Engine(store, {FUNCTION: beating}, clock=clock) as engine:
            execution = await finish(engine, with_fields(HeartbeatSeconds=10))
        events = await store.events(execution.identity.arn)
        moments = [event.heard or event.at for event in events if isinstance(event, TaskHeartbeatReceived)]
        assert [moment - start for moment in moments] == stored
        assert execution.stopped_at == start + ends
        assert execution.error == error

    play(scenario)


def test_many_heartbeats_in_one_moment_are_one() -> None:
    async def scenario(store: MemoryStore) -> None:
        async def beating(call: TaskCall) -> Payload:
            for _ in range(1_000):
                call.heartbeat()
            await asyncio.sleep(0)
            return Payload("alive")

        async with Engine(store, {FUNCTION: beating}, clock=VirtualClock()) as engine:
            execution = await finish(engine, with_fields(HeartbeatSeconds=10))
        events = await store.events(execution.identity.arn)
        assert sum(isinstance(event, TaskHeartbeatReceived) for event in events) == 1

    play(scenario)


def test_a_task_knows_its_attempt_and_its_key() -> None:
    async def scenario(store: MemoryStore) -> None:
        calls: list[TaskCall] = []

        async def flaky(call: TaskCall) -> Payload:
            calls.append(call)
            if call.attempt < 2:
                raise StatesError("Flaky", "again")
            return Payload("done")

        definition = with_fields(TimeoutSeconds=9, Retry=[{"ErrorEquals": ["Flaky"]}])
        clock = VirtualClock(1_000_000)
        async with Engine(store, {FUNCTION: flaky}, clock=clock) as engine:
            execution = await finish(engine, definition)
        assert output(execution) == "done"
        assert [call.attempt for call in calls] == [0, 1, 2]
        assert len({call.key for call in calls}) == 3
        assert all(call.key.startswith(execution.identity.arn) for call in calls)
        assert [call.deadline for call in calls] == [1_009_000, 1_010_000, 1_012_000]
        assert {call.state for call in calls} == {"T"}

    play(scenario)


def test_a_name_is_taken_once() -> None:
    async def scenario(store: MemoryStore) -> None:
        async with Engine(store, {FUNCTION: never}, clock=VirtualClock()) as engine:
            await engine.start(machine_of(TASK), "m", Payload({}), "n")
            with pytest.raises(ExecutionAlreadyExists):
                await engine.start(machine_of(TASK), "m", Payload({}), "n")

    play(scenario)


def test_stop_aborts_what_runs_here() -> None:
    async def scenario(store: MemoryStore) -> None:
        async with Engine(store, {FUNCTION: never}, clock=VirtualClock()) as engine:
            run = await engine.start(machine_of(TASK), "m", Payload({}), "n")
            record = await store.record(run.arn)
            assert record is not None
            assert await engine.stop(run.machine, record, "Enough", "of it")
            execution = await run.wait()
            assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Enough", "of it")
            assert not await engine.stop(run.machine, record)

    play(scenario)


class SharedStore(MemoryStore):
    """A store that somebody else writes to as well."""

    async def changed(self) -> bool:
        return True


class Watched(MemoryStore):
    """Calls ``seen`` when an execution is on disk, before whoever has started it hears of that."""

    seen: Callable[[], Awaitable[None]]

    async def create(self, *given: Any) -> None:
        await super().create(*given)
        await self.seen()

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        await asyncio.sleep(0)
        return await super().events(arn, after)


def test_stop_aborts_what_has_just_been_started() -> None:
    async def main() -> None:
        store, machine = Watched(), machine_of(TASK)
        async with Engine(store, {FUNCTION: never}, clock=VirtualClock()) as engine:
            stopping: list[asyncio.Future[bool]] = []

            async def stop() -> None:
                record = (await store.executions())[0]
                stopping.append(asyncio.ensure_future(engine.stop(machine, record)))
                await asyncio.sleep(0)  # it has seen that nobody drives the execution

            store.seen = stop
            run = await engine.start(machine, "m", Payload({}), "n")
            assert await stopping[0]
            assert run.done.done()
            assert run.execution.status == "ABORTED"
            assert not engine.runs

    anyio.run(main)


def test_stop_aborts_what_runs_elsewhere_and_its_driver_notices() -> None:
    async def main() -> None:
        store = SharedStore()
        async with (
            Engine(store, {FUNCTION: never}, clock=VirtualClock()) as here,
            Engine(store, {}, clock=VirtualClock()) as there,
        ):
            run = await here.start(machine_of(TASK), "m", Payload({}), "n")
            await here.check()
            assert not run.done.done()
            record = await store.record(run.arn)
            assert record is not None
            assert await there.stop(run.machine, record)
            await here.check()
            assert (await run.wait()).status == "ABORTED"

    anyio.run(main)


def test_a_driver_that_is_overtaken_follows_or_lets_go() -> None:
    async def scenario(store: MemoryStore) -> None:
        gate = asyncio.Event()

        async def slow(call: TaskCall) -> Payload:
            del call
            await gate.wait()
            return Payload(1)

        async with Engine(store, {FUNCTION: slow}, clock=VirtualClock()) as engine:
            aborted = await engine.start(machine_of(TASK), "m", Payload({}), "aborted")
            taken = await engine.start(machine_of(TASK), "m", Payload({}), "taken")
            record = await store.record(aborted.arn)
            assert record is not None
            async with Engine(store, {}, clock=VirtualClock()) as other:
                await other.stop(aborted.machine, record)
            events = await store.events(taken.arn)
            last = events[-1]
            assert isinstance(last, TaskStarted)
            beat = TaskHeartbeatReceived(last.seq + 1, 0, last.id, last.at, 0, last.task)
            await store.append(taken.arn, [beat])
            gate.set()
            assert (await aborted.wait()).status == "ABORTED"
            with pytest.raises(ExecutionBusy):
                await taken.wait()

    play(scenario)


class BrokenStore(MemoryStore):
    """Stores the beginning and then no more."""

    broken = False

    async def append(self, arn: str, events: Any) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        await super().append(arn, events)


def test_nothing_happens_that_could_not_be_stored() -> None:
    async def main() -> None:
        store = BrokenStore()
        told: list[Event] = []
        calls: list[str] = []

        async def counted(call: TaskCall) -> Payload:
            calls.append(call.key)
            return Payload(1)

        def observe(run: Run, events: list[Event]) -> None:
            del run
            told.extend(events)

        definition = {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Task", "Resource": FUNCTION, "Next": "B"},
                "B": {"Type": "Task", "Resource": FUNCTION, "End": True},
            },
        }
        async with Engine(store, {FUNCTION: counted}, clock=VirtualClock(), observer=observe) as engine:
            run = await engine.start(machine_of(definition), "m", Payload({}), "n")
            store.broken = True
            with pytest.raises(StoreError, match="the disk is full"):
                await run.wait()
        assert len(calls) == 1
        assert len(told) == len(await store.events(run.arn)) == 4
        store.broken = False
        async with Engine(store, {FUNCTION: counted}, clock=VirtualClock()) as engine:
            record = await store.record(run.arn)
            assert record is not None
            resumed = await engine.resume(run.machine, record)
            assert output(await resumed.wait()) == 1
        assert calls[0] == calls[1]
        assert len(calls) == 3

    anyio.run(main)


def test_a_broken_resource_is_a_defect_that_whoever_waits_hears_of() -> None:
    async def scenario(store: MemoryStore) -> None:
        async def broken(call: TaskCall) -> Payload:
            raise RuntimeError(f"a defect in the resource of {call.state}")

        async with Engine(store, {FUNCTION: broken}, clock=VirtualClock()) as engine:
            with pytest.raises(RuntimeError, match="a defect in the resource of T"):
                await finish(engine, TASK)

    play(scenario)


def test_leaving_the_engine_interrupts_and_a_new_one_goes_on() -> None:
    async def scenario(store: MemoryStore) -> None:
        keys: list[str] = []
        interrupted = asyncio.Event()

        async def noted(call: TaskCall) -> Payload:
            keys.append(call.key)
            interrupted.set()
            return await never(call)

        async def noted_answer(call: TaskCall) -> Payload:
            keys.append(call.key)
            return await answer(call)

        clock = VirtualClock(0)
        definition = with_fields(TimeoutSeconds=10)
        async with Engine(store, {FUNCTION: noted}, clock=clock) as engine:
            run = await engine.start(machine_of(definition), "m", Payload({}), "n")
            await interrupted.wait()
        clock.jump(3_600_000)
        record = await store.record(run.arn)
        assert record is not None
        async with Engine(store, {FUNCTION: noted_answer}, clock=clock) as engine:
            execution = await (await engine.resume(run.machine, record)).wait()
        assert output(execution) == {"answer": 0}
        assert keys[0] == keys[1]
        assert sum(isinstance(event, TaskRestarted) for event in await store.events(run.arn)) == 1

    play(scenario)


def test_two_engines_on_one_store_do_not_drive_one_execution() -> None:
    async def scenario(store: MemoryStore) -> None:
        clock = VirtualClock()
        async with Engine(store, {FUNCTION: answer}, clock=clock) as other:
            async with Engine(store, {FUNCTION: never}, clock=clock) as engine:
                run = await engine.start(machine_of(TASK), "m", Payload({}), "n")
                record = await store.record(run.arn)
                assert record is not None
                for resuming in (engine, other):
                    with pytest.raises(ExecutionBusy, match="by this process already"):
                        await resuming.resume(run.machine, record)
                assert run.arn in store.driven
            assert store.driven == set()
            assert (await (await other.resume(run.machine, record)).wait()).status == "SUCCEEDED"
        assert store.driven == set()

    play(scenario)


def test_what_another_process_drives_is_not_driven_here() -> None:
    class Elsewhere(MemoryStore):
        async def claim(self, arn: str) -> bool:
            raise ExecutionBusy(f"The execution {arn} is being run by another process")

    async def main() -> None:
        store, machine = Elsewhere(), machine_of(TASK)
        async with Engine(store, {FUNCTION: answer}, clock=VirtualClock()) as engine:
            with pytest.raises(ExecutionBusy, match="another process"):
                await engine.resume(machine, Record(IDENTITY, machine.digest))
        assert store.driven == set()

    anyio.run(main)


def test_resuming_what_has_ended_gives_its_end() -> None:
    async def scenario(store: MemoryStore) -> None:
        async with Engine(store, {FUNCTION: answer}, clock=VirtualClock()) as engine:
            execution = await finish(engine, TASK)
            record = await store.record(execution.identity.arn)
            assert record is not None
            again = await engine.resume(machine_of(TASK), record)
            assert (await again.wait()).status == "SUCCEEDED"

    play(scenario)


def test_a_machine_timeout_is_counted_from_the_start_whoever_drives() -> None:
    async def scenario(store: MemoryStore) -> None:
        clock = VirtualClock(0)
        definition = {**WAIT, "TimeoutSeconds": 100}
        async with Engine(store, {}, clock=clock) as engine:
            execution = await finish(engine, definition)
        assert execution.status == "TIMED_OUT"
        assert clock.now() == 100_000

    play(scenario)


def test_a_long_decision_lets_others_go_on() -> None:
    async def scenario(store: MemoryStore) -> None:
        loop = {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Pass", "Next": "B"},
                "B": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "C"}],
                    "Default": "A",
                },
                "C": {"Type": "Succeed"},
            },
        }
        async with Engine(store, {}, clock=VirtualClock(), limits=Limits(history_events=12_000)) as engine:
            endless = await engine.start(machine_of(loop), "m", Payload({}), "endless")
            quick = await finish(engine, {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}, name="quick")
            assert quick.status == "SUCCEEDED"
            assert not endless.done.done()
            assert (await endless.wait()).error == "States.Runtime"

    play(scenario)


def test_many_at_once() -> None:
    async def scenario(store: MemoryStore) -> None:
        async with Engine(store, {FUNCTION: answer}, clock=VirtualClock()) as engine:
            async with anyio.create_task_group() as group:
                for number in range(200):
                    group.start_soon(finish, engine, TASK, None, f"n{number}")
            assert engine.runs == {}
        assert len(await store.executions(status="SUCCEEDED")) == 200
        for record in await store.executions():
            exits = [e for e in await store.events(record.identity.arn) if isinstance(e, StateExited)]
            assert len(exits) == 1

    play(scenario)
