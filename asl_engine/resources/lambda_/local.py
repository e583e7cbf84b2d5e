"""Lambda functions without AWS: those of ``[tool.asl.functions.NAME]``, and those that a template declares.

A function is a Python callable in a warm process of its own, or an HTTP endpoint that answers like Lambda's
runtime interface emulator.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
import weakref
from contextlib import suppress
from functools import partial
from pathlib import Path
from shutil import rmtree, which
from tempfile import mkdtemp
from types import CodeType, MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.errors import EXIT_ERROR, ProjectError, StatesError
from asl_engine.findings import did_you_mean
from asl_engine.json_text import loads
from asl_engine.resources.lambda_.service import Invocation, function_error, function_result
from asl_engine.resources.processes import ProcessEnded, ProcessPool
from asl_engine.resources.python.context import InvokeOptions, invoked_arn, lambda_variables, request_id
from asl_engine.resources.python.log_keys import keys_of
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.resources.trace_context import read_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from importlib.machinery import ModuleSpec

    from asl_engine.payload import Payload
    from asl_engine.resources import TaskCall
    from asl_engine.resources.concurrency import Slots

__all__ = ["FunctionConfiguration", "LocalFunction", "not_startable", "read_functions"]

KEYS = ("handler", "endpoint", "environment", "timeout", "python", "folder")
SIZING = ("concurrency", "memory", "architecture")  # project.sizing has read and checked them
WORKER = Path(__file__).with_name("worker.py")
MAX_SECONDS = 900.0
MAX_BYTES = 6_291_456  # of a synchronous invocation's payload
EMULATED = "/2015-03-31/functions/function/invocations"
# A module in which these stand may get names that are not written in it.
MAKERS_OF_NAMES: Final = frozenset({"*", "__getattr__", "exec", "globals", "setattr", "vars"})
NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL")


class FunctionConfiguration(NamedTuple):
    """A configured function.  ``timeout`` is in seconds.  Either ``handler`` or ``endpoint`` is given.

    ``place`` is the file and the key that configure it.  ``path`` are folders and archives from which it imports
    besides its own folder.  ``source`` is the text of its module where no file has it.  ``slots`` count its calls
    where it has reserved concurrency.
    """

    name: str
    folder: Path
    handler: str | None
    endpoint: str | None
    environment: Mapping[str, str]
    timeout: float
    python: str
    place: str = ""
    path: tuple[str, ...] = ()
    source: str | None = None
    slots: Slots | None = None


def read_functions(tables: Mapping[str, Any], root: Path, source: str) -> dict[str, FunctionConfiguration]:
    """The configured functions, by name.  Raises ``ProjectError`` that says what is wrong, and where."""
    return {name: _function(name, table, root, f"{source}: functions.{name}") for name, table in tables.items()}


def _function(name: str, table: Any, root: Path, place: str) -> FunctionConfiguration:
    if not isinstance(table, dict):
        raise ProjectError(f"{place}: it has to be a table")
    for key in table:
        if key not in {*KEYS, *SIZING}:
            raise ProjectError(f"{place}: there is no key {key!r}; allowed are {', '.join((*KEYS, *SIZING))}")
    handler, endpoint, timeout = table.get("handler"), table.get("endpoint"), table.get("timeout", MAX_SECONDS)
    if (handler is None) == (endpoint is None):
        raise ProjectError(f"{place}: it has to have either handler or endpoint")
    if endpoint is not None and not str(endpoint).startswith(("http://", "https://")):
        raise ProjectError(f"{place}: endpoint has to be a URL, such as http://localhost:9000")
    if handler is not None and (not isinstance(handler, str) or not any(sign in handler for sign in ":.")):
        raise ProjectError(f'{place}: handler has to be "module:function"')
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= MAX_SECONDS:
        raise ProjectError(f"{place}: timeout has to be a number of seconds, at most 900")
    environment = table.get("environment", {})
    if not isinstance(environment, dict) or not all(isinstance(text, str) for text in environment.values()):
        raise ProjectError(f"{place}: environment has to be a table of texts")
    folder = root / str(table.get("folder", "."))
    if not folder.is_dir():
        raise ProjectError(f"{place}: there is no folder {folder}")
    python = str(table.get("python", sys.executable))
    return FunctionConfiguration(name, folder, handler, endpoint, environment, float(timeout), python, place)


def not_startable(function: FunctionConfiguration) -> str | None:
    """Why a function's process cannot be started, None where nothing speaks against it.

    Which modules another Python has is not known here.
    """
    handler, python = function.handler, function.python
    if handler is None:
        return None
    is_path = os.sep in python or "/" in python
    if not ((function.folder / python).is_file() if is_path else which(python)):
        return f"{function.place}.python: there is no {function.folder / python if is_path else python}"
    module, _, name = handler.partition(":") if ":" in handler else handler.rpartition(".")
    if function.source is not None:
        return _lacking(function.source, f"{function.place}.handler: the code", name)
    if python != sys.executable:
        return None
    found = _module(module.replace("/", "."), function)
    if found is None:
        return f"{function.place}.handler: there is no module {module} in {function.folder}"
    file = found.origin or ""
    if not file.endswith(".py") or not Path(file).is_file():
        return None
    return _lacking(
        Path(file).read_text(encoding="utf-8", errors="replace"), f"{function.place}.handler: {file}", name
    )


def _module(module: str, function: FunctionConfiguration) -> ModuleSpec | None:
    """What a Python that is started in the function's folder finds for a module; nothing is imported for it."""
    from importlib.machinery import BuiltinImporter, PathFinder

    own = [str(function.folder), *function.path, *function.environment.get("PYTHONPATH", "").split(os.pathsep)]
    path = [*own, *sys.path]
    name = ""
    found: ModuleSpec | None = None
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        found = PathFinder.find_spec(name, path)
        if found is None:
            return BuiltinImporter.find_spec(name)
        if found.submodule_search_locations is None:
            return found if name == module else None
        path = [*found.submodule_search_locations]
    return found


