"""Executions whose events cannot be stored for a while: they wait, say so, and go on."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

from asl_engine.core.apply import fold
from asl_engine.core.stimuli import TaskReported, WorkerReported
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import ProjectError, StoreError, StoreUnavailable
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.callback import until_answered
from asl_engine.store.sqlite.store import SqliteStore
from tests.core.steps import FUNCTION, each, parallel, scope, state, task, wait
from tests.engine.failing import FULL, Disk, Pauses

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.engine.run import Run
    from asl_engine.resources import Resource, TaskCall

Scenario: TypeAlias = Callable[[SqliteStore], Awaitable[None]]
Play: TypeAlias = Callable[[Scenario], None]

CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
JOB = "arn:aws:states:::glue:startJobRun.sync"
LONG = "x" * 1000  # longer than what a row repeats
TWO_TASKS = scope(A=task(Next="B"), B=task())

CALLED_ONCE = scope(
    A=task(Next="W"),
    W=wait(3600, Next="P"),
    P=parallel(scope(L=task()), scope(R=task()), ResultPath="$.p", Next="M"),
    M=each(
        scope(C=task()) | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
        ItemsPath="$.items",
        MaxConcurrency=2,
        ResultPath="$.m",
        Next="J",
    ),
    J=state("Task", Resource=JOB, ResultPath="$.j", Next="Z"),
    Z=task(),
)
GIVEN: Any = {"items": [{"n": number, "long": LONG} for number in range(3)], "long": LONG}


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run a scenario with a store of its own; it must not take any time."""
    number = 0

    async def main(scenario: Scenario) -> None:
        nonlocal number
        number += 1
        store = await SqliteStore.open(tmp_path / f"{number}.db", synchronous="OFF")
        try:
            with anyio.fail_after(30):
                await scenario(store)
        finally:
            await store.close()

    return lambda scenario: anyio.run(main, scenario)


