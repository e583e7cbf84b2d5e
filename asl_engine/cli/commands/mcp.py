"""``asl mcp``: the project as tools for agents, over the Model Context Protocol."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.output import err, is_terminal
from asl_engine.errors import InvalidInput, ProjectError
from asl_engine.project.lookup import database, project_of

__all__ = ["command"]


def command(
    *,
    root: Annotated[
        str | None,
        typer.Option(
            "--root", metavar="FOLDER", help="The project; tools read nothing outside. Default: the current one"
        ),
    ] = None,
    db: options.Db = None,
) -> int:
    """Offer the project's state machines to agents as tools, over MCP on standard input and output."""
    if find_spec("mcp") is None:
        raise ProjectError('asl mcp needs the mcp library: pip install "asl-engine[mcp]"')
    path = None if db is None else database(db)
    if root is not None and not Path(root).is_dir():
        raise InvalidInput(f"--root {root}: there is no such folder")
    project = project_of(Path.cwd() if root is None else Path(root))
    # Paths in messages are from the root on, and so are those that tools take.
    os.chdir(project.root)
    from asl_engine.agents.server import server_of

    if is_terminal(sys.stdin):
        err("asl mcp speaks MCP on standard input and output, for an agent's client to start; Ctrl-C ends it")
    server_of(project, project.db if path is None else path).run("stdio")
    return 0
