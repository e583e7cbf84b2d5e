"""What ``asl deploy`` makes of a machine that a template declares, and assemblies that have stages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import asl_engine
from asl_engine.cli.commands.deploy import Deployment, order_for
from asl_engine.project.definitions import Substituting

if TYPE_CHECKING:
    import pytest

HERE = Path(__file__).parent


def test_a_machine_is_deployed_with_arns_of_wherever_it_goes() -> None:
    template = HERE / "sam" / "template.yaml"
    given = Substituting(("Stage=prod",))
    order = order_for(Deployment(f"{template}#OrderMachine", substituting=given))
    states = json.loads(order.text)["States"]
    assert (order.name, states["Validate"]["Resource"]) == (
        "orders-prod",
        "arn:aws:lambda:region:account:function:ValidateFunction",
    )
    assert states["Charge"]["Parameters"]["FunctionName"] == "charge-prod"


def test_an_express_machine_is_deployed_as_one(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  Fast:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n"
        "      StateMachineType: EXPRESS\n      Definition: {StartAt: A, States: {A: {Type: Succeed}}}\n",
        encoding="utf-8",
    )
    order = order_for(Deployment(str(template)))
    assert (order.name, order.settings.type) == ("Fast", "EXPRESS")


def test_the_stages_of_an_assembly_are_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stage = Path("cdk.out", "assembly-Prod")
    stage.mkdir(parents=True)
    manifest = {"Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": stage.name}}}
    Path("cdk.out", "manifest.json").write_text(json.dumps({"artifacts": manifest}), encoding="utf-8")
    stack = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "S.template.json", "stackName": "p"},
    }
    (stage / "manifest.json").write_text(json.dumps({"artifacts": {"S": stack}}), encoding="utf-8")
    definition = {
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Result": {"Ref": "AWS::StackName"}, "End": True}},
    }
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"Definition": definition}}
    (stage / "S.template.json").write_text(json.dumps({"Resources": {"M": machine}}), encoding="utf-8")
    assert asl_engine.run("cdk.out", db=None).output == "p"
    assert asl_engine.run("cdk.out#M").output == "p"
