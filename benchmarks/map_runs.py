"""A distributed Map over items that are read from a file: children a second, and the memory it takes.

    python benchmarks/map_runs.py [--items 100000] [--type EXPRESS|STANDARD] [--write]

Each child has one Pass state; the database is as durable as `asl run` makes it.  With --write the results go to
files, as a Map Run of many items has to do on AWS; without it all of them are the state's output.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import tempfile
import time
from pathlib import Path

from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.limits import NO_LIMITS
from asl_engine.payload import Payload
from asl_engine.store.sqlite.store import SqliteStore


def definition(kind: str, *, write: bool) -> str:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "Result": 0, "End": True}},
    }
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSONL"},
        "Parameters": {"Bucket": "data", "Key": "items.jsonl"},
    }
    state = {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "End": True}
    if write:
        place = {"Bucket": "data", "Prefix": "results"}
        state["ResultWriter"] = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": place}
    return json.dumps({"StartAt": "M", "States": {"M": state}})


def write_items(folder: Path, number: int) -> None:
    with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(f'{{"id": {index}, "name": "item {index}"}}\n' for index in range(number))


async def run(kind: str, number: int, folder: Path, *, write: bool) -> None:
    write_items(folder, number)
    machine = load(definition(kind, write=write))
    store = await SqliteStore.open(folder / "asl.db")
    async with Engine(store, {}, limits=NO_LIMITS, buckets={"data": folder}) as engine:
        began = time.perf_counter()
        execution = await (await engine.start(machine, "benchmark", Payload({}), "run")).wait()
        taken = time.perf_counter() - began
    await store.close()
    if execution.status != "SUCCEEDED":
        raise SystemExit(f"{execution.error}: {execution.cause}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = (folder / "asl.db").stat().st_size / 1e6
    print(
        f"{kind:9} {number:>9,} children in {taken:7.1f} s: {number / taken:7,.0f}/s, "
        f"at most {memory:,.0f} MiB, {size:,.0f} MB on disk"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--type", choices=("EXPRESS", "STANDARD"), default="EXPRESS")
    parser.add_argument("--write", action="store_true", help="give the results to a ResultWriter")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(given.type, given.items, Path(folder), write=given.write))
