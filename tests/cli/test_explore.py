"""``asl explore``: what it says, what it writes, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

SAFE = machine(
    Work=task("double", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Done"}]), Done={"Type": "Succeed"}
)
RULES = [
    {"Variable": "$.n", "NumericGreaterThan": 1, "Next": "Work"},
    {"Variable": "$.n", "NumericGreaterThan": 2, "Next": "Done"},
]
SHADOWED: Any = {
    "StartAt": "Which",
    "States": {"Which": {"Type": "Choice", "Choices": RULES, "Default": "Done"}, **SAFE["States"]},
}


def test_nothing_found(project: Project) -> None:
    """No task is called, and nothing is kept."""
    (project.root / "tasks" / "callables.py").write_text("def double(event):\n    raise SystemExit('called')\n")
    result = project.asl("explore", project.define("m", SAFE))
    assert result.code == 0, result.err
    assert result.out == ""
    assert "nothing found" in result.err
    assert "took 4 of 4 places" in result.err
    assert not project.db.exists()


def test_a_rule_that_never_matches(project: Project) -> None:
    result = project.asl("explore", project.define("m", SHADOWED))
    assert result.code == 1
    assert "ERROR   States.Which.Choices[1]" in result.out
    assert "[NEVER_MATCHES, proved]" in result.out
    assert "Choices[0] matches all that it would match" in result.out


def test_json(project: Project) -> None:
    found = project.asl("explore", project.define("m", SHADOWED), "--json").json
    assert found["complete"] is True
    (one,) = found["findings"]
    assert {**one, "line": 0, "message": ""} == {
        "code": "NEVER_MATCHES",
        "severity": "ERROR",
        "certainty": "proved",
        "place": "States.Which.Choices[1]",
        "location": "/States/Which/Choices[1]",
        "line": 0,
        "message": "",
    }


def test_what_a_run_was_given_is_told(project: Project) -> None:
    uncaught = machine(Work=task("double", Retry=[{"ErrorEquals": ["Busy"], "MaxAttempts": 1}]))
    result = project.asl("explore", project.define("m", uncaught), "--error", "Work:Mine", "--json")
    assert result.code == 0
    (one,) = result.json["findings"]
    assert one["severity"] == "WARNING"
    assert "Busy" in one["message"]
    assert "Mine" in one["message"]
    assert one["reproduction"] == {"input": {}, "results": {}, "faults": ["Work:Busy@1-"]}


def test_the_input_that_is_given_comes_first(project: Project) -> None:
    result = project.asl("explore", project.define("m", SAFE), "-i", '{"n": 5}', "--write", "-")
    assert result.code == 0
    assert '.run({"n": 5}, tasks)' in result.out


def test_a_file_is_written_once(project: Project) -> None:
    path = project.define("m", SAFE)
    result = project.asl("explore", path, "--write", "test_found.py")
    assert result.code == 0
    assert "tests in test_found.py; run them with: pytest test_found.py" in result.err
    text = (project.root / "test_found.py").read_text()
    compile(text, "test_found.py", "exec")
    again = project.asl("explore", path, "--write", "test_found.py")
    assert again.code == 2
    assert "test_found.py is there already" in again.err
    assert project.asl("explore", path, "--write", "test_found.py", "--force").code == 0


def test_the_budget(project: Project) -> None:
    result = project.asl("explore", project.define("m", SHADOWED), "--limit", "1")
    assert "stopped there: --seconds and --limit let it go on" in result.err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--error", "Wrok:E"], "the error 'Wrok:E': the machine has no task 'Wrok'; did you mean 'Work'"),
        (["--error", "Work:"], "expected NAME or STATE:NAME"),
        (["--seconds", "0"], "--seconds 0 --limit 1000: both have to be more than nothing"),
        (["--input", "{"], "--input"),
    ],
)
def test_refused(project: Project, given: list[str], message: str) -> None:
    result = project.asl("explore", project.define("m", SAFE), *given)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_bad_definition(project: Project) -> None:
    bad = project.define("m", {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
    result = project.asl("explore", bad)
    assert result.code == 2
    assert "/States/A/Next" in result.err
    assert project.asl("explore", "nowhere.json").code == 2


def test_a_definition_with_placeholders(project: Project) -> None:
    text = json.dumps(SAFE).replace("double", "${Name}")
    (project.root / "m.json").write_text(text)
    result = project.asl("explore", "m.json", "--substitute", "Name=double", "--write", "-")
    assert result.code == 0, result.err
    assert "DEFINITION = {" in result.out
