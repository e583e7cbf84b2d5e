"""``asl history``: what an execution did, as a tree of states, or its events, now or as they come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asl_engine.arn import function_name
from asl_engine.cli import options
from asl_engine.cli.lookup import find_one, ways_to_resume
from asl_engine.cli.output import (
    clean,
    compact_json,
    err,
    flush,
    out,
    pretty_json,
    readable_cause,
    table,
    write_rows,
)
from asl_engine.cli.shapes import DETAILS, history_event
from asl_engine.errors import InvalidInput
from asl_engine.project.lookup import database, opened
from asl_engine.projections.history import project
from asl_engine.projections.moments import utc

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity
    from asl_engine.projections.history import HistoryEvent

__all__ = ["command", "history", "history_tree"]

FOLLOW_SECONDS = 0.2
COLUMNS = ("id", "time (UTC)", "type", "detail", "previous")
WIDTHS = (5, 23, 24, 40, 0)  # of the lines that --follow writes
MAX_CAUSE = 100


def command(
    *,
    execution: options.Execution,
    db: options.Db = None,
    json: options.AsJson = False,
    events: Annotated[
        bool, typer.Option("--events", help="List the events, as GetExecutionHistory does. Implied by --reverse.")
    ] = False,
    follow: options.Follow = False,
    reverse: options.Reverse = False,
    no_data: Annotated[bool, typer.Option("--no-data", help="With --json: leave out inputs and outputs.")] = False,
) -> int:
    """Show what an execution did, state by state; with --events, as GetExecutionHistory lists it."""
    if not (events or json or follow or reverse):
        return history_tree(execution, db=db)
    return history(execution, db=db, as_json=json, follow=follow, reverse=reverse, data=not no_data)


def history_tree(text: str, *, db: str | None) -> int:
    """Write the tree of states."""
    from asl_engine.cli.accounts import find_account
    from asl_engine.views.tree import tree

    account, way = asyncio.run(find_account(database(db), text))
    write_rows(tree(account))
    if way is not None:
        err(f"interrupted: {way}")
    return 0


def history(text: str, *, db: str | None, as_json: bool, follow: bool, reverse: bool, data: bool) -> int:
    """Write the events."""
    if follow and reverse:
        raise InvalidInput("--follow shows the newest event last: leave --reverse out")
    path = database(db)
    if follow:
        asyncio.run(_follow(path, text, as_json=as_json, data=data))
        return 0
    identity, events, way = asyncio.run(_load(path, text))
    shown = list(project(identity, events))
    if reverse:
        shown.reverse()
    if as_json:
        out(pretty_json({"events": [history_event(event, data=data) for event in shown]}))
    else:
        table(COLUMNS, [row(event) for event in shown])
        if way is not None:
            err(f"interrupted: {way}")
    return 0


async def _load(db: Path, text: str) -> tuple[Identity, list[Event], str | None]:
    """The execution, its events, and if it is interrupted, what to type to go on with it."""
    async with opened(db, reading=True) as store:
        record = await find_one(store, text)
        ways = await ways_to_resume(store, [record])
        arn = record.identity.arn
        return record.identity, await store.events(arn), ways.get(arn)


async def _follow(db: Path, text: str, *, as_json: bool, data: bool) -> None:
    """Write what is there, and what is added until the execution ends."""
    async with opened(db, reading=True) as store:
        identity = (await find_one(store, text)).identity
        tasks: dict[int, str] = {}
        last = 0
        told: str | None = None
        while True:
            record = await store.record(identity.arn)  # before the events: the last ones must not be missed
            events = await store.events(identity.arn, last)
            _write_lines([*project(identity, events, tasks)], as_json=as_json, data=data)
            last = events[-1].seq if events else last
            if record is None or record.status != "RUNNING":
                return
            while not await store.changed():
                way = (await ways_to_resume(store, [record])).get(identity.arn)
                if way is not None and way != told:
                    err(f"interrupted: {way}")
                told = way
                await asyncio.sleep(FOLLOW_SECONDS)


def _write_lines(events: Sequence[HistoryEvent], *, as_json: bool, data: bool) -> None:
    for event in events:
        out(compact_json(history_event(event, data=data)) if as_json else line(row(event)))
    flush()


def line(cells: Sequence[str]) -> str:
    return "  ".join(clean(cell).ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def row(event: HistoryEvent) -> tuple[str, str, str, str, str]:
    details: dict[str, Any] = next((value for key, value in event.items() if key.endswith(DETAILS)), {})
    return (
        str(event["id"]),
        utc(event["timestamp"]),
        event["type"],
        detail(details),
        str(event["previousEventId"]),
    )


def detail(details: dict[str, Any]) -> str:
    """What tells an event from others of its type: the state's name, the resource, the error."""
    parts = [_name(details), _resource(details), _failure(details)]
    return "  ".join(part for part in parts if part)


def _name(details: dict[str, Any]) -> str | None:
    """A state's; of an iteration, the Map state's and the index."""
    name: str | None = details.get("name")
    return f"{name}[{details['index']}]" if "index" in details else name


def _resource(details: dict[str, Any]) -> str | None:
    resource: str | None = details.get("resource")
    if resource is None or "resourceType" not in details:
        return resource and (function_name(resource) or resource)
    return f"{details['resourceType']}:{resource}"


def _failure(details: dict[str, Any]) -> str | None:
    cause = readable_cause(details.get("cause")) or ""
    if len(cause) > MAX_CAUSE:
        cause = cause[: MAX_CAUSE - 1] + "…"
    return ": ".join(part for part in (details.get("error"), cause) if part) or None
