"""``asl events tail``: events as they come."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.events import bus_named, event_line, given_text, opened_bus
from asl_engine.cli.output import flush, out
from asl_engine.errors import AslError, InvalidInput
from asl_engine.events.language.patterns import EventPattern, compile_pattern
from asl_engine.json_text import loads

__all__ = ["command"]

LOOK_SECONDS = 0.5


def command(
    *,
    bus: Annotated[str | None, typer.Option("--bus", metavar="NAME", help="Only those of this bus.")] = None,
    pattern: Annotated[
        str | None,
        typer.Option("--pattern", metavar="FILE|-|JSON", help="Only those that match this event pattern."),
    ] = None,
    last: Annotated[int, typer.Option("--last", metavar="N", help="Begin with the last N.")] = 0,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Stop after N; 0: only when interrupted.")
    ] = 0,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Show events as they are accepted, until interrupted. With --json, each as targets get it, a line each."""
    if last < 0 or limit < 0:
        raise InvalidInput("--last and --limit are numbers from 0 on")
    matching = None if pattern is None else _compiled(pattern)
    asyncio.run(_tail(db, bus, matching, last, limit, as_json=json))
    return 0


def _compiled(given: str) -> EventPattern:
    try:
        return compile_pattern(given_text(given, "the pattern"))
    except AslError as error:
        raise InvalidInput(str(error)) from None


async def _tail(
    db: str | None, name: str | None, pattern: EventPattern | None, last: int, limit: int, *, as_json: bool
) -> None:
    async with opened_bus(db, reading=True) as bus:
        only = bus_named(bus, name)
        before = await bus.buses.last_events(last + 1)
        after = before[0].number if len(before) > last else 0
        shown = 0
        while True:
            for event in await bus.buses.events(after, bus_arn=only):
                after = event.number
                if pattern is None or pattern.matches(loads(event.text)):
                    out(event.text if as_json else event_line(event))
                    shown += 1
                    if shown == limit:
                        return
            flush()
            await asyncio.sleep(LOOK_SECONDS)
