"""``asl backup``: copy the database while others use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.output import counted, err, out, pretty_json, size_of
from asl_engine.project.lookup import database

__all__ = ["command"]


def command(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The file to make.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Copy the database to a file, as it is at this moment, while others go on writing."""
    from asl_engine.store.sqlite.backup import back_up

    path = Path(target).absolute()
    done = back_up(database(db), path, force=force)
    if json:
        out(pretty_json({"target": str(path), "executions": done.executions, "bytes": done.size}))
    else:
        err(f"{path} has {counted(done.executions, 'execution')} and {size_of(done.size)}; it has been checked")
    return 0
