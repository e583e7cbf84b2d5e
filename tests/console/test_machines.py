"""State machines: definitions with their findings, versions and aliases, inputs, coverage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.language.loader import load
from asl_engine.testing.coverage_data import DATA_FILE, CoverageData, DefinitionCoverage
from tests.server.harness import PASS, ROLE, ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.console.harness import Page


def test_machines_are_listed_with_their_executions(page: Page, created_machine: Callable[..., str]) -> None:
    first, second = created_machine(PASS, "shop"), created_machine(PASS, "shop-b", "EXPRESS")
    arn = page.operation("StartExecution", stateMachineArn=first, name="r", input='{"a": 1}')["executionArn"]
    ended(page.server.client(), arn)
    told = page.get("machines", limit=1)
    found = told["machines"]
    while told["next"]:
        told = page.get("machines", limit=1, after=told["next"])
        found += told["machines"]
    shown = {one["arn"]: one for one in found}
    assert (shown[first]["name"], shown[first]["type"], shown[first]["status"]) == ("shop", "STANDARD", "ACTIVE")
    assert shown[first]["counts"]["SUCCEEDED"]["count"] == 1
    assert shown[second]["type"] == "EXPRESS"


def test_a_machine_with_its_versions_and_aliases(page: Page, created_machine: Callable[..., str]) -> None:
    arn = created_machine(PASS, "versioned")
    version = page.operation("PublishStateMachineVersion", stateMachineArn=arn, description="one")
    v1 = version["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": v1, "weight": 100}]
    alias = page.operation("CreateStateMachineAlias", name="live", routingConfiguration=routes)
    changed = {"StartAt": "New", "States": {"New": {"Type": "Succeed"}}}
    page.operation("UpdateStateMachine", stateMachineArn=arn, definition=json.dumps(changed))
    told = page.get("machine", arn=arn)
    assert json.loads(told["definition"]) == changed
    assert (told["valid"], told["diagnostics"], told["roleArn"]) == (True, [], ROLE)
    assert told["states"] == [
        {"name": "New", "type": "Succeed", "place": "/States/New", "line": 1, "column": 31},
    ]
    assert told["svg"].startswith("<svg")
    assert [(one["number"], one["description"], one["arn"]) for one in told["versions"]] == [(1, "one", v1)]
    assert told["aliases"] == [
        {
            "arn": alias["stateMachineAliasArn"],
            "name": "live",
            "description": None,
            "routing": [{"arn": v1, "weight": 100}],
        }
    ]
    for one in (v1, alias["stateMachineAliasArn"]):
        assert json.loads(page.get("machine", arn=one)["definition"]) == PASS


NOT_THERE = "arn:aws:states:us-east-1:123456789012:stateMachine:nobody"


@pytest.mark.parametrize(("path", "name"), [("machine", "arn"), ("inputs", "machine"), ("coverage", "machine")])
def test_a_machine_that_does_not_exist(page: Page, path: str, name: str) -> None:
    found = page.refused(path, **{name: NOT_THERE})
    assert (found.status, found.json["error"]) == (404, "StateMachineDoesNotExist")
    assert found.json["remedy"]
    assert page.refused(path, **{name: "x"}).json["error"] == "InvalidArn"
    assert page.refused(path).status == 400


# -- what is wrong with a text ------------------------------------------------------------------------

WRONG = """{
  "StartAt": "A",
  "States": {
    "A": {
      "Type": "Pass",
      "Next": "Nowhere"
    }
  }
}"""


def test_what_is_wrong_is_told_with_its_line(page: Page) -> None:
    told = page.post("validate", definition=WRONG)
    assert (told["valid"], told["svg"], told["states"]) == (False, None, [])
    found = [(one["severity"], one["location"], one["line"], one["column"]) for one in told["diagnostics"]]
    assert ("ERROR", "/States/A/Next", 6, 7) in found
    assert all(one["message"] and one["code"] for one in told["diagnostics"])


@pytest.mark.parametrize(("text", "line"), [("{\n  nonsense", 2), ("", 1), ("[1, 2]", None), ("{}", None)])
def test_what_is_hardly_a_definition(page: Page, text: str, line: int | None) -> None:
    told = page.post("validate", definition=text)
    assert told["valid"] is False
    assert told["diagnostics"]
    if line is not None:
        assert told["diagnostics"][0]["line"] == line


def test_what_is_sound_has_a_picture(page: Page) -> None:
    told = page.post("validate", definition=json.dumps(PASS, indent=2))
    assert (told["valid"], told["diagnostics"]) == (True, [])
    assert told["states"] == [{"name": "Done", "type": "Pass", "place": "/States/Done", "line": 4, "column": 5}]
    assert 'data-state="Done"' in told["svg"]


def test_what_an_express_machine_cannot_have(page: Page) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    task["Parameters"] = {"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}}
    text = json.dumps({"StartAt": "T", "States": {"T": task}})
    assert page.post("validate", definition=text)["valid"] is True
    assert page.post("validate", definition=text, type="EXPRESS")["valid"] is False


def large(states: int, filler: int) -> str:
    """A definition with so many states in a row, and so many characters more."""
    made: dict[str, Any] = {
        f"State {number}": {"Type": "Pass", "Comment": "x" * (filler // states), "Next": f"State {number + 1}"}
        for number in range(states - 1)
    }
    made[f"State {states - 1}"] = {"Type": "Succeed"}
    return json.dumps({"StartAt": "State 0", "States": made})


def test_a_definition_of_a_mebibyte_with_500_states(page: Page) -> None:
    text = large(500, 950_000)
    told = page.post("validate", definition=text)
    assert (told["valid"], len(told["states"])) == (True, 500)
    assert told["svg"].count('class="node') == 500
    found = page.write("validate", {"definition": "x" * 1_200_000})
    assert (found.status, found.json["error"]) == (413, "RequestTooLarge")


def test_a_text_has_to_be_one(page: Page) -> None:
    assert page.write("validate", {"definition": 1}).status == 400
    assert page.write("validate", {}).json["message"] == "The member definition is missing"


# -- inputs and coverage ------------------------------------------------------------------------------


def test_inputs_to_start_with(page: Page, created_machine: Callable[..., str]) -> None:
    arn = created_machine(PASS, "shop")  # it is there already
    for number, given in enumerate(('{"n": 1}', '{"n": 2}', '{"n": 1}')):
        ran = page.operation("StartExecution", stateMachineArn=arn, name=f"i{number}", input=given)
        ended(page.server.client(), ran["executionArn"])
    told = page.get("inputs", machine=arn)
    assert told["samples"] == [
        {"name": "shop-large.json", "text": '{"large": 1}'},
        {"name": "other.json", "text": '{"other": 1}'},
    ]
    assert [one["text"] for one in told["last"]][:2] == ['{"n": 1}', '{"n": 2}']
    assert told["last"][0]["name"] == "i2"


def test_coverage_of_this_very_definition(
    page: Page, created_machine: Callable[..., str], page_folder: Path
) -> None:
    arn = created_machine(PASS, "covered")
    missing = page.refused("coverage", machine=arn)
    assert (missing.status, missing.json["error"]) == (404, "NoCoverage")
    (page_folder / DATA_FILE).write_text("{")
    assert page.refused("coverage", machine=arn).json["error"] == "NoCoverage"
    covered = DefinitionCoverage.of(load(json.dumps(PASS)), "covered.asl.json")
    covered.add("test_it", {"state /States/Done": 2})
    CoverageData([covered]).write(page_folder / DATA_FILE)
    told = page.get("coverage", machine=arn)
    assert (told["name"], told["covered"], told["total"]) == ("covered.asl.json", 1, 2)
    assert told["missing"] == ["/States/Done/End"]
    assert told["svg"].startswith("<svg")
