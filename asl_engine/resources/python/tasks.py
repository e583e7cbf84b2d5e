"""Python callables as tasks: how to mark one, and how it is called.

A callable is treated as AWS Lambda's Python runtime treats a handler: it gets the event and, if it asks,
a context; what it returns becomes JSON; what it raises becomes an error name and a cause.
"""

from __future__ import annotations

import asyncio
import json
from inspect import iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, overload

from asl_engine.errors import StatesError
from asl_engine.json_text import dumps
from asl_engine.payload import Payload
from asl_engine.resources.python.callables import accepts_context
from asl_engine.resources.python.context import InvokeOptions, TaskContext, context_of, request_id
from asl_engine.resources.python.isolation import MODES, TaskOptions, options_of
from asl_engine.resources.python.loading import load_tasks
from asl_engine.resources.python.log_keys import entered, left
from asl_engine.resources.python.registry import Registry
from asl_engine.resources.python.reports import failure, not_json
from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.python.callables import TaskFunction
    from asl_engine.resources.python.isolation import Isolation

__all__ = ["Registry", "TaskContext", "load_tasks", "python_resource", "request_id", "task"]

_F = TypeVar("_F", bound="Callable[..., Any]")
NO_OPTIONS = InvokeOptions()


@overload
def task(function: _F, /) -> _F: ...
@overload
def task(
    name: str,
    /,
    *,
    isolation: str | None = None,
    max_deaths: int | None = None,
    concurrency: int | None = None,
) -> Callable[[_F], _F]: ...
@overload
def task(
    *,
    name: str | None = None,
    isolation: str | None = None,
    max_deaths: int | None = None,
    concurrency: int | None = None,
) -> Callable[[_F], _F]: ...
def task(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    isolation: str | None = None,
    max_deaths: int | None = None,
    concurrency: int | None = None,
) -> Any:
    """Mark a function as a task callable: ``@task``, ``@task("name")`` or ``@task(name="name")``.

    The function itself is returned unchanged.  ``name`` is the function name of the Lambda ARN that it
    stands for; without one it is the function's own.

    ``isolation`` is "process" for a task that always runs in a process of its own, "none" for one that runs in
    the engine's.  ``max_deaths`` is the number of processes that may die while one attempt runs: with the last
    of them the attempt fails.  Both come before the project's settings.

    ``concurrency`` is how many calls run at a time: one more is throttled.  The project's setting comes first.
    Raises ``ValueError`` for other values.
    """
    if isinstance(function, str):
        function, name = None, function
    if isolation not in {None, *MODES}:
        raise ValueError(f"isolation is one of {', '.join(map(repr, MODES))}, not {isolation!r}")
    if max_deaths is not None and max_deaths < 1:
        raise ValueError(f"max_deaths is at least 1, not {max_deaths!r}")
    if concurrency is not None and concurrency < 0:
        raise ValueError(f"concurrency is at least 0, not {concurrency!r}")

    def mark(function: _F) -> _F:
        function.__asl_task__ = name or function.__name__  # type: ignore[attr-defined]  # an attribute of our making
        options = TaskOptions(isolation, max_deaths, concurrency)
        function.__asl_options__ = options  # type: ignore[attr-defined]  # likewise
        return function

    return mark if function is None else mark(function)


def python_resource(
    function: TaskFunction,
    name: str,
    isolation: Isolation | None = None,
    invoked: InvokeOptions = NO_OPTIONS,
) -> Direct:
    """A resource that calls ``function(event)`` or ``function(event, context)``.

    An async callable runs on the event loop, any other in a daemon thread, within the caller's context
    variables; a call that ``isolation`` wants apart runs in a process of its own.  ``name`` is the function
    name it reports.  ``invoked`` is what Invoke was given beside the event.  Raises ``ProjectError`` if it takes
    no event.
    """
    with_context = accepts_context(function, name)

    def start(call: TaskCall) -> Any:
        event = json.loads(call.input.text)  # parsed anew for each call, so the callable may change it
        return function(event, context_of(call, name, invoked)) if with_context else function(event)

    def marshalled(result: Any, call: TaskCall) -> Payload:
        try:
            text = dumps(result)
            if not text.isascii():
                text.encode()  # half of a surrogate pair is not a character: no store and no peer would accept it
        except Exception as error:  # the value is the user's, and so are its classes
            raise not_json(error, result, function, name, call) from error
        return Payload.of_text(text)

    def work(call: TaskCall) -> Any:
        """In the thread: the payload, or the coroutine that a wrapper around an async callable returns."""
        try:
            result = start(call)
        except StatesError:
            raise
        except BaseException as error:  # user code; sys.exit() must not end a pool thread
            raise failure(error, function, name, call) from error
        return result if iscoroutine(result) else marshalled(result, call)

    async def awaited(start: Callable[[TaskCall], Any], call: TaskCall) -> Payload:
        """Await what ``start`` returns.  A task that is cancelled is no failure of the callable."""
        mine = _running_task()
        try:
            result = await start(call)
        except StatesError:
            raise
        except BaseException as error:  # user code; sys.exit() must not end the event loop
            if _from_outside(error, mine):
                raise
            raise failure(error, function, name, call) from error
        return marshalled(result, call)

    async def call_sync(call: TaskCall) -> Payload:
        result = await run_in_thread(lambda: work(call))
        return result if type(result) is Payload else await awaited(lambda _: result, call)

    async def call_async(call: TaskCall) -> Payload:
        return await awaited(start, call)

    here = call_async if _is_async(function) else call_sync
    options = options_of(function)

    async def call_here_or_apart(call: TaskCall) -> Payload:
        before = entered(call, name)  # what is logged from now on tells of it
        try:
            if isolation is not None and isolation.wants_apart(name, options, call):
                return await isolation.call(name, call, invoked)
            return await here(call)
        finally:
            left(before)

    return call_here_or_apart


def _is_async(function: TaskFunction) -> bool:
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004  an instance may have one


def _from_outside(error: BaseException, mine: asyncio.Task[Any] | None) -> bool:
    """Whether ``error`` comes from outside the callable: its task was cancelled or its coroutine dropped."""
    if isinstance(error, GeneratorExit):  # a coroutine is dropped while its task is not running
        return mine is None or _running_task() is not mine
    return isinstance(error, asyncio.CancelledError) and (mine is None or mine.cancelling() > 0)


def _running_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop is running: it has ended
        return None
