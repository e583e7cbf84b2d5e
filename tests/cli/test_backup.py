"""``asl backup`` and ``asl check``: copies that are whole, and what is wrong with a database, located."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.store.sqlite import backup, opening
from tests.cli.project import PASS, SUM, finished, machine, wait_for
from tests.cli.test_read_only import ran

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.project import Project, Result

ARN = "arn:aws:states:us-east-1:123456789012:execution:m:one"


def execute(db: Path, *statements: str) -> None:
    with closing(sqlite3.connect(db)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def refused(result: Result) -> str:
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("asl: error: ")
    assert "Traceback" not in result.err
    return result.err


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere" / "copy.db"


# -- backup -------------------------------------------------------------------------------------------


def test_a_backup_is_a_database_of_its_own(project: Project, target: Path) -> None:
    project.ran(SUM, "--input", '{"n": 1}')
    project.db.chmod(0o640)
    result = project.asl("backup", str(target))
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith(f"{target} has 1 execution and ")
    assert files(target.parent) == ["copy.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert project.asl("check", "--db", str(target)).code == 0
    assert (
        project.asl("show", "one", "--db", str(target), "--json").json == project.asl("show", "one", "--json").json
    )
    told = project.asl("backup", "again.db", "--json").json
    assert told == {
        "target": str(project.root / "again.db"),
        "executions": 1,
        "bytes": (project.root / "again.db").stat().st_size,
    }


def test_a_backup_while_others_write(project: Project, target: Path) -> None:
    """What is in the write-ahead log is in it, what is not committed is not."""
    project.ran(PASS)
    with closing(sqlite3.connect(project.db)) as other:
        other.execute("PRAGMA wal_autocheckpoint = 0")
        other.execute("UPDATE executions SET name = 'committed'")
        other.commit()
        other.execute("UPDATE executions SET name = 'open'")
        assert project.asl("backup", str(target)).code == 0
        other.rollback()
    assert project.asl("show", "committed", "--db", str(target)).code == 0
    assert files(target.parent) == ["copy.db"]


def test_a_writer_in_the_middle_neither_waits_nor_is_seen(
    project: Project, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        project.ran(PASS, name=f"x{number}")
    monkeypatch.setattr(backup, "PAGES_AT_ONCE", 1)
    steps = 0

    def write(_status: int, remaining: int, _total: int) -> None:
        nonlocal steps
        steps += 1
        if remaining:
            execute(project.db, "UPDATE executions SET name = name || 'y'")

    monkeypatch.setattr(backup, "_no_progress", write)
    assert project.asl("backup", str(target)).code == 0
    assert steps > 5
    with closing(sqlite3.connect(target)) as copy:
        assert {row[0] for row in copy.execute("SELECT name FROM executions")} == {f"x{n}" for n in range(5)}
    assert project.asl("check", "--db", str(target)).code == 0


def test_what_runs_can_be_resumed_from_a_backup(project: Project, target: Path) -> None:
    definition = project.define("w", machine(W={"Type": "Wait", "Seconds": 600}, Done={"Type": "Pass"}))
    process = project.spawn("run", definition, "--name", "w")
    wait_for(lambda: project.db.exists() and project.asl("show", "w").code == 0)
    assert project.asl("backup", str(target)).code == 0
    process.send_signal(signal.SIGTERM)
    finished(process)
    assert project.asl("resume", "w", "--db", str(target), "--time", "skip").code == 0


def test_an_existing_file_is_only_replaced_by_force(project: Project, target: Path) -> None:
    project.ran(PASS)
    target.write_text("theirs")
    said = refused(project.asl("backup", str(target)))
    assert f"There is a file {target} already: name another, or replace it with --force" in said
    assert target.read_text() == "theirs"
    assert project.asl("backup", str(target), "--force").code == 0
    assert project.asl("check", "--db", str(target)).code == 0
    assert "copy.db" in files(target.parent)


def test_a_file_that_appears_meanwhile(project: Project, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ran(PASS)

    def quicker(partial: Path, source: Path) -> int:
        target.write_text("theirs")
        return checked(partial, source)

    checked = backup._checked_copy
    monkeypatch.setattr(backup, "_checked_copy", quicker)
    assert "There is a file" in refused(project.asl("backup", str(target)))
    assert target.read_text() == "theirs"
    assert files(target.parent) == ["copy.db"]


def test_a_file_system_without_links(project: Project, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ran(PASS)

    def refuse(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert project.asl("backup", str(target)).code == 0
    assert "There is a file" in refused(project.asl("backup", str(target)))
    assert files(target.parent) == ["copy.db"]


def test_interrupted_in_the_middle(project: Project, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ran(PASS)
    target.write_text("the one before")

    def interrupt(*_arguments: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backup, "_no_progress", interrupt)
    assert project.asl("backup", str(target), "--force").code == 130
    assert target.read_text() == "the one before"
    assert files(target.parent) == ["copy.db"]


def test_a_damaged_database_replaces_no_backup(project: Project, target: Path) -> None:
    project.ran(PASS)
    assert project.asl("backup", str(target)).code == 0
    before = target.read_bytes()
    spoil_pages(project.db)
    said = refused(project.asl("backup", str(target), "--force"))
    assert f"The database {project.db} is damaged" in said
    assert "`asl check` tells what can be saved" in said
    assert target.read_bytes() == before
    assert files(target.parent) == ["copy.db"]


TARGETS: dict[str, tuple[Callable[[Path], str], str]] = {
    "the database itself": (lambda root: f"{root}/.asl/asl.db", "is the database itself"),
    "a link to it": (lambda root: f"{root}/link.db", "is the database itself"),
    "a hard link to it": (lambda root: f"{root}/hard.db", "is the database itself"),
    "its write-ahead log": (lambda root: f"{root}/.asl/asl.db-wal", "is the database itself"),
    "a folder": (lambda root: f"{root}/tasks", "is a folder: name a file in it"),
    "a folder that is not there": (lambda root: f"{root}/none/copy.db", "There is no folder"),
    "a file for a folder": (lambda root: f"{root}/tasks/callables.py/copy.db", "There is no folder"),
    "a link that leads nowhere": (lambda root: f"{root}/nowhere.db", "There is a file"),
}


@pytest.mark.parametrize(("name", "said"), TARGETS.values(), ids=TARGETS)
def test_targets(project: Project, name: Callable[[Path], str], said: str) -> None:
    project.ran(PASS)
    (project.root / "link.db").symlink_to(project.db)
    (project.root / "hard.db").hardlink_to(project.db)
    (project.root / "nowhere.db").symlink_to("none.db")
    force = [] if said.startswith("There") else ["--force"]
    assert said in refused(project.asl("backup", name(project.root), *force))
    assert project.asl("check").code == 0


def test_a_target_in_use(project: Project, target: Path) -> None:
    project.ran(PASS)
    with closing(sqlite3.connect(target)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE theirs (a)")
        assert "is a database in use" in refused(project.asl("backup", str(target), "--force"))


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_a_target_in_a_folder_that_cannot_be_written(project: Project, target: Path) -> None:
    project.ran(PASS)
    target.parent.chmod(0o555)
    try:
        result = ran(project, "backup", str(target))
    finally:
        target.parent.chmod(0o755)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"asl: error: The backup {target} cannot be written: Permission denied\n"


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_a_source_that_cannot_be_written(project: Project, target: Path) -> None:
    project.ran(PASS)
    project.db.chmod(0o444)
    project.db.parent.chmod(0o555)
    try:
        results = [ran(project, "check"), ran(project, "backup", str(target)), ran(project, "prune", "--dry-run")]
    finally:
        project.db.parent.chmod(0o755)
    assert [result.returncode for result in results] == [0, 0, 0], results


# -- check --------------------------------------------------------------------------------------------


def spoil_pages(db: Path) -> None:
    """Overwrite every page but the first two."""
    content = bytearray(db.read_bytes())
    content[8192:] = b"\x55" * (len(content) - 8192)
    db.write_bytes(content)


def test_a_database_that_is_whole(project: Project) -> None:
    project.ran(SUM, "--input", '{"n": 1}')
    project.ran(machine(F={"Type": "Fail"}), name="two", machine="n")
    assert project.asl("redrive", "two").code == 1
    result = project.asl("check")
    assert result.code == 0
    assert result.out.startswith(f"{project.db} is whole: 2 executions with ")
    told = project.asl("check", "--json").json
    assert told["events"] > 10
    assert told | {"events": 0} == {
        "database": str(project.db),
        "result": "OK",
        "executions": 2,
        "wholeExecutions": 2,
        "events": 0,
        "faults": [],
    }


def test_map_runs_that_are_whole(project: Project) -> None:
    each = {"StartAt": "F", "States": {"F": {"Type": "Fail"}}}
    for name, kind in (("standard", "STANDARD"), ("express", "EXPRESS")):
        processor = {**each, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
        definition = machine(M={"Type": "Map", "ItemsPath": "$", "ItemProcessor": processor})
        assert project.ran(definition, "--input", "[1, 2]", name=name, machine=name).code == 1
        assert project.asl("redrive", name).code == 1
    assert project.asl("check").out.splitlines()[0].endswith("events")
    assert project.asl("check").code == 0
    assert project.asl("prune", "--yes", "--older", "0s").code == 0
    with closing(sqlite3.connect(project.db)) as db:
        tables = ("executions", "events", "map_runs", "children", "definitions")
        left = {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608  our own
    assert left == dict.fromkeys(tables, 0)


FAULTS: dict[str, tuple[str, str, str]] = {
    "an event is missing": (
        "DELETE FROM events WHERE seq = 3",
        ARN,
        "event 3 of its log is missing: event 4 follows",
    ),
    "the last event is missing": (
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
        ARN,
        "status is SUCCEEDED in the table, but RUNNING by its log",
    ),
    "all events are missing": ("DELETE FROM events", ARN, "it has no events"),
    "another status": (
        "UPDATE executions SET status = 'FAILED'",
        ARN,
        "status is FAILED in the table, but SUCCEEDED by its log",
    ),
    "another end": ("UPDATE executions SET stopped_at = 7", ARN, "stopped_at is 7 in the table, but 1"),
    "another number of redrives": (
        "UPDATE executions SET redrive_count = 2",
        ARN,
        "redrive_count is 2 in the table, but 0 by its log",
    ),
    "no JSON": (
        "UPDATE events SET payload = '{' WHERE seq = 2",
        ARN,
        "event 2 of its log is damaged (JsonSyntaxError",
    ),
    "no such kind": (
        "UPDATE events SET kind = 'Nothing' WHERE seq = 2",
        ARN,
        "event 2 of its log is damaged (KeyError: 'Nothing')",
    ),
    "no such field": (
        "UPDATE events SET data = '{\"a\": 1}' WHERE seq = 2",
        ARN,
        "event 2 of its log is damaged (TypeError",
    ),
    "a payload that is not there": (
        "UPDATE events SET payload = 77 WHERE seq = 2",
        ARN,
        "its log refers to the payload of event 77, which is not there",
    ),
    "pieces of a payload that is not there": (
        "UPDATE events SET payload = CAST('[[77, 0, 1]]' AS BLOB) WHERE seq = 2",
        ARN,
        "its log refers to the payload of event 77, which is not there",
    ),
    "a piece that another payload does not have": (
        "UPDATE events SET payload = CAST('[[1, 0, 9999]]' AS BLOB) WHERE seq = 2",
        ARN,
        "event 2 of its log is damaged (StoreError: A payload in the database refers to more of another",
    ),
    "no list of pieces": (
        "UPDATE events SET payload = CAST('[1.5]' AS BLOB) WHERE seq = 2",
        ARN,
        "event 2 of its log is damaged (ValueError: [1.5] is no list of pieces)",
    ),
    "an event that cannot follow": (
        "UPDATE events SET frame = 9 WHERE seq = 2",
        ARN,
        "event 2 of its log (StateEntered) cannot follow those before it (KeyError: 9)",
    ),
    "no definition": ("DELETE FROM definitions", ARN, "its definition is not there (SHA-256 "),
    "events of nobody": (
        "INSERT INTO events SELECT 5, seq, id, previous, at, frame, kind, data, payload FROM events",
        "events of the execution with the key 5",
        "but no such execution",
    ),
    "children of nobody": (
        "INSERT INTO children VALUES (3, 0, (SELECT execution FROM executions), 1, 0, 0)",
        "children of the Map Run with the key 3",
        "there are 1, but no such Map Run",
    ),
    "a Map Run that nobody has started": (
        """
        INSERT INTO map_runs
        SELECT 1, 'arn:run', execution, 2, 'RUNNING', 1, 1, '{}', NULL, 0, NULL FROM executions
        """,
        "arn:run",
        f"no event of {ARN} has started this Map Run",
    ),
    "a version of no machine": (
        "INSERT INTO state_machine_versions SELECT 'arn:n', 1, NULL, '', digest, 1, NULL, '{}' FROM definitions",
        "arn:n:1",
        "there is no state machine arn:n",
    ),
    "an alias of no machine": (
        "INSERT INTO state_machine_aliases VALUES ('arn:n', 'a', NULL, '[]', 1, 1)",
        "arn:n:a",
        "there is no state machine arn:n",
    ),
}


@pytest.mark.parametrize(("statement", "where", "said"), FAULTS.values(), ids=FAULTS)
def test_faults_are_located(project: Project, statement: str, where: str, said: str) -> None:
    project.ran(SUM, "--input", '{"n": 1}')
    assert project.asl("check").code == 0
    execute(project.db, statement)
    result = project.asl("check", "--json")
    assert result.code == 1
    assert result.json["result"] == "FAIL"
    (fault,) = result.json["faults"]
    assert fault["where"] == where
    assert said in fault["message"]
    told = project.asl("check")
    assert told.code == 1
    assert told.out == f"{where}: {fault['message']}\n"
    assert f"{project.db} is damaged: 1 fault; the logs of " in told.err
    assert "put a backup in its place" in told.err


@pytest.mark.parametrize("command", ["show", "history", "replay"])
@pytest.mark.parametrize("fault", ["an event is missing", "no such kind", "no such field"])
def test_what_shows_a_damaged_log_says_so(project: Project, fault: str, command: str) -> None:
    project.ran(SUM, "--input", '{"n": 1}')
    execute(project.db, FAULTS[fault][0])
    said = refused(project.asl(command, "one"))
    assert f"The database {project.db} is damaged (" in said
    assert "`asl check` tells what can be saved" in said


def test_a_log_whose_payload_is_gone(project: Project) -> None:
    project.ran(PASS, "--input", f'"{"x" * 1000}"')
    execute(project.db, "DELETE FROM events WHERE seq = 1")
    assert "Events of an execution in " in refused(project.asl("show", "one"))


def test_a_definition_that_is_gone(project: Project) -> None:
    project.ran(PASS)
    execute(project.db, "DELETE FROM definitions")
    assert "There is no definition " in refused(project.asl("replay", "one"))


@pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
def test_a_map_run_that_is_not_as_its_log_says(project: Project, status: str) -> None:
    processor = {**PASS, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    project.ran(machine(M={"Type": "Map", "ItemsPath": "$", "ItemProcessor": processor}), "--input", "[1]")
    assert project.asl("check").code == 0
    execute(project.db, f"UPDATE map_runs SET status = '{status}'")  # noqa: S608  our own
    (fault,) = project.asl("check", "--json").json["faults"]
    assert fault["message"] == f"status is {status} in the table, but SUCCEEDED by the log of {ARN}"
    execute(project.db, "DELETE FROM map_runs", "DELETE FROM children")
    (fault,) = project.asl("check", "--json").json["faults"]
    assert fault["where"] == ARN
    assert fault["message"].startswith("the Map Run of event ")


def test_what_an_interrupted_prune_has_left_is_no_damage(project: Project) -> None:
    processor = {**PASS, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    project.ran(machine(M={"Type": "Map", "ItemsPath": "$", "ItemProcessor": processor}), "--input", "[1, 2]")
    events = "DELETE FROM events WHERE execution = (SELECT execution FROM executions WHERE name = 'one')"
    execute(project.db, events, "DELETE FROM executions WHERE name = 'one'")
    assert project.asl("check").code == 0
    told = project.asl("prune", "--yes", "--json").json
    assert (told["executions"], told["children"], told["definitions"]) == (0, 2, 1)


def test_what_can_be_saved_of_damaged_pages(project: Project, tmp_path: Path) -> None:
    """Some page of the log of one of many is spoilt: it is found, and the others are whole."""
    for number in range(6):
        project.ran(PASS, "--input", f'"{number}{"x" * 9000}"', name=f"x{number}")
    clean = tmp_path / "clean.db"
    shutil.copy(project.db, clean)
    content = bytearray(clean.read_bytes())
    at = content.index(b'"3' + b"x" * 100)
    content[at : at + 9] = b"\x00" * 9  # the text is JSON no more; the pages are what they were
    project.db.write_bytes(content)
    told = project.asl("check", "--json").json
    assert (told["executions"], told["wholeExecutions"]) == (6, 5)
    (fault,) = told["faults"]
    assert fault["where"].endswith(":x3")
    content = bytearray(clean.read_bytes())
    page = content.index(b"x" * 4000) // 4096 * 4096  # an overflow page: the chain leads nowhere from here
    content[page : page + 4] = b"\x7f\xff\xff\xff"
    project.db.write_bytes(content)
    told = project.asl("check", "--json").json
    assert told["executions"] == 6
    assert told["wholeExecutions"] >= 5
    assert any(fault["where"] == "the file" for fault in told["faults"])


def test_an_index_that_misses_a_row_is_mended_by_writing_the_file_anew(project: Project) -> None:
    project.ran(PASS)
    with closing(sqlite3.connect(project.db)) as db:
        index = db.execute("SELECT * FROM sqlite_schema WHERE name = 'executions_by_name'").fetchone()
    hide = ("PRAGMA writable_schema = ON", "DELETE FROM sqlite_schema WHERE name = 'executions_by_name'")
    execute(project.db, *hide)
    execute(project.db, "UPDATE executions SET name = 'two'")
    with closing(sqlite3.connect(project.db)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", index)
        db.commit()
    told = project.asl("check", "--json")
    assert told.code == 1
    assert told.json["wholeExecutions"] == 1
    assert {fault["where"] for fault in told.json["faults"]} == {"the file"}
    assert "missing from index executions_by_name" in told.out
    assert project.asl("prune", "--vacuum", "--older", "9999w", "--yes").code == 0
    assert project.asl("check").code == 0
    assert project.asl("show", "two").code == 0


def test_a_file_whose_pages_are_spoilt(project: Project) -> None:
    project.ran(PASS)
    spoil_pages(project.db)
    result = project.asl("check")
    assert result.code in {1, 2}
    assert f"{project.db} is damaged" in result.err
    assert "backup" in result.err
    said = refused(project.asl("list"))
    assert f"The database {project.db} is damaged (" in said
    assert "`asl check` tells what can be saved" in said


def truncated(db: Path) -> None:
    db.write_bytes(db.read_bytes()[:10_000])


def without_tables(db: Path) -> None:
    execute(db, "DROP TABLE events")


def schema(db: Path) -> None:
    content = db.read_bytes()
    db.write_bytes(content.replace(b"CREATE TABLE executions", b"CREATE TUBLE executions"))


DAMAGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut short": (truncated, "is damaged"),
    "a table is gone": (without_tables, "is damaged"),
    "a schema that is none": (schema, "is damaged so that nothing of it can be read (malformed database schema"),
}


@pytest.mark.parametrize(("spoil", "said"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_files(project: Project, spoil: Any, said: str) -> None:
    for number in range(3):
        project.ran(PASS, "--input", f'"{"x" * 9000}"', name=f"x{number}")
    spoil(project.db)
    result = project.asl("check")
    assert result.code in {1, 2}
    assert said in result.err
    assert "Traceback" not in result.err
    assert "is damaged" in refused(project.asl("history", "x2"))


@pytest.mark.parametrize(
    "command", [["check"], ["list"], ["run", "statemachines/m.json"], ["backup", "copy.db"]], ids=" ".join
)
def test_an_emptied_database(project: Project, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    project.ran(PASS)
    project.db.write_bytes(b"")
    monkeypatch.setattr(opening, "EMPTY_SECONDS", 0.0)
    said = refused(project.asl(*command))
    assert f"The database {project.db} has been emptied (0 bytes)" in said
    assert "put a backup in its place, or remove it to begin anew" in said
    assert project.db.read_bytes() == b""
    project.db.unlink()
    assert project.ran(PASS).code == 0


def foreign(db: Path) -> None:
    db.unlink()
    execute(db, "CREATE TABLE theirs (a)")


def newer(db: Path) -> None:
    execute(db, "PRAGMA user_version = 99")


def older(db: Path) -> None:
    execute(db, "PRAGMA user_version = 3")


def text(db: Path) -> None:
    db.write_text("this is not a database, it is a file with enough text to be looked at")


def folder(db: Path) -> None:
    db.unlink()
    db.mkdir()


def empty(db: Path) -> None:
    shutil.rmtree(db.parent)
    db.parent.mkdir()
    db.touch()


DATABASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "of another program": (foreign, "of another program: name another file with --db"),
    "of a newer version": (newer, "was written by a newer version of asl-engine (layout 99"),
    "no database": (text, "is not a SQLite database: name another file with --db"),
    "a folder": (folder, "is a folder, not a database: name a file with --db"),
    "nothing": (lambda db: shutil.rmtree(db.parent), "There is no database at"),
    "nothing in it": (empty, "is empty: there is nothing in it yet"),
}


@pytest.mark.parametrize(("spoil", "said"), DATABASES.values(), ids=DATABASES)
@pytest.mark.parametrize("command", [["check"], ["backup", "copy.db"]], ids=" ".join)
def test_databases(project: Project, spoil: Any, said: str, command: list[str]) -> None:
    project.ran(PASS)
    spoil(project.db)
    told = refused(project.asl(*command))
    assert said in told
    assert str(project.db) in told
    assert not [name for name in files(project.root) if "copy.db" in name]


def test_an_older_database_is_backed_up_and_brought_up_to_date_before_it_is_checked(project: Project) -> None:
    project.ran(PASS)
    older(project.db)
    assert project.asl("backup", "copy.db").code == 0
    said = refused(project.asl("check"))
    assert "was written by an older version of asl-engine (layout 3" in said
    assert "`asl list` brings it up to date" in said


@pytest.mark.parametrize("command", [["check"], ["backup", "copy.db"]], ids=" ".join)
def test_a_locked_database(project: Project, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    project.ran(PASS)
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(project.db)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert "is locked by another program; try again when it has finished" in refused(project.asl(*command))
    assert not [name for name in files(project.root) if "copy.db" in name]
