"""A task learns whether its execution has given it up, or only this process."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.cancelling import given_up
from asl_engine.store.memory.store import MemoryStore

if TYPE_CHECKING:
    from asl_engine.resources import TaskCall

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
RESOURCE = "arn:aws:states:::ecs:runTask.sync"
BUSY: Any = {"Type": "Task", "Resource": RESOURCE, "End": True}


@pytest.mark.parametrize(
    ("how", "stopped"), [("stop", True), ("timeout", True), ("the other branch fails", True), ("exit", False)]
)
def test_what_a_task_has_started_is_stopped_with_it_alone(how: str, stopped: bool) -> None:
    heard: list[bool] = []
    clock = VirtualClock()
    began = asyncio.Event()

    async def job(call: TaskCall) -> Payload:
        try:
            began.set()
            if how == "timeout":
                clock.jump(clock.now() + 5_000)
                call.heartbeat()
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            await asyncio.sleep(0)  # as if it asked the service to stop the job
            heard.append(given_up(cancelled))
            raise
        return Payload(None)

    async def failing(call: TaskCall) -> Payload:
        del call
        await began.wait()
        raise StatesError("Bad")

    machine = load(json.dumps({"StartAt": "T", "States": {"T": state_for(how)}}))

    async def main() -> None:
        with anyio.fail_after(20):
            store = MemoryStore()
            async with Engine(store, {RESOURCE: job, FUNCTION: failing}, clock=clock) as engine:
                run = await engine.start(machine, "m", Payload({}), "x")
                await began.wait()
                if how == "stop":
                    record = await store.record(run.arn)
                    assert record is not None
                    await engine.stop(machine, record)
                elif how != "exit":
                    await run.wait()

    anyio.run(main)
    assert heard == [stopped]


def state_for(how: str) -> Any:
    if how == "timeout":
        return BUSY | {"TimeoutSeconds": 5}
    if how == "the other branch fails":
        failing = {"StartAt": "F", "States": {"F": BUSY | {"Resource": FUNCTION}}}
        branches = [{"StartAt": "B", "States": {"B": BUSY}}, failing]
        return {"Type": "Parallel", "Branches": branches, "End": True}
    return BUSY
