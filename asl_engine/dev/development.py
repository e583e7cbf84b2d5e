"""What works beside the API while a project is being developed: a ``Companion`` of the server."""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import event_resource, function_name, parse_arn, role_arn, state_machine_arn
from asl_engine.dev.apis import ProjectApis
from asl_engine.dev.definitions import NO_FILES, defined_machines, found_in
from asl_engine.dev.functions import FollowedFunctions
from asl_engine.dev.rules import project_rules
from asl_engine.dev.tasks import reload_tasks
from asl_engine.dev.telling import Telling, short_target, without_lines
from asl_engine.emulation.settings import read_settings
from asl_engine.errors import AslError
from asl_engine.events.declared import declare
from asl_engine.project.declared import with_declared
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.http import perform
from asl_engine.server.protocol.request import Request
from asl_engine.server.silent_companion import SilentCompanion
from asl_engine.templates.declarations import without_places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.dev.definitions import DefinedMachine
    from asl_engine.dev.rules import ProjectRules
    from asl_engine.engine.run import Run
    from asl_engine.project.configuration import Project
    from asl_engine.resources.python.registry import Registry
    from asl_engine.resources.services import Services
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service
    from asl_engine.store.run_options import RunOptions
    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["Developed", "Development"]

log = logging.getLogger("asl_engine.dev")

CODE: Final = ".py"
CONFIGURATIONS: Final = frozenset({"asl.toml", "pyproject.toml"})


class Developed(NamedTuple):
    """The project that is developed, and what serves it.

    ``http_port`` is that of its APIs, None for 3000 or the next that is free; ``emulated`` are URLs of services
    that are emulated, ``declare`` hears of the resources that these are to have.  ``changes`` yields the paths of
    files that have changed; ``say`` gets a line for each thing that happens, from any thread.
    """

    project: Project
    how: RunOptions
    registry: Registry
    services: Services
    changes: AsyncIterator[set[str]]
    say: Callable[[str], None]
    http_port: int | None = None
    emulated: Mapping[str, str] | None = None
    declare: Callable[[Sequence[DeclaredResource]], None] = lambda _: None


