"""``asl list``: the executions of a database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from asl_engine.cli import options
from asl_engine.cli.lookup import no_database_yet, ways_to_resume
from asl_engine.cli.output import err, out, pretty_json, seconds, short_name, table
from asl_engine.cli.shapes import list_item
from asl_engine.core.execution import Status
from asl_engine.errors import InvalidInput
from asl_engine.project.lookup import database, opened
from asl_engine.projections.moments import utc

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.store.records import Record

__all__ = ["checked_limit", "checked_status", "command", "list_executions"]

MAX_WAYS = 5
STATUSES: tuple[Status, ...] = get_args(Status)


def command(
    machine: Annotated[
        str | None, typer.Option("--machine", metavar="NAME", help="Only those of this state machine.")
    ] = None,
    status: options.Status = None,
    limit: options.MostListed = 100,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """List executions, the newest first."""
    return list_executions(machine, status, limit, db=db, as_json=json)


def list_executions(machine: str | None, status: str | None, limit: int, *, db: str | None, as_json: bool) -> int:
    """The newest executions first."""
    wanted = checked_status(status)
    checked_limit(limit)
    path = database(db)
    records: list[Record] = []
    ways: dict[str, str] = {}
    if not no_database_yet(db, path):
        records, ways = asyncio.run(_load(path, machine, wanted, limit))
    if as_json:
        out(pretty_json({"executions": [list_item(record) for record in records]}))
        return 0
    columns = ("execution", "machine", "status", "started (UTC)", "took")
    table(columns, [_row(record, interrupted=record.identity.arn in ways) for record in records])
    if machine is not None and not records and wanted is None and path.exists():
        err(f"there is no execution of a machine {machine!r}; `asl list` shows those there are")
    if not path.exists():
        err(f"there is no database at {path} yet; `asl run` makes one")
    for way in [*dict.fromkeys(ways.values())][:MAX_WAYS]:
        err(f"interrupted: {way}")
    if len(ways) > MAX_WAYS:
        err(f"{len(ways)} are interrupted; go on with all of them: asl resume --all")
    return 0


def checked_limit(limit: int) -> None:
    """Raises ``InvalidInput`` where ``--limit`` lets nothing through."""
    if limit < 1:
        raise InvalidInput(f"--limit {limit}: it is at least 1")


def checked_status(given: str | None) -> Status | None:
    """The status that ``--status`` names, in any case.  Raises ``InvalidInput``."""
    if given is None:
        return None
    for status in STATUSES:
        if given.upper() == status:
            return status
    raise InvalidInput(f"--status {given}: it is one of {', '.join(STATUSES)}")


async def _load(
    db: Path, machine: str | None, status: Status | None, limit: int
) -> tuple[list[Record], dict[str, str]]:
    """The executions, and what to type to go on with those that are interrupted."""
    async with opened(db, reading=True) as store:
        records = await store.executions(machine, status, limit)
        return records, await ways_to_resume(store, records)


def _row(record: Record, *, interrupted: bool) -> tuple[str, ...]:
    who = record.identity
    status = "interrupted" if interrupted else record.status
    took = "" if record.stopped_at is None else seconds(record.stopped_at - who.started_at)
    return (short_name(who.name), who.machine_name, status, utc(who.started_at), took)
