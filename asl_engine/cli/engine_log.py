"""What the engine says while a command drives executions: on stderr, and not into the line of the progress.

With ``--log-format json`` everything that goes to stderr is a line of JSON, whoever says it.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from asl_engine.cli.output import clean, err, is_said_otherwise, say_by
from asl_engine.errors import InvalidInput, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.cli.progress import Progress

__all__ = ["begin_logging", "end_logging", "told_on_stderr"]

ENGINE = logging.getLogger("asl_engine.engine")
COMMAND = logging.getLogger("asl_engine.cli")
VARIABLE: Final = "AWS_LAMBDA_LOG_FORMAT"  # Lambda's own; processes of tasks and functions inherit it
FORMATS: Final = {"text": "Text", "json": "JSON"}
# How a line of a command begins, and what it is then.
MARKS: Final = (("asl: error: ", logging.ERROR), ("asl: warning: ", logging.WARNING), ("", logging.INFO))
_undo: list[Callable[[], None]] = []  # where lines are JSON


def begin_logging(given: str | None) -> bool:
    """Whether log lines are JSON from now on: as --log-format says, or else AWS_LAMBDA_LOG_FORMAT.

    Raises ``InvalidInput`` for another format.
    """
    text = (os.environ.get(VARIABLE) or "text") if given is None else given
    if text.lower() not in FORMATS:
        where = VARIABLE + "=" + text if given is None else Parameter("log_format", text)
        raise InvalidInput(where, ": it is text or json")
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = FORMATS[text.lower()]
    _undo.append(partial(_restore, before))
    if text.lower() == "text":
        return False
    from asl_engine.resources.lambda_.log_lines import begin_json

    root = logging.getLogger()
    _undo.append(partial(root.setLevel, root.level))
    _undo.append(partial(root.removeHandler, begin_json()))
    _undo.append(partial(say_by, None))
    say_by(_say)
    return True


def _restore(value: str | None) -> None:
    if value is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = value


def end_logging() -> None:
    """Undo it: a process may run several commands."""
    while _undo:
        _undo.pop()()


def _say(text: str) -> None:
    for mark, level in MARKS:
        if text.startswith(mark):
            COMMAND.log(level, "%s", text.removeprefix(mark).strip("\n"), stacklevel=3)  # where ``err`` is called
            return


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
    if is_said_otherwise():  # its lines tell it
        yield
        return
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
