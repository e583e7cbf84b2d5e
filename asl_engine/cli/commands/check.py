"""``asl check``: whether a database is whole, and what of it can be saved if not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.cli import options
from asl_engine.cli.output import clean, counted, err, out, pretty_json
from asl_engine.project.lookup import database

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.store.sqlite.checking import Checked

__all__ = ["command"]

DAMAGED = 1  # the exit code


def command(db: options.Db = None, json: options.AsJson = False) -> int:
    """Check the database: its file, what refers to what, and every log. Exit code 1 if anything is damaged."""
    from asl_engine.store.sqlite.checking import check

    path = database(db)
    checked = check(path)
    if json:
        out(pretty_json(_result(path, checked)))
    else:
        _tell(path, checked)
    return DAMAGED if checked.faults else 0


def _result(path: Path, checked: Checked) -> dict[str, object]:
    return {
        "database": str(path),
        "result": "FAIL" if checked.faults else "OK",
        "executions": checked.executions,
        "wholeExecutions": checked.whole,
        "events": checked.events,
        "faults": [fault._asdict() for fault in checked.faults],
    }


def _tell(path: Path, checked: Checked) -> None:
    for fault in checked.faults:
        out(clean(f"{fault.where}: {fault.message}"))
    executions = counted(checked.executions, "execution")
    if not checked.faults:
        out(f"{path} is whole: {executions} with {counted(checked.events, 'event')}")
        return
    faults = counted(len(checked.faults), "fault")
    err(f"{path} is damaged: {faults}; the logs of {checked.whole:,} of {executions} are whole")
    err(
        "stop what uses it and keep a copy of the file and of those beside it; put a backup in its place if there "
        "is one (`asl backup` makes them); `asl show` and `asl history` read what is whole"
    )
