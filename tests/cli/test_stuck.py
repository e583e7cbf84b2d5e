"""`asl run` and `asl show` where another program locks the database while an execution runs."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from asl_engine.store.sqlite import opening
from tests.cli.project import ROOT, finished, machine, task, wait_for

if TYPE_CHECKING:
    from tests.cli.project import Project

LOCKING = """
import sqlite3
from pathlib import Path

held = []

def lock(event):
    held.append(sqlite3.connect(event["db"], check_same_thread=False))
    held[0].execute("BEGIN IMMEDIATE")
    Path("locked").touch()
    return event
"""

# A command whose database is locked by its own task, and for how long it waits for that.
WAITING = """
import sys
from asl_engine.cli import main
from asl_engine.store.sqlite import opening

opening.BUSY_SECONDS = PATIENCE
main(sys.argv[1:])
"""


@pytest.fixture
def given(project: Project) -> str:
    """The input of a machine whose only task locks the database."""
    (project.root / "tasks" / "locking.py").write_text(LOCKING)
    project.define("m", machine(L=task("lock")))
    return json.dumps({"db": str(project.db)})


class Unlock(logging.Handler):
    """Ends the lock as soon as it is told of."""

    def emit(self, record: logging.LogRecord) -> None:
        if "waits: " in record.getMessage():
            next(module for name, module in sys.modules.items() if name.endswith("locking")).held[0].rollback()


def test_a_run_waits_and_tells(project: Project, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.01)
    log, handler = logging.getLogger("asl_engine.engine"), Unlock()
    log.addHandler(handler)
    try:
        result = project.asl("run", "statemachines/m.json", "--name", "one", "-i", given, "-q")
    finally:
        log.removeHandler(handler)
    assert (result.code, json.loads(result.out)) == (0, json.loads(given))
    first, last = result.err.splitlines()
    arn = "arn:aws:states:us-east-1:123456789012:execution:m:one"
    assert first == (
        f"asl: warning: {arn} waits: The database {project.db} is locked by another program; trying again in 0.1 s"
    )
    assert re.fullmatch(rf"asl: warning: the database can be used again: {arn} goes on after [0-9.]+ s", last)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for one process on Windows")
@pytest.mark.parametrize("seconds", [0.01, 600], ids=["between two attempts", "while it waits for the lock"])
def test_a_run_that_waits_can_be_interrupted(project: Project, given: str, seconds: float) -> None:
    """At once: nobody waits until the other program has finished."""
    command = ["run", "statemachines/m.json", "--name", "one", "-i", given]
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING.replace("PATIENCE", str(seconds)), *command],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for((project.root / "locked").exists)
    if seconds < 1:
        assert process.stderr is not None
        assert " waits: The database" in process.stderr.readline()
        shown = project.asl("show", "one", "--json").json
        assert shown["status"] == "RUNNING"
        assert shown["drivenBy"]["process"] == process.pid
        assert shown["drivenBy"]["waitsFor"].endswith("is locked by another program")
        assert "lastEventDate" in shown
        lines = project.asl("show", "one").out.splitlines()
        assert any(re.match(rf"driven by  process {process.pid}, last event 20.+ UTC$", line) for line in lines)
        assert any(line.startswith("waits for  The database") for line in lines)
    process.send_signal(signal.SIGINT)
    result = finished(process)
    assert (result.code, result.out) == (130, "")
    assert result.err.splitlines()[-1] == "interrupted: execution one is kept; go on with: asl resume one"
    (project.root / "tasks" / "locking.py").write_text("def lock(event):\n    return event\n")
    assert project.asl("resume", "one", "-q").code == 0
