"""``asl stop``: abort an execution."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.cli import options
from asl_engine.cli.lookup import command_for, find_one
from asl_engine.cli.output import err, out, pretty_json, short_name
from asl_engine.limits import NO_LIMITS
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.projections.moments import iso

if TYPE_CHECKING:
    from asl_engine.store.records import Record

__all__ = ["command", "stop"]


def command(
    execution: options.Execution,
    error: options.Error = None,
    cause: options.Cause = None,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Abort an execution, whichever process runs it."""
    return stop(execution, error, cause, db=db, as_json=json)


def stop(text: str, error: str | None, cause: str | None, *, db: str | None, as_json: bool) -> int:
    """Abort an execution; as with StopExecution, one that has ended stays as it is."""
    path = database(db)
    record, stopped = asyncio.run(_stop(path, text, error, cause))
    name = short_name(record.identity.name)
    if not stopped:
        err(f"execution {name} has already ended ({record.status}); nothing was changed")
    elif not as_json:
        err(f"execution {name} was stopped (see: {command_for('show', record.identity.name, path)})")
    if as_json:
        out(pretty_json({"stopDate": iso(record.stopped_at or 0)}))
    return 0


async def _stop(db: Path, text: str, error: str | None, cause: str | None) -> tuple[Record, bool]:
    """The record as it is afterwards, and whether it is us who have ended the execution."""
    from asl_engine.cli.signals import AT_ONCE, at_the_wheel

    with at_the_wheel(AT_ONCE):
        return await _abort(db, text, error, cause)


async def _abort(db: Path, text: str, error: str | None, cause: str | None) -> tuple[Record, bool]:
    from asl_engine.language.loader import load
    from asl_engine.project.setup import assemble

    async with opened(db) as store:
        record = await find_one(store, text)
        stopped = False
        if record.status == "RUNNING":
            since = (await store.events(record.identity.arn))[-1].at
            machine = load(await store.definition(record.definition), limits=NO_LIMITS)
            async with assemble(store, {}, record.options, project_of(Path.cwd()), since=since) as engine:
                stopped = await engine.stop(machine, record, error, cause)
        return await store.record(record.identity.arn) or record, stopped
