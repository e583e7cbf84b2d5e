"""What this machine allows at this moment: the scale of everything else."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.run import one_row_commits
from benchmarks.serving import connections, for_each

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Limits", "measure"]

# The least that answers HTTP in Python.
SERVER: Final = """
import asyncio

class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")

async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
PAGE: Final = b"x" * 4096
CALLERS: Final = 10

Limits = dict[str, float]


def measure(seconds: float) -> Mapping[str, float]:
    """By their names, each per second."""
    with tempfile.TemporaryDirectory(prefix="asl-bench-") as folder:
        return {
            "fsync of 4 KB": syncs(Path(folder), seconds),
            "SQLite, one row per commit, synchronous=FULL": one_row_commits(Path(folder), 500),
            "HTTP calls, 1 caller": calls(1, seconds),
            f"HTTP calls, {CALLERS} callers": calls(CALLERS, seconds),
        }


def syncs(folder: Path, seconds: float) -> float:
    count = 0
    with (folder / "synced").open("wb", buffering=0) as file:
        began = time.perf_counter()
        while time.perf_counter() < began + seconds:
            file.write(PAGE)
            os.fsync(file.fileno())
            count += 1
        return count / (time.perf_counter() - began)


def calls(callers: int, seconds: float) -> float:
    """Of the same client to the smallest server: more than two of them an execution cannot do without."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None  # noqa: S101  for the type checker
            port = int(process.stdout.readline())
            count = 500
            while True:  # until it takes long enough
                began = time.perf_counter()
                asyncio.run(called(port, callers, count))
                taken = time.perf_counter() - began
                if taken >= seconds / 2:
                    return count / taken
                count *= 4
        finally:
            process.kill()


async def called(port: int, callers: int, count: int) -> None:
    opened = connections(port, callers)
    await for_each(opened, count, lambda connection, _: connection.call("DescribeExecution", executionArn="arn"))
    for connection in opened:
        connection.close()
