"""Processes that work for this one.  Each answers one request after the other, with a line of JSON each.

A process that ends in the middle of a request was ended by the code that it ran for that request: nothing else
ran there.  So a task that takes its process down is told from those beside it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import weakref
from contextlib import suppress
from functools import partial
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, Any

from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from asl_engine.json_values import Json

__all__ = ["ProcessEnded", "ProcessPool", "exit_words"]

SPARE_PROCESSES = 4
LEAVE_SECONDS = 1.0  # for an idle process that is told to end
# The names that the runtime of Lambda, a program in Go, gives to signals.
SIGNALS = {
    "SIGABRT": "aborted",
    "SIGALRM": "alarm clock",
    "SIGBUS": "bus error",
    "SIGFPE": "floating point exception",
    "SIGHUP": "hangup",
    "SIGILL": "illegal instruction",
    "SIGINT": "interrupt",
    "SIGKILL": "killed",
    "SIGPIPE": "broken pipe",
    "SIGQUIT": "quit",
    "SIGSEGV": "segmentation fault",
    "SIGTERM": "terminated",
    "SIGTRAP": "trace/breakpoint trap",
}


def exit_words(status: int) -> str:
    """What Lambda says of a runtime that ended with a status; a negative one is that of a signal."""
    if status == 0:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    try:
        name = SIGNALS.get(signal.Signals(-status).name, f"signal {-status}")
    except ValueError:  # a signal without a name
        name = f"signal {-status}"
    return f"Runtime exited with error: signal: {name}"


class ProcessEnded(Exception):
    """The process ended before it had answered; ``status`` is what ``subprocess`` gives as its return code."""

    def __init__(self, status: int) -> None:
        super().__init__(exit_words(status))
        self.status = status


class ProcessPool:
    """Processes started by one command: as many as are needed at a time, a few of them kept for later."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        hear_line: Callable[[str], None] | None = None,
    ) -> None:
        """``hear_line`` takes the lines that the processes write to stderr, in a thread; None: they are ours."""
        environment = None if environment is None else {**environment}
        self._start = partial(_started, [*command], folder, environment, hear_line)
        self.idle: list[_Process] = []
        self._generation = 0
        # Without this a pool that nobody closes would leave processes that nobody has waited for.
        weakref.finalize(self, _end_all, self.idle)

    async def ask(self, request: Json, hear: Callable[[Any], None] | None = None) -> Any:
        """The answer to a request.

        ``hear``, which is called in another thread, takes what the process says before it answers: lines that
        are an object with the member ``said``.  Cancelled, it kills the process.  Raises ``ProcessEnded``, and
        ``OSError`` if the process cannot be started.
        """
        process, generation = self._take(), self._generation
        try:
            answer = await run_in_thread(partial(process.ask, request, hear))
        except BaseException:
            process.kill()
            raise
        if len(self.idle) < SPARE_PROCESSES and generation == self._generation:
            self.idle.append(process)
        else:
            process.kill()
        return answer

    def _take(self) -> _Process:
        while self.idle:
            process = self.idle.pop()
            if process.is_alive():
                return process
            process.kill()  # it ended while it had nothing to do: no request is to blame
        return _Process(self._start)

    def renew(self) -> None:
        """Use no process again that there is: those that work for a request end behind it."""
        self._generation += 1
        self.close()

    def close(self) -> None:
        """End the idle processes."""
        _end_all(self.idle)


def _end_all(idle: list[_Process]) -> None:
    for process in idle:
        process.dismiss()
    while idle:
        idle.pop().kill(LEAVE_SECONDS)


def _started(
    command: list[str],
    folder: Path | None,
    environment: dict[str, str] | None,
    hear_line: Callable[[str], None] | None,
) -> subprocess.Popen[bytes]:
    # In a group of its own it does not get the signals of the terminal: what they mean is decided here.
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    process = subprocess.Popen(  # noqa: S603  our own program, or what the project's configuration names
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if hear_line is None else subprocess.PIPE,
        cwd=folder,
        env=environment,
        **apart,
    )
    if hear_line is not None and process.stderr is not None:
        Thread(target=_pass_on, args=(process.stderr, hear_line), daemon=True).start()
    return process


def _pass_on(lines: IO[bytes], hear_line: Callable[[str], None]) -> None:
    """Until the process, and all that it has started, have closed their stderr."""
    with lines:
        for line in lines:
            hear_line(line.decode("utf-8", "replace").rstrip())


class _Process:
    """A process that answers one request after the other.  It ends with this one, which closes its stdin.

    The first request starts it, in that request's thread: a caller that gives up meanwhile ends it.
    """

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._start = start
        self._made: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._lock = Lock()

    def _process(self) -> subprocess.Popen[bytes]:
        """Start the process.  Raises ``OSError`` if the request was given up."""
        with self._lock:
            if self._killed:
                raise OSError("the call was given up")
            if self._made is None:
                self._made = self._start()
            return self._made

    def is_alive(self) -> bool:
        return self._made is not None and self._made.poll() is None

    def ask(self, request: Json, hear: Callable[[Any], None] | None) -> Any:
        """Send the request, and block until the process has answered or ended."""
        process = self._process()
        assert process.stdin is not None  # noqa: S101  it was asked for
        assert process.stdout is not None  # noqa: S101  it was asked for
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            while True:
                answer = json.loads(process.stdout.readline())
                if not (isinstance(answer, dict) and "said" in answer):
                    return answer
                if hear is not None:
                    hear(answer["said"])
        except (OSError, ValueError):  # it ended while reading or writing
            with suppress(subprocess.TimeoutExpired):
                process.wait(LEAVE_SECONDS)
            if process.poll() is None:  # it has closed its pipe, and lives on: nobody would hear of it any more
                process.kill()
            raise ProcessEnded(process.wait()) from None

    def dismiss(self) -> None:
        """Tell an idle process to end."""
        if self._made is not None and self._made.stdin is not None:
            with suppress(OSError):
                self._made.stdin.close()

    def kill(self, patience: float = 0) -> None:
        """End the process if it does not end by itself, and those that it has started."""
        with self._lock:
            self._killed = True
            process = self._made
        if process is None:
            return
        if patience:
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        _kill_group(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and those that it has started, which may live on when it has ended."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):  # all of them have ended
        os.killpg(process.pid, signal.SIGKILL)
