"""Reads lines, from a keyboard, a file or a pipe, and has them carried out until somebody leaves."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.cli.output import err, is_terminal
from asl_engine.cli.wording import worded
from asl_engine.debugging.terminal.commands import COMMANDS
from asl_engine.errors import AslError, InvalidInput
from asl_engine.project.inputs import read_text
from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.debugging.terminal.terminal import Terminal

__all__ = ["PROMPT", "TypedLines", "drive_terminal", "lines_of"]

PROMPT = "(asl) "
HISTORY = Path("~/.asl_debug_history")


class TypedLines:
    """Where the lines come from; ``scripted``: nobody types them, so each is shown as it is carried out."""

    def __init__(self, given: Iterator[str] | None, *, scripted: bool) -> None:
        self.scripted = scripted
        self._given = given
        self._screen = sys.stdout  # what tasks print goes elsewhere meanwhile, and readline wants the real one

    async def next(self) -> str | None:
        """The next line; None when there is none any more."""
        return await run_in_thread(self._read)

    def _read(self) -> str | None:
        if self._given is not None:
            return next(self._given, None)
        try:
            with redirect_stdout(self._screen):
                return input(PROMPT)
        except EOFError:
            return None


def lines_of(file: str | None) -> TypedLines:
    """The lines of a file, or else what is typed or piped.  Raises ``InvalidInput``."""
    if file is not None:
        return TypedLines(iter(read_text(file, "the commands").splitlines()), scripted=True)
    if sys.stdin is None:
        raise InvalidInput("there is no standard input to read commands from")
    if not is_terminal(sys.stdin):
        return TypedLines((line.rstrip("\r\n") for line in sys.stdin), scripted=True)
    return TypedLines(None, scripted=False)


async def drive_terminal(terminal: Terminal, lines: TypedLines) -> bool:
    """Carry out lines until somebody leaves; whether all could be of those that nobody has typed."""
    sound = True
    last = ""
    with interrupted_by(terminal), typed_with_help(terminal, typed=not lines.scripted):
        while not terminal.over:
            line = await lines.next()
            if line is None:
                break
            if lines.scripted and line.strip():
                terminal.write(f"{PROMPT}{line.strip()}")
            last = line = line if line.strip() or lines.scripted else last  # an empty line: once more
            try:
                await terminal.do(line)
            except AslError as error:
                sound = not lines.scripted
                terminal.write(f"error: {worded(error)}")
    return sound


@contextmanager
def interrupted_by(terminal: Terminal) -> Iterator[None]:
    """Ctrl-C stops the execution where it is; where it stands, it leaves the debugger."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if not terminal.session.pause():
            err("(quit leaves the debugger)")

    def heed(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(interrupt)

    before: Any = signal.getsignal(signal.SIGINT)
    with suppress(NotImplementedError):  # it wakes the main thread, which alone hears of signals
        loop.add_signal_handler(signal.SIGINT, lambda: None)
    signal.signal(signal.SIGINT, heed)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


@contextmanager
def typed_with_help(terminal: Terminal, *, typed: bool) -> Iterator[None]:
    """History and completion, where there is readline."""
    try:
        import readline
    except ImportError:
        yield
        return
    if not typed:
        yield
        return
    file = HISTORY.expanduser()
    with suppress(OSError):
        readline.read_history_file(file)
    readline.set_completer_delims(" ")
    readline.set_completer(completer(terminal))
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    try:
        yield
    finally:
        readline.set_completer(None)
        with suppress(OSError):
            readline.write_history_file(file)


def completer(terminal: Terminal) -> Callable[[str, int], str | None]:
    """Commands first, then names of states."""

    def complete(text: str, number: int) -> str | None:
        import readline

        first = not readline.get_line_buffer()[: readline.get_begidx()].strip()
        return ([*completions(terminal, text, first=first), None])[number]

    return complete


def completions(terminal: Terminal, text: str, *, first: bool) -> list[str]:
    words = (
        [name for one in COMMANDS for name in one.names] if first else [*terminal.session.breakpoints.languages]
    )
    return [word for word in words if word.startswith(text)]
