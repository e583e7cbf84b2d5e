"""What of a definition's text is replaced when functions are deployed along, and what is data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cloud.client import AwsError
from asl_engine.cloud.deploy.wiring import functions_named, is_json, placeholders_for, wire
from asl_engine.language.positions import span
from tests.cli.project import machine, task
from tests.cloud.account import ACCOUNT, REGION, Account

if TYPE_CHECKING:
    from tests.cli.project import Project

DOUBLE = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:m-double:1"
KNOWN = {"double": DOUBLE}
INVOKE = "arn:aws:states:::lambda:invoke"


def invoke(name: str, resource: str = INVOKE, field: str = "Parameters", **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, field: {"FunctionName": name, **more}}


NAMED = {
    "a Resource": task("double"),
    "another region": {"Type": "Task", "Resource": "arn:aws:lambda:region:account:function:double"},
    "a version": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:double:live"},
    "pseudo parameters": {
        "Type": "Task",
        "Resource": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:double",
    },
    "a FunctionName": invoke("double"),
    "with a version": invoke("double:7"),
    "a partial ARN": invoke("123456789012:function:double"),
    "an ARN": invoke("arn:aws:lambda:us-east-1:123456789012:function:double:$LATEST"),
    "a callback": invoke("double", f"{INVOKE}.waitForTaskToken"),
    "the SDK's": invoke("double", "arn:aws:states:::aws-sdk:lambda:invoke"),
    "another partition": invoke("double", "arn:aws-cn:states:::lambda:invoke"),
    "Arguments": {**invoke("double", field="Arguments"), "QueryLanguage": "JSONata"},
}


@pytest.mark.parametrize("state", NAMED.values(), ids=NAMED)
def test_where_a_task_names_a_function(state: dict[str, Any]) -> None:
    text = json.dumps(machine(A=state), indent=3)
    assert functions_named(text, KNOWN.get) == ["double"]
    wired = json.loads(wire(text, KNOWN, {}))["States"]["A"]
    given = wired.get("Parameters", wired.get("Arguments"))
    assert (wired["Resource"] if given is None else given["FunctionName"]) == DOUBLE


DATA = {
    "a Result": {"Type": "Pass", "Result": {"Type": "Task", **task("double")}},
    "a Result with a name": {"Type": "Pass", "Result": {"FunctionName": "double"}},
    "a Result with an ARN": {"Type": "Pass", "Result": [task("double")["Resource"]]},
    "a payload": invoke("other", Payload={"FunctionName": "double", "Resource": task("double")["Resource"]}),
    "Parameters of another integration": invoke("double", "arn:aws:states:::sqs:sendMessage"),
    "another operation of Lambda": invoke("double", "arn:aws:states:::aws-sdk:lambda:getFunction"),
    "a path": {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName.$": "double"}},
    "an expression": {**invoke("{% 'double' %}", field="Arguments"), "QueryLanguage": "JSONata"},
    "a comment": {"Type": "Pass", "Comment": f"calls {task('double')['Resource']}"},
    "part of a name": {"Type": "Task", "Resource": "arn:aws:lambda:r:a:function:${Stage}-double"},
    "a list": {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": ["double"]}},
}


@pytest.mark.parametrize("state", DATA.values(), ids=DATA)
def test_what_is_data_stays(state: dict[str, Any]) -> None:
    text = json.dumps(machine(A=state), indent=3)
    assert functions_named(text, KNOWN.get) == []
    assert wire(text, KNOWN, {}) == text


def test_everything_but_the_name_stays_to_the_letter() -> None:
    text = (
        '{"StartAt" : "a/b[0]", "States":\t{"a/b[0]": {"Type": "Parallel", "End": true, "Branches": ['
        '\n{"StartAt": "é",'
        '"States": {"\\u00e9": {"End": true,  "Resource" :"arn:aws:lambda:r:a:function:double", "Type": "Task",\n'
        ' "Parameters": {"said": "arn:aws:lambda:r:a:function:double"}, "TimeoutSeconds": ${Seconds}}}}]}}}'
    )
    assert is_json(text)
    expected = text.replace(':"arn:aws:lambda:r:a:function:double"', f':"{DOUBLE}"')
    assert wire(text, KNOWN, {}) == expected != text


def test_a_placeholder_means_a_function_only_where_a_task_names_one() -> None:
    names = {"double": "double", "live": "live"}
    pass_on = {"Type": "Pass", "Result": {"stage": "${live}", "arn": "${DoubleFunctionArn}"}}
    text = json.dumps(machine(A={"Type": "Task", "Resource": "${DoubleFunctionArn}"}, B=pass_on))
    known = placeholders_for(text, names.get)
    assert known == {"DoubleFunctionArn": "double"}
    states = json.loads(wire(text, KNOWN | {"live": "no"}, known))["States"]
    assert states["A"]["Resource"] == DOUBLE
    assert states["B"]["Result"] == {"stage": "${live}", "arn": DOUBLE}


def test_a_version_beside_the_name_is_refused() -> None:
    for field in ({"Qualifier": "7"}, {"Qualifier.$": "$.q"}):
        text = json.dumps(machine(A=invoke("double", **field)))
        with pytest.raises(AwsError, match=r"/States/A: .*leave Qualifier(\.\$)? out"):
            wire(text, KNOWN, {})
        assert wire(text, {}, {}) == text


def test_a_payload_that_mentions_a_function_is_deployed_as_it_is(project: Project, account: Account) -> None:
    payload = {"FunctionName": "double", "Resource": task("double")["Resource"]}
    definition = machine(Double=task("double"), Say={"Type": "Pass", "Result": payload})
    result = project.asl("deploy", project.define("m", definition), "--with-functions")
    assert result.code == 0, result.err
    arn = result.out.strip()
    shown = account.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    states = json.loads(shown["definition"])["States"]
    assert states["Double"]["Resource"] == DOUBLE
    assert states["Say"]["Result"] == payload


def test_a_definition_that_is_not_json_is_refused_with_its_place(project: Project) -> None:
    for command in ("deploy", "export"):
        refused = project.asl(command, project.define("m", '{"StartAt": "A",}'), "--with-functions")
        assert refused.code == 2
        assert "INVALID_JSON_DESCRIPTION" in refused.err
        assert ":1:" in refused.err


def test_the_offsets_of_a_value() -> None:
    text = ' {"a/b": {"[0]": [1, {"c":  "d" }]}, "a": {"b": 2}}'
    for location, value in (("/a/b/[0][1]/c", '"d"'), ("/a/b/[0][0]", "1"), ("/a/b", text[9:35]), ("", text[1:])):
        found = span(text, location)
        assert found is not None
        assert text[slice(*found)] == value
    assert span(text, "/a/b/c") is None
