"""Redrive by the engine: one of several wins, nothing is lost where storing fails, time limits are minded."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core.apply import fold
from asl_engine.core.events import ExecutionRedriven
from asl_engine.core.replay import replay
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import Conflict, ExecutionNotRedrivable, StatesError, StoreError
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from tests.core.driver import NOW
from tests.core.steps import FUNCTION, parallel, scope, state, task, wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.resources import TaskCall

MACHINE = load(json.dumps(scope(P=parallel(scope(A=task()), scope(B=task())))))
YEAR_MS = 365 * 24 * 3600 * 1000


class Work:
    """Tasks by their state; what is broken fails."""

    def __init__(self) -> None:
        self.broken = {"B"}
        self.calls: list[tuple[str, str]] = []

    async def __call__(self, call: TaskCall) -> Payload:
        self.calls.append((call.state, call.key))
        if call.state in self.broken:
            raise StatesError("Broken", "it is")
        return Payload(call.state)


class Fragile(MemoryStore):
    """Fails to store a redrive when told to; or lets somebody else be quicker."""

    failure: Exception | None = None

    async def append(self, arn: str, events: Sequence[Event]) -> None:
        if self.failure is not None and isinstance(events[0], ExecutionRedriven):
            failure, self.failure = self.failure, None
            raise failure
        await super().append(arn, events)


async def failed(engine: Engine) -> Any:
    run = await engine.start(MACHINE, "machine", Payload({}), "one")
    assert (await run.wait()).status == "FAILED"
    return await engine.store.record(run.arn)


def test_only_what_failed_is_called_again_with_a_key_of_its_own() -> None:
    async def main() -> None:
        store, work = MemoryStore(), Work()
        async with Engine(store, {FUNCTION: work}, clock=VirtualClock(NOW)) as engine:
            record = await failed(engine)
            work.broken = set()
            ended = await (await engine.redrive(MACHINE, record, "token")).wait()
            assert (ended.status, ended.output and ended.output.value) == ("SUCCEEDED", ["A", "B"])
            assert engine.runs == {}
        assert [name for name, _ in work.calls] == ["A", "B", "B"]
        assert len({key for _, key in work.calls}) == 3
        events = await store.events(record.identity.arn)
        assert replay(MACHINE, record.identity, events) is None

    anyio.run(main)


def test_of_two_redrives_at_once_one_is_refused() -> None:
    async def main() -> None:
        store, work = MemoryStore(), Work()
        async with Engine(store, {FUNCTION: work}, clock=VirtualClock(NOW)) as engine:
            record = await failed(engine)
            work.broken = set()
            both = await asyncio.gather(
                *[engine.redrive(MACHINE, record) for _ in range(2)], return_exceptions=True
            )
            refused = [one for one in both if isinstance(one, ExecutionNotRedrivable)]
            runs = [one for one in both if not isinstance(one, BaseException)]
            assert (len(refused), len(runs)) == (1, 1)
            assert (await runs[0].wait()).redrive_count == 1

    anyio.run(main)


@pytest.mark.parametrize("failure", [StoreError("the disk is full"), Conflict("somebody was quicker")])
def test_what_could_not_be_stored_has_not_happened(failure: StoreError) -> None:
    async def main() -> None:
        store, work = Fragile(), Work()
        async with Engine(store, {FUNCTION: work}, clock=VirtualClock(NOW)) as engine:
            record = await failed(engine)
            calls, work.broken = len(work.calls), set()
            store.failure = failure
            if isinstance(failure, Conflict):  # it looks again, and finds that nobody was
                await (await engine.redrive(MACHINE, record)).wait()
                return
            with pytest.raises(StoreError, match="full"):
                await engine.redrive(MACHINE, record)
            assert (engine.runs, len(work.calls)) == ({}, calls)
            kept = fold(record.identity, await store.events(record.identity.arn))
            assert kept.status == "FAILED"
            assert (await (await engine.redrive(MACHINE, record)).wait()).status == "SUCCEEDED"

    anyio.run(main)


def test_a_process_that_dies_after_the_redrive_is_replaced() -> None:
    """Cut behind every event since the redrive: a new engine goes on, and calls nothing that had succeeded."""

    async def main() -> None:
        store, work = MemoryStore(), Work()
        async with Engine(store, {FUNCTION: work}, clock=VirtualClock(NOW)) as engine:
            record = await failed(engine)
            work.broken = set()
            await (await engine.redrive(MACHINE, record)).wait()
        log = await store.events(record.identity.arn)
        first = next(event.seq for event in log if isinstance(event, ExecutionRedriven))
        for length in range(first, len(log)):
            copy, again = MemoryStore(), Work()
            again.broken = set()
            await copy.create(record._replace(status="RUNNING"), MACHINE.text, log[:length])
            async with Engine(copy, {FUNCTION: again}, clock=VirtualClock(NOW)) as engine:
                await (await engine.resume(MACHINE, record)).wait()
            assert await copy.events(record.identity.arn) == log
            assert len(again.calls) <= 1

    anyio.run(main)


WAITS = {
    "a Standard execution ends after a year": ("execution", 2 * YEAR_MS, "TIMED_OUT", YEAR_MS),
    "just before": ("execution", YEAR_MS - 1000, "SUCCEEDED", YEAR_MS - 1000),
    "an Express execution ends after five minutes": ("express", 400_000, "TIMED_OUT", 300_000),
    "after 299 seconds it has not ended": ("express", 299_000, "SUCCEEDED", 299_000),
}


@pytest.mark.parametrize("name", WAITS)
def test_the_service_ends_what_takes_too_long(name: str) -> None:
    kind, milliseconds, status, ends_after = WAITS[name]
    # A Wait state may not be that long: so many in a row.
    half = milliseconds // 2000
    machine = load(json.dumps(scope(A=wait(half, Next="B"), B=wait(milliseconds // 1000 - half))))

    async def main() -> None:
        store = MemoryStore()
        async with Engine(store, {}, clock=VirtualClock(NOW)) as engine:
            run = await engine.start(machine, "machine", Payload({}), "one")
            identity = run.execution.identity._replace(arn=f"arn:aws:states:r:1:{kind}:machine:two", name="two")
            two = await engine.launch(machine, identity, Payload({}))
            ended = await two.wait()
            assert (ended.status, (ended.stopped_at or 0) - identity.started_at) == (status, ends_after)
        async with Engine(MemoryStore(), {}, clock=VirtualClock(NOW), limits=free(kind)) as engine:
            two = await engine.launch(machine, identity, Payload({}))
            assert (await two.wait()).status == "SUCCEEDED"

    anyio.run(main)


def free(kind: str) -> Any:
    return AWS_LIMITS._replace(**{"execution_seconds" if kind == "execution" else "express_seconds": None})


def test_timers_of_what_has_ended_do_not_pile_up() -> None:
    machine = load(json.dumps({**scope(A=state("Pass")), "TimeoutSeconds": 1000}))

    async def main() -> None:
        async with Engine(MemoryStore(), {}, clock=VirtualClock(NOW)) as engine:
            for number in range(3000):
                await engine.start(machine, "machine", Payload({}), f"run-{number}")
            assert len(engine.timers._heap) <= 1001

    anyio.run(main)
