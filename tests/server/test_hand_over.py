"""A worker that is gone between the moment a task is recorded as its and the answer that tells it so."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import anyio

from asl_engine.core.events import TaskHeartbeatReceived, TaskStarted
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.python.registry import Registry
from asl_engine.server.operations.activities import create_activity, get_activity_task
from asl_engine.server.protocol.request import Caller, Request
from asl_engine.server.service import Service
from asl_engine.store.memory.store import MemoryStore

if TYPE_CHECKING:
    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run

CALLER = Caller("us-east-1", "123456789012")
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"


def test_the_next_worker_gets_the_task_that_could_not_be_handed_over() -> None:
    async def main() -> None:
        hung_up = asyncio.Event()

        def observe(_run: Run, events: list[Event]) -> None:
            if any(isinstance(event, TaskStarted) for event in events):
                hung_up.set()

        async def gone() -> None:
            await hung_up.wait()

        store, catalog = MemoryStore(), Catalog(Registry())
        async with Engine(store, catalog, clock=VirtualClock(), observer=observe) as engine:
            service = Service(store, engine, catalog)
            await create_activity(Request({"name": "paint"}, CALLER), service)
            state = {"Type": "Task", "Resource": ACTIVITY, "HeartbeatSeconds": 10, "End": True}
            machine = load(json.dumps({"StartAt": "P", "States": {"P": state}}))
            run = await engine.start(machine, "m", Payload(1), "n")
            wants: dict[str, Any] = {"activityArn": ACTIVITY, "workerName": "first"}
            lost = await get_activity_task(Request(wants, CALLER, gone), service)
            wants = {"activityArn": ACTIVITY, "workerName": "second"}
            kept = await get_activity_task(Request(wants, CALLER), service)
            assert kept == lost
            assert kept["taskToken"]
            kinds = [type(event) for event in await store.events(run.arn)]
            assert kinds.count(TaskStarted) == 1
            assert kinds[-1] is TaskHeartbeatReceived  # the second worker's time begins now

    with_timeout(main)


def with_timeout(main: Any) -> None:
    async def bounded() -> None:
        with anyio.fail_after(20):
            await main()

    anyio.run(bounded)
