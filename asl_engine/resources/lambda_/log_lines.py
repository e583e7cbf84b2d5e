"""Log lines as JSON: the key names of Powertools for AWS Lambda, and which call of which execution a line is from.

Like the worker beside it the module stands alone, so that a function may have its own Python: it imports only the
standard library.  The names are those of "Standard structured keys" in the documentation of Powertools' Logger.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

__all__ = ["CALL", "JsonLines", "begin_json", "call_keys", "forget_process_call", "is_wanted", "note_process_call"]

FORMAT = "AWS_LAMBDA_LOG_FORMAT"  # Lambda's own variables
LEVELS = ("AWS_LAMBDA_LOG_LEVEL", "POWERTOOLS_LOG_LEVEL")
SERVICE = "POWERTOOLS_SERVICE_NAME"
TRACE = "_X_AMZN_TRACE_ID"
UNDEFINED = "service_undefined"
JSON = "JSON"
# What a record has without anybody's ``extra``.
OWN = frozenset([*vars(logging.makeLogRecord({})), "asctime", "message", "taskName"])

# What makes the keys of the call that the code is in.  They are made when a line is written, and not before.
CALL: ContextVar[Callable[[], Mapping[str, Any]] | None] = ContextVar("asl_call", default=None)
_of_process: list[Mapping[str, Any]] = []  # where a process answers one call after the other: in all its threads


def call_keys() -> dict[str, Any]:
    """The keys of the call that the code is in; none outside of a call."""
    make = CALL.get()
    if make is not None:
        return dict(make())
    return dict(_of_process[-1]) if _of_process else {}


def note_process_call(keys: Mapping[str, Any]) -> None:
    """The whole process is in this call from now on."""
    _of_process[:] = [keys]


def forget_process_call() -> None:
    _of_process.clear()


class JsonLines(logging.Formatter):
    """A line of JSON for each record, with the keys of the call that it is from.

    ``extra`` adds keys of its own, and comes before those of the call.
    """

    def __init__(self, service: str | None = None) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        message = record.msg if isinstance(record.msg, dict) else record.getMessage()
        line: dict[str, Any] = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": message,
            "timestamp": _stamp(record),
            "service": self._service or os.environ.get(SERVICE) or UNDEFINED,
            **call_keys(),
            **{name: value for name, value in vars(record).items() if name not in OWN},
        }
        if record.exc_info and record.exc_info[0] is not None:
            line.update(_failure(self, record.exc_info))
        if record.stack_info:
            line["stack_info"] = record.stack_info
        trace = os.environ.get(TRACE)
        if trace and "xray_trace_id" not in line:
            line["xray_trace_id"] = trace.partition(";")[0].replace("Root=", "")
        return _text({name: value for name, value in line.items() if value is not None})


def _stamp(record: logging.LogRecord) -> str:
    """``2021-04-17 18:19:57,656+0200``, which is Powertools' default."""
    second, zone = _second(int(record.created))
    return f"{second},{int(record.msecs):03d}{zone}"


@lru_cache(maxsize=8)
def _second(moment: int) -> tuple[str, str]:
    local = time.localtime(moment)
    return time.strftime("%Y-%m-%d %H:%M:%S", local), time.strftime("%z", local)


def _failure(formatter: logging.Formatter, failure: Any) -> dict[str, Any]:
    kind, error, trace = failure
    return {
        "exception": formatter.formatException(failure),
        "exception_name": kind.__name__,
        "exception_notes": getattr(error, "__notes__", None),
        "stack_trace": {
            "type": kind.__name__,
            "value": _shown(error),
            "module": kind.__module__,
            "frames": [
                {"file": frame.filename, "line": frame.lineno, "function": frame.name, "statement": frame.line}
                for frame in traceback.extract_tb(trace)
            ],
        },
    }


def _text(line: dict[str, Any]) -> str:
    try:
        text = _dumped(line)
    except (TypeError, ValueError, RecursionError):  # what was to be told is no JSON: then each key by itself
        text = _dumped({str(name): _plain(value) for name, value in line.items()})
    # Half of a surrogate pair is no character; JSON has the same escape for it.
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _plain(value: Any) -> Any:
    try:
        _dumped(value)
    except (TypeError, ValueError, RecursionError):
        return _shown(value)
    return value


def _dumped(value: Any) -> str:
    return json.dumps(value, default=_shown, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _shown(value: Any) -> str:
    try:
        return str(value)
    except Exception as broken:  # noqa: BLE001  __str__ is user code as well
        return f"<str() of the {type(value).__name__} raised {type(broken).__name__}>"


def is_wanted() -> bool:
    """Whether the environment says, as in Lambda, that log lines are JSON."""
    return os.environ.get(FORMAT, "").upper() == JSON


def begin_json(
    stream: TextIO | None = None, level: int | str | None = None, service: str | None = None
) -> logging.Handler:
    """Write what is logged in this process as lines of JSON, to stderr where no stream is given.

    A level that is not given is that of AWS_LAMBDA_LOG_LEVEL or POWERTOOLS_LOG_LEVEL, or else INFO, as in Lambda.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(_level() if level is None else level)
    return handler


def _level() -> int:
    for variable in LEVELS:
        level = logging.getLevelName(os.environ.get(variable, "").upper())
        if isinstance(level, int):
            return level
    return logging.INFO
