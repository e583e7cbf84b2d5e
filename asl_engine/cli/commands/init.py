"""``asl init``: a new project, with a state machine, its tasks, and a test that passes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asl_engine.cli.dev_extras import INSTALL, missing_packages
from asl_engine.cli.output import err, out
from asl_engine.project.starting import start_project

__all__ = ["command"]


def command(
    folder: Annotated[
        str, typer.Argument(metavar="[FOLDER]", help="Where to make it. Default: the current folder")
    ] = ".",
    *,
    template: Annotated[
        str, typer.Option("--template", metavar="order|empty|saga|events", help="What to begin with.")
    ] = "order",
) -> int:
    """Make a new project: a state machine, its tasks, and a test that passes. Nothing is overwritten."""
    made = start_project(Path(folder), template)
    for path in made:
        out(str(path))
    machine = next(path for path in made if path.parent.name == "statemachines")
    given = next((f" --input {path}" for path in made if path.parent.name == "inputs"), "")
    if any(path.name == "template.yaml" for path in made):
        if missing := missing_packages():
            err(f"asl dev needs {', '.join(missing)}: {INSTALL}")
        err(f"run it:  cd {folder} && asl dev")
    else:
        err(f"run it:  asl run {machine}{given}")
    err(f"test it: pytest {Path(folder) / 'tests'}")
    return 0
