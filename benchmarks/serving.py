"""Servers in processes of their own, and a client that does as little as it can."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

__all__ = [
    "ENVIRONMENT",
    "ROLE",
    "ROOT",
    "BotoConnection",
    "Connection",
    "Refused",
    "Server",
    "boto_connections",
    "connections",
    "for_each",
    "serving",
]

ROOT = Path(__file__).parents[1]
ROLE = "arn:aws:iam::123456789012:role/bench"
KIBIBYTE = 1024


# What is measured is what has been installed, which has its bytecode beside it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONPATH": str(ROOT)
}

# Others find out by it which service is meant, and do not check the signature.
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/states/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
)


class Refused(Exception):
    """An answer that is an error."""


class Connection:
    """Posts operations, one after the other, over a connection that is kept open where the server allows it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """The answer.  Raises ``Refused``."""
        body = json.dumps(members).encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.{operation}\r\n"
            f"Content-Type: application/x-amz-json-1.0\r\nAuthorization: {AUTHORIZATION}\r\n"
            f"X-Amz-Date: 20260101T000000Z\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = self._streams or await self._opened()
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        status, *lines = answer.split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines if b": " in line)
        content = await reader.readexactly(int(headers[b"content-length"]))
        if b"http/1.0" in status or headers.get(b"connection") == b"close":
            self.close()
        if b" 200 " not in status + b" ":
            raise Refused(f"{operation}: {content.decode()[:200]}")
        found: dict[str, Any] = json.loads(content or b"{}")
        return found

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def closed(self) -> None:
        """Close it, and wait until it is."""
        streams = self._streams
        self.close()
        if streams is not None:
            await streams[1].wait_closed()


class BotoConnection:
    """Calls the operations as users do; boto3's clients block, so each call has a thread of ``threads``."""

    def __init__(self, client: Any, threads: ThreadPoolExecutor) -> None:
        self._client = client
        self._threads = threads

    async def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """The answer.  Raises ``Refused``."""
        from botocore import xform_name
        from botocore.exceptions import ClientError

        method = getattr(self._client, xform_name(operation))
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, partial(method, **members))
        except ClientError as error:
            raise Refused(f"{operation}: {error}") from None
        return cast("dict[str, Any]", found)

    def close(self) -> None:
        self._threads.shutdown(wait=False)


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
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=errors) as process:
        try:
            assert process.stdout is not None  # noqa: S101  for the type checker
            yield Server(process, int(process.stdout.readline().decode().strip().rpartition(":")[2]))
        finally:
            process.terminate()


def connections(port: int, number: int) -> list[Connection]:
    return [Connection(port) for _ in range(number)]


def boto_connections(port: int, number: int) -> list[BotoConnection]:
    """One client for all of them, with a thread and a connection for each."""
    import boto3
    from botocore.config import Config

    config = Config(max_pool_connections=number, inject_host_prefix=False, retries={"total_max_attempts": 1})
    client = boto3.client(
        "stepfunctions",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  nobody checks it
        config=config,
    )
    threads = ThreadPoolExecutor(number)
    return [BotoConnection(client, threads) for _ in range(number)]


async def for_each(
    opened: Sequence[Connection], count: int, work: Callable[[Connection, int], Awaitable[object]]
) -> None:
    """Do the work for each number below ``count``, one at a time on each connection."""
    numbers = iter(range(count))

    async def worker(connection: Connection) -> None:
        for number in numbers:
            await work(connection, number)

    await asyncio.gather(*map(worker, opened))
