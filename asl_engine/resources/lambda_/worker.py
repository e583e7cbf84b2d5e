"""The process in which a project's function runs: ``python worker.py MODULE:FUNCTION``.

A JSON line says that the function's module is imported; then one JSON line requests a call, and one answers.  The
function's output goes to stderr.  This module stands alone, so that a function may have its own Python: it imports
only the standard library.
"""

from __future__ import annotations

import importlib.util
import inspect
import io
import json
import logging
import os
import re
import signal
import sys
import time
import traceback
from math import isfinite
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
HALF = re.compile("[\ud800-\udfff]")
W3C = ("traceparent", "tracestate", "baggage")
LOG_KEYS = ("execution_arn", "execution_name", "state_machine", "caller", "state", "attempt")
TRACE_VARIABLES = ("_X_AMZN_TRACE_ID", "TRACEPARENT")
MAX_CHAIN = 8  # exceptions, so that a cause stays below the length at which AWS cuts it
MAX_SHOWN = 80  # characters of a value
MAX_DEPTH = 500  # levels of a value
LOG_LINE = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"  # Lambda's
LOG_TIME = "%Y-%m-%dT%H:%M:%S"
LOG_LEVEL = "AWS_LAMBDA_LOG_LEVEL"
LEAVE_SECONDS = 2.0  # for what the called code has left running


class Channel:
    """The pipes to the engine.  The code that is called sees neither of them: stdin is empty, stdout is stderr."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # everything written to stdout, also by C libraries and children
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding="utf-8", line_buffering=True)
        self._questions = os.fdopen(os.dup(0), encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        self._lock = Lock()
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._unanswered = 0
        for number in SIGNALS:  # unlike SIG_IGN, a handler is not inherited by programs that are started
            signal.signal(number, _nothing)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave_to_the_parent)
        Thread(target=self._read, daemon=True).start()

    def requests(self) -> Iterator[Any]:
        """One request after the other, until the engine is gone."""
        while True:
            line = self._lines.get()
            if line is None:
                return
            yield json.loads(line)

    def say(self, message: Any) -> None:
        """Send a line; any thread may call it."""
        line = json.dumps(message) + "\n"
        with self._lock:
            self._answers.write(line)
            self._answers.flush()

    def answer(self, message: Any) -> None:
        """Answer the request."""
        self.say(message)
        self._unanswered -= 1

    def _read(self) -> None:
        for line in self._questions:
            self._unanswered += 1
            self._lines.put(line)
        if self._unanswered:  # nobody waits for the answer any more
            os._exit(1)
        self._lines.put(None)
        time.sleep(LEAVE_SECONDS)
        os._exit(1)

    def _leave_to_the_parent(self) -> None:
        """In a forked child: its copy of the pipe must not hide that this process has ended."""
        os.close(self._answers.fileno())
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)


def _nothing(number: int, frame: object) -> None:
    """Whoever stops the engine may send a signal to all its processes: the engine decides which of them end."""


class CognitoIdentity:
    """``context.identity``: no caller has one."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class Client:
    """``context.client_context.client``."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.installation_id = given.get("installation_id")
        self.app_title = given.get("app_title")
        self.app_version_name = given.get("app_version_name")
        self.app_version_code = given.get("app_version_code")
        self.app_package_name = given.get("app_package_name")


class ClientContext:
    """``context.client_context``: what Invoke was given as ClientContext."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.custom = given.get("custom")
        self.env = given.get("env")
        client = given.get("client")
        self.client = Client(client) if isinstance(client, dict) else None


def trace_fields(client_context: Any) -> dict[str, str]:
    """The W3C trace context that a client context carries."""
    given = client_context.get("w3c") if isinstance(client_context, dict) else None
    fields = given if isinstance(given, dict) else {}
    return {name: fields[name] for name in W3C if isinstance(fields.get(name), str)}


