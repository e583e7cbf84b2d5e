"""What works beside the API while a project is being developed: a ``Companion`` of the server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import role_arn, state_machine_arn
from asl_engine.dev.definitions import defined_machines
from asl_engine.dev.tasks import reload_tasks
from asl_engine.dev.telling import Telling
from asl_engine.errors import AslError
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.http import perform, respond
from asl_engine.server.protocol.request import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from asl_engine.core.events import Event
    from asl_engine.dev.definitions import DefinedMachine
    from asl_engine.engine.run import Run
    from asl_engine.project.configuration import Project
    from asl_engine.resources.python.registry import Registry
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service

__all__ = ["Development"]

CODE: Final = ".py"
CONFIGURATIONS: Final = frozenset({"asl.toml", "pyproject.toml"})


class Development:
    """Makes the project's state machines, and follows its files.

    ``changes`` yields the paths of those that have changed; ``say`` gets a line for each thing that happens.
    """

    path = "/dev"

    def __init__(
        self,
        service: Service,
        operations: Operations,
        admission: Admission,
        *,
        project: Project,
        registry: Registry,
        changes: AsyncIterator[set[str]],
        say: Callable[[str], None],
    ) -> None:
        self._service = service
        self._operations = operations
        self._caller = admission.default
        self._project = project
        self._registry = registry
        self._changes = changes
        self._telling = Telling(say)
        self._made: dict[str, DefinedMachine] = {}
        self.observe: Callable[[Run, list[Event]], None] = self._telling.observe

    async def run(self) -> None:
        """Until it is cancelled."""
        await self._follow_definitions()
        async for paths in self._changes:
            if any(path.endswith(CODE) for path in paths):
                self._follow_tasks()
            if any(Path(path).name in CONFIGURATIONS for path in paths):
                self._telling.tell("the configuration has changed: it counts from the next start on")
            await self._follow_definitions()

    def _follow_tasks(self) -> None:
        before = {*self._registry}
        try:
            # On the event loop, so that no task is called with half of the new code.
            reload_tasks(self._project, self._registry, self._service.catalog)
        except AslError as error:
            self._telling.tell(f"the tasks stay as they were: {error}")
            return
        for word, names in (("new", {*self._registry} - before), ("gone", before - {*self._registry})):
            if names:
                self._telling.tell(f"task callables that are {word}: {', '.join(sorted(names))}")

    async def _follow_definitions(self) -> None:
        limits = self._service.engine.limits
        found = await asyncio.to_thread(lambda: [*defined_machines(self._project, limits)])
        for machine in found:
            if self._made.get(machine.place) == machine:
                continue
            self._made[machine.place] = machine
            self._telling.tell(machine.faults or await self._bring_up(machine))
        for place in self._made.keys() - {machine.place for machine in found}:
            gone = self._made.pop(place)
            if gone.name:
                self._telling.tell(f"{place} is gone: the state machine {gone.name} stays as it was")

    async def _bring_up(self, machine: DefinedMachine) -> str:
        """Make or change a state machine, unless it is as it should be; returns what to tell."""
        arn = state_machine_arn(*self._caller, machine.name)
        told = f"the state machine {machine.name} of {machine.place}"
        try:
            there = await self._ask("DescribeStateMachine", stateMachineArn=arn)
        except ApiError as error:
            if error.code != "StateMachineDoesNotExist":
                return f"{told}: {error.message}"
            there = None
        try:
            if there is None:
                role = role_arn(*self._caller)
                kind = "EXPRESS" if machine.express else "STANDARD"
                await self._ask(
                    "CreateStateMachine", name=machine.name, definition=machine.text, roleArn=role, type=kind
                )
                return f"{told} is made"
            if json.loads(there["definition"]) == json.loads(machine.text):
                return f"{told} is there"
            await self._ask("UpdateStateMachine", stateMachineArn=arn, definition=machine.text)
        except ApiError as error:
            return f"{told}: {error.message}"
        return f"{told} is changed; what runs goes on as it began"

    async def _ask(self, operation: str, **members: Any) -> dict[str, Any]:
        return await perform(self._operations, operation, Request(members, self._caller), self._service)

    # -- a companion --------------------------------------------------------------------------------------

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """It works beside the API, and answers nothing."""
        del scope, receive
        await respond(send, 404, [])

    def others_have_written(self) -> None:
        """Nothing here depends on that."""

    def close(self) -> None:
        """``run`` is cancelled."""