class Development(SilentCompanion):
    """Makes what the project's files declare, and follows them."""

    path = "/dev"

    def __init__(
        self, service: Service, operations: Operations, admission: Admission, *, developed: Developed
    ) -> None:
        self._service = service
        self._operations = operations
        self._caller = admission.default
        self._developed = developed
        self._telling = Telling(developed.say, developed.project.root)
        self._functions = FollowedFunctions(
            developed.services, developed.how, self._telling.written, developed.emulated
        )
        self._apis = ProjectApis(
            service, operations, admission, port=developed.http_port, tell=self._telling.handled
        )
        self._found = NO_FILES
        self._project = developed.project
        self._rules: ProjectRules | None = None
        self._made: dict[str, DefinedMachine] = {}
        self._is_followed = True
        self._has_tasks = True

    def observe(self, run: Run, events: list[Event]) -> None:
        """Tell what executions do."""
        self._telling.observe(run, events)

    async def run(self) -> None:
        """Until it is cancelled."""
        bus = self._service.bus
        if bus is not None:
            bus.on_outcome.append(lambda *outcome: self._telling.delivered(bus.current, *outcome))
        try:
            await self._follow(set())
            async for paths in self._developed.changes:
                await self._follow_or_tell(paths)
        finally:
            await self._apis.close()

    async def _follow_or_tell(self, paths: set[str]) -> None:
        """Whatever is wrong with the files now, they are followed when they change again."""
        try:
            await self._follow(paths)
            if not self._is_followed:
                self._telling.tell("what the files say is followed again")
                self._is_followed = True
        except AslError as error:
            self._is_followed = False
            self._telling.tell(f"what the files say is not followed: {error}")
        except Exception:
            log.exception("the files of the project are not followed")

    async def _follow(self, paths: set[str]) -> None:
        """Have what the files say; ``paths`` are those that have changed, none of them at the beginning."""
        code = {path for path in paths if path.endswith(CODE)}
        if any(Path(path).name in CONFIGURATIONS for path in paths):
            self._telling.tell("the configuration has changed: it counts from the next start on")
        if code:
            self._follow_tasks()
        anew = code != paths or not paths
        if anew:
            self._found = await asyncio.to_thread(found_in, self._developed.project, self._found)
        # A function whose file is broken cannot run, so code decides which functions there are, too.
        before = self._project
        self._project = await asyncio.to_thread(with_declared, self._developed.project, self._found.declaring)
        self._tell_all(_from_the_next_start(before, self._project) if paths else ())
        self._tell_all(_new(self._project.undeclared, before.undeclared))
        self._developed.declare(read_settings(self._project).resources)
        self._tell_all(self._functions.follow(self._project, code))
        self._service.catalog.clear()
        if not anew:
            return
        await self._follow_definitions()
        await self._follow_rules()
        self._tell_all(await self._apis.follow(self._project.routes, self._missing))

    def _tell_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._telling.tell(line)

    def _follow_tasks(self) -> None:
        registry = self._developed.registry
        before = {*registry}
        try:
            # On the event loop, so that no task is called with half of the new code.
            reload_tasks(self._developed.project, registry, self._service.catalog)
        except AslError as error:
            self._telling.tell(f"the tasks stay as they were: {error}")
            self._has_tasks = False
            return
        if not self._has_tasks:
            self._telling.tell("the tasks are right again")
            self._has_tasks = True
        for word, names in (("new", {*registry} - before), ("gone", before - {*registry})):
            if names:
                self._telling.tell(f"task callables that are {word}: {', '.join(sorted(names))}")

    def _missing(self, target: str) -> str | None:
        """Why the target of a route is not there, None for one that is."""
        name = function_name(target)
        if name is not None:
            refused = self._service.catalog.refused(name)
            if refused is not None:
                return refused.why
            return None if self._service.catalog.serves(target) else f"there is no function {name}"
        arn = parse_arn(target)
        machines = {machine.name for machine in self._made.values() if not machine.faults}
        if arn is not None and arn.kind == "stateMachine" and arn.name not in machines:
            return f"no file of the project defines the state machine {arn.name}"
        return None

    # -- state machines -----------------------------------------------------------------------------------

    async def _follow_definitions(self) -> None:
        limits = self._service.engine.limits
        read = partial(defined_machines, self._developed.project, self._found, limits, self._made)
        found = await asyncio.to_thread(lambda: [*read()])
        for machine in found:
            before = self._made.get(machine.place)
            self._made[machine.place] = machine
            if before is None or not _is_as_it_was(machine, before):
                again = before is not None and bool(before.faults)
                self._telling.tell(machine.faults or await self._bring_up(machine, again=again))
        for place in self._made.keys() - {machine.place for machine in found}:
            gone = self._made.pop(place)
            if not gone.name and (self._developed.project.root / place).exists():
                self._telling.tell(f"{place} is right again")  # it is a template
            elif gone.name:
                self._telling.tell(f"{place} is gone: the state machine {gone.name} stays as it was")

    async def _bring_up(self, machine: DefinedMachine, *, again: bool = False) -> str:
        """Make or change a state machine, unless it is as it should be; returns what to tell.

        ``again``: there was something wrong with its definition.
        """
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
                return f"{told} is {'right again' if again else 'there'}"
            await self._ask("UpdateStateMachine", stateMachineArn=arn, definition=machine.text)
        except ApiError as error:
            return f"{told}: {error.message}"
        return f"{told} is changed; what runs goes on as it began"

    async def _ask(self, operation: str, **members: Any) -> dict[str, Any]:
        return await perform(self._operations, operation, Request(members, self._caller), self._service)

    # -- rules --------------------------------------------------------------------------------------------

    async def _follow_rules(self) -> None:
        bus = self._service.bus
        rules = project_rules(self._project)
        before = self._rules
        if bus is None or rules == before:
            return
        self._tell_all(_new(rules.faults, () if before is None else before.faults))
        # At the beginning they are there already, so that nothing was without its target for a moment.
        if before is not None and (rules.buses, rules.rules) != (before.buses, before.rules):
            await declare(bus, bus.home, rules.buses, rules.rules)
        self._rules = rules
        for rule in rules.rules:
            if before is not None and rule in before.rules:
                continue
            when = rule.configuration.get("ScheduleExpression")
            source = f"schedule {when}" if when else f"bus {_bus_name(rule.bus)}"
            targets = ", ".join(short_target(str(one["Arn"])) for one in rule.targets.values()) or "nothing"
            off = "" if rule.configuration.get("State") != "DISABLED" else " (disabled)"
            self._telling.tell(f"{source}: rule {rule.name} -> {targets}{off}")
        for gone in [] if before is None else before.rules:
            if (gone.bus, gone.name) not in {(rule.bus, rule.name) for rule in rules.rules}:
                self._telling.tell(f"the rule {gone.name} is gone")


def _from_the_next_start(before: Project, now: Project) -> Iterator[str]:
    """What has changed, and is not followed."""
    old, new = ({one.logical: without_places(one) for one in project.mappings} for project in (before, now))
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            what = "is new" if name not in old else "has changed" if name in new else "is gone"
            yield f"the event source mapping {name} {what}: that counts from the next start on"


def _is_as_it_was(machine: DefinedMachine, before: DefinedMachine) -> bool:
    """Whether nothing is to be told of a machine: what is wrong in a template may have another line now."""
    if "#" in machine.place and machine.faults and before.faults:
        return without_lines(machine.faults) == without_lines(before.faults)
    return machine == before


def _new(lines: Iterable[str], before: Iterable[str]) -> Iterator[str]:
    """Those that were not told before, of whatever line of a file."""
    told = {*map(without_lines, before)}
    return (line for line in lines if without_lines(line) not in told)


def _bus_name(bus: str) -> str:
    return (event_resource(bus) or ("", bus))[1]
