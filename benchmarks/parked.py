"""Executions that wait: what each takes, how soon they are armed again after a crash, how late they go on.

    python -m benchmarks.parked [--executions 5000] [--due-together 1000]

A server starts executions of one Wait state over the API.  It is killed without a warning, and started again: it
has to answer while it takes them up, and all of them have to go on when they are due.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, NamedTuple

from benchmarks.serving import ROLE, Connection, Server, connections, for_each, serving

MACHINE = json.dumps(
    {
        "StartAt": "W",
        "States": {
            "W": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "D"},
            "D": {"Type": "Succeed"},
        },
    }
)
LONG = 1_000_000  # seconds
CALLERS = 16
WARM = 200
PING_SECONDS = 0.02


class Parked(NamedTuple):
    """``late`` are the milliseconds that executions went on too late, sorted; times are in seconds."""

    executions: int
    bytes_each: float
    starts_per_second: float
    armed: float
    slowest_answer: float
    median_answer: float
    stopped: float
    late: list[float]


def share(values: list[float], part: float) -> float:
    """The value that this part of the sorted values does not exceed."""
    return values[min(len(values) - 1, int(len(values) * part))]


async def machine_of(connection: Connection) -> str:
    made = await connection.call("CreateStateMachine", name="parked", definition=MACHINE, roleArn=ROLE)
    return str(made["stateMachineArn"])


async def start(server: Server, prefix: str, count: int, seconds: int) -> list[str]:
    """The ARNs of so many executions that wait so long."""
    opened = connections(server.port, CALLERS)
    machine = await machine_of(opened[0])
    arns: list[str] = []

    async def one(connection: Connection, number: int) -> None:
        began = await connection.call(
            "StartExecution",
            stateMachineArn=machine,
            name=f"{prefix}{number}",
            input=json.dumps({"seconds": seconds}),
        )
        arns.append(began["executionArn"])

    await for_each(opened, count, one)
    for connection in opened:
        connection.close()
    return arns


async def asked_meanwhile(server: Server, done: threading.Event) -> list[float]:
    """How long the server took to answer, asked until ``done``, in seconds and sorted."""
    (connection,) = connections(server.port, 1)
    machine = await machine_of(connection)
    arn = machine.replace(":stateMachine:", ":execution:") + ":p0"
    taken = []
    while not done.is_set():
        began = time.perf_counter()
        found = await connection.call("DescribeExecution", executionArn=arn)
        taken.append(time.perf_counter() - began)
        if found["status"] != "RUNNING":
            raise SystemExit(f"{arn}: {found['status']}")
        await asyncio.sleep(PING_SECONDS)
    connection.close()
    return sorted(taken)


async def lateness(server: Server, count: int) -> list[float]:
    """By how many milliseconds executions go on too late that are due at about the same time."""
    began = time.perf_counter()
    await start(server, "probe", WARM, 1)
    seconds = max(3, round(count / WARM * (time.perf_counter() - began) * 1.3) + 1)
    arns = await start(server, "due", count, seconds)
    await asyncio.sleep(max(0, seconds - (time.perf_counter() - began)) + seconds)
    late: list[float] = []
    opened = connections(server.port, CALLERS)

    async def look(connection: Connection, number: int) -> None:
        while (found := await connection.call("DescribeExecution", executionArn=arns[number]))[
            "status"
        ] == "RUNNING":
            await asyncio.sleep(PING_SECONDS)
        if found["status"] != "SUCCEEDED" or json.loads(found["output"]) != {"seconds": seconds}:
            raise SystemExit(f"{arns[number]}: {found}")
        late.append((found["stopDate"] - found["startDate"] - seconds) * 1000)

    await for_each(opened, count, look)
    for connection in opened:
        connection.close()
    return sorted(late)


def reported(stream: IO[bytes], done: threading.Event, number: int) -> None:
    """Set ``done`` once the server says that so many executions go on, or is gone."""
    for line in stream:
        if f"{number} executions resumed".encode() in line.replace(b",", b""):
            break
    done.set()


def measure(folder: Path, executions: int, due_together: int) -> Parked:
    with serving(folder) as server:
        asyncio.run(start(server, "warm", WARM, 1))
        before = server.memory
        began = time.perf_counter()
        asyncio.run(start(server, "p", executions, LONG))
        started = time.perf_counter() - began
        each = (server.memory - before) / executions
        server.process.kill()
        server.process.wait()
    began = time.perf_counter()
    with serving(folder, errors=subprocess.PIPE) as server:
        done = threading.Event()
        stream: Any = server.process.stderr
        threading.Thread(target=reported, args=(stream, done, executions), daemon=True).start()
        answers = asyncio.run(asked_meanwhile(server, done))
        armed = time.perf_counter() - began
        late = asyncio.run(lateness(server, due_together)) if due_together else []
        began = time.perf_counter()
        server.process.terminate()
        server.process.wait()
        stopped = time.perf_counter() - began
    return Parked(executions, each, executions / started, armed, answers[-1], share(answers, 0.5), stopped, late)


def show(found: Parked) -> None:
    late = found.late
    print(f"{found.executions:,} executions wait: {found.bytes_each / 1024:.1f} KiB each")
    print(f"  started over the API: {found.starts_per_second:,.0f}/s")
    print(f"  armed again after kill -9: {found.armed:.1f} s from the start of the process; DescribeExecution")
    print(f"  meanwhile: median {found.median_answer * 1000:.1f} ms, slowest {found.slowest_answer * 1000:.0f} ms")
    if late:
        print(
            f"  {len(late):,} more that are due together go on too late by {share(late, 0.5):.0f} ms (median), "
            f"{share(late, 0.99):.0f} (99 %), {late[-1]:.0f} (all)"
        )
    print(f"  SIGTERM: gone in {found.stopped:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description="Executions that wait.")
    parser.add_argument("--executions", type=int, default=5_000)
    parser.add_argument("--due-together", type=int, default=1_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="asl-bench-") as name:
        (Path(name) / "asl.toml").touch()  # a project of its own
        show(measure(Path(name), arguments.executions, arguments.due_together))


if __name__ == "__main__":
    main()
