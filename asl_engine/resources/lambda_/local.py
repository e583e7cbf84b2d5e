"""Lambda functions without AWS: ``[tool.asl.functions.NAME]`` of a project.

A function is a Python callable in a warm process of its own, or an HTTP endpoint that answers like Lambda's
runtime interface emulator.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import function_arn, parse_arn
from asl_engine.errors import ProjectError, StatesError
from asl_engine.json_text import loads
from asl_engine.resources.lambda_.service import Invocation, function_error, function_result
from asl_engine.resources.python.tasks import request_id
from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.payload import Payload
    from asl_engine.resources import TaskCall

__all__ = ["FunctionConfiguration", "LocalFunction", "read_functions"]

KEYS = ("handler", "endpoint", "environment", "timeout", "python", "folder")
WORKER = Path(__file__).with_name("worker.py")
LONGEST_SECONDS = 900.0
MOST_BYTES = 6_291_456  # of a synchronous invocation's payload
EMULATED = "/2015-03-31/functions/function/invocations"
SPARE_WORKERS = 4
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


class FunctionConfiguration(NamedTuple):
    """A configured function.  ``timeout`` is in seconds.  Either ``handler`` or ``endpoint`` is given."""

    name: str
    folder: Path
    handler: str | None
    endpoint: str | None
    environment: Mapping[str, str]
    timeout: float
    python: str


def read_functions(tables: Mapping[str, Any], root: Path, source: str) -> dict[str, FunctionConfiguration]:
    """Raises ``ProjectError`` that says what is wrong, and where."""
    return {name: _function(name, table, root, f"{source}: functions.{name}") for name, table in tables.items()}


def _function(name: str, table: Any, root: Path, place: str) -> FunctionConfiguration:
    if not isinstance(table, dict):
        raise ProjectError(f"{place}: it has to be a table")
    for key in table:
        if key not in KEYS:
            raise ProjectError(f"{place}: there is no key {key!r}; allowed are {', '.join(KEYS)}")
    handler, endpoint, timeout = table.get("handler"), table.get("endpoint"), table.get("timeout", LONGEST_SECONDS)
    if (handler is None) == (endpoint is None):
        raise ProjectError(f"{place}: it has to have either handler or endpoint")
    if endpoint is not None and not str(endpoint).startswith(("http://", "https://")):
        raise ProjectError(f"{place}: endpoint has to be a URL, such as http://localhost:9000")
    if handler is not None and (not isinstance(handler, str) or not any(sign in handler for sign in ":.")):
        raise ProjectError(f'{place}: handler has to be "module:function"')
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= LONGEST_SECONDS:
        raise ProjectError(f"{place}: timeout has to be a number of seconds, at most 900")
    environment = table.get("environment", {})
    if not isinstance(environment, dict) or not all(isinstance(text, str) for text in environment.values()):
        raise ProjectError(f"{place}: environment has to be a table of texts")
    folder = root / str(table.get("folder", "."))
    if not folder.is_dir():
        raise ProjectError(f"{place}: there is no folder {folder}")
    python = str(table.get("python", sys.executable))
    return FunctionConfiguration(name, folder, handler, endpoint, environment, float(timeout), python)


class LocalFunction:
    """A resource that runs a function; its failures are those that Lambda reports."""

    def __init__(self, function: FunctionConfiguration) -> None:
        self.function = function
        self._idle: list[_Worker] = []

    async def __call__(self, call: TaskCall) -> Payload:
        made = await self.invoke(call.input.text, call)
        if made.failed:
            raise function_error(made.text)
        return function_result(made.text)

    async def invoke(self, event: str, call: TaskCall) -> Invocation:
        """Raises ``StatesError`` if the function's process or endpoint is unavailable."""
        seconds = self.function.timeout
        if self.function.endpoint is not None:
            return await self._post(self.function.endpoint, event, seconds)
        worker = self._idle.pop() if self._idle else _Worker(self.function)
        try:
            asking = run_in_thread(partial(worker.ask, event, call, self.function))
            made = await asyncio.wait_for(asking, seconds)
        except TimeoutError:
            worker.kill()
            return _report("Sandbox.Timedout", call, f"Task timed out after {seconds:.2f} seconds")
        except BaseException:  # the call was cancelled
            worker.kill()
            raise
        if worker.dead or len(self._idle) >= SPARE_WORKERS:
            worker.kill()
        else:
            self._idle.append(worker)
        return made

    async def _post(self, endpoint: str, event: str, seconds: float) -> Invocation:
        url = endpoint if "/2015-03-31/" in endpoint else endpoint.rstrip("/") + EMULATED
        return await run_in_thread(partial(_posted, url, event, seconds))

    def close(self) -> None:
        """End the idle processes."""
        while self._idle:
            self._idle.pop().kill()


