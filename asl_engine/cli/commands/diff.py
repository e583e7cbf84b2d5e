"""``asl diff``: two executions side by side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asl_engine.cli import options
from asl_engine.cli.accounts import find_account
from asl_engine.cli.output import clean, out, pretty_json, seconds, table
from asl_engine.lab.comparing import Compared, compare, compared_ends, told_once
from asl_engine.project.lookup import database

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.views.account import Account

__all__ = ["command"]

CHILDREN = 100  # of a Map Run, that are compared


def command(
    *,
    one: Annotated[
        str, typer.Argument(metavar="ONE", help="An execution.", autocompletion=options.complete_execution)
    ],
    other: Annotated[
        str, typer.Argument(metavar="OTHER", help="Another one.", autocompletion=options.complete_execution)
    ],
    every: Annotated[bool, typer.Option("--all", help="Show the states that are the same, too.")] = False,
    db: options.Db = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> int:
    """Compare two executions: path, data, attempts and durations. Exit code 1 if they differ."""
    first, second = asyncio.run(_load(database(db), one, other))
    ends, states = compared_ends(first, second), compare(first, second)
    differ = bool(ends) or any(state.differs for state in states)
    if json:
        out(pretty_json({"ends": ends, "states": [_plain(state) for state in states]}))
    else:
        _tell(first, second, ends, told_once([state for state in states if every or state.differs]))
        if not differ:
            out("the same path with the same data")
    return 1 if differ else 0


async def _load(db: Path, one: str, other: str) -> tuple[Account, Account]:
    first = await find_account(db, one, CHILDREN)
    second = await find_account(db, other, CHILDREN)
    return first.account, second.account


def _plain(state: Compared) -> dict[str, Any]:
    return {
        "place": list(state.place),
        "state": state.state,
        "milliseconds": [state.one, state.other],
        "changes": state.changes,
    }


def _tell(one: Account, other: Account, ends: dict[str, list[str]], states: list[Compared]) -> None:
    names = (one.execution.identity.name, other.execution.identity.name)
    rows = [("", "execution", *names, ""), ("", "took", seconds(one.path_took), seconds(other.path_took), "")]
    for state in states:
        rows.append(_row(state))
        rows += [("", "", "", "", clean(change)) for change in state.changes[1:]]
    table(("", "state", "one", "other", "what differs"), rows)
    for name, lines in ends.items():
        for line in lines:
            out(clean(f"{name}{line[1:]}" if line.startswith("$:") else f"{name} {line}"))


def _row(state: Compared) -> tuple[str, str, str, str, str]:
    sign = "-" if state.other is None else "+" if state.one is None else "~" if state.changes else ""
    place = "".join(f"{part} > " for part in state.place)
    one, other = ("" if took is None else seconds(took) for took in (state.one, state.other))
    return (sign, clean(f"{place}{state.state}"), one, other, clean(state.changes[0]) if state.changes else "")
