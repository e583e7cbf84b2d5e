"""``.sync``: jobs are followed to their end, gone on with after a crash, and stopped with their execution."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import StatesError
from asl_engine.payload import Payload
from asl_engine.resources.aws.clients import AwsClients, Connecting
from asl_engine.resources.aws.tasks import optimised_resource, synced_resource
from asl_engine.resources.cancelling import GIVEN_UP
from asl_engine.resources.integrations import integration
from tests.resources.calls import a_call
from tests.resources.played_service import Played, played

if TYPE_CHECKING:
    from asl_engine.json_values import Json


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


def resource_at(url: str, name: str, service: str) -> Any:
    found = integration(f"arn:aws:states:::{name}.sync")
    assert found is not None
    return synced_resource(found, AwsClients(Connecting({service: url})), poll_seconds=0)


def asked(service: Played, name: str, at: str, given: Json) -> Any:
    """The result by request and response."""
    found = integration(f"arn:aws:states:::{name}")
    assert found is not None
    resource = optimised_resource(found, AwsClients(Connecting({at: service.url})))

    async def main() -> Payload:
        answer: Payload = await resource(a_call(name, given))
        return answer

    return asyncio.run(main()).value


def followed(service: Played, name: str, at: str, given: Json, **more: Any) -> Any:
    resource = resource_at(service.url, name, at)

    async def main() -> Payload:
        answer: Payload = await resource(a_call(name, given, **more))
        return answer

    return asyncio.run(main()).value


GLUE: Any = {"JobName": "nightly", "Arguments": {"--day": "1"}}


def glue_run(state: str) -> dict[str, Any]:
    return {"JobRun": {"Id": "jr_1", "JobName": "nightly", "JobRunState": state, "StartedOn": 1700000000.5}}


def test_a_job_is_followed_to_its_end() -> None:
    submissions: list[Payload] = []
    answers = {"StartJobRun": [{"JobRunId": "jr_1"}], "GetJobRun": [*map(glue_run, ("RUNNING", "SUCCEEDED"))]}
    with played(answers) as service:
        result = followed(service, "glue:startJobRun", "glue", GLUE, submissions=submissions)
    assert result == {
        "Id": "jr_1",
        "JobName": "nightly",
        "JobRunState": "SUCCEEDED",
        "StartedOn": 1700000000500,
    }
    (submitted,) = submissions
    assert json.loads(submitted.text)["JobRunId"] == "jr_1"
    ask = ("GetJobRun", {"JobName": "nightly", "RunId": "jr_1"})
    assert service.asked == [("StartJobRun", GLUE), ask, ask]


def test_after_a_crash_the_job_is_not_started_again() -> None:
    with played({"GetJobRun": [glue_run("SUCCEEDED")]}) as service:
        followed(service, "glue:startJobRun", "glue", GLUE, submitted=Payload({"JobRunId": "jr_1"}))
    assert [operation for operation, _ in service.asked] == ["GetJobRun"]


@pytest.mark.parametrize("state", ["FAILED", "STOPPED", "TIMEOUT", "ERROR"])
def test_a_job_that_fails_is_the_cause(state: str) -> None:
    answers = {"StartJobRun": [{"JobRunId": "jr_1"}], "GetJobRun": [glue_run(state)]}
    with played(answers) as service, pytest.raises(StatesError) as caught:
        followed(service, "glue:startJobRun", "glue", GLUE, submissions=[])
    assert caught.value.error == "States.TaskFailed"
    assert json.loads(caught.value.cause or "")["JobRunState"] == state


@pytest.mark.parametrize(("message", "stopped"), [(GIVEN_UP, True), (None, False)])
def test_a_job_is_stopped_with_its_execution_but_not_with_this_process(message: str | None, stopped: bool) -> None:
    asked = threading.Event()

    class Watched(list[Any]):
        def pop(self, index: Any = -1) -> Any:
            asked.set()
            return super().pop(index)

    answers: dict[str, list[Any]] = {
        "StartJobRun": [{"JobRunId": "jr_1"}],
        "GetJobRun": Watched([glue_run("RUNNING")] * 10_000),
        "BatchStopJobRun": [{}],
    }
    with played(answers) as service:
        resource = resource_at(service.url, "glue:startJobRun", "glue")

        async def main() -> None:
            task = asyncio.ensure_future(resource(a_call("glue", GLUE, submissions=[])))
            await asyncio.to_thread(asked.wait, 30)
            task.cancel(message)
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
    stops = [given for operation, given in service.asked if operation == "BatchStopJobRun"]
    assert stops == ([{"JobName": "nightly", "JobRunIds": ["jr_1"]}] if stopped else [])


def ecs_task(status: str, *codes: int | None) -> dict[str, Any]:
    containers = [{"name": f"c{n}"} | ({} if code is None else {"exitCode": code}) for n, code in enumerate(codes)]
    return {"tasks": [{"taskArn": "t/1", "clusterArn": "c/1", "lastStatus": status, "containers": containers}]}


@pytest.mark.parametrize(
    ("codes", "error"), [((0, 0), None), ((0, 1), "States.TaskFailed"), ((None,), "States.TaskFailed")]
)
def test_an_ecs_task_goes_well_where_all_its_containers_do(
    codes: tuple[int | None, ...], error: str | None
) -> None:
    answers = {"RunTask": [ecs_task("PENDING")], "DescribeTasks": [ecs_task("STOPPED", *codes)]}
    given: Any = {"LaunchType": "FARGATE", "Cluster": "c", "TaskDefinition": "d"}
    with played(answers) as service:
        if error is None:
            result = followed(service, "ecs:runTask", "ecs", given, submissions=[])
            assert result["Containers"] == [{"ExitCode": 0, "Name": "c0"}, {"ExitCode": 0, "Name": "c1"}]
        else:
            with pytest.raises(StatesError) as caught:
                followed(service, "ecs:runTask", "ecs", given, submissions=[])
            assert caught.value.error == error
    assert service.asked[-1] == ("DescribeTasks", {"cluster": "c/1", "tasks": ["t/1"]})


def test_an_ecs_task_that_finds_no_place() -> None:
    answers = {"RunTask": [{"tasks": [], "failures": [{"arn": "a", "reason": "RESOURCE:MEMORY"}]}]}
    with played(answers) as service, pytest.raises(StatesError) as caught:
        followed(service, "ecs:runTask", "ecs", {"TaskDefinition": "d"}, submissions=[])
    assert caught.value.error == "ECS.RESOURCE:MEMORY"


def test_a_batch_job() -> None:
    answers: dict[str, list[Any]] = {
        "submitjob": [{"jobId": "j", "jobName": "n"}],
        "describejobs": [{"jobs": [{"jobId": "j", "jobName": "n", "status": "SUCCEEDED", "createdAt": 7}]}],
    }
    given: Any = {"JobName": "n", "JobQueue": "q", "JobDefinition": "d"}
    with played(answers) as service:
        result = followed(service, "batch:submitJob", "batch", given, submissions=[])
    assert result == {"CreatedAt": 7, "JobId": "j", "JobName": "n", "Status": "SUCCEEDED"}


def test_words_of_their_own() -> None:
    """EMR's steps: the integration has a Step and a StepId where the API has lists."""
    answers: dict[str, list[Any]] = {
        "AddJobFlowSteps": [{"StepIds": ["s-1"]}],
        "DescribeStep": [{"Step": {"Id": "s-1", "Status": {"State": "COMPLETED"}}}],
    }
    step = {"Name": "count", "HadoopJarStep": {"Jar": "command-runner.jar"}}
    submissions: list[Payload] = []
    with played(answers) as service:
        given: Any = {"ClusterId": "j-1", "Step": step}
        result = followed(service, "elasticmapreduce:addStep", "emr", given, submissions=submissions)
    assert result == {"Step": {"Id": "s-1", "Status": {"State": "COMPLETED"}}}
    assert json.loads(submissions[0].text)["StepId"] == "s-1"
    assert service.asked == [
        ("AddJobFlowSteps", {"JobFlowId": "j-1", "Steps": [step]}),
        ("DescribeStep", {"ClusterId": "j-1", "StepId": "s-1"}),
    ]


