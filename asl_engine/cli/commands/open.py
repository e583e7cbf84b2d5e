"""``asl open``: an execution as one HTML page."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.accounts import find_account
from asl_engine.cli.output import STDOUT, err, out, write_file
from asl_engine.errors import InvalidInput
from asl_engine.project.lookup import database
from asl_engine.views.account import MANY_CHILDREN
from asl_engine.views.page import page
from asl_engine.views.redaction import Redaction

__all__ = ["command"]


def command(
    *,
    execution: options.Execution,
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE|-", help="Write the page there. Default: show it in the browser"),
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(
            "--redact",
            metavar="PATTERN",
            help="Leave out what this regular expression finds, too: a key with its value, or a text. Repeatable.",
        ),
    ] = None,
    db: options.Db = None,
) -> int:
    """Put an execution into one HTML page: its graph, its timeline and its data, secrets left out."""
    from asl_engine import __version__

    redaction = Redaction(redact or ())
    account = asyncio.run(find_account(database(db), execution, MANY_CHILDREN)).account
    text = page(account, redaction, __version__)
    if html is None:
        _show(text)
        return 0
    write_file(html, text)
    where = "" if html == STDOUT else f"wrote {html}: "
    err(f"{where}{redaction.hidden} values were redacted")
    return 0


def _show(text: str) -> None:
    """In the browser of whoever sits here, from a file that stays for it."""
    import webbrowser
    from pathlib import Path
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile("w", encoding="utf-8", prefix="asl-", suffix=".html", delete=False) as file:
        file.write(text)
    if not webbrowser.open(Path(file.name).as_uri()):
        Path(file.name).unlink()
        raise InvalidInput("there is no browser here: write the page to a file with --html FILE")
    out(file.name)
