"""``asl resume``: go on with what was left unfinished."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.lookup import command_for, find_one, no_database_yet, parent_of
from asl_engine.cli.output import counted, err, out, pretty_json, short_name
from asl_engine.cli.report import report, report_interruption, status_line
from asl_engine.cli.shapes import describe_execution
from asl_engine.cli.signals import AT_ONCE, Interrupted, Signals, at_the_wheel, drive, progress_for
from asl_engine.cli.tracing import traced
from asl_engine.cli.wording import worded
from asl_engine.core.execution import Execution
from asl_engine.engine.clock import checked_time
from asl_engine.errors import AslError, ExecutionBusy, InvalidInput
from asl_engine.lab.whereabouts import failed_at
from asl_engine.project.lookup import database, load_execution, opened
from asl_engine.project.setup import recorded_setup

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.cli.progress import Progress
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.host import Tracing
    from asl_engine.engine.run import Run
    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["command", "join", "resume"]

FOLLOW_SECONDS = 0.25
MAX_OPEN = 1_000_000


def command(
    *,
    execution: options.AnyExecution = None,
    every: Annotated[
        bool, typer.Option("--all", help="Resume every open execution that no process runs.")
    ] = False,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", metavar="real|skip|scale=N", help="How time passes from now on. Default: as before"
        ),
    ] = None,
    db: options.Db = None,
    json: options.AsJson = False,
    quiet: options.Quiet = False,
    traces: options.Traces = False,
) -> int:
    """Continue an execution whose process was interrupted or killed."""
    return resume(execution, every=every, time=time, db=db, as_json=json, quiet=quiet, traces=traces)


def resume(
    text: str | None,
    *,
    every: bool,
    time: str | None,
    db: str | None,
    as_json: bool,
    quiet: bool,
    traces: bool = False,
) -> int:
    """Resume the execution that ``text`` means, or every one that nobody drives.  Returns the exit code.

    ``time`` is how time passes from now on, None for as it did.
    """
    if time is not None:
        checked_time(time)
    if every == (text is not None):
        raise InvalidInput("name one execution, or give --all")
    path = database(db)
    if text is None:
        if no_database_yet(db, path):
            return _nothing(path, as_json=as_json)
        return asyncio.run(_resume_all(path, time, as_json=as_json, quiet=quiet, traces=traces))
    return asyncio.run(_resume_one(path, text, time, as_json=as_json, quiet=quiet, traces=traces))


async def _resume_one(db: Path, text: str, time: str | None, *, as_json: bool, quiet: bool, traces: bool) -> int:
    with at_the_wheel(AT_ONCE) as signals:
        async with opened(db) as store, traced(traces) as tracing:
            record = _timed(await find_one(store, text), time)
            name = record.identity.name
            try:
                execution = await go_on(store, record, signals, progress_for(quiet=quiet or as_json), tracing)
                place = await failed_at(store, execution)
            except Interrupted as interrupted:
                report_interruption(name, db)
                return interrupted.exit_code
            except ExecutionBusy:
                follow, stop = command_for("history", name, db), command_for("stop", name, db)
                raise ExecutionBusy(
                    f"the execution {name} is being run by another process: "
                    f"watch it with `{follow} --follow`, or end it with `{stop}`"
                ) from None
    return report(execution, db, as_json=as_json, quiet=quiet, place=place)


def _timed(record: Record, time: str | None) -> Record:
    return record if time is None else record._replace(options=record.options._replace(time=time))


async def go_on(
    store: SqliteStore,
    record: Record,
    signals: Signals,
    progress: Progress | None = None,
    tracing: Tracing | None = None,
) -> Execution:
    """The execution at its end.  Raises ``ExecutionBusy`` where a live process drives it."""
    execution = await load_execution(store, record)
    if execution.status != "RUNNING":
        return execution
    if record.identity.map_run is not None:
        raise InvalidInput(
            f"{record.identity.name} is a child of a Map Run, which goes on with the execution that started it: "
            f"resume {await parent_of(store, record)}"
        )
    await store.claim(record.identity.arn)
    setup = (await recorded_setup(store, record))._replace(tracing=tracing)
    events = await store.events(record.identity.arn)

    async def begin(engine: Engine) -> Run:
        await engine.map_runs.finalize_all()
        return await engine.resume(setup.machine, record)

    return await drive(store, setup, begin, signals, since=events[-1].at, progress=progress)


async def join(
    store: SqliteStore,
    record: Record,
    signals: Signals,
    progress: Progress | None = None,
    tracing: Tracing | None = None,
) -> Execution:
    """The execution at its end: if another process drives it, wait for that one, and go on if it dies."""
    while True:
        try:
            return await go_on(store, record, signals, progress, tracing)
        except ExecutionBusy:
            signals.patience = None
            await asyncio.wait({signals.received}, timeout=FOLLOW_SECONDS)
        if signals.received.done():
            raise Interrupted(record.identity.arn, signals.received.result(), followed=True)


async def _resume_all(db: Path, time: str | None, *, as_json: bool, quiet: bool, traces: bool) -> int:
    """Whatever nobody drives, at the same time.  0 where all succeed, 2 where one cannot be resumed, else 1."""
    with at_the_wheel(AT_ONCE) as signals:
        async with opened(db) as store, traced(traces) as tracing:
            records = await store.executions(status="RUNNING", limit=MAX_OPEN)
            outcomes = await asyncio.gather(
                *(_attempt(store, _timed(record, time), signals, tracing) for record in records)
            )
        if signals.received.done():
            err("interrupted: what has not ended is kept; go on with: asl resume --all")
            return 128 + signals.received.result()
    ended = [outcome for outcome in outcomes if isinstance(outcome, Execution)]
    _tell_all(ended, db, as_json=as_json, quiet=quiet)
    if not (records or as_json):
        err("there is nothing to resume")
    if (others := outcomes.count(None)) and not (quiet or as_json):
        alone = "was left alone: another process runs it" if others == 1 else "were left alone: others run them"
        err(f"{counted(others, 'execution')} {alone}")
    refused = _by_error(records, outcomes)
    for message, names in refused.items():
        err(f"asl: error: {', '.join(names)}: {message}")
    if refused:
        return 2
    return 0 if all(execution.status == "SUCCEEDED" for execution in ended) else 1


def _nothing(db: Path, *, as_json: bool) -> int:
    if as_json:
        out(pretty_json([]))
    else:
        err(f"there is nothing to resume: there is no database at {db} yet")
    return 0


async def _attempt(
    store: SqliteStore, record: Record, signals: Signals, tracing: Tracing | None
) -> Execution | AslError | None:
    """None for an execution that is left alone: somebody else drives it, or a signal came.

    One that a task of another execution waits for may be driven with that one, in this process.
    """
    arn = record.identity.arn
    while True:
        try:
            return await go_on(store, record, signals, tracing=tracing)
        except ExecutionBusy:
            there = await store.record(arn)
            if arn not in store.driven and (there is None or there.status == "RUNNING"):
                return None
        except Interrupted:
            return None
        except AslError as error:
            return error
        await asyncio.wait({signals.received}, timeout=FOLLOW_SECONDS)
        if signals.received.done():
            return None


def _by_error(records: list[Record], outcomes: list[Execution | AslError | None]) -> dict[str, list[str]]:
    """The executions that could not be resumed, by the reason: what is told once need not be told of each."""
    refused: dict[str, list[str]] = {}
    for record, outcome in zip(records, outcomes, strict=True):
        if isinstance(outcome, AslError):
            refused.setdefault(worded(outcome), []).append(short_name(record.identity.name))
    return refused


def _tell_all(ended: list[Execution], db: Path, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        out(pretty_json([describe_execution(execution) for execution in ended]))
    elif not quiet:
        for execution in ended:
            out(status_line(execution, db))
