"""All that is measured, beside the limits of the same run and beside the peers that are installed.

    python -m benchmarks [--full] [--only PART ...] [--seconds S] [--peer NAME=URL] [--node-modules FOLDER]

The parts are ``limits``, ``engine``, ``api``, ``cold``, ``parked``, ``growth`` and ``memory``.  Without --full
all of them take about three minutes, and what they show is rough.  Peers found of themselves: moto and DBOS where
they can be imported; aws-local-stepfunctions in the folder of --node-modules, with a Node that suits it (--node).
--peer names a server on this machine that answers the Step Functions API.

A wrong output is no speed: it is shown instead of a figure.  Nothing here is a test: machines differ, ratios
travel.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import anyio

from benchmarks import cold_start, growth, limits, memory, parked, run
from benchmarks.peers.found import NO_FIGURE, Served, found
from benchmarks.serving import serving
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS: Final = ("limits", "engine", "api", "cold", "parked", "growth", "memory")
OWN: Final = "asl serve"


class Sizes(NamedTuple):
    """How much is measured.  ``seconds`` are for each workload of the API, on each engine."""

    seconds: float
    rounds: int
    executions: int
    waiting: int
    due_together: int
    stored: int
    events: int
    remembered: int
    large: int
    cold: int


SMALL: Final = Sizes(0.5, 1, 200, 2_000, 500, 5_000, 5_000, 2_000, 100, 3)
FULL: Final = Sizes(4, 5, 1_000, 100_000, 5_000, 1_000_000, 25_000, 50_000, 5_000, 9)


def main() -> None:
    given = arguments()
    sizes = FULL if given.full else SMALL
    if given.seconds is not None:
        sizes = sizes._replace(seconds=given.seconds)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    shows = {
        "limits": show_limits,
        "engine": show_engine,
        "api": lambda sizes: show_api(sizes, given),
        "cold": lambda sizes: cold_start.show(cold_start.measure(sizes.cold)),
        "parked": show_parked,
        "growth": show_growth,
        "memory": show_memory,
    }
    for part in given.only or PARTS:
        print(f"-- {part}", file=sys.stderr)
        shows[part](sizes)
        print(flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="All that is measured.")
    parser.add_argument("--full", action="store_true", help="sizes that tell something; takes half an hour")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; repeatable")
    parser.add_argument("--seconds", type=float, help="for each workload of the API, on each engine")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=URL", help="another server")
    parser.add_argument("--node-modules", type=Path, metavar="FOLDER", help="where aws-local-stepfunctions is")
    parser.add_argument("--node", metavar="FILE", help="the Node to run it with")
    return parser.parse_args()


def show_limits(sizes: Sizes) -> None:
    print(f"{'what the machine allows':48}{'per second':>12}")
    for name, value in limits.measure(sizes.seconds).items():
        print(f"{name:48}{value:>12,.0f}")


def show_engine(sizes: Sizes) -> None:
    """The engine in process beside SQLite alone, which stores the same rows in the same commits."""
    print(f"{'in process':32}{'engine':>12}{'SQLite':>12}{'ratio':>8}  unit")
    for workload in run.workloads(sizes.executions):
        for _ in range(sizes.rounds):
            with tempfile.TemporaryDirectory(prefix="asl-bench-") as name:
                rate, commits = anyio.run(run.run_engine, workload, Path(name))
                workload.engine.append(rate)
                workload.sqlite.append(run.run_sqlite(workload, Path(name), commits))
        engine, bare = statistics.median(workload.engine), statistics.median(workload.sqlite)
        print(f"{workload.name:32}{engine:>12,.0f}{bare:>12,.0f}{engine / bare:>8.2f}  {workload.unit}")


def show_api(sizes: Sizes, given: argparse.Namespace) -> None:
    """Our server and its peers in turn, so that each has the same share of the machine's noise."""
    peers = found(given.peer, given.node_modules, given.node)
    rates: dict[str, list[Mapping[str, float | str]]] = {OWN: [], **{peer.name: [] for peer in peers}}
    for _ in range(sizes.rounds):
        with tempfile.TemporaryDirectory(prefix="asl-bench-") as name:
            (Path(name) / "asl.toml").touch()  # a project of its own
            with serving(Path(name)) as server:
                rates[OWN].append(Served(OWN, server.port).measure(WORKLOADS, sizes.seconds))
        for peer in peers:
            rates[peer.name].append(peer.measure(WORKLOADS, sizes.seconds))
    print(f"{'through the API':24}{OWN:>12}{''.join(f'{peer.name:>26}' for peer in peers)}  unit")
    for workload in WORKLOADS:
        own, *others = (middle(rates[name], workload.name) for name in rates)
        compared = "".join(f"{beside(own, other):>26}" for other in others)
        print(f"{workload.name:24}{shown(own):>12}{compared}  {workload.unit}")
    if any(peer.name in {"dbos", "aws-local-stepfunctions"} for peer in peers):
        print("dbos and aws-local-stepfunctions are in process, without HTTP; the latter keeps nothing on disk")


def middle(rounds: list[Mapping[str, float | str]], name: str) -> float | str:
    found = [one.get(name, NO_FIGURE) for one in rounds]
    figures = [one for one in found if not isinstance(one, str)]
    return statistics.median(figures) if figures else found[0]


def shown(rate: float | str) -> str:
    return rate if isinstance(rate, str) else f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"


def beside(own: float | str, other: float | str) -> str:
    """A peer's rate, and how many times it ours is."""
    if isinstance(own, str) or isinstance(other, str):
        return shown(other)[:24]
    return f"{shown(other)} ({own / other:.2g}x)"


def show_parked(sizes: Sizes) -> None:
    with tempfile.TemporaryDirectory(prefix="asl-bench-") as name:
        (Path(name) / "asl.toml").touch()
        parked.show(parked.measure(Path(name), sizes.waiting, sizes.due_together))


def show_growth(sizes: Sizes) -> None:
    growth.show(growth.measure(sizes.stored, sizes.events, sizes.waiting))


def show_memory(sizes: Sizes) -> None:
    memory.show(memory.measure(sizes.remembered, sizes.large))


if __name__ == "__main__":
    main()
