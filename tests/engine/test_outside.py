"""Tasks that others answer: what an engine does with them, in virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core.events import TaskSubmitted
from asl_engine.core.stimuli import Heartbeat, TaskReported, WorkerReported
from asl_engine.core.task_tokens import task_named
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError, StoreError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources import PENDING, Pending, TaskCall
from asl_engine.resources.callback import until_answered
from asl_engine.resources.cancelling import given_up
from asl_engine.store.memory.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.engine.run import Run

CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
JOB = "arn:aws:states:::glue:startJobRun.sync"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"


def task(resource: str, **fields: Any) -> Any:
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    return load(json.dumps({"StartAt": "T", "States": {"T": state}}))


def play(scenario: Callable[[MemoryStore], Awaitable[None]]) -> None:
    async def main() -> None:
        with anyio.fail_after(20):
            await scenario(MemoryStore())

    anyio.run(main)


async def sent(call: TaskCall) -> Payload:
    return Payload({"sent": call.input.value})


async def answer(engine: Engine, run: Run, output: Any) -> Any:
    key = next(iter(run.execution.open))
    return await engine.ask(run, TaskReported(engine.clock.now(), key, Payload(output)))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  one turn of the loop after the other, in no time
        await asyncio.sleep(0)


def test_a_pending_task_stays_open_until_it_is_answered() -> None:
    async def scenario(store: MemoryStore) -> None:
        async with Engine(store, {CALLBACK: until_answered(sent)}, clock=VirtualClock()) as engine:
            run = await engine.start(task(CALLBACK, TimeoutSeconds=60), "m", Payload(1), "n")
            await until(lambda: bool(run.pending))
            assert any(isinstance(event, TaskSubmitted) for event in await store.events(run.arn))
            # Time does not jump over work that is being done elsewhere.
            await asyncio.sleep(0)
            assert run.execution.status == "RUNNING"
            made = await answer(engine, run, "paid")
            assert made
            assert (await store.events(run.arn))[-len(made) :] == made
            execution = await run.wait()
            assert execution.output is not None
            assert execution.output.value == "paid"
            assert not run.pending

    play(scenario)


def test_time_jumps_again_when_a_pending_task_is_answered() -> None:
    async def scenario(store: MemoryStore) -> None:
        wait = {"Type": "Wait", "Seconds": 3600, "End": True}
        state = {"Type": "Task", "Resource": CALLBACK, "Next": "W"}
        machine = load(json.dumps({"StartAt": "T", "States": {"T": state, "W": wait}}))
        async with Engine(store, {CALLBACK: until_answered(sent)}, clock=VirtualClock()) as engine:
            run = await engine.start(machine, "m", Payload(1), "n")
            await until(lambda: bool(run.pending))
            await answer(engine, run, 1)
            assert (await run.wait()).status == "SUCCEEDED"

    play(scenario)


def test_an_answer_while_the_request_is_made_wins() -> None:
    async def scenario(store: MemoryStore) -> None:
        gate = asyncio.Event()
        through: list[str] = []

        async def slow(call: TaskCall) -> Payload:
            await gate.wait()
            through.append(call.key)
            return Payload("late")

        async with Engine(store, {CALLBACK: until_answered(slow)}, clock=VirtualClock()) as engine:
            run = await engine.start(task(CALLBACK), "m", Payload(1), "n")
            await answer(engine, run, "early")
            execution = await run.wait()
            assert execution.output is not None
            assert execution.output.value == "early"

    play(scenario)


@pytest.mark.parametrize("last", [True, False])
def test_a_job_that_is_answered_for_with_its_token_is_left_to_itself(last: bool) -> None:
    async def scenario(store: MemoryStore) -> None:
        left: list[bool] = []
        tokens: list[Any] = []

        async def job(call: TaskCall) -> Payload:
            tokens.append((call.input.value, call.token))
            await call.submit(Payload("started"))
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as cancelled:
                left.append(not given_up(cancelled))
                raise
            raise AssertionError

        state = {"Type": "Task", "Resource": JOB, "Parameters": {"Token.$": "$$.Task.Token"}}
        wait = {"Type": "Wait", "Seconds": 3600, "End": True}
        more = {"End": True} if last else {"Next": "W"}
        machine = load(
            json.dumps({"StartAt": "T", "States": {"T": {**state, **more}, **({} if last else {"W": wait})}})
        )
        async with Engine(store, {JOB: job}, clock=VirtualClock()) as engine:
            run = await engine.start(machine, "m", Payload(1), "n")
            await until(lambda: bool(run.submitted))
            ((given, token),) = tokens
            assert given == {"Token": token}
            assert task_named(token) == (run.arn, next(iter(run.execution.open)))
            await answer(engine, run, "done")
            assert (await run.wait()).status == "SUCCEEDED"
            await until(lambda: bool(left))
            assert left == [True]

    play(scenario)


def test_an_answer_does_not_cut_the_request_short_while_the_execution_goes_on() -> None:
    async def scenario(store: MemoryStore) -> None:
        gate, through = asyncio.Event(), asyncio.Event()

        async def slow(call: TaskCall) -> Payload | Pending:
            await gate.wait()
            await call.submit(Payload("late"))
            through.set()
            return PENDING

        states = {
            "T": {"Type": "Task", "Resource": CALLBACK, "Next": "U"},
            "U": {"Type": "Task", "Resource": CALLBACK + "2", "End": True},
        }
        machine = load(json.dumps({"StartAt": "T", "States": states}))
        resources = {CALLBACK: slow, CALLBACK + "2": until_answered(sent)}
        async with Engine(store, resources, clock=VirtualClock()) as engine:
            run = await engine.start(machine, "m", Payload(1), "n")
            await answer(engine, run, "early")
            gate.set()
            await through.wait()
            await until(lambda: bool(run.pending) and not run.tasks)
            await answer(engine, run, "done")
            assert (await run.wait()).status == "SUCCEEDED"
            submitted = [event for event in await store.events(run.arn) if isinstance(event, TaskSubmitted)]
            assert [event.output.value for event in submitted] == [{"sent": "early"}]

    play(scenario)


def test_a_request_that_fails_fails_the_task() -> None:
    async def scenario(store: MemoryStore) -> None:
        async def refused(_call: TaskCall) -> Payload:
            raise StatesError("SQS.Down", "sorry")

        async with Engine(store, {CALLBACK: until_answered(refused)}, clock=VirtualClock()) as engine:
            run = await engine.start(task(CALLBACK), "m", Payload(1), "n")
            execution = await run.wait()
            assert (execution.error, execution.cause) == ("SQS.Down", "sorry")

    play(scenario)


def test_what_was_submitted_is_not_submitted_again_after_a_restart() -> None:
    async def scenario(store: MemoryStore) -> None:
        calls: list[TaskCall] = []

        async def counted(call: TaskCall) -> Payload | Pending:
            calls.append(call)
            if call.submitted is None:
                await call.submit(Payload({"JobId": "j"}))
                await call.submit(Payload({"JobId": "another"}))
            return PENDING

        machine = task(CALLBACK)
        async with Engine(store, {CALLBACK: counted}, clock=VirtualClock()) as engine:
            run = await engine.start(machine, "m", Payload(1), "n")
            await until(lambda: bool(run.pending))
        async with Engine(store, {CALLBACK: counted}, clock=VirtualClock()) as engine:
            record = await store.record(run.arn)
            assert record is not None
            resumed = await engine.resume(machine, record)
            await until(lambda: bool(resumed.pending))
            assert [call.submitted for call in calls] == [None, Payload({"JobId": "j"})]
            first, second = calls
            assert first.token == second.token
            assert task_named(first.token) == (run.arn, int(first.key.rpartition(":")[2]))
            await answer(engine, resumed, 2)
            assert (await resumed.wait()).status == "SUCCEEDED"

    play(scenario)


class BrokenStore(MemoryStore):
    broken = False

    async def append(self, arn: str, events: Any) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        await super().append(arn, events)


def test_whoever_asks_hears_that_nothing_was_stored() -> None:
    async def main() -> None:
        store = BrokenStore()
        async with Engine(store, {CALLBACK: until_answered(sent)}, clock=VirtualClock()) as engine:
            run = await engine.start(task(CALLBACK), "m", Payload(1), "n")
            await until(lambda: bool(run.pending))
            store.broken = True
            with pytest.raises(StoreError):
                await answer(engine, run, 1)
            with pytest.raises(StoreError):
                await run.wait()
            assert await answer_late(engine, run) == []

    anyio.run(main)


async def answer_late(engine: Engine, run: Run) -> Any:
    return await engine.ask(run, TaskReported(engine.clock.now(), 3, Payload(1)))


def test_two_answers_at_once_are_told_apart() -> None:
    async def scenario(store: MemoryStore) -> None:
        async with Engine(store, {CALLBACK: until_answered(sent)}, clock=VirtualClock()) as engine:
            run = await engine.start(task(CALLBACK), "m", Payload(1), "n")
            await until(lambda: bool(run.pending))
            first, second = await asyncio.gather(answer(engine, run, 1), answer(engine, run, 2))
            assert first
            assert second == []
            assert await answer_late(engine, run) == []

    play(scenario)


def test_the_task_of_an_activity_goes_from_the_queue_to_a_worker() -> None:
    async def scenario(store: MemoryStore) -> None:
        async with Engine(store, {}, clock=VirtualClock()) as engine:
            engine.activities.learn(ACTIVITY)
            run = await engine.start(task(ACTIVITY, HeartbeatSeconds=10), "m", Payload(1), "n")
            offer = await engine.activities.take(ACTIVITY, 1)
            assert offer is not None
            assert offer.owner is run
            now = engine.clock.now()
            assert await engine.ask(run, WorkerReported(now, offer.key, "w"))
            assert await engine.ask(run, WorkerReported(now, offer.key, "w")) == []
            assert await engine.ask(run, Heartbeat(now, offer.key))
            await answer(engine, run, "blue")
            assert (await run.wait()).status == "SUCCEEDED"

    play(scenario)


def test_an_open_activity_task_is_offered_again_after_a_restart_and_a_taken_one_is_not() -> None:
    async def scenario(store: MemoryStore) -> None:
        machine = task(ACTIVITY)
        async with Engine(store, {}, clock=VirtualClock()) as engine:
            engine.activities.learn(ACTIVITY)
            taken = await engine.start(machine, "m", Payload(1), "taken")
            waiting = await engine.start(machine, "m", Payload(2), "waiting")
            offer = await engine.activities.take(ACTIVITY, 1)
            assert offer is not None
            await engine.ask(taken, WorkerReported(engine.clock.now(), offer.key))
        async with Engine(store, {}, clock=VirtualClock()) as engine:
            for arn in (taken.arn, waiting.arn):
                record = await store.record(arn)
                assert record is not None
                await engine.resume(machine, record)
            again = await engine.activities.take(ACTIVITY, 1)
            assert again is not None
            assert again.owner.arn == waiting.arn
            assert await engine.activities.take(ACTIVITY, 0) is None
            held = engine.runs[taken.arn]
            await answer(engine, held, "blue")
            assert (await held.wait()).status == "SUCCEEDED"

    play(scenario)
