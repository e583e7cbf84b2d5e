"""What an operator sees of executions: counts and durations, in Prometheus' text."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from asl_engine.engine.clock import SkippingClock, VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.events.delivering import DeliveryFailed
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.practice.metrics import ServerMetrics
from asl_engine.store.mapping_records import MappingRecord
from asl_engine.store.memory.store import MemoryStore
from tests.events.test_times import BEGIN, ENTRY, rule, world

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.resources import TaskCall

PAY = "arn:aws:lambda:us-east-1:123456789012:function:pay"
DRAW = "arn:aws:states:us-east-1:123456789012:activity:draw"
RETRY = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 2}]
MACHINE = {
    "StartAt": "Pay",
    "States": {
        "Pay": {"Type": "Task", "Resource": PAY, "Retry": RETRY, "ResultPath": None, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "StartAt": "Ship",
                "States": {"Ship": {"Type": "Task", "Resource": PAY, "End": True}},
            },
            "End": True,
        },
    },
}


def samples(metrics: ServerMetrics) -> dict[tuple[str, str], float]:
    """The value by the name and the values of the labels, in the order of the labels' names; without zeros."""
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            if sample.value and "le" not in sample.labels and not sample.name.endswith("_created"):
                found[sample.name, " ".join(sample.labels[name] for name in sorted(sample.labels))] = sample.value
    return found


async def played(metrics: ServerMetrics, given: Any, *, fails: bool = False) -> None:
    async def pay(call: TaskCall) -> Payload:
        if call.state == "Pay" and (call.attempt < 1 or fails):
            raise StatesError("Busy")
        return call.input

    async with Engine(MemoryStore(), {PAY: pay}, clock=SkippingClock(0), observer=metrics.observe) as engine:
        metrics.engine = engine
        run = await engine.start(load(json.dumps(MACHINE)), "orders", Payload(given), "one")
        await run.wait()


def test_executions_attempts_and_retries_are_counted() -> None:
    metrics = ServerMetrics()
    asyncio.run(played(metrics, {"items": [1, 2, 3]}))
    asyncio.run(played(metrics, {"items": []}))
    asyncio.run(played(metrics, {"items": []}, fails=True))
    found = samples(metrics)
    metrics.engine = None
    assert {key: value for key, value in found.items() if not key[0].endswith(("_sum", "_count"))} == {
        ("asl_executions_started_total", "orders"): 3,
        ("asl_executions_ended_total", "orders SUCCEEDED"): 2,
        ("asl_executions_ended_total", "orders FAILED"): 1,
        ("asl_task_attempts_ended_total", "failed Pay orders"): 5,
        ("asl_task_attempts_ended_total", "succeeded Pay orders"): 2,
        ("asl_task_attempts_ended_total", "succeeded Ship orders"): 3,
        ("asl_retries_scheduled_total", "Pay orders"): 4,
    }
    assert found["asl_execution_duration_seconds_count", "orders"] == 3
    assert found["asl_execution_duration_seconds_sum", "orders"] == pytest.approx(2 + 2 + 2 + 4, abs=0.5)
    assert found["asl_task_attempt_duration_seconds_count", "Pay orders"] == 7


def test_what_there_is_is_asked_for_when_it_is_scraped() -> None:
    metrics = ServerMetrics()
    state = {"Type": "Task", "Resource": DRAW, "End": True}
    machine = load(json.dumps({"StartAt": "D", "States": {"D": state}}))

    async def play() -> None:
        async with Engine(MemoryStore(), {}, clock=SkippingClock(0), observer=metrics.observe) as engine:
            metrics.engine = engine
            engine.activities.learn(DRAW)
            runs = [await engine.start(machine, "art", Payload({}), f"e{number}") for number in range(3)]
            assert [run.execution.status for run in runs] == ["RUNNING"] * 3
            found = samples(metrics)
            assert found["asl_executions_running", "art"] == 3
            assert found["asl_activity_tasks_waiting", DRAW] == 3
            assert ("asl_activity_workers_polling", DRAW) not in found
            taken = await engine.activities.take(DRAW, 1)
            assert taken is not None
            assert samples(metrics)["asl_activity_tasks_waiting", DRAW] == 2

    asyncio.run(play())


