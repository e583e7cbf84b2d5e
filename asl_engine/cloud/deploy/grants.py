"""The permissions that each optimised integration needs, as a table.

"Integrating services" of the Step Functions Developer Guide: the action itself; for ``.sync`` also the actions
that watch and stop the job, and the rule by which EventBridge reports its end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asl_engine.arn import executions_of, is_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.cloud.deploy.account import AwsAccount

__all__ = ["RULES", "SDK_PREFIXES", "Grant"]


class Grant(NamedTuple):
    """One action on one resource.  ``condition`` restricts iam:PassRole to a service.

    ``note`` explains to the reader of the policy why it covers more than one resource.
    """

    action: str
    resource: str
    condition: str | None = None
    note: str | None = None


Rule: TypeAlias = "Callable[[dict[str, Any], AwsAccount, str], Iterator[Grant]]"

# Where the IAM prefix of a service is not the name that the AWS SDK for Java gives it in a Resource.
SDK_PREFIXES = {
    "apigateway": "apigateway",
    "applicationautoscaling": "application-autoscaling",
    "autoscaling": "autoscaling",
    "bedrockruntime": "bedrock",
    "cloudwatch": "cloudwatch",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "docdb": "rds",
    "efs": "elasticfilesystem",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "eventbridge": "events",
    "emrcontainers": "emr-containers",
    "emrserverless": "emr-serverless",
    "neptune": "rds",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "sagemakerruntime": "sagemaker",
    "sesv2": "ses",
    "sfn": "states",
}
_QUEUE = re.compile(r"https?://sqs\.(?P<region>[\w-]+)\.[\w.]+/(?P<account>\d{12})/(?P<name>[\w.-]+)")


def _text(arguments: dict[str, Any], name: str) -> str | None:
    value = arguments.get(name)
    return value if isinstance(value, str) and not value.lstrip().startswith("{%") else None


def _table(action: str) -> Rule:
    def rule(arguments: dict[str, Any], place: AwsAccount, _pattern: str) -> Iterator[Grant]:
        name = _text(arguments, "TableName")
        if name is None:
            yield Grant(
                action, place.arn("dynamodb", "table/*"), note=f"{action} on all tables: TableName is computed"
            )
        else:
            arn = name if is_arn(name) else place.arn("dynamodb", f"table/{name}")
            yield Grant(action, arn)
            if {"IndexName", "IndexName.$"} & set(arguments):
                yield Grant(action, f"{arn}/index/*")

    return rule


def _send_message(arguments: dict[str, Any], place: AwsAccount, _pattern: str) -> Iterator[Grant]:
    queue = _QUEUE.fullmatch(_text(arguments, "QueueUrl") or "")
    if queue is None:
        yield Grant(
            "sqs:SendMessage", place.arn("sqs", "*"), note="sqs:SendMessage on all queues: QueueUrl is computed"
        )
    else:
        where = f"{queue['region']}:{queue['account']}:{queue['name']}"
        yield Grant("sqs:SendMessage", f"arn:{place.partition}:sqs:{where}")


def _publish(arguments: dict[str, Any], place: AwsAccount, _pattern: str) -> Iterator[Grant]:
    topic = _text(arguments, "TopicArn") or _text(arguments, "TargetArn")
    if topic is not None:
        yield Grant("sns:Publish", topic)
    elif "PhoneNumber" in arguments or "PhoneNumber.$" in arguments:
        yield Grant("sns:Publish", "*", note="sns:Publish on all resources: a phone number has no ARN")
    else:
        yield Grant("sns:Publish", place.arn("sns", "*"), note="sns:Publish on all topics: TopicArn is computed")


def _put_events(arguments: dict[str, Any], place: AwsAccount, _pattern: str) -> Iterator[Grant]:
    entries = arguments.get("Entries")
    for entry in entries if isinstance(entries, list) else [{"EventBusName": "{%"}]:
        bus = _text(entry, "EventBusName") if isinstance(entry, dict) else None
        if bus is None and isinstance(entry, dict) and not {"EventBusName", "EventBusName.$"} & set(entry):
            bus = "default"
        if bus is None:
            note = "events:PutEvents on all event buses: EventBusName is computed"
            yield Grant("events:PutEvents", place.arn("events", "event-bus/*"), note=note)
        else:
            yield Grant("events:PutEvents", bus if is_arn(bus) else place.arn("events", f"event-bus/{bus}"))


def _start_execution(arguments: dict[str, Any], place: AwsAccount, pattern: str) -> Iterator[Grant]:
    arn = _text(arguments, "StateMachineArn")
    note = None if arn else "states:StartExecution on all state machines: StateMachineArn is computed"
    yield Grant("states:StartExecution", arn or place.arn("states", "stateMachine:*"), note=note)
    if pattern.startswith(".sync"):
        executions = executions_of(arn or "") or place.arn("states", "execution:*:*")
        yield Grant("states:DescribeExecution", executions)
        yield Grant("states:StopExecution", executions)
        yield from _events_rule(place, "StepFunctionsGetEventsForStepFunctionsExecutionRule")


def _events_rule(place: AwsAccount, rule: str) -> Iterator[Grant]:
    for action in ("PutTargets", "PutRule", "DescribeRule"):
        yield Grant(f"events:{action}", place.arn("events", f"rule/{rule}"))


class JobGrant(NamedTuple):
    """A job that runs elsewhere.  ``kind`` and ``argument`` make its ARN (``job-queue/NAME``); "" is "*"."""

    actions: tuple[str, ...]
    watched: tuple[str, ...] = ()  # for .sync
    rule: str | None = None
    service: str = ""
    kind: str = ""
    argument: str = ""
    passes: str | None = None  # the service that receives a role


def _job(job: JobGrant) -> Rule:
    def rule(arguments: dict[str, Any], place: AwsAccount, pattern: str) -> Iterator[Grant]:
        named = _text(arguments, job.argument) if job.argument else None
        resource = "*"
        if named is not None and job.kind:
            resource = named if is_arn(named) else place.arn(job.service, f"{job.kind}{named}")
        for action in job.actions:
            note = f"{action} on all resources" if resource == "*" else None
            yield Grant(action, resource, note=note)
        if job.passes:
            everything = f"arn:{place.partition}:iam::{place.account}:role/*"
            note = f"iam:PassRole on all roles, to {job.passes} only"
            yield Grant("iam:PassRole", everything, job.passes, note)
        if pattern.startswith(".sync"):
            for action in job.watched:
                yield Grant(action, "*")
            if job.rule:
                yield from _events_rule(place, job.rule)

    return rule


def _http(arguments: dict[str, Any], place: AwsAccount, _pattern: str) -> Iterator[Grant]:
    """HTTP Task: the connection's secret is read through EventBridge."""
    authentication = arguments.get("Authentication") or arguments.get("InvocationConfig")
    connection = _text(authentication, "ConnectionArn") if isinstance(authentication, dict) else None
    yield Grant("states:InvokeHTTPEndpoint", place.arn("states", f"stateMachine:{place.machine}"))
    yield Grant("events:RetrieveConnectionCredentials", connection or place.arn("events", "connection/*"))
    for action in ("GetSecretValue", "DescribeSecret"):
        yield Grant(f"secretsmanager:{action}", place.arn("secretsmanager", "secret:events!connection/*"))


