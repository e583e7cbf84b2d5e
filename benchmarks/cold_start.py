"""From the prompt to the end of a first execution: `asl run`, `asl serve`, and what they cannot be faster than.

    python -m benchmarks.cold_start [--rounds 7]

The floor of `asl run` is an interpreter that imports typer, rich and pydantic, and does nothing.  All are measured
in turn, so that each has the same share of the machine's noise; the medians are printed, in milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.endpoint import execute, machine
from benchmarks.peers.found import moto_server
from benchmarks.serving import ENVIRONMENT, connections, serving
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FLOOR: Final = "import typer, rich.console; from pydantic import BaseModel"


def measure(rounds: int, *, peers: bool = True) -> dict[str, float]:
    """Milliseconds by what was started; the floor is the first."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="asl-bench-") as name:
        (Path(name) / "asl.toml").touch()  # a project of its own
        ways = ways_to_start(Path(name), peers=peers)
        for work in ways.values():
            work()  # what is compiled once, and the database
        for _ in range(rounds):
            for what, work in ways.items():
                began = time.perf_counter()
                work()
                taken[what].append((time.perf_counter() - began) * 1000)
    return {what: statistics.median(each) for what, each in taken.items()}


def ways_to_start(folder: Path, *, peers: bool) -> Mapping[str, Callable[[], None]]:
    definition = folder / "order.json"
    definition.write_text(WORKLOADS[0].text, encoding="utf-8")
    run = ["-m", "asl_engine", "run", str(definition), "--quiet"]
    ways: dict[str, Callable[[], None]] = {
        f"python -c '{FLOOR}'": lambda: python(["-c", FLOOR], folder),
        "asl run": lambda: python(run, folder),
        "asl serve, to the end of an execution": lambda: own_server(folder),
    }
    if peers and find_spec("moto") is not None and find_spec("flask") is not None:
        ways["moto_server, to the end of an execution"] = moto
    return ways


def python(arguments: Sequence[str], folder: Path) -> None:
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)


def own_server(folder: Path) -> None:
    with serving(folder) as server:
        asyncio.run(first_execution(server.port))


def moto() -> None:
    with moto_server() as port:
        asyncio.run(first_execution(port))


async def first_execution(port: int) -> None:
    (connection,) = connections(port, 1)
    try:
        await execute(connection, await machine(connection, WORKLOADS[0]), WORKLOADS[0])
    finally:
        connection.close()


def show(measured: Mapping[str, float]) -> None:
    floor, *_ = measured.values()
    print(f"{'from a cold start':64}{'ms':>8}{'to the floor':>14}")
    for what, milliseconds in measured.items():
        print(f"{what:64}{milliseconds:>8,.0f}{milliseconds / floor:>14.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How long the first execution takes.")
    parser.add_argument("--rounds", type=int, default=7)
    show(measure(parser.parse_args().rounds))
