"""What a task reports when it fails: Lambda's own report, and in its stack trace what helps to find the mistake.

Lambda's runtime reports ``errorMessage``, ``errorType``, ``requestId`` and ``stackTrace``, a list of lines.  The
first three are exactly Lambda's.  The stack trace also has lines that are no frames: which task of which
state it was, which part of a result is not JSON, and what an exception was caused by or contains.
"""

from __future__ import annotations

import json
import os
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.errors import EXIT_ERROR, StatesError
from asl_engine.json_values import MAX_DEPTH
from asl_engine.resources.processes import exit_words
from asl_engine.resources.python.callables import where
from asl_engine.resources.python.context import request_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from asl_engine.resources import TaskCall
    from asl_engine.resources.python.callables import TaskFunction

__all__ = ["exited", "failure", "not_json"]

ENGINE = f"{Path(__file__).parents[2]}{os.sep}"
MAX_CHAIN = 8  # exceptions, so that the cause stays below the length at which AWS cuts it
MAX_SHOWN = 80  # characters of a value
INTERRUPTED = 130  # the exit status that a shell gives for an interrupt


def exited(status: int, call: TaskCall) -> StatesError:
    """Lambda's report of a runtime that ended in the middle of a call, with this return code."""
    message = f"RequestId: {request_id(call.key)} Error: {exit_words(status)}"
    report = {"errorType": EXIT_ERROR, "errorMessage": message}
    return StatesError(EXIT_ERROR, json.dumps(report, separators=(",", ":")))


def failure(error: BaseException, function: TaskFunction, name: str, call: TaskCall) -> StatesError:
    """What Lambda reports for an exception that leaves the handler."""
    if isinstance(error, KeyboardInterrupt):
        return exited(INTERRUPTED, call)
    if isinstance(error, SystemExit):  # sys.exit("text") ends a process with status 1
        return exited(error.code if isinstance(error.code, int) else int(error.code is not None), call)
    kind = type(error).__name__
    trace = [*_frames(error.__traceback__), f"  {_task(function, name, call)}\n", *_related(error)]
    return StatesError(kind, _report(kind, _message(error), call, trace))


def not_json(error: Exception, result: Any, function: TaskFunction, name: str, call: TaskCall) -> StatesError:
    """What Lambda reports for a result that JSON cannot represent."""
    kind = "Runtime.MarshalError"
    trace = [*_fault_lines(result), f"  returned by {_task(function, name, call)}\n"]
    return StatesError(kind, _report(kind, f"Unable to marshal response: {_message(error)}", call, trace))


def _report(kind: str, message: str, call: TaskCall, trace: list[str]) -> str:
    report = {"errorMessage": message, "errorType": kind, "requestId": request_id(call.key), "stackTrace": trace}
    text = json.dumps(report, ensure_ascii=False)
    # The escape that Python writes for half of a surrogate pair is JSON's escape as well.
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _task(function: TaskFunction, name: str, call: TaskCall) -> str:
    return f"the task {name} ({where(function)}) of the state {call.state}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001  __str__ is user code as well
        return f"<str() of the {type(error).__name__} raised {type(broken).__name__}>"


def _frames(trace: TracebackType | None) -> list[str]:
    """The formatted frames of a traceback from the first that is not the engine's."""
    from traceback import extract_tb, format_list

    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(ENGINE):
        trace = trace.tb_next
    frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in extract_tb(trace)]
    return format_list(frames)


def _related(error: BaseException) -> list[str]:
    """What an exception was caused by, and the members of a group, each with its frames."""
    lines: list[str] = []
    seen = {id(error)}
    waiting = [*_next_to(error)]
    while waiting and len(seen) <= MAX_CHAIN:
        relation, other = waiting.pop(0)
        if id(other) in seen:
            continue
        seen.add(id(other))
        lines += [f"  {relation} {type(other).__name__}: {_message(other)}\n", *_frames(other.__traceback__)]
        waiting = [*_next_to(other), *waiting]
    return lines


def _next_to(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    if error.__cause__ is not None:
        yield "caused by", error.__cause__
    elif error.__context__ is not None and not error.__suppress_context__:
        yield "while handling", error.__context__
    if isinstance(error, BaseExceptionGroup):
        total = len(error.exceptions)
        for number, member in enumerate(error.exceptions, 1):
            yield f"member {number} of {total}:", member


# -- where a value is not JSON ---------------------------------------------------------------------------


def _fault_lines(result: Any) -> list[str]:
    """``$.items[3].when is a datetime: ...``, for the first part of a result that JSON cannot represent."""
    try:
        return [f"  {_short(path)} {fault}\n" for path, fault in _first_fault(result)]
    except Exception as broken:  # noqa: BLE001  the value may be of a class of the user's
        return [f"  $ cannot be read: {type(broken).__name__}: {_message(broken)}\n"]


def _first_fault(result: Any) -> Iterator[tuple[str, str]]:
    """The path to it, and what is wrong with it."""
    waiting: list[tuple[str, Any, tuple[int, ...]]] = [("$", result, ())]
    while waiting:
        path, value, around = waiting.pop()
        fault = _fault(value, around)
        if fault is not None:
            yield path, fault
            return
        inside = (*around, id(value))
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str | int | float | bool | None):
                    yield path, f"has a key that is {_described(key)}"
                    return
            waiting += [(f"{path}{_member(key)}", inner, inside) for key, inner in reversed(value.items())]
        elif isinstance(value, list | tuple):
            numbered = [(f"{path}[{number}]", inner, inside) for number, inner in enumerate(value)]
            waiting += reversed(numbered)


def _fault(value: Any, around: tuple[int, ...]) -> str | None:
    if isinstance(value, dict | list | tuple):
        if len(around) > MAX_DEPTH:
            return "is nested too deeply"
        return "contains itself" if id(value) in around else None
    if isinstance(value, str):
        return None if _is_unicode(value) else f"has half of a surrogate pair: {_shown(value)}"
    if isinstance(value, float):
        return None if isfinite(value) else f"is {value}"
    return None if value is None or isinstance(value, int) else f"is {_described(value)}"


def _described(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}: {_shown(value)}"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _member(key: Any) -> str:
    name = str(key)
    return f".{name}" if name.isidentifier() else f"[{name!r}]"


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as broken:  # noqa: BLE001  __repr__ is user code as well
        return f"<repr() raised {type(broken).__name__}>"
    return _short(text)


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
