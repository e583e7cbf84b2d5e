"""What is written, and how: the two streams, JSON, moments, durations, tables.

rich is imported where a table is drawn on a terminal, and nowhere else.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asl_engine.errors import AslError, InvalidInput
from asl_engine.projections.causes import lambda_report, readable_cause
from asl_engine.projections.moments import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from asl_engine.graph.pieces import Row

__all__ = [
    "STDOUT",
    "OutputClosed",
    "OutputRefused",
    "clean",
    "compact_json",
    "confirmed",
    "counted",
    "err",
    "flush",
    "is_said_otherwise",
    "is_terminal",
    "lambda_report",
    "out",
    "pretty_json",
    "readable_cause",
    "say_by",
    "seconds",
    "short_name",
    "size_of",
    "table",
    "write_file",
    "write_rows",
]

STDOUT: Final = "-"  # as the name of a file

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_STYLES = {
    "SUCCEEDED": "green",
    "FAILED": "red",
    "TIMED_OUT": "red",
    "ABORTED": "yellow",
    "RUNNING": "cyan",
    "interrupted": "yellow",
}


class OutputRefused(AslError):
    """Standard output takes no more: the disk is full, say."""


class OutputClosed(Exception):
    """Whoever read the standard output has gone away."""


def out(text: str, end: str = "\n") -> None:
    """Write to the standard output.  Raises ``OutputClosed``, and ``AslError`` where it cannot be written."""
    if sys.stdout is not None:
        with _writing():
            sys.stdout.write(text + end)


def flush() -> None:
    """Bring out what ``out`` has written, with the same errors."""
    if sys.stdout is not None:
        with _writing():
            sys.stdout.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise OutputRefused(f"cannot write the output: {error.strerror}") from None


_sayers: list[Callable[[str], None]] = []


def say_by(say: Callable[[str], None] | None) -> None:
    """From now on, what is for the standard error is told to this; None: it is written there again."""
    _sayers[:] = [] if say is None else [say]


def is_said_otherwise() -> bool:
    """Whether lines for the standard error are told to something else."""
    return bool(_sayers)


def err(text: str, end: str = "\n") -> None:
    """Write to the standard error; what cannot be said there cannot be said."""
    if _sayers:
        _sayers[-1](text)
    elif sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(text + end)
            sys.stderr.flush()


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits in front of it.  A stream that was closed before we started is None."""
    return stream is not None and stream.isatty()


def confirmed(question: str, asker: str) -> bool:
    """Whether somebody says yes.  Raises ``InvalidInput`` where nobody can; ``asker`` is what asks."""
    if not is_terminal(sys.stdin):
        raise InvalidInput(f"{asker} asks for confirmation, and there is no terminal to ask at: give --yes")
    err(f"{question} [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def write_file(path: str, text: str) -> None:
    """Replace a file; ``-`` is stdout.  Raises ``InvalidInput``."""
    if path == STDOUT:
        out(text.rstrip("\n"))
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}") from None


def write_rows(rows: Iterable[Row]) -> None:
    """Write rows of pieces: in their colours on a terminal, as plain text anywhere else."""
    if not is_terminal(sys.stdout):
        for row in rows:
            out("".join(piece.text for piece in row).rstrip())
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, emoji=False, markup=False)
    for row in rows:
        console.print(Text.assemble(*row), soft_wrap=True)


# -- values -----------------------------------------------------------------------------------------


def pretty_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def compact_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def counted(number: int, noun: str) -> str:
    """``1 event``, ``2 events``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size_of(number: int) -> str:
    """Bytes for people: ``0 bytes``, ``12.0 KiB``, ``3.4 MiB``."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number} bytes"


def short_name(name: str) -> str:
    """The beginning of a name that we made ourselves, the whole of one that somebody gave."""
    return name[:8] if _UUID.fullmatch(name) else name


def clean(text: str) -> str:
    """One line that a terminal cannot mistake for a command: control characters are written out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


# -- tables -----------------------------------------------------------------------------------------


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table: with rich on a terminal, as plain columns (whole, however wide) anywhere else."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if is_terminal(sys.stdout):
        _draw(columns, cells)
    else:
        for line in plain_lines(columns, cells):
            out(line)


def plain_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (columns, *rows)
    ]


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold", justify="right" if column in {"id", "previous"} else "left")
    for row in rows:
        drawn.add_row(*(Text(cell, style=style_of(cell)) for cell in row))
    Console(highlight=False).print(drawn)


def style_of(cell: str) -> str:
    if cell in _STYLES:
        return _STYLES[cell]
    # Types of history events: TaskFailed, ExecutionTimedOut, LambdaFunctionFailed, ...
    return "red" if re.fullmatch(r"[A-Z]\w*(Failed|TimedOut|Aborted)", cell) else ""
