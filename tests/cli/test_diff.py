"""`asl diff`: what differs between two executions, state by state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

RETRY = [{"ErrorEquals": ["OutOfStockError"], "IntervalSeconds": 1}]
LINE = machine(D=task("double"), A=task("add_one"))
EACH = machine(
    M={"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": machine(D=task("double"))}, E={"Type": "Pass"}
)
CHOICE = machine(
    C={
        "Type": "Choice",
        "Choices": [{"Variable": "$.n", "NumericLessThan": 2, "Next": "L"}],
        "Default": "R",
    },
    L={"Type": "Pass", "Next": "E"},
    R={"Type": "Pass", "Next": "E"},
    E={"Type": "Pass", "End": True},
)
for name in ("C", "L", "R"):
    CHOICE["States"][name].pop("End", None)
CHOICE["States"]["C"].pop("Next", None)
CHOICE["States"]["L"]["Next"] = CHOICE["States"]["R"]["Next"] = "E"
ASSIGN = machine(P={"Type": "Pass", "Assign": {"x.$": "$.n"}})
FLAKY = machine(F=task("flaky", Retry=RETRY))

# By (definition, input) of the two: the states that differ, with what differs.
CASES: dict[str, tuple[Any, Any, dict[str, Any], dict[str, list[str]]]] = {
    "data": (
        (LINE, {"n": 1}),
        (LINE, {"n": 2}),
        {
            "D": ["input $.n: 1 > 2", "output $.n: 2 > 4"],
            "A": ["input $.n: 2 > 4", "output $.n: 3 > 5"],
        },
        {"input": ["$.n: 1 > 2"], "output": ["$.n: 3 > 5"]},
    ),
    "iterations": (
        (EACH, {"items": [{"n": 1}, {"n": 2}]}),
        (EACH, {"items": [{"n": 1}, {"n": 3}, {"n": 4}]}),
        {
            "M": [
                "input $.items[1].n: 2 > 3",
                'input $.items[2]: (absent) > {"n": 4}',
                "output $[1].n: 4 > 6",
                'output $[2]: (absent) > {"n": 8}',
            ],
            "M iteration 1 > D": ["input $.n: 2 > 3", "output $.n: 4 > 6"],
            "M iteration 2 > D": "other",
            "E": [
                "input $[1].n: 4 > 6",
                'input $[2]: (absent) > {"n": 8}',
                "output $[1].n: 4 > 6",
                'output $[2]: (absent) > {"n": 8}',
            ],
        },
        {
            "input": ["$.items[1].n: 2 > 3", '$.items[2]: (absent) > {"n": 4}'],
            "output": ["$[1].n: 4 > 6", '$[2]: (absent) > {"n": 8}'],
        },
    ),
    "path": (
        (CHOICE, {"n": 1}),
        (CHOICE, {"n": 2}),
        {
            "C": ["input $.n: 1 > 2", "output $.n: 1 > 2", "goes on to: L > R"],
            "L": "one",
            "R": "other",
            "E": ["input $.n: 1 > 2", "output $.n: 1 > 2"],
        },
        {"input": ["$.n: 1 > 2"], "output": ["$.n: 1 > 2"]},
    ),
    "variables": (
        (ASSIGN, {"n": 1}),
        (ASSIGN, {"n": "1"}),
        {"P": ['input $.n: 1 > "1"', 'output $.n: 1 > "1"', 'variables $.x: 1 > "1"']},
        {"input": ['$.n: 1 > "1"'], "output": ['$.n: 1 > "1"']},
    ),
    "failure": (
        (machine(F=task("fail")), {}),
        (machine(F=task("double")), {"n": 1}),
        {
            "F": [
                "input $.n: (absent) > 1",
                "attempts: OutOfStockError > succeeded",
                "exited: no > yes",
            ]
        },
        {
            "input": ["$.n: (absent) > 1"],
            "status": ['$: "FAILED" > "SUCCEEDED"'],
            "output": ['$: null > {"n": 2}'],
        },
    ),
    "attempts": (
        (FLAKY, {}),
        (machine(F={"Type": "Pass"}), {}),
        {"F": ["attempts: OutOfStockError, OutOfStockError, succeeded > "]},
        {},
    ),
    "nothing": ((LINE, {"n": 1}), (LINE, {"n": 1}), {}, {}),
}


@pytest.mark.parametrize("what", CASES)
def test_what_differs(project: Project, what: str) -> None:
    *runs, states, ends = CASES[what]
    for name, (definition, data) in zip(("one", "two"), runs, strict=True):
        project.ran(definition, "-i", json.dumps(data), "--time", "skip", name=name)
    result = project.asl("diff", "one", "two", "--json")
    found: dict[str, Any] = {}
    for state in result.json["states"]:
        one, other = state["milliseconds"]
        only = "one" if other is None else "other" if one is None else None
        if only or state["changes"]:
            found[" > ".join((*state["place"], state["state"]))] = only or state["changes"]
    assert found == states
    told = {name: lines for name, lines in result.json["ends"].items() if name not in {"error", "cause"}}
    assert told == ends
    assert result.code == (1 if states else 0)


CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "E"}]


@pytest.mark.parametrize("fields", [{}, {"Catch": CATCH}])
def test_a_failure_that_is_the_same_but_for_its_request(project: Project, fields: dict[str, Any]) -> None:
    for name in ("one", "two"):
        project.ran(machine(F=task("fail", **fields), E={"Type": "Pass"}), name=name)
        assert "requestId" in project.asl("show", name, "--json").out
    result = project.asl("diff", "one", "two")
    assert (result.code, "the same path with the same data" in result.out) == (0, True), result.out
    project.ran(machine(F=task("double", **fields), E={"Type": "Pass"}), name="other")
    result = project.asl("diff", "one", "other")
    assert 'errorMessage: "nothing left" > "\'n\'"' in result.out
    assert "requestId" not in result.out


def test_an_attempt_that_was_aborted_has_not_succeeded(project: Project) -> None:
    branches = [machine(N=task("never")), machine(F=task("fail"))]
    project.ran(machine(P={"Type": "Parallel", "Branches": branches}))
    project.ran(
        machine(P={"Type": "Parallel", "Branches": [machine(N=task("double")), machine(F=task("double"))]}),
        "-i",
        '{"n": 1}',
        name="two",
    )
    states = project.asl("diff", "one", "two", "--json").json["states"]
    (never,) = [state["changes"] for state in states if state["state"] == "N"]
    assert "attempts: aborted > succeeded" in never


def test_for_people(project: Project) -> None:
    project.ran(CHOICE, "-i", '{"n": 1}')
    project.ran(CHOICE, "-i", '{"n": 2}', name="two")
    lines = [" ".join(line.split()) for line in project.asl("diff", "one", "two").out.splitlines()]
    assert "- L 0.00 s" in lines
    assert "+ R 0.00 s" in lines
    assert "goes on to: L > R" in lines
    assert "input $.n: 1 > 2" in lines
    same = project.asl("diff", "one", "one", "--all")
    assert same.code == 0
    assert same.out.endswith("the same path with the same data\n")


def test_an_execution_that_there_is_not(project: Project) -> None:
    project.ran(LINE, "-i", '{"n": 1}')
    result = project.asl("diff", "one", "nothing")
    assert (result.code, "there is no execution 'nothing'" in result.err) == (2, True)


def test_a_difference_is_told_once_and_then_that_it_goes_on(project: Project) -> None:
    for name, n in (("one", 1), ("two", 2)):
        project.ran(
            machine(P={"Type": "Pass"}, Q={"Type": "Pass"}, D=task("double")), "-i", f'{{"n": {n}}}', name=name
        )
    lines = [line.split(" s  ")[-1].strip() for line in project.asl("diff", "one", "two").out.splitlines()]
    assert lines[3:8] == [
        "input $.n: 1 > 2",
        "as before: output $.n",
        "as before: input $.n; output $.n",
        "output $.n: 2 > 4",
        "as before: input $.n",
    ]
