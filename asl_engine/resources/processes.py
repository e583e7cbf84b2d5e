"""Processes that work for this one.  Each answers one request after the other, with a line of JSON each.

A process that ends in the middle of a request was ended by the code that it ran for that request: nothing else
ran there.  So a task that takes its process down is told from those beside it.

A process that has much to import takes a second of a processor, or several where others start beside it.  So only
as many start at a time as there are processors, and a request takes whatever is there first: a process that has
started, or one that has become idle.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import weakref
from collections import deque
from contextlib import suppress
from functools import partial
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, Any, NoReturn

from asl_engine.resources.python.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from asl_engine.json_values import Json

__all__ = ["ProcessEnded", "ProcessPool", "exit_words"]

SPARE_PROCESSES = 4
START_SECONDS = 60.0  # for a process that imports what it needs
LEAVE_SECONDS = 1.0  # for an idle process that is told to end
# A thread waits for each process that works; there are never more of these than processes.
THREADS = DaemonThreads(limit=1_000)
# How many start at a time, for each event loop.
_STARTS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = weakref.WeakKeyDictionary()
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
        *,
        says_ready: bool = False,
    ) -> None:
        """``hear_line`` takes the lines that the processes write to stderr, in a thread; None: they are ours.

        ``says_ready``: the first line of a process says that it is there, and is no answer.
        """
        environment = None if environment is None else {**environment}
        self._start = partial(_started, [*command], folder, environment, hear_line)
        self._says_ready = says_ready
        self.idle: list[_Process] = []
        self._waiting: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, deque[asyncio.Future[_Process]]]
        self._waiting = weakref.WeakKeyDictionary()
        self._starting: set[asyncio.Task[None]] = set()
        self._generation = 0
        # Without this a pool that nobody closes would leave processes that nobody has waited for.
        weakref.finalize(self, _end_all, self.idle)

    async def ask(
        self, request: Json, hear: Callable[[Any], None] | None = None, seconds: float | None = None
    ) -> Any:
        """The answer to a request.

        ``hear``, which is called in another thread, takes what the process says before it answers: lines that
        are an object with the member ``said``.  Cancelled, it kills the process.  ``seconds`` are those that the
        answer may take once a process is there.  Raises ``TimeoutError``, ``ProcessEnded``, and ``OSError`` if the
        process cannot be started.
        """
        process = await self._taken()
        try:
            answer = await asyncio.wait_for(THREADS.run(partial(process.ask, request, hear)), seconds)
        except BaseException:
            process.kill()
            raise
        self._give_back(process)
        return answer

    async def _taken(self) -> _Process:
        """A process that has nothing to do."""
        while self.idle:
            process = self.idle.pop()
            if process.is_alive():
                return process
            process.kill()  # it ended while it had nothing to do: no request is to blame
        if not self._says_ready:
            return _Process(self._start, self._generation)
        turn: asyncio.Future[_Process] = asyncio.get_running_loop().create_future()
        self._requests().append(turn)
        start = asyncio.create_task(self._start_one())
        self._starting.add(start)
        start.add_done_callback(self._starting.discard)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(turn.result())
            raise

    async def _start_one(self) -> None:
        """Start a process for a request that waits, unless none does by then."""
        loop = asyncio.get_running_loop()
        async with _STARTS.setdefault(loop, asyncio.Semaphore(os.cpu_count() or 1)):
            process = None
            while process is None and self._requests():
                process = await self._started()
        if process is not None:
            self._give_back(process)

    async def _started(self) -> _Process | None:
        """A new process.  None where it came too late, or did not start, which a request that waits is told."""
        process = _Process(self._start, self._generation)
        try:
            await asyncio.wait_for(THREADS.run(process.begin), START_SECONDS)
        except BaseException as error:
            process.kill()
            if not isinstance(error, Exception):
                raise
            if waiting := self._requests():
                waiting.popleft().set_exception(error)
            return None
        if process.generation != self._generation:
            process.kill()
            return None
        return process

    def _requests(self) -> deque[asyncio.Future[_Process]]:
        """The requests of this event loop that wait, without those that were given up."""
        waiting = self._waiting.setdefault(asyncio.get_running_loop(), deque())
        while waiting and waiting[0].done():
            waiting.popleft()
        return waiting

    def _give_back(self, process: _Process) -> None:
        """Give a process to a request that waits, or keep it for later."""
        if process.generation != self._generation:
            process.kill()
        elif waiting := self._requests():
            waiting.popleft().set_result(process)
        elif len(self.idle) < SPARE_PROCESSES:
            self.idle.append(process)
        else:
            process.kill()

    def close(self) -> None:
        """End the idle processes, and use none again that there is: those that work end behind their request."""
        self._generation += 1
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

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]], generation: int) -> None:
        self._start = start
        self.generation = generation
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

    def begin(self) -> None:
        """Start the process, and block until it has said that it is there.  Raises ``ProcessEnded``."""
        process = self._process()
        assert process.stdout is not None  # noqa: S101  it was asked for
        if not process.stdout.readline():
            self._ended(process)

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
            self._ended(process)

    def _ended(self, process: subprocess.Popen[bytes]) -> NoReturn:
        """Raises ``ProcessEnded`` for a process that nothing comes from any more."""
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
