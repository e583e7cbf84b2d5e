"""What a task reports when it fails: Lambda's own report, and in its stack trace what helps to find the mistake.

Lambda's runtime reports ``errorMessage``, ``errorType``, ``requestId`` and ``stackTrace``, a list of lines.  The
first three are exactly Lambda's.  The stack trace also has lines that are no frames: which task of which
state it was, which part of a result is not JSON, and what an exception was caused by or contains.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.errors import EXIT_ERROR, StatesError
from asl_engine.resources.lambda_.worker import fault_lines, message_of, related
from asl_engine.resources.processes import exit_words
from asl_engine.resources.python.callables import where
from asl_engine.resources.python.context import request_id

if TYPE_CHECKING:
    from types import TracebackType

    from asl_engine.resources import TaskCall
    from asl_engine.resources.python.callables import TaskFunction

__all__ = ["exited", "failure", "not_json"]

ENGINE = f"{Path(__file__).parents[2]}{os.sep}"
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
        if error.code is not None and not isinstance(error.code, int):
            sys.stderr.write(f"{error.code}\n")  # Python itself writes it when it exits
        return exited(error.code if isinstance(error.code, int) else int(error.code is not None), call)
    kind = type(error).__name__
    trace = [*_frames(error.__traceback__), f"  {_task(function, name, call)}\n", *related(error)]
    return StatesError(kind, _report(kind, message_of(error), call, trace))


def not_json(error: Exception, result: Any, function: TaskFunction, name: str, call: TaskCall) -> StatesError:
    """What Lambda reports for a result that JSON cannot represent."""
    kind = "Runtime.MarshalError"
    trace = [*fault_lines(result), f"  returned by {_task(function, name, call)}\n"]
    return StatesError(kind, _report(kind, f"Unable to marshal response: {message_of(error)}", call, trace))


def _report(kind: str, message: str, call: TaskCall, trace: list[str]) -> str:
    report = {"errorMessage": message, "errorType": kind, "requestId": request_id(call.key), "stackTrace": trace}
    text = json.dumps(report, ensure_ascii=False)
    # The escape that Python writes for half of a surrogate pair is JSON's escape as well.
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _task(function: TaskFunction, name: str, call: TaskCall) -> str:
    return f"the task {name} ({where(function)}) of the state {call.state}"


def _frames(trace: TracebackType | None) -> list[str]:
    """The formatted frames of a traceback from the first that is not the engine's."""
    from traceback import extract_tb, format_list

    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(ENGINE):
        trace = trace.tb_next
    frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in extract_tb(trace)]
    return format_list(frames)
