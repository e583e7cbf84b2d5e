"""``asl prune``: what it tells, asks and deletes, and the server beside it and in it."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import PASS, finished, machine, wait_for
from tests.cli.test_serve import serving
from tests.server.harness import WAIT, created

if TYPE_CHECKING:
    from tests.cli.project import Project

DAY = 86_400_000


def age(project: Project, days: int, where: str = "TRUE") -> None:
    """Let executions have ended so many days earlier."""
    with sqlite3.connect(project.db) as db:
        db.execute(f"UPDATE executions SET stopped_at = stopped_at - ? WHERE {where}", (days * DAY,))  # noqa: S608  the test's own
    db.close()


def listed(project: Project) -> list[str]:
    return [one["name"] for one in project.asl("list", "--json").json["executions"]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_options_what_aws_would_have_forgotten(project: Project) -> None:
    project.ran(PASS, name="old")
    age(project, 91)
    project.ran(PASS, name="young")
    age(project, 89, "name = 'young'")
    result = project.asl("prune", "--yes")
    assert (result.code, result.out) == (0, "")
    said = "deleted 1 execution, 0 children of their Map Runs and 0 unused definitions; "
    assert result.err.startswith(f"{said}{project.db} is ")
    assert listed(project) == ["young"]


def test_the_project_says_how_long(project: Project) -> None:
    (project.root / "asl.toml").write_text('keep = "30d"')
    project.ran(PASS, name="old")
    age(project, 31)
    project.ran(PASS, name="young")
    assert project.asl("prune", "--yes", "--older", "5w").code == 0
    assert listed(project) == ["young", "old"]
    assert project.asl("prune", "--yes").code == 0
    assert listed(project) == ["young"]


def test_a_name_is_free_again(project: Project) -> None:
    project.ran(PASS)
    assert project.ran(PASS).code == 2
    project.asl("prune", "--yes", "--keep-last", "0")
    assert project.ran(PASS).code == 0


def test_a_dry_run_deletes_nothing(project: Project) -> None:
    for name in ("one", "two"):
        project.ran(PASS, name=name)
    project.ran(PASS, name="three", machine="n")
    age(project, 100)
    result = project.asl("prune", "--dry-run")
    assert result.code == 0
    assert result.out.splitlines() == ["machine  executions", "m        2", "n        1"]
    assert "would delete 3 executions that ended before " in result.err
    assert result.err.endswith(" UTC, 0 children of their Map Runs and 1 unused definition\n")
    told = project.asl("prune", "--dry-run", "--json", "--machine", "m").json
    assert told.pop("endedBefore").startswith("20")
    machines = {"stateMachines": {"m": 2}}
    assert told == {"dryRun": True, "executions": 2, "children": 0, "definitions": 0, **machines}
    assert len(listed(project)) == 3


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 2, 1), ("", 2, 1)])
def test_it_asks(project: Project, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int) -> None:
    project.ran(PASS)
    age(project, 100)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    result = project.asl("prune")
    assert result.code == code
    assert result.err.startswith("delete 1 execution that ended before ")
    assert ("nothing is deleted" in result.err) == (code == 2)
    assert len(listed(project)) == left


def test_nobody_to_ask(project: Project) -> None:
    project.ran(PASS)
    age(project, 100)
    result = project.asl("prune")
    assert result.code == 2
    assert "asl prune asks for confirmation, and there is no terminal to ask at: give --yes" in result.err
    assert listed(project) == ["one"]


def test_nothing_to_ask(project: Project) -> None:
    project.ran(PASS)
    assert project.asl("prune").code == 0
    assert listed(project) == ["one"]


def test_as_json(project: Project) -> None:
    project.ran(PASS)
    told = project.asl("prune", "--yes", "--keep-last", "0", "--json").json
    assert told.pop("freedBytes") >= 0
    assert told == {"dryRun": False, "executions": 1, "children": 0, "definitions": 1, "unusedBytes": 0}


def test_what_runs_stays(project: Project) -> None:
    process = project.spawn("run", project.define("w", machine(W={"Type": "Wait", "Seconds": 600})), "--name", "w")
    wait_for(lambda: project.db.exists() and project.asl("show", "w").code == 0)
    project.ran(PASS)
    assert project.asl("prune", "--yes", "--keep-last", "0").code == 0
    assert listed(project) == ["w"]
    said = project.asl("prune", "--yes", "--vacuum")
    assert said.code == 2
    assert "Another process drives executions in" in said.err
    assert "without --vacuum there is no need to" in said.err
    process.send_signal(signal.SIGTERM)
    finished(process)
    assert project.asl("prune", "--yes", "--vacuum").code == 0
    assert project.asl("show", "w").code == 0


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")
def test_a_server_prunes_by_itself(project: Project) -> None:
    """At its start, and only what it was told to; one of its own that runs stays."""
    project.ran(PASS, name="old")
    age(project, 100)
    project.ran(PASS, name="young")
    with serving(project, "--keep", "90d") as (server, process):
        created(server.client(), WAIT)
        assert process.stderr is not None
        told = next(line for line in process.stderr if "deleted" in line)
        process.send_signal(signal.SIGTERM)
        finished(process)
    assert told == "asl serve: deleted 1 execution that ended more than 90d ago\n"
    assert listed(project) == ["young"]


def test_a_server_does_not_prune_unless_it_is_told_to(project: Project) -> None:
    project.ran(PASS, name="old")
    age(project, 1000)
    with serving(project):
        pass
    assert listed(project) == ["old"]


def copies(project: Project, number: int) -> None:
    """Let there be so many more executions like the one there is, each with its log."""
    with sqlite3.connect(project.db) as db:
        db.execute(
            "CREATE TEMP TABLE numbers AS SELECT value FROM json_each(?)", (json.dumps([*range(1, number)]),)
        )
        columns = [row[1] for row in db.execute("PRAGMA table_info(executions)")]
        own = {"execution": "execution + value", "arn": "arn || value", "name": "name || value"}
        values = ", ".join(own.get(column, column) for column in columns)
        events = "seq, id, previous, at, frame, kind, data, payload"
        db.execute(f"INSERT INTO events SELECT execution + value, {events} FROM events, numbers")  # noqa: S608  our own
        db.execute(f"INSERT INTO executions SELECT {values} FROM executions, numbers")  # noqa: S608  names from the schema
    db.close()


def number_left(project: Project) -> int:
    with sqlite3.connect(project.db) as db:
        (number,) = db.execute("SELECT count(*) FROM executions").fetchone()
    db.close()
    return int(number)


def test_killed_in_the_middle(project: Project) -> None:
    project.ran(PASS)
    copies(project, 5000)
    assert project.asl("check").code == 0
    process = project.spawn("prune", "--yes", "--keep-last", "0")
    wait_for(lambda: number_left(project) < 5000)
    process.kill()
    process.communicate()
    left = number_left(project)
    checked = project.asl("check", "--json").json
    assert (checked["result"], checked["wholeExecutions"]) == ("OK", left)
    assert project.asl("prune", "--yes", "--keep-last", "0", "--json").json["executions"] == left
    assert number_left(project) == 0


ARGUMENTS: dict[str, tuple[list[str], str]] = {
    "no unit": (["--older", "90"], "--older 90: it is a whole number and a unit: s, min, h, d or w, such as 90d"),
    "no such unit": (["--older", "3months"], "--older 3months: it is a whole number and a unit"),
    "no whole number": (["--older", "1.5d"], "--older 1.5d: it is a whole number and a unit"),
    "before now": (["--older", "-5d"], "--older -5d: it is a whole number and a unit"),
    "nothing": (["--older", ""], "--older : it is a whole number and a unit"),
    "other digits": (["--older", "٩d"], "it is a whole number and a unit"),
    "longer than time": (["--older", "9999999999d"], "it is a whole number and a unit"),
    "fewer than none": (["--keep-last", "-1"], "--keep-last -1: it is at least 0"),
    "not a number": (["--keep-last", "few"], "--keep-last"),
    "no such status": (["--status", "DONE"], "--status DONE: it is one of RUNNING, SUCCEEDED"),
    "what runs": (["--status", "running"], "--status RUNNING: what runs is never deleted"),
}


@pytest.mark.parametrize(("arguments", "said"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(project: Project, arguments: list[str], said: str) -> None:
    project.ran(PASS)
    result = project.asl("prune", "--yes", *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert "Traceback" not in result.err
    assert listed(project) == ["one"]


def test_the_greatest_age(project: Project) -> None:
    project.ran(PASS)
    assert project.asl("prune", "--yes", "--older", "999999999w").code == 0
    assert listed(project) == ["one"]


@pytest.mark.parametrize("keep", ["90", "soon", ""])
def test_a_server_with_a_wrong_age(project: Project, keep: str) -> None:
    result = project.asl("serve", "--port", "0", "--keep", keep)
    assert result.code == 2
    assert f"--keep {keep}: it is a whole number and a unit" in result.err


@pytest.mark.parametrize("keep", ['"90"', "90", "true"])
def test_a_project_with_a_wrong_age(project: Project, keep: str) -> None:
    (project.root / "asl.toml").write_text(f"keep = {keep}")
    result = project.asl("prune")
    assert result.code == 2
    value: Any = json.loads(keep)
    said = f"keep has to be a whole number and a unit: s, min, h, d or w, such as 90d; it is {value!r}"
    assert said in result.err
