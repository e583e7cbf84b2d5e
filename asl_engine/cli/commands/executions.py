"""``asl list``, ``asl show`` and ``asl stop``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, get_args

from asl_engine.cli.lookup import command_for, find_one
from asl_engine.cli.output import clean, err, out, pretty_json, readable_cause, seconds, short_name, table
from asl_engine.cli.shapes import describe_execution, list_item, text_of
from asl_engine.core.execution import OpenMapRun, OpenTask, Phase, Status
from asl_engine.errors import InvalidInput
from asl_engine.limits import NO_LIMITS
from asl_engine.project.lookup import database, load_execution, opened
from asl_engine.projections.moments import iso, utc

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.execution import Execution, Frame, OpenWork
    from asl_engine.store.records import Record

__all__ = ["checked_limit", "checked_status", "list_executions", "show", "show_execution", "stop"]

STATUSES: tuple[Status, ...] = get_args(Status)


# -- list -------------------------------------------------------------------------------------------


def list_executions(machine: str | None, status: str | None, limit: int, *, db: str | None, as_json: bool) -> int:
    """The newest executions first."""
    wanted = checked_status(status)
    checked_limit(limit)
    records = asyncio.run(_records(database(db), machine, wanted, limit))
    if as_json:
        out(pretty_json({"executions": [list_item(record) for record in records]}))
    else:
        columns = ("execution", "machine", "status", "started (UTC)", "took")
        table(columns, [_row(record) for record in records])
    return 0


def checked_limit(limit: int) -> None:
    """Raises ``InvalidInput`` where ``--limit`` lets nothing through."""
    if limit < 1:
        raise InvalidInput(f"--limit {limit}: it is at least 1")


def checked_status(given: str | None) -> Status | None:
    """The status that ``--status`` names, in any case.  Raises ``InvalidInput``."""
    if given is None:
        return None
    for status in STATUSES:
        if given.upper() == status:
            return status
    raise InvalidInput(f"--status {given}: it is one of {', '.join(STATUSES)}")


async def _records(db: Path, machine: str | None, status: Status | None, limit: int) -> list[Record]:
    async with opened(db, reading=True) as store:
        return await store.executions(machine, status, limit)


def _row(record: Record) -> tuple[str, ...]:
    who = record.identity
    took = "" if record.stopped_at is None else seconds(record.stopped_at - who.started_at)
    return (short_name(who.name), who.machine_name, record.status, utc(who.started_at), took)


# -- show -------------------------------------------------------------------------------------------


def show(text: str, *, db: str | None, as_json: bool) -> int:
    """One execution, and where it stands."""
    show_execution(asyncio.run(_load(database(db), text)), as_json=as_json)
    return 0


async def _load(db: Path, text: str) -> Execution:
    async with opened(db, reading=True) as store:
        return await load_execution(store, await find_one(store, text))


def show_execution(execution: Execution, *, as_json: bool) -> None:
    """DescribeExecution's shape, and under ``position`` what AWS does not tell: where it stands."""
    if as_json:
        position = [_position(execution, frame) for frame in execution.frames.values()]
        extra = {"historyLength": execution.history_length, "position": position}
        out(pretty_json(describe_execution(execution) | extra))
        return
    lines = _summary(execution)
    width = max(len(label) for label, _ in lines)
    for label, text in lines:
        out(f"{label:<{width}}  {clean(text)}")


def _summary(execution: Execution) -> list[tuple[str, str]]:
    who = execution.identity
    given: list[tuple[str, str | None]] = [
        ("execution", who.name),
        ("machine", who.machine_name),
        ("arn", who.arn),
        ("status", execution.status),
        ("started", f"{utc(who.started_at)} UTC"),
        ("stopped", None if execution.stopped_at is None else f"{utc(execution.stopped_at)} UTC"),
        ("history", f"{execution.history_length} events"),
        ("input", text_of(execution.input)),
        ("output", text_of(execution.output)),
        ("error", execution.error),
        ("cause", readable_cause(execution.cause)),
        *(("stands at", _place(execution, frame)) for frame in execution.frames.values()),
    ]
    return [(label, text) for label, text in given if text is not None]


