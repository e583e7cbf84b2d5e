"""The optimised integrations, as data.  "Integrating optimized services" in the Developer Guide.

``service:action`` -> the operation it calls, the patterns it supports besides request and response, and how
``.sync`` follows the job it started.  docs/integrations.md is generated from this table.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import CALLBACK as TOKEN
from asl_engine.resources.aws.failures import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EXECUTION", "FAMILIES", "OPTIMISED", "SYNC", "TOKEN", "FollowedJob", "Named", "Optimised"]

SYNC = ".sync"

# By botocore's names.  The error prefix, its fallback and the service's name in version 1 of the SDK for Java.
FAMILIES = {
    "athena": Family("Athena", "AmazonAthenaException", "AmazonAthena"),
    "batch": Family("Batch", "AWSBatchException", "AWSBatch"),
    "bedrock": Family("Bedrock", "BedrockException", "Bedrock", legacy=False),
    "bedrock-agentcore": Family("BedrockAgentCore", "BedrockAgentCoreException", "BedrockAgentCore", legacy=False),
    "bedrock-runtime": Family("Bedrock", "BedrockRuntimeException", "BedrockRuntime", legacy=False),
    "codebuild": Family("CodeBuild", "AWSCodeBuildException", "AWSCodeBuild"),
    "databrew": Family("DataBrew", "AWSGlueDataBrewException", "AWSGlueDataBrew"),
    "dynamodb": Family("DynamoDB", "AmazonDynamoDBException", "AmazonDynamoDBv2", judges_values=True),
    "ecs": Family("ECS", "AmazonECSException", "AmazonECS"),
    "eks": Family("EKS", "AmazonEKSException", "AmazonEKS"),
    "emr": Family("ElasticMapReduce", "AmazonElasticMapReduceException", "AmazonElasticMapReduce"),
    "emr-containers": Family("EMRContainers", "AmazonEMRContainersException", "AmazonEMRContainers"),
    "emr-serverless": Family("EmrServerless", "EmrServerlessException", "EmrServerless", legacy=False),
    "events": Family("EventBridge", "AmazonEventBridgeException", "AmazonEventBridge"),
    "glue": Family("Glue", "AWSGlueException", "AWSGlue"),
    "mediaconvert": Family("MediaConvert", "MediaConvertException", "MediaConvert", legacy=False),
    "sagemaker": Family("SageMaker", "AmazonSageMakerException", "AmazonSageMaker"),
    "sns": Family("SNS", "AmazonSNSException", "AmazonSNS"),
    "sqs": Family("SQS", "AmazonSQSException", "AmazonSQS"),
    "stepfunctions": Family("StepFunctions", "AWSStepFunctionsException", "AWSStepFunctions"),
}


class FollowedJob(NamedTuple):
    """How a job is followed.

    A place is a path of fields as the task's JSON names them: ``Jobs.0.Status``.  ``ask`` makes the request
    of ``describe`` from places in what was started (``.Field`` takes it from the task's own parameters); a
    place in brackets makes a list.  The job's own result is at ``result``, its state at ``status``; a state
    neither in ``succeeded`` nor in ``failed`` is still in progress.  ``cancel`` is the operation that stops
    it, with a request like ``ask``.
    """

    describe: str
    ask: Mapping[str, str]
    status: str
    succeeded: frozenset[str]
    failed: frozenset[str]
    result: str = ""
    cancel: str | None = None
    cancel_ask: Mapping[str, str] | None = None


class Named(NamedTuple):
    """A thing that the task names, and the API wants by its id.

    ``field`` has the name, ``into`` is the place of the id; ``listing`` is the operation that lists them, whose
    answers have them in ``items``.
    """

    field: str
    into: str
    listing: str
    items: str


class Optimised(NamedTuple):
    """One integration: its operation, and the patterns that it knows beside request and response.

    ``renamed`` and ``shown`` are for integrations with their own field names: fields of the task by those of
    the request (in brackets: as a list), and fields of the result by those of the answer.  By places in the
    task's words: ``needed`` has to be given beside what the API requires, ``true`` has to be true, ``refused``
    is not supported; ``taken`` is not for the patterns that set it themselves.  ``longest``: a task that takes
    more seconds has timed out, whatever its TimeoutSeconds.
    """

    service: str
    operation: str
    patterns: tuple[str, ...] = ()
    job: FollowedJob | None = None
    renamed: Mapping[str, str] = MappingProxyType({})
    shown: Mapping[str, str] = MappingProxyType({})
    needed: frozenset[str] = frozenset()
    true: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    taken: Mapping[str, frozenset[str]] = MappingProxyType({})
    named: Named | None = None
    longest: int | None = None

    @property
    def family(self) -> Family:
        return FAMILIES[self.service]

    @property
    def has_rules(self) -> bool:
        """Whether its fields are not just those of the API's request."""
        return bool(self.renamed or self.needed or self.refused or self.taken)


def _states(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _job(
    describe: str, ask: Mapping[str, str], status: str, succeeded: str, failed: str, *more: Any
) -> FollowedJob:
    """``more``: where the result is, the operation that cancels, and its request if it differs from ``ask``."""
    job = FollowedJob(describe, ask, status, _states(succeeded), _states(failed), *more)
    return job._replace(cancel_ask=job.cancel_ask or ask)


def _synced(service: str, operation: str, job: FollowedJob, *also: str) -> Optimised:
    return Optimised(service, operation, (SYNC, *also), job=job)


def _sagemaker(thing: str, succeeded: str, failed: str) -> Optimised:
    ask = {f"{thing}Name": f".{thing}Name"}
    job = _job(f"Describe{thing}", ask, f"{thing}Status", succeeded, failed, "", f"Stop{thing}")
    return _synced("sagemaker", f"Create{thing}", job)


_ENDED = "Failed Stopped"
_RUN = {"ApplicationId": "ApplicationId", "JobRunId": "JobRunId"}
_EMR_APPLICATION = {"ApplicationId": ".ApplicationId"}
_VIRTUAL_CLUSTER = {"Id": "Id", "VirtualClusterId": "VirtualClusterId"}
_EKS_CLUSTER = {"Name": ".Name"}
_EKS_NODEGROUP = {"ClusterName": ".ClusterName", "NodegroupName": ".NodegroupName"}
_EKS_FARGATE = {"ClusterName": ".ClusterName", "FargateProfileName": ".FargateProfileName"}


def _eks(thing: str, ask: Mapping[str, str], field: str, failed: str) -> dict[str, Optimised]:
    made = _job(f"Describe{thing}", ask, f"{field}.Status", "ACTIVE", failed)
    gone = made._replace(succeeded=_states("ResourceNotFoundException"))
    return {
        f"eks:create{thing}": _synced("eks", f"Create{thing}", made),
        f"eks:delete{thing}": _synced("eks", f"Delete{thing}", gone),
    }


# An execution of another state machine on AWS; ``nested`` has the rest.
EXECUTION = _job(
    "DescribeExecution",
    {"ExecutionArn": "ExecutionArn"},
    "Status",
    "SUCCEEDED",
    "FAILED TIMED_OUT ABORTED",
    "",
    "StopExecution",
)

OPTIMISED: dict[str, Optimised] = {
    "athena:getQueryExecution": Optimised("athena", "GetQueryExecution"),
    "athena:getQueryResults": Optimised("athena", "GetQueryResults"),
    "athena:startQueryExecution": _synced(
        "athena",
        "StartQueryExecution",
        _job(
            "GetQueryExecution",
            {"QueryExecutionId": "QueryExecutionId"},
            "QueryExecution.Status.State",
            "SUCCEEDED",
            "FAILED CANCELLED",
            "",
            "StopQueryExecution",
        ),
    ),
    "athena:stopQueryExecution": Optimised("athena", "StopQueryExecution"),
    "batch:submitJob": _synced(
        "batch",
        "SubmitJob",
        _job(
            "DescribeJobs",
            {"Jobs": "[JobId]"},
            "Jobs.0.Status",
            "SUCCEEDED",
            "FAILED",
            "Jobs.0",
            "TerminateJob",
            {"JobId": "JobId", "Reason": "=The Step Functions execution was stopped"},
        ),
    ),
    "bedrock:createModelCustomizationJob": _synced(
        "bedrock",
        "CreateModelCustomizationJob",
        _job(
            "GetModelCustomizationJob",
            {"JobIdentifier": "JobArn"},
            "Status",
            "Completed",
            _ENDED,
            "",
            "StopModelCustomizationJob",
        ),
    ),
    "bedrock:invokeModel": Optimised("bedrock-runtime", "InvokeModel", (TOKEN,)),
    "bedrockagentcore:invokeHarness": Optimised(
        "bedrock-agentcore",
        "InvokeHarness",
        shown={field: field for field in ("Metrics", "Output", "StopReason", "Usage")},
        longest=900,
    ),
    "codebuild:batchDeleteBuilds": Optimised("codebuild", "BatchDeleteBuilds"),
    "codebuild:batchGetReports": Optimised("codebuild", "BatchGetReports"),
    "codebuild:startBuild": _synced(
        "codebuild",
        "StartBuild",
        _job(
            "BatchGetBuilds",
            {"Ids": "[Build.Id]"},
            "Builds.0.BuildStatus",
            "SUCCEEDED",
            "FAILED FAULT TIMED_OUT STOPPED",
            "Build=Builds.0",
            "StopBuild",
            {"Id": "Build.Id"},
        ),
    ),
    "codebuild:startBuildBatch": _synced(
        "codebuild",
        "StartBuildBatch",
        _job(
            "BatchGetBuildBatches",
            {"Ids": "[BuildBatch.Id]"},
            "BuildBatches.0.BuildBatchStatus",
            "SUCCEEDED",
            "FAILED FAULT TIMED_OUT STOPPED",
            "BuildBatch=BuildBatches.0",
            "StopBuildBatch",
            {"Id": "BuildBatch.Id"},
        ),
    ),
    "codebuild:stopBuild": Optimised("codebuild", "StopBuild"),
    "databrew:startJobRun": _synced(
        "databrew",
        "StartJobRun",
        _job(
            "DescribeJobRun",
            {"Name": ".Name", "RunId": "RunId"},
            "State",
            "SUCCEEDED",
            "FAILED STOPPED TIMEOUT",
            "",
            "StopJobRun",
        ),
    ),
    "dynamodb:deleteItem": Optimised("dynamodb", "DeleteItem"),
    "dynamodb:getItem": Optimised("dynamodb", "GetItem"),
    "dynamodb:putItem": Optimised("dynamodb", "PutItem"),
    "dynamodb:updateItem": Optimised("dynamodb", "UpdateItem"),
    "ecs:runTask": _synced(
        "ecs",
        "RunTask",
        _job(
            "DescribeTasks",
            {"Cluster": "Tasks.0.ClusterArn", "Tasks": "[Tasks.0.TaskArn]"},
            "Tasks.0.LastStatus",
            "STOPPED",
            "",
            "Tasks.0",
            "StopTask",
            {"Cluster": "Tasks.0.ClusterArn", "Task": "Tasks.0.TaskArn"},
        ),
        TOKEN,
    )._replace(taken={SYNC: frozenset({"Count", "StartedBy"})}),  # one task, started by Step Functions
    **_eks("Cluster", _EKS_CLUSTER, "Cluster", "FAILED"),
    **_eks("FargateProfile", _EKS_FARGATE, "FargateProfile", "CREATE_FAILED DELETE_FAILED"),
    **_eks("Nodegroup", _EKS_NODEGROUP, "Nodegroup", "CREATE_FAILED DELETE_FAILED DEGRADED"),
    "elasticmapreduce:addStep": _synced(
        "emr",
        "AddJobFlowSteps",
        _job(
            "DescribeStep",
            {"ClusterId": ".ClusterId", "StepId": "StepId"},
            "Step.Status.State",
            "COMPLETED",
            "FAILED CANCELLED INTERRUPTED",
            "",
            "CancelSteps",
            {"ClusterId": ".ClusterId", "StepIds": "[StepId]"},
        ),
    )._replace(renamed={"JobFlowId": "ClusterId", "Steps": "[Step]"}, shown={"StepId": "StepIds.0"}),
    "elasticmapreduce:cancelStep": Optimised(
        "emr",
        "CancelSteps",
        renamed={"StepIds": "[StepId]"},
        shown={"CancelStepsInfo": "CancelStepsInfoList.0"},
    ),
    "elasticmapreduce:createCluster": _synced(
        "emr",
        "RunJobFlow",
        _job(
            "DescribeCluster",
            {"ClusterId": "ClusterId"},
            "Cluster.Status.State",
            "RUNNING WAITING",
            "TERMINATED TERMINATED_WITH_ERRORS TERMINATING",
            "",
            "TerminateJobFlows",
            {"JobFlowIds": "[ClusterId]"},
        ),
    )._replace(
        shown={"ClusterArn": "ClusterArn", "ClusterId": "JobFlowId"},
        needed=frozenset({"Instances.KeepJobFlowAliveWhenNoSteps"}),
        true=frozenset({"Instances.KeepJobFlowAliveWhenNoSteps"}),
        refused=frozenset({"Steps"}),
    ),
    "elasticmapreduce:modifyInstanceFleetByName": Optimised(
        "emr",
        "ModifyInstanceFleet",
        refused=frozenset({"InstanceFleet.InstanceFleetId"}),
        named=Named("InstanceFleetName", "InstanceFleet.InstanceFleetId", "ListInstanceFleets", "InstanceFleets"),
    ),
    "elasticmapreduce:modifyInstanceGroupByName": Optimised(
        "emr",
        "ModifyInstanceGroups",
        renamed={"InstanceGroups": "[InstanceGroup]"},
        needed=frozenset({"ClusterId", "InstanceGroup"}),
        refused=frozenset({"InstanceGroup.InstanceGroupId"}),
        named=Named("InstanceGroupName", "InstanceGroup.InstanceGroupId", "ListInstanceGroups", "InstanceGroups"),
    ),
    "elasticmapreduce:setClusterTerminationProtection": Optimised(
        "emr", "SetTerminationProtection", renamed={"JobFlowIds": "[ClusterId]"}
    ),
    "elasticmapreduce:terminateCluster": _synced(
        "emr",
        "TerminateJobFlows",
        _job(
            "DescribeCluster",
            {"ClusterId": ".ClusterId"},
            "Cluster.Status.State",
            "TERMINATED TERMINATED_WITH_ERRORS",
            "",
        ),
    )._replace(renamed={"JobFlowIds": "[ClusterId]"}),
    "emr-containers:createVirtualCluster": Optimised("emr-containers", "CreateVirtualCluster"),
    "emr-containers:deleteVirtualCluster": _synced(
        "emr-containers",
        "DeleteVirtualCluster",
        _job("DescribeVirtualCluster", {"Id": ".Id"}, "VirtualCluster.State", "TERMINATED", "ARRESTED"),
    ),
    "emr-containers:startJobRun": _synced(
        "emr-containers",
        "StartJobRun",
        _job(
            "DescribeJobRun",
            _VIRTUAL_CLUSTER,
            "JobRun.State",
            "COMPLETED",
            "FAILED CANCELLED",
            "JobRun",
            "CancelJobRun",
        ),
    ),
    "emr-serverless:cancelJobRun": _synced(
        "emr-serverless",
        "CancelJobRun",
        _job("GetJobRun", _RUN, "JobRun.State", "CANCELLED", "SUCCESS FAILED", "JobRun"),
    ),
    "emr-serverless:createApplication": _synced(
        "emr-serverless",
        "CreateApplication",
        _job(
            "GetApplication",
            {"ApplicationId": "ApplicationId"},
            "Application.State",
            "CREATED STARTED",
            "TERMINATED",
        ),
    ),
    "emr-serverless:deleteApplication": _synced(
        "emr-serverless",
        "DeleteApplication",
        _job("GetApplication", _EMR_APPLICATION, "Application.State", "TERMINATED ResourceNotFoundException", ""),
    ),
    "emr-serverless:startApplication": _synced(
        "emr-serverless",
        "StartApplication",
        _job("GetApplication", _EMR_APPLICATION, "Application.State", "STARTED", "STOPPED TERMINATED"),
    ),
    "emr-serverless:startJobRun": _synced(
        "emr-serverless",
        "StartJobRun",
        _job("GetJobRun", _RUN, "JobRun.State", "SUCCESS", "FAILED CANCELLED", "JobRun", "CancelJobRun"),
    ),
    "emr-serverless:stopApplication": _synced(
        "emr-serverless",
        "StopApplication",
        _job("GetApplication", _EMR_APPLICATION, "Application.State", "STOPPED", "TERMINATED"),
    ),
    "events:putEvents": Optimised("events", "PutEvents", (TOKEN,)),
    "glue:startJobRun": _synced(
        "glue",
        "StartJobRun",
        _job(
            "GetJobRun",
            {"JobName": ".JobName", "RunId": "JobRunId"},
            "JobRun.JobRunState",
            "SUCCEEDED",
            "FAILED STOPPED TIMEOUT ERROR EXPIRED",
            "JobRun",
            "BatchStopJobRun",
            {"JobName": ".JobName", "JobRunIds": "[JobRunId]"},
        ),
    ),
    "mediaconvert:createJob": _synced(
        "mediaconvert",
        "CreateJob",
        _job("GetJob", {"Id": "Job.Id"}, "Job.Status", "COMPLETE", "ERROR CANCELED", "", "CancelJob"),
    ),
    "sagemaker:createEndpoint": Optimised("sagemaker", "CreateEndpoint"),
    "sagemaker:createEndpointConfig": Optimised("sagemaker", "CreateEndpointConfig"),
    "sagemaker:createHyperParameterTuningJob": _sagemaker("HyperParameterTuningJob", "Completed", _ENDED),
    "sagemaker:createLabelingJob": _sagemaker("LabelingJob", "Completed", _ENDED),
    "sagemaker:createModel": Optimised("sagemaker", "CreateModel"),
    "sagemaker:createProcessingJob": _sagemaker("ProcessingJob", "Completed", _ENDED),
    "sagemaker:createTrainingJob": _sagemaker("TrainingJob", "Completed", _ENDED),
    "sagemaker:createTransformJob": _sagemaker("TransformJob", "Completed", _ENDED),
    "sagemaker:updateEndpoint": Optimised("sagemaker", "UpdateEndpoint"),
    "sns:publish": Optimised("sns", "Publish", (TOKEN,)),
    "sqs:sendMessage": Optimised("sqs", "SendMessage", (TOKEN,)),
}
