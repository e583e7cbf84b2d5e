"""Where things are: the project, its database, the execution that a few characters mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.arn import last_part, parse_arn, unqualified
from asl_engine.cli.output import short_name
from asl_engine.errors import ExecutionDoesNotExist, ProjectError
from asl_engine.project.lookup import project_of
from asl_engine.projections.moments import utc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["command_for", "find_one", "no_database_yet", "parent_of", "ways_to_resume"]

MAX_CANDIDATES = 10


async def find_one(store: SqliteStore, text: str) -> Record:
    """The execution with this ARN, this name, or a name that begins so.

    Raises ``ExecutionDoesNotExist`` where there is none, or more than one.
    """
    found = await store.find(text)
    if not found and (machine := _machine_named(text)) is not None:
        raise ExecutionDoesNotExist(
            f"{text} is the ARN of a state machine, not of an execution; `asl list --machine {machine}` shows "
            "its executions"
        )
    if not found:
        raise ExecutionDoesNotExist(
            f"there is no execution {text!r} in {store.path}; `asl list` shows those there are"
        )
    if len(found) > 1:
        raise ExecutionDoesNotExist(_candidates(text, found))
    return found[0]


def _machine_named(text: str) -> str | None:
    """The name of the state machine that an ARN is of, of a version or an alias too; None for another text."""
    arn = parse_arn(text)
    if arn is None or arn.service != "states" or arn.kind != "stateMachine":
        return None
    return last_part(unqualified(text)[0])


def no_database_yet(db: str | None, path: Path) -> bool:
    """Whether nothing has been run in the project so far.  One that is named has to be there."""
    return db is None and "ASL_DB" not in os.environ and not path.exists()


async def ways_to_resume(store: SqliteStore, records: Iterable[Record]) -> dict[str, str]:
    """What to type to go on with each of the executions that no living process drives any more, by ARN."""
    running = {record.identity.arn: record for record in records if record.status == "RUNNING"}
    if not running:
        return {}
    left = await store.abandoned(running)
    return {arn: await _way_to_resume(store, running[arn]) for arn in running if arn in left}


async def _way_to_resume(store: SqliteStore, record: Record) -> str:
    who = record.identity
    name = who.name if who.map_run is None else last_part(await parent_of(store, record))
    return command_for("resume", name, store.path)


async def parent_of(store: SqliteStore, child: Record) -> str:
    """The ARN of the execution whose Map Run has started this one."""
    kinship = await store.map_runs.kinship(child.identity.arn)
    map_run = None if kinship is None else await store.map_runs.get(kinship[0])
    return child.identity.machine_arn if map_run is None else map_run.execution


def _candidates(text: str, found: list[Record]) -> str:
    lines = [f"{text!r} may be any of {len(found)} executions; give more of its name, or its ARN:"]
    for record in found[:MAX_CANDIDATES]:
        who = record.identity
        lines.append(f"  {who.machine_name}  {utc(who.started_at)}  {record.status}  {who.arn}")
    if len(found) > MAX_CANDIDATES:
        lines.append("  ...")
    return "\n".join(lines)


def command_for(verb: str, name: str, db: Path) -> str:
    """What to type to do ``verb`` with an execution: with --db where the database would not be found."""
    line = f"asl {verb} {short_name(name)}"
    try:
        if project_of(Path.cwd()).db == db:
            return line
    except ProjectError:
        pass
    from shlex import quote

    return f"{line} --db {quote(str(db))}"
