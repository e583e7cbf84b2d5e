"""Reserved concurrency: one call too many is throttled, whoever makes it."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine import task
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import ProjectError, StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.project.configuration import find_project
from asl_engine.project.setup import project_tasks, services_of
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.concurrency import THROTTLED, Reserved
from asl_engine.resources.python.context import request_id
from asl_engine.resources.python.registry import Registry
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.run_options import RunOptions
from tests.resources.calls import a_call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from asl_engine.core.execution import Execution
    from asl_engine.json_values import Json
    from asl_engine.resources import Resource, TaskCall

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"
INVOKE = "arn:aws:states:::lambda:invoke"
CAUSE = "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException"
RETRY = [{"ErrorEquals": [THROTTLED], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 5}]


class Work:
    """A function whose calls run until so many have been asked for."""

    def __init__(self, root: Path, limit: int | None, until: int = 3) -> None:
        self.registry = Registry()
        self.registry.reserved = Reserved(root, {} if limit is None else {"WORK": limit})
        self.registry.add("work", self._work)
        self.asked, self.running, self.most = 0, 0, 0
        self.done: list[Any] = []
        self.begun, self.enough, self.all_done = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._until = until

    async def _work(self, event: Any) -> Any:
        self.running += 1
        self.begun.set()
        self.most = max(self.most, self.running)
        await self.enough.wait()
        self.running -= 1
        self.done.append(event)
        if len(self.done) == self._until:
            self.all_done.set()
        return event

    def counted(self, resource: Resource) -> Resource:
        async def call(call: TaskCall) -> Any:
            self.asked += 1
            if self.asked >= self._until:  # this one begins before those that run go on
                asyncio.get_running_loop().call_soon(self.enough.set)
            return await resource(call)

        return call

    async def held(self) -> asyncio.Future[Any]:
        """A call that is under way."""
        call = asyncio.ensure_future(Catalog(self.registry)[FUNCTION](a_call(FUNCTION, 1)))
        await self.begun.wait()
        return call


def each(resource: str, **fields: Any) -> dict[str, Any]:
    work = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": resource, "End": True, **fields}}}
    return {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": work, "End": True}}}


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        with anyio.fail_after(20):
            await scenario()

    anyio.run(main)


async def ended(work: Work, definition: Any, clock: VirtualClock | None = None) -> Execution:
    resources = {FUNCTION: work.counted(Catalog(work.registry)[FUNCTION])}
    engine = Engine(MemoryStore(), resources, clock=clock or VirtualClock())
    run = await engine.start(load(json.dumps(definition)), "m", Payload([1, 2, 3]), "n")
    return await run.wait()


@pytest.mark.parametrize("limit", [1, 2])
def test_a_retry_gets_what_was_throttled_done(limit: int, tmp_path: Path) -> None:
    async def scenario() -> None:
        clock, work = VirtualClock(), Work(tmp_path, limit)
        began = clock.now()
        execution = await ended(work, each(FUNCTION, Retry=RETRY), clock)
        assert execution.output is not None
        assert execution.output.value == [1, 2, 3]
        assert work.most == limit
        assert work.asked > 3
        assert clock.now() - began >= 10_000

    play(scenario)


def test_without_a_retry_the_task_fails_as_with_lambda(tmp_path: Path) -> None:
    async def scenario() -> None:
        execution = await ended(Work(tmp_path, 1), each(FUNCTION))
        assert (execution.status, execution.error) == ("FAILED", THROTTLED)
        assert (execution.cause or "").startswith(f"{CAUSE}; Request ID: ")

    play(scenario)


def test_where_nothing_is_reserved_all_run_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        work = Work(tmp_path, None)
        await ended(work, each(FUNCTION))
        assert work.most == 3

    play(scenario)


@pytest.mark.parametrize("resource", [FUNCTION, INVOKE])
def test_every_caller_counts(resource: str, tmp_path: Path) -> None:
    """Tasks that name the function in either way, in whatever catalog of this process."""

    async def scenario() -> None:
        work = Work(tmp_path, 1)
        first = await work.held()
        other = Registry()
        other.reserved = Reserved(tmp_path, {"work": 1})
        other.add("work", lambda event: event)
        call = a_call(resource, {"FunctionName": "work", "Payload": "2"})
        for catalog in (Catalog(work.registry), Catalog(other)):
            with pytest.raises(StatesError) as caught:
                await catalog[resource](call)
            cause = f"{CAUSE}; Request ID: {request_id(call.key)}; Proxy: null)"
            assert (caught.value.error, caught.value.cause) == (THROTTLED, cause)
        work.enough.set()
        await first
        await Catalog(other)[resource](call)

    play(scenario)


def test_an_event_that_is_throttled_waits_for_its_turn(tmp_path: Path) -> None:
    async def scenario() -> None:
        work = Work(tmp_path, 1)
        first = await work.held()
        invoke = Catalog(work.registry)[INVOKE]
        for number in (2, 3):
            parameters: dict[str, Json] = {
                "FunctionName": "work",
                "Payload": str(number),
                "InvocationType": "Event",
            }
            answer = await invoke(a_call(INVOKE, parameters))
            assert isinstance(answer, Payload)
            assert isinstance(answer.value, dict)
            assert answer.value["StatusCode"] == 202
        work.enough.set()
        await first
        await work.all_done.wait()
        assert (sorted(work.done), work.most) == ([1, 2, 3], 1)

    play(scenario)


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_none_reserved_throttles_every_call(kind: str, tmp_path: Path) -> None:
    called: list[Any] = []
    registry = Registry()
    registry.reserved = Reserved(tmp_path, {"work": 0})
    registry.add("work", called.append)

    async def scenario() -> None:
        with pytest.raises(StatesError, match="Rate Exceeded"):
            await Catalog(registry)[FUNCTION](a_call(FUNCTION, 1))
        with suppress(StatesError):  # an event has been taken, and nobody hears what becomes of it
            await Catalog(registry)[INVOKE](
                a_call(INVOKE, {"FunctionName": "work", "Payload": "2", "InvocationType": kind})
            )
        await asyncio.sleep(0)

    play(scenario)
    assert called == []


# -- where it is said ---------------------------------------------------------------------------------

HANDLER = "def handler(event, context):\n    return context.memory_limit_in_mb\n"
TASKS = """
from asl_engine import task

