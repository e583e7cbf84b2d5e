"""Map Runs in virtual time: children, thresholds, concurrency, interruptions; over both stores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

from asl_engine.core.apply import fold
from asl_engine.core.execution import Execution, OpenMapRun
from asl_engine.core.replay import replay
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.states.distributed_map import processor_of
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.sqlite.store import SqliteStore
from tests.core.steps import FUNCTION, each, parallel, scope, state, task, types, wait

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.resources import Resource, TaskCall
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record

Scenario: TypeAlias = Callable[["Store"], Awaitable[None]]

EXCEEDED = ("States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded")


@pytest.fixture(params=["memory", "sqlite"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Scenario], None]:
    """Run a scenario with a store; it must not take any time."""

    async def main(scenario: Scenario) -> None:
        memory = request.param == "memory"
        store: Store = MemoryStore() if memory else await SqliteStore.open(tmp_path / "asl.db", synchronous="OFF")
        try:
            with anyio.fail_after(20):
                await scenario(store)
        finally:
            await store.close()

    return lambda scenario: anyio.run(main, scenario)


def distributed(processor: dict[str, Any], kind: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    return each({**processor, "ProcessorConfig": config}, **fields)


def engine_for(
    store: Store,
    resource: Resource | None = None,
    limits: Limits = AWS_LIMITS,
    buckets: Mapping[str, Path] | None = None,
) -> Engine:
    resources = {} if resource is None else {FUNCTION: resource}
    return Engine(store, resources, clock=VirtualClock(), limits=limits, buckets=buckets)


async def ran(engine: Engine, definition: dict[str, Any], data: Any = None, name: str = "n") -> Execution:
    machine = load(json.dumps(definition))
    return await (await engine.start(machine, "m", Payload([] if data is None else data), name)).wait()


def output(execution: Execution) -> Any:
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    assert execution.output is not None
    return execution.output.value


async def map_runs(store: Store, execution: Execution) -> list[Any]:
    return [*reversed(await store.map_runs.page(execution.identity.arn, "", 100))]


async def children(store: Store, arn: str) -> list[Execution]:
    """In the order of their numbers."""
    kin = await store.map_runs.children(arn, -1, 10_000)
    records = [await store.record(child.arn) for child in kin]
    return [fold(record.identity, await store.events(record.identity.arn)) for record in records if record]


async def failing_on(call: TaskCall) -> Payload:
    """Fails for an item that says so."""
    if call.input.value == "bad":
        raise StatesError("Bad", "as asked")
    return call.input


class Still(VirtualClock):
    """Nothing that waits ever comes due."""

    skips = False


PASS = scope(P=state("Pass"))
TASK = scope(T=task())


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_every_item_is_an_execution_and_its_output_a_result(play: Callable[[Scenario], None], kind: str) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store) as engine:
            definition = scope(M=distributed(PASS, kind, Label="each"))
            execution = await ran(engine, definition, [{"n": 1}, False, None, "", 0])
        assert output(execution) == [{"n": 1}, False, None, "", 0]
        (run,) = await map_runs(store, execution)
        prefix = "arn:aws:states:us-east-1:123456789012:mapRun:m/each:"
        assert run.arn.startswith(prefix)
        assert (run.status, run.execution, run.started_at, run.stopped_at) == (
            "SUCCEEDED",
            execution.identity.arn,
            execution.identity.started_at,
            execution.stopped_at,
        )
        assert run.counts == {
            "total": 5,
            "written": 0,
            "batched": False,
            "executions": {"SUCCEEDED": 5},
            "items": {"SUCCEEDED": 5},
        }
        found = await children(store, run.arn)
        assert [child.input and child.input.value for child in found] == [{"n": 1}, False, None, "", 0]
        who = found[0].identity
        kept = "express" if kind == "EXPRESS" else "execution"
        assert who.arn.startswith(f"arn:aws:states:us-east-1:123456789012:{kept}:m/each:{who.name}")
        assert who.machine_arn == "arn:aws:states:us-east-1:123456789012:stateMachine:m/each"
        log = await store.events(who.arn)
        of_standard = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
        of_express = ["ExecutionStarted", "ExecutionSucceeded"]  # nobody can ask AWS for more
        assert types(log) == (of_standard if kind == "STANDARD" else of_express)
        assert [record.identity.name for record in await store.executions()] == ["n"]

    play(scenario)


def test_the_parent_tells_of_the_map_run_only(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store) as engine:
            execution = await ran(engine, scope(M=distributed(PASS)), [1, 2])
        log = await store.events(execution.identity.arn)
        told = [f"{e['id']} {e['previousEventId']} {e['type']}" for e in project(execution.identity, log)]
        assert told == [
            "1 0 ExecutionStarted",
            "2 0 MapStateEntered",
            "3 2 MapStateStarted",
            "4 3 MapRunStarted",
            "5 4 MapRunSucceeded",
            "6 5 MapStateSucceeded",
            "7 5 MapStateExited",
            "8 7 ExecutionSucceeded",
        ]

    play(scenario)


SERVERS = {"web": {"port": 80}, "db": {"port": 5432}}
PAIRS = [{"Key": "web", "Value": {"port": 80}}, {"Key": "db", "Value": {"port": 5432}}]


def by_jsonata(**fields: Any) -> dict[str, Any]:
    processor = {**PASS, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    return {
        **scope(M={"Type": "Map", "ItemProcessor": processor, "End": True, **fields}),
        "QueryLanguage": "JSONata",
    }


OBJECTS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "ItemsPath": (scope(M=distributed(PASS, ItemsPath="$.servers")), {"servers": SERVERS}, PAIRS),
    "the input": (scope(M=distributed(PASS)), SERVERS, PAIRS),
    "an empty object": (scope(M=distributed(PASS)), {}, []),
    "ItemSelector": (
        scope(
            M=distributed(
                PASS,
                ItemsPath="$.servers",
                ItemSelector={
                    "n.$": "$$.Map.Item.Index",
                    "k.$": "$$.Map.Item.Key",
                    "v.$": "$$.Map.Item.Value.port",
                },
            )
        ),
        {"servers": SERVERS},
        [{"n": 0, "k": "web", "v": 80}, {"n": 1, "k": "db", "v": 5432}],
    ),
    "ItemBatcher": (
        scope(M=distributed(PASS, ItemBatcher={"MaxItemsPerBatch": 5})),
        SERVERS,
        [{"Items": PAIRS}],
    ),
    "MaxConcurrency": (scope(M=distributed(PASS, MaxConcurrency=1)), SERVERS, PAIRS),
    "Items": (by_jsonata(Items="{% $states.input.servers %}"), {"servers": SERVERS}, PAIRS),
    "a literal": (
        by_jsonata(Items={"a": 1, "b": "{% $states.input %}"}),
        2,
        [{"Key": "a", "Value": 1}, {"Key": "b", "Value": 2}],
    ),
    "the input of a JSONata state": (by_jsonata(), SERVERS, PAIRS),
    "a selector in JSONata": (
        by_jsonata(ItemSelector="{% $states.context.Map.Item.Key & $states.context.Map.Item.Value.port %}"),
        SERVERS,
        ["web80", "db5432"],
    ),
}


@pytest.mark.parametrize("case", OBJECTS)
def test_the_members_of_an_object_are_items(play: Callable[[Scenario], None], case: str) -> None:
    definition, data, expected = OBJECTS[case]

    async def scenario(store: Store) -> None:
        async with engine_for(store) as engine:
            execution = await ran(engine, definition, data)
        assert output(execution) == expected
        (run,) = await map_runs(store, execution)
        assert run.counts["total"] == len(data.get("servers", data) if isinstance(data, dict) else expected)

    play(scenario)


@pytest.mark.parametrize(
    ("definition", "data", "said"),
    [
        (scope(M=distributed(PASS)), "text", 'Reference path "$" must point to array or object.'),
        (by_jsonata(), 1, "Map state input must be an array or an object but was: 1"),
        (by_jsonata(Items="{% 1 %}"), {}, "Expected 'array' or 'object', but was 'number' for value: 1"),
    ],
)
def test_what_has_no_items(play: Callable[[Scenario], None], definition: Any, data: Any, said: str) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store) as engine:
            execution = await ran(engine, definition, data)
        assert execution.cause is not None
        assert execution.cause.endswith(said)

    play(scenario)


def test_no_items_no_children(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store) as engine:
            execution = await ran(engine, scope(M=distributed(PASS)), [])
        assert output(execution) == []
        assert "MapRunSucceeded" in types(await store.events(execution.identity.arn))

    play(scenario)


def test_a_child_sees_itself_and_not_its_parent(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        inner = scope(P=state("Pass", Parameters={"context.$": "$$", "item.$": "$"}))
        selector = {"index.$": "$$.Map.Item.Index", "outer.$": "$$.Execution.Name", "v.$": "$x"}
        definition = scope(
            A=state("Pass", Assign={"x": 7}, Next="M"), M=distributed(inner, Label="l", ItemSelector=selector)
        )
        async with engine_for(store) as engine:
            execution = await ran(engine, definition, ["a"])
        (shown,) = output(execution)
        assert shown["item"] == {"index": 0, "outer": "n", "v": 7}
        context = shown["context"]
        (child,) = await children(store, (await map_runs(store, execution))[0].arn)
        assert context["Execution"]["Id"] == child.identity.arn
        assert context["Execution"]["Name"] == child.identity.name
        assert context["Execution"]["Input"] == {"index": 0, "outer": "n", "v": 7}
        assert context["StateMachine"]["Id"].endswith(":stateMachine:m/l")
        assert "Map" not in context

    play(scenario)


def test_variables_stay_outside(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        definition = scope(
            A=state("Pass", Assign={"x": 7}, Next="M"),
            M=distributed(scope(P=state("Pass", Parameters={"v.$": "$x"})), Catch=[CATCH]),
            Z=state("Pass"),
        )
        async with engine_for(store) as engine:
            assert output(await ran(engine, definition, ["a"])) == {"Error": EXCEEDED[0], "Cause": EXCEEDED[1]}

    play(scenario)


CATCH = {"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "Z"}


@pytest.mark.parametrize("concurrency", [1, 3, 0])
def test_at_most_so_many_run_at_once(play: Callable[[Scenario], None], concurrency: int) -> None:
    async def scenario(store: Store) -> None:
        running = most = 0

        async def counted(call: TaskCall) -> Payload:
            nonlocal running, most
            running += 1
            most = max(most, running)
            if most < (concurrency or 2):  # it would never be more, were fewer begun at a time
                await enough.wait()
            else:
                enough.set()
            running -= 1
            return call.input

        enough = asyncio.Event()
        async with engine_for(store, counted) as engine:
            execution = await ran(engine, scope(M=distributed(TASK, MaxConcurrency=concurrency)), list(range(12)))
        assert output(execution) == list(range(12))
        assert most == (concurrency or most)
        assert most > 1 or concurrency == 1

    play(scenario)


def test_time_jumps_while_children_wait(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store) as engine:
            start = engine.clock.now()
            execution = await ran(engine, scope(M=distributed(scope(W=wait(3600)), MaxConcurrency=2)), [1, 2, 3])
            assert output(execution) == [1, 2, 3]
            assert engine.clock.now() - start == 2 * 3600 * 1000

    play(scenario)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "FAILED"),
        ({"ToleratedFailureCount": 1}, "FAILED"),
        ({"ToleratedFailureCount": 2}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 49.9}, "FAILED"),
        ({"ToleratedFailurePercentage": 50}, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100}, "FAILED"),
        ({"ToleratedFailureCount": 9, "ToleratedFailurePercentage": 10}, "FAILED"),
        ({"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 50}, "SUCCEEDED"),
    ],
)
def test_failures_are_tolerated_up_to_a_threshold(
    play: Callable[[Scenario], None], fields: dict[str, Any], status: str
) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store, failing_on) as engine:
            execution = await ran(engine, scope(M=distributed(TASK, **fields)), ["bad", "a", "bad", "b"])
        assert execution.status == status
        (run,) = await map_runs(store, execution)
        assert run.status == status
        if status == "FAILED":
            assert (execution.error, execution.cause) == EXCEEDED
            log = await store.events(execution.identity.arn)
            assert types(log)[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
        else:
            first, second, third, fourth = output(execution)
            assert (second, fourth) == ("a", "b")
            for failed in (first, third):  # as with the transformation NONE
                assert (failed["Status"], failed["Error"], failed["Cause"]) == ("FAILED", "Bad", "as asked")
                assert (failed["Input"], failed["InputDetails"]) == ('"bad"', {"Included": True})
                assert "Output" not in failed

    play(scenario)


def test_too_many_failures_abort_the_rest(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        async def one_fails(call: TaskCall) -> Payload:
            if call.input.value == "bad":
                raise StatesError("Bad", None)
            await asyncio.Event().wait()
            raise AssertionError

        async with engine_for(store, one_fails) as engine:
            execution = await ran(
                engine, scope(M=distributed(TASK, MaxConcurrency=3)), ["a", "bad", "b", "c", "d"]
            )
        assert (execution.error, execution.cause) == EXCEEDED
        (run,) = await map_runs(store, execution)
        assert run.counts == {
            "total": 5,
            "written": 0,
            "batched": False,
            "executions": {"ABORTED": 2, "FAILED": 1},
            "items": {"ABORTED": 2, "FAILED": 1},
        }
        assert await store.map_runs.child_page(run.arn, "RUNNING", None, 10) == []

    play(scenario)


def test_a_retry_is_another_map_run(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        tries = 0

        async def second_time(call: TaskCall) -> Payload:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise StatesError("Once", None)
            return call.input

        definition = scope(M=distributed(TASK, Retry=[{"ErrorEquals": ["States.ALL"]}]))
        async with engine_for(store, second_time) as engine:
            execution = await ran(engine, definition, ["a"])
        assert output(execution) == ["a"]
        assert [run.status for run in await map_runs(store, execution)] == ["FAILED", "SUCCEEDED"]

    play(scenario)


def test_an_output_that_is_too_large_fails_the_state(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store, limits=Limits(payload_bytes=100)) as engine:
            execution = await ran(engine, scope(M=distributed(PASS, ItemSelector="x" * 40)), [1, 2, 3])
        assert execution.error == "States.DataLimitExceeded"
        (run,) = await map_runs(store, execution)
        assert (run.status, run.counts["executions"]) == ("FAILED", {"SUCCEEDED": 3})

    play(scenario)


def test_an_input_that_is_too_large_fails_the_map_run(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        selector = {"a.$": "$", "b.$": "$"}
        async with engine_for(store, limits=Limits(payload_bytes=100)) as engine:
            execution = await ran(engine, scope(M=distributed(PASS, ItemSelector=selector)), ["x" * 60])
        assert execution.error == "States.DataLimitExceeded"
        assert [run.status for run in await map_runs(store, execution)] == ["FAILED"]

    play(scenario)


@pytest.mark.parametrize(("kind", "failed"), [("STANDARD", 1), ("EXPRESS", 0)])
def test_the_history_of_an_express_child_has_no_limit(
    play: Callable[[Scenario], None], kind: str, failed: int
) -> None:
    async def scenario(store: Store) -> None:
        states = {name: {"Type": "Pass", "Next": chr(ord(name) + 1)} for name in "ABC"}
        child = {"StartAt": "A", "States": {**states, "D": state("Pass")}}
        definition = scope(M=distributed(child, kind, ToleratedFailureCount=1))
        async with engine_for(store, limits=Limits(history_events=8)) as engine:
            execution = await ran(engine, definition, [1])
        (run,) = await map_runs(store, execution)
        assert run.counts["executions"] == ({"FAILED": 1} if failed else {"SUCCEEDED": 1})

    play(scenario)


def test_an_item_selector_that_fails_is_not_begun_for_the_rest(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        selector = {"a.$": "$$.Map.Item.Value.x"}
        async with engine_for(store) as engine:
            execution = await ran(engine, scope(M=distributed(PASS, ItemSelector=selector)), [{"x": 1}, {}])
        assert execution.error == "States.Runtime"
        assert execution.cause is not None
        assert "$$.Map.Item.Value.x" in execution.cause

    play(scenario)


def test_a_distributed_map_in_everything(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        nested = distributed(
            scope(Inner=distributed(scope(P=state("Pass")), "EXPRESS", Label="inner")), Label="outer"
        )
        inline = each(scope(D=distributed(scope(Q=state("Pass")))))
        beside = distributed(scope(R=state("Pass")))
        definition = scope(S=parallel(scope(A=nested), scope(B=inline), scope(C=beside)))
        async with engine_for(store) as engine:
            execution = await ran(engine, definition, [[1, 2], [3]])
        assert output(execution) == [[[1, 2], [3]]] * 3
        outer = next(run for run in await map_runs(store, execution) if ":m/outer:" in run.arn)
        first = (await children(store, outer.arn))[0]
        (inner,) = await map_runs(store, first)
        assert ":mapRun:m/inner:" in inner.arn
        assert inner.machine_arn.endswith(":stateMachine:m/outer")

    play(scenario)


def test_stopping_the_parent_aborts_its_children(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        machine = load(
            json.dumps(scope(M=distributed(scope(W=wait(99), Z=state("Pass")) | NEXT, MaxConcurrency=2)))
        )
        async with Engine(store, {}, clock=Still()) as engine:
            run = await engine.start(machine, "m", Payload([1, 2, 3]), "n")
            arn = await until_children(store, run.execution, 2)
            record = await store.record(run.arn)
            assert record is not None
            assert await engine.stop(machine, record, "E", "C")
        log = await store.events(run.arn)
        assert types(log)[-2:] == ["MapRunAborted", "ExecutionAborted"]
        assert replay(machine, run.execution.identity, log) is None
        (map_run,) = await map_runs(store, run.execution)
        assert map_run.status == "ABORTED"
        assert map_run.counts["executions"] == {"ABORTED": 2}
        assert map_run.counts["total"] == 3
        assert [child.status for child in await children(store, arn)] == ["ABORTED"] * 2

    play(scenario)


NEXT = {"States": {"W": wait(99, Next="Z") | {}, "Z": state("Pass")}}
NEXT["States"]["W"].pop("End", None)


async def until_children(store: Store, execution: Execution, number: int) -> str:
    """The Map Run's ARN, once so many children run."""
    while True:
        runs = await store.map_runs.page(execution.identity.arn, "", 1)
        if runs and len(await store.map_runs.child_page(runs[0].arn, "RUNNING", None, 100)) == number:
            return runs[0].arn
        await asyncio.sleep(0)


