"""What the Step Functions API costs over HTTP, beside the engine without it.

    python -m benchmarks.api [--rounds 3] [--requests 2000] [--at-once 50]

`asl serve` runs in a process of its own; the client keeps its connections open and does as little as it can.
Each round measures the engine in process and the API in turn, and the medians are printed.  The executions are
those of the order machine, whose tasks give back what they are given.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.catalog import Catalog, resolve
from asl_engine.resources.python.loading import load_tasks
from asl_engine.store.sqlite.store import SqliteStore
from benchmarks.serving import ROLE, ROOT, Connection, connections, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MACHINE = (ROOT / "statemachines" / "order.json").read_text(encoding="utf-8")
INPUT = (ROOT / "order.json").read_text(encoding="utf-8")
TASKS = "".join(
    f"async def {name}(event):\n    return event\n\n\n"
    for name in (
        "validate_order",
        "check_inventory",
        "process_payment",
        "fulfill_order",
        "notify_failure",
        "refund",
    )
)
POLL_SECONDS = 0.005


async def rate(at_once: int, count: int, port: int, work: Callable[[Connection, int], Awaitable[object]]) -> float:
    """How often ``work`` is done per second, on so many connections."""
    numbers = iter(range(count))

    async def worker(connection: Connection) -> None:
        for number in numbers:
            await work(connection, number)

    opened = connections(port, at_once)
    started = time.perf_counter()
    await asyncio.gather(*map(worker, opened))
    return count / (time.perf_counter() - started)


async def measure_api(port: int, requests: int, at_once: int) -> dict[str, float]:
    connection = Connection(port)
    machine = (await connection.call("CreateStateMachine", name="bench", definition=MACHINE, roleArn=ROLE))[
        "stateMachineArn"
    ]
    arn = machine.replace(":stateMachine:", ":execution:")

    async def ended(connection: Connection, name: str) -> None:  # a caller can only ask again
        while (await connection.call("DescribeExecution", executionArn=f"{arn}:{name}"))["status"] == "RUNNING":
            await asyncio.sleep(POLL_SECONDS)

    async def execute(connection: Connection, number: int) -> None:
        await connection.call("StartExecution", stateMachineArn=machine, name=f"x{number}", input=INPUT)

    async def all_ended() -> None:
        listed = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
        while (await connection.call("ListExecutions", **listed))["executions"]:
            await asyncio.sleep(POLL_SECONDS)

    await execute(connection, -1)
    await ended(connection, "x-1")
    found: dict[str, float] = {}
    started = time.perf_counter()
    found["StartExecution"] = await rate(at_once, requests, port, execute)
    await all_ended()
    found["executions"] = requests / (time.perf_counter() - started)
    for operation in ("DescribeExecution", "GetExecutionHistory"):

        async def ask(connection: Connection, number: int, operation: str = operation) -> None:
            await connection.call(operation, executionArn=f"{arn}:x{number % requests}")

        found[operation] = await rate(at_once, requests, port, ask)
    return found


async def measure_engine(folder: Path, requests: int, at_once: int) -> float:
    """Executions per second without the API."""
    machine = load(MACHINE)
    resources = resolve(machine.resources, Catalog(load_tasks(folder / "tasks", root=folder)))
    store = await SqliteStore.open(folder / "engine.db", create=True)
    names = iter(range(requests))
    async with Engine(store, resources) as engine:

        async def worker() -> None:
            for number in names:
                await (await engine.start(machine, "bench", Payload.of_text(INPUT), f"x{number}")).wait()

        started = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        seconds = time.perf_counter() - started
    await store.close()
    return requests / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="The API's rates beside the engine's.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--at-once", type=int, default=50)
    arguments = parser.parse_args()
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as name:
            (Path(name) / "asl.toml").touch()  # a project of its own
            (Path(name) / "tasks").mkdir()
            (Path(name) / "tasks" / "echo.py").write_text(TASKS, encoding="utf-8")
            found["engine"].append(asyncio.run(measure_engine(Path(name), arguments.requests, arguments.at_once)))
            with serving(Path(name)) as server:
                for key, value in asyncio.run(
                    measure_api(server.port, arguments.requests, arguments.at_once)
                ).items():
                    found[key].append(value)
    medians = {key: statistics.median(values) for key, values in found.items()}
    engine = medians["engine"]
    print(f"{'':24}{'per second':>12}{'to engine':>12}")
    print(f"{'engine, executions':24}{engine:>12,.0f}{1:>12.2f}")
    for key in ("executions", "StartExecution", "DescribeExecution", "GetExecutionHistory"):
        name = "API, executions" if key == "executions" else key
        print(f"{name:24}{medians[key]:>12,.0f}{medians[key] / engine:>12.2f}")


if __name__ == "__main__":
    main()
