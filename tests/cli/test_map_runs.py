"""Map Runs on the command line: killed and resumed, listed, replayed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30
PROCESSOR = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}


def definition(kind: str = "STANDARD") -> str:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}, **PROCESSOR}
    state = {"Type": "Map", "Label": "each", "MaxConcurrency": 3, "ItemProcessor": processor, "End": True}
    return json.dumps({"StartAt": "M", "States": {"M": state}})


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "asl_engine", *arguments]


def asl(folder: Path, *arguments: str) -> Any:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ASL_DB": str(folder / "asl.db")}
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def rows(folder: Path, query: str) -> list[Any]:
    database = sqlite3.connect(folder / "asl.db")
    try:
        return database.execute(query).fetchall()
    except sqlite3.OperationalError:  # it is being made
        return []
    finally:
        database.close()


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_killed_and_resumed_nothing_is_lost_or_run_twice(tmp_path: Path, kind: str) -> None:
    (tmp_path / "m.json").write_text(definition(kind))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ASL_DB": str(tmp_path / "asl.db")}
    items = json.dumps(list(range(8)))
    started = command("run", "m.json", "--input", items, "--name", "n", "--quiet")
    process = subprocess.Popen(started, cwd=tmp_path, env=environment)
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 20):
        if rows(tmp_path, "SELECT count(*) FROM executions WHERE status = 'SUCCEEDED'") not in ([], [(0,)]):
            break
        pause.wait(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert rows(tmp_path, "SELECT status FROM map_runs") == [("RUNNING",)]
    resumed = asl(tmp_path, "resume", "n", "--quiet")
    assert (resumed.returncode, resumed.stdout.strip()) == (0, json.dumps(list(range(8)), separators=(",", ":")))
    assert rows(tmp_path, "SELECT count(*), count(DISTINCT number) FROM children") == [(8, 8)]
    assert rows(tmp_path, "SELECT DISTINCT status FROM executions") == [("SUCCEEDED",)]
    events = "SELECT execution FROM events WHERE kind = 'ExecutionStarted' GROUP BY execution HAVING count(*) > 1"
    assert rows(tmp_path, events) == []


def test_children_are_found_but_not_listed(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(definition())
    assert asl(tmp_path, "run", "m.json", "--input", "[1]", "--time", "skip", "--name", "n").returncode == 0
    listed = json.loads(asl(tmp_path, "list", "--json").stdout)["executions"]
    assert [execution["name"] for execution in listed] == ["n"]
    ((name,),) = rows(tmp_path, "SELECT name FROM executions WHERE machine_name = 'm/each'")
    told = json.loads(asl(tmp_path, "history", name, "--json").stdout)["events"]
    assert [event["type"] for event in told][1] == "WaitStateEntered"
    replayed = asl(tmp_path, "replay", name)
    assert (replayed.returncode, replayed.stderr) == (0, "")