class Calls:
    """A resource that remembers what it was called for, and gives back what it was given."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def __call__(self, call: TaskCall) -> Payload:
        self.keys.append(call.key)
        return call.input

    async def job(self, call: TaskCall) -> Payload:
        self.keys.append(call.key)
        await call.submit(Payload({"JobRunId": "j"}))
        return Payload({"State": "SUCCEEDED"})


async def started(engine: Engine, definition: Any, given: Any = None) -> Run:
    return await engine.start(load(json.dumps(definition)), "m", Payload({} if given is None else given), "n")


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  one turn of the loop after the other
        await asyncio.sleep(0)


async def log_of(store: SqliteStore, run: Run) -> list[str]:
    """The types of the events of a log, which has to fold to what the run has come to."""
    events = await store.events(run.arn)
    execution = fold(run.execution.identity, events)
    assert (execution.status, execution.output) == (run.execution.status, run.execution.output)
    return [type(event).__name__ for event in events]


REASONS = {
    "the disk is full": (FULL, "is full: make room there"),
    "another program holds the lock": (
        sqlite3.OperationalError("database is locked"),
        "is locked by another program",
    ),
    "the disk does not answer": (sqlite3.OperationalError("disk I/O error"), "cannot be used: disk I/O error"),
    "read only": (sqlite3.OperationalError("attempt to write a readonly database"), "check its permissions"),
    "too many open files": (sqlite3.OperationalError("unable to open database file"), "check the path"),
}


@pytest.mark.parametrize(("error", "told"), REASONS.values(), ids=REASONS)
def test_it_is_tried_again_with_growing_pauses_until_it_can_be_stored(
    disk: Disk, play: Play, error: sqlite3.Error, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    disk.error = error

    async def scenario(store: SqliteStore) -> None:
        calls = Calls()
        pauses = Pauses(lambda number: disk.is_full(number < 12))
        async with Engine(store, {FUNCTION: calls}, clock=VirtualClock(), sleep=pauses) as engine:
            run = await started(engine, TWO_TASKS)
            disk.is_full()
            execution = await run.wait()
            assert not engine.retrying.stuck
        assert execution.status == "SUCCEEDED"
        assert len(calls.keys) == len(set(calls.keys)) == 2
        assert pauses.seconds == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0, 30.0]
        assert (await log_of(store, run)).count("TaskSucceeded") == 2

    play(scenario)
    first, last = [record.getMessage() for record in caplog.records if record.name == "asl_engine.engine"]
    arn = "arn:aws:states:us-east-1:123456789012:execution:m:n"
    assert first.startswith((f"{arn} waits: The database", f"{arn} waits: The disk with the database"))
    assert told in first
    assert first.endswith("; trying again in 0.1 s")
    assert last.startswith(
        "the database can be used again: arn:aws:states:us-east-1:123456789012:execution:m:n goes on"
    )


def test_time_does_not_jump_meanwhile(disk: Disk, play: Play) -> None:
    async def scenario(store: SqliteStore) -> None:
        clock = VirtualClock()
        begin = clock.now()
        pauses = Pauses(lambda number: disk.is_full(number < 5))
        definition = parallel(scope(W=wait(3600)), scope(T=task()))
        async with Engine(store, {FUNCTION: Calls()}, clock=clock, sleep=pauses) as engine:
            run = await started(engine, scope(P=definition) | {"TimeoutSeconds": 7200})
            disk.is_full()
            await until(lambda: len(pauses.seconds) >= 4)
            assert clock.now() == begin
            await run.wait()
        assert clock.now() == begin + 3_600_000

    play(scenario)


@pytest.mark.parametrize("keeps", [False, True], ids=["nothing is kept", "it is on disk all the same"])
def test_each_write_may_fail_and_nothing_comes_of_it(disk: Disk, play: Play, keeps: bool) -> None:
    """Tasks, waits, branches, a Map Run with its children, a job: the same output, and no task is called twice."""

    async def once(store: SqliteStore, failing: int) -> tuple[Any, int, list[str]]:
        disk.writes = 0
        # What several wait for is tried for each of them, once it has failed for all.
        disk.fails = lambda number: failing <= number < failing + 3
        disk.keeps = keeps
        calls = Calls()
        resources: dict[str, Resource] = {FUNCTION: calls, JOB: calls.job}
        async with Engine(store, resources, clock=VirtualClock(), sleep=Pauses()) as engine:
            run = await started(engine, CALLED_ONCE, GIVEN)
            execution = await run.wait()
            assert not engine.given_up.arns
        assert execution.status == "SUCCEEDED", (failing, execution.cause)
        assert execution.output is not None
        assert len(calls.keys) == len(set(calls.keys)), failing
        log = await log_of(store, run)
        for child in await store.map_runs.children((await store.map_runs.page(run.arn, "", 1))[0].arn, -1, 10):
            assert child.status == "SUCCEEDED"
        return (execution.output.value, len(calls.keys), sorted(log))

    seen = []

    async def scenario(store: SqliteStore) -> None:
        seen.append(await once(store, failing=-3))

    play(scenario)
    # The first write is the start of the execution: whoever asked for that is told.
    for failing in range(2, disk.writes + 1):

        async def again(store: SqliteStore, failing: int = failing) -> None:
            seen.append(await once(store, failing))

        play(again)
    assert len(seen) > 5
    assert all(one == seen[0] for one in seen)


def test_each_read_may_fail_and_nothing_comes_of_it(disk: Disk, play: Play, tmp_path: Path) -> None:
    """A Map Run reads what it has to go on with, and what its ResultWriter writes."""
    processor = scope(C=task()) | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "results", "Prefix": "p"}}
    definition = scope(M=each(processor, ResultWriter=writer, Next="Z"), Z=task())

    async def once(store: SqliteStore, failing: int) -> tuple[str, list[str]]:
        bucket = tmp_path / f"{failing}"
        bucket.mkdir()
        calls = Calls()
        engine = Engine(
            store, {FUNCTION: calls}, clock=VirtualClock(), buckets={"results": bucket}, sleep=Pauses()
        )
        async with engine:
            run = await started(engine, definition, [1, 2, 3])
            disk.reads = 0
            disk.cannot_read = lambda number: failing <= number < failing + 3
            execution = await run.wait()
            disk.cannot_read = lambda _: False
        assert len(calls.keys) == len(set(calls.keys)) == 4, (failing, execution.error, execution.cause)
        return execution.status, sorted(path.name for path in bucket.rglob("*"))

    seen = []
    reads = 0

    async def scenario(store: SqliteStore) -> None:
        nonlocal reads
        seen.append(await once(store, -3))
        reads = disk.reads

    play(scenario)
    for failing in range(1, reads + 1):

        async def again(store: SqliteStore, failing: int = failing) -> None:
            seen.append(await once(store, failing))

        play(again)
    assert len(seen) > 5
    status, files = seen[0]
    assert status == "SUCCEEDED"
    assert all(one == (status, files) for one in seen)


def test_a_start_that_cannot_be_stored_is_refused(disk: Disk, play: Play) -> None:
    async def scenario(store: SqliteStore) -> None:
        pauses = Pauses()
        async with Engine(store, {FUNCTION: Calls()}, clock=VirtualClock(), sleep=pauses) as engine:
            disk.is_full()
            with pytest.raises(StoreUnavailable, match="is full: make room there"):
                await started(engine, TWO_TASKS, GIVEN)
            disk.is_full(False)
            assert (await (await started(engine, TWO_TASKS, GIVEN)).wait()).status == "SUCCEEDED"
        assert not pauses.seconds

    play(scenario)


def test_whoever_asks_is_told_that_nothing_was_kept_and_may_ask_again(disk: Disk, play: Play) -> None:
    async def sent(_call: TaskCall) -> Payload:
        return Payload(None)

    async def scenario(store: SqliteStore) -> None:
        resources: dict[str, Resource] = {CALLBACK: until_answered(sent), FUNCTION: Calls()}
        async with Engine(store, resources, clock=VirtualClock(), sleep=Pauses()) as engine:
            run = await started(engine, scope(T=state("Task", Resource=CALLBACK, Next="U"), U=task()))
            await until(lambda: bool(run.pending))
            key = next(iter(run.execution.open))

            async def answer(output: str) -> list[Any]:
                return await engine.ask(run, TaskReported(engine.clock.now(), key, Payload(output)))

            disk.is_full()
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await answer(LONG)
            await until(lambda: not run.driving)  # nothing of it is to be stored any more
            assert not engine.retrying.stuck
            assert key in run.execution.open
            disk.is_full(False)
            assert await answer(LONG + "again")
            assert (await run.wait()).output == Payload(LONG + "again")
        assert (await log_of(store, run)).count("TaskSucceeded") == 2

    play(scenario)


def test_what_comes_of_itself_is_kept_when_whoever_asks_is_refused(disk: Disk, play: Play) -> None:
    """A task's own result and a stop, in one batch: the stop is refused, the result waits and is kept."""

    async def scenario(store: SqliteStore) -> None:
        gate, calls = asyncio.Event(), Calls()

        async def gated(call: TaskCall) -> Payload:
            if not calls.keys:
                await gate.wait()
            return await calls(call)

        pauses = Pauses()
        async with Engine(store, {FUNCTION: gated}, clock=VirtualClock(), sleep=pauses) as engine:
            run = await started(engine, TWO_TASKS, GIVEN)
            await until(lambda: bool(run.tasks) and not run.driving)
            record = await store.record(run.arn)
            assert record is not None
            disk.is_full()
            gate.set()
            stopping = asyncio.ensure_future(engine.stop(run.machine, record))
            await until(lambda: len(pauses.seconds) > 3)
            with pytest.raises(StoreUnavailable):
                await stopping
            with pytest.raises(StoreUnavailable, match="is full"):  # at once, while it is stuck
                await engine.stop(run.machine, record)
            assert run.execution.status == "RUNNING"
            disk.is_full(False)
            execution = await run.wait()
        assert execution.output == Payload(GIVEN)
        assert len(calls.keys) == 2
        assert "ExecutionAborted" not in await log_of(store, run)

    play(scenario)


