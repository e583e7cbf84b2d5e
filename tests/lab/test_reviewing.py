"""A changed definition, held against past executions: what would become of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.lab.reviewing import Review, markdown
from asl_engine.testing import recorded, returns
from asl_engine.testing.answers import AnswersExhausted
from tests.cli.conftest import project
from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

__all__ = ["project"]  # the fixture

RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 5}]
BASE = machine(D=task("double"), A=task("add_one"))
FAILING = machine(D=task("double"), F=task("fail"))
CAUGHT = machine(
    D=task("double"), F=task("fail", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "E"}]), E={"Type": "Succeed"}
)
CAUGHT["States"]["F"]["End"] = True
del CAUGHT["States"]["F"]["Next"]
CHANCE = machine(P={"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "n": 1}})
REVIEWS: dict[str, tuple[Any, Any, str, str, int]] = {
    "nothing": (BASE, BASE, "SAME", "", 0),
    "a state more": (
        BASE,
        machine(D=task("double"), P={"Type": "Pass"}, A=task("add_one")),
        "PATH",
        "after D: P instead of A",
        1,
    ),
    "a task less": (BASE, machine(D=task("double")), "PATH", "after D: the end instead of A", -1),
    "a task with another name": (
        BASE,
        machine(D=task("double"), B=task("add_one")),
        "PATH",
        "after D: B instead of A",
        0,
    ),
    "another output": (
        BASE,
        machine(D=task("double"), A=task("add_one", OutputPath="$.n")),
        "OUTPUT",
        '$: expected {"n": 3}, got 3',
        0,
    ),
    "an output that chance makes": (CHANCE, CHANCE, "SAME", "", 0),
    "another output beside what chance makes": (
        CHANCE,
        machine(P={"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "n": 2}}),
        "OUTPUT",
        "$.n: expected 1, got 2",
        0,
    ),
    "a text where chance made an object": (
        machine(P={"Type": "Pass", "Parameters": {"a": "text"}}),
        machine(P={"Type": "Pass", "Parameters": {"a": {"id.$": "States.UUID()"}}}),
        "OUTPUT",
        '$.a: expected "text", got {"id": "',
        0,
    ),
    "a failure": (
        BASE,
        machine(D=task("double"), A=task("add_one", ResultSelector={"x.$": "$.nope"})),
        "FAILS",
        "FAILED with States.Runtime",
        0,
    ),
    "a task that was not called": (
        BASE,
        machine(
            D=task("double"),
            A=task("add_one"),
            B={**task("double"), "Resource": FAILING["States"]["F"]["Resource"]},
        ),
        "FAILS",
        "FAILED with OutOfStockError",
        1,
    ),
    "a task that is called again": (
        FAILING,
        machine(D=task("double"), F=task("fail", Retry=RETRY)),
        "OPEN",
        'a task is called more often than it was recorded, 1 times: with {"n": 2}',
        0,
    ),
    "an error that is caught": (FAILING, CAUGHT, "MENDED", "SUCCEEDED", 1),
    "a failure that stays": (FAILING, FAILING, "SAME", "", 0),
}


@pytest.mark.parametrize("what", REVIEWS)
def test_what_would_become_of_an_execution(project: Project, what: str) -> None:
    before, now, verdict, detail, more = REVIEWS[what]
    project.ran(before, "-i", '{"n": 1}')
    (project.root / "now.json").write_text(json.dumps(now), encoding="utf-8")
    result = project.asl("replay", "--all", "--definition", "now.json", "--machine", "m", "--json")
    (found,) = result.json
    assert found["verdict"] == verdict
    assert found["detail"] == detail or (detail.endswith(': "') and found["detail"].startswith(detail))
    assert (found["would_take"] or found["transitions"]) - found["transitions"] == more
    assert result.code == (1 if verdict in {"FAILS", "OPEN"} else 0)


def test_for_people(project: Project) -> None:
    project.ran(BASE, "-i", '{"n": 1}')
    (project.root / "m.json").write_text(json.dumps(REVIEWS["a state more"][1]), encoding="utf-8")
    result = project.asl("replay", "--all", "--definition", "m.json", "--report", "report.md")
    assert result.code == 0
    assert "1 execution would take another path\n+1 state transitions in all\n" in result.out
    assert "| one | SUCCEEDED | would take another path: after D: P instead of A | 2 → 3 |" in (
        project.root / "report.md"
    ).read_text(encoding="utf-8")
    assert project.asl("replay", "--all", "--definition", "m.json", "--report", "-").out.startswith(
        "### m.json, by 1"
    )


def test_a_fork_with_edited_data_is_left_out(project: Project) -> None:
    project.ran(BASE, "-i", '{"n": 1}')
    project.asl("fork", "one", "--at", "A", "--input", '{"n": 7}')
    project.asl("fork", "one", "--at", "D", "--variables", '{"a": 7}')
    project.asl("fork", "one", "--at", "A", "--name", "plain")
    (project.root / "m.json").write_text(json.dumps(BASE), encoding="utf-8")
    result = project.asl("replay", "--all", "--definition", "m.json", "--report", "-")
    assert (result.code, "left out: 2 forks with edited data" in result.err) == (0, True), result.err
    assert "| would end as before | 2 |" in result.out
    assert "\nForks with edited data, left out: 2.\n" in result.out
    project.asl("fork", "one", "--at", "A", "--input", '{"n": 7}', "--name", "newest")
    none = project.asl("replay", "--all", "--definition", "m.json", "--limit", "1")
    assert (none.code, "has no other ended execution of m" in none.err) == (2, True), none.err


REFUSED = {
    "no definition": (["--all"], "--all takes the --definition"),
    "one and all": (["one", "--all", "--definition", "m.json"], "no EXECUTION"),
    "neither": ([], "name one execution, or give --all"),
    "no such machine": (
        ["--all", "--definition", "m.json", "--machine", "x"],
        "has no ended execution of x: name another state machine with --machine; there are m",
    ),
    "none": (["--all", "--definition", "m.json", "--limit", "0"], "--limit 0: it has to be at least 1"),
    "a definition that is none": (["--all", "--definition", "bad.json"], "bad.json"),
    "no place for the report": (
        ["--all", "--definition", "m.json", "--report", "no/r.md"],
        "cannot write no/r.md",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(project: Project, what: str) -> None:
    arguments, message = REFUSED[what]
    project.ran(BASE, "-i", '{"n": 1}')
    (project.root / "m.json").write_text(json.dumps(BASE), encoding="utf-8")
    (project.root / "bad.json").write_text('{"States": {}}', encoding="utf-8")
    result = project.asl("replay", *arguments)
    assert (result.code, message in result.err) == (2, True), result.err


def test_a_report_with_names_that_mean_something_in_markdown() -> None:
    text = markdown([Review("a|b*", "SUCCEEDED", "FAILS", "x\ny", 1, None)], "m.json")
    assert "| a\\|b\\* | SUCCEEDED | would fail: x y | 1 → ? |" in text


def test_recorded_answers_go_by_the_input_then_by_the_order() -> None:
    answer = recorded(({"a": 1, "b": 2}, "one"), ({"a": 2}, returns([2])), ({"a": 2}, "three")).function
    assert answer is not None
    assert [answer(event) for event in ({"a": 2}, {"b": 2, "a": 1}, {"new": 0})] == [[2], "one", "three"]
    with pytest.raises(AnswersExhausted, match="3 times"):
        answer({"a": 1})
