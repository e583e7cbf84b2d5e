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

TWO_FAULTS = '{\n  "StartAt": "A",\n  "States": {"A": {"Type": "Pass", "End": true, "Bar": 2, "Foo": 1}}\n}\n'


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


RULE = {"Variable": "$.go", "IsPresent": True, "Next": "B"}
LOOP = machine(
    A={"Type": "Choice", "Choices": [RULE], "Default": "C"}, B={"Type": "Pass", "Next": "A"}, C={"Type": "Succeed"}
)


def test_a_service_that_aws_may_not_call_is_doubtful(project: Project) -> None:
    resource = "arn:aws:states:::aws-sdk:chatbot:describeSlackWorkspaces"
    file = project.define("chat", machine(A={"Type": "Task", "Resource": resource, "Parameters": {}}))
    result = project.asl("validate", file)
    assert result.code == 0
    (line,) = [line for line in result.out.splitlines() if "[UNLISTED_SERVICE]" in line]
    assert "/States/A/Resource: No list of AWS's names 'chatbot'" in line
    assert line.endswith("(warning)")
    assert project.asl("validate", file, "--strict").code == 2
    assert "UNLISTED_SERVICE" not in project.asl("validate", file, "--no-lint").out


def test_a_warning_is_no_error(project: Project) -> None:
    path = project.define("m", LOOP)
    result = project.asl("validate", path)
    assert result.code == 0
    doubt, verdict = result.out.splitlines()
    assert doubt.startswith(f"{path}:1:")
    assert "/States/A: Nothing waits in the loop through A, B" in doubt
    assert doubt.endswith("[LOOP_WITHOUT_WAIT] (warning)")
    assert verdict == f"{path}: OK"
    shown = project.asl("validate", path, "--json").json[0]
    assert shown["result"] == "OK"
    assert [one["severity"] for one in shown["diagnostics"]] == ["WARNING"]


@pytest.mark.parametrize(("options", "code", "lines"), [(["--strict"], 2, 2), (["--no-lint", "--strict"], 0, 1)])
def test_doubts_can_be_errors_or_left_out(project: Project, options: list[str], code: int, lines: int) -> None:
    result = project.asl("validate", project.define("m", LOOP), *options)
    assert (result.code, len(result.out.splitlines())) == (code, lines)


def test_sarif(project: Project) -> None:
    good, bad = project.define("m", LOOP), project.define("bad", TWO_FAULTS)
    result = project.asl("validate", good, bad, "--format", "sarif")
    assert result.code == 2
    log = result.json
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["LOOP_WITHOUT_WAIT", "SCHEMA_VALIDATION_FAILED"]
    for shown in run["results"]:
        assert rules[shown["ruleIndex"]] == shown["ruleId"]
        assert shown["message"]["text"]
        region = shown["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
    assert {shown["level"] for shown in run["results"]} == {"error", "warning"}


def test_an_unknown_format(project: Project) -> None:
    result = project.asl("validate", project.define("m", PASS), "--format", "xml")
    assert (result.code, result.err) == (2, "asl: error: --format xml: it is human, json, sarif\n")


YAML = """\
# a comment
StartAt: A
States:
  A: &pass
    Type: Pass
    Next: B
  B:
    <<: *pass
    Next: Nowhere
  C:
    Type: Succeed
"""


def test_findings_in_yaml_have_the_lines_of_the_yaml(project: Project) -> None:
    (project.root / "m.yaml").write_text(YAML)
    result = project.asl("validate", "m.yaml")
    assert result.code == 2
    assert result.out.startswith("m.yaml:9:5: /States/B/Next: Missing 'Next' target: Nowhere")


def test_yaml_that_is_none(project: Project) -> None:
    (project.root / "m.yml").write_text("StartAt: [A\n")
    result = project.asl("validate", "m.yml", project.define("m", PASS), "--json")
    assert result.code == 2
    (finding,) = result.json[0]["diagnostics"]
    assert (finding["code"], finding["line"]) == ("INVALID_JSON_DESCRIPTION", 2)
    assert result.json[1]["result"] == "OK"


# -- placeholders -------------------------------------------------------------------------------------

FUNCTION = machine(A={"Type": "Task", "Resource": "${Function}", "End": True})


def test_a_task_cannot_call_a_placeholder(project: Project) -> None:
    result = project.asl("validate", project.define("m", FUNCTION))
    assert result.code == 2
    assert "/States/A/Resource: The placeholder ${Function} has no value: " in result.out


@pytest.mark.parametrize("way", ["option", "json", "yaml", "project"])
def test_a_placeholder_is_given_its_value(project: Project, way: str) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:double"
    definition = project.define("m", FUNCTION)
    options: list[str] = []
    if way == "option":
        options = ["--substitute", f"Function={arn}"]
    elif way == "project":
        (project.root / "asl.toml").write_text(f'substitutions = {{Function = "{arn}"}}\n')
    else:
        (project.root / f"v.{way}").write_text(f'{{"Function": "{arn}", "Another": 1}}')
        options = ["--substitutions", f"v.{way}"]
    assert project.asl("validate", definition, "--no-lint", *options).out == f"{definition}: OK\n"
    run = project.asl("run", definition, "--input", '{"n": 2}', "--json", *options)
    assert run.code == 0, run.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--substitute", "Function"], "--substitute Function: it has to be NAME=VALUE"),
        (["--substitute", "Funktion=x"], "did you mean 'Function'?; there are ${Function}"),
        (["--substitutions", "v.json"], "there is no file v.json (the substitutions)"),
        (
            ["--substitutions", "list.json"],
            "list.json: the substitutions have to be an object of names and values",
        ),
        (["--substitutions", "deep.json"], "deep.json: A has to be a string, a number or a boolean"),
        (["--substitutions", "broken.json"], "broken.json:1:2: the substitutions are not JSON: "),
    ],
)
def test_values_that_are_none(project: Project, options: list[str], message: str) -> None:
    for name, text in (("list", "[]"), ("deep", '{"A": []}'), ("broken", "{")):
        (project.root / f"{name}.json").write_text(text)
    result = project.asl("validate", project.define("m", FUNCTION), *options)
    assert result.code == 2
    assert message in result.err


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
