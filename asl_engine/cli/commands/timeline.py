"""``asl timeline``: when each state of an execution worked, waited and was tried again."""

from __future__ import annotations

import asyncio
from shutil import get_terminal_size
from typing import Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.accounts import find_account
from asl_engine.cli.output import err, out, pretty_json, write_rows
from asl_engine.project.lookup import database
from asl_engine.views.timeline import timeline, timeline_json

__all__ = ["command"]


def command(
    *,
    execution: options.Execution,
    db: options.Db = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON: rows with their bars.")] = False,
) -> int:
    """Show when each state of an execution worked, waited and was tried again, as a waterfall."""
    account, way = asyncio.run(find_account(database(db), execution))
    if json:
        out(pretty_json(timeline_json(account)))
        return 0
    write_rows(timeline(account, get_terminal_size().columns))
    if way is not None:
        err(f"interrupted: {way}")
    return 0
