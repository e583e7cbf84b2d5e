"""``asl saga``: a state machine of steps and of what undoes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asl_engine.cli.output import STDOUT, out, pretty_json, write_file

__all__ = ["command"]


def command(
    *,
    steps: Annotated[
        list[str],
        typer.Argument(metavar="DO[:UNDO]...", help="The functions that do and undo each step, in their order."),
    ],
    reporter: Annotated[
        str,
        typer.Option(
            "--reporter", metavar="FUNCTION", help="The function that hears of what could not be undone."
        ),
    ] = "reportFailedUndo",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE|-", help="Write to this file. Default: stdout")
    ] = STDOUT,
) -> int:
    """Write a saga: a state machine that does steps in a row, and undoes them where one fails."""
    from asl_engine.patterns.saga import saga, saga_step
    from asl_engine.project.lookup import project_of

    project = project_of(Path.cwd())
    made = saga(
        [saga_step(step) for step in steps], reporter=reporter, region=project.region, account=project.account
    )
    text = pretty_json(made)
    if output == STDOUT:
        out(text)
    else:
        write_file(output, f"{text}\n")
    return 0