@task(concurrency=0)
def closed(event): ...

@task(concurrency=0)
def opened(event):
    return "opened"
"""


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project's root is found only as long as its test runs."""
    monkeypatch.setattr(sys, "path", list(sys.path))


def project(root: Path, toml: str) -> Catalog:
    (root / "asl.toml").write_text(toml)
    (root / "tasks").mkdir(exist_ok=True)
    (root / "tasks" / "mine.py").write_text(TASKS)
    (root / "app.py").write_text(HANDLER)
    found = find_project(root, {})
    return Catalog(project_tasks(found), None, services_of(RunOptions(), found))


def called(catalog: Catalog, name: str) -> Any:
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"

    async def main() -> Any:
        return await catalog[arn](a_call(arn, {}))

    return asyncio.run(main()).value


def test_a_task_and_the_configuration_say_how_many(tmp_path: Path) -> None:
    catalog = project(tmp_path, "[functions.opened]\nconcurrency = 1\n")
    with pytest.raises(StatesError, match="Rate Exceeded"):
        called(catalog, "closed")
    assert called(catalog, "opened") == "opened"  # the configuration comes first


def test_functions_in_processes_of_their_own_are_counted_too(tmp_path: Path) -> None:
    toml = '[functions.f]\nhandler = "app:handler"\nmemory = 512\nconcurrency = {}\n'
    assert called(project(tmp_path, toml.format(1)), "f") == "512"
    with pytest.raises(StatesError, match="Rate Exceeded"):
        called(project(tmp_path, toml.format(0)), "f")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("concurrency = -1", "functions.f.concurrency has to be a whole number of calls at a time"),
        ("concurrency = true", "functions.f.concurrency has to be a whole number of calls at a time"),
        ("memory = 64", "functions.f.memory has to be a whole number of megabytes from 128 to 10240; it is 64"),
        ('architecture = "arm"', "functions.f.architecture has to be one of arm64, x86_64; it is 'arm'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(line: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        project(tmp_path, f"[functions.f]\n{line}\n")
    assert str(caught.value).startswith(f"{tmp_path / 'asl.toml'}: {told}")


def test_a_task_says_a_number() -> None:
    with pytest.raises(ValueError, match="concurrency is at least 0, not -1"):
        task(concurrency=-1)
