"""A project's callable as the function that it stands for: where it runs, and how often at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.resources.python.isolation import options_of
from asl_engine.resources.python.tasks import NO_OPTIONS, python_resource

if TYPE_CHECKING:
    from asl_engine.payload import Payload
    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.concurrency import Slots
    from asl_engine.resources.python.callables import TaskFunction
    from asl_engine.resources.python.context import InvokeOptions
    from asl_engine.resources.python.registry import Registry

__all__ = ["callable_resource", "slots_of"]


def callable_resource(
    registry: Registry, function: TaskFunction, name: str, invoked: InvokeOptions = NO_OPTIONS
) -> Direct:
    """The resource of a callable of the registry.  A call beyond its reserved concurrency is throttled."""
    resource = python_resource(function, name, registry.isolation, invoked)

    async def call_within_limit(call: TaskCall) -> Payload:
        slots = slots_of(registry, function, name)  # it may have changed since the last call
        if slots is None:
            return await resource(call)
        with slots.taken(call):
            return await resource(call)

    return resource if registry.reserved is None else call_within_limit


def slots_of(registry: Registry, function: TaskFunction, name: str) -> Slots | None:
    """Where the calls of a callable are counted; None where they are not."""
    return None if registry.reserved is None else registry.reserved.slots(name, options_of(function).concurrency)
