"""Finds what serves a Resource: for ``asl run``, which asks beforehand, and for a server, which cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import function_name, is_activity, is_of_states
from asl_engine.errors import Parameter, ProjectError, StatesError
from asl_engine.resources.python.registry import canonical
from asl_engine.resources.python.serving import callable_resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asl_engine.resources import Resource
    from asl_engine.resources.python.registry import Registry

if TYPE_CHECKING:
    from asl_engine.payload import Payload
    from asl_engine.resources import Resource, TaskCall
    from asl_engine.resources.lambda_.service import LambdaService
    from asl_engine.resources.python.registry import Registry
    from asl_engine.resources.services import NotRunHere, Services

__all__ = ["Catalog", "resolve"]


class Catalog(dict[str, "Resource"]):
    """A local callable, else Lambda if available, and services; a Resource that nothing serves fails its task.

    ``machine`` is the name of the machine whose resources are looked up, None where they are those of many: then a
    function that has been deployed for a machine is told by the execution that calls it.
    """

    def __init__(
        self,
        registry: Registry,
        remote: LambdaService | None = None,
        services: Services | None = None,
        machine: str | None = None,
    ) -> None:
        super().__init__()
        self.registry = registry
        self._remote = remote
        self._services = services
        self._machine = machine

    def __missing__(self, resource: str) -> Resource:
        try:
            found = self.find(resource)
        except ProjectError as error:  # the name is ambiguous, or a package is missing
            return _failing(StatesError("States.Runtime", str(error)))
        if found is None:
            return _failing(_not_served(resource))
        self[resource] = found
        return found

    def serves(self, resource: str) -> bool:
        """Whether a task with this resource would run instead of failing at once."""
        try:
            return resource in self or is_activity(resource) or self.find(resource) is not None
        except ProjectError:
            return False

    def refused(self, function: str) -> NotRunHere | None:
        """Why a function that a template declares cannot be run here; None for one that can, and for others."""
        return None if self._services is None else self._services.refused.get(function)

    def find(self, resource: str) -> Resource | None:
        """What serves a resource, None if nothing does.  Raises ``ProjectError`` that says why."""
        name = function_name(resource)
        if name is not None:
            if self._services is not None and name in self._services.functions:
                return self._services.functions[name]
            function = self.registry.find(name)
            if function is None:
                served = self._deployed(name)
                if served is None and (why := self.refused(name)) is not None:
                    raise ProjectError(why.why)
                return served
            return callable_resource(self.registry, function, name)
        if not is_of_states(resource):
            return None
        from asl_engine.resources.services import Services, service_resource

        return service_resource(resource, self.registry, self._remote, self._services or Services())

    def _deployed(self, name: str) -> Resource | None:
        """What serves a function that no callable is called as."""
        from asl_engine.resources.lambda_.deployed import may_be_deployed, task_of

        if self._machine is None:
            known = may_be_deployed(self.registry, name)
        else:
            known = task_of(self.registry, name, self._machine) is not None
        return _deployed_function(self.registry, name, self._remote) if known else self._remote


def _deployed_function(registry: Registry, name: str, remote: LambdaService | None) -> Resource:
    """The callable that a deployed function was made of, if it is the execution's machine's; else ``remote``."""

    async def call_task(call: TaskCall) -> Payload:
        from asl_engine.resources.lambda_.deployed import machine_of, task_of

        task = task_of(registry, name, machine_of(call.execution))
        function = None if task is None else registry.find(task)
        if task is not None and function is not None:
            return await callable_resource(registry, function, task)(call)
        if remote is not None:
            return await remote(call)
        raise _not_served(call.resource)

    return call_task


def _not_served(resource: str) -> StatesError:
    if function_name(resource) is not None:
        from asl_engine.resources.lambda_.invoke import function_not_found

        return function_not_found(resource)
    return StatesError("States.Runtime", f"The resource {resource} is not supported")


def _failing(error: StatesError) -> Resource:
    async def fail(_call: TaskCall) -> Payload:
        raise StatesError(error.error, error.cause)

    return fail


def resolve(
    resources: Iterable[str], catalog: Catalog, instead: Sequence[str | Parameter] = ()
) -> dict[str, Resource]:
    """What serves each distinct ``Resource``.  ``instead`` says what else can be done for missing callables.

    Raises one ``ProjectError`` that lists every resource that nothing serves.
    """
    found: dict[str, Resource] = {}
    missing: dict[str, str] = {}
    problems: list[str] = []
    refused = False
    for resource in dict.fromkeys(resources):
        name = function_name(resource)
        try:
            served = catalog.find(resource)
        except ProjectError as error:
            problems.append(str(error))
            why = None if name is None else catalog.refused(name)
            refused = refused or (why is not None and why.served)
            continue
        if served is not None:
            found[resource] = served
        elif name is None:
            problems.append(_not_run(resource))
        else:
            missing[resource] = name
    problems += _missing(missing, catalog.registry)
    if problems:
        raise ProjectError("\n".join(problems), *((*instead, ".") if missing or refused else ()))
    return found


def _not_run(resource: str) -> str:
    if is_activity(resource):
        return (
            f"the resource {resource} is an activity, and `asl run` cannot give its workers their tasks: start "
            "`asl serve`, and create the activity and the state machine there (docs/activities.md)"
        )
    return f"the resource {resource} is not supported by `asl run`"


def _missing(missing: dict[str, str], registry: Registry) -> list[str]:
    if not missing:
        return []
    lines = [_no_callable(resource, name, registry) for resource, name in missing.items()]
    known = ", ".join(registry) or "none"
    places = ", ".join(map(str, registry.places)) or "nowhere: no tasks are configured"
    return [
        *lines,
        f"task callables found: {known}; searched: {places}",
        "Define the missing ones there",
    ]


def _no_callable(resource: str, name: str, registry: Registry) -> str:
    from difflib import get_close_matches

    line = f"there is no task callable for the function {name!r} ({resource})"
    by_form = {canonical(known): known for known in registry}
    close = get_close_matches(canonical(name), by_form, n=1)
    return f"{line}; did you mean {by_form[close[0]]!r}?" if close else line
