"""What the engine costs, beside what SQLite alone costs for the same rows and the same commits.

    python benchmarks/run.py [--rounds 5] [--executions 1000]

Each round measures the engine and the bare database in turn, on the same disk, with synchronous=FULL;
the medians and their ratio are printed.  Nothing here is a test: machines differ, ratios travel.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.python.tasks import python_resource
from asl_engine.store.sqlite import writer
from asl_engine.store.sqlite.appends import INSERT_EVENTS
from asl_engine.store.sqlite.codec import WIDTH
from asl_engine.store.sqlite.schema import MIGRATIONS
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.core.machine import StateMachine
    from asl_engine.store.sqlite.appends import Append

ROOT = Path(__file__).parents[1]
ORDER = json.loads((ROOT / "statemachines" / "order.json").read_text(encoding="utf-8"))
ORDER_INPUT = (ROOT / "order.json").read_text(encoding="utf-8")
TURNS = 2_000
LOOP = {
    "StartAt": "Check",
    "States": {
        "Check": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.i", "NumericLessThanPath": "$.n", "Next": "Inc"}],
            "Default": "Done",
        },
        "Inc": {
            "Type": "Pass",
            "Parameters": {"i.$": "States.MathAdd($.i, 1)", "n.$": "$.n"},
            "Next": "Check",
        },
        "Done": {"Type": "Succeed"},
    },
}


@contextmanager
def counted() -> Iterator[list[list[tuple[Any, ...]]]]:
    """The rows of each commit meanwhile, so that the bare database can be given the very same."""
    commits: list[list[tuple[Any, ...]]] = []
    write = writer.write_together

    def count(db: sqlite3.Connection, appends: Sequence[Append]) -> list[writer.Outcome]:
        values = [value for append in appends for value in append.events]
        commits.append([tuple(values[at : at + WIDTH]) for at in range(0, len(values), WIDTH)])
        return write(db, appends)

    writer.write_together = count
    try:
        yield commits
    finally:
        writer.write_together = write


@dataclass
class Workload:
    """``executions`` runs of a machine, ``at_once`` of them at a time; each counts for ``units``."""

    name: str
    unit: str
    machine: StateMachine
    input: str
    executions: int
    at_once: int
    units: int = 1
    engine: list[float] = field(default_factory=list)
    sqlite: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.executions * self.units


async def echo(event: Any) -> Any:
    return event


async def run_engine(workload: Workload, folder: Path) -> tuple[float, list[list[tuple[Any, ...]]]]:
    """Units per second, and the rows of each commit."""
    store = await SqliteStore.open(folder / "engine.db")
    instant = python_resource(echo, "echo")
    names = iter(range(workload.executions))
    resources = dict.fromkeys(workload.machine.resources, instant)
    with counted() as commits:
        async with Engine(store, resources) as engine:

            async def worker() -> None:
                for number in names:
                    run = await engine.start(
                        workload.machine, "bench", Payload.of_text(workload.input), f"e{number}"
                    )
                    execution = await run.wait()
                    if execution.status != "SUCCEEDED":
                        raise SystemExit(
                            f"{workload.name}: {execution.status} {execution.error} {execution.cause}"
                        )

            started = time.perf_counter()
            async with anyio.create_task_group() as group:
                for _ in range(workload.at_once):
                    group.start_soon(worker)
            seconds = time.perf_counter() - started
        await store.close()
    return workload.total / seconds, commits


def run_sqlite(workload: Workload, folder: Path, commits: list[list[tuple[Any, ...]]]) -> float:
    """Units per second of a loop that does nothing but store those rows in those commits."""
    db = sqlite3.connect(folder / "bare.db")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    for migration in MIGRATIONS:
        for statement in migration:
            db.execute(statement)
    insert = f"{INSERT_EVENTS} ({', '.join('?' * WIDTH)})"
    started = time.perf_counter()
    for rows in commits:
        db.executemany(insert, rows)
        db.commit()
    seconds = time.perf_counter() - started
    db.close()
    return workload.total / seconds


def one_row_commits(folder: Path, count: int = 2_000) -> float:
    """This disk's one-row commits per second with synchronous=FULL: the scale of everything else."""
    db = sqlite3.connect(folder / "scale.db")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE t (x)")
    started = time.perf_counter()
    for number in range(count):
        db.execute("INSERT INTO t VALUES (?)", (number,))
        db.commit()
    seconds = time.perf_counter() - started
    db.close()
    return count / seconds


def workloads(executions: int) -> list[Workload]:
    order, loop = load(json.dumps(ORDER)), load(json.dumps(LOOP))
    start = json.dumps({"i": 0, "n": TURNS})
    return [
        Workload("order, 1 at once", "executions/s", order, ORDER_INPUT, executions, 1),
        Workload("order, 100 at once", "executions/s", order, ORDER_INPUT, executions * 4, 100),
        Workload(f"loop of {TURNS} turns", "transitions/s", loop, start, 3, 1, 2 * TURNS + 2),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="The engine's rates beside SQLite's own.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--executions", type=int, default=500, help="of the order machine, per round")
    arguments = parser.parse_args()
    scale = []
    measured = workloads(arguments.executions)
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as name:
            scale.append(one_row_commits(Path(name)))
        for workload in measured:
            with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as name:
                rate, commits = anyio.run(run_engine, workload, Path(name))
                workload.engine.append(rate)
                workload.sqlite.append(run_sqlite(workload, Path(name), commits))
    print(f"SQLite, one row per commit, synchronous=FULL: {statistics.median(scale):,.0f} commits/s")
    print(f"{'workload':24}{'engine':>12}{'SQLite':>12}{'ratio':>8}  unit")
    for workload in measured:
        engine, bare = statistics.median(workload.engine), statistics.median(workload.sqlite)
        print(f"{workload.name:24}{engine:>12,.0f}{bare:>12,.0f}{engine / bare:>8.2f}  {workload.unit}")


if __name__ == "__main__":
    main()
