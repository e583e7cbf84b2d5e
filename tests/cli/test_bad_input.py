"""Whatever is wrong: one message that says where and what to do, exit code 2, no traceback, nothing stored."""

from __future__ import annotations

import json
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.store.sqlite import opening
from tests.cli.project import PASS, machine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.project import Project


def refused(project: Project, *arguments: str) -> str:
    result = project.asl(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("asl: error: ")
    assert "Traceback" not in result.err
    return result.err


DANGLING = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}
UNREACHABLE = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}}

DEFINITIONS = {
    "broken JSON": ('{\n  "StartAt": "A",\n  "States": {]\n}', ["m.json:3:14:"]),
    "a key given twice": ('{"StartAt": "A",\n "StartAt": "B"}', ["m.json:2:2:", "StartAt", "twice"]),
    "an unknown field": (machine(A={"Type": "Pass", "Inputpath": "$"}), ["/States/A/Inputpath", "InputPath"]),
    "a Next that leads nowhere": (DANGLING, ["/States/A/Next", "Nowhere"]),
    "an unreachable state": (UNREACHABLE, ["/States/B", "not reachable"]),
}


@pytest.mark.parametrize(("definition", "said"), DEFINITIONS.values(), ids=DEFINITIONS)
@pytest.mark.parametrize("command", ["run", "validate"])
def test_definitions(project: Project, command: str, definition: Any, said: list[str]) -> None:
    result = project.asl(command, project.define("m", definition))
    told = result.err if command == "run" else result.out
    assert result.code == 2
    assert "statemachines/m.json:" in told
    for part in said:
        assert part in told
    assert "Traceback" not in result.err
    assert not project.db.exists()


INPUTS = {
    "a missing file": (["-i", "missing.json"], "there is no file missing.json (the input)"),
    "a missing file with a name like JSON": (["-i", "true-orders.json"], "there is no file true-orders.json"),
    "an empty text": (["-i", ""], "--input is empty: give JSON such as {}, a file, or - for the standard input"),
    "an empty file": (["-i", "empty.json"], "empty.json: the input is empty: it has to be JSON, such as {}"),
    "a folder": (["-i", "tasks"], "tasks is a folder, not the input"),
    "broken JSON": (["-i", '{"a": 1,\n "b" 2}'], "--input:2:6: the input is not JSON: Expecting ':' delimiter"),
    "broken JSON in a file": (["-i", "broken.json"], "broken.json:2:1: the input is not JSON"),
    "not a number of JSON": (["-i", "[NaN]"], "NaN is not a JSON value"),
    "not UTF-8": (["-i", "latin.json"], "latin.json: the input is not UTF-8 text (byte 2)"),
    "over 256 KiB": (["-i", "large.json"], "large.json: the input has 262,145 bytes"),
    "over 256 KiB as text": (
        ["-i", json.dumps("ü" * 131_072, ensure_ascii=False)],
        "--input: the input has 262,146 bytes",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), INPUTS.values(), ids=INPUTS)
def test_inputs(project: Project, arguments: list[str], said: str) -> None:
    (project.root / "empty.json").touch()
    (project.root / "broken.json").write_text('{"a":\n')
    (project.root / "latin.json").write_bytes('"ü"'.encode("latin-1"))
    (project.root / "large.json").write_text(json.dumps("x" * 262_143))
    assert said in refused(project, "run", project.define("m", PASS), *arguments)
    assert not project.db.exists()


ARGUMENTS = {
    "a definition that is not there": (["run", "nowhere.json"], "there is no file nowhere.json (the definition)"),
    "a name that cannot be a file's": (["run", "a\0b"], "cannot be the name of a file"),
    "a file below a file": (["run", "tasks/callables.py/m.json"], "cannot read the definition"),
    "a name with a space": (["run", "M", "--name", "a b"], "--name 'a b': a name has 1 to 80 characters, but no"),
    "a name that is too long": (["run", "M", "--name", "x" * 81], "a name has 1 to 80"),
    "no such time": (["run", "M", "--time", "fast"], "--time fast: it is real, skip or scale=N"),
    "no such option": (["run", "M", "--zebra"], "No such option: --zebra (see: asl run --help)"),
    "no definition": (["run"], "Missing argument 'DEFINITION'"),
    "no such command": (["walk"], "No such command 'walk'"),
    "not a number": (["list", "--limit", "many"], "--limit"),
    "no executions at most": (["list", "--limit", "0"], "--limit 0: it is at least 1"),
    "no such status": (["list", "--status", "DONE"], "--status DONE: it is one of RUNNING, SUCCEEDED"),
    "resume nothing": (["resume"], "name one execution, or give --all"),
    "resume one and all": (["resume", "one", "--all"], "name one execution, or give --all"),
    "follow backwards": (["history", "one", "--follow", "--reverse"], "leave --reverse out"),
    "two questions": (["replay", "one", "--at", "1", "--definition", "M"], "leave --definition out"),
    "a database in memory": (["run", "M", "--db", ":memory:"], "--db :memory: is not a file: "),
    "a database by its URI": (["list", "--db", "file:x?mode=memory"], "is not a file: "),
    "a database without a name": (["list", "--db", ""], "--db is empty: give the path of the database"),
    "definition and input from stdin": (["run", "-", "--input", "-"], "give - for the definition or for --input"),
    "a definition from stdin, detached": (["run", "-", "--detach"], "it has to be a file, not -"),
    "the standard input twice": (["validate", "-", "-"], "give - once"),
}


