"""``asl events replay``: the events of an archive, once more."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.arn import event_arn, event_resource
from asl_engine.cli import options
from asl_engine.cli.events import opened_bus
from asl_engine.cli.output import err, out
from asl_engine.errors import InvalidInput
from asl_engine.expressions.timestamps import parse_timestamp
from asl_engine.findings import did_you_mean
from asl_engine.store.bus_records import ReplayRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command"]

NS = 1_000_000


def command(
    *,
    archive: Annotated[str, typer.Argument(metavar="ARCHIVE", help="The name of an archive.")],
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Events from this time on, such as 2030-01-01T00:00:00Z."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Events before this time. Default: now.")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option("--rule", metavar="NAME", help="Only for this rule. Repeatable.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The replay's name.")] = None,
    db: options.Db = None,
) -> int:
    """Put the events of an archive on their bus again."""
    out(asyncio.run(_replay(db, archive, since, until, rules=rule or (), name=name)))
    err("`asl serve` replays the events")
    return 0


async def _replay(
    db: str | None, archive: str, since: str | None, until: str | None, *, rules: Sequence[str], name: str | None
) -> str:
    async with opened_bus(db) as bus, bus.changing:
        book = await bus.book()
        found = book.archives.get(event_arn(*bus.home, "archive", archive))
        if found is None:
            names = [part[1] for arn in book.archives if (part := event_resource(arn)) is not None]
            known = ", ".join(names) or "none"
            raise InvalidInput(
                f"there is no archive {archive!r}{did_you_mean(archive, names)}; there are: {known}"
            )
        own = {
            part[1]: arn
            for arn, one in book.rules.items()
            if one.bus_arn == found.bus_arn and (part := event_resource(arn)) is not None
        }
        for one in rules:
            if one not in own:
                raise InvalidInput(f"--rule {one}: there is no such rule{did_you_mean(one, own)}")
        begin, end = _seconds("--from", since, 0), _seconds("--to", until, bus.now() / 1000)
        if begin >= end:
            raise InvalidInput(f"--from {since} is not before --to {until or 'now'}")
        name = name or f"{archive}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        arn = event_arn(*bus.home, "replay", name)
        if any(one.arn == arn for one in await bus.buses.replays()):
            raise InvalidInput(f"--name {name}: there is such a replay already")
        asked = {
            "EventStartTime": begin,
            "EventEndTime": end,
            "Destination": {"Arn": found.bus_arn, "FilterArns": [own[one] for one in rules]},
        }
        await bus.buses.put_replay(ReplayRecord(arn, found.arn, bus.now(), None, "STARTING", asked))
        return name


def _seconds(option: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    moment = parse_timestamp(text)
    if moment is None:
        raise InvalidInput(f"{option} {text}: it is a time with its offset, such as 2030-01-01T00:00:00Z")
    return moment / NS / 1000