def test_a_step_is_cancelled() -> None:
    answers: dict[str, list[Any]] = {
        "CancelSteps": [{"CancelStepsInfoList": [{"StepId": "s", "Status": "SUBMITTED"}]}]
    }
    with played(answers) as service:
        result = asked(service, "elasticmapreduce:cancelStep", "emr", {"ClusterId": "c", "StepId": "s"})
    assert result["CancelStepsInfo"] == {"Status": "SUBMITTED", "StepId": "s"}
    assert service.asked == [("CancelSteps", {"ClusterId": "c", "StepIds": ["s"]})]


FLEETS: list[Any] = [
    {"InstanceFleets": [{"Id": "if-1", "Name": "other"}], "Marker": "more"},
    {"InstanceFleets": [{"Id": "if-2", "Name": "core"}]},
]
BY_NAME: dict[str, tuple[str, Any, dict[str, list[Any]], list[tuple[str, Any]]]] = {
    "a fleet, on the second page": (
        "elasticmapreduce:modifyInstanceFleetByName",
        {"ClusterId": "c", "InstanceFleetName": "core", "InstanceFleet": {"TargetSpotCapacity": 2}},
        {"ListInstanceFleets": FLEETS, "ModifyInstanceFleet": [{}]},
        [
            ("ListInstanceFleets", {"ClusterId": "c"}),
            ("ListInstanceFleets", {"ClusterId": "c", "Marker": "more"}),
            (
                "ModifyInstanceFleet",
                {"ClusterId": "c", "InstanceFleet": {"InstanceFleetId": "if-2", "TargetSpotCapacity": 2}},
            ),
        ],
    ),
    "a group": (
        "elasticmapreduce:modifyInstanceGroupByName",
        {"ClusterId": "c", "InstanceGroupName": "core", "InstanceGroup": {"InstanceCount": 8}},
        {
            "ListInstanceGroups": [{"InstanceGroups": [{"Id": "ig-1", "Name": "core"}]}],
            "ModifyInstanceGroups": [{}],
        },
        [
            ("ListInstanceGroups", {"ClusterId": "c"}),
            (
                "ModifyInstanceGroups",
                {"ClusterId": "c", "InstanceGroups": [{"InstanceGroupId": "ig-1", "InstanceCount": 8}]},
            ),
        ],
    ),
}


