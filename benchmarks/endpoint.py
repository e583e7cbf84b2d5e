"""Drives whatever speaks the Step Functions API: the rate of each workload, output compared."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from benchmarks.serving import ROLE, Refused, boto_connections, connections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.serving import BotoConnection, Connection
    from benchmarks.workloads import Workload

    Caller = Connection | BotoConnection

__all__ = ["rate"]

SHORTEST_POLL: Final = 0.001
LONGEST_POLL: Final = 0.05
PATIENCE_SECONDS: Final = 60


async def rate(port: int, workload: Workload, seconds: float) -> float | str:
    """Units per second; or why there is no such figure."""
    opened: Sequence[Caller] = (boto_connections if workload.by_boto3 else connections)(port, workload.at_once)
    try:
        arn = await machine(opened[0], workload)
        await execute(opened[0], arn, workload)
        return await closed_loop(opened, arn, workload, seconds)
    except (Refused, WrongOutput) as error:
        return str(error)
    finally:
        for connection in opened:
            connection.close()


class WrongOutput(Exception):
    """It ended otherwise than it has to."""


async def machine(connection: Caller, workload: Workload) -> str:
    name = f"bench-{uuid4().hex[:8]}"
    made = await connection.call("CreateStateMachine", name=name, definition=workload.text, roleArn=ROLE)
    return str(made["stateMachineArn"])


async def execute(connection: Caller, arn: str, workload: Workload) -> None:
    """One execution, from the request to its end.  Raises ``WrongOutput``."""
    began = await connection.call(
        "StartExecution", stateMachineArn=arn, name=uuid4().hex, input=json.dumps(workload.input)
    )
    pause, end = SHORTEST_POLL, time.monotonic() + PATIENCE_SECONDS
    while True:
        found = await connection.call("DescribeExecution", executionArn=began["executionArn"])
        if found["status"] not in {"RUNNING", "SUCCEEDED"} or "output" in found:  # a peer tells of its end before
            break
        if time.monotonic() > end:
            raise WrongOutput("no end")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_POLL)
    if found["status"] != "SUCCEEDED":
        raise WrongOutput(f"{found['status']} {found.get('error', '')}".strip())
    if json.loads(found["output"]) != workload.output:
        raise WrongOutput("wrong output")


async def closed_loop(opened: Sequence[Caller], arn: str, workload: Workload, seconds: float) -> float:
    """As many callers as connections, each of which starts an execution when its last has ended."""
    began = time.perf_counter()
    done = 0

    async def caller(connection: Caller) -> None:
        nonlocal done
        while time.perf_counter() < began + seconds:
            await execute(connection, arn, workload)
            done += 1

    callers: list[asyncio.Task[Any]] = [asyncio.ensure_future(caller(connection)) for connection in opened]
    try:
        await asyncio.gather(*callers)
    finally:
        for one in callers:
            one.cancel()
        with suppress(Refused, WrongOutput, asyncio.CancelledError):
            await asyncio.gather(*callers)
    return done * workload.units / (time.perf_counter() - began)
