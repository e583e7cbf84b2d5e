"""The boundary: whatever a command raises becomes a message and an exit code.

0 succeeded, 1 failed, 2 usage or invalid, 3 timed out, 4 aborted, 70 a defect of ours, 130 interrupted,
141 nobody reads the output any more (128 + SIGPIPE, as for any other program).
"""

from __future__ import annotations

import atexit
import gc
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

from asl_engine.cli.output import OutputClosed, OutputRefused, counted, err, flush, is_terminal
from asl_engine.errors import AslError, DefinitionError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

INTERNAL_ERROR = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130
OUTPUT_CLOSED = 141
COLLECT_AFTER = 50_000  # objects more than were freed; Python's default is 700
UNFILLED = "has no value: substitute one for it"  # what a finding, which knows no options, says


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that ``arguments`` (default: those of the process) name, and exit with its code."""
    if arguments is None:
        # The process is ours alone.  What imports make is there to stay: looking through it for garbage,
        # time and again and once more at the very end, would take a sixth of a short run.
        gc.set_threshold(COLLECT_AFTER)
        atexit.register(gc.freeze)
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    _write_utf8()
    try:
        code = _dispatch(arguments)
        flush()
    except AslError as error:
        _complain(error)
        if isinstance(error, OutputRefused):
            _silence_stdout()
        return error.exit_code
    except KeyboardInterrupt:
        err("interrupted")
        return INTERRUPTED
    except OutputClosed:
        _silence_stdout()
        return OUTPUT_CLOSED
    except Exception as error:  # noqa: BLE001  the outermost boundary
        return _refused_or_broken(error)
    finally:
        _end_logging()
    return code


def _end_logging() -> None:
    begun = sys.modules.get("asl_engine.cli.engine_log")  # few commands have loaded it
    if begun is not None:
        begun.end_logging()


def _dispatch(arguments: Sequence[str] | None) -> int:
    from asl_engine.cli.app import app

    code: Any = app(arguments, prog_name="asl", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _complain(error: AslError) -> None:
    if isinstance(error, DefinitionError):
        err(f"asl: error: {error.source} is refused for {counted(len(error.findings), 'reason')}:")
        err(str(error))
        if UNFILLED in str(error):
            err("Give it with --substitute NAME=VALUE, or several with --substitutions FILE.")
    else:
        from asl_engine.cli.wording import worded

        err(f"asl: error: {worded(error)}")


def _refused_or_broken(error: Exception) -> int:
    """Typer's own refusals know their exit code and their message; anything else is a defect."""
    from typer import Abort

    if isinstance(error, Abort):  # a KeyboardInterrupt while a command was at work
        err("interrupted")
        return INTERRUPTED
    known: Any = error
    if not hasattr(error, "format_message"):
        return _defect(error)
    context = getattr(error, "ctx", None)
    hint = "" if context is None else f" (see: {context.command_path} --help)"
    err(f"asl: error: {known.format_message()}{hint}")
    return int(known.exit_code)


def _defect(error: Exception) -> int:
    from traceback import format_exception

    err(f"asl: internal error: {type(error).__name__}; please report it, with what follows")
    err("".join(format_exception(error)).rstrip())
    return INTERNAL_ERROR


def _write_utf8() -> None:
    """JSON is UTF-8 wherever it is piped to, and no character may break a message."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            piped = stream is sys.stdout and not is_terminal(stream)
            stream.reconfigure(encoding="utf-8" if piped else None, errors="backslashreplace")


def _silence_stdout() -> None:
    """Python flushes once more when it exits; that must not fail again."""
    import os

    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