@pytest.mark.parametrize(("name", "given", "answers", "expected"), BY_NAME.values(), ids=BY_NAME)
def test_what_is_named_is_found(name: str, given: Any, answers: Any, expected: Any) -> None:
    with played({operation: list(pages) for operation, pages in answers.items()}) as service:
        result = asked(service, name, "emr", given)
    assert set(result) == {"SdkHttpMetadata", "SdkResponseMetadata"}
    assert service.asked == expected


def test_what_is_named_and_is_not_there() -> None:
    given: Any = {"ClusterId": "c", "InstanceFleetName": "core", "InstanceFleet": {}}
    answers: dict[str, list[Any]] = {"ListInstanceFleets": [{"InstanceFleets": []}]}
    with played(answers) as service, pytest.raises(StatesError) as caught:
        asked(service, "elasticmapreduce:modifyInstanceFleetByName", "emr", given)
    assert caught.value.error == "ElasticMapReduce.InvalidRequestException"
    assert "'core'" in (caught.value.cause or "")


def test_what_only_the_input_tells_is_looked_at_when_the_task_runs() -> None:
    """The same rules as at creation, for an integration with words of its own or fields that a pattern takes."""
    given: Any = {"TaskDefinition": "t", "Count": 2}
    with played({}) as service, pytest.raises(StatesError) as caught:
        followed(service, "ecs:runTask", "ecs", given)
    assert caught.value.error == "States.Runtime"
    assert (caught.value.cause or "").endswith("[The field 'Count' is not supported by Step Functions]")
    assert service.asked == []