class Context:
    """The context object of a handler, with everything that Lambda's has."""

    def __init__(self, asked: dict[str, Any]) -> None:
        env = os.environ
        name, client = asked["name"], asked.get("client")
        self.function_name = name
        self.function_version = env["AWS_LAMBDA_FUNCTION_VERSION"]
        self.invoked_function_arn = asked["arn"]
        self.memory_limit_in_mb = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.aws_request_id = asked["request"]
        self.log_group_name = env["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = env["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = CognitoIdentity()
        self.client_context = ClientContext(client) if isinstance(client, dict) else None
        self.tenant_id = asked.get("tenant")
        self._trace = trace_fields(client)
        self._keys = {name: asked.get("keys", {}).get(name) for name in LOG_KEYS}
        self._until = time.monotonic() + asked["seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.monotonic()) * 1000))

    def log(self, message: Any) -> None:
        sys.stdout.write(str(message))
        sys.stdout.flush()

    def log_keys(self) -> dict[str, Any]:
        """Which call this is, as keys for a structured log; Lambda's own context has no such method."""
        return {name: value for name, value in self._keys.items() if value is not None}

    def w3c(self) -> dict[str, str]:
        return dict(self._trace)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"LambdaContext([{shown}])"


# -- what helps to find a mistake ------------------------------------------------------------------------


def message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001  __str__ is user code as well
        return f"<str() of the {type(error).__name__} raised {type(broken).__name__}>"


def related(error: BaseException) -> list[str]:
    """What an exception was caused by, and the members of a group, each with its frames."""
    lines: list[str] = []
    seen = {id(error)}
    waiting = [*_next_to(error)]
    while waiting and len(seen) <= MAX_CHAIN:
        relation, other = waiting.pop(0)
        if id(other) in seen:
            continue
        seen.add(id(other))
        lines.append(f"  {relation} {type(other).__name__}: {message_of(other)}\n")
        lines += traceback.format_list(_plain(other.__traceback__))
        waiting = [*_next_to(other), *waiting]
    return lines


def _plain(trace: TracebackType | None) -> list[tuple[str, int, str, str | None]]:
    frames = traceback.extract_tb(trace)
    return [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in frames]


def _next_to(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    if error.__cause__ is not None:
        yield "caused by", error.__cause__
    elif error.__context__ is not None and not error.__suppress_context__:
        yield "while handling", error.__context__
    members: Any = getattr(error, "exceptions", None)
    if isinstance(members, tuple):  # of an ExceptionGroup, which an old Python does not know
        for number, member in enumerate(members, 1):
            if isinstance(member, BaseException):
                yield f"member {number} of {len(members)}:", member


def fault_lines(result: Any) -> list[str]:
    """``$.items[3].when is a datetime: ...``, for the first part of a result that JSON cannot represent."""
    try:
        return [f"  {_short(path)} {fault}\n" for path, fault in _first_fault(result)]
    except Exception as broken:  # noqa: BLE001  the value may be of a class of the user's
        return [f"  $ cannot be read: {type(broken).__name__}: {message_of(broken)}\n"]


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
                if key is not None and not isinstance(key, (str, int, float)):
                    yield path, f"has a key that is {_described(key)}"
                    return
            waiting += [(path + _member(key), value[key], inside) for key, _ in reversed([*value.items()])]
        elif isinstance(value, (list, tuple)):
            numbered = [(f"{path}[{number}]", inner, inside) for number, inner in enumerate(value)]
            waiting += reversed(numbered)


def _fault(value: Any, around: tuple[int, ...]) -> str | None:
    if isinstance(value, (dict, list, tuple)):
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


# -- the calls -------------------------------------------------------------------------------------------


def load(path: str) -> Any:
    """``module:function``, or Lambda's ``module.function``."""
    module, colon, name = path.partition(":")
    if not colon:
        module, _, name = path.rpartition(".")
    found: Any = importlib.import_module(module.replace("/", "."))
    for part in name.split("."):
        found = getattr(found, part)
    return found


def failure(error: BaseException, handler: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """What Lambda reports for an exception that leaves the handler, and what helps to find the mistake."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    return {
        "errorMessage": message_of(error),
        "errorType": type(error).__name__,
        "requestId": asked["request"],
        "stackTrace": [
            *traceback.format_list(own),
            *missing_lines(error, handler),
            f"  {called(handler, asked)}\n",
            *related(error),
        ],
    }


def missing_lines(error: BaseException, handler: Any) -> list[str]:
    """What to do about a package that is not there."""
    if isinstance(error, ModuleNotFoundError) or error is handler:
        missing = getattr(error, "name", None)
        if missing and missing != own_module():
            return [f"  no requirements.txt is installed: {missing} has to be installed for {sys.executable}\n"]
    return []


def own_module() -> str:
    """The first part of the name of the function's module."""
    return re.split(r"[./:]", sys.argv[1])[0]


def called(handler: Any, asked: dict[str, Any]) -> str:
    code = getattr(inspect.unwrap(handler), "__code__", None) if callable(handler) else None
    place = "" if code is None else f" ({code.co_filename}:{code.co_firstlineno})"
    return f"the function {asked['name']}{place} of the state {asked['state']}"


def answer(handler: Any, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        if callable(handler):
            result = handler(asked["event"], Context(asked))
        else:
            raise handler
    except Exception as error:  # noqa: BLE001  the function's own
        return {"failed": True, "text": report(failure(error, handler, asked))}
    try:
        text = json.dumps(result, ensure_ascii=False, allow_nan=False)
        text.encode()
    except Exception as error:  # noqa: BLE001  the value is the function's, and so are its classes
        told = {
            "errorMessage": f"Unable to marshal response: {message_of(error)}",
            "errorType": "Runtime.MarshalError",
            "requestId": asked["request"],
            "stackTrace": [*fault_lines(result), f"  returned by {called(handler, asked)}\n"],
        }
        return {"failed": True, "text": report(told)}
    return {"failed": False, "text": text}


def report(told: dict[str, Any]) -> str:
    """JSON text, in which half of a surrogate pair is spelt: as a character no JSON text can have it."""
    return HALF.sub(lambda half: f"\\\\u{ord(half[0]):04x}", json.dumps(told, ensure_ascii=False))


def note_trace(trace_parent: str) -> None:
    """The trace that a call belongs to, as Lambda tells it to a function, and as OpenTelemetry reads it."""
    for variable in TRACE_VARIABLES:
        os.environ.pop(variable, None)
    if trace_parent:
        _, trace, span, flags = trace_parent.split("-")
        sampled = int(flags, 16) & 1
        os.environ["_X_AMZN_TRACE_ID"] = f"Root=1-{trace[:8]}-{trace[8:]};Parent={span};Sampled={sampled}"
        os.environ["TRACEPARENT"] = trace_parent


class TextLines(logging.Handler):
    """The root logger's handler, as Lambda sets it up, so that ``logger.setLevel(logging.INFO)`` is all it takes.

    The level is that of the root logger, WARNING, where AWS_LAMBDA_LOG_LEVEL names no other.
    """

    def __init__(self) -> None:
        super().__init__()
        logging.Formatter.converter = time.gmtime  # for the function's own formatters as well, as in Lambda
        self.request = ""
        self.setFormatter(logging.Formatter(LOG_LINE, LOG_TIME))
        root = logging.getLogger()
        root.addHandler(self)
        level = logging.getLevelName(os.environ.get(LOG_LEVEL, "").upper())
        if isinstance(level, int):
            root.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            record.aws_request_id = self.request
            sys.stdout.write(self.format(record))  # what stdout is by now: a function may have replaced it
        except Exception:  # noqa: BLE001  as of all handlers: a line that cannot be written fails no call
            self.handleError(record)


def json_lines() -> Any:
    """The module that writes log lines as JSON.  It is found by its file: no module of the function hides it."""
    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), "log_lines.py")  # noqa: PTH100, PTH118, PTH120  an old Python
    spec: Any = importlib.util.spec_from_file_location("_asl_log_lines", file)
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    channel = Channel()
    lines = json_lines() if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON" else None
    texts = TextLines() if lines is None else None
    if lines is not None:
        lines.begin_json()
    cold = True
    sys.path[0] = os.getcwd()  # noqa: PTH109  not this file's folder, whose modules the function must not import
    handler: Any
    try:
        handler = load(sys.argv[1])
    except Exception as error:  # noqa: BLE001  whatever the module does
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        handler = ImportError(f"Unable to import module '{sys.argv[1]}': {error}", name=missing)
    channel.say({"ready": True})
    for asked in channel.requests():
        note_trace(asked.get("trace", ""))
        if texts is not None:
            texts.request = asked["request"]
        if lines is not None:
            lines.note_process_call({"cold_start": cold, **asked.get("keys", {})})
        channel.answer(answer(handler, asked))
        cold = False


if __name__ == "__main__":
    main()
