"""``asl run --mock FILE#CASE``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

CONFIG: Any = {
    "StateMachines": {"m": {"TestCases": {"Busy": {"Pay": "Paid"}, "Misspelt": {"Pya": "Paid"}}}},
    "MockedResponses": {
        "Paid": {"0": {"Throw": {"Error": "Busy", "Cause": ""}}, "1": {"Return": {"n": 4}}},
    },
}
RETRY = [{"ErrorEquals": ["Busy"]}]


def test_a_test_case(project: Project) -> None:
    """What is mocked need not be there; what is not is called."""
    (project.root / "mocks.json").write_text(json.dumps(CONFIG))
    definition = machine(Pay=task("nowhere", Retry=RETRY, Next="Double"), Double=task("double"))
    definition["States"]["Pay"].pop("End", None)
    result = project.ran(definition, "--mock", "mocks.json#Busy", "--time", "skip")
    assert (result.code, result.out) == (0, '{"n":8}\n'), result.err


@pytest.mark.parametrize(
    ("mock", "message"),
    [
        ("mocks.json", "--mock mocks.json: it is FILE#CASE"),
        ("mocks.json#Sad", "the state machine 'm' has no test case 'Sad' (there are 'Busy', 'Misspelt')"),
        ("gone.json#Busy", "cannot read the mock configuration"),
        ("mocks.json#Misspelt", "there is no state 'Pya' in the state machine; did you mean 'Pay'?"),
    ],
)
def test_refused(project: Project, mock: str, message: str) -> None:
    (project.root / "mocks.json").write_text(json.dumps(CONFIG))
    result = project.ran(machine(Pay=task("nowhere")), "--mock", mock)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_the_children_of_a_distributed_map_are_mocked_too(project: Project) -> None:
    """Each child is an execution of its own, and counts its own invocations."""
    (project.root / "mocks.json").write_text(json.dumps(CONFIG))
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        **machine(Pay=task("nowhere", Retry=RETRY)),
    }
    each = {"Type": "Map", "ItemProcessor": processor}
    result = project.ran(machine(Each=each), "--mock", "mocks.json#Busy", "--time", "skip", "--input", "[1, 2]")
    assert (result.code, result.out) == (0, '[{"n":4},{"n":4}]\n'), result.err


def test_a_mocked_activity_needs_no_server(project: Project) -> None:
    (project.root / "mocks.json").write_text(json.dumps(CONFIG))
    activity = "arn:aws:states:us-east-1:123456789012:activity:pay"
    pay = {"Type": "Task", "Resource": activity, "Retry": RETRY}
    result = project.ran(machine(Pay=pay), "--mock", "mocks.json#Busy", "--time", "skip")
    assert (result.code, result.out) == (0, '{"n":4}\n'), result.err
