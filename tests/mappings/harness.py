"""Mappings at work for a test: a store, a virtual clock, functions that are callables, and moto's services."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.timers import Timers
from asl_engine.errors import StatesError
from asl_engine.mappings.polling import Polling
from asl_engine.mappings.running import MappingRunner
from asl_engine.mappings.settings import read_mappings
from asl_engine.payload import Payload
from asl_engine.resources.aws.clients import AwsClients, Connecting
from asl_engine.resources.python.threads import DaemonThreads
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from asl_engine.engine.clock import Clock
    from asl_engine.resources import TaskCall

HOME = ("us-east-1", "123456789012")
KEYS = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": HOME[0]}
SERVICES = ("dynamodb", "dynamodbstreams", "kinesis", "s3", "sns", "sqs")
PATIENCE_SECONDS = 30
MIDNIGHT = 1_700_000_000_000


def client(url: str, service: str) -> Any:
    return boto3.client(service, endpoint_url=url, config=Config(retries={"total_max_attempts": 3}), **KEYS)


class Function:
    """A function: what it was called with, and what it answers, which an ``answer`` works out."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any] = lambda _: None) -> None:
        self.answer = answer
        self.calls: list[TaskCall] = []
        self.under_way = 0
        self.most = 0
        self.gate: asyncio.Event | None = None

    async def __call__(self, call: TaskCall) -> Payload:
        self.calls.append(call)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.gate is not None:
                await self.gate.wait()
            event: Any = call.input.value
            answer = self.answer(event)
            return Payload(await answer if asyncio.iscoroutine(answer) else answer)
        finally:
            self.under_way -= 1

    def event(self, number: int) -> dict[str, Any]:
        event: Any = self.calls[number].input.value
        return dict(event)

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for n in range(len(self.calls)) for record in self.event(n)["Records"]]

    @property
    def bodies(self) -> list[str]:
        return [record["body"] for record in self.records]


def failing(*_: object) -> Any:
    raise StatesError("ValueError", "no")


class Lab:
    """A database, a clock and functions, on which mappings are run, one process after the other."""

    def __init__(self, folder: Path, url: str, **functions: Function) -> None:
        self.folder = folder
        self.url = url
        self.said: list[str] = []
        self.heard: list[str] = []
        self.clock: Clock = VirtualClock(MIDNIGHT)
        self.functions = {f"arn:aws:lambda:{HOME[0]}:{HOME[1]}:function:{n}": f for n, f in functions.items()}
        self.store: SqliteStore
        self.timers: Timers[Any]
        self.arns: dict[str, str] = {}
        self.clients: Any = AwsClients(Connecting(dict.fromkeys(SERVICES, url)))
        self.stands_still = False  # time does not jump, even if nothing is under way

    @asynccontextmanager
    async def polling(self, **mappings: Any) -> AsyncIterator[MappingRunner]:
        """These tables of the configuration at work."""
        declared = read_mappings(mappings, [], HOME, "asl.toml")
        timers = self.timers = Timers[Any](self.clock, lambda *_: False, lambda *_: None)
        store = self.store = await SqliteStore.open(self.folder / "asl.db", synchronous="OFF")
        polling = Polling(
            store.mappings,
            self.functions,
            lambda arn: None if arn in self.functions else f"there is no function {arn}",
            self.clients,
            DaemonThreads(),
            timers,
            self.clock,
            lambda: time.time_ns() // 1_000_000,
            self.said.append,
            long_poll=1,
            idle_seconds=0.02,
            hear=self.heard.append,
        )
        timers.start()
        if self.stands_still:
            timers.set_horizon(MIDNIGHT)
        self.arns = {one.name: one.arn for one in declared.mappings}
        runner = MappingRunner(declared.mappings, polling)
        work = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            work.cancel()
            await asyncio.wait([work])
            timers.close()
            await store.close()
            if not work.cancelled():
                work.result()


async def until(look: Callable[[], Any]) -> Any:
    """What a look shows once it shows anything."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("nothing has come")


async def found(look: Callable[[], Awaitable[Any]]) -> Any:
    """As ``until``, for a look that takes its time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        seen = await look()
        if seen:
            return seen
        await asyncio.sleep(0.01)
    raise AssertionError("nothing has come")


def run(work: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await work

    return asyncio.run(main())
