"""A project under development in this process: its server, and what it has said."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asl_engine.dev.development import Developed, Development
from asl_engine.dev.starting import whole_project
from asl_engine.dev.telling import Telling
from asl_engine.project.configuration import find_project
from asl_engine.project.setup import project_tasks, services_of
from asl_engine.store.run_options import RunOptions
from tests.cli.project import wait_for
from tests.server.harness import ended, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.server.harness import Server


class Dev:
    """A project with a server; ``told`` is what was said, without the time of day."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changes: asyncio.Queue[set[str]] | None = None
        self.server: Server | None = None
        # Modules are found by their names, so each project has tasks of its own name.
        self.tasks = root / f"tasks_{uuid4().hex}"
        self.tasks.mkdir()
        (root / "statemachines").mkdir()
        (root / "asl.toml").write_text(f'tasks = "{self.tasks.name}"\n', encoding="utf-8")

    @property
    def told(self) -> list[str]:
        return [line.partition(" ")[2] for line in self.said]

    async def changes(self) -> AsyncIterator[set[str]]:
        self._loop, self._changes = asyncio.get_running_loop(), asyncio.Queue()
        while True:
            yield await self._changes.get()

    def define(self, name: str, definition: Any) -> None:
        self.write(
            f"statemachines/{name}.json", definition if isinstance(definition, str) else json.dumps(definition)
        )

    def code(self, text: str, file: str = "callables.py") -> None:
        self.write(f"{self.tasks.name}/{file}", text)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")
        self.changed(name)

    def changed(self, name: str) -> None:
        if self._loop is not None and self._changes is not None:
            self._loop.call_soon_threadsafe(self._changes.put_nowait, {str(self.root / name)})

    def hears(self, line: str) -> None:
        wait_for(lambda: line in self.told)

    def output(self, name: str) -> Any:
        """What a new execution gives."""
        assert self.server is not None
        client = self.server.client()
        arn = f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"
        end = ended(client, client.start_execution(stateMachineArn=arn)["executionArn"])
        return json.loads(end["output"]) if end["status"] == "SUCCEEDED" else end["error"]


@contextmanager
def developing(dev: Dev, *, skip_time: bool = True, http_port: int = 0) -> Iterator[Server]:
    """The server of a project, until the block is left."""
    project = find_project(dev.root, {})
    registry = project_tasks(project)
    how = RunOptions(definition=dev.root)
    whole, declared = whole_project(project)
    services = services_of(how, whole, hear=Telling(dev.said.append).written)
    developed = Developed(project, how, registry, services, dev.changes(), dev.said.append, http_port=http_port)
    make = partial(Development, developed=developed)
    with running(
        dev.root / "dev.db",
        registry,
        companions=[make],
        skip_time=skip_time,
        services=services,
        declared=declared,
    ) as dev.server:
        wait_for(lambda: dev._changes is not None)
        yield dev.server
    dev._loop = dev._changes = None
