"""kill -9 at every write of every path of the order machine, then ``asl resume``.

The real command line, the real tasks and their shop.  Whatever was killed, the history and the shop end up
as those of a run that nobody disturbed: no event is lost or doubled, nothing is reserved, charged, shipped or
refunded twice.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from asl_engine.cli import main

ROOT = Path(__file__).parents[2]
KILLED = Path(__file__).parent / "killed.py"
NAME = "the-order"

# How many writes each path takes: one to create it, then one for each result or timer.
WRITES = {
    "happy": 5,
    "invalid": 3,
    "out-of-stock": 4,
    "payment-declined": 6,
    "payment-retry": 11,
    "payment-exhausted": 10,
}
ENDS = {"payment-exhausted": 1}  # the exit codes that are not 0


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ASL_DB": str(folder / "asl.db"),
        "SHOP_DB": str(folder / "shop.db"),
        "PYTHONPATH": str(ROOT),
    }


def asl(folder: Path, *arguments: str, python: tuple[str, ...] = ("-m", "asl_engine")) -> Any:
    return subprocess.run(
        [sys.executable, *python, *arguments],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def run_arguments(path: str) -> list[str]:
    data = ROOT / "inputs" / f"{path}.json"
    order = ROOT / "statemachines" / "order.json"
    return ["run", str(order), "--input", str(data), "--name", NAME, "--time", "skip"]


def history(folder: Path) -> list[dict[str, Any]]:
    """The history without its times."""
    told = io.StringIO()
    with redirect_stdout(told), pytest.raises(SystemExit) as ended:  # here: it only reads
        main(["history", NAME, "--json", "--db", str(folder / "asl.db")])
    assert ended.value.code == 0
    events: list[dict[str, Any]] = json.loads(told.getvalue())["events"]
    return [opened({key: value for key, value in event.items() if key != "timestamp"}) for event in events]


def opened(value: Any) -> Any:
    """JSON texts as values, without stack traces and request ids.

    A failure that is told again is raised elsewhere, and a request's id follows from its attempt's key.
    """
    if isinstance(value, dict):
        return {key: opened(inner) for key, inner in value.items() if key not in {"stackTrace", "requestId"}}
    if isinstance(value, str) and value.startswith("{"):
        return opened(json.loads(value))
    return value


def shop(folder: Path) -> dict[str, list[Any]]:
    """All that the shop knows, without moments, digests of stack traces, and the attempts' keys.

    A key names the event that scheduled the attempt, and the death of a process is an event too.
    """
    with sqlite3.connect(folder / "shop.db") as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
        known = {}
        for table in tables:
            columns = [
                row[1]
                for row in db.execute(f"PRAGMA table_info({table})")
                if row[1] not in {"created_at", "event", "key"}
            ]
            known[table] = sorted(map(repr, db.execute(f"SELECT {', '.join(columns)} FROM {table}")))  # noqa: S608  its own names
    db.close()
    return known


@cache
def undisturbed(path: str) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
    folder = Path(mkdtemp(prefix="undisturbed-"))
    ended = asl(folder, *run_arguments(path))
    assert ended.returncode == ENDS.get(path, 0), ended.stderr
    return history(folder), shop(folder)


KILLS = [
    (path, moment, number)
    for path, writes in WRITES.items()
    for number in range(1, writes + 1)
    for moment in ("before", "after")
]


@pytest.mark.parametrize(("path", "moment", "number"), KILLS)
def test_killed_and_resumed(path: str, moment: str, number: int, tmp_path: Path) -> None:
    died = asl(tmp_path, *run_arguments(path), python=(str(KILLED), moment, str(number)))
    assert died.returncode < 0, "it was to be killed, not to end"
    if (moment, number) == ("before", 1):  # it never began
        resumed = asl(tmp_path, *run_arguments(path))
    else:
        resumed = asl(tmp_path, "resume", NAME)
    assert resumed.returncode == ENDS.get(path, 0), resumed.stderr
    events, known = undisturbed(path)
    assert history(tmp_path) == events
    assert shop(tmp_path) == known


@pytest.mark.parametrize("path", WRITES)
def test_the_writes_are_as_many_as_counted(path: str, tmp_path: Path) -> None:
    """One more and the kill above would miss the last; one less and it would find nobody to kill."""
    ended = asl(tmp_path, *run_arguments(path), python=(str(KILLED), "before", str(WRITES[path] + 1)))
    assert ended.returncode == ENDS.get(path, 0), ended.stderr