def _posted(url: str, event: str, seconds: float) -> Invocation:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    request = Request(url, event.encode(), {"Content-Type": "application/json"})  # noqa: S310  http, by the check
    try:
        with urlopen(request, timeout=seconds) as answer:  # noqa: S310  http, by the check
            text = answer.read(MOST_BYTES + 1).decode(errors="replace")
            failed = "x-amz-function-error" in answer.headers
    except HTTPError as error:
        raise StatesError(
            "Lambda.ServiceException", f"The endpoint of the function answered {error.code}"
        ) from error
    except (OSError, HTTPException) as error:
        raise StatesError("Lambda.SdkClientException", f"Unable to execute HTTP request: {error}") from error
    # The emulator always answers 200: its members tell a report from a result.
    if not failed and text.startswith("{") and '"errorType"' in text:
        with suppress(ValueError):
            failed = set(json.loads(text)) >= {"errorType", "errorMessage"}
    return _bounded(Invocation(text, failed, {}))


def _bounded(made: Invocation) -> Invocation:
    if len(made.text.encode()) <= MOST_BYTES:
        return made
    error = f"Response payload size exceeded maximum allowed payload size ({MOST_BYTES} bytes)."
    report = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": error}
    return Invocation(json.dumps(report), failed=True, answer={})


class _Worker:
    """A process that runs one call after the other.  It ends with the parent, which closes its stdin.

    The first call starts it, in that call's thread: a caller that gives up meanwhile ends it.
    """

    def __init__(self, function: FunctionConfiguration) -> None:
        self._function = function
        self._made: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._lock = Lock()

    def _process(self) -> subprocess.Popen[bytes]:
        """Start the process.  Raises ``OSError`` if the call was given up."""
        with self._lock:
            if self._killed:
                raise OSError("the call was given up")
            if self._made is None:
                self._made = self._begin(self._function)
            return self._made

    @staticmethod
    def _begin(function: FunctionConfiguration) -> subprocess.Popen[bytes]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        settings = {"AWS_LAMBDA_FUNCTION_NAME": function.name}
        try:
            return subprocess.Popen(  # noqa: S603  what the project's configuration says
                [function.python, str(WORKER), str(function.handler)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=function.folder,
                env={**inherited, **settings, **function.environment},
            )
        except OSError as error:
            detail = f"Cannot run {function.python}: {error.strerror}"
            raise StatesError("Lambda.ServiceException", detail) from error

    def ask(self, event: str, call: TaskCall, function: FunctionConfiguration) -> Invocation:
        """Blocks until the function has answered, or its process has ended."""
        execution = parse_arn(call.execution)
        region, account = ("", "") if execution is None else execution.home
        asked = {
            "name": function.name,
            "arn": function_arn(region, account, function.name),
            "request": request_id(call.key),
            "seconds": function.timeout,
            "event": loads(event or "{}"),
        }
        process = self._process()
        assert process.stdin is not None  # noqa: S101  it was asked for
        assert process.stdout is not None  # noqa: S101  it was asked for
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
        except (OSError, ValueError):  # it ended while reading or writing
            return self._died(call, process)
        return _bounded(Invocation(told["text"], told["failed"], {}))

    def _died(self, call: TaskCall, process: subprocess.Popen[bytes]) -> Invocation:
        """Lambda's report of a runtime that ended in the middle of a call."""
        status = process.wait()
        self.dead = True
        how = f"exit status {status}" if status >= 0 else f"signal: {signal.Signals(-status).name}"
        outcome = f"Runtime exited with error: {how}" if status else "Runtime exited without providing a reason"
        return _report("Runtime.ExitError", call, outcome)

    dead = False

    def kill(self) -> None:
        with self._lock:
            self._killed = True
            process = self._made
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _report(kind: str, call: TaskCall, outcome: str) -> Invocation:
    report = {"errorType": kind, "errorMessage": f"RequestId: {request_id(call.key)} Error: {outcome}"}
    return Invocation(json.dumps(report), failed=True, answer={})
