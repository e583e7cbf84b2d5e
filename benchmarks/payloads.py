"""A document of 240 KB that passes through ten states: executions a second, and copies of it on disk.

    python benchmarks/payloads.py [--rounds 3] [--seconds 3] [--modules node_modules [--node node]]

Each state selects a small part, makes an object of it and puts that into the document.  Each round measures in
turn: the engine with one and with four executions at once, durable as `asl run` makes it; the least that this
could take (the text is read once, written once in its compact form, and stored once with one commit); and, where
--modules names a folder with aws-local-stepfunctions in it, that engine, which keeps everything in memory.
Medians are printed.  An output that is not right is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from asl_engine.engine.engine import Engine
from asl_engine.json_text import dumps, loads
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.store.sqlite.store import SqliteStore

STATES = 10
AT_ONCE = (1, 4)
BODY = [{"k": f"key-{number:06}", "v": "x" * 64, "n": number} for number in range(240 * 1024 // 106)]
DOCUMENT: dict[str, Any] = {"meta": {"id": "m-1", "tags": ["t1", "t2"]}, "body": BODY}
EXPECTED = DOCUMENT | {f"r{n}": {"step": n, "id": "m-1", "tag": "t1"} for n in range(STATES)}
TEXT = json.dumps(DOCUMENT)
MACHINE = {
    "StartAt": "S0",
    "States": {
        f"S{n}": {
            "Type": "Pass",
            "InputPath": "$.meta",
            "Parameters": {"step": n, "id.$": "$.id", "tag.$": "$.tags[0]"},
            "ResultPath": f"$.r{n}",
            **({"Next": f"S{n + 1}"} if n + 1 < STATES else {"End": True}),
        }
        for n in range(STATES)
    },
}
JAVASCRIPT = """
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
const { machine, text, expected, seconds, modules } = JSON.parse(readFileSync(0, 'utf8'));
const { StateMachine } = createRequire(modules + '/x.js')('aws-local-stepfunctions');
const input = JSON.parse(text), loaded = new StateMachine(machine);
const run = () => loaded.run(input, {}).result;
if (!isDeepStrictEqual(await run(), expected)) throw new Error('wrong output');
const rates = [];
for (const atOnce of [1, 4]) {
  let done = 0;
  const began = performance.now(), end = began + 1000 * seconds;
  const work = async () => { while (performance.now() < end) { await run(); done++; } };
  await Promise.all(Array.from({ length: atOnce }, work));
  rates.push(1000 * done / (performance.now() - began));
}
console.log(JSON.stringify(rates));
"""


async def run_engine(folder: Path, at_once: int, seconds: float) -> tuple[float, float, float]:
    """Executions per second, copies of the document on disk for each, and the largest write-ahead log in MB."""
    path, log = folder / "asl.db", folder / "asl.db-wal"
    machine = load(json.dumps(MACHINE))
    store = await SqliteStore.open(path)
    done, largest = 0, 0
    async with Engine(store, {}) as engine:

        async def execute() -> None:
            nonlocal done, largest
            run = await engine.start(machine, "bench", Payload.of_text(TEXT), f"x{done}-{time.perf_counter_ns()}")
            execution = await run.wait()
            if execution.output is None or (done == 0 and execution.output.text != dumps(EXPECTED)):
                raise SystemExit(f"the output is wrong: {execution.status} {execution.error} {execution.cause}")
            done += 1
            largest = max(largest, log.stat().st_size)

        async def work() -> None:
            while time.perf_counter() < end:
                await execute()

        await execute()
        began = time.perf_counter()
        end = began + seconds
        await asyncio.gather(*(work() for _ in range(at_once)))
        rate = (done - 1) / (time.perf_counter() - began)
    await store.close()
    return rate, path.stat().st_size / done / len(TEXT), largest / 1e6


def run_floor(folder: Path, seconds: float) -> float:
    """How often a second the text is read, written and stored, and nothing else is done."""
    done = 0
    with closing(sqlite3.connect(folder / "floor.db")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE t (text)")
        began = time.perf_counter()
        while time.perf_counter() < began + seconds:
            dumps(loads(TEXT))
            db.execute("INSERT INTO t VALUES (?)", (TEXT,))
            db.commit()
            done += 1
        return done / (time.perf_counter() - began)


def run_javascript(node: str, modules: Path, seconds: float) -> list[float]:
    given = {
        "machine": MACHINE,
        "text": TEXT,
        "expected": EXPECTED,
        "seconds": seconds,
        "modules": str(modules.resolve()),
    }
    command = [node, "--input-type=module", "-e", JAVASCRIPT]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"aws-local-stepfunctions: {done.stderr.strip()}")
    rates: list[float] = json.loads(done.stdout)
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description="A large document through ten states.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--modules", type=Path, help="a node_modules with aws-local-stepfunctions in it")
    parser.add_argument("--node", default="node", help="Node.js 22 or later")
    given = parser.parse_args()
    rates: dict[str, list[float]] = {}
    copies, largest = 0.0, 0.0
    for number in range(given.rounds):
        print(f"round {number + 1} of {given.rounds}", file=sys.stderr)
        for at_once in AT_ONCE:
            with tempfile.TemporaryDirectory(dir=Path(__file__).parents[1], prefix=".bench-") as name:
                rate, copies, log = asyncio.run(run_engine(Path(name), at_once, given.seconds))
            rates.setdefault(f"engine, {at_once} at once", []).append(rate)
            largest = max(largest, log)
        with tempfile.TemporaryDirectory(dir=Path(__file__).parents[1], prefix=".bench-") as name:
            rates.setdefault("read, written, stored once", []).append(run_floor(Path(name), given.seconds))
        if given.modules is not None:
            for at_once, rate in zip(
                AT_ONCE, run_javascript(given.node, given.modules, given.seconds), strict=True
            ):
                rates.setdefault(f"in memory, JavaScript, {at_once} at once", []).append(rate)
    engine = statistics.median(rates["engine, 1 at once"])
    print(f"{'':36}{'per second':>12}{'engine to it':>14}")
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"{name:36}{rate:>12,.1f}{engine / rate:>14.2f}")
    print(f"copies of the document on disk: {copies:.2f}; the largest write-ahead log: {largest:.1f} MB")


if __name__ == "__main__":
    main()
