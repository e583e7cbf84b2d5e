"""What serves a Resource, looked up when a task first needs it.

For a server, which does not know beforehand which definitions it will run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import CALLBACK, LAMBDA_INVOKE, is_activity
from asl_engine.errors import ProjectError, StatesError
from asl_engine.resources.callback import until_answered
from asl_engine.resources.lambda_integration import function_not_found, lambda_integration
from asl_engine.resources.python import python_resource
from asl_engine.resources.registry import function_name

if TYPE_CHECKING:
    from asl_engine.jsontypes import Payload
    from asl_engine.resources import Resource, TaskCall
    from asl_engine.resources.lambda_ import LambdaService
    from asl_engine.resources.registry import Registry

__all__ = ["Catalog"]


class Catalog(dict[str, "Resource"]):
    """A local callable, else Lambda where there is one; what nothing serves fails its task."""

    def __init__(self, registry: Registry, remote: LambdaService | None = None) -> None:
        invoke = lambda_integration(registry, remote)
        super().__init__({LAMBDA_INVOKE: invoke, LAMBDA_INVOKE + CALLBACK: until_answered(invoke)})
        self._registry = registry
        self._remote = remote

    def __missing__(self, resource: str) -> Resource:
        try:
            found = self._find(resource)
        except ProjectError as error:  # two callables could be meant
            return _failing(StatesError("States.Runtime", str(error)))
        if found is None:
            return _failing(_not_served(resource))
        self[resource] = found
        return found

    def serves(self, resource: str) -> bool:
        """Whether a task with this resource would be run, and not just failed."""
        return resource in self or is_activity(resource) or self._find(resource) is not None

    def _find(self, resource: str) -> Resource | None:
        name = function_name(resource)
        if name is None:
            return None
        function = self._registry.find(name)
        return self._remote if function is None else python_resource(function, name)


def _not_served(resource: str) -> StatesError:
    if function_name(resource) is not None:
        return function_not_found(resource)
    return StatesError("States.Runtime", f"The resource {resource} is not supported yet")


def _failing(error: StatesError) -> Resource:
    async def fail(_call: TaskCall) -> Payload:
        raise StatesError(error.error, error.cause)

    return fail
