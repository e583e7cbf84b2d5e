"""Decisions that take long: the event loop goes on meanwhile, and nothing comes out otherwise."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.lowlevel
import pytest

from asl_engine.core import replay as replaying
from asl_engine.core.apply import fold
from asl_engine.core.events import ExecutionStarted, TaskScheduled
from asl_engine.engine import deciding
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.expressions.intrinsics import functions, java
from asl_engine.expressions.jsonata import Bindings
from asl_engine.expressions.jsonata.runtime import Evaluation
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution
    from asl_engine.json_values import Json
    from asl_engine.resources import TaskCall

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
HEAVY = "$sum([1..20000].($ * 2))"
TASK = {"Type": "Task", "Resource": FUNCTION}
# Heavy at the start of the execution, with the result of a task, and beside a branch that is light.
DEFINITION: Any = {
    "QueryLanguage": "JSONata",
    "StartAt": "First",
    "States": {
        "First": {"Type": "Pass", "Output": f"{{% {{'sum': {HEAVY}, 'id': $uuid()}} %}}", "Next": "Ask"},
        "Ask": {**TASK, "Output": f"{{% $states.result + {HEAVY} %}}", "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "A", "States": {"A": {**TASK, "Output": f"{{% {HEAVY} %}}", "End": True}}},
                {"StartAt": "B", "States": {"B": {**TASK, "End": True}}},
            ],
            "End": True,
        },
    },
}
SUM = 20_000 * 20_001


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[threading.Thread]:
    """The threads in which expressions have ended."""
    seen: set[threading.Thread] = set()
    end = Evaluation.end

    def ended(evaluation: Evaluation) -> None:
        seen.add(threading.current_thread())
        end(evaluation)

    monkeypatch.setattr(Evaluation, "end", ended)
    return seen


async def one(call: TaskCall) -> Payload:
    del call
    return Payload(1)


def played(definition: Any, data: Any = None) -> tuple[Execution, list[Event]]:
    async def main() -> tuple[Execution, list[Event]]:
        store = MemoryStore()
        with anyio.fail_after(60):
            async with Engine(store, {FUNCTION: one}, clock=VirtualClock()) as engine:
                run = await engine.start(load(json.dumps(definition)), "m", Payload(data or {}), "n")
                return await run.wait(), await store.events(run.arn)

    return anyio.run(main)


def test_what_takes_long_is_decided_in_a_thread(threads: set[threading.Thread]) -> None:
    execution, events = played(DEFINITION)
    assert threading.current_thread() not in threads
    assert execution.output is not None
    assert execution.output.value == [SUM, 1]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert sum(isinstance(event, TaskScheduled) for event in events) == 3


def test_what_does_not_is_decided_on_the_loop(threads: set[threading.Thread]) -> None:
    first = {"Type": "Pass", "Output": "{% $sum([1..100]) %}", "End": True}
    played({"QueryLanguage": "JSONata", "StartAt": "P", "States": {"P": first}})
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize(("items", "is_long"), [(100, False), (20_000, True)])
def test_a_long_intrinsic_function_is_called_in_a_thread(
    items: int, *, is_long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    called_in = []

    def in_hash_order(values: list[Json]) -> list[Json]:
        called_in.append(threading.current_thread())
        return java.in_hash_order(values)

    monkeypatch.setattr(functions, "in_hash_order", in_hash_order)
    first = {"Type": "Pass", "Parameters": {"unique.$": "States.ArrayUnique($.all)"}, "End": True}
    execution, _ = played({"StartAt": "P", "States": {"P": first}}, {"all": [7] * items})
    assert execution.output is not None
    assert execution.output.value == {"unique": [7]}
    assert (called_in == [threading.current_thread()]) is not is_long
    assert len(called_in) == 1


def test_the_events_are_those_of_a_decision_without_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(events: list[Event]) -> list[str]:
        salt = repr(next(event.salt for event in events if isinstance(event, ExecutionStarted)))
        return [repr(event).replace(salt, "") for event in events]

    execution, bounded = played(DEFINITION)
    monkeypatch.setattr(deciding, "LIGHT_STEPS", 10_000_000)
    _, unbounded = played(DEFINITION)
    assert shown(bounded) == shown(unbounded)
    assert fold(execution.identity, bounded).output == execution.output
    assert replaying.replay(load(json.dumps(DEFINITION)), execution.identity, bounded) is None


def test_the_loop_goes_on_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread waits for the loop, which would wait for ever if it were the other way round."""
    reached, loop_went_on = threading.Event(), threading.Event()
    end = Evaluation.end

    def wait(evaluation: Evaluation) -> None:
        reached.set()
        assert loop_went_on.wait(10)
        end(evaluation)

    monkeypatch.setattr(Evaluation, "end", wait)

    async def main() -> None:
        with anyio.fail_after(60):
            async with Engine(MemoryStore(), {FUNCTION: one}, clock=VirtualClock()) as engine:
                heavy = asyncio.ensure_future(engine.start(load(json.dumps(DEFINITION)), "m", Payload({}), "n"))
                while not reached.is_set():
                    await anyio.lowlevel.checkpoint()
                light = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
                run = await engine.start(load(json.dumps(light)), "m", Payload({}), "light")
                assert (await run.wait()).status == "SUCCEEDED"
                loop_went_on.set()
                assert (await (await heavy).wait()).status == "SUCCEEDED"

    anyio.run(main)


