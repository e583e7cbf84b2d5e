"""Machines that only their runs know, as those of ``asl run``: offered, shown, and registered by a start."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import PASS, ended

if TYPE_CHECKING:
    from pathlib import Path

    from tests.console.harness import Page

OTHER = {"StartAt": "Late", "States": {"Late": {"Type": "Pass", "End": True}}}
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:"


class Ran:
    """Two runs of ``asl run`` of one machine, with a definition that has changed in between."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.machine = MACHINE + name
        self.first, self.second = [
            _run(folder, name, definition, execution)
            for definition, execution in ((PASS, "first"), (OTHER, "second"))
        ]


def _run(folder: Path, machine: str, definition: Any, execution: str) -> str:
    file = folder / f"{machine}.asl.json"
    file.write_text(json.dumps(definition), encoding="utf-8")
    command = [sys.executable, "-m", "asl_engine", "run", file.name, "--db", "asl.db", "--name", execution]
    done = subprocess.run(
        [*command, "--input", '{"a": 1}'], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return f"arn:aws:states:us-east-1:123456789012:execution:{machine}:{execution}"


@pytest.fixture
def ran_alone(page: Page, page_folder: Path, name: str) -> Ran:
    del page  # the server has made the database
    return Ran(page_folder, name)


def _listed(page: Page, arn: str) -> Any:
    return next((one for one in page.get("machines", limit=500)["machines"] if one["arn"] == arn), None)


def test_it_is_listed_as_not_registered(page: Page, ran_alone: Ran) -> None:
    told = _listed(page, ran_alone.machine)
    assert (told["name"], told["registered"], told["createdAt"]) == (ran_alone.name, False, None)
    assert told["counts"]["SUCCEEDED"]["count"] == 2
    found = page.get("runs", machine=ran_alone.machine)["runs"]
    assert {one["arn"] for one in found} == {ran_alone.first, ran_alone.second}


@pytest.mark.parametrize(("which", "definition"), [("first", PASS), ("second", OTHER), ("machine", OTHER)])
def test_its_definition_is_that_of_the_run_or_of_the_newest(
    page: Page, ran_alone: Ran, which: str, definition: Any
) -> None:
    told = page.get("machine", arn=getattr(ran_alone, which))
    assert json.loads(told["definition"]) == definition
    assert told["run"] == (ran_alone.first if which == "first" else ran_alone.second)
    assert (told["machine"]["arn"], told["machine"]["registered"]) == (ran_alone.machine, False)
    assert (told["valid"], told["versions"]) == (True, [])


def test_a_run_says_where_its_definition_is(page: Page, ran_alone: Ran) -> None:
    assert page.get("run", arn=ran_alone.first)["definedBy"] == ran_alone.first
    page.post("start", arn=ran_alone.first, name="again")
    assert page.get("run", arn=ran_alone.first)["definedBy"] == ran_alone.machine
    told = page.get("machine", arn=ran_alone.second)
    assert (json.loads(told["definition"]), told["machine"]["registered"]) == (OTHER, True)


@pytest.mark.parametrize(("which", "definition"), [("first", PASS), ("machine", OTHER)])
def test_a_start_registers_it_with_the_definition_of_the_run(
    page: Page, ran_alone: Ran, which: str, definition: Any
) -> None:
    arn = getattr(ran_alone, which)
    told = page.get("inputs", machine=arn)
    assert told["made"] == ("first" if which == "first" else "second")
    assert told["machine"] == ran_alone.name
    assert [json.loads(one["text"]) for one in told["last"]] == [{"a": 1}]
    started = page.post("start", arn=arn, input='{"b": 2}', name="again")["executionArn"]
    client = page.server.client()
    assert json.loads(ended(client, started)["output"]) == {"b": 2}
    shown = client.describe_state_machine(stateMachineArn=ran_alone.machine)
    assert (json.loads(shown["definition"]), shown["type"]) == (definition, "STANDARD")
    assert page.get("inputs", machine=arn)["made"] is None
    assert _listed(page, ran_alone.machine)["registered"] is True


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no JSON": ({"input": "{"}, "InvalidRequest"),
    "a name that is taken": ({"name": "second"}, "ExecutionAlreadyExists"),
    "a name that is none": ({"name": "a b"}, "InvalidName"),
}


@pytest.mark.parametrize(("members", "code"), REFUSED.values(), ids=REFUSED)
def test_a_start_that_is_refused_registers_nothing(
    page: Page, ran_alone: Ran, members: dict[str, Any], code: str
) -> None:
    found = page.write("start", {"arn": ran_alone.first, **members})
    assert (found.status // 100, found.json["error"]) == (4, code)
    assert _listed(page, ran_alone.machine)["registered"] is False


def test_a_start_of_what_does_not_exist(page: Page) -> None:
    for arn, code in ((f"{MACHINE}nobody", "StateMachineDoesNotExist"), ("x", "InvalidArn")):
        assert page.write("start", {"arn": arn}).json["error"] == code
    assert page.write("start", {}).status == 400
