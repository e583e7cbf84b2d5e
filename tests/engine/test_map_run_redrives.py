"""Redriving an execution whose Map Run has not succeeded: the same Map Run goes on.

What the history shows, which children go on and under which names is as recorded from AWS.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.stimuli import StopRequested
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from tests.core.steps import FUNCTION, each, scope, task
from tests.engine.test_map_runs import (
    EXCEEDED,
    Scenario,
    Still,
    again,
    children,
    distributed,
    engine_for,
    map_runs,
    play,
    until_children,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.execution import Execution
    from asl_engine.resources import TaskCall
    from asl_engine.store.protocol import Store

__all__ = ["play"]

TASK = scope(T=task())
ITEMS = ["a", "bad", "c", "d"]


class Service:
    """Fails for the item "bad" until it is repaired; remembers what it was asked."""

    def __init__(self) -> None:
        self.repaired = False
        self.asked: list[Any] = []

    async def __call__(self, call: TaskCall) -> Payload:
        self.asked.append(call.input.value)
        if call.input.value == "bad" and not self.repaired:
            raise StatesError("Bad", "as asked")
        return call.input


async def started(engine: Engine, definition: dict[str, Any]) -> Execution:
    run = await engine.start(load(json.dumps(definition)), "m", Payload([*ITEMS]), "n")
    return await run.wait()


async def redriven(engine: Engine, definition: dict[str, Any], execution: Execution) -> Execution:
    record = await engine.store.record(execution.identity.arn)
    assert record is not None
    run = await engine.redrive(load(json.dumps(definition)), record)
    return await run.wait()


async def told(store: Store, execution: Execution) -> list[str]:
    log = await store.events(execution.identity.arn)
    shown = project(execution.identity, log)
    return [f"{event['id']} {event['previousEventId']} {event['type']}" for event in shown]


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_the_same_map_run_goes_on(play: Callable[[Scenario], None], kind: str) -> None:
    async def scenario(store: Store) -> None:
        service = Service()
        definition = scope(M=distributed(TASK, kind, MaxConcurrency=1, Label="each"))
        async with engine_for(store, service) as engine:
            failed = await started(engine, definition)
            assert (failed.error, failed.cause) == EXCEEDED
            (before,) = await map_runs(store, failed)
            assert (before.redrive_count, before.redriven_at) == (0, None)
            old = await children(store, before.arn)
            for _ in range(2):  # the first time in vain
                failed = await redriven(engine, definition, failed)
                service.repaired = True
            assert failed.status == "SUCCEEDED"
            assert failed.output is not None
            assert failed.output.value == ITEMS
        assert service.asked == ["a", "bad", "bad", "bad", "c", "d"]
        assert (await told(store, failed))[2:] == [
            "3 2 MapStateStarted",
            "4 3 MapRunStarted",
            "5 4 MapRunFailed",
            "6 5 MapStateFailed",
            "7 6 ExecutionFailed",
            "8 7 ExecutionRedriven",
            "9 3 MapRunRedriven",
            "10 9 MapRunFailed",
            "11 10 MapStateFailed",
            "12 11 ExecutionFailed",
            "13 12 ExecutionRedriven",
            "14 3 MapRunRedriven",
            "15 14 MapRunSucceeded",
            "16 15 MapStateSucceeded",
            "17 15 MapStateExited",
            "18 17 ExecutionSucceeded",
        ]
        (after,) = await map_runs(store, failed)
        assert (after.arn, after.status, after.redrive_count) == (before.arn, "SUCCEEDED", 2)
        assert after.started_at == before.started_at
        assert after.redriven_at == failed.redriven_at
        assert after.counts is not None
        assert after.counts["executions"] == {"SUCCEEDED": 4}
        new = await children(store, after.arn)
        assert [child.input and child.input.value for child in new] == ITEMS
        if kind == "STANDARD":
            assert [child.redrive_count for child in new] == [0, 2, 0, 0]
            assert new[1].identity == old[1].identity
        else:
            assert [child.redrive_count for child in new] == [0, 0, 0, 0]
            assert new[1].identity.arn != old[1].identity.arn
            page = await store.map_runs.child_page(after.arn, None, None, 10)
            assert sorted(redrives for _, _, redrives in page) == [0, 0, 0, 2]
        assert new[0].identity == old[0].identity

    play(scenario)


def test_children_that_were_aborted_go_on_too(play: Callable[[Scenario], None]) -> None:
    """Whoever drives the Map Run may be gone at any time: what it has redriven is not redriven twice."""

    async def scenario(store: Store) -> None:
        service = Service()
        service.repaired = True
        waits = scope(W={"Type": "Wait", "Seconds": 3600, "Next": "T"}, T=task())
        definition = scope(M=distributed(waits, Label="each", MaxConcurrency=2))
        machine = load(json.dumps(definition))
        async with Engine(store, {FUNCTION: service}, clock=Still()) as engine:
            run = await engine.start(machine, "m", Payload([*ITEMS]), "n")
            arn = await until_children(store, run.execution, 2)
            await engine.ask(run, StopRequested(engine.clock.now(), "Enough", "of it"))
            stopped = await run.wait()
        assert {child.status for child in await children(store, arn)} == {"ABORTED"}
        record = await store.record(stopped.identity.arn)
        assert record is not None
        async with Engine(store, {FUNCTION: service}, clock=Still()) as engine:
            run = await engine.redrive(machine, record)
            assert await until_children(store, run.execution, 2) == arn
        assert [child.redrive_count for child in await children(store, arn)] == [1, 1]
        done = await again(store, service)
        assert done.output is not None
        assert done.output.value == ITEMS
        (after,) = await map_runs(store, done)
        assert (after.arn, after.status, after.redrive_count) == (arn, "SUCCEEDED", 1)
        assert [child.redrive_count for child in await children(store, arn)] == [1, 1, 0, 0]

    play(scenario)


def test_a_retry_is_another_map_run(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        service = Service()
        retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
        definition = scope(M=distributed(TASK, Label="each", Retry=retry))
        async with engine_for(store, service) as engine:
            failed = await started(engine, definition)
            service.repaired = True
            done = await redriven(engine, definition, failed)
        assert done.status == "SUCCEEDED"
        first, second = await map_runs(store, done)
        assert (first.status, first.redrive_count) == ("FAILED", 0)
        assert (second.status, second.redrive_count) == ("SUCCEEDED", 1)

    play(scenario)


def test_after_too_much_data_a_new_map_run_begins(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        large = {"large": False}

        async def service(call: TaskCall) -> Payload:
            return call.input if large["large"] else Payload("x" * 200_000)

        definition = scope(M=distributed(TASK, Label="each"))
        async with engine_for(store, service) as engine:
            failed = await started(engine, definition)
            assert failed.error == "States.DataLimitExceeded"
            large["large"] = True
            done = await redriven(engine, definition, failed)
        assert done.status == "SUCCEEDED"
        assert [run.redrive_count for run in await map_runs(store, done)] == [0, 0]

    play(scenario)


def test_an_inline_map_around_it_keeps_its_iterations(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        service = Service()
        inner = scope(M=distributed(TASK, Label="each", ItemsPath="$"))
        definition = scope(O=each(inner, MaxConcurrency=1))
        async with engine_for(store, service) as engine:
            machine = load(json.dumps(definition))
            run = await engine.start(machine, "m", Payload([["a"], ["bad"], ["c"]]), "n")
            failed = await run.wait()
            service.repaired = True
            done = await redriven(engine, definition, failed)
        assert done.output is not None
        assert done.output.value == [["a"], ["bad"], ["c"]]
        assert service.asked == ["a", "bad", "bad", "c"]

    play(scenario)
