"""``asl show``: one execution, and where it stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from asl_engine.cli import options
from asl_engine.cli.lookup import find_one, ways_to_resume
from asl_engine.cli.output import clean, counted, out, pretty_json, readable_cause
from asl_engine.cli.shapes import describe_execution, text_of
from asl_engine.core.execution import OpenMapRun, OpenTask, Phase
from asl_engine.project.lookup import database, load_execution, opened
from asl_engine.projections.moments import iso, utc

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.execution import Execution, Frame, OpenWork
    from asl_engine.store.records import Driver

__all__ = ["command", "show", "show_execution"]


def command(execution: options.Execution, db: options.Db = None, json: options.AsJson = False) -> int:
    """Show one execution: its status, input, output and current state."""
    return show(execution, db=db, as_json=json)


def show(text: str, *, db: str | None, as_json: bool) -> int:
    """One execution, and where it stands."""
    execution, way, driver = asyncio.run(_load(database(db), text))
    show_execution(execution, as_json=as_json, way=way, driver=driver)
    return 0


async def _load(db: Path, text: str) -> tuple[Execution, str | None, Driver | None]:
    """The execution, if it is interrupted what to type to go on with it, and who drives it."""
    async with opened(db, reading=True) as store:
        record = await find_one(store, text)
        ways = await ways_to_resume(store, [record])
        driver = await store.driver(record.identity.arn)
        return await load_execution(store, record), ways.get(record.identity.arn), driver


def show_execution(
    execution: Execution, *, as_json: bool, way: str | None = None, driver: Driver | None = None
) -> None:
    """DescribeExecution's shape, and what AWS does not tell: under ``position`` where the execution stands.

    ``way`` is what to type to go on with an execution that is interrupted, ``driver`` the process that drives it.
    """
    if as_json:
        position = [_position(execution, frame) for frame in execution.frames.values()]
        extra: dict[str, Any] = {
            "historyLength": execution.history_length,
            "position": position,
            "deaths": execution.deaths,
            "forkOf": execution.origin,
        }
        if driver is not None or way is not None:
            extra["lastEventDate"] = iso(execution.at)
        if way is not None:
            extra["interrupted"] = True
        if driver is not None:
            extra["drivenBy"] = {"process": driver.process, "waitsFor": driver.waits_for}
        out(pretty_json(describe_execution(execution) | extra))
        return
    lines = _summary(execution, way, driver)
    width = max(len(label) for label, _ in lines)
    for label, text in lines:
        out(f"{label:<{width}}  {clean(text)}")


def _summary(execution: Execution, way: str | None, driver: Driver | None) -> list[tuple[str, str]]:
    who = execution.identity
    given: list[tuple[str, str | None]] = [
        ("execution", who.name),
        ("machine", who.machine_name),
        ("arn", who.arn),
        ("fork of", execution.origin),
        ("status", execution.status if way is None else f"interrupted: {way}"),
        ("started", f"{utc(who.started_at)} UTC"),
        ("stopped", None if execution.stopped_at is None else f"{utc(execution.stopped_at)} UTC"),
        ("history", counted(execution.history_length, "event")),
        ("driven by", None if driver is None else f"process {driver.process}, last event {utc(execution.at)} UTC"),
        ("waits for", None if driver is None else driver.waits_for),
        ("input", text_of(execution.input)),
        ("output", text_of(execution.output)),
        ("error", execution.error),
        ("cause", readable_cause(execution.cause)),
        *(
            ("died", f"{_times(number)} while the task of {state} ran")
            for state, number in execution.deaths.items()
        ),
        *(
            ("stands at", _place(execution, frame, interrupted=way is not None))
            for frame in execution.frames.values()
        ),
    ]
    return [(label, text) for label, text in given if text is not None]


def _times(processes: int) -> str:
    return "the process" if processes == 1 else f"{processes} processes"


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
_INTERRUPTED = {
    Phase.WORKING: "its task was running",
    Phase.JOINING: "branches or iterations were running",
}


def _place(execution: Execution, frame: Frame, *, interrupted: bool) -> str:
    """``Both[1] > Pay (Task): waiting to retry (retry 2) until 2024-01-31 12:00:00.123 UTC``"""
    state = f"{frame.state} ({frame.type}): " if frame.state else ""
    path, inner = "", frame
    while inner.parent is not None:
        path, inner = f"{inner.parent.state}[{inner.index}] > {path}", inner.parent
    retry = f" (retry {frame.retry_count})" if frame.retry_count else ""
    work = execution.open.get(frame.work)
    due = "" if work is None or work.due is None else f" until {utc(work.due)} UTC"
    doing = _INTERRUPTED.get(frame.phase) if interrupted else None
    return f"{path}{state}{doing or _DOING[frame.phase]}{retry}{due}"


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
