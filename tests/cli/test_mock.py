"""``asl run --mock FILE#CASE``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

CONFIG: Any = {
    "StateMachines": {"m": {"TestCases": {"Busy": {"Pay": "Paid"}}}},
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
        ("mocks.json#Sad", "the state machine 'm' has no test case 'Sad' (there are 'Busy')"),
        ("gone.json#Busy", "cannot read the mock configuration"),
    ],
)
def test_refused(project: Project, mock: str, message: str) -> None:
    (project.root / "mocks.json").write_text(json.dumps(CONFIG))
    result = project.ran(machine(Pay=task("nowhere")), "--mock", mock)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err