def _lacking(text: str, where: str, name: str) -> str | None:
    """That a module cannot be read, or has nothing of this name; None where it may have.

    What a module gets by ``*``, or makes for itself, is not known without running it.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            code = compile(text, where, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        return f"{where}{line} is not Python: {error.msg if isinstance(error, SyntaxError) else error}"
    first, names = name.partition(".")[0], {*_names(code)}
    if first in names or not names.isdisjoint(MAKERS_OF_NAMES):
        return None
    return f"{where} has no {first}{did_you_mean(first, names)}"


def _names(code: CodeType) -> Iterator[str]:
    """The names that are used anywhere in compiled code, those that it makes among them."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
        elif constant == ("*",):  # from somewhere import *
            yield "*"


class LocalFunction:
    """A resource that runs a function; its failures are those that Lambda reports."""

    def __init__(
        self,
        function: FunctionConfiguration,
        connecting: Mapping[str, str] = NO_VARIABLES,
        hear: Callable[[str, str], None] | None = None,
    ) -> None:
        """``connecting`` are more variables for its process: where AWS's services are, for example.

        ``hear`` takes its name and each line that it writes, in a thread, and what Lambda's runtime writes of an
        exception; None: the lines go to our stderr, and whoever calls it tells of exceptions.
        """
        self.function = function
        self.connecting = connecting
        folder = function.folder
        if function.source is not None and function.handler is not None:
            folder = Path(mkdtemp(prefix="asl-function-"))
            weakref.finalize(self, rmtree, folder, ignore_errors=True)
            module = function.handler.rpartition(".")[0]
            (folder / f"{module}.py").write_text(function.source, encoding="utf-8")
        command = [function.python, str(WORKER), str(function.handler)]
        self._hear_line = None if hear is None else partial(hear, function.name)
        environment = {**connecting, **_environment(function)}
        self._processes = ProcessPool(command, folder, environment, self._hear_line, says_ready=True)

    async def __call__(self, call: TaskCall) -> Payload:
        made = await self.invoke(call.input.text, call)
        if made.failed:
            raise function_error(made.text)
        return function_result(made.text, call)

    async def invoke(self, event: str, call: TaskCall, invoked: InvokeOptions | None = None) -> Invocation:
        """Call the function.

        Raises ``StatesError`` if its process or its endpoint is unavailable, and for one call too many at a time.
        """
        if self.function.slots is None:
            return await self._invoke(event, call, invoked)
        with self.function.slots.taken(call):
            return await self._invoke(event, call, invoked)

    async def _invoke(self, event: str, call: TaskCall, invoked: InvokeOptions | None) -> Invocation:
        seconds = self.function.timeout
        if self.function.endpoint is not None:
            return await self._post(self.function.endpoint, event, seconds, call.trace_parent)
        try:
            answer = await self._processes.ask(self._request(event, call, invoked), seconds=seconds)
        except TimeoutError:
            return _report("Sandbox.Timedout", call, f"Task timed out after {seconds:.2f} seconds")
        except ProcessEnded as ended:
            return _report(EXIT_ERROR, call, str(ended))
        except OSError as error:
            detail = f"Cannot run {self.function.python}: {error.strerror}"
            raise StatesError("Lambda.ServiceException", detail) from error
        if answer["failed"] and self._hear_line is not None:
            for line in _logged(answer["text"]):
                self._hear_line(line)
        return _bounded(Invocation(answer["text"], answer["failed"], {}))

    def _request(self, event: str, call: TaskCall, invoked: InvokeOptions | None) -> dict[str, Any]:
        """The request to the worker; ``invoked`` is what Invoke was given beside the event."""
        return {
            "name": self.function.name,
            "arn": invoked_arn(call, self.function.name),
            "request": request_id(call.key),
            "state": call.state,
            "seconds": self.function.timeout,
            "event": loads(event or "{}"),
            "client": None if invoked is None else invoked.context,
            "tenant": None if invoked is None else invoked.tenant,
            "keys": keys_of(call, self.function.name),
            "trace": call.trace_parent,
        }

    async def _post(self, endpoint: str, event: str, seconds: float, trace_parent: str) -> Invocation:
        url = endpoint if "/2015-03-31/" in endpoint else endpoint.rstrip("/") + EMULATED
        return await run_in_thread(partial(_posted, url, event, seconds, trace_parent))

    def renew(self) -> None:
        """Its code has changed: the next calls are those of new processes."""
        self._processes.close()

    def close(self) -> None:
        """End the idle processes."""
        self._processes.close()