def test_the_parents_timeout_aborts_its_children(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        definition = {**scope(M=distributed(scope(W=wait(99)))), "TimeoutSeconds": 10}
        async with engine_for(store) as engine:
            execution = await ran(engine, definition, [1])
        assert execution.status == "TIMED_OUT"
        assert types(await store.events(execution.identity.arn))[-2:] == ["MapRunAborted", "ExecutionTimedOut"]
        (run,) = await map_runs(store, execution)
        assert (run.status, run.counts["executions"]) == ("ABORTED", {"ABORTED": 1})

    play(scenario)


def test_a_failing_branch_aborts_the_map_run_beside_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        definition = scope(
            S=parallel(
                scope(M=distributed(scope(V=wait(99)))), scope(W=wait(5, Next="F"), F=state("Fail", Error="E"))
            )
        )
        async with engine_for(store) as engine:
            execution = await ran(engine, definition, [1, 2])
        assert execution.error == "E"
        told = types(await store.events(execution.identity.arn))
        assert told[-4:] == ["MapRunAborted", "MapStateAborted", "ParallelStateFailed", "ExecutionFailed"]
        (run,) = await map_runs(store, execution)
        assert (run.status, run.counts["executions"]) == ("ABORTED", {"ABORTED": 2})

    play(scenario)


def test_a_stopped_child_is_not_a_failure(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        machine = load(json.dumps(scope(M=distributed(scope(W=wait(99))))))
        async with Engine(store, {}, clock=Still()) as engine:
            run = await engine.start(machine, "m", Payload([1]), "n")
            arn = await until_children(store, run.execution, 1)
            ((child, *_),) = await store.map_runs.child_page(arn, None, None, 1)
            await engine.stop(processor_of(machine, child.identity.machine_name), child)
            execution = await run.wait()
        assert output(execution)[0]["Status"] == "ABORTED"

    play(scenario)


# -- interruptions --------------------------------------------------------------------------------------


async def again(store: Store, resource: Resource | None = None) -> Execution:
    """What another process makes of the one execution that a process has left."""
    (record,) = await store.executions()
    machine = load(await store.definition(record.definition))
    async with engine_for(store, resource) as engine:
        await engine.map_runs.finalize_all()
        return await (await engine.resume(machine, record)).wait()


def test_an_interrupted_map_run_goes_on(play: Callable[[Scenario], None]) -> None:
    """Children that have ended stay so, those that run are resumed, the others started: none twice."""

    async def scenario(store: Store) -> None:
        calls: list[tuple[Any, str]] = []
        reached = asyncio.Event()

        async def fourth_hangs(call: TaskCall) -> Payload:
            calls.append((call.input.value, call.key))
            if call.input.value == 3 and not reached.is_set():
                reached.set()
                await asyncio.Event().wait()
            return call.input

        machine = load(json.dumps(scope(M=distributed(TASK, MaxConcurrency=1))))
        async with engine_for(store, fourth_hangs) as engine:
            await engine.start(machine, "m", Payload(list(range(6))), "n")
            await reached.wait()
        assert output(await again(store, fourth_hangs)) == list(range(6))
        assert [value for value, _ in calls] == [0, 1, 2, 3, 3, 4, 5]
        assert len({key for _, key in calls}) == 6

    play(scenario)


class Cut(Exception):
    """The store is gone."""


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
@pytest.mark.parametrize("writes", range(1, 24))
def test_cut_off_at_any_write_it_ends_as_it_would_have(kind: str, writes: int) -> None:
    async def scenario() -> None:
        store = Fragile(writes)
        machine = load(json.dumps(scope(M=distributed(TASK, kind, MaxConcurrency=2, ToleratedFailureCount=1))))
        data = Payload(["a", "bad", "c", "d"])
        calls: list[Any] = []

        async def called(call: TaskCall) -> Payload:
            calls.append(call.key)
            return await failing_on(call)

        try:
            async with engine_for(store, called) as engine:
                run = await engine.start(machine, "m", data, "n")
                with anyio.fail_after(10):
                    await run.wait()
        except Cut:
            pass
        store.left = -1
        if not await store.executions():
            assert writes == 1
            return
        with anyio.fail_after(10):
            execution = await again(store, called)
        first, second, third, fourth = output(execution)
        assert (first, third, fourth) == ("a", "c", "d")
        assert second["Error"] == "Bad"
        (run_record,) = await map_runs(store, execution)
        assert run_record.counts["executions"] == {"SUCCEEDED": 3, "FAILED": 1}
        assert len(set(calls)) == 4
        log = await store.events(execution.identity.arn)
        assert types(log) == [
            "ExecutionStarted",
            "MapStateEntered",
            "MapStateStarted",
            "MapRunStarted",
            "MapRunSucceeded",
            "MapStateSucceeded",
            "MapStateExited",
            "ExecutionSucceeded",
        ]
        assert replay(machine, execution.identity, log) is None

    anyio.run(scenario)


class Fragile(MemoryStore):
    """A store that takes so many writes, and no more; -1 for as many as there are."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    async def append(self, arn: str, events: Any) -> None:
        if self.left == 0:
            raise Cut
        self.left -= 1
        await super().append(arn, events)

    async def create(self, record: Record, definition: str, events: Any, child: Any = None) -> None:
        if self.left == 0:
            raise Cut
        await super().create(record, definition, events, child)


def test_children_of_a_map_run_that_is_over_are_aborted_by_the_next_process(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(store: Store) -> None:
        machine = load(json.dumps(scope(M=distributed(scope(W=wait(99))))))
        async with Engine(store, {}, clock=Still()) as engine:
            run = await engine.start(machine, "m", Payload([1, 2]), "n")
            arn = await until_children(store, run.execution, 2)
        (record,) = await store.executions()
        async with engine_for(store) as other:
            assert await other.stop(machine, record)
            assert [child.status for child in await children(store, arn)] == ["ABORTED"] * 2
        assert await store.map_runs.unsettled() == []

    play(scenario)


class NonsenseAboutChildren(MemoryStore):
    """The logs of children cannot be read any more, once it is ``broken``."""

    broken = False

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        log = await super().events(arn, after)
        return [log[0], log[0]] if self.broken and ":m/" in arn else log


def test_a_map_run_that_cannot_be_finalized_keeps_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        store = NonsenseAboutChildren()
        machine = load(json.dumps(scope(M=distributed(scope(W=wait(99))))))
        async with Engine(store, {}, clock=Still()) as engine:
            run = await engine.start(machine, "m", Payload([1]), "n")
            arn = await until_children(store, run.execution, 1)
        (record,) = await store.executions()
        store.broken = True
        async with Engine(store, {}, clock=Still()) as other:
            assert await other.stop(machine, record)
            await other.map_runs.finalize_all()
        assert await store.map_runs.unsettled() == [arn]
        assert f"keeps the Map Run {arn} from being finalized" in caplog.text

    anyio.run(scenario)


def test_settings_can_be_changed_on_the_way(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        machine = load(json.dumps(scope(M=distributed(scope(W=wait(99)), MaxConcurrency=1))))
        async with Engine(store, {}, clock=Still()) as engine:
            run = await engine.start(machine, "m", Payload([1, 2, 3]), "n")
            arn = await until_children(store, run.execution, 1)
            live = engine.map_runs.live(arn)
            assert live is not None
            live.update(live.configuration._replace(concurrency=3))
            await until_children(store, run.execution, 3)

    play(scenario)


def test_open_work_is_the_map_run(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        machine = load(json.dumps(scope(M=distributed(scope(W=wait(99))))))
        async with Engine(store, {}, clock=Still()) as engine:
            run = await engine.start(machine, "m", Payload([1]), "n")
            arn = await until_children(store, run.execution, 1)
            (work,) = run.execution.open.values()
            assert isinstance(work, OpenMapRun)
            assert (work.arn, work.due) == (arn, None)

    play(scenario)


# -- reading, batching, writing -------------------------------------------------------------------------

READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSONL"},
    "Parameters": {"Bucket": "data", "Key.$": "$.key"},
}
WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "data", "Prefix": "results"}}


def with_data(folder: Path, lines: list[Any]) -> dict[str, Path]:
    """The bucket ``data`` with an object of these lines."""
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "items.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return {"data": folder / "data"}


def test_items_are_read(play: Callable[[Scenario], None], tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store, buckets=with_data(tmp_path, [{"n": 1}, None, [2]])) as engine:
            execution = await ran(engine, scope(M=distributed(PASS, ItemReader=READER)), {"key": "items.jsonl"})
        assert output(execution) == [{"n": 1}, None, [2]]
        (run,) = await map_runs(store, execution)
        assert run.counts["total"] == 3

    play(scenario)


def test_a_selector_sees_where_an_item_was_read(play: Callable[[Scenario], None], tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        selector = {"item.$": "$$.Map.Item", "key.$": "$.key"}
        async with engine_for(store, buckets=with_data(tmp_path, ["a"])) as engine:
            definition = scope(M=distributed(PASS, ItemReader=READER, ItemSelector=selector))
            execution = await ran(engine, definition, {"key": "items.jsonl"})
        item = {"Index": 0, "Value": "a", "Source": "s3://data/items.jsonl"}
        assert output(execution) == [{"item": item, "key": "items.jsonl"}]

    play(scenario)


def test_what_cannot_be_read_fails_the_map_run(play: Callable[[Scenario], None], tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        async with engine_for(store, buckets=with_data(tmp_path, [])) as engine:
            execution = await ran(engine, scope(M=distributed(PASS, ItemReader=READER)), {"key": "missing"})
        assert execution.error == "States.ItemReaderFailed"
        assert types(await store.events(execution.identity.arn))[-3:] == [
            "MapRunFailed",
            "MapStateFailed",
            "ExecutionFailed",
        ]

    play(scenario)


@pytest.mark.parametrize("read", [False, True])
def test_items_are_batched(play: Callable[[Scenario], None], tmp_path: Path, *, read: bool) -> None:
    async def scenario(store: Store) -> None:
        batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"all.$": "$.key"}}
        reader = {"ItemReader": READER} if read else {"ItemsPath": "$.items"}
        definition = scope(
            M=distributed(PASS, ItemBatcher=batcher, ItemSelector={"n.$": "$$.Map.Item.Value"}, **reader)
        )
        async with engine_for(store, buckets=with_data(tmp_path, [1, 2, 3])) as engine:
            execution = await ran(engine, definition, {"key": "items.jsonl", "items": [1, 2, 3]})
        assert output(execution) == [
            {"BatchInput": {"all": "items.jsonl"}, "Items": [{"n": 1}, {"n": 2}]},
            {"BatchInput": {"all": "items.jsonl"}, "Items": [{"n": 3}]},
        ]
        (run,) = await map_runs(store, execution)
        assert (run.counts["executions"], run.counts["items"]) == ({"SUCCEEDED": 2}, {"SUCCEEDED": 3})

    play(scenario)


def test_results_are_written(play: Callable[[Scenario], None], tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        definition = scope(M=distributed(TASK, ResultWriter=WRITER, ToleratedFailureCount=1))
        async with engine_for(store, failing_on, buckets=with_data(tmp_path, [])) as engine:
            execution = await ran(engine, definition, [1, "bad", 3])
        result = output(execution)
        (run,) = await map_runs(store, execution)
        assert result["MapRunArn"] == run.arn
        written = result["ResultWriterDetails"]
        assert written["Bucket"] == "data"
        manifest = json.loads((tmp_path / "data" / written["Key"]).read_text())
        found = {
            status: [json.loads((tmp_path / "data" / file["Key"]).read_text()) for file in files]
            for status, files in manifest["ResultFiles"].items()
        }
        assert [one["Output"] for one in found["SUCCEEDED"][0]] == ["1", "3"]
        assert [one["Error"] for one in found["FAILED"][0]] == ["Bad"]
        assert found["PENDING"] == []
        assert run.counts["written"] == 3

    play(scenario)


def test_results_can_be_flattened_without_being_written(play: Callable[[Scenario], None]) -> None:
    async def scenario(store: Store) -> None:
        writer = {"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSON"}}
        async with engine_for(store) as engine:
            execution = await ran(engine, scope(M=distributed(PASS, ResultWriter=writer)), [[1, 2], 3])
        assert output(execution) == [1, 2, 3]

    play(scenario)


def test_an_interrupted_reader_reads_again(play: Callable[[Scenario], None], tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        calls: list[Any] = []
        reached = asyncio.Event()

        async def third_hangs(call: TaskCall) -> Payload:
            calls.append(call.input.value)
            if call.input.value == {"BatchInput": None, "Items": [4, 5]} and not reached.is_set():
                reached.set()
                await asyncio.Event().wait()
            return call.input

        batcher = {"MaxItemsPerBatch": 2, "BatchInput": None}
        fields: dict[str, Any] = {"ItemReader": READER, "ItemBatcher": batcher, "MaxConcurrency": 1}
        machine = load(json.dumps(scope(M=distributed(TASK, **fields))))
        async with engine_for(store, third_hangs, buckets=with_data(tmp_path, list(range(8)))) as engine:
            await engine.start(machine, "m", Payload({"key": "items.jsonl"}), "n")
            await reached.wait()
        (record,) = await store.executions()
        async with engine_for(store, third_hangs, buckets=with_data(tmp_path, list(range(8)))) as engine:
            execution = await (await engine.resume(machine, record)).wait()
        assert [one["Items"] for one in output(execution)] == [[0, 1], [2, 3], [4, 5], [6, 7]]
        assert [one["Items"] for one in calls] == [[0, 1], [2, 3], [4, 5], [4, 5], [6, 7]]

    play(scenario)
