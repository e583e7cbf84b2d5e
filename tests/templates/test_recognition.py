"""Templates that deploy state machines are known as such, and where their definitions are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.templates.recognition import TemplateMachine, recognised_template

SAM = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties: {Name: !If [Named, !Ref Name, !Ref AWS::NoValue]}
  Order:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: statemachine/order.asl.json
      Role: !GetAtt Role.Arn
  Inline:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: A
        States: {A: {Type: Task, Resource: !GetAtt [Fn, Arn], End: true}}
  Stored:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: {Bucket: b, Key: k.json}
Outputs:
  Zone: {Value: !Join ["", [a, !Select [0, !GetAZs ""]]]}
"""
CLOUDFORMATION = """\
Resources:
  Order:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: !Sub |
        {"StartAt": "A"}
  Bare:
    Type: AWS::StepFunctions::StateMachine
"""
SERVERLESS = """\
service: orders
provider: {name: aws}
stepFunctions:
  stateMachines:
    inline:
      definition: {StartAt: A, States: {A: {Type: Succeed}}}
    included:
      definition: ${file(order.asl.json)}
    whole: ${file(machines.yml):order}
"""
CDK: dict[str, Any] = {
    "Resources": {
        "M": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"DefinitionString": {"Fn::Join": ["", ["{}"]]}},
            "Metadata": {"aws:cdk:path": "S/M/Resource"},
        },
        "CDKMetadata": {"Type": "AWS::CDK::Metadata"},
    }
}
RECOGNISED = {
    "SAM": (
        "template.yaml",
        SAM,
        "a SAM template",
        [
            TemplateMachine(
                "Order", "/Resources/Order/Properties/DefinitionUri", "statemachine/order.asl.json", 10
            ),
            TemplateMachine("Inline", "/Resources/Inline/Properties/Definition", None, 15),
            TemplateMachine("Stored", "/Resources/Stored/Properties/DefinitionUri", "s3://b/k.json", 21),
        ],
    ),
    "CloudFormation": (
        "stack.yml",
        CLOUDFORMATION,
        "a CloudFormation template",
        [
            TemplateMachine("Order", "/Resources/Order/Properties/DefinitionString", None, 5),
            TemplateMachine("Bare", "/Resources/Bare", None, 7),
        ],
    ),
    "CDK": (
        "cdk.out/S.template.json",
        json.dumps(CDK),
        "a CloudFormation template of the CDK",
        [TemplateMachine("M", "/Resources/M/Properties/DefinitionString", None, 1)],
    ),
    "Serverless": (
        "serverless.yml",
        SERVERLESS,
        "a configuration of the Serverless Framework",
        [
            TemplateMachine("inline", "/stepFunctions/stateMachines/inline/definition", None, 6),
            TemplateMachine("included", "/stepFunctions/stateMachines/included/definition", "order.asl.json", 8),
            TemplateMachine("whole", "/stepFunctions/stateMachines/whole", "machines.yml", 9),
        ],
    ),
    "Serverless, all elsewhere": (
        "serverless.yml",
        "service: x\nstepFunctions: ${file(steps.yml)}\n",
        "a configuration of the Serverless Framework",
        [TemplateMachine("stepFunctions", "/stepFunctions", "steps.yml", 2)],
    ),
}


@pytest.mark.parametrize(("name", "text", "kind", "machines"), RECOGNISED.values(), ids=RECOGNISED)
def test_what_is_a_template(name: str, text: str, kind: str, machines: list[TemplateMachine]) -> None:
    found = recognised_template(text, name)
    assert found is not None
    assert (found.kind, [*found.machines]) == (kind, machines)


DEFINITION = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": CDK, "End": True}}}
OTHERS = {
    "a definition with a template in a payload": json.dumps(DEFINITION),
    "a definition that names one": "# stepFunctions\nStartAt: A\nStates: {A: {Type: Succeed}}\n",
    "broken JSON": '{"Resources": {"M": {"Type": "AWS::StepFunctions::StateMachine"',
    "broken YAML": "Resources: [AWS::StepFunctions::StateMachine",
    "a list": "- AWS::StepFunctions::StateMachine",
    "nothing": "",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_what_is_none(text: str) -> None:
    assert recognised_template(text, "m.json") is None
