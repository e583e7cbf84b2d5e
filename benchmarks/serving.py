"""Servers in processes of their own, and a client that does as little as it can."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

__all__ = ["ROLE", "ROOT", "Connection", "Server", "connections", "for_each", "serving"]

ROOT = Path(__file__).parents[1]
ROLE = "arn:aws:iam::123456789012:role/bench"
KIBIBYTE = 1024


class Connection:
    """One kept-alive connection that posts operations."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def call(self, operation: str, **members: Any) -> dict[str, Any]:
        body = json.dumps(members).encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.{operation}\r\n"
            f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in answer.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        content = await self._reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{operation}: {content.decode()}")
        found: dict[str, Any] = json.loads(content)
        return found

    def close(self) -> None:
        self._writer.close()


class Server:
    """``asl serve`` in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    @property
    def memory(self) -> int:
        """The bytes that it has in memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * KIBIBYTE


@contextmanager
def serving(folder: Path, *options: str, db: str = "api.db", errors: int = subprocess.DEVNULL) -> Iterator[Server]:
    """A server of the database in the folder.  ``errors``: where its stderr goes, by default nowhere."""
    command = [sys.executable, "-m", "asl_engine", "serve", "--port", "0", "--db", str(folder / db), *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert process.stdout is not None  # noqa: S101  for the type checker
        yield Server(process, int(process.stdout.readline().decode().strip().rpartition(":")[2]))
    finally:
        process.terminate()
        process.wait()


async def connections(port: int, number: int) -> list[Connection]:
    return [await Connection.open(port) for _ in range(number)]


async def for_each(
    opened: Sequence[Connection], count: int, work: Callable[[Connection, int], Awaitable[object]]
) -> None:
    """Do the work for each number below ``count``, one at a time on each connection."""
    numbers = iter(range(count))

    async def worker(connection: Connection) -> None:
        for number in numbers:
            await work(connection, number)

    await asyncio.gather(*map(worker, opened))
