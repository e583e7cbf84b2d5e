"""What the shell offers where an execution is to be named."""

from __future__ import annotations

import asyncio

from asl_engine.cli.output import short_name
from asl_engine.errors import AslError
from asl_engine.project.lookup import database, opened

__all__ = ["complete_execution"]

MAX_OFFERED = 50


def complete_execution(incomplete: str) -> list[str]:
    """The newest executions whose name begins so; none where there is no database to look into."""
    try:
        return asyncio.run(_names(incomplete))
    except AslError:
        return []


async def _names(incomplete: str) -> list[str]:
    async with opened(database(None), reading=True) as store:
        records = await store.executions(limit=MAX_OFFERED)
    names = [record.identity.name for record in records if record.identity.name.startswith(incomplete)]
    return [name if len(incomplete) > len(short_name(name)) else short_name(name) for name in names]