@pytest.mark.parametrize(("milliseconds", "status"), [(1_000, "SUCCEEDED"), (6_000, "FAILED")])
def test_heartbeats_are_heard_meanwhile(disk: Disk, play: Play, milliseconds: int, status: str) -> None:
    """A task that beats in time does not time out because nothing could be stored; one that is silent does."""

    async def scenario(store: SqliteStore) -> None:
        clock = VirtualClock()
        go, beaten = asyncio.Event(), asyncio.Event()

        async def beating(call: TaskCall) -> Payload:
            await go.wait()
            for _ in range(50):
                clock.jump(clock.now() + milliseconds)
                call.heartbeat()
                await asyncio.sleep(0)
            beaten.set()
            return call.input

        async with Engine(store, {FUNCTION: beating}, clock=clock, sleep=Pauses()) as engine:
            definition = parallel(scope(T=task(HeartbeatSeconds=5)), scope(W=wait(1)))
            run = await started(engine, scope(P=definition))
            disk.is_full()
            go.set()
            await beaten.wait()
            await until(lambda: bool(engine.retrying.stuck))
            disk.is_full(False)
            assert (await run.wait()).status == status

    play(scenario)


def test_a_log_that_cannot_be_read_is_read_later(disk: Disk, play: Play) -> None:
    """Another process has stopped the execution: what it has written is read once it can be."""

    async def scenario(store: SqliteStore) -> None:
        pauses = Pauses(lambda number: disk.is_readable(number >= 4))
        async with Engine(store, {}, clock=VirtualClock(), sleep=pauses) as engine:
            engine.timers.set_horizon(0)
            run = await started(engine, scope(W=wait(3600)))
            record = await store.record(run.arn)
            assert record is not None
            other = await SqliteStore.open(store.path)
            async with Engine(other, {}, clock=VirtualClock()) as elsewhere:
                assert await elsewhere.stop(run.machine, record)
            await other.close()
            disk.is_readable(False)
            engine.deliver(run, TaskReported(engine.clock.now(), 0, Payload(1)))
            following = asyncio.ensure_future(engine._superseded(run))
            assert (await run.wait()).status == "ABORTED"
            await following
        assert len(pauses.seconds) == 4

    play(scenario)