def _invoke_model(arguments: dict[str, Any], place: AwsAccount, _pattern: str) -> Iterator[Grant]:
    """A foundation model belongs to no account: its ARN has none."""
    model = _text(arguments, "ModelId")
    if model is None:
        yield Grant("bedrock:InvokeModel", "*", note="bedrock:InvokeModel on all models: ModelId is computed")
    else:
        named = f"arn:{place.partition}:bedrock:{place.region}::foundation-model/{model}"
        yield Grant("bedrock:InvokeModel", model if is_arn(model) else named)


_ATHENA_WATCHED = ("athena:StopQueryExecution", "athena:GetQueryExecution")
RULES: dict[tuple[str, str], Rule] = {
    **{
        ("dynamodb", action): _table(f"dynamodb:{action[:1].upper()}{action[1:]}")
        for action in ("getItem", "putItem", "deleteItem", "updateItem", "query", "scan")
    },
    ("sqs", "sendMessage"): _send_message,
    ("sns", "publish"): _publish,
    ("events", "putEvents"): _put_events,
    ("states", "startExecution"): _start_execution,
    ("http", "invoke"): _http,
    ("batch", "submitJob"): _job(
        JobGrant(
            ("batch:SubmitJob",),
            ("batch:DescribeJobs", "batch:TerminateJob"),
            "StepFunctionsGetEventsForBatchJobsRule",
        )
    ),
    ("ecs", "runTask"): _job(
        JobGrant(
            ("ecs:RunTask",),
            ("ecs:StopTask", "ecs:DescribeTasks"),
            "StepFunctionsGetEventsForECSTaskRule",
            "ecs",
            "task-definition/",
            "TaskDefinition",
            "ecs-tasks.amazonaws.com",
        )
    ),
    ("glue", "startJobRun"): _job(
        JobGrant(
            ("glue:StartJobRun",),
            ("glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"),
            None,
            "glue",
            "job/",
            "JobName",
        )
    ),
    ("codebuild", "startBuild"): _job(
        JobGrant(
            ("codebuild:StartBuild",),
            ("codebuild:StopBuild", "codebuild:BatchGetBuilds"),
            "StepFunctionsGetEventForCodeBuildStartBuildRule",
            "codebuild",
            "project/",
            "ProjectName",
        )
    ),
    ("athena", "startQueryExecution"): _job(
        JobGrant(
            (
                "athena:StartQueryExecution",
                "athena:GetDataCatalog",
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetPartitions",
                "s3:GetBucketLocation",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:PutObject",
            ),
            _ATHENA_WATCHED,
        )
    ),
    ("bedrock", "invokeModel"): _invoke_model,
    ("elasticmapreduce", "createCluster"): _job(
        JobGrant(
            ("elasticmapreduce:RunJobFlow",),
            ("elasticmapreduce:DescribeCluster", "elasticmapreduce:TerminateJobFlows"),
            "StepFunctionsGetEventForEMRRunJobFlowRule",
            passes="elasticmapreduce.amazonaws.com",
        )
    ),
    ("elasticmapreduce", "addStep"): _job(
        JobGrant(
            ("elasticmapreduce:AddJobFlowSteps",),
            ("elasticmapreduce:DescribeStep", "elasticmapreduce:CancelSteps"),
            "StepFunctionsGetEventForEMRAddJobFlowStepsRule",
        )
    ),
    ("sagemaker", "createTrainingJob"): _job(
        JobGrant(
            ("sagemaker:CreateTrainingJob", "sagemaker:AddTags"),
            ("sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"),
            "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
            passes="sagemaker.amazonaws.com",
        )
    ),
    ("apigateway", "invoke"): _job(JobGrant(("execute-api:Invoke",))),
}
