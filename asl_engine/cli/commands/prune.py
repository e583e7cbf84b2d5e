"""``asl prune``: delete executions that ended long ago."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from asl_engine.cli import options
from asl_engine.cli.commands.list import checked_status
from asl_engine.cli.output import confirmed, counted, err, out, pretty_json, size_of, table
from asl_engine.engine.clock import SystemClock
from asl_engine.errors import InvalidInput
from asl_engine.project.ages import DEFAULT_KEEP, checked_age
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.projections.moments import iso, utc

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.store.sqlite.pruning import Prunable, Pruned, Pruning
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["command"]


def command(
    older: Annotated[
        str | None,
        typer.Option(
            "--older",
            metavar="AGE",
            help="That ended so long ago: 90d, 12h, 30min. Default: the project's keep, or 90d, as on AWS.",
        ),
    ] = None,
    status: options.Status = None,
    machine: Annotated[
        str | None, typer.Option("--machine", metavar="NAME", help="Of this state machine only.")
    ] = None,
    keep_last: Annotated[
        int | None,
        typer.Option(
            "--keep-last",
            metavar="N",
            help="Not the newest N of each state machine. Without --older: all others that ended.",
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be deleted, and delete nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Write the file anew in the end, without empty space. Others wait.")
    ] = False,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Delete executions that ended long ago, and definitions that nothing uses; what runs stays."""
    given = Given(dry_run=dry_run, yes=yes, vacuum=vacuum, as_json=json)
    return asyncio.run(_prune(database(db), _pruning(older, status, machine, keep_last), given))


class Given(NamedTuple):
    """The options that do not say what to delete."""

    dry_run: bool
    yes: bool
    vacuum: bool
    as_json: bool


def _pruning(older: str | None, status: str | None, machine: str | None, keep_last: int | None) -> Pruning:
    from pathlib import Path

    from asl_engine.store.sqlite.pruning import Pruning

    wanted = checked_status(status)
    if wanted == "RUNNING":
        raise InvalidInput("--status RUNNING: what runs is never deleted; `asl stop` ends it first")
    if keep_last is not None and keep_last < 0:
        raise InvalidInput(f"--keep-last {keep_last}: it is at least 0")
    before = None
    if older is not None:
        before = SystemClock().now() - checked_age(older, "--older")
    elif keep_last is None:
        before = SystemClock().now() - checked_age(project_of(Path.cwd()).keep or DEFAULT_KEEP, "keep")
    return Pruning(before, wanted, machine, keep_last or 0)


async def _prune(db: Path, pruning: Pruning, given: Given) -> int:
    from asl_engine.store.sqlite.pruning import prunable, prune, vacuum

    async with opened(db, reading=given.dry_run) as store:
        if given.dry_run or not given.yes:
            planned = await prunable(store, pruning)
            if given.dry_run:
                _tell_planned(planned, pruning, as_json=given.as_json)
                return 0
            if not await _agreed(planned, pruning, given):
                err("nothing is deleted")
                return 2
        done = await prune(store, pruning)
        if given.vacuum:
            freed = await vacuum(store)
            done = done._replace(freed_bytes=done.freed_bytes + freed, unused_bytes=0)
        _tell(done, store, as_json=given.as_json)
    return 0


async def _agreed(planned: Prunable, pruning: Pruning, given: Given) -> bool:
    """Whether the user wants it.  There is nothing to ask where nothing would be done."""
    if not planned.executions and not planned.definitions and not given.vacuum:
        return True
    question = f"delete {counted(planned.executions.total(), 'execution')} {_which(pruning)}"
    question += f", {_children(planned.children)} and {_definitions(planned.definitions)}?"
    return await asyncio.to_thread(confirmed, question, "asl prune")


def _tell_planned(planned: Prunable, pruning: Pruning, *, as_json: bool) -> None:
    number = planned.executions.total()
    if as_json:
        before = {} if pruning.before is None else {"endedBefore": iso(pruning.before)}
        machines = {"stateMachines": dict(sorted(planned.executions.items()))}
        counts = {"executions": number, "children": planned.children, "definitions": planned.definitions}
        out(pretty_json({"dryRun": True, **before, **counts, **machines}))
        return
    if number:
        rows = [(machine, str(count)) for machine, count in sorted(planned.executions.items())]
        table(("machine", "executions"), rows)
    err(
        f"would delete {counted(number, 'execution')} {_which(pruning)}, {_children(planned.children)} "
        f"and {_definitions(planned.definitions)}"
    )


def _tell(done: Pruned, store: SqliteStore, *, as_json: bool) -> None:
    if as_json:
        counts = {"executions": done.executions, "children": done.children, "definitions": done.definitions}
        out(
            pretty_json(
                {"dryRun": False, **counts, "freedBytes": done.freed_bytes, "unusedBytes": done.unused_bytes}
            )
        )
        return
    err(
        f"deleted {counted(done.executions, 'execution')}, {_children(done.children)} "
        f"and {_definitions(done.definitions)}; {store.path} is {size_of(done.freed_bytes)} smaller"
    )
    if done.unused_bytes:
        err(
            f"{size_of(done.unused_bytes)} of the file are empty and will be used again; "
            "to make the file smaller: asl prune --vacuum"
        )


def _which(pruning: Pruning) -> str:
    return "that have ended" if pruning.before is None else f"that ended before {utc(pruning.before)} UTC"


def _children(number: int) -> str:
    return f"{number:,} {'child' if number == 1 else 'children'} of their Map Runs"


def _definitions(number: int) -> str:
    return counted(number, "unused definition")
