"""Python callables as tasks: how to mark one, its context, and how it is called.

A callable is treated as AWS Lambda's Python runtime treats a handler: it gets the event and, if it asks,
a context; what it returns becomes JSON; what it raises becomes an error name and a cause.
"""

from __future__ import annotations

import asyncio
import json
import os
from inspect import iscoroutine, iscoroutinefunction
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from asl_engine.errors import StatesError
from asl_engine.json_text import dumps
from asl_engine.payload import Payload
from asl_engine.resources.python.loading import load_tasks
from asl_engine.resources.python.registry import Registry, accepts_context
from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.python.registry import TaskFunction

__all__ = ["Registry", "TaskContext", "load_tasks", "python_resource", "request_id", "task"]

_ENGINE = f"{Path(__file__).parents[2]}{os.sep}"

_F = TypeVar("_F", bound="Callable[..., Any]")
_LAMBDA_LONGEST = 900_000  # milliseconds: what a Lambda function has at most


@overload
def task(function: _F, /) -> _F: ...
@overload
def task(name: str, /) -> Callable[[_F], _F]: ...
@overload
def task(*, name: str | None = None) -> Callable[[_F], _F]: ...
def task(function: Any = None, /, *, name: str | None = None) -> Any:
    """Mark a function as a task callable: ``@task``, ``@task("name")`` or ``@task(name="name")``.

    The function itself is returned unchanged.  ``name`` is the function name of the Lambda ARN that it
    stands for; without one it is the function's own.
    """
    if isinstance(function, str):
        function, name = None, function

    def mark(function: _F) -> _F:
        function.__asl_task__ = name or function.__name__  # type: ignore[attr-defined]  # an attribute of our making
        return function

    return mark if function is None else mark(function)


def _no_heartbeat() -> None:
    """Do nothing: outside a run there is no state to tell."""


class TaskContext(NamedTuple):
    """The context of a call, with the attributes of a Lambda function's context object.

    ``idempotency_key`` names this attempt and stays the same when the attempt is repeated after a crash;
    ``attempt`` is 0 for the first.  ``deadline`` is in milliseconds since the epoch, None if the state
    sets no timeout.  ``heartbeat()`` tells the state that the task is alive; any thread may call it.
    """

    idempotency_key: str = ""
    attempt: int = 0
    function_name: str = ""
    execution_arn: str = ""
    state_name: str = ""
    deadline: int | None = None
    heartbeat: Callable[[], None] = _no_heartbeat

    @property
    def request_id(self) -> str:
        """A UUID that follows from ``idempotency_key``."""
        return request_id(self.idempotency_key)

    @property
    def aws_request_id(self) -> str:
        """``request_id``, by the name that Lambda gives it."""
        return self.request_id

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds to the deadline by the wall clock, never below 0; 900000 without a deadline."""
        if self.deadline is None:
            return _LAMBDA_LONGEST
        return max(0, self.deadline - int(time() * 1000))


def request_id(key: str) -> str:
    """The UUID (version 5, RFC 9562 section 5.5, in a namespace of zeros) of an attempt's key."""
    from hashlib import sha1

    digits = sha1(bytes(16) + key.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def python_resource(function: TaskFunction, name: str) -> Direct:
    """A resource that calls ``function(event)`` or ``function(event, context)``.

    An async callable runs on the event loop, any other in a daemon thread, within the caller's context
    variables.  ``name`` is the function name it reports.  Raises ``ProjectError`` if it takes no event.
    """
    with_context = accepts_context(function, name)

    def start(call: TaskCall) -> Any:
        event = json.loads(call.input.text)  # parsed anew for each call, so the callable may change it
        return function(event, _context(call, name)) if with_context else function(event)

    def work(call: TaskCall) -> Any:
        """In the thread: the payload, or the coroutine that a wrapper around an async callable returns."""
        try:
            result = start(call)
        except StatesError:
            raise
        except BaseException as error:  # user code; sys.exit() must not end a pool thread
            raise _failure(error, call) from error
        return result if iscoroutine(result) else _marshalled(result, call)

    async def call_sync(call: TaskCall) -> Payload:
        result = await run_in_thread(lambda: work(call))
        return result if type(result) is Payload else await _awaited(lambda _: result, call)

    async def call_async(call: TaskCall) -> Payload:
        return await _awaited(start, call)

    return call_async if _is_async(function) else call_sync


def _is_async(function: TaskFunction) -> bool:
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004  an instance may have one


def _context(call: TaskCall, name: str) -> TaskContext:
    return TaskContext(call.key, call.attempt, name, call.execution, call.state, call.deadline, call.heartbeat)


async def _awaited(start: Callable[[TaskCall], Any], call: TaskCall) -> Payload:
    """Await what ``start`` returns.  A cancelled task and the end of the loop are not failures of the callable."""
    mine = _running_task()
    try:
        result = await start(call)
    except StatesError:
        raise
    except BaseException as error:  # user code; sys.exit() must not end the event loop
        if _from_outside(error, mine):
            raise
        raise _failure(error, call) from error
    return _marshalled(result, call)


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


def _marshalled(result: Any, call: TaskCall) -> Payload:
    try:
        text = dumps(result)
        if not text.isascii():
            text.encode()  # half of a surrogate pair is not a character: no store and no peer would accept it
    except Exception as error:  # the value is the user's, and so are its classes
        message = f"Unable to marshal response: {_message(error)}"
        raise StatesError("Runtime.MarshalError", _cause("Runtime.MarshalError", message, call)) from error
    return Payload.of_text(text)


def _failure(error: BaseException, call: TaskCall) -> StatesError:
    """What Lambda reports for an exception that leaves the handler."""
    if isinstance(error, SystemExit | KeyboardInterrupt):
        text = {"errorType": "Runtime.ExitError", "errorMessage": _exit_message(error, call)}
        return StatesError("Runtime.ExitError", json.dumps(text, separators=(",", ":")))
    name = type(error).__name__
    return StatesError(name, _cause(name, _message(error), call, _user_frames(error.__traceback__)))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001  __str__ is user code as well
        return f"<str() of the {type(error).__name__} raised {type(broken).__name__}>"


def _exit_message(error: SystemExit | KeyboardInterrupt, call: TaskCall) -> str:
    status = error.code if isinstance(error, SystemExit) else 130  # what a shell gives for an interrupt
    if status is None or status == 0:
        outcome = "Runtime exited without providing a reason"
    else:  # sys.exit("text") ends a process with status 1
        outcome = f"Runtime exited with error: exit status {status if isinstance(status, int) else 1}"
    return f"RequestId: {request_id(call.key)} Error: {outcome}"


def _cause(error_type: str, message: str, call: TaskCall, frames: list[str] | None = None) -> str:
    """The payload with which Lambda's Python runtime reports an error."""
    text = json.dumps(
        {
            "errorMessage": message,
            "errorType": error_type,
            "requestId": request_id(call.key),
            "stackTrace": frames or [],
        },
        ensure_ascii=False,
    )
    # The escape that Python writes for half of a surrogate pair is JSON's escape as well.
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _user_frames(trace: TracebackType | None) -> list[str]:
    """The formatted frames of a traceback from the first that is not the engine's."""
    from traceback import extract_tb, format_list

    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_ENGINE):
        trace = trace.tb_next
    frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in extract_tb(trace)]
    return format_list(frames)
