"""``asl mappings redrive``: batches that were given up, once more."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.output import err
from asl_engine.errors import InvalidInput
from asl_engine.project.lookup import database, opened

__all__ = ["command"]


def command(
    *,
    batches: Annotated[
        list[int] | None, typer.Argument(metavar="[BATCH]...", help="Numbers, as `asl mappings log` shows them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are kept.")] = False,
    db: options.Db = None,
) -> int:
    """Call the function with batches that were given up once more.

    Their records are in the database, so they need not be in the stream any more.
    """
    if bool(batches) == every:
        raise InvalidInput("name the batches to try once more, or pass --all; `asl mappings log` lists them")
    found = asyncio.run(_redrive(db, batches))
    batch = "batch" if len(found) == 1 else "batches"
    told = f"{len(found)} {batch} to be tried once more by `asl serve` or `asl dev`"
    missing = [number for number in batches or () if number not in found]
    if missing:
        raise InvalidInput(
            f"{', '.join(map(str, missing))}: no batch of that number is kept; `asl mappings log` lists those "
            f"there are. {told}"
        )
    err(told)
    return 0


async def _redrive(db: str | None, numbers: list[int] | None) -> list[int]:
    async with opened(database(db)) as store:
        return await store.mappings.redrive(numbers or None)
