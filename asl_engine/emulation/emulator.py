"""moto's server in a process of its own, which is started again when it has died.

Its address is a socket of this process, so it is there before moto is and while moto is started again: whoever
connects meanwhile waits.  Nobody but ``make`` is answered before everything that a project declares is made.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.errors import ProjectError
from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

__all__ = ["HOST", "Emulator", "bound"]

HOST: Final = "127.0.0.1"
BACKLOG: Final = 512
PROGRAM: Final = Path(__file__).with_name("moto_process.py")
MAX_FAILURES: Final = 3  # starts in a row that came to nothing
SHORT_SECONDS: Final = 2.0  # one that has lived no longer has not begun well
LEAVE_SECONDS: Final = 2.0
SHOWN_CHARACTERS: Final = 2000
MAX_PORT: Final = 65_535
NEITHER: Final = frozenset({"PYTHONWARNINGS", "MOTO_PORT"})


def bound(port: int | None, preferred: int) -> socket.socket:
    """A listening socket: at ``port``, or without one at the preferred port, if it is free, or at any.

    Raises ``ProjectError`` where a port that was asked for is not available.
    """
    from socket import create_server

    for attempt in (port,) if port is not None else (preferred if preferred <= MAX_PORT else 0, 0):
        try:
            return create_server((HOST, attempt), backlog=BACKLOG)
        except OSError as error:
            if port is not None:
                reason = (error.strerror or str(error)).partition(" (")[0]  # Python appends the address again
                raise ProjectError(
                    f"cannot emulate AWS's services at {HOST}:{port}: {reason}; choose another port in the table "
                    "emulation of asl.toml"
                ) from None
    raise ProjectError(f"cannot emulate AWS's services: {HOST} has no free port")


class _Started(NamedTuple):
    """A process that has begun; ``url`` is the address that only this process knows."""

    process: subprocess.Popen[bytes]
    url: str


class Emulator:
    """``log`` gets what moto writes.  ``account`` is whose everything is."""

    def __init__(self, listener: socket.socket, log: Path, account: str) -> None:
        self._listener = listener
        self._log = log
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = Lock()
        self._is_over = False
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        self.ready = asyncio.Event()
        self._asked = asyncio.Event()  # somebody wants it, so it is to be started

    async def run(
        self, make: Callable[[str], Awaitable[None]], say: Callable[[str], None], *, at_once: bool
    ) -> None:
        """Keep it running until this is cancelled.

        ``make`` is called with the address of each process that begins, before anybody else is answered there.
        ``at_once``: do not wait until somebody connects.
        """
        failures = 0
        try:
            await run_in_thread(partial(self._log.write_bytes, b""))
            if not (at_once or self._asked.is_set()):
                await self._wanted()
            while failures < MAX_FAILURES:
                started = await self._begun()
                if started is None:
                    failures += 1
                    continue
                await make(started.url)
                await run_in_thread(partial(self._opened, started))
                self.ready.set()
                since = monotonic()
                status = await run_in_thread(partial(_waited, started.process))
                self.ready.clear()
                failures = failures + 1 if monotonic() - since < SHORT_SECONDS else 0
                say(
                    f"the emulator of AWS's services has ended ({_worded(status)}) and is started again: what was "
                    "in its queues and tables is gone"
                )
            self._listener.close()  # whoever connects hears at once that nobody is there
            say(f"the emulator of AWS's services does not start: {self._told()}")
        finally:
            await asyncio.shield(run_in_thread(self.end))

    async def started(self) -> None:
        """Returns when it answers everybody; it is started for that."""
        self._asked.set()
        await self.ready.wait()

    async def _wanted(self) -> None:
        """Returns when somebody connects; at once where the event loop cannot tell."""
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(self._listener.fileno(), self._asked.set)
        except NotImplementedError:  # Windows
            return
        try:
            await self._asked.wait()
        finally:
            loop.remove_reader(self._listener.fileno())

    async def _begun(self) -> _Started | None:
        """A new process; None where it has ended before it could answer."""
        process = await run_in_thread(self._start)
        assert process.stdout is not None  # noqa: S101  it was asked for
        line = await run_in_thread(process.stdout.readline)
        if not line:
            await run_in_thread(partial(_waited, process))
            return None
        return _Started(process, f"http://{HOST}:{json.loads(line)['port']}")

    def _start(self) -> subprocess.Popen[bytes]:
        """Raises ``OSError``, also where nobody wants it any more."""
        # In a group of its own it does not get the signals of the terminal: it ends with this process.
        apart: dict[str, Any] = {"process_group": 0, "pass_fds": (self._listener.fileno(),)}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        environment = {name: text for name, text in kept.items() if name not in NEITHER} | {
            "MOTO_ACCOUNT_ID": self._account,
            "MOTO_ALLOW_NONEXISTENT_REGION": "true",
            # What moto asks of itself, it must not ask of AWS.
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with self._starting, self._log.open("ab") as log:
            if self._is_over:
                raise OSError("the emulator has been ended")
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                **apart,
            )
            return self._process

    def _opened(self, started: _Started) -> None:
        """Let it answer everybody."""
        process = started.process
        shared: int | str = self._listener.fileno()
        if sys.platform == "win32":
            shared = self._listener.share(process.pid).hex()
        assert process.stdin is not None  # noqa: S101  it was asked for
        with suppress(OSError):  # it has ended
            process.stdin.write(json.dumps(shared).encode() + b"\n")
            process.stdin.flush()

    def _told(self) -> str:
        """The last that moto has written."""
        with suppress(OSError):
            text = self._log.read_text(encoding="utf-8", errors="replace").strip()
            if text:
                return f"{text[-SHOWN_CHARACTERS:].splitlines()[-1]} ({self._log})"
        return f"it has written nothing to {self._log}"

    def end(self) -> None:
        """End the process, and close the socket."""
        with self._starting:
            self._is_over = True
            process, self._process = self._process, None
        self._listener.close()
        if process is None:
            return
        _close_pipes(process)  # it ends for that
        with suppress(subprocess.TimeoutExpired):
            process.wait(LEAVE_SECONDS)
        if process.poll() is None:
            process.kill()
        process.wait()


def _waited(process: subprocess.Popen[bytes]) -> int:
    """The status of a process, once it has ended."""
    status = process.wait()
    _close_pipes(process)
    return status


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _worded(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
