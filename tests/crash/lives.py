"""A life: one process of the command line, from its fork to its end, whatever that is."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from asl_engine.store.sqlite.store import SqliteStore
from tests.crash import shim
from tests.crash.points import Point, count_points, die_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["SYNCHRONOUS", "UNHARMED", "Doom", "Life", "begin", "end_all", "killer_of"]

PATIENCE_SECONDS = 60.0
SYNCHRONOUS = "ASL_CRASH_SYNCHRONOUS"  # the setting of the lives' stores, if not their own


class Doom(NamedTuple):
    """What is to befall a life: it dies at a ``point``, or ``after`` some seconds, or its disk has a ``fault``.

    ``log`` is a file that the shim is to record the changes of files in.
    """

    point: Point | None = None
    after: float | None = None
    fault: shim.Fault | None = None
    log: int | None = None

    @property
    def kills(self) -> bool:
        return self.point is not None or self.after is not None


UNHARMED = Doom()


_alive: set[int] = set()


def end_all() -> None:
    """Kill the lives that nobody has seen end: whoever began them has been interrupted."""
    for pid in _alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    _alive.clear()


class Life:
    """A process under way; ``end`` waits for its end."""

    def __init__(self, pid: int, stdout: int, killer: int | None) -> None:
        self.pid = pid
        self._stdout = stdout
        self._killer = killer
        self._said = b""
        self.code: int | None = None  # negative: the signal
        _alive.add(pid)

    def said(self, seconds: float = 0.0) -> bytes | None:
        """What it has written to stdout so far, once that is more or the time is over; None when it is dead."""
        ready, _, _ = select.select([self._stdout], [], [], seconds)
        if ready:
            more = os.read(self._stdout, 65536)
            if not more:
                return None
            self._said += more
        return self._said

    def end(self) -> int:
        """The exit code, or the negative of the signal, once it has ended.  It is killed if it does not."""
        if self.code is not None:
            return self.code
        limit = time.monotonic() + PATIENCE_SECONDS
        while self.said(1.0) is not None:
            if time.monotonic() > limit:
                os.kill(self.pid, signal.SIGKILL)
                limit = float("inf")
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        _alive.discard(self.pid)
        os.close(self._stdout)
        if self._killer is not None:
            # Its target has been waited for only now, so it cannot have hit another process.
            os.kill(self._killer, signal.SIGKILL)
            os.waitpid(self._killer, 0)
        return self.code

    def stop(self) -> int:
        """End it in good order."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        return self.end()

    @property
    def output(self) -> str:
        return self._said.decode()


def begin(
    folder: Path, arguments: Sequence[str], doom: Doom = UNHARMED, tell: Callable[[int, int], None] | None = None
) -> Life:
    """Fork the command ``asl`` with these arguments, in a folder.

    ``tell`` is called in it with the number of its commits and acts so far.
    """
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(readable)
        _alive.clear()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _live(folder, arguments, doom, tell, writable)
    os.close(writable)
    killer = None if doom.after is None else killer_of(pid, doom.after)
    return Life(pid, readable, killer)


def killer_of(pid: int, seconds: float) -> int:
    """A process that kills another one, if it is still there."""
    killer = os.fork()
    if killer == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os._exit(0)
    return killer


def _live(
    folder: Path, arguments: Sequence[str], doom: Doom, tell: Callable[[int, int], None] | None, stdout: int
) -> NoReturn:
    code = 70
    try:
        os.chdir(folder)
        os.dup2(stdout, 1)
        os.close(stdout)
        errors = os.open(folder / "outside" / "stderr", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(errors, 2)
        os.close(errors)
        # Those of the parent know what kind of files theirs are, and may hold something back.
        sys.stdout, sys.stderr = (open(file, "w", encoding="utf-8", closefd=False) for file in (1, 2))  # noqa: SIM115  numbers
        os.environ["ASL_DB"] = str(folder / ".asl" / "asl.db")
        sys.dont_write_bytecode = True
        random.seed()  # not that of the cases: two lives are not one
        if SYNCHRONOUS in os.environ:
            open_store: Any = SqliteStore.open
            open_store.__func__.__kwdefaults__["synchronous"] = os.environ[SYNCHRONOUS]
        if doom.log is not None or doom.fault is not None:
            shim.start(folder, doom.log, doom.fault)
        if doom.point is not None:
            die_at(doom.point)
        if tell is not None:
            count_points(tell)
        from asl_engine.cli import main

        main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 70
    except BaseException:  # noqa: BLE001  whatever it is: it is told, and nothing of the parent goes on in the child
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
