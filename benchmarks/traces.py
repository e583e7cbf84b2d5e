"""What traces and JSON logs cost: the order machine, with and without them.

    python benchmarks/traces.py [--rounds 5] [--executions 500]

Each round runs all variants in turn, on the same disk, with synchronous=FULL; the medians of executions per second
and of the processor's time for each, and the ratio of that to the engine alone, are printed.  The collector is a
process that takes whatever it is sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.practice.logs import configure_logging
from asl_engine.resources.python.tasks import python_resource
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
ORDER = load((ROOT / "statemachines" / "order.json").read_text(encoding="utf-8"))
ORDER_INPUT = (ROOT / "order.json").read_text(encoding="utf-8")
AT_ONCE = 100
COLLECTOR = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""
log = logging.getLogger("benchmark")


async def echo(event: Any) -> Any:
    return event


async def log_and_echo(event: Any) -> Any:
    log.info("called", extra={"order": "o-1"})
    return event


async def measure(folder: Path, executions: int, *, traced: bool, logs: bool) -> tuple[float, float]:
    """Executions per second, and the processor's milliseconds for each."""
    store = await SqliteStore.open(folder / "asl.db")
    resource = python_resource(log_and_echo if logs else echo, "echo")
    resources: Any = dict.fromkeys(ORDER.resources, resource)
    traces = observer = None
    if traced:
        from asl_engine.practice.traces import begin_traces

        traces = begin_traces()
        traces.store = store
        resources, observer = traces.resources(resources), traces.observe
    names = iter(range(executions))
    async with Engine(store, resources, observer=observer) as engine:

        async def worker() -> None:
            for number in names:
                run = await engine.start(ORDER, "order", Payload.of_text(ORDER_INPUT), f"e{number}")
                await run.wait()

        begin, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        seconds = time.perf_counter() - begin
    await store.close()
    if traces is not None:
        await traces.end()  # what it sends counts
    return executions / seconds, (time.process_time() - used) / executions * 1000


def one(executions: int, variant: str) -> tuple[float, float]:
    """In a process of its own, where nothing is imported that the variant does not need."""
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        if variant == "logs":
            configure_logging(nowhere, "INFO")
        made = measure(Path(folder), executions, traced=variant.startswith("traces"), logs=variant == "logs")
        return asyncio.run(made)


@contextmanager
def collector() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", COLLECTOR], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101  it was asked for
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def measured(variant: str, executions: int, endpoint: str) -> tuple[float, float]:
    arguments = ["--variant", variant, "--executions", str(executions)]
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_MAX_QUEUE_SIZE": "100000"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.traces", *arguments],
        env=environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    rate, cost = json.loads(done.stdout)
    return rate, cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--executions", type=int, default=500)
    parser.add_argument("--variant")
    given = parser.parse_args()
    if given.variant:
        print(json.dumps(one(given.executions, given.variant)))
        return
    found: dict[str, list[tuple[float, float]]] = {}
    with collector() as endpoint:
        for _ in range(given.rounds):
            for variant, where in (
                ("alone", endpoint),
                ("logs", endpoint),
                ("traces", endpoint),
                ("traces, no collector", "http://127.0.0.1:1"),
            ):
                found.setdefault(variant, []).append(measured(variant, given.executions, where))
    alone = 0.0
    for variant, runs in found.items():
        rate, cost = (statistics.median(column) for column in zip(*runs, strict=True))
        alone = alone or cost
        print(f"{variant:<22} {rate:>6.0f} executions/s  {cost:>6.2f} ms of the processor  {cost / alone:>5.2f}")


if __name__ == "__main__":
    main()
