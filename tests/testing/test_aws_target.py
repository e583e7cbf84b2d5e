"""A real account as the target: botocore's own client, which is given recorded answers instead of AWS's."""

from __future__ import annotations

import io
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse

from asl_engine.errors import InvalidInput
from asl_engine.testing import RunTarget, Workflow
from asl_engine.testing.lacking import NotOnTarget
from tests.testing.machines import FUNCTION, machine, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROLE = "arn:aws:iam::123456789012:role/states"
HOME = "arn:aws:states:eu-west-1:123456789012"
BEGAN = time.time()


class Raw(io.BytesIO):
    """The body of an answer, as urllib3 gives it."""

    def stream(self, amount: int = 1024, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(amount):
            yield chunk


class Account:
    """Answers by their operations.  The history grows by what ``grows`` has for an operation."""

    def __init__(self, grows: dict[str, list[dict[str, Any]]]) -> None:
        self.grows = grows
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.events: list[dict[str, Any]] = []
        self.polled = threading.Event()
        self.deleted: list[str] = []

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        given = json.loads(request.body)
        self.asked.append((operation, given))
        self._grow(operation)
        body = json.dumps(getattr(self, operation)(given)).encode()
        return AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, Raw(body))

    def _grow(self, operation: str) -> None:
        for event in self.grows.get(operation, []):
            number = len(self.events) + 1
            previous = 0 if number <= 2 else number - 1
            self.events.append({"timestamp": BEGAN + number, "id": number, "previousEventId": previous, **event})

    def all(self, operation: str) -> list[dict[str, Any]]:
        return [given for name, given in self.asked if name == operation]

    def CreateStateMachine(self, given: dict[str, Any]) -> Any:  # noqa: N802  the operations' own names
        return {"stateMachineArn": f"{HOME}:stateMachine:{given['name']}", "creationDate": BEGAN}

    def CreateActivity(self, given: dict[str, Any]) -> Any:  # noqa: N802
        return {"activityArn": f"{HOME}:activity:{given['name']}", "creationDate": BEGAN}

    def StartExecution(self, given: dict[str, Any]) -> Any:  # noqa: N802
        machine_name = given["stateMachineArn"].rpartition(":")[2]
        self.execution = f"{HOME}:execution:{machine_name}:{given['name']}"
        return {"executionArn": self.execution, "startDate": BEGAN}

    def DescribeExecution(self, given: dict[str, Any]) -> Any:  # noqa: N802
        machine_arn = given["executionArn"].rpartition(":")[0].replace(":execution:", ":stateMachine:")
        ended = self.events and self.events[-1]["type"] == "ExecutionSucceeded"
        status = "SUCCEEDED" if ended else "RUNNING"
        return {**given, "stateMachineArn": machine_arn, "status": status, "startDate": BEGAN}

    def GetExecutionHistory(self, given: dict[str, Any]) -> Any:  # noqa: N802
        """Two pages, as AWS might answer; more may happen between them."""
        if "nextToken" in given:
            return {"events": self.events[int(given["nextToken"]) :]}
        middle = len(self.events) // 2
        return {"events": self.events[:middle], "nextToken": str(middle)} if middle else {"events": self.events[:]}

    def GetActivityTask(self, _given: dict[str, Any]) -> Any:  # noqa: N802
        """One task, once an execution was started; afterwards none, after a while."""
        while not self.all("StartExecution") and not self.deleted:
            threading.Event().wait(0.01)
        if not self.polled.is_set():
            self.polled.set()
            self._grow("taken")
            return {"taskToken": "token", "input": '{"n": 1}'}
        threading.Event().wait(0.2)
        return {}

    def SendTaskSuccess(self, _given: dict[str, Any]) -> Any:  # noqa: N802
        return {}

    def StopExecution(self, _given: dict[str, Any]) -> Any:  # noqa: N802
        return {"stopDate": BEGAN}

    def DeleteStateMachine(self, given: dict[str, Any]) -> Any:  # noqa: N802
        self.deleted += given.values()
        return {}

    def DeleteActivity(self, given: dict[str, Any]) -> Any:  # noqa: N802
        self.deleted += given.values()
        return {}


@pytest.fixture
def on_aws(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[RunTarget, Account]]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SFN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setattr("asl_engine.testing.target_run.AWS_PAUSE", 0.01)

    def made(**grows: list[dict[str, Any]]) -> tuple[RunTarget, Account]:
        account = Account(grows)
        target = RunTarget("aws", role=ROLE, region="eu-west-1", patience="30s")
        target.aws.session.events.register("before-send.sfn", account)
        target.aws.states.meta.events.register("before-send.sfn", account)  # which is there already
        return target, account

    return made


