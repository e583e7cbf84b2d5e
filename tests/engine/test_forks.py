"""Parallel and Map under the engine: any order, cancellation, crashes anywhere, decisions that are interrupted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core import interpreter
from asl_engine.core.apply import apply, fold
from asl_engine.core.events import TaskScheduled, TaskSucceeded
from asl_engine.core.interpreter import advance
from asl_engine.core.replay import replay
from asl_engine.core.stimuli import Resumed, Started
from asl_engine.engine import engine as engine_module
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.records import Record
from asl_engine.store.sqlite.store import SqliteStore
from tests.core.driver import IDENTITY, NOW
from tests.core.steps import FUNCTION, check_laws, each, parallel, picture, retry, same, scope, state, task, wait

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution
    from asl_engine.resources import TaskCall
    from asl_engine.store.protocol import Store

Resource = Callable[["TaskCall"], Awaitable[Payload]]


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Store]:
    store: Store = MemoryStore() if kind == "memory" else await SqliteStore.open(folder / "asl.db")
    try:
        yield store
    finally:
        await store.close()


def play(main: Callable[[], Awaitable[None]]) -> None:
    async def guarded() -> None:
        with anyio.fail_after(30):
            await main()

    anyio.run(guarded)


async def run_to_end(
    store: Store, definition: Any, resource: Resource, data: Any = None, name: str = "name"
) -> tuple[Execution, list[Event]]:
    async with Engine(store, {FUNCTION: resource}, clock=VirtualClock(NOW)) as engine:
        run = await engine.start(load(json.dumps(definition)), "machine", Payload(data), name)
        execution = await run.wait()
    return execution, await store.events(run.arn)


def output(execution: Execution) -> Any:
    assert execution.output is not None, execution.cause
    return execution.output.value


STORES = pytest.mark.parametrize("kind", ["memory", "sqlite"])


# -- any order -----------------------------------------------------------------------------------------

ORDERS = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]]
FOUR = {
    "Parallel": scope(S=parallel(*(scope(**{f"T{n}": task(Parameters={"n": n})}) for n in range(4)))),
    "Map": scope(S=each(scope(T=task()), ItemSelector={"n.$": "$$.Map.Item.Index"})),
}


@STORES
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fork", FOUR)
def test_tasks_finish_in_any_order(fork: str, order: list[int], kind: str, tmp_path: Path) -> None:
    """Each task waits until those before it in the order are done."""

    async def main() -> None:
        done = [asyncio.Event() for _ in order]

        async def in_turn(call: TaskCall) -> Payload:
            given: Any = call.input.value
            number: int = given["n"]
            place = order.index(number)
            if place > 0:
                await done[order[place - 1]].wait()
            done[number].set()
            return Payload(number)

        async with opened(kind, tmp_path) as store:
            execution, events = await run_to_end(store, FOUR[fork], in_turn, list(range(4)))
        assert output(execution) == [0, 1, 2, 3]
        answered = [event.output.value for event in events if isinstance(event, TaskSucceeded)]
        assert answered == order
        check_laws(load(json.dumps(FOUR[fork])), execution, events)

    play(main)


@STORES
def test_what_runs_for_siblings_that_are_given_up_is_cancelled(kind: str, tmp_path: Path) -> None:
    definition = scope(
        S=parallel(
            scope(F=task()),
            scope(A=task()),
            scope(M=each(scope(B=task()))),
            Catch=[{"ErrorEquals": ["Broken"], "Next": "Z"}],
        ),
        Z=state("Pass", OutputPath="$.Error"),
    )

    async def main() -> None:
        started: list[str] = []
        cancelled: list[str] = []
        all_run = asyncio.Event()

        async def until_cancelled(call: TaskCall) -> Payload:
            started.append(call.state)
            if len(started) == 4:
                all_run.set()
            try:
                await all_run.wait()
                if call.state == "F":
                    raise StatesError("Broken")
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(call.state)
                raise
            raise AssertionError

        async with opened(kind, tmp_path) as store:
            execution, _ = await run_to_end(store, definition, until_cancelled, [1, 2])
        assert output(execution) == "Broken"
        assert sorted(cancelled) == ["A", "B", "B"]

    play(main)


def test_one_payload_for_many_tasks_and_executions(tmp_path: Path) -> None:
    """A resource may answer with the same payload again and again; where it is stored is no part of it."""
    shared = Payload({"text": "x" * 300})
    again = scope(
        A=state("Pass", Result="y" * 300, Next="S"), S=each(scope(T=task()), ItemsPath="$$.Execution.Input")
    )

    async def constant(call: TaskCall) -> Payload:
        del call
        return shared

    async def main() -> None:
        given = Payload(["i" * 300, "j" * 300])
        async with opened("sqlite", tmp_path) as store:
            for name, definition in (("one", again), ("two", FOUR["Map"]), ("three", again)):
                async with Engine(store, {FUNCTION: constant}, clock=VirtualClock(NOW)) as engine:
                    run = await engine.start(load(json.dumps(definition)), "machine", given, name)
                    live = await run.wait()
                stored = fold(live.identity, await store.events(run.arn))
                assert output(stored) == output(live) == [shared.value, shared.value]
                assert picture(stored) == picture(live)

    play(main)


# -- a crash after any event ---------------------------------------------------------------------------

# Waits and backoffs come due at moments of their own, so that there is one history to come back to.
INNER = scope(
    W=state("Wait", SecondsPath="$.seconds", Next="P"),
    P=parallel(
        scope(
            A=task(
                Parameters={"task": "A", "item.$": "$.item", "try.$": "$.try"},
                Retry=retry("Again", IntervalSeconds=7, MaxAttempts=2),
            )
        ),
        scope(V=wait(2, Next="B"), B=task(Parameters={"task": "B", "item.$": "$.item", "try.$": "$.try"})),
        scope(C=state("Pass", Assign={"inner.$": "$.item"}, Next="D"), D=state("Pass", OutputPath="$inner")),
        ResultSelector={"results.$": "$"},
    ),
)
CRASHING = scope(
    Begin=state("Pass", Assign={"outer": "o"}, Next="M"),
    M=each(
        INNER,
        ItemSelector={
            "item.$": "$$.Map.Item.Index",
            "seconds.$": "$$.Map.Item.Value",
            "try.$": "$$.State.RetryCount",
        },
        MaxConcurrency=2,
        Retry=retry("Whole", IntervalSeconds=101, MaxAttempts=1),
        Catch=[{"ErrorEquals": ["Whole"], "Next": "End", "ResultPath": "$.error"}],
        Next="End",
    ),
    End=state("Pass", Parameters={"outer.$": "$outer", "all.$": "$"}),
)
ITEMS = [3, 4, 0, 41]
MACHINE = load(json.dumps(CRASHING))


async def by_its_input(call: TaskCall) -> Payload:
    """What a task answers is a matter of what it is given, and of nothing else."""
    given: Any = call.input.value
    if given["task"] == "A" and given["item"] == 1 and call.attempt == 0:
        raise StatesError("Again")
    if given["task"] == "B" and given["item"] == 2 and given["try"] == 0:
        raise StatesError("Whole", "all of it")
    return Payload(f"{given['task']}{given['item']}")


@cache
def crashing_log() -> tuple[Event, ...]:
    found: list[Event] = []

    async def main() -> None:
        execution, events = await run_to_end(MemoryStore(), CRASHING, by_its_input, ITEMS)
        assert output(execution) == {
            "outer": "o",
            "all": [{"results": [f"A{item}", f"B{item}", item]} for item in range(4)],
        }
        found.extend(events)

    play(main)
    return tuple(found)


def without_times(events: Any) -> list[dict[str, Any]]:
    shown = []
    for event in project(IDENTITY, events):
        del event["timestamp"]
        shown.append(event)
    return shown


def test_the_log_obeys_every_law() -> None:
    log = crashing_log()
    names = {type(event).__name__ for event in log}
    assert {"RetryScheduled", "WaitScheduled", "StateAborted", "MapIterationAborted", "BranchAborted"} <= names
    check_laws(MACHINE, fold(IDENTITY, log), log)


def test_every_prefix_folds_to_the_state_it_was_in() -> None:
    live = fold(IDENTITY, [])
    log = crashing_log()
    for event in log:
        apply(live, event)
        assert picture(fold(IDENTITY, log[: event.seq])) == picture(live)


def test_what_the_history_shows_are_event_types_of_the_api() -> None:
    session = pytest.importorskip("botocore.session")
    model = session.get_session().get_service_model("stepfunctions")
    known = set(model.shape_for("HistoryEventType").enum)
    members = set(model.shape_for("HistoryEvent").members)
    for event in project(IDENTITY, crashing_log()):
        assert event["type"] in known
        assert set(event) <= members


@pytest.mark.parametrize("length", range(1, len(crashing_log()) + 1))
def test_resumed_after_any_event_it_ends_as_it_would_have(length: int) -> None:
    log = crashing_log()
    before = list(log[:length])
    succeeded = {event.task for event in before if isinstance(event, TaskSucceeded)}
    calls: list[int] = []

    async def noted(call: TaskCall) -> Payload:
        calls.append(int(call.key.rpartition(":")[2]))
        return await by_its_input(call)

    async def main() -> None:
        store = MemoryStore()
        record = Record(IDENTITY, MACHINE.digest)
        await store.create(record, MACHINE.text, before)
        async with Engine(store, {FUNCTION: noted}, clock=VirtualClock(before[-1].at)) as engine:
            await (await engine.resume(MACHINE, record)).wait()
        events = await store.events(IDENTITY.arn)
        assert without_times(events) == without_times(log)
        assert [event.at for event in events if event.id] == [event.at for event in log if event.id]
        scheduled = [event.seq for event in events if isinstance(event, TaskScheduled)]
        assert len(calls) == len(set(calls))
        assert not succeeded & set(calls)
        assert set(calls) <= set(scheduled)

    play(main)


# -- decisions that are interrupted ------------------------------------------------------------------------


def interrupt_after(monkeypatch: pytest.MonkeyPatch, events: int) -> None:
    monkeypatch.setattr(interpreter, "MAX_DECISION_EVENTS", events)
    monkeypatch.setattr(engine_module, "MAX_DECISION_EVENTS", events)


PASSES = scope(
    M=each(
        scope(
            P=state("Pass", Assign={"v.$": "$"}, Next="X"),
            X=parallel(scope(Q=state("Pass")), scope(R=state("Pass", OutputPath="$v"))),
        ),
        MaxConcurrency=3,
    )
)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 50])
def test_an_interrupted_decision_goes_on_exactly_as_it_would_have(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = load(json.dumps(PASSES))
    whole = advance(machine, fold(IDENTITY, []), Started(NOW, Payload(list(range(7)))))
    interrupt_after(monkeypatch, length)
    execution = fold(IDENTITY, [])
    log = advance(machine, execution, Started(NOW, Payload(list(range(7)))))
    while execution.status == "RUNNING":
        assert picture(fold(IDENTITY, log)) == picture(execution)
        execution = fold(IDENTITY, log)  # as another process would find it
        more = advance(machine, execution, Resumed(NOW, restarted=True))
        assert more
        log += more
    assert same(log, whole)
    assert replay(machine, IDENTITY, log) is None


@pytest.mark.parametrize("length", [1, 2, 5, 11])
def test_tasks_that_answer_while_a_decision_is_interrupted(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_after(monkeypatch, length)

    async def main() -> None:
        execution, events = await run_to_end(MemoryStore(), CRASHING, by_its_input, ITEMS)
        assert output(execution) == output(fold(IDENTITY, crashing_log()))
        assert replay(MACHINE, IDENTITY, events) is None
        assert picture(fold(IDENTITY, events)) == picture(execution)

    play(main)


@STORES
def test_a_map_of_two_thousand_items(kind: str, tmp_path: Path) -> None:
    """Longer than a decision: the engine comes back for the rest, and nothing shows."""
    definition = scope(M=each(scope(P=state("Pass"))))
    items: list[Any] = list(range(2_000))
    decisions: list[int] = []

    async def main() -> None:
        async with opened(kind, tmp_path) as store:
            engine = Engine(
                store, {}, clock=VirtualClock(NOW), observer=lambda _, events: decisions.append(len(events))
            )
            async with engine:
                run = await engine.start(load(json.dumps(definition)), "machine", Payload(items), "name")
                execution = await run.wait()
            assert output(execution) == items
            events = await store.events(run.arn)
        assert len(events) == 4 * len(items) + 6
        assert len(decisions) == 2
        assert decisions[0] < interpreter.MAX_DECISION_EVENTS + 50  # the step that fills the decision is finished
        machine = load(json.dumps(definition))
        assert replay(machine, IDENTITY, events) is None
        assert picture(fold(IDENTITY, events)) == picture(execution)

    play(main)
