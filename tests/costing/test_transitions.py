"""State transitions as AWS counts them."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.costing.transitions import transitions_in
from asl_engine.testing import fails, returns
from tests.cli.project import machine, task
from tests.costing.runs import run

RETRY = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}]
FAILING_BRANCH = {"Type": "Parallel", "Branches": [machine(B=task("b"))], "Retry": RETRY}
CASES: dict[str, tuple[dict[str, Any], Any, dict[str, int]]] = {
    "a state": (machine(A={"Type": "Pass"}), None, {"A": 1}),
    "a retry each time": (machine(A=task("a", Retry=RETRY)), {"a": [fails("E"), fails("E"), 1]}, {"A": 3}),
    "retries that are used up": (machine(A=task("a", Retry=RETRY)), {"a": fails("E")}, {"A": 3}),
    "a catcher": (
        {
            "StartAt": "A",
            "States": {
                "A": {**task("a"), "Catch": [{"ErrorEquals": ["E"], "Next": "B"}], "End": True},
                "B": {"Type": "Succeed"},
            },
        },
        {"a": fails("E")},
        {"A": 1, "B": 1},
    ),
    "iterations": (
        machine(M={"Type": "Map", "ItemProcessor": machine(I={"Type": "Pass"}, J={"Type": "Pass"})}),
        None,
        {"M": 1, "I": 3, "J": 3},
    ),
    "a retry of a Parallel": (
        machine(P=FAILING_BRANCH),
        {"b": [fails("E"), 1]},
        {"P": 2, "B": 2},
    ),
    "a Fail state": (machine(A={"Type": "Pass"}, F={"Type": "Fail"}), None, {"A": 1, "F": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_transitions(case: str) -> None:
    definition, tasks, expected = CASES[case]
    counted = transitions_in(run(definition, [1, 2, 3], tasks).logs[0].events)
    assert {name: count.transitions for name, count in counted.by_state.items()} == expected
    assert counted.total == sum(expected.values())


def test_a_wait_within_a_task_is_none() -> None:
    counted = transitions_in(run(machine(A=task("a")), {}, {"a": returns(1, after="40s")}).logs[0].events)
    assert counted.total == 1


def test_retries_are_told_apart_from_entries() -> None:
    counted = transitions_in(run(machine(A=task("a", Retry=RETRY)), {}, {"a": [fails("E"), 1]}).logs[0].events)
    assert (counted.by_state["A"].entered, counted.by_state["A"].retried) == (1, 1)
