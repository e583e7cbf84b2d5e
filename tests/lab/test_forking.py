"""Forks: at every state of many executions, edited or not, they go on as their origin would have."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.apply import fold, shared
from asl_engine.core.events import ExecutionForked, MapRunStarted, StateEntered
from asl_engine.core.replay import replay
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.effects import local_identity
from asl_engine.engine.engine import Engine
from asl_engine.errors import InvalidInput, StatesError
from asl_engine.lab.forking import Departure, ForkPoint, forked_log, keep, name_of_fork
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.run_options import NO_OPTIONS
from asl_engine.store.sqlite.store import SqliteStore
from tests.core.driver import NOW
from tests.core.steps import FUNCTION, scope, task

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution
    from asl_engine.core.machine import StateMachine
    from asl_engine.resources import TaskCall
    from asl_engine.store.protocol import Store

COUNT = {"i.$": "States.MathAdd($.i, 1)"}
LOOP = scope(
    Up={"Type": "Pass", "Parameters": COUNT, "Next": "Call"},
    Call=task(Next="More"),
    More={
        "Type": "Choice",
        "Choices": [{"Variable": "$.i", "NumericLessThan": 3, "Next": "Up"}],
        "Default": "Done",
    },
    Done={"Type": "Succeed"},
)
NESTED = scope(
    Before={"Type": "Pass", "Assign": {"x": 1}, "Next": "Both"},
    Both={
        "Type": "Parallel",
        "Branches": [
            scope(A=task(Next="B"), B={"Type": "Pass", "Assign": {"x": 2}, "End": True}),
            scope(
                Each={
                    "Type": "Map",
                    "ItemsPath": "$.items",
                    "ItemProcessor": scope(C=task(Next="W"), W={"Type": "Wait", "Seconds": 5, "End": True}),
                    "End": True,
                }
            ),
        ],
        "Next": "After",
    },
    After={"Type": "Pass", "Parameters": {"x.$": "$x", "got.$": "$"}, "End": True},
)
RETRIED = scope(
    F=task(Next="G", Retry=[{"ErrorEquals": ["Odd"], "IntervalSeconds": 3600}]),
    G={"Type": "Wait", "Seconds": 60, "Next": "H"},
    H=task(),
)
DISTRIBUTED = scope(
    Many={
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {
            **scope(C=task()),
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        },
        "Next": "Last",
    },
    Last=task(),
)
MACHINES = {"loop": (LOOP, {"i": 0}), "nested": (NESTED, {"items": [1, 2]}), "retried": (RETRIED, {"i": 7})}
MACHINES["distributed"] = (DISTRIBUTED, {"items": [1, 2, 3]})


class Tasks:
    """Answer with what they are given; the first attempt of F fails, and what is broken does."""

    def __init__(self, *broken: str) -> None:
        self.broken = {*broken}
        self.called: list[str] = []

    async def __call__(self, call: TaskCall) -> Payload:
        self.called.append(call.state)
        if call.state in self.broken or (call.state == "F" and call.attempt == 0):
            raise StatesError("Odd", "it is")
        return call.input


class Bench:
    """Runs and forks executions of a store, each with an engine of its own."""

    def __init__(self, store: Store, tasks: Tasks) -> None:
        self.store = store
        self.tasks = tasks

    async def run(self, machine: StateMachine, data: Any) -> tuple[Execution, list[Event]]:
        async with Engine(
            self.store, dict.fromkeys(machine.resources, self.tasks), clock=VirtualClock(NOW)
        ) as engine:
            run = await engine.start(machine, "m", Payload(data), "origin")
            execution = await run.wait()
        return execution, await self.store.events(run.arn)

    async def fork(
        self,
        machine: StateMachine,
        origin: Execution,
        recorded: list[Event],
        wanted: Departure,
        name: str = "fork",
    ) -> tuple[Execution, list[Event]]:
        at = recorded[-1].at + 1000
        events = forked_log(wanted, origin.identity, recorded, machine, at=at, limits=AWS_LIMITS)
        record = await keep(
            self.store, NO_OPTIONS, machine, events, local_identity("us-east-1", "123456789012", "m", name, at)
        )
        async with Engine(
            self.store, dict.fromkeys(machine.resources, self.tasks), clock=VirtualClock(at)
        ) as engine:
            run = await engine.resume(machine, record)
            execution = await run.wait()
        return execution, await self.store.events(run.arn)


@pytest.mark.parametrize("name", MACHINES)
def test_a_fork_at_any_state_ends_as_its_origin(name: str) -> None:
    definition, data = MACHINES[name]
    machine = load(json.dumps(definition))

    async def body() -> None:
        bench = Bench(MemoryStore(), Tasks())
        origin, recorded = await bench.run(machine, data)
        entered = [event for event in recorded if isinstance(event, StateEntered)]
        for number, entry in enumerate(entered):
            visits = [other for other in entered if other.name == entry.name]
            place = ForkPoint(entry.name, visit=visits.index(entry) + 1)
            forked, log = await bench.fork(machine, origin, recorded, Departure(place), f"fork-{number}")
            assert (forked.status, forked.output) == ("SUCCEEDED", origin.output)
            assert forked.origin == origin.identity.arn
            assert [event._replace(at=0) for event in log[1 : shared(log)]] == [
                event._replace(at=0) for event in recorded[1 : shared(log)]
            ]
            assert [event.id for event in log if event.id] == [*range(1, forked.history_length + 1)]
            assert replay(machine, forked.identity, log) is None

    asyncio.run(body())


def test_what_was_done_before_is_not_done_again() -> None:
    machine = load(json.dumps(RETRIED))

    async def body() -> None:
        bench = Bench(MemoryStore(), Tasks())
        origin, recorded = await bench.run(machine, {"i": 7})
        bench.tasks.called.clear()
        await bench.fork(machine, origin, recorded, Departure(ForkPoint("G")))
        assert bench.tasks.called == ["H"]

    asyncio.run(body())


EDITS: dict[str, tuple[Any, Any, Departure, Any]] = {
    "an input": (LOOP, {"i": 0}, Departure(ForkPoint("Call", visit=1), Payload({"i": 40})), {"i": 40}),
    "a variable": (
        NESTED,
        {"items": []},
        Departure(ForkPoint("After"), variables={"x": 5}),
        {"x": 5, "got": [{"items": []}, []]},
    ),
    "the input of one iteration": (
        NESTED,
        {"items": [1, 2]},
        Departure(ForkPoint("C", iteration=1), Payload(20)),
        {"x": 1, "got": [{"items": [1, 2]}, [1, 20]]},
    ),
    "the input of one branch": (
        NESTED,
        {"items": [1, 2]},
        Departure(ForkPoint("A", branch=0), Payload("a")),
        {"x": 1, "got": ["a", [1, 2]]},
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_what_the_fork_goes_on_with(what: str, tmp_path: Path) -> None:
    definition, data, wanted, output = EDITS[what]
    machine = load(json.dumps(definition))

    async def body() -> None:
        store = await SqliteStore.open(tmp_path / "a.db")
        try:
            bench = Bench(store, Tasks())
            origin, recorded = await bench.run(machine, data)
            forked, log = await bench.fork(machine, origin, recorded, wanted)
            assert forked.output is not None
            assert forked.output.value == output
            assert log == (stored := await store.events(forked.identity.arn))
            assert fold(forked.identity, stored).output == forked.output
            assert replay(machine, forked.identity, log) is None
        finally:
            await store.close()

    asyncio.run(body())


@pytest.mark.parametrize("broken", ["A", "B", "C", "Last"])
def test_what_failed_goes_on_and_nothing_else(broken: str) -> None:
    definition = DISTRIBUTED if broken == "Last" else NESTED
    data: Any = {"items": [1, 2]}
    tasks = ('"Type": "Pass", "Assign": {"x": 2}', f'"Type": "Task", "Resource": "{FUNCTION}"')
    machine = load(json.dumps(definition).replace(*tasks))

    async def body() -> None:
        store = MemoryStore()
        bench = Bench(store, Tasks(broken))
        origin, recorded = await bench.run(machine, data)
        assert origin.status == "FAILED"
        bench.tasks.broken.clear()
        bench.tasks.called.clear()
        forked, log = await bench.fork(machine, origin, recorded, Departure())
        assert forked.status == "SUCCEEDED"
        assert broken in bench.tasks.called
        assert (await store.events(origin.identity.arn)) == recorded
        assert replay(machine, forked.identity, log) is None

    asyncio.run(body())


def test_a_failed_map_run_is_not_shared() -> None:
    machine = load(json.dumps(DISTRIBUTED))

    async def body() -> None:
        store = MemoryStore()
        bench = Bench(store, Tasks("C"))
        origin, recorded = await bench.run(machine, {"items": [1, 2]})
        bench.tasks.broken.clear()
        forked, log = await bench.fork(machine, origin, recorded, Departure())
        assert forked.status == "SUCCEEDED"
        (first, second) = [event.arn for event in log if isinstance(event, MapRunStarted)]
        assert first != second
        found = await store.map_runs.get(first)
        assert found is not None
        assert (found.execution, found.redrive_count) == (origin.identity.arn, 0)
        found = await store.map_runs.get(second)
        assert found is not None
        assert (found.execution, found.status) == (forked.identity.arn, "SUCCEEDED")

    asyncio.run(body())


WRONG = {
    "no such state": (
        Departure(ForkPoint("Nope")),
        "it was not entered; there are Before, Both, A, Each, C, B, W, After",
    ),
    "no such iteration": (
        Departure(ForkPoint("C", iteration=2)),
        "C was not entered there; it was entered in 0, 1",
    ),
    "in no iteration": (Departure(ForkPoint("A", iteration=0)), "it is in no iteration"),
    "no such branch": (Departure(ForkPoint("A", branch=1)), "it was entered in 0"),
    "no such visit": (Departure(ForkPoint("After", visit=2)), "After was entered once there"),
    "nothing failed": (Departure(), "Execution is SUCCEEDED"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_place_that_there_is_not(what: str) -> None:
    wanted, message = WRONG[what]
    machine = load(json.dumps(NESTED))

    async def body() -> None:
        bench = Bench(MemoryStore(), Tasks())
        origin, recorded = await bench.run(machine, {"items": [1, 2]})
        with pytest.raises(InvalidInput, match=message):
            await bench.fork(machine, origin, recorded, wanted)

    asyncio.run(body())


def test_a_definition_that_does_not_fit() -> None:
    machine = load(json.dumps(NESTED))
    renamed = load(json.dumps(NESTED).replace('"Each"', '"Every"'))
    retyped = load(json.dumps(machine_of("Each", NESTED)))

    async def body() -> None:
        bench = Bench(MemoryStore(), Tasks())
        origin, recorded = await bench.run(machine, {"items": [1, 2]})
        with pytest.raises(InvalidInput, match="the definition has no state 'Each', which the execution is in"):
            await bench.fork(renamed, origin, recorded, Departure(ForkPoint("C")))
        with pytest.raises(InvalidInput, match="'Each' is a Pass in the definition; the execution is in a Map"):
            await bench.fork(retyped, origin, recorded, Departure(ForkPoint("C")))

    asyncio.run(body())


def machine_of(passed: str, definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with a Pass state instead of one of the states in its second branch."""
    changed: dict[str, Any] = json.loads(json.dumps(definition))
    changed["States"]["Both"]["Branches"][1] = scope(**{passed: {"Type": "Pass", "End": True}})
    return changed


def test_names_of_forks() -> None:
    assert name_of_fork("o", []) == "o-fork-1"
    assert name_of_fork("o", ["o-fork-1", "o-fork-3"]) == "o-fork-2"
    assert len(name_of_fork("o" * 80, [])) <= 80
    assert name_of_fork("o-fork-1", []) == "o-fork-1-fork-1"


def test_a_fork_of_a_fork() -> None:
    machine = load(json.dumps(LOOP))

    async def body() -> None:
        bench = Bench(MemoryStore(), Tasks())
        origin, recorded = await bench.run(machine, {"i": 0})
        first, log = await bench.fork(machine, origin, recorded, Departure(ForkPoint("Call", visit=2)))
        second, again = await bench.fork(machine, first, log, Departure(ForkPoint("Done")), "again")
        assert second.output == origin.output
        assert second.origin == first.identity.arn
        assert sum(isinstance(event, ExecutionForked) for event in again) == 2
        assert replay(machine, second.identity, again) is None

    asyncio.run(body())
