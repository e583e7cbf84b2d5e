"""An editor: debugpy's implementation of the Debug Adapter Protocol, talking to `asl debug` in a process."""

from __future__ import annotations

import queue
import socket
import subprocess
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.cli.project import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.project import Project

# It has no types.
messaging: Any = import_module("debugpy.common.messaging")

__all__ = ["Editor", "over_port", "over_stdio"]


class Editor:
    """Requests, and the events that have come."""

    def __init__(self, stream: Any) -> None:
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.channel = messaging.JsonMessageChannel(stream, self)
        self.channel.start()

    # What the channel calls.
    def event(self, event: Any) -> None:
        self._events.put((event.event, dict(event.body)))

    def disconnect(self) -> None:
        self._events.put(("disconnected", {}))

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """The body of the answer.  Raises ``MessageHandlingError`` for a refusal."""
        body: dict[str, Any] = self.channel.send_request(command, arguments or None).wait_for_response() or {}
        return body

    def until(self, name: str) -> dict[str, Any]:
        """The body of the next event of this name; those before it are kept in ``seen``."""
        while True:
            found, body = self._events.get(timeout=PATIENCE_SECONDS)
            self.seen.append((found, body))
            if found == name:
                return body
            assert found != "disconnected", self.seen

    @property
    def output(self) -> str:
        """What was written to the console, of the events that have been seen."""
        return "".join(body["output"] for name, body in self.seen if name == "output")

    def launched(
        self, program: str, *, lines: list[Any] | None = None, filters: list[str] | None = None, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Begin as an editor begins; the breakpoints as they were set."""
        self.ask("initialize", adapterID="asl", linesStartAt1=True, columnsStartAt1=True)
        self.ask("launch", program=program, **arguments)
        self.until("initialized")
        set_ = self.breakpoints(program, lines or [])
        self.ask("setExceptionBreakpoints", filters=["uncaught"] if filters is None else filters)
        self.ask("configurationDone")
        return set_

    def breakpoints(self, program: str, lines: list[Any]) -> list[dict[str, Any]]:
        wanted = [{"line": one} if isinstance(one, int) else one for one in lines]
        found: list[dict[str, Any]] = self.ask("setBreakpoints", source={"path": program}, breakpoints=wanted)[
            "breakpoints"
        ]
        return found

    # What it shows where the execution stands.
    def stack(self, thread: int) -> list[tuple[str, int]]:
        frames = self.ask("stackTrace", threadId=thread)["stackFrames"]
        return [(frame["name"], frame["line"]) for frame in frames]

    def scopes(self, thread: int, depth: int = 0) -> dict[str, int]:
        frames = self.ask("stackTrace", threadId=thread)["stackFrames"]
        found = self.ask("scopes", frameId=frames[depth]["id"])["scopes"]
        return {scope["name"]: scope["variablesReference"] for scope in found}

    def variables(self, reference: int) -> dict[str, str]:
        found = self.ask("variables", variablesReference=reference)["variables"]
        return {variable["name"]: variable["value"] for variable in found}

    def move(self, command: str, thread: int) -> dict[str, Any]:
        """Go on, and where it stops."""
        self.ask(command, threadId=thread)
        return self.until("stopped")


@contextmanager
def over_stdio(project: Project) -> Iterator[tuple[Editor, subprocess.Popen[Any]]]:
    process = project.spawn("debug", "--dap", stdin=subprocess.PIPE, text=False)
    with _ended(process):
        yield Editor(messaging.JsonIOStream.from_process(process)), process


@contextmanager
def over_port(project: Project) -> Iterator[tuple[Editor, subprocess.Popen[Any]]]:
    process = project.spawn("debug", "--dap-port", "0")
    with _ended(process):
        assert process.stderr is not None
        line = process.stderr.readline()
        port = int(line.rsplit(":", 1)[1])
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        yield Editor(messaging.JsonIOStream.from_socket(connection)), process


@contextmanager
def _ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                with suppress(OSError):
                    stream.close()
