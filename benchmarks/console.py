"""What an open console costs the API: its rate with the list of runs open in one page, to that without.

    python -m benchmarks.console [--pairs 10] [--requests 1500] [--at-once 20]

`asl serve` runs in a process of its own.  The two are measured in turn, first the one and then the other, on the
same server, so what else the machine does meanwhile meets both.  The ratio is the median of those of the pairs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.serving import ROLE, ROOT, Connection, connections, for_each, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MACHINE = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}})
STREAM = b"GET /console/api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
LIST = b"GET /console/api/runs HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Seen(NamedTuple):
    """Executions per second without and with the page, and how often and how much it was told in a second."""

    without: list[float]
    with_page: list[float]
    messages: list[float]
    kilobytes: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(there / alone for there, alone in zip(self.with_page, self.without, strict=True))


@asynccontextmanager
async def page(port: int) -> AsyncIterator[list[int]]:
    """The list of runs is open: the lengths of what it was told."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(STREAM)
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head, head  # noqa: S101  else nothing would be measured
    told: list[int] = []
    asking = await asyncio.open_connection("127.0.0.1", port)

    async def read() -> None:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                told.append(len(line))
                if b'"reload":true' in line:  # too much has changed: the page fetches the list anew
                    told[-1] += await listed(*asking)

    reading = asyncio.ensure_future(read())
    try:
        yield told
    finally:
        reading.cancel()
        for stream in (writer, asking[1]):
            stream.close()
            await stream.wait_closed()


async def listed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Fetch the list: the length of the answer."""
    writer.write(LIST)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
    await reader.readexactly(length)
    return length


async def measure(port: int, pairs: int, requests: int, at_once: int) -> Seen:
    opened = connections(port, at_once)
    made = await opened[0].call("CreateStateMachine", name="bench", definition=MACHINE, roleArn=ROLE)
    machine, seen = made["stateMachineArn"], Seen([], [], [], [])

    async def start(connection: Connection, _: int) -> None:
        await connection.call("StartExecution", stateMachineArn=machine, input="{}")

    async def rate() -> float:
        began = time.perf_counter()
        await for_each(opened, requests, start)
        return requests / (time.perf_counter() - began)

    async with page(port):  # what is loaded with the first page
        await rate()
    for number in range(pairs):
        for is_open in (number % 2 == 0, number % 2 == 1):
            if not is_open:
                seen.without.append(await rate())
                continue
            async with page(port) as told:
                began = time.perf_counter()
                seen.with_page.append(await rate())
                took = time.perf_counter() - began
            seen.messages.append(len(told) / took)
            seen.kilobytes.append(sum(told) / took / 1000)
    for connection in opened:
        await connection.closed()
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description="What an open console costs the API.")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--requests", type=int, default=1_500)
    parser.add_argument("--at-once", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as name:
        (Path(name) / "asl.toml").touch()  # a project of its own
        with serving(Path(name)) as server:
            seen = asyncio.run(measure(server.port, given.pairs, given.requests, given.at_once))
    print(f"{'without a page':24}{statistics.median(seen.without):>12,.0f} StartExecution per second")
    print(f"{'with the list open':24}{statistics.median(seen.with_page):>12,.0f}")
    told = f"{statistics.median(seen.messages):.1f} messages and {statistics.median(seen.kilobytes):.0f} kB"
    print(f"{'the page is told':24}{told:>12} per second")
    print(f"{'ratio':24}{seen.ratio:>12.3f}")


if __name__ == "__main__":
    main()
