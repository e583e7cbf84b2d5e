"""How an engine does the work that its executions have open."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import TYPE_CHECKING, Any

import anyio

from asl_engine.core.stimuli import TimerReported
from asl_engine.engine.clock import SystemClock, VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.limits import Limits
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.core.execution import Execution
    from asl_engine.resources import TaskCall

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
MOMENT = {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}


def sequence(*names: str, **fields: Any) -> dict[str, Any]:
    ends: list[dict[str, Any]] = [*({"Next": name} for name in names[1:]), {"End": True}]
    states = {
        name: {"Type": "Task", "Resource": FUNCTION, **end, **fields}
        for name, end in zip(names, ends, strict=True)
    }
    return {"StartAt": names[0], "States": states}


async def finish(engine: Engine, definition: dict[str, Any], name: str = "n") -> Execution:
    run = await engine.start(load(json.dumps(definition)), "m", Payload({}), name)
    return await run.wait()


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        with anyio.fail_after(20):
            await scenario()

    anyio.run(main)


def test_a_sequence_of_tasks_is_one_asyncio_task() -> None:
    tasks = set()

    async def answer(call: TaskCall) -> Payload:
        tasks.add(asyncio.current_task())
        await asyncio.sleep(0)
        return call.input

    async def scenario() -> None:
        async with Engine(MemoryStore(), {FUNCTION: answer}, clock=VirtualClock()) as engine:
            assert (await finish(engine, sequence("A", "B", "C"))).status == "SUCCEEDED"
        assert len(tasks) == 1

    play(scenario)


def test_branches_run_at_the_same_time() -> None:
    there = anyio.Event()
    waiting: list[str] = []

    async def meet(call: TaskCall) -> Payload:
        waiting.append(call.state)
        if len(waiting) == 3:
            there.set()
        await there.wait()
        return call.input

    async def scenario() -> None:
        branches = [sequence(name) for name in "ABC"]
        forked = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}}
        async with Engine(MemoryStore(), {FUNCTION: meet}, clock=VirtualClock()) as engine:
            assert (await finish(engine, forked)).status == "SUCCEEDED"
        assert waiting == ["A", "B", "C"]

    play(scenario)


def test_a_task_that_ignores_its_cancellation_does_not_take_its_execution_with_it() -> None:
    async def stubborn(call: TaskCall) -> Payload:
        mine = asyncio.current_task()
        assert mine is not None
        if call.state == "A":
            mine.cancel()
        return Payload(call.state)

    async def scenario() -> None:
        async with Engine(MemoryStore(), {FUNCTION: stubborn}, clock=VirtualClock()) as engine:
            execution = await finish(engine, sequence("A", "B"))
        assert (execution.status, execution.output) == ("SUCCEEDED", Payload("B"))

    play(scenario)


def test_a_task_that_has_timed_out_is_cancelled_in_the_middle_of_a_sequence() -> None:
    cancelled: list[str] = []
    waiting = asyncio.Event()

    async def slow(call: TaskCall) -> Payload:
        try:
            if call.state == "B" and call.attempt == 0:
                waiting.set()
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(call.state)
            raise
        return Payload(call.state)

    async def scenario() -> None:
        clock = VirtualClock()
        definition = sequence("A", "B", "C", TimeoutSeconds=5, Retry=[{"ErrorEquals": ["States.Timeout"]}])
        async with Engine(MemoryStore(), {FUNCTION: slow}, clock=clock) as engine:
            run = await engine.start(load(json.dumps(definition)), "m", Payload({}), "n")
            await waiting.wait()
            clock.jump(clock.now() + 5_000)
            engine.deliver(run, TimerReported(clock.now(), next(iter(run.execution.open))))
            execution = await run.wait()
        assert (execution.status, execution.output, cancelled) == ("SUCCEEDED", Payload("C"), ["B"])

    play(scenario)


def test_tasks_that_answer_at_once_let_others_get_on() -> None:
    async def answer(call: TaskCall) -> Payload:
        return call.input

    async def scenario() -> None:
        endless = sequence("A", "B", "C")
        catch = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
        endless["States"]["B"] = {"Type": "Task", "Resource": FUNCTION, "Catch": catch, "Next": "A"}
        limits = Limits(history_events=5_000)
        async with Engine(MemoryStore(), {FUNCTION: answer}, clock=VirtualClock(), limits=limits) as engine:
            run = await engine.start(load(json.dumps(endless)), "m", Payload({}), "endless")
            assert (await finish(engine, MOMENT)).status == "SUCCEEDED"
            assert not run.done.done()
            assert (await run.wait()).error == "States.Runtime"

    play(scenario)


def test_an_execution_that_has_ended_is_not_kept() -> None:
    """It has a timer still, for the moment at which the service would end it: in a year."""

    async def scenario() -> None:
        async with Engine(MemoryStore(), {}, clock=SystemClock()) as engine:
            run = await engine.start(load(json.dumps(MOMENT)), "m", Payload({}), "n")
            await run.wait()
            kept = weakref.ref(run)
            del run
            await asyncio.sleep(0)
            gc.collect()
            assert kept() is None

    play(scenario)
