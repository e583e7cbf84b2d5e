"""What of a project's files stands for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from asl_engine.dev.definitions import defined_machines, found_in
from asl_engine.limits import NO_LIMITS
from asl_engine.project.configuration import find_project

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:lambda:us-east-1:123456789012:function:work"
TEMPLATE = """Transform: AWS::Serverless-2016-10-31
Resources:
  Items:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: items
      DefinitionUri: machine/items.asl.json
      DefinitionSubstitutions: {Arn: "ARN"}
""".replace("ARN", ARN)
DEFINITION = """{"StartAt": "P", "States": {"P": {"Type": "Task", "Resource": "${Arn}", "End": true}}}"""


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (TEMPLATE.replace("items.asl.json", "itms.asl.json"), "itms.asl.json"),
        (TEMPLATE + "  [", "This is not YAML"),
    ],
    ids=["a file that is not there", "no YAML"],
)
def test_the_definition_of_a_broken_template_is_no_mistake_besides(
    tmp_path: Path, template: str, reason: str
) -> None:
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "items.asl.json").write_text(DEFINITION, encoding="utf-8")
    (tmp_path / "plain.asl.json").write_text(DEFINITION.replace("${Arn}", ARN), encoding="utf-8")
    place = tmp_path / "template.yaml"
    place.write_text(TEMPLATE, encoding="utf-8")
    assert machines(tmp_path) == {"items": "", "plain": ""}
    place.write_text(template, encoding="utf-8")
    found = machines(tmp_path)
    assert found.pop("plain") == ""
    (fault,) = found.values()
    assert reason in fault
    place.unlink()
    assert "placeholder ${Arn} has no value" in machines(tmp_path)["machine/items.asl.json"]  # of nobody's now


def machines(root: Path) -> dict[str, str]:
    """What keeps each machine from being made, by its name, or its place where it has none."""
    project = find_project(root, {})
    made = defined_machines(project, found_in(project), NO_LIMITS, {})
    return {one.name or one.place: one.faults for one in made}
