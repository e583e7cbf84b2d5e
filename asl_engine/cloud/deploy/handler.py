"""Task callables as Lambda handlers: this module runs inside Lambda.

A callable gets the event, and a ``TaskContext`` if it asks for one, as it does in a local run.  What it
raises goes to Lambda's runtime as it is, which reports the class's name as the error; a ``StatesError``,
whose name is no class, is raised as a class of that name.
"""

from __future__ import annotations

import asyncio
import time
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

from asl_engine.errors import StatesError
from asl_engine.resources.python.context import InvokeOptions
from asl_engine.resources.python.loading import load_tasks
from asl_engine.resources.python.registry import accepts_context
from asl_engine.resources.python.tasks import TaskContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from asl_engine.resources.python.registry import TaskFunction

__all__ = ["Handlers"]


class Handlers:
    """The handlers of the callables in ``places``, which are relative to ``root``: ``Handlers(...)(name)``."""

    def __init__(self, root: Path, places: Iterable[str]) -> None:
        self._registry = load_tasks(*(root / place for place in places), root=root)

    def __call__(self, name: str) -> Callable[[Any, Any], Any]:
        """The handler of one task, by its name in the definition.

        Raises ``AttributeError``, as what looks a handler up in a module expects.
        """
        function = self._registry.find(name)
        if function is None:
            raise AttributeError(f"there is no task callable {name!r}; there are {', '.join(self._registry)}")
        return handler(function, name)


def handler(function: TaskFunction, name: str) -> Callable[[Any, Any], Any]:
    """What Lambda calls: ``handle(event, context)``."""
    with_context = accepts_context(function, name)

    def handle(event: Any, context: Any) -> Any:
        try:
            result = function(event, task_context(name, context)) if with_context else function(event)
            return asyncio.run(_awaited(result)) if iscoroutine(result) else result
        except StatesError as error:
            raise named(error) from error

    return handle


async def _awaited(result: Any) -> Any:
    return await result


def task_context(name: str, context: Any) -> TaskContext:
    """What of a task's context Lambda knows.

    The request's id stands in for the attempt's key: Lambda repeats it where it repeats an invocation.  Which
    execution has called, and how often, Step Functions does not tell a function.
    """
    left = context.get_remaining_time_in_millis()
    return TaskContext(
        idempotency_key=context.aws_request_id,
        function_name=name,
        deadline=int(time.time() * 1000) + left,
        invoked_function_arn=getattr(context, "invoked_function_arn", ""),
        invoked=InvokeOptions(getattr(context, "client_context", None), getattr(context, "tenant_id", None)),
    )


def named(error: StatesError) -> Exception:
    """An exception whose class has the error's name."""
    kind = type(error.error or "Error", (Exception,), {"__module__": __name__})
    made: Exception = kind(error.cause or "")
    return made
