"""``asl events test-pattern``: whether an event matches a pattern."""

from __future__ import annotations

from typing import Annotated

import typer

from asl_engine.cli.events import given_json, given_text
from asl_engine.cli.output import err, out
from asl_engine.errors import InvalidInput
from asl_engine.events.language.faults import InvalidEventPattern
from asl_engine.events.language.patterns import compile_pattern

__all__ = ["command"]


def command(
    *,
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="An event pattern: a file, - for stdin, or JSON.")
    ],
    event: Annotated[
        str | None,
        typer.Argument(metavar="[EVENT]", help="An event, in the same ways. Without one, the pattern is checked."),
    ] = None,
) -> int:
    """Say whether an event matches a pattern. Exit code 1 if it does not, 2 if the pattern is none."""
    try:
        compiled = compile_pattern(given_text(pattern, "the pattern"))
    except InvalidEventPattern as error:
        for finding in error.findings:
            place = f"{finding.location}: " if finding.location else ""
            err(f"{finding.line}:{finding.column}: {place}{finding.message}")
        raise InvalidInput("this is no event pattern") from None
    if event is None:
        out("this is an event pattern")
        return 0
    if compiled.matches(given_json(event, "the event")):
        out("the event matches")
        return 0
    out("the event does not match")
    return 1
