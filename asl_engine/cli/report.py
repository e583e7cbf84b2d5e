"""How an execution that has ended is told: its output, its failure, its exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from asl_engine.cli.lookup import command_for
from asl_engine.cli.output import clean, err, is_terminal, lambda_report, out, pretty_json, seconds, short_name

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.execution import Execution, Status
    from asl_engine.lab.whereabouts import Whereabouts
    from asl_engine.resources.python.registry import Registry

__all__ = ["EXIT_CODES", "failure_lines", "report", "report_interruption", "status_line"]

EXIT_CODES: dict[Status, int] = {"SUCCEEDED": 0, "FAILED": 1, "TIMED_OUT": 3, "ABORTED": 4, "RUNNING": 0}


def report(
    execution: Execution,
    db: Path,
    *,
    as_json: bool,
    quiet: bool,
    place: Whereabouts | None = None,
    registry: Registry | None = None,
) -> int:
    """Write the output or the failure, and return the exit code.

    ``place`` is where it has failed, told where the failure itself does not tell it.
    """
    if as_json:
        from asl_engine.cli.shapes import describe_execution

        out(pretty_json(describe_execution(execution)))
    elif execution.output is not None:
        out(pretty_json(execution.output.value) if is_terminal(sys.stdout) else execution.output.text.rstrip())
    lines = failure_lines(execution.error, execution.cause)
    if place is not None and not any(place.is_told_by(line) for line in lines):
        lines.append(f"  {clean(place.line(registry))}")
    for line in lines:
        err(line)
    if not quiet:
        err(status_line(execution, db))
    return EXIT_CODES[execution.status]


def status_line(execution: Execution, db: Path) -> str:
    """``SUCCEEDED  3f9a1c2e  order  1.2 s  (asl history 3f9a1c2e)``"""
    who = execution.identity
    took = seconds((execution.stopped_at or who.started_at) - who.started_at)
    see = command_for("history", who.name, db)
    return f"{execution.status}  {short_name(who.name)}  {who.machine_name}  {took}  ({see})"


def failure_lines(error: str | None, cause: str | None) -> list[str]:
    """The error and its cause; of a Lambda function's report the message and where it was raised."""
    if error is None and cause is None:
        return []
    told = lambda_report(cause)
    message = cause if told is None else told["errorMessage"]
    lines = [": ".join(clean(part) for part in (error, message) if part)]
    frames = told.get("stackTrace") if told else None
    if isinstance(frames, list) and all(isinstance(frame, str) for frame in frames):
        lines += [f"  {clean(line)}" for part in _where(frames) for line in part.rstrip().splitlines()]
    return lines


def _where(trace: list[str]) -> list[str]:
    """The last frame of an exception, and the lines behind it that are no frames, with the last frame of each."""
    frame = [*(line.lstrip().startswith("File ") for line in trace), False]
    return [line for number, line in enumerate(trace) if not (frame[number] and frame[number + 1])]


def report_interruption(name: str, db: Path, *, followed: bool = False) -> None:
    """``followed``: another process drives the execution, and has not been interrupted."""
    if followed:
        goes_on = f"goes on in the other process; see: {command_for('history', name, db)} --follow"
    else:
        goes_on = f"is kept; go on with: {command_for('resume', name, db)}"
    err(f"interrupted: execution {short_name(name)} {goes_on}")
