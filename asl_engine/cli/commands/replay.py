"""``asl replay``: decide a recorded execution again, or look at it as it once stood."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.commands.show import show_execution
from asl_engine.cli.lookup import find_one
from asl_engine.cli.output import counted, out, pretty_json, short_name, table
from asl_engine.core.replay import Difference, as_of
from asl_engine.errors import InvalidInput
from asl_engine.lab.replaying import Recorded, plain_event, replay_again, replay_json
from asl_engine.language.document import load_source
from asl_engine.project.definitions import read_definition
from asl_engine.project.lookup import database, opened

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.events import Event

__all__ = ["command", "replay"]

MAX_CELL = 400


def command(
    *,
    execution: options.AnyExecution = None,
    every: Annotated[
        bool, typer.Option("--all", help="Hold the definition against all past executions of its state machine.")
    ] = False,
    machine: Annotated[
        str | None,
        typer.Option("--machine", metavar="NAME", help="With --all: those of this machine. Default: the file's"),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="With --all: the newest N at most.")] = 1000,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE|-", help="With --all: write a report in Markdown.")
    ] = None,
    at: Annotated[
        int | None, typer.Option("--at", metavar="N", help="Show the execution as it was after history event N.")
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option(
            "--definition", metavar="FILE", help="Find the first event that this definition would change."
        ),
    ] = None,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Replay a recorded execution without calling any task. Exit code 1 if it comes out different."""
    if every:
        if execution is not None or at is not None or definition is None:
            raise InvalidInput("--all takes the --definition to hold against all, and no EXECUTION and no --at")
        from asl_engine.cli.reviews import ReviewOptions, review_all

        return review_all(database(db), ReviewOptions(definition, machine, limit, report, as_json=json))
    if execution is None:
        raise InvalidInput("name one execution, or give --all")
    return replay(execution, at, definition, db=db, as_json=json)


def replay(text: str, at: int | None, definition: str | None, *, db: str | None, as_json: bool) -> int:
    """Write how the replay went, or the execution as it stood.  1 where the replay leaves the record."""
    if at is not None and definition is not None:
        raise InvalidInput("--at shows the record as it is: leave --definition out")
    edited = None if definition is None else load_source(read_definition(definition, local=True))
    recorded = asyncio.run(_load(database(db), text))
    if at is not None:
        _show_at(recorded, at, as_json=as_json)
        return 0
    difference = replay_again(recorded, edited)
    if as_json:
        out(pretty_json(replay_json(recorded, difference)))
    elif difference is None:
        _tell_same(recorded, definition)
    else:
        _tell_difference(difference, definition)
    return 0 if difference is None else 1


async def _load(db: Path, text: str) -> Recorded:
    async with opened(db, reading=True) as store:
        record = await find_one(store, text)
        return Recorded(record, await store.definition(record.definition), await store.events(record.identity.arn))


def _show_at(recorded: Recorded, at: int, *, as_json: bool) -> None:
    length = recorded.length
    if not 1 <= at <= length:
        name = short_name(recorded.record.identity.name)
        raise InvalidInput(f"--at {at}: the history of {name} has the events 1 to {length}")
    show_execution(as_of(recorded.record.identity, recorded.events, at), as_json=as_json)


def _tell_same(recorded: Recorded, definition: str | None) -> None:
    status, number = recorded.status, recorded.length
    ending = "stands" if status == "RUNNING" else "ends"
    by = "" if definition is None else f" by {definition}"
    out(f"replayed {counted(number, 'event')}{by}: {ending} as recorded, {status}")


def _tell_difference(difference: Difference, definition: str | None) -> None:
    """The two events side by side; what differs is marked."""
    one, other = _cells(difference.recorded), _cells(difference.replayed)
    out(f"the first event that differs is number {one.get('seq') or other['seq']} of the log:")
    rows = [
        ("*" if one.get(name) != other.get(name) else "", name, one.get(name, ""), other.get(name, ""))
        for name in dict.fromkeys((*one, *other))
        if name != "at"  # moments are not compared
    ]
    table(("", "", "recorded", f"by {definition}" if definition else "replayed"), rows)


def _cells(event: Event | None) -> dict[str, str]:
    """An event's members for people; none of a side that ends here, which says so."""
    plain = plain_event(event)
    if plain is None:
        return {"event": "(nothing follows)"}
    return {name: _cut("" if value is None else str(value)) for name, value in plain.items()}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