ENDLESS: dict[str, tuple[dict[str, Any], Any]] = {
    "JSONata": (
        {"QueryLanguage": "JSONata", "Type": "Pass", "Output": "{% ($f := function($x) { $f($x + 1) }; $f(1)) %}"},
        None,
    ),
    "a path": ({"Type": "Pass", "InputPath": "$..*..*..*..*"}, {"a": [[[[[[[[[[1] * 4] * 4] * 4]]]]]]]}),
    "a regular expression": ({"Type": "Pass", "InputPath": "$[?(@ =~ /(a+)+\\1b/)]"}, ["a" * 5_000]),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_what_never_ends_fails_its_state(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.expressions.jsonpath.search.MAX_STEPS", 30_000)
    monkeypatch.setattr("asl_engine.expressions.jsonpath.query.SECONDS", 0.05)
    monkeypatch.setitem(cast("dict[str, Any]", Bindings.__init__.__kwdefaults__), "steps", 30_000)
    state, data = ENDLESS[case]
    execution, _ = played({"StartAt": "P", "States": {"P": {**state, "End": True}}}, data)
    assert execution.status == "FAILED"
    assert execution.error == ("States.QueryEvaluationError" if case == "JSONata" else "States.Runtime")


def test_somebody_else_may_end_the_execution_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision that took long comes too late, and is dropped."""
    store = MemoryStore()
    decides: Callable[..., Any] = deciding.at_length

    async def main() -> None:
        with anyio.fail_after(60):
            async with Engine(store, {FUNCTION: one}, clock=VirtualClock()) as engine:
                ask = {**DEFINITION["States"]["Ask"], "End": True}
                del ask["Next"]
                machine = load(json.dumps({**DEFINITION, "StartAt": "Ask", "States": {"Ask": ask}}))

                async def stop_first(work: Any) -> Any:
                    monkeypatch.setattr(deciding, "at_length", decides)
                    record = await store.record(run_arn[0])
                    assert record is not None
                    async with Engine(store, {}, clock=VirtualClock()) as other:
                        assert await other.stop(machine, record, "Stop")
                    return await decides(work)

                run_arn: list[str] = []
                monkeypatch.setattr(deciding, "at_length", stop_first)
                run = await engine.start(machine, "m", Payload({}), "n")
                run_arn.append(run.arn)
                assert (await run.wait()).status == "ABORTED"

    anyio.run(main)