def _environment(function: FunctionConfiguration) -> dict[str, str]:
    """The environment of a function's process: a few of our variables, Lambda's, and those that are configured."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    variables = {**inherited, **lambda_variables(function.name), **function.environment}
    if function.path:
        own = variables.get("PYTHONPATH")
        variables["PYTHONPATH"] = os.pathsep.join([*function.path, *([own] if own else [])])
    return variables


def _logged(report: str) -> Iterator[str]:
    """What Lambda's runtime writes to a function's log of an exception that it reports."""
    told = json.loads(report)
    yield f"[ERROR] {told['errorType']}: {told['errorMessage']}"
    yield "Traceback (most recent call last):"
    for entry in told["stackTrace"]:
        yield from str(entry).rstrip().splitlines()


def _posted(url: str, event: str, seconds: float, trace_parent: str) -> Invocation:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    headers = {"Content-Type": "application/json"}
    parent = read_trace(trace_parent)
    if parent is not None:
        headers["X-Amzn-Trace-Id"] = parent.xray
    request = Request(url, event.encode(), headers)  # noqa: S310  http, by the check
    try:
        with urlopen(request, timeout=seconds) as answer:  # noqa: S310  http, by the check
            text = answer.read(MAX_BYTES + 1).decode(errors="replace")
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
    if len(made.text.encode()) <= MAX_BYTES:
        return made
    error = f"Response payload size exceeded maximum allowed payload size ({MAX_BYTES} bytes)."
    report = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": error}
    return Invocation(json.dumps(report), failed=True, answer={})


def _report(kind: str, call: TaskCall, outcome: str) -> Invocation:
    report = {"errorType": kind, "errorMessage": f"RequestId: {request_id(call.key)} Error: {outcome}"}
    return Invocation(json.dumps(report), failed=True, answer={})
