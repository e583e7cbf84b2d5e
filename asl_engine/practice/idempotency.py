"""A task that has been done is not done again: its answer is kept by the key of its attempt.

The engine repeats an attempt only if its process ended before the answer was on disk, and repeats it with the
same key.  With this decorator the answer is kept as soon as the function has returned, so what remains is the
moment in which the function itself has done its work and has not returned yet.  What must not be done twice even
then belongs into one transaction with the key: docs/tasks.md.
"""

from __future__ import annotations

import asyncio
import json
import time
from functools import cache, partial, wraps
from inspect import Parameter, Signature, iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast, overload

from asl_engine.json_text import dumps
from asl_engine.resources.python.callables import accepts_context

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from asl_engine.practice.records import Records
    from asl_engine.resources.python.context import TaskContext

__all__ = ["idempotent"]

Function: TypeAlias = "Callable[..., Any]"
Task: TypeAlias = "Callable[[Any, TaskContext], Any]"
# For as long as an execution can be redriven, which is when its attempts can last be repeated.
FOURTEEN_DAYS: Final = 14 * 24 * 3600
NOTHING: Final = object()
TAKEN: Final = ("event", "context")  # whatever the function takes


@overload
def idempotent(function: Function, /) -> Task: ...
@overload
def idempotent(
    *, file: str | os.PathLike[str] | None = None, expires_after: int = FOURTEEN_DAYS
) -> Callable[[Function], Task]: ...
def idempotent(
    function: Any = None,
    /,
    *,
    file: str | os.PathLike[str] | None = None,
    expires_after: int = FOURTEEN_DAYS,
) -> Any:
    """Give a repeated attempt the answer of the first one, instead of calling the function again.

    Put it below ``@task``.  The function takes ``(event)`` or ``(event, context)``, and may be async; what is made
    of it takes both.  An answer is kept for ``expires_after`` seconds in ``file``, by default ``idempotency.db``
    beside the project's database.  A call that fails leaves nothing behind, and neither does an answer that is not
    JSON, which fails the task.  Outside of an execution of this engine, in Lambda too, the function is called as
    it is.

    Raises ``RecordsError`` in a call whose file cannot be used.
    """
    if function is None:
        return partial(_decorated, file=file, expires_after=expires_after)
    return _decorated(function, file=file, expires_after=expires_after)


def _decorated(function: Any, *, file: str | os.PathLike[str] | None, expires_after: int) -> Any:
    with_context = accepts_context(function, getattr(function, "__name__", repr(function)))
    records = cache(lambda: _records(function, file))

    def arguments(event: Any, context: TaskContext) -> tuple[Any, ...]:
        return (event, context) if with_context else (event,)

    def found(key: str) -> Any:
        record = records().get(key)
        is_known = record is not None and (record.expires is None or record.expires > time.time())
        return json.loads(record.answer) if record is not None and is_known else NOTHING

    def keep(key: str, answer: Any) -> None:
        try:
            text = dumps(answer)
            text.encode()
        except (TypeError, ValueError, RecursionError):  # the engine says what is not JSON, and where
            return
        from asl_engine.practice.records import DoneRecord

        now = time.time()
        records().put(DoneRecord(key, "COMPLETED", text, expires=int(now) + expires_after), now)

    @wraps(function)
    def call(event: Any, context: TaskContext) -> Any:
        key = _key(context)
        if key is None:
            return function(*arguments(event, context))
        answer = found(key)
        if answer is NOTHING:
            answer = function(*arguments(event, context))
            keep(key, answer)
        return answer

    @wraps(function)
    async def call_async(event: Any, context: TaskContext) -> Any:
        key = _key(context)
        if key is None:
            return await function(*arguments(event, context))
        answer = await asyncio.to_thread(found, key)
        if answer is NOTHING:
            answer = await function(*arguments(event, context))
            await asyncio.to_thread(keep, key, answer)
        return answer

    made = cast("Any", call_async if iscoroutinefunction(function) else call)
    made.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in TAKEN])
    return made


def _key(context: TaskContext) -> str | None:
    """None outside of an execution of this engine.  A name can be given again, to another execution."""
    return f"{context.execution_id} {context.idempotency_key}" if context.execution_id else None


def _records(function: Any, file: str | os.PathLike[str] | None) -> Records:
    # Not before there is something to keep: in Lambda, where the function may be deployed, there is no such file.
    from asl_engine.practice.records import Records, records_of_project

    return records_of_project(Path(function.__code__.co_filename).absolute()) if file is None else Records(file)
