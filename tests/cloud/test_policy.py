"""The least privilege of definitions: a table of tasks and what each needs."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.cloud.deploy.account import AwsAccount
from asl_engine.cloud.deploy.grants import Grant
from asl_engine.cloud.deploy.policy import covers, document_of, grants

PLACE = AwsAccount(
    "aws", "eu-west-1", "123456789012", "m", frozenset({"arn:aws:lambda:eu-west-1:123456789012:function:own"})
)
HERE = "eu-west-1:123456789012"
RULE = f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
CHILD = f"arn:aws:states:{HERE}:stateMachine:child"


def resource(service: str) -> str:
    return f"arn:aws:states:::{service}"


TASKS: dict[str, tuple[dict[str, Any], dict[str, set[str]]]] = {
    "a function": (
        {"Resource": f"arn:aws:lambda:{HERE}:function:pay"},
        {"lambda:InvokeFunction": {f"arn:aws:lambda:{HERE}:function:pay"}},
    ),
    "a version of a function": (
        {"Resource": f"arn:aws:lambda:{HERE}:function:pay:7"},
        {"lambda:InvokeFunction": {f"arn:aws:lambda:{HERE}:function:pay:7"}},
    ),
    "a function that is deployed along": (
        {"Resource": f"arn:aws:lambda:{HERE}:function:own:3"},
        {"lambda:InvokeFunction": {f"arn:aws:lambda:{HERE}:function:own:*"}},
    ),
    "lambda:invoke": (
        {"Resource": resource("lambda:invoke"), "Parameters": {"FunctionName": "pay", "Qualifier": "live"}},
        {"lambda:InvokeFunction": {f"arn:aws:lambda:{HERE}:function:pay:live"}},
    ),
    "lambda:invoke, computed": (
        {"Resource": resource("lambda:invoke.waitForTaskToken"), "Arguments": {"FunctionName": "{% $name %}"}},
        {"lambda:InvokeFunction": {f"arn:aws:lambda:{HERE}:function:*"}},
    ),
    "an activity": ({"Resource": f"arn:aws:states:{HERE}:activity:pay"}, {}),
    "dynamodb": (
        {"Resource": resource("dynamodb:putItem"), "Parameters": {"TableName": "orders"}},
        {"dynamodb:PutItem": {f"arn:aws:dynamodb:{HERE}:table/orders"}},
    ),
    "dynamodb, computed": (
        {"Resource": resource("dynamodb:getItem"), "Parameters": {"TableName.$": "$.table"}},
        {"dynamodb:GetItem": {f"arn:aws:dynamodb:{HERE}:table/*"}},
    ),
    "dynamodb through the SDK, with an index": (
        {
            "Resource": resource("aws-sdk:dynamodb:query"),
            "Parameters": {"TableName": "orders", "IndexName": "day"},
        },
        {
            "dynamodb:Query": {
                f"arn:aws:dynamodb:{HERE}:table/orders",
                f"arn:aws:dynamodb:{HERE}:table/orders/index/*",
            }
        },
    ),
    "sqs": (
        {
            "Resource": resource("sqs:sendMessage"),
            "Parameters": {"QueueUrl": "https://sqs.eu-north-1.amazonaws.com/210987654321/jobs"},
        },
        {"sqs:SendMessage": {"arn:aws:sqs:eu-north-1:210987654321:jobs"}},
    ),
    "sns": (
        {"Resource": resource("sns:publish"), "Parameters": {"TopicArn": f"arn:aws:sns:{HERE}:news"}},
        {"sns:Publish": {f"arn:aws:sns:{HERE}:news"}},
    ),
    "sns to a telephone": (
        {"Resource": resource("sns:publish"), "Parameters": {"PhoneNumber": "+100"}},
        {"sns:Publish": {"*"}},
    ),
    "events": (
        {
            "Resource": resource("events:putEvents"),
            "Parameters": {"Entries": [{"Detail": {}}, {"EventBusName": "shop"}]},
        },
        {
            "events:PutEvents": {
                f"arn:aws:events:{HERE}:event-bus/default",
                f"arn:aws:events:{HERE}:event-bus/shop",
            }
        },
    ),
    "a nested execution": (
        {"Resource": resource("states:startExecution"), "Parameters": {"StateMachineArn": CHILD}},
        {"states:StartExecution": {CHILD}},
    ),
    "a nested execution that is waited for": (
        {"Resource": resource("states:startExecution.sync:2"), "Parameters": {"StateMachineArn": CHILD}},
        {
            "states:StartExecution": {CHILD},
            "states:DescribeExecution": {f"arn:aws:states:{HERE}:execution:child:*"},
            "states:StopExecution": {f"arn:aws:states:{HERE}:execution:child:*"},
            "events:PutTargets": {RULE},
            "events:PutRule": {RULE},
            "events:DescribeRule": {RULE},
        },
    ),
    "a nested execution of a parameter, waited for": (
        {"Resource": resource("states:startExecution.sync"), "Parameters": {"StateMachineArn": "${Child}"}},
        {
            "states:StartExecution": {"${Child}"},
            "states:DescribeExecution": {f"arn:aws:states:{HERE}:execution:*:*"},
            "states:StopExecution": {f"arn:aws:states:{HERE}:execution:*:*"},
            "events:PutTargets": {RULE},
            "events:PutRule": {RULE},
            "events:DescribeRule": {RULE},
        },
    ),
    "a nested execution through the SDK": (
        {"Resource": resource("aws-sdk:sfn:startExecution"), "Parameters": {"StateMachineArn": CHILD}},
        {"states:StartExecution": {CHILD}},
    ),
    "s3 through the SDK": (
        {"Resource": resource("aws-sdk:s3:getObject"), "Parameters": {"Bucket": "b", "Key": "k.json"}},
        {"s3:GetObject": {"arn:aws:s3:::b/k.json"}},
    ),
    "a listing of s3": (
        {"Resource": resource("aws-sdk:s3:listObjectsV2"), "Parameters": {"Bucket": "b"}},
        {"s3:ListBucket": {"arn:aws:s3:::b"}},
    ),
    "another service of the SDK": (
        {"Resource": resource("aws-sdk:cloudwatchlogs:putLogEvents")},
        {"logs:PutLogEvents": {"*"}},
    ),
    "glue, waited for": (
        {"Resource": resource("glue:startJobRun.sync"), "Parameters": {"JobName": "nightly"}},
        {
            "glue:StartJobRun": {f"arn:aws:glue:{HERE}:job/nightly"},
            "glue:GetJobRun": {"*"},
            "glue:GetJobRuns": {"*"},
            "glue:BatchStopJobRun": {"*"},
        },
    ),
    "an operation of another name": (
        {"Resource": resource("elasticmapreduce:cancelStep"), "Parameters": {"ClusterId": "c", "StepId": "s"}},
        {"elasticmapreduce:CancelSteps": {"*"}},
    ),
    "a fleet that is named": (
        {"Resource": resource("elasticmapreduce:modifyInstanceFleetByName")},
        {"elasticmapreduce:ModifyInstanceFleet": {"*"}, "elasticmapreduce:ListInstanceFleets": {"*"}},
    ),
    "a model": (
        {"Resource": resource("bedrock:invokeModel"), "Parameters": {"ModelId": "some.model-v1"}},
        {"bedrock:InvokeModel": {"arn:aws:bedrock:eu-west-1::foundation-model/some.model-v1"}},
    ),
    "an HTTP call": (
        {
            "Resource": resource("http:invoke"),
            "Parameters": {"Authentication": {"ConnectionArn": f"arn:aws:events:{HERE}:connection/c/1"}},
        },
        {
            "states:InvokeHTTPEndpoint": {f"arn:aws:states:{HERE}:stateMachine:m"},
            "events:RetrieveConnectionCredentials": {f"arn:aws:events:{HERE}:connection/c/1"},
            "secretsmanager:GetSecretValue": {f"arn:aws:secretsmanager:{HERE}:secret:events!connection/*"},
            "secretsmanager:DescribeSecret": {f"arn:aws:secretsmanager:{HERE}:secret:events!connection/*"},
        },
    ),
    "a role of another account": (
        {
            "Resource": f"arn:aws:states:{HERE}:activity:pay",
            "Credentials": {"RoleArn": "arn:aws:iam::210987654321:role/there"},
        },
        {"sts:AssumeRole": {"arn:aws:iam::210987654321:role/there"}},
    ),
}


def allowed(document: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            found.setdefault(action, set()).update(statement["Resource"])
    return found


@pytest.mark.parametrize(("task", "expected"), TASKS.values(), ids=TASKS)
def test_what_a_task_needs(task: dict[str, Any], expected: dict[str, set[str]]) -> None:
    nested = {
        "States": {
            "P": {"Type": "Parallel", "Branches": [{"States": {"T": {"Type": "Task", **task}}}]},
            "M": {"Type": "Map", "ItemProcessor": {"States": {"T2": {"Type": "Task", **task}}}},
        }
    }
    for document in ({"States": {"T": {"Type": "Task", **task}}}, nested):
        assert allowed(document_of(grants(document, PLACE))) == expected


@pytest.mark.parametrize("processor", ["ItemProcessor", "Iterator"])
def test_what_a_distributed_map_needs(processor: str) -> None:
    state = {
        "Type": "Map",
        processor: {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "States": {}},
        "ItemReader": {
            "Resource": resource("s3:getObject"),
            "ReaderConfig": {"InputType": "CSV"},
            "Parameters": {"Bucket": "in", "Key": "all.csv"},
        },
        "ResultWriter": {"Resource": resource("s3:putObject"), "Parameters": {"Bucket": "out", "Prefix": "runs/"}},
    }
    needed = allowed(document_of(grants({"States": {"M": state}}, PLACE)))
    executions = {f"arn:aws:states:{HERE}:execution:m:*", f"arn:aws:states:{HERE}:execution:m/*"}
    assert needed == {
        "states:StartExecution": {f"arn:aws:states:{HERE}:stateMachine:m"},
        "states:DescribeExecution": executions,
        "states:StopExecution": executions,
        "states:RedriveExecution": executions,
        "s3:GetObject": {"arn:aws:s3:::in/all.csv", "arn:aws:s3:::out/runs/*"},
        "s3:PutObject": {"arn:aws:s3:::out/runs/*"},
        "s3:ListMultipartUploadParts": {"arn:aws:s3:::out/runs/*"},
        "s3:AbortMultipartUpload": {"arn:aws:s3:::out/runs/*"},
    }


def test_a_payload_that_looks_like_a_task_needs_nothing() -> None:
    task = {"Type": "Task", "Resource": resource("sqs:sendMessage")}
    state = {
        "Type": "Pass",
        "Result": task,
        "Parameters": {"States": {"T": task}},
        "Branches": [{"States": {"T": task}}],
    }
    assert grants({"States": {"A": state}}, PLACE) == []


def test_what_is_wider_than_one_resource_is_noted() -> None:
    states = {
        "T": {"Type": "Task", "Resource": resource("dynamodb:getItem"), "Parameters": {"TableName.$": "$.t"}}
    }
    assert [grant.note for grant in grants({"States": states}, PLACE)] == [
        "dynamodb:GetItem on all tables: TableName is computed"
    ]


def test_a_role_is_passed_to_one_service_only() -> None:
    states = {
        "T": {"Type": "Task", "Resource": resource("ecs:runTask.sync"), "Parameters": {"TaskDefinition": "t"}}
    }
    document = document_of(grants({"States": states}, PLACE))
    (passing,) = [one for one in document["Statement"] if "iam:PassRole" in one["Action"]]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_one_policy_covers_another() -> None:
    narrow = document_of([Grant("a:B", "x")])
    wide = document_of([Grant("a:B", "x"), Grant("a:B", "y"), Grant("a:C", "x")])
    assert covers(wide, narrow)
    assert not covers(narrow, wide)
    assert not covers(document_of([Grant("a:B", "x", "s")]), narrow)
