"""`asl validate` and `asl tasks`."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.project import PASS, machine

if TYPE_CHECKING:
    from tests.cli.project import Project

TWO_FAULTS = '{\n  "StartAt": "A",\n  "States": {"A": {"Type": "Pass", "Next": "B", "Foo": 1}}\n}\n'


def test_all_findings_of_all_files(project: Project) -> None:
    good, bad = project.define("good", PASS), project.define("bad", TWO_FAULTS)
    result = project.asl("validate", good, bad)
    assert result.code == 2
    lines = result.out.splitlines()
    assert lines[0] == f"{good}: OK"
    assert all(line.startswith(f"{bad}:3:") for line in lines[1:])
    assert any("/States/A/Foo: " in line and line.endswith("[SCHEMA_VALIDATION_FAILED]") for line in lines)


def test_json_is_what_validate_state_machine_definition_answers(project: Project) -> None:
    good, broken = project.define("good", PASS), project.define("broken", '{"a":\n')
    result = project.asl("validate", good, broken, "--json")
    assert result.code == 2
    assert result.json == [
        {"file": good, "result": "OK", "diagnostics": [], "truncated": False},
        {
            "file": broken,
            "result": "FAIL",
            "diagnostics": [
                {
                    "severity": "ERROR",
                    "code": "INVALID_JSON_DESCRIPTION",
                    "message": "Expecting value",
                    "line": 2,
                    "column": 1,
                }
            ],
            "truncated": False,
        },
    ]


def test_a_finding_has_its_location(project: Project) -> None:
    diagnostics = project.asl("validate", project.define("bad", TWO_FAULTS), "--json").json[0]["diagnostics"]
    assert "/States/A/Foo" in [finding["location"] for finding in diagnostics]


def test_a_missing_file_does_not_hide_the_others(project: Project) -> None:
    good = project.define("good", PASS)
    result = project.asl("validate", "missing.json", good)
    assert result.code == 2
    assert result.out == f"{good}: OK\n"
    assert result.err == "asl: error: there is no file missing.json (the definition)\n"


@pytest.mark.parametrize(("definition", "code"), [(PASS, 0), (machine(A={"Type": "Pass", "Foo": 1}), 2)])
def test_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch, definition: object, code: int) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(definition).encode())))
    result = project.asl("validate", "-")
    assert result.code == code
    assert result.out.startswith("standard input:")


def test_a_warning_is_no_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """No definition is doubtful yet; when one is, it stays valid."""
    from asl_engine.cli import validate
    from asl_engine.findings import Finding

    doubt = Finding("DOUBT", "is this meant?", "/StartAt", "WARNING", 1, 2)
    monkeypatch.setattr(validate, "check", lambda _: (None, [doubt]))
    path = project.define("m", PASS)
    result = project.asl("validate", path)
    assert result.code == 0
    assert result.out == f"{path}:1:2: /StartAt: is this meant? [DOUBT] (warning)\n{path}: OK\n"
    assert project.asl("validate", path, "--json").json[0]["result"] == "OK"


# -- tasks --------------------------------------------------------------------------------------------


def test_tasks_for_people(project: Project) -> None:
    result = project.asl("tasks")
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[0] == ["name", "kind", "signature", "where"]
    assert lines[1][:4] == ["add_one", "async", "(event,", "context)"]
    assert ["double", "sync", "(event)"] in [line[:3] for line in lines]
    assert result.err == f"8 task callables; searched: {project.root / 'tasks'}\n"


def test_tasks_as_json(project: Project) -> None:
    shown = project.asl("tasks", "--json").json
    file = project.root / "tasks" / "callables.py"
    line = file.read_text().splitlines().index("def double(event):") + 1
    assert shown["places"] == [str(file.parent)]
    assert {"name": "double", "kind": "sync", "signature": "(event)", "location": f"{file}:{line}"} in shown[
        "tasks"
    ]


def test_what_tasks_print_when_they_are_loaded_is_no_output(project: Project) -> None:
    (project.root / "tasks" / "loud.py").write_text("print('loading')\n")
    result = project.asl("tasks", "--json")
    assert result.json["places"]
    assert "loading" in result.err


def test_no_tasks(project: Project) -> None:
    (project.root / "tasks" / "callables.py").unlink()
    result = project.asl("tasks")
    assert (result.code, result.out) == (0, "")
    assert result.err == f"no task callables; searched: {project.root / 'tasks'}\n"


def test_no_places(project: Project) -> None:
    (project.root / "asl.toml").write_text("tasks = []\n")
    assert project.asl("tasks").err == "no task callables; searched: nowhere: the project configures no tasks\n"
