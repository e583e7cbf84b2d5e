"""What serves a Resource: the one look-up of ``asl run``, which asks beforehand, and of a server, which cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import is_activity
from asl_engine.errors import ProjectError, StatesError
from asl_engine.resources.python import python_resource
from asl_engine.resources.registry import function_name

if TYPE_CHECKING:
    from asl_engine.jsontypes import Payload
    from asl_engine.resources import Resource, TaskCall
    from asl_engine.resources.lambda_ import LambdaService
    from asl_engine.resources.registry import Registry
    from asl_engine.resources.services import Services

__all__ = ["Catalog"]


class Catalog(dict[str, "Resource"]):
    """A local callable, else Lambda where there is one, and services; what nothing serves fails its task."""

    def __init__(
        self, registry: Registry, remote: LambdaService | None = None, services: Services | None = None
    ) -> None:
        super().__init__()
        self.registry = registry
        self._remote = remote
        self._services = services

    def __missing__(self, resource: str) -> Resource:
        try:
            found = self.find(resource)
        except ProjectError as error:  # two callables could be meant, or a package is missing
            return _failing(StatesError("States.Runtime", str(error)))
        if found is None:
            return _failing(_not_served(resource))
        self[resource] = found
        return found

    def serves(self, resource: str) -> bool:
        """Whether a task with this resource would be run, and not just failed."""
        try:
            return resource in self or is_activity(resource) or self.find(resource) is not None
        except ProjectError:
            return False

    def find(self, resource: str) -> Resource | None:
        """What serves a resource, None where nothing does.  Raises ``ProjectError`` that says why."""
        name = function_name(resource)
        if name is not None:
            if self._services is not None and name in self._services.functions:
                return self._services.functions[name]
            function = self.registry.find(name)
            return self._remote if function is None else python_resource(function, name)
        if ":states:" not in resource:
            return None
        from asl_engine.resources.services import Services, service_resource

        return service_resource(resource, self.registry, self._remote, self._services or Services())


def _not_served(resource: str) -> StatesError:
    if function_name(resource) is not None:
        from asl_engine.resources.lambda_integration import function_not_found

        return function_not_found(resource)
    return StatesError("States.Runtime", f"The resource {resource} is not supported")


def _failing(error: StatesError) -> Resource:
    async def fail(_call: TaskCall) -> Payload:
        raise StatesError(error.error, error.cause)

    return fail
