"""``asl events put``: events for a bus, from the command line or from a file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asl_engine.cli import options
from asl_engine.cli.events import counted_deliveries, given_json, given_text, opened_bus
from asl_engine.cli.output import err, out, pretty_json
from asl_engine.errors import InvalidInput
from asl_engine.events.entries import EventsTooLarge, check_size
from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command"]

AT_ONCE = 10  # entries of one PutEvents
FORM = 'a list of entries as PutEvents takes them, or one: {"Source": ..., "DetailType": ..., "Detail": {...}}'


def command(
    *,
    entries: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|-|JSON]", help="Entries of PutEvents: one, or a list of any length."),
    ] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="TEXT", help="The event's source.")] = None,
    detail_type: Annotated[
        str | None, typer.Option("--detail-type", metavar="TEXT", help="Its detail type.")
    ] = None,
    detail: Annotated[
        str | None, typer.Option("--detail", metavar="FILE|-|JSON", help="Its detail, an object. Default: {}")
    ] = None,
    bus: Annotated[str | None, typer.Option("--bus", metavar="NAME", help="Default: the default bus.")] = None,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Put events on a bus. They are on disk when this ends; `asl serve` delivers them."""
    given = _entries(entries, source, detail_type, detail)
    if bus is not None:
        given = [{"EventBusName": bus} | entry for entry in given]
    try:
        results, waiting = asyncio.run(_put(db, given))
    except EventsTooLarge as error:
        raise InvalidInput(str(error)) from None
    failed = [(number, one) for number, one in enumerate(results) if "ErrorCode" in one]
    if json:
        out(pretty_json({"FailedEntryCount": len(failed), "Entries": results}))
    else:
        for one in results:
            if "EventId" in one:
                out(one["EventId"])
    for number, one in failed:
        err(f"entry {number}: {one['ErrorCode']}: {one['ErrorMessage']}")
    if waiting and not json:
        err(f"{counted_deliveries(waiting)} to be made by `asl serve` or `asl dev`")
    return 1 if failed else 0


def _entries(
    text: str | None, source: str | None, detail_type: str | None, detail: str | None
) -> list[dict[str, Any]]:
    if text is None:
        if source is None or detail_type is None:
            raise InvalidInput(f"give --source and --detail-type, or {FORM}")
        told = "{}" if detail is None else given_text(detail, "the detail")
        return [{"Source": source, "DetailType": detail_type, "Detail": told}]
    if not (source is detail_type is detail is None):
        raise InvalidInput("give either entries, or --source, --detail-type and --detail")
    value = given_json(text, "the entries")
    several = value if isinstance(value, list) else [value]
    found: list[dict[str, Any]] = []
    for number, entry in enumerate(several):
        if not isinstance(entry, dict):
            raise InvalidInput(f"entry {number} is not an object: give {FORM}")
        made: dict[str, Any] = dict(entry)
        if isinstance(entry.get("Detail"), dict):  # as an object: PutEvents takes its text
            made["Detail"] = dumps(entry["Detail"])
        for name in ("Source", "DetailType", "Detail", "EventBusName"):
            if not isinstance(made.get(name, ""), str):
                raise InvalidInput(f"entry {number}: {name} has to be a text; it is {dumps(made[name])}")
        found.append(made)
    return found


async def _put(db: str | None, entries: Sequence[dict[str, Any]]) -> tuple[list[dict[str, str]], int]:
    """What has become of each entry, and how many deliveries of theirs are to be made."""
    results: list[dict[str, str]] = []
    for at in range(0, len(entries), AT_ONCE):  # none is put if one of the requests is refused as a whole
        check_size(entries[at : at + AT_ONCE])
    async with opened_bus(db, create=True) as bus:
        lanes: list[tuple[str, str]] = []
        bus.on_lanes = lanes.extend
        for at in range(0, len(entries), AT_ONCE):
            results += await bus.put(entries[at : at + AT_ONCE])
    return results, len(lanes)