def test_a_map_run_waits_with_its_children(disk: Disk, play: Play) -> None:
    """Everything fails for a while, beginning at any write: the counts are kept, and each item has one child."""

    async def scenario(store: SqliteStore) -> None:
        calls = Calls()
        wrong = disk.writes + 7
        disk.fails = lambda number: number > wrong
        pauses = Pauses(lambda number: disk.is_full(number < 10))
        async with Engine(store, {FUNCTION: calls, JOB: calls.job}, clock=VirtualClock(), sleep=pauses) as engine:
            run = await started(engine, CALLED_ONCE, GIVEN)
            assert (await run.wait()).status == "SUCCEEDED"
        assert len(calls.keys) == len(set(calls.keys)) == 8
        (map_run,) = await store.map_runs.page(run.arn, "", 10)
        assert map_run.counts is not None
        assert map_run.counts["executions"] == {"SUCCEEDED": 3}

    play(scenario)


def test_a_worker_is_refused_while_its_task_is_stuck(disk: Disk, play: Play) -> None:
    async def scenario(store: SqliteStore) -> None:
        arn = "arn:aws:states:us-east-1:123456789012:activity:paint"
        async with Engine(store, {}, clock=VirtualClock(), sleep=Pauses()) as engine:
            engine.activities.learn(arn)
            run = await started(engine, scope(A=state("Task", Resource=arn)))
            pending = await engine.activities.take(arn, 10)
            assert pending is not None
            disk.is_full()
            with pytest.raises(StoreUnavailable):
                await engine.ask(run, WorkerReported(engine.clock.now(), pending.key, "w"))
            await until(lambda: not run.driving)
            disk.is_full(False)
            assert await engine.ask(run, WorkerReported(engine.clock.now(), pending.key, "w"))

    play(scenario)


