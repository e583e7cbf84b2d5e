"""``asl events redrive``: dead letters, once more."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.events import counted_deliveries, opened_bus
from asl_engine.cli.output import err
from asl_engine.errors import InvalidInput

__all__ = ["command"]


def command(
    *,
    deliveries: Annotated[
        list[int] | None, typer.Argument(metavar="[DELIVERY]...", help="Numbers, as `asl events log` shows them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    db: options.Db = None,
) -> int:
    """Deliver dead letters once more."""
    if bool(deliveries) == every:
        raise InvalidInput(
            "name the deliveries to make again, or pass --all; `asl events log --failed` lists them"
        )
    found = asyncio.run(_redrive(db, deliveries))
    missing = [number for number in deliveries or () if number not in found]
    if missing:
        raise InvalidInput(
            f"{', '.join(map(str, missing))}: there is no dead letter of that number; `asl events log --failed` "
            f"lists those there are. {counted_deliveries(len(found))} of the others will be made again"
        )
    err(f"{counted_deliveries(len(found))} to be made again by `asl serve` or `asl dev`")
    return 0


async def _redrive(db: str | None, numbers: list[int] | None) -> list[int]:
    async with opened_bus(db) as bus:
        return await bus.buses.redrive(numbers or None, bus.now())
