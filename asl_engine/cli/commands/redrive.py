"""``asl redrive``: go on with an execution that has failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asl_engine.cli import options
from asl_engine.cli.lookup import find_one, ways_to_resume
from asl_engine.cli.report import report, report_interruption
from asl_engine.cli.signals import AT_ONCE, Interrupted, Signals, at_the_wheel, drive, progress_for
from asl_engine.core.apply import fold
from asl_engine.core.redrive import OF_A_MAP_RUN, not_redrivable
from asl_engine.engine.clock import clock_of
from asl_engine.errors import ExecutionNotRedrivable, InvalidInput
from asl_engine.lab.whereabouts import failed_at
from asl_engine.project.lookup import database, opened
from asl_engine.project.setup import recorded_setup

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.cli.progress import Progress
    from asl_engine.core.execution import Execution
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Run
    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["command", "redrive"]


def command(
    execution: options.Execution, db: options.Db = None, json: options.AsJson = False, quiet: options.Quiet = False
) -> int:
    """Continue an execution that failed, timed out or was aborted, from the state where it stopped."""
    return redrive(execution, db=db, as_json=json, quiet=quiet)


def redrive(text: str, *, db: str | None, as_json: bool, quiet: bool) -> int:
    """Redrive an execution that has ended unsuccessfully, and see it to its end.  Returns the exit code."""
    return asyncio.run(_redrive(database(db), text, as_json=as_json, quiet=quiet))


async def _redrive(db: Path, text: str, *, as_json: bool, quiet: bool) -> int:
    with at_the_wheel(AT_ONCE) as signals:
        async with opened(db) as store:
            record = await find_one(store, text)
            name = record.identity.name
            try:
                execution = await _again(store, record, signals, progress_for(quiet=quiet or as_json))
                place = await failed_at(store, execution)
            except Interrupted as interrupted:
                report_interruption(name, db)
                return interrupted.exit_code
            except ExecutionNotRedrivable as error:
                way = (await ways_to_resume(store, [record])).get(record.identity.arn)
                hint = "" if way is None else f"; it was interrupted, so go on with it: {way}"
                raise InvalidInput(f"the execution {name} cannot be redriven: {error.reason}{hint}") from None
    return report(execution, db, as_json=as_json, quiet=quiet, place=place)


async def _again(store: SqliteStore, record: Record, signals: Signals, progress: Progress | None) -> Execution:
    how = record.options
    events = await store.events(record.identity.arn)
    execution = fold(record.identity, events)
    reason = not_redrivable(execution, clock_of(how.time, events[-1].at).now(), how.limits)
    if reason is None and record.identity.map_run is not None:
        reason = OF_A_MAP_RUN
    if reason is not None:  # told before anything is said of tasks
        raise ExecutionNotRedrivable(record.identity.arn, reason)
    setup = await recorded_setup(store, record)

    async def begin(engine: Engine) -> Run:
        return await engine.redrive(setup.machine, record)

    return await drive(store, setup, begin, signals, since=events[-1].at, progress=progress)