@pytest.mark.parametrize(("arguments", "said"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(project: Project, arguments: list[str], said: str) -> None:
    path = project.define("m", PASS)
    assert said in refused(project, *(path if argument == "M" else argument for argument in arguments))


COMMANDS = (
    ["show", "x"],
    ["history", "x"],
    ["history", "x", "-f"],
    ["stop", "x"],
    ["resume", "x"],
    ["replay", "x"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_unknown_executions(project: Project, command: list[str]) -> None:
    project.ran(PASS)
    said = refused(project, *command)
    assert f"there is no execution 'x' in {project.db}; `asl list` shows those there are" in said


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_database(project: Project, command: list[str]) -> None:
    assert f"There is no database at {project.db}; `asl run` makes one" in refused(project, *command)
    assert not project.db.parent.exists()


def test_ambiguous_executions(project: Project) -> None:
    for name in ("order-1", "order-2"):
        project.ran(PASS, name=name)
    said = refused(project, "show", "order")
    assert "'order' may be any of 2 executions; give more of its name, or its ARN:" in said
    assert "arn:aws:states:us-east-1:123456789012:execution:m:order-2" in said
    assert project.asl("show", "order-1").code == 0


def test_one_name_under_two_machines(project: Project) -> None:
    project.ran(PASS, machine="m")
    project.ran(PASS, machine="n")
    said = refused(project, "show", "one")
    assert "  n  " in said
    assert project.asl("show", "arn:aws:states:us-east-1:123456789012:execution:n:one").code == 0


def test_many_candidates_are_cut(project: Project) -> None:
    for number in range(11):
        project.ran(PASS, name=f"x{number}")
    assert refused(project, "show", "x").endswith("\n  ...\n")


# -- databases ----------------------------------------------------------------------------------------


def newer(db: Path) -> None:
    connection = sqlite3.connect(db)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def foreign(db: Path) -> None:
    db.unlink()
    connection = sqlite3.connect(db)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()


def text(db: Path) -> None:
    for file in db.parent.glob(f"{db.name}*"):
        if file.is_file():
            file.unlink()
    db.write_text("this is not a database, it is a file with enough text to be looked at")


def folder(db: Path) -> None:
    db.unlink()
    db.mkdir()


DATABASES = {
    "from a newer version": (newer, "was written by a newer version of asl-engine (layout 99"),
    "of another program": (foreign, "of another program: name another file with --db"),
    "not a database": (text, "is not a SQLite database: name another file with --db"),
    "a folder": (folder, "is a folder, not a database: name a file with --db"),
}


@pytest.mark.parametrize(("spoil", "said"), DATABASES.values(), ids=DATABASES)
@pytest.mark.parametrize("command", [["run", "statemachines/m.json"], ["list"], ["resume", "--all"]], ids=" ".join)
def test_databases(project: Project, spoil: Any, said: str, command: list[str]) -> None:
    project.ran(PASS)
    spoil(project.db)
    told = refused(project, *command)
    assert said in told
    assert str(project.db) in told


def test_a_locked_database(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that has begun cannot be kept; nobody waits for the five seconds here."""
    project.ran(PASS)
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.01)
    other = sqlite3.connect(project.db)
    other.execute("BEGIN EXCLUSIVE")
    said = refused(project, "run", "statemachines/m.json", "--name", "two")
    other.close()
    assert "is locked by another program; try again when it has finished" in said
    assert [one["name"] for one in project.asl("list", "--json").json["executions"]] == ["one"]


@pytest.mark.parametrize("command", [["run", "statemachines/m.json"], ["run", "statemachines/m.json", "--detach"]])
def test_a_place_where_nothing_can_be_written(project: Project, command: list[str]) -> None:
    """Permissions do not stop root; that a file is no folder stops everybody."""
    project.define("m", PASS)
    said = refused(project, *command, "--db", "tasks/callables.py/asl.db")
    assert f"Cannot make the folder {project.root / 'tasks' / 'callables.py'}" in said


def test_a_read_only_database(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ran(PASS)

    def read_only(connect: Any, path: Any, **options: Any) -> Any:
        return connect(f"file:{path}?mode=ro", **{**options, "uri": True})

    monkeypatch.setattr(sqlite3, "connect", partial(read_only, sqlite3.connect))
    said = refused(project, "run", "statemachines/m.json", "--name", "two")
    assert "cannot be written: check its permissions, or name another with --db" in said


# -- tasks --------------------------------------------------------------------------------------------


def test_tasks_that_cannot_be_imported(project: Project) -> None:
    (project.root / "tasks" / "broken.py").write_text("import this_does_not_exist\n")
    said = refused(project, "run", project.define("m", PASS))
    assert "broken.py:1: cannot import the tasks: ModuleNotFoundError" in said
    assert not project.db.exists()


def test_a_configuration_that_cannot_be_read(project: Project) -> None:
    (project.root / "asl.toml").write_text("tasks = 7\n")
    assert "asl.toml: tasks has to be" in refused(project, "tasks")
