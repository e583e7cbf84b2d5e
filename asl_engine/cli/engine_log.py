"""What the engine says while a command drives executions: on stderr, and not into the line of the progress."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from asl_engine.cli.output import clean, err

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.cli.progress import Progress

__all__ = ["told_on_stderr"]

ENGINE = logging.getLogger("asl_engine.engine")


class _Lines(logging.Handler):
    """``users`` counts the executions that are driven: `asl resume --all` drives several, and tells once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.users = 0
        self.progress: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.progress is not None:
            self.progress.clear()
        err(f"asl: {record.levelname.lower()}: {clean(record.getMessage())}")
        if record.exc_info is not None:  # a defect of ours, which is to be reported
            err(logging.Formatter().formatException(record.exc_info))


_lines = _Lines()


@contextmanager
def told_on_stderr(progress: Progress | None) -> Iterator[None]:
    if not _lines.users:
        ENGINE.addHandler(_lines)
    _lines.users += 1
    _lines.progress = progress
    try:
        yield
    finally:
        _lines.users -= 1
        if not _lines.users:
            ENGINE.removeHandler(_lines)
