"""``asl events log``: the last events and their deliveries, or the dead letters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asl_engine.cli import options
from asl_engine.cli.commands.list import checked_limit
from asl_engine.cli.events import delivery_line, event_line, opened_bus, shown_delivery
from asl_engine.cli.lookup import no_database_yet
from asl_engine.cli.output import counted, err, out, pretty_json
from asl_engine.json_text import loads
from asl_engine.project.lookup import database

if TYPE_CHECKING:
    from asl_engine.store.bus_records import BusEvent, Delivery

__all__ = ["command"]


def command(
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only what could not be delivered: `asl events redrive` tries again.")
    ] = False,
    limit: options.MostListed = 100,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Show the last events and what has become of their deliveries; with --failed, the dead letters."""
    checked_limit(limit)
    found: list[tuple[BusEvent, list[Delivery]]] = []
    if not no_database_yet(db, database(db)):
        found = asyncio.run(_load(db, limit, failed=failed))
    if json:
        out(pretty_json({"Events": [_shown(event, made) for event, made in found]}))
        return 0
    for event, made in found:
        out(event_line(event))
        for delivery in made:
            out(f"  {delivery_line(delivery)}")
    if failed:
        letters = sum(len(made) for _, made in found)
        err(
            f"{counted(letters, 'dead letter')}"
            + ("; try them again: asl events redrive --all" if letters else "")
        )
    return 0


async def _load(db: str | None, limit: int, *, failed: bool) -> list[tuple[BusEvent, list[Delivery]]]:
    """The events with their deliveries, in the order in which they were accepted."""
    async with opened_bus(db, reading=True) as bus:
        if failed:
            letters = await bus.buses.failed(limit)
            events = sorted({one.event.number: one.event for one in letters}.items())
            return [(event, [one for one in letters if one.event.number == number]) for number, event in events]
        last = await bus.buses.last_events(limit)
        by_event: dict[int, list[Delivery]] = {event.number: [] for event in last}
        for one in await bus.buses.deliveries_of([*by_event]):
            by_event[one.event.number].append(one)
        return [(event, by_event[event.number]) for event in last]


def _shown(event: BusEvent, made: list[Delivery]) -> dict[str, Any]:
    return {
        "Event": loads(event.text),
        "EventBusArn": event.bus_arn,
        "AcceptedAt": event.at / 1000,
        "Deliveries": [shown_delivery(one) for one in made],
    }
