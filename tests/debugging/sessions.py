"""Debugging sessions without a terminal: machines of these tests, tasks in Python, a store in memory."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.cli.debug_lines import TypedLines, drive_terminal
from asl_engine.cli.output import compact_json, pretty_json
from asl_engine.core.replay import replay
from asl_engine.debugging.held_clock import HeldClock
from asl_engine.debugging.places import FreshStart
from asl_engine.debugging.session import Session
from asl_engine.debugging.terminal.terminal import Terminal
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.project.configuration import Project
from asl_engine.project.setup import Setup
from asl_engine.resources import PENDING
from asl_engine.resources.python.tasks import python_resource
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.run_options import RunOptions
from tests.core.driver import NOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from asl_engine.resources import Pending, TaskCall
    from asl_engine.store.protocol import Store

ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:approve"
TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"  # noqa: S105  no password


def function(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


class Tasks:
    """What the machines call; ``calls`` counts."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def double(self, event: Any) -> Any:
        self.calls.append("double")
        return {**event, "n": event["n"] * 2}

    def flaky(self, event: Any) -> Any:
        self.calls.append("flaky")
        if self.calls.count("flaky") < 3:
            raise StatesError("OutOfStockError", f"call {self.calls.count('flaky')}")
        return event

    def fail(self, event: Any) -> Any:
        del event
        raise StatesError("OutOfStockError", "nothing left")

    def leave(self, event: Any) -> Any:
        raise SystemExit(event.get("n", 3))


async def _left(call: TaskCall) -> Pending:
    del call
    return PENDING


def setup_of(definition: dict[str, Any], tasks: Tasks | None = None, *, time: str = "skip") -> Setup:
    tasks = tasks or Tasks()
    resources: dict[str, Any] = {
        function(name): python_resource(getattr(tasks, name), name)
        for name in ("double", "flaky", "fail", "leave")
    }
    resources[TOKEN] = _left
    project = Project(Path(), (), Path())
    machine = load(json.dumps(definition, indent=2))
    return Setup(RunOptions(time=time), project, machine, resources, "m")


@asynccontextmanager
async def session_of(
    definition: dict[str, Any],
    data: Any = None,
    *,
    tasks: Tasks | None = None,
    store: Store | None = None,
    entry: bool = True,
    time: str = "skip",
) -> AsyncIterator[Session]:
    """A session that stands before the first state."""
    told: list[str] = []
    session = Session(store or MemoryStore(), setup_of(definition, tasks, time=time), told.append)
    try:
        await session.start(FreshStart("m", "one", Payload({} if data is None else data)), stop_on_entry=entry)
        yield session
    finally:
        await session.leave()


async def check_replay(session: Session) -> None:
    """Whatever was done to the execution, a replay of its log comes to the same."""
    events = await session.store.events(session.identity.arn)
    assert replay(session.setup.machine, session.identity, events) is None


def transcript(definition: dict[str, Any], data: Any, lines: list[str], tasks: Tasks | None = None) -> str:
    """Everything that a terminal shows for these lines."""
    written: list[str] = []

    def write_value(value: Any) -> None:
        written.append(pretty_json(value) if isinstance(value, dict | list) else compact_json(value))

    async def played() -> None:
        store = MemoryStore()
        session = Session(store, setup_of(definition, tasks), lambda text: written.append(f"log: {text}"))
        session.clock = HeldClock("skip", NOW)
        terminal = Terminal(session, written.append, write_value)
        try:
            await terminal.show(await session.start(FreshStart("m", "one", Payload(data))))
            given: Iterator[str] = iter(lines)
            await drive_terminal(terminal, TypedLines(given, scripted=True))
            await check_replay(session)
        finally:
            await session.leave()

    asyncio.run(asyncio.wait_for(played(), 30))
    return "\n".join(written) + "\n"