def test_what_cannot_be_tried_again_is_given_up_with_its_children(disk: Disk, play: Play) -> None:
    """A defect of a resource: another process can resume the execution, although this one lives on."""

    async def scenario(store: SqliteStore) -> None:
        calls: list[str] = []

        async def broken(call: TaskCall) -> Payload:
            calls.append(call.key)
            if call.input.value == {"n": 1}:
                await until(lambda: len(calls) == 2)
                raise ProjectError("the resource is not to be had")
            await asyncio.Event().wait()
            raise AssertionError

        definition = scope(
            M=each(scope(C=task()) | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}})
        )
        disk.fails = lambda _: bool(calls) and len(pauses.seconds) < 3  # it is given up when that can be stored
        pauses = Pauses()
        async with Engine(store, {FUNCTION: broken}, clock=VirtualClock(), sleep=pauses) as engine:
            run = await started(engine, definition, [{"n": 1}, {"n": 2}])
            with pytest.raises(ProjectError, match="the resource is not to be had"):
                await run.wait()
            await until(lambda: len(engine.given_up.arns) == 3)
            left = {run.arn}
            while await store.abandoned(left) != left:  # noqa: ASYNC110  as above
                await asyncio.sleep(0)
            other = await SqliteStore.open(store.path)
            mended = Calls()
            async with Engine(other, {FUNCTION: mended}, clock=VirtualClock()) as elsewhere:
                record = await other.record(run.arn)
                assert record is not None
                resumed = await elsewhere.resume(run.machine, record)
                assert (await resumed.wait()).output == Payload([{"n": 1}, {"n": 2}])
            await other.close()
        assert {key.rpartition(":")[0] for key in mended.keys} == {key.rpartition(":")[0] for key in calls}

    play(scenario)


def test_a_damaged_database_is_not_tried_again(disk: Disk, play: Play) -> None:
    disk.error = sqlite3.DatabaseError("database disk image is malformed")

    async def scenario(store: SqliteStore) -> None:
        pauses = Pauses()
        async with Engine(store, {FUNCTION: Calls()}, clock=VirtualClock(), sleep=pauses) as engine:
            run = await started(engine, TWO_TASKS)
            disk.is_full()
            with pytest.raises(StoreError, match="is damaged"):
                await run.wait()
            assert engine.given_up.arns == {run.arn}
        assert not pauses.seconds

    play(scenario)


def test_leaving_the_engine_ends_the_waiting(disk: Disk, play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(store: SqliteStore) -> None:
        begun = asyncio.Event()

        async def sleep(_seconds: float) -> None:
            begun.set()
            await asyncio.Event().wait()

        async with Engine(store, {FUNCTION: Calls()}, clock=VirtualClock(), sleep=sleep) as engine:
            run = await started(engine, TWO_TASKS)
            disk.is_full()
            await begun.wait()
        assert not run.done.done()
        disk.is_full(False)
        async with Engine(store, {FUNCTION: Calls()}, clock=VirtualClock()) as engine:
            record = await store.record(run.arn)
            assert record is not None
            assert (await (await engine.resume(run.machine, record)).wait()).status == "SUCCEEDED"

    with caplog.at_level(logging.WARNING):
        play(scenario)
    assert not [record for record in caplog.records if "can be used again" in record.getMessage()]
