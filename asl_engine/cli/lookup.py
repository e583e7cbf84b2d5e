"""Where things are: the project, its database, the execution that a few characters mean."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.cli.output import short_name, utc
from asl_engine.errors import ExecutionDoesNotExist, ProjectError
from asl_engine.execution import fold
from asl_engine.project import find_project, normal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asl_engine.execution import Execution
    from asl_engine.project import Project
    from asl_engine.store import Record, Store
    from asl_engine.store.sqlite import SqliteStore

__all__ = ["command_for", "database", "find_one", "load_execution", "opened", "project_of"]

MOST_CANDIDATES = 10


def project_of(start: Path) -> Project:
    """The project of a definition or a folder.  Raises ``ProjectError``."""
    return find_project(start, os.environ)


def database(db: str | None) -> Path:
    """``--db``, or the database of the current directory's project."""
    return normal(Path(db).absolute()) if db else project_of(Path.cwd()).db


@asynccontextmanager
async def opened(path: Path, *, create: bool = False, reading: bool = False) -> AsyncIterator[SqliteStore]:
    """The store at ``path``, closed in the end; ``reading`` does with one that cannot be written.

    Raises ``StoreError``.
    """
    from asl_engine.store.sqlite import SqliteStore

    store = await SqliteStore.open(path, create=create, reading=reading)
    try:
        # From here on ``changed`` tells of every write by somebody else.
        await store.changed()
        yield store
    finally:
        await store.close()


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


async def load_execution(store: Store, record: Record) -> Execution:
    """The execution as it stands."""
    return fold(record.identity, await store.events(record.identity.arn))


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
