"""A server goes on with what others leave behind while it runs, and asks the database only when it has to."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.engine.clock import SystemClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import ExecutionBusy, StoreError, StoreUnavailable
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.python.registry import Registry
from asl_engine.server import takeover as taking_over
from asl_engine.server.takeover import LOOKS_BETWEEN, Takeover
from asl_engine.store.records import Orphan
from asl_engine.store.run_options import RunOptions
from asl_engine.store.sqlite.store import SqliteStore
from tests.server.harness import ended, running

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asl_engine.errors import AslError


class Others:
    """A store, as far as a takeover asks it, and a service that adopts."""

    def __init__(self) -> None:
        self.leases: dict[str, bool] = {}
        self.left: list[Orphan] = []
        self.asked = self.finalized = 0
        self.adopted: list[str] = []
        self.refusals: dict[str, AslError | None] = {}  # None: it is nothing for this server
        self.failure: StoreError | None = None

    def other_leases(self) -> dict[str, bool]:
        leases = dict(self.leases)
        for token in [token for token, alive in self.leases.items() if not alive]:
            del self.leases[token]  # whoever finds it tidies up
        return leases

    async def orphans(self) -> list[Orphan]:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.left

    async def adopt(self, arns: Sequence[str]) -> dict[str, AslError | None]:
        self.adopted += arns
        taken = [arn for arn in arns if arn not in self.refusals]
        self.left = [one for one in self.left if one.arn not in taken]
        refused = {arn: refusal for arn in arns if (refusal := self.refusals.get(arn)) is not None}
        return {**refused, **dict.fromkeys(taken)}

    async def finalize(self) -> None:
        self.finalized += 1

    def takeover(self, *given_up: str) -> Takeover:
        store: Any = self
        return Takeover(store, self.adopt, self.finalize, given_up)


def look(takeover: Takeover, times: int = 1) -> list[str]:
    return [arn for _ in range(times) for arn in asyncio.run(takeover.look())]


def test_nothing_is_asked_while_nobody_goes() -> None:
    others = Others()
    others.leases["a"] = True
    takeover = others.takeover()
    assert look(takeover, 3 * LOOKS_BETWEEN) == []
    assert others.asked == 0


@pytest.mark.parametrize("trace", [True, False], ids=["its lease is found", "somebody has tidied up"])
def test_what_somebody_who_died_has_left(trace: bool, caplog: pytest.LogCaptureFixture) -> None:
    others = Others()
    others.leases["a"] = True
    takeover = others.takeover()
    look(takeover)
    if trace:
        others.leases["a"] = False
    else:
        del others.leases["a"]
    others.left = [Orphan(f"e{number}", "a", served=False) for number in range(5)]
    assert look(takeover) == ["e0", "e1", "e2", "e3", "e4"]
    assert look(takeover, 5) == []
    assert (others.asked, others.finalized) == (1, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "e0, e1, e2 and 2 others: the process is gone, and this server goes on"
    ]


def test_somebody_who_came_and_went_between_two_looks() -> None:
    others = Others()
    takeover = others.takeover()
    others.left = [Orphan("e", "a", served=False)]
    takeover.others_have_written()
    assert look(takeover, LOOKS_BETWEEN - 1) == []
    assert look(takeover) == ["e"]
    assert look(takeover, 2 * LOOKS_BETWEEN) == []
    assert others.asked == 1


def test_what_was_left_in_good_order_is_taken_from_servers_alone() -> None:
    others = Others()
    others.leases["a"] = True
    takeover = others.takeover("given up")
    others.leases.clear()
    others.left = [
        Orphan("run", "", served=False),
        Orphan("served", "", served=True),
        Orphan("given up", "", True),
    ]
    assert look(takeover) == ["served"]


def test_what_cannot_be_gone_on_with_is_tried_once_for_each_owner(caplog: pytest.LogCaptureFixture) -> None:
    others = Others()
    takeover = others.takeover()
    others.refusals = {"nothing serves it": None, "senseless": StoreError("its log makes no sense")}
    others.left = [Orphan("nothing serves it", "a", True), Orphan("senseless", "a", True)]
    for owner in ("a", "a", "b"):
        others.left = [one._replace(owner=owner) for one in others.left]
        others.leases[owner] = False
        look(takeover)
    assert others.adopted == ["nothing serves it", "senseless"] * 2
    told = [record.getMessage() for record in caplog.records]
    assert told == ["cannot resume senseless: its log makes no sense"] * 2


def test_a_database_that_cannot_be_used_is_used_later(caplog: pytest.LogCaptureFixture) -> None:
    others = Others()
    takeover = others.takeover()
    takeover.retry("at the start")
    others.refusals = dict.fromkeys(["at the start", "e"], StoreUnavailable("it is full"))
    others.leases["a"] = False
    others.left = [Orphan("e", "a", served=False), Orphan("busy", "a", served=False)]
    others.refusals["busy"] = ExecutionBusy("somebody was quicker")
    others.failure = StoreUnavailable("it cannot be read")
    assert look(takeover, 2) == []
    others.failure = None
    assert look(takeover) == []
    others.refusals.clear()
    others.left = []
    assert look(takeover) == ["at the start", "e"]
    assert look(takeover) == []
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "it cannot be read"
    ]


@pytest.mark.parametrize("served", [False, True])
def test_a_server_goes_on_with_what_another_process_was_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: bool
) -> None:
    monkeypatch.setattr(taking_over, "LOOK_SECONDS", 0.01)
    db = tmp_path / "asl.db"
    arn = "arn:aws:lambda:us-east-1:123456789012:function:work"
    wait = {"Type": "Wait", "Seconds": 3600, "Next": "T"}
    states = {"W": wait, "T": {"Type": "Task", "Resource": arn, "End": True}}
    registry = Registry()
    registry.add("work", lambda _event: {"done": True})

    async def begin_and_die() -> str:
        store = await SqliteStore.open(db, synchronous="OFF")
        engine = Engine(store, {}, clock=SystemClock())
        machine = load(json.dumps({"StartAt": "W", "States": states}))
        run = await engine.start(machine, "m", Payload({}), "n", RunOptions(served=served))
        assert store._lease is not None
        if served:
            await engine.__aexit__()
        else:
            store._lease.abandon()  # as the operating system does when a process ends
        await store.close()
        return run.arn

    with running(db, registry) as server:
        execution = asyncio.run(begin_and_die())
        shown = ended(server.client(), execution)
        assert (shown["status"], json.loads(shown["output"])) == ("SUCCEEDED", {"done": True})


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(mock="mocks.json#case"),
        RunOptions(endpoints=("sqs=http://localhost:1",)),
        RunOptions(endpoint="http://localhost:1"),
        RunOptions(time="skip"),
    ],
    ids=["mocks", "endpoints", "Lambda's endpoint", "time"],
)
def test_what_was_started_in_another_world_is_left_to_whom_knows_it(
    tmp_path: Path, options: RunOptions, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that took it over would call AWS where a mock or an emulator was meant."""
    db = tmp_path / "asl.db"

    async def begin() -> str:
        store = await SqliteStore.open(db, synchronous="OFF")
        async with Engine(store, {}, clock=SystemClock()) as engine:
            machine = load(
                json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}})
            )
            run = await engine.start(machine, "m", Payload({}), "n", options)
        await store.close()
        return run.arn

    arn = asyncio.run(begin())
    with running(db) as server:
        assert server.resumed == 0
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"{arn} is left to `asl resume`, which knows with what it was started"]
