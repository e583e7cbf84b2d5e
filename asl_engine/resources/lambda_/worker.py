"""The process in which a project's function runs: ``python worker.py MODULE:FUNCTION``.

One JSON line requests a call, one JSON line answers; the function's output goes to stderr.  The module stands
alone, so that a function may have its own Python: it imports only the standard library.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
import sys
import time
import traceback
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)
W3C = ("traceparent", "tracestate", "baggage")
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
        self._until = time.time() + asked["seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.time()) * 1000))

    def log(self, message: Any) -> None:
        sys.stdout.write(str(message))
        sys.stdout.flush()

    def w3c(self) -> dict[str, str]:
        return dict(self._trace)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"LambdaContext([{shown}])"


def load(path: str) -> Any:
    """``module:function``, or Lambda's ``module.function``."""
    module, colon, name = path.partition(":")
    if not colon:
        module, _, name = path.rpartition(".")
    found: Any = importlib.import_module(module.replace("/", "."))
    for part in name.split("."):
        found = getattr(found, part)
    return found


def failure(error: BaseException, request: str) -> dict[str, Any]:
    """What Lambda reports for an exception that leaves the handler."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request,
        "stackTrace": traceback.format_list(own),
    }


def answer(handler: Any, asked: dict[str, Any]) -> dict[str, Any]:
    request = asked["request"]
    try:
        if callable(handler):
            result = handler(asked["event"], Context(asked))
        else:
            raise handler
    except Exception as error:  # noqa: BLE001  the function's own
        return {"failed": True, "text": json.dumps(failure(error, request), ensure_ascii=False)}
    try:
        return {"failed": False, "text": json.dumps(result, ensure_ascii=False, allow_nan=False)}
    except (TypeError, ValueError, RecursionError) as error:
        told = {
            "errorMessage": f"Unable to marshal response: {error}",
            "errorType": "Runtime.MarshalError",
            "requestId": request,
            "stackTrace": [],
        }
        return {"failed": True, "text": json.dumps(told, ensure_ascii=False)}


def main() -> None:
    channel = Channel()
    sys.path[0] = os.getcwd()  # noqa: PTH109  not this file's folder, whose modules the function must not import
    handler: Any
    try:
        handler = load(sys.argv[1])
    except Exception as error:  # noqa: BLE001  whatever the module does
        handler = ImportError(f"Unable to import module '{sys.argv[1]}': {error}")
    for asked in channel.requests():
        channel.answer(answer(handler, asked))


if __name__ == "__main__":
    main()
