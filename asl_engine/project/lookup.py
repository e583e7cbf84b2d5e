"""Where things are: the project, its database, an execution as it stands."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.core.apply import fold
from asl_engine.errors import Parameter
from asl_engine.project.configuration import database_file, find_project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asl_engine.core.execution import Execution
    from asl_engine.project.configuration import Project
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["database", "load_execution", "opened", "project_of"]


def project_of(start: Path) -> Project:
    """The project of a definition or a folder.  Raises ``ProjectError``."""
    return find_project(start, os.environ)


def database(db: str | None) -> Path:
    """The given database, or that of the current directory's project."""
    return project_of(Path.cwd()).db if db is None else database_file(db, Parameter("db", db or None))


@asynccontextmanager
async def opened(path: Path, *, create: bool = False, reading: bool = False) -> AsyncIterator[SqliteStore]:
    """The store at ``path``, closed in the end; ``reading`` does with one that cannot be written.

    Raises ``StoreError``.
    """
    from asl_engine.store.sqlite.store import SqliteStore

    store = await SqliteStore.open(path, create=create, reading=reading)
    try:
        # From here on ``changed`` tells of every write by somebody else.
        await store.changed()
        yield store
    finally:
        await store.close()


async def load_execution(store: Store, record: Record) -> Execution:
    """The execution as it stands."""
    return fold(record.identity, await store.events(record.identity.arn))
