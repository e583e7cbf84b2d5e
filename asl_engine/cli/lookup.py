"""Where things are: the project, its database, the execution that a few characters mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.cli.output import short_name
from asl_engine.errors import ExecutionDoesNotExist, ProjectError
from asl_engine.project.lookup import project_of
from asl_engine.projections.moments import utc

if TYPE_CHECKING:
    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["command_for", "find_one"]

MOST_CANDIDATES = 10


async def find_one(store: SqliteStore, text: str) -> Record:
    """The execution with this ARN, this name, or a name that begins so.

    Raises ``ExecutionDoesNotExist`` where there is none, or more than one.
    """
    found = await store.find(text)
    if not found:
        raise ExecutionDoesNotExist(
            f"there is no execution {text!r} in {store.path}; `asl list` shows those there are"
        )
    if len(found) > 1:
        raise ExecutionDoesNotExist(_candidates(text, found))
    return found[0]


def _candidates(text: str, found: list[Record]) -> str:
    lines = [f"{text!r} may be any of {len(found)} executions; give more of its name, or its ARN:"]
    for record in found[:MOST_CANDIDATES]:
        who = record.identity
        lines.append(f"  {who.machine_name}  {utc(who.started_at)}  {record.status}  {who.arn}")
    if len(found) > MOST_CANDIDATES:
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