STARTED = {
    "type": "ExecutionStarted",
    "executionStartedEventDetails": {"input": '{"n": 1}', "roleArn": ROLE},
}
ENTERED = {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "A", "input": '{"n": 1}'}}
LEFT = {"type": "TaskStateExited", "stateExitedEventDetails": {"name": "A", "output": '{"n": 2}'}}
DONE = {"type": "ExecutionSucceeded", "executionSucceededEventDetails": {"output": '{"n": 2}'}}


def test_a_function_without_an_answer_is_the_accounts_own(
    on_aws: Callable[..., tuple[RunTarget, Account]],
) -> None:
    scheduled = {"resource": f"{FUNCTION}work", "input": '{"n": 1}'}
    history = [
        STARTED,
        ENTERED,
        {"type": "LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails": scheduled},
        {"type": "LambdaFunctionStarted"},
        {"type": "LambdaFunctionSucceeded", "lambdaFunctionSucceededEventDetails": {"output": '{"n": 2}'}},
        LEFT,
        DONE,
    ]
    target, account = on_aws(StartExecution=history)
    with target, Workflow(machine(A=task()), target=target) as workflow:
        run = workflow.run({"n": 1})
        run.assert_succeeded({"n": 2}).assert_path("A").state("A").assert_called_with({"n": 1})
        assert run.history[3]["type"] == "LambdaFunctionStarted"
    (created,) = account.all("CreateStateMachine")
    assert created["roleArn"] == ROLE
    assert json.loads(created["definition"]) == machine(A=task())
    assert created["name"].startswith("StateMachine-")
    assert account.deleted == [f"{HOME}:stateMachine:{created['name']}"]


def test_a_function_with_an_answer_is_an_activity_that_the_test_works_for(
    on_aws: Callable[..., tuple[RunTarget, Account]], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, account = on_aws(
        StartExecution=[STARTED, ENTERED],
        taken=[],
        SendTaskSuccess=[
            {"type": "ActivitySucceeded", "activitySucceededEventDetails": {"output": '{"n": 2}'}},
            LEFT,
            DONE,
        ],
    )

    def with_activity(given: dict[str, Any]) -> Any:
        arn = f"{HOME}:activity:{given['name']}"
        scheduled = {"resource": arn, "input": '{"n": 1}'}
        account.grows["taken"] = [
            {"type": "ActivityScheduled", "activityScheduledEventDetails": scheduled},
            {"type": "ActivityStarted", "activityStartedEventDetails": {"workerName": "asl-test"}},
        ]
        return {"activityArn": arn, "creationDate": BEGAN}

    monkeypatch.setattr(account, "CreateActivity", with_activity)  # its ARN is in the history
    with (
        target,
        Workflow(machine(A=task()), {"work": lambda event: {"n": event["n"] + 1}}, target=target) as workflow,
    ):
        run = workflow.run({"n": 1})
        run.assert_succeeded({"n": 2}).state("A").assert_called_with({"n": 1}).assert_output({"n": 2})
    (sent,) = account.all("SendTaskSuccess")
    assert (sent["taskToken"], json.loads(sent["output"])) == ("token", {"n": 2})
    (created,) = account.all("CreateStateMachine")
    (activity,) = account.all("CreateActivity")
    resource = json.loads(created["definition"])["States"]["A"]["Resource"]
    assert resource == f"{HOME}:activity:{activity['name']}"
    assert account.deleted == [f"{HOME}:stateMachine:{created['name']}", resource]


def test_a_wait_is_refused_and_everything_is_deleted(on_aws: Callable[..., tuple[RunTarget, Account]]) -> None:
    entered = {"type": "WaitStateEntered", "stateEnteredEventDetails": {"name": "W", "input": '{"n": 1}'}}
    target, account = on_aws(StartExecution=[STARTED, entered])
    until = {"Type": "Wait", "Seconds": 7200, "Next": "X"}
    wait = machine(W=until, X={"Type": "Succeed"})
    workflow = Workflow(wait, target=target)
    with target, workflow, pytest.raises(NotOnTarget, match=r"W waits for 2h there, .* patience=30s"):
        workflow.run({"n": 1})
    assert len(account.all("StopExecution")) == 1
    assert len(account.deleted) == 1


def test_aws_needs_a_role(on_aws: Callable[..., tuple[RunTarget, Account]]) -> None:
    del on_aws
    with pytest.raises(InvalidInput, match="AWS needs a role"):
        RunTarget("aws", region="eu-west-1")


def test_what_the_sdk_finds_has_to_be_aws(
    on_aws: Callable[..., tuple[RunTarget, Account]], monkeypatch: pytest.MonkeyPatch
) -> None:
    del on_aws
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", "http://127.0.0.1:8083")
    with pytest.raises(InvalidInput, match="which is not AWS: name that as the endpoint"):
        RunTarget("aws", role=ROLE)
