"""Logs in memory: read once, in step with the disk, and not kept where they are many or large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from asl_engine.console import pasts
from asl_engine.console.pasts import Past, Pasts
from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.payload import Payload
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.request import Caller, Request
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

HOME = "arn:aws:states:us-east-1:123456789012"
REQUEST = Request({}, Caller("us-east-1", "123456789012"))


class OneStore:
    """What of a server's service the logs need."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.read: list[int] = []
        real = self.store.events

        async def events(arn: str, after: int = 0) -> list[ev.Event]:
            self.read.append(after)
            return await real(arn, after)

        self.store.events = events  # type: ignore[method-assign]  # it counts what is read

    async def execution(self, request: Request, arn: str) -> Record:
        del request
        record = await self.store.record(arn)
        if record is None:
            raise ApiError("ExecutionDoesNotExist", arn)
        return record

    async def add(self, name: str, events: Sequence[ev.Event]) -> str:
        arn = f"{HOME}:execution:m:{name}"
        who = Identity(arn, name, f"{HOME}:stateMachine:m", "m", "role", 1)
        await self.store.create(Record(who, "digest"), "{}", events)
        return arn


def log(count: int, text: str = "{}") -> list[ev.Event]:
    begun: list[ev.Event] = [ev.ExecutionStarted(1, 1, 0, 1, 0, Payload.of_text(text))]
    return begun + [
        ev.StateEntered(seq, seq, 0, 1, 0, "A", "Pass", Payload.of_text(text)) for seq in range(2, count + 1)
    ]


def test_only_what_is_new_is_read() -> None:
    async def check() -> None:
        service = OneStore()
        known = Pasts(service)  # type: ignore[arg-type]  # all that it needs
        arn = await service.add("one", log(3))
        past = await known.of(REQUEST, arn)
        await service.store.append(arn, log(5)[3:])
        again = await known.of(REQUEST, arn)
        assert again is past
        assert (service.read, past.last, past.entered, past.states) == (
            [0, 3],
            5,
            {"A": [2, 3, 4, 5]},
            [None, "A", "A", "A", "A"],
        )
        assert (past.entry(2) is past.events[1], past.entry(1), past.entry(6)) == (True, None, None)

    anyio.run(check)


def test_the_status_is_not_older_than_the_events() -> None:
    """An execution ends between two questions, or while somebody else asks."""

    async def check() -> None:
        service = OneStore()
        known = Pasts(service)  # type: ignore[arg-type]  # all that it needs
        arn = await service.add("one", log(3))
        read = service.store.events
        end = ev.ExecutionSucceeded(4, 4, 4, 1, 0, Payload.of_text("{}"))

        async def late(arn: str, after: int = 0) -> list[ev.Event]:
            service.store.events = read  # type: ignore[method-assign]  # as it was
            await service.store.append(arn, [end])
            return await read(arn, after)

        service.store.events = late  # type: ignore[method-assign]  # the end comes behind the record
        past = await known.of(REQUEST, arn)
        assert (past.last, past.record.status) == (4, "SUCCEEDED")

        ask, slow = service.execution, anyio.Event()

        async def slowly(request: Request, arn: str) -> Record:
            record = (await ask(request, arn))._replace(status="RUNNING")  # as it was when it was asked for
            await slow.wait()
            return record

        service.execution = slowly  # type: ignore[method-assign]  # one who asks is slow
        async with anyio.create_task_group() as group:
            group.start_soon(known.of, REQUEST, arn)
            await anyio.lowlevel.checkpoint()
            slow.set()
        assert past.record.status == "SUCCEEDED"

    anyio.run(check)


def test_many_and_large_ones_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasts, "MAX_LOGS", 2)
    monkeypatch.setattr(pasts, "MAX_WEIGHT", 100_000)

    async def check() -> None:
        service = OneStore()
        known = Pasts(service)  # type: ignore[arg-type]  # as above
        arns = [await service.add(str(number), log(3)) for number in range(3)]
        first = [await known.of(REQUEST, arn) for arn in arns]
        assert [(await known.of(REQUEST, arn)) is past for arn, past in zip(arns[1:], first[1:], strict=True)] == [
            True,
            True,
        ]
        assert await known.of(REQUEST, arns[0]) is not first[0]
        large = await service.add("large", log(30, '"' + "x" * 10_000 + '"'))
        assert await known.of(REQUEST, large) is not await known.of(REQUEST, large)
        gone = f"{HOME}:execution:m:gone"
        with pytest.raises(ApiError):
            await known.of(REQUEST, gone)

    anyio.run(check)


def test_the_weight_is_that_of_what_is_in_memory() -> None:
    who = Identity(f"{HOME}:execution:m:x", "x", f"{HOME}:stateMachine:m", "m", "role", 1)
    past = Past(Record(who, "digest"))
    past.grow(log(1000, '"' + "x" * 98 + '"'))
    assert past.weight() == pytest.approx(100_000, rel=0.05)
    unmade = Past(Record(who, "digest"))
    unmade.grow([ev.ExecutionStarted(1, 1, 0, 1, 0, Payload({"x": "y" * 1000}))])
    assert unmade.weight() == 0
