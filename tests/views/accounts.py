"""Accounts of executions that have run in virtual time, over a memory store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio

from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.views.account import FEW_CHILDREN, read_account
from tests.core.steps import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.graph.pieces import Row
    from asl_engine.resources import TaskCall
    from asl_engine.views.account import Account

LATER = 60_000  # milliseconds after which somebody redrives an execution


class Still(VirtualClock):
    """Nothing that waits ever comes due."""

    skips = False


def account_of(
    definition: dict[str, Any],
    data: Any = None,
    *,
    redriven: bool = False,
    still: bool = False,
    passed: int = 0,
    children: int = FEW_CHILDREN,
) -> Account:
    """The account of an execution named ``one``.

    Its tasks take a second each, and answer their input.  ``"bad"`` and ``{"fails": [...]}`` fail: the latter with
    these errors, one for each attempt at any task, until there are none left.  ``redriven`` redrives it a minute
    after its end, ``still`` looks at it ``passed`` milliseconds after it has begun to wait.
    """

    async def main() -> Account:
        clock = Still() if still else VirtualClock()
        failures: list[str] = [*data.get("fails", ())] if isinstance(data, dict) else []

        async def work(call: TaskCall) -> Payload:
            clock.jump(clock.now() + 1000)
            if call.input.value == "bad":
                raise StatesError("Bad", "as asked")
            if failures:
                raise StatesError(failures.pop(0), "as asked")
            return call.input

        store = MemoryStore()
        machine = load(json.dumps(definition))
        with anyio.fail_after(20):
            async with Engine(store, {FUNCTION: work}, clock=clock) as engine:
                run = await engine.start(machine, "m", Payload({} if data is None else data), "one")
                if still:
                    await engine.timers.quiet()
                    clock.jump(clock.now() + passed)
                else:
                    await run.wait()
                if redriven:
                    clock.jump(clock.now() + LATER)
                    record = await store.record(run.arn)
                    assert record is not None
                    await (await engine.redrive(machine, record)).wait()
                record = await store.record(run.arn)
                assert record is not None
                return await read_account(store, record, clock.now(), children)

    return anyio.run(main)


def plain(rows: Iterable[Row]) -> str:
    return "\n".join("".join(piece.text for piece in row).rstrip() for row in rows)
