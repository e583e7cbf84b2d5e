"""CloudFormation's references and functions, each with the value that it has here, or what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING
from asl_engine.templates.declarations import Surroundings
from asl_engine.templates.evaluation import TemplateEvaluation
from asl_engine.templates.recognition import read_template

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]},
        "Count": {"Type": "Number", "Default": 3},
        "Zones": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Ports": {"Type": "List<Number>", "Default": "1,2"},
        "Secret": {"Type": "String"},
        "Looked": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/orders/table"},
    },
    "Mappings": {"Sizes": {"dev": {"Memory": 128, "Names": ["x", "y"]}}},
    "Conditions": {
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "IsDev": {"Fn::Not": [{"Condition": "IsProd"}]},
        "Both": {"Fn::And": [{"Condition": "IsDev"}, {"Fn::Equals": [1, "1"]}]},
        "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
        "Round": {"Fn::Not": [{"Condition": "Robin"}]},
        "Robin": {"Condition": "Round"},
    },
    "Resources": {
        "Check": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": {"Fn::Sub": "check-${Stage}"}}},
        "Pack": {"Type": "AWS::Serverless::Function"},
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"StateMachineName": "orders"}},
        "Other": {"Type": "AWS::Serverless::StateMachine", "Properties": {"Name": "others"}},
        "Work": {"Type": "AWS::StepFunctions::Activity", "Properties": {"Name": "work"}},
        "Table": {"Type": "AWS::DynamoDB::Table"},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "bus"}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Role": {"Type": "AWS::IAM::Role"},
        "Setting": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/a", "Value": {"Ref": "Stage"}}},
        "Own": {"Type": "Custom::Thing"},
        "Absent": {"Type": "AWS::SQS::Queue", "Condition": "IsProd"},
        "Loop": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Pool"}}},
        "Pool": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Loop", "QueueName"]}}},
    },
    "Outputs": {"Out": {"Value": {"Ref": "Table"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-table"}}}},
}
ME = "us-east-1:123456789012"
VALUES: list[tuple[Any, Any]] = [
    ("plain", "plain"),
    ({"Ref": "Stage"}, "dev"),
    ({"Ref": "Count"}, "3"),
    ({"Ref": "Zones"}, ["a", "b"]),
    ({"Ref": "Ports"}, ["1", "2"]),
    ({"Ref": "AWS::Region"}, "us-east-1"),
    ({"Ref": "AWS::AccountId"}, "123456789012"),
    ({"Ref": "AWS::Partition"}, "aws"),
    ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
    ({"Ref": "AWS::StackName"}, "shop"),
    ({"Ref": "AWS::StackId"}, f"arn:aws:cloudformation:{ME}:stack/shop/local"),
    ({"Ref": "AWS::NoValue"}, MISSING),
    ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
    ([{"Ref": "AWS::NoValue"}, 1], [1]),
    ({"Ref": "Check"}, "check-dev"),
    ({"Fn::GetAtt": ["Check", "Arn"]}, f"arn:aws:lambda:{ME}:function:check-dev"),
    ({"Fn::GetAtt": "Pack.Arn"}, f"arn:aws:lambda:{ME}:function:Pack"),
    ({"Ref": "Machine"}, f"arn:aws:states:{ME}:stateMachine:orders"),
    ({"Fn::GetAtt": ["Machine", "Name"]}, "orders"),
    ({"Fn::GetAtt": ["Other", "Arn"]}, f"arn:aws:states:{ME}:stateMachine:others"),
    ({"Ref": "Work"}, f"arn:aws:states:{ME}:activity:work"),
    ({"Ref": "Table"}, "Table"),
    ({"Fn::GetAtt": ["Table", "Arn"]}, f"arn:aws:dynamodb:{ME}:table/Table"),
    ({"Ref": "Topic"}, f"arn:aws:sns:{ME}:news"),
    ({"Fn::GetAtt": ["Topic", "TopicName"]}, "news"),
    ({"Ref": "Queue"}, "https://sqs.us-east-1.amazonaws.com/123456789012/Queue"),
    ({"Fn::GetAtt": ["Queue", "Arn"]}, f"arn:aws:sqs:{ME}:Queue"),
    ({"Ref": "Bus"}, "bus"),
    ({"Fn::GetAtt": ["Bus", "Arn"]}, f"arn:aws:events:{ME}:event-bus/bus"),
    ({"Ref": "Bucket"}, "bucket"),
    ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::bucket"),
    ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::123456789012:role/Role"),
    ({"Fn::GetAtt": ["Setting", "Value"]}, "dev"),
    ({"Fn::Sub": "${Stage}-${AWS::Region}-${Check.Arn}"}, f"dev-us-east-1-arn:aws:lambda:{ME}:function:check-dev"),
    ({"Fn::Sub": "${!Stage} $.a ${Count}"}, "${Stage} $.a 3"),
    ({"Fn::Sub": ["${X}/${Stage}", {"X": {"Ref": "Count"}}]}, "3/dev"),
    ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 1]]}, "a-dev-1"),
    ({"Fn::Join": [",", {"Ref": "Zones"}]}, "a,b"),
    ({"Fn::Select": [1, {"Ref": "Zones"}]}, "b"),
    ({"Fn::Select": ["0", {"Fn::Split": ["/", "x/y"]}]}, "x"),
    ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
    ({"Fn::If": ["IsProd", {"Ref": "Nowhere"}, "small"]}, "small"),
    ({"Fn::If": ["Both", "yes", "no"]}, "yes"),
    ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
    ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]}, 128),
    ({"Fn::FindInMap": ["Sizes", "dev", "Names"]}, ["x", "y"]),
    ({"Fn::FindInMap": ["Sizes", "qa", "Memory", {"DefaultValue": 64}]}, 64),
    ({"Fn::ImportValue": "shop-table"}, "Table"),
    ({"Fn::ImportValue": {"Fn::Sub": "other-${Stage}"}}, "there"),
    ({"Fn::Base64": "a"}, "YQ=="),
    ({"Fn::GetAZs": ""}, ["us-east-1a", "us-east-1b", "us-east-1c"]),
    ({"Fn::Length": {"Ref": "Zones"}}, 2),
    ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a":"dev"}'),
    ({"Ref": "Stage", "other": 1}, {"Ref": "Stage", "other": 1}),
]
FAULTS: list[tuple[Any, str]] = [
    ({"Ref": "Stag"}, "There is no parameter or resource Stag; did you mean 'Stage'?"),
    ({"Ref": 1}, "Ref takes the name of a parameter or a resource"),
    ({"Ref": "AWS::Regio"}, "There is no pseudo parameter AWS::Regio; did you mean 'AWS::Region'?"),
    ({"Ref": "Absent"}, "There is no Absent here: its condition IsProd does not hold"),
    ({"Ref": "Loop"}, "This depends on itself: the name of Loop -> the name of Pool -> the name of Loop"),
    ({"Fn::If": ["Round", 1, 2]}, "This depends on itself: the condition Round -> the condition Robin -> the co"),
    ({"Fn::If": ["IsPrd", 1, 2]}, "There is no condition IsPrd; did you mean 'IsProd'?"),
    ({"Fn::If": ["IsProd", 1]}, "Fn::If takes a list of a condition's name and two values"),
    ({"Fn::GetAtt": "Check"}, "Fn::GetAtt takes a resource and one of its attributes"),
    ({"Fn::GetAtt": ["Chek", "Arn"]}, "There is no parameter or resource Chek; did you mean 'Check'?"),
    ({"Fn::Sub": "${Chek.Arn}"}, "There is no parameter or resource Chek; did you mean 'Check'?"),
    ({"Fn::Sub": ["a"]}, "Fn::Sub takes a text, or a list of a text and an object of values"),
    ({"Fn::Join": ["-"]}, "Fn::Join takes a list of a text and a list of values"),
    ({"Fn::Split": ["", "a"]}, "Fn::Split takes a list of a delimiter and a text"),
    ({"Fn::Select": [2, ["a", "b"]]}, "Fn::Select: there is no element 2 in a list of 2"),
    ({"Fn::Select": ["x", []]}, "Fn::Select takes a list of a number and a list of values"),
    ({"Fn::FindInMap": ["Sizes", "qa", "Memory"]}, "The Mappings have no Sizes.qa.Memory"),
    ({"Fn::FindInMap": ["Sizes"]}, "Fn::FindInMap takes a list of a mapping, a key and a key in that"),
    ({"Fn::Equals": [1]}, "Fn::Equals takes a list of two values"),
    ({"Fn::Not": []}, "Fn::Not takes a list of one condition"),
    ({"Fn::Base64": []}, "Fn::Base64 takes a text"),
    ({"Fn::Length": "a"}, "Fn::Length takes a list"),
    ({"Fn::ImportValue": []}, "Fn::ImportValue takes the name of an export"),
    (
        {"Fn::Transform": {"Name": "AWS::Include"}},
        "Fn::Transform is carried out by CloudFormation, and has no value",
    ),
    ({"Fn::Subb": "x"}, "CloudFormation has no function Fn::Subb; did you mean 'Fn::Sub'?"),
]
UNKNOWN: list[tuple[Any, str, str]] = [
    ({"Ref": "Secret"}, "Secret", "The parameter Secret has no default: substitute a value for Secret"),
    ({"Ref": "Looked"}, "Looked", "The parameter Looked is looked up in Systems Manager: substitute a value for"),
    ({"Fn::GetAtt": ["Own", "Thing"]}, "Own.Thing", "Own.Thing is known only when it is deployed: substitute a"),
    ({"Fn::GetAtt": ["Check", "Arm"]}, "Check.Arm", "is known only when it is deployed; did you mean 'Arn'?"),
    ({"Fn::Sub": "${Check.Nope}"}, "Check.Nope", "Check.Nope is known only when it is deployed"),
    ({"Fn::ImportValue": "nowhere"}, "nowhere", "No stack here exports nowhere: substitute a value for nowhere"),
    ("{{resolve:ssm:/a:1}}", "resolve:ssm:/a:1", "{{resolve:ssm:/a:1}} is looked up only when it is deployed"),
]


def evaluation(given: dict[str, str] | None = None, document: Any = None) -> TemplateEvaluation:
    document = {**TEMPLATE, "Metadata": document}
    around = Surroundings("us-east-1", "123456789012", "shop", given or {}, {"other-dev": "there"}.get)
    return TemplateEvaluation(document, read_template(dumps(document), "t.json")[1], around)


@pytest.mark.parametrize(("given", "value"), VALUES, ids=str)
def test_what_a_value_stands_for(given: Any, value: Any) -> None:
    assert evaluation().evaluate(given, "/Metadata") == (value, ())


@pytest.mark.parametrize(("given", "message"), FAULTS, ids=str)
def test_what_makes_no_sense_is_told_with_its_place(given: Any, message: str) -> None:
    [finding] = evaluation(document=given).evaluate(given, "/Metadata").findings
    assert message in finding.message
    assert (finding.code, finding.severity, finding.line) == ("BROKEN_TEMPLATE", "ERROR", 1)
    assert (finding.location or "").startswith(("/Metadata", "/Resources", "/Conditions"))


@pytest.mark.parametrize(("given", "name", "message"), UNKNOWN, ids=str)
def test_what_has_no_value_can_be_given_one(given: Any, name: str, message: str) -> None:
    found = evaluation(document=given).evaluate(given, "/Metadata")
    assert found.value == f"${{{name}}}"
    [finding] = found.findings
    assert message in finding.message
    assert finding.code == "UNFILLED_PLACEHOLDER"
    assert evaluation({name: "mine"}).evaluate(given, "/Metadata") == ("mine", ())


@pytest.mark.parametrize(
    ("given", "name", "value", "found"),
    [
        ({"Ref": "Stage"}, "Stage", "prod", "prod"),
        ({"Ref": "Zones"}, "Zones", "x,y", ["x", "y"]),
        ({"Fn::GetAtt": ["Check", "Arn"]}, "Check.Arn", "arn", "arn"),
        ({"Fn::Sub": "${Table}"}, "Table", "mine", "mine"),
        ({"Ref": "AWS::StackName"}, "AWS::StackName", "mine", "mine"),
        ({"Fn::If": ["IsProd", "a", "b"]}, "Stage", "prod", "a"),
    ],
)
def test_a_given_value_comes_first(given: Any, name: str, value: str, found: Any) -> None:
    assert evaluation({name: value}).evaluate(given, "/Metadata") == (found, ())


def test_a_parameter_has_only_the_values_that_it_allows() -> None:
    [finding] = evaluation({"Stage": "qa"}).evaluate({"Ref": "Stage"}, "/Metadata").findings
    assert finding.message == "The parameter Stage cannot be 'qa': it is one of dev, prod"


def test_a_region_has_its_partition() -> None:
    around = Surroundings("cn-north-1", "123456789012", "shop", {})
    china = TemplateEvaluation(TEMPLATE, lambda _: None, around)
    assert (
        china.evaluate({"Fn::GetAtt": ["Queue", "Arn"]}, "").value
        == "arn:aws-cn:sqs:cn-north-1:123456789012:Queue"
    )
    assert china.evaluate({"Ref": "AWS::URLSuffix"}, "").value == "amazonaws.com.cn"