_DOING = {
    Phase.NEXT: "a state is about to be entered",
    Phase.ENTERED: "entered",
    Phase.SCHEDULED: "a task is about to be started",
    Phase.FORKING: "branches or iterations are about to be started",
    Phase.SUCCEEDED: "its work has succeeded",
    Phase.FAILED: "its work has failed",
    Phase.ENDED: "the last state has been left",
    Phase.WORKING: "its task is running",
    Phase.WAITING: "waiting",
    Phase.BACKOFF: "waiting to retry",
    Phase.JOINING: "branches or iterations are running",
}


def _place(execution: Execution, frame: Frame) -> str:
    """``Both[1] > Pay (Task): waiting to retry (retry 2) until 2024-01-31 12:00:00.123 UTC``"""
    state = f"{frame.state} ({frame.type}): " if frame.state else ""
    path, inner = "", frame
    while inner.parent is not None:
        path, inner = f"{inner.parent.state}[{inner.index}] > {path}", inner.parent
    retry = f" (retry {frame.retry_count})" if frame.retry_count else ""
    work = execution.open.get(frame.work)
    due = "" if work is None or work.due is None else f" until {utc(work.due)} UTC"
    return f"{path}{state}{_DOING[frame.phase]}{retry}{due}"


def _position(execution: Execution, frame: Frame) -> dict[str, Any]:
    work = execution.open.get(frame.work)
    return {
        "frame": frame.id,
        "parent": None if frame.parent is None else frame.parent.id,
        "index": None if frame.parent is None else frame.index,
        "state": frame.state or None,
        "type": frame.type or None,
        "phase": frame.phase.name,
        "enteredDate": iso(frame.entered_at) if frame.state else None,
        "retryCount": frame.retry_count,
        "variables": dict(frame.variables),
        "open": None if work is None else _open(work),
    }


def _open(work: OpenWork) -> dict[str, Any]:
    if isinstance(work, OpenMapRun):
        return {"mapRunArn": work.arn}
    due = None if work.due is None else iso(work.due)
    if isinstance(work, OpenTask):
        return {"resource": work.resource, "parameters": work.parameters.text, "attempt": work.attempt, "due": due}
    return {"due": due}


# -- stop -------------------------------------------------------------------------------------------


def stop(text: str, error: str | None, cause: str | None, *, db: str | None, as_json: bool) -> int:
    """Abort an execution; as with StopExecution, one that has ended stays as it is."""
    path = database(db)
    record, stopped = asyncio.run(_stop(path, text, error, cause))
    name = short_name(record.identity.name)
    if not stopped:
        err(f"execution {name} had ended already ({record.status}): nothing is changed")
    elif not as_json:
        err(f"execution {name} is stopped (see: {command_for('show', record.identity.name, path)})")
    if as_json:
        out(pretty_json({"stopDate": iso(record.stopped_at or 0)}))
    return 0


async def _stop(db: Path, text: str, error: str | None, cause: str | None) -> tuple[Record, bool]:
    """The record as it is afterwards, and whether it is us who have ended the execution."""
    from asl_engine.cli.signals import AT_ONCE, at_the_wheel

    with at_the_wheel(AT_ONCE):
        return await _abort(db, text, error, cause)


async def _abort(db: Path, text: str, error: str | None, cause: str | None) -> tuple[Record, bool]:
    from asl_engine.engine.engine import Engine
    from asl_engine.language.loader import load
    from asl_engine.project.options import How

    async with opened(db) as store:
        record = await find_one(store, text)
        stopped = False
        if record.status == "RUNNING":
            since = (await store.events(record.identity.arn))[-1].at
            clock = How.from_options(record.options).clock(since)
            machine = load(await store.definition(record.definition), limits=NO_LIMITS)
            async with Engine(store, {}, clock=clock) as engine:
                stopped = await engine.stop(machine, record, error, cause)
        return await store.record(record.identity.arn) or record, stopped