def test_what_was_begun_before_it_looked_is_known() -> None:
    """The server was started anew while a task was open."""
    metrics, store = ServerMetrics(), MemoryStore()
    machine = load(json.dumps({"StartAt": "P", "States": {"P": {"Type": "Task", "Resource": PAY, "End": True}}}))
    gate = asyncio.Event()

    async def pay(call: TaskCall) -> Payload:
        await gate.wait()
        return call.input

    async def play() -> None:
        async with Engine(store, {PAY: pay}, clock=SkippingClock(0)) as engine:
            run = await engine.start(machine, "orders", Payload({}), "one")
        gate.set()
        record = await store.record(run.arn)
        assert record is not None
        async with Engine(store, {PAY: pay}, clock=SkippingClock(5_000), observer=metrics.observe) as engine:
            await (await engine.resume(machine, record)).wait()

    asyncio.run(play())
    found = samples(metrics)
    assert found["asl_task_attempts_ended_total", "succeeded P orders"] == 1
    assert found["asl_task_attempt_duration_seconds_sum", "P orders"] == pytest.approx(5, abs=0.5)
    assert ("asl_executions_started_total", "orders") not in found


def test_what_is_to_be_delivered_is_told_by_target(tmp_path: Path) -> None:
    """What is pending and how old it is, and what was given up."""
    metrics = ServerMetrics()

    async def play() -> None:
        async with world(tmp_path, rule("paid"), rule("slow")) as made:
            made.held = asyncio.Event()  # the rule "slow" waits for it
            made.failures = [DeliveryFailed("Gone", "no such function", final=True)]
            await made.bus.put([ENTRY])
            await made.bus.put([ENTRY])
            while sorted((one.status, one.number) for one in metrics.backlog) != [("FAILED", 1), ("PENDING", 2)]:
                metrics.backlog = await made.bus.buses.backlog()
            made.clock.jump(BEGIN + 5_000)
            async with Engine(MemoryStore(), {}, clock=VirtualClock(BEGIN + 5_000)) as engine:
                metrics.engine = engine
                found = samples(metrics)
            assert {key: value for key, value in found.items() if key[0].startswith("asl_event")} == {
                ("asl_event_deliveries_pending", "slow t"): 2,
                ("asl_event_deliveries_oldest_seconds", "slow t"): 5,
                ("asl_event_dead_letters", "paid t"): 1,
            }
            made.held.set()
            await made.until(BEGIN + 6_000)
            assert [one.status for one in await made.bus.buses.backlog()] == ["FAILED"]

    asyncio.run(play())


def test_how_mappings_fare_is_told_by_their_names() -> None:
    metrics = ServerMetrics()
    queue = {"processed": 7, "failed": 2, "discarded": 0, "filtered": 1, "backlog": 12, "iteratorAge": None}
    stream = {"processed": 3, "iteratorAge": 1500}
    metrics.mappings = [MappingRecord("arn:a", "orders", PAY, "arn:q", queue, 0)]
    metrics.mappings += [MappingRecord("arn:b", "read-model", PAY, "arn:s", stream, 0)]

    async def play() -> None:
        async with Engine(MemoryStore(), {}, clock=SkippingClock(0)) as engine:
            metrics.engine = engine
            assert samples(metrics) == {
                ("asl_mapping_records_total", "orders processed"): 7,
                ("asl_mapping_records_total", "orders failed"): 2,
                ("asl_mapping_records_total", "orders filtered"): 1,
                ("asl_mapping_records_total", "read-model processed"): 3,
                ("asl_mapping_backlog", "orders"): 12,
                ("asl_mapping_iterator_age_seconds", "read-model"): 1.5,
            }

    asyncio.run(play())
