"""`asl fork`: go on from a state of an execution, with another input, variables or definition."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

FAILING = machine(D=task("double"), F=task("fail"), A=task("add_one"))


def test_fork_with_another_input(project: Project) -> None:
    project.ran(FAILING, "-i", '{"n": 1}')
    result = project.asl("fork", "one", "--at", "A", "--input", '{"n": 5}')
    assert result.code == 2
    assert "--at A: it was not entered; there are D, F" in result.err
    result = project.asl("fork", "one", "--at", "D", "--input", '{"n": 5}')
    assert (result.code, result.out) == (1, "")
    assert "one-fork-1 is a fork of one" in result.err
    assert project.asl("show", "one-fork-1", "--json").json["forkOf"].endswith(":m:one")
    assert project.asl("replay", "one-fork-1").code == 0
    assert project.asl("check").code == 0


def test_fork_from_the_failure_with_a_mended_definition(project: Project) -> None:
    project.ran(FAILING, "-i", '{"n": 1}')
    mended = project.root / "mended.json"
    mended.write_text(
        json.dumps(machine(D=task("double"), F=task("add_one"), A=task("add_one"))), encoding="utf-8"
    )
    for options in (["--failed-only"], []):
        result = project.asl("fork", "one", "--definition", "mended.json", "--quiet", *options)
        assert (result.code, result.out, result.err) == (0, '{"n":4}\n', "")
    assert project.asl("show", "one", "--json").json["status"] == "FAILED"
    assert project.asl("fork", "one-fork-1", "--at", "A", "--name", "mine", "--json").json["name"] == "mine"


REFUSED = {
    "edits without a state": (["--input", "{}"], "name it with --at"),
    "both places": (["--at", "D", "--failed-only"], "leave --at out"),
    "variables that are no JSON": (["--at", "D", "--variables", "{"], "--variables {: it is not JSON"),
    "variables that are no object": (["--at", "D", "--variables", "[]"], "it has to be an object of names"),
    "a variable that none can be": (
        ["--at", "D", "--variables", '{"a b": 1}'],
        """--variables {"a b": 1}: 'a b' is no name for a variable""",
    ),
    "a variable with a name that is taken": (
        ["--at", "D", "--variables", '{"states": 1}'],
        "'states' is reserved",
    ),
    "a state in another case": (["--at", "d"], "--at d: it was not entered; there are D, F; did you mean 'D'?"),
    "a name that is taken": (
        ["--at", "D", "--name", "one"],
        "--name one: m has an execution of that name already",
    ),
    "a name that is none": (["--at", "D", "--name", "a b"], "a name has"),
    "a time that is none": (["--at", "D", "--time", "soon"], "--time"),
    "a definition that does not fit": (["--definition", "other.json"], "the definition has no state 'F'"),
    "no definition": (["--at", "D", "--definition", "nothing.json"], "there is no file nothing.json"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_and_nothing_is_kept(project: Project, what: str) -> None:
    arguments, message = REFUSED[what]
    (project.root / "other.json").write_text(json.dumps(machine(X=task("double"))), encoding="utf-8")
    project.ran(FAILING, "-i", '{"n": 1}')
    result = project.asl("fork", "one", *arguments)
    assert result.code == 2
    assert message in result.err
    assert len(project.asl("list", "--json").json["executions"]) == 1


def test_what_passed_between_the_origin_and_the_fork_is_in_no_duration(project: Project) -> None:
    branch = machine(A={"Type": "Pass"}, W={"Type": "Wait", "Seconds": 60})
    project.ran(machine(P={"Type": "Parallel", "Branches": [branch]}), "--time", "skip")
    project.asl("fork", "one", "--at", "A")  # a minute after A was entered
    states = project.asl("diff", "one", "one-fork-1", "--json").json["states"]
    (both,) = [state["milliseconds"] for state in states if state["state"] == "P"]
    assert all(60_000 <= milliseconds < 70_000 for milliseconds in both), both
    assert ", forked from one after 0." in project.asl("history", "one-fork-1").out.splitlines()[0]
    assert ", forked from one after 0." in project.asl("timeline", "one-fork-1").out.splitlines()[0]
    project.asl("open", "one-fork-1", "--html", "page.html")
    assert ", forked from one after 0." in (project.root / "page.html").read_text(encoding="utf-8")


def test_a_fork_of_a_failure_is_forked_and_not_redriven(project: Project) -> None:
    project.ran(FAILING, "-i", '{"n": 1}')
    project.asl("fork", "one", "--failed-only")
    told = project.asl("history", "one-fork-1").out
    assert "attempt 1 OutOfStockError: nothing left, then forked" in told
    assert "redriven" not in told
    project.asl("redrive", "one-fork-1")
    title = project.asl("history", "one-fork-1").out.splitlines()[0]
    assert title.endswith(", redriven")
    assert ", forked from one after " in title


def each(**fields: Any) -> dict[str, Any]:
    return machine(
        M={"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": {**machine(D=task("double")), **fields}}
    )


def test_the_iteration_is_told_where_it_was_left_open(project: Project) -> None:
    project.ran(each(), "-i", '{"items": [{"n": 1}, {"n": 2}, {"n": 3}]}')
    told = "D was entered 3 times: the fork begins in iteration 2, the last"
    assert told in project.asl("fork", "one", "--at", "D").err
    for options in (["--iteration", "1"], ["--visit", "1"], ["--quiet"]):
        result = project.asl("fork", "one", "--at", "D", *options)
        assert (result.code, "was entered" in result.err) == (0, False), result.err
    assert "was entered" not in project.asl("fork", "one", "--at", "M").err


def test_a_state_that_only_children_of_a_map_run_entered(project: Project) -> None:
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    project.ran(each(ProcessorConfig=mode), "-i", '{"items": [{"n": 1}]}')
    result = project.asl("fork", "one", "--at", "D")
    assert result.code == 2
    assert (
        "there are M; what the children of a Map Run entered is theirs: fork the state of the Map Run"
        in result.err
    )
