"""RedriveExecution through boto3: what is answered, what is refused, and what a restart finds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.resources.python.registry import Registry
from tests.cli.project import wait_for
from tests.server.harness import FAIL, WAIT, created, ended, ran, refusal, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.harness import Server

TASK: dict[str, Any] = {
    "StartAt": "T",
    "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:flaky", "End": True}
    },
}


class Flaky:
    """Fails until it is repaired."""

    def __init__(self) -> None:
        self.broken = True
        self.registry = Registry()
        self.registry.add("flaky", self.call)

    def call(self, event: Any) -> Any:
        if self.broken:
            raise RuntimeError("not yet")
        return event


def types(client: Any, arn: str) -> list[str]:
    return [event["type"] for event in client.get_execution_history(executionArn=arn)["events"]]


def test_it_goes_on_and_tells_so(tmp_path: Path) -> None:
    flaky = Flaky()
    with running(tmp_path / "asl.db", flaky.registry) as server:
        client = server.client()
        failed = ran(client, TASK)
        arn = failed["executionArn"]
        assert (failed["status"], failed["redriveCount"], "redriveDate" in failed) == ("FAILED", 0, False)
        first = client.redrive_execution(executionArn=arn, clientToken="a")["redriveDate"]
        again = ended(client, arn)
        assert (again["status"], again["redriveCount"], again["redriveDate"]) == ("FAILED", 1, first)
        assert (again["redriveStatus"], again["stopDate"] > failed["stopDate"]) == ("REDRIVABLE", True)
        # The same token is answered as before, and begins nothing.
        assert client.redrive_execution(executionArn=arn, clientToken="a")["redriveDate"] == first
        assert client.describe_execution(executionArn=arn)["redriveCount"] == 1
        flaky.broken = False
        second = client.redrive_execution(executionArn=arn, clientToken="b")["redriveDate"]
        done = ended(client, arn)
        assert (done["status"], done["redriveCount"], done["redriveDate"]) == ("SUCCEEDED", 2, second)
        assert ("error" in done, done["redriveStatusReason"]) == (
            False,
            "Execution is SUCCEEDED and cannot be redriven",
        )
        assert client.redrive_execution(executionArn=arn, clientToken="a")["redriveDate"] == first
        listed = client.list_executions(stateMachineArn=failed["stateMachineArn"])["executions"][0]
        assert (listed["redriveCount"], listed["redriveDate"], listed["status"]) == (2, second, "SUCCEEDED")
        history = client.get_execution_history(executionArn=arn)["events"]
        counts = [event.get("executionRedrivenEventDetails") for event in history]
        assert [count for count in counts if count] == [{"redriveCount": 1}, {"redriveCount": 2}]
        assert types(client, arn).count("TaskStateEntered") == 1


def test_what_is_refused(client: Any, name: str) -> None:
    machine = created(client, WAIT, name=name)
    succeeded = ended(client, client.start_execution(stateMachineArn=machine)["executionArn"])["executionArn"]
    code, message = refusal(client.redrive_execution, executionArn=succeeded)
    assert (code, message) == (
        "ExecutionNotRedrivable",
        f"Execution {succeeded} invalid for redrive as: Execution is SUCCEEDED and cannot be redriven",
    )
    missing = succeeded + "x"
    assert refusal(client.redrive_execution, executionArn=missing)[0] == "ExecutionDoesNotExist"
    assert refusal(client.redrive_execution, executionArn="nothing")[0] == "InvalidArn"
    express = created(client, FAIL, name=name + "x", type="EXPRESS")
    arn = client.start_sync_execution(stateMachineArn=express)["executionArn"]
    assert refusal(client.redrive_execution, executionArn=arn) == (
        "InvalidArn",
        "Invalid Arn: 'Resource type not valid in this context: express'",
    )
    assert refusal(client.redrive_execution, executionArn=succeeded, clientToken="ö")[0] == "ValidationException"


def test_one_that_runs_is_refused_and_one_of_a_dying_machine(patient: Any) -> None:
    client = patient.client()
    parallel = {"StartAt": "F", "States": {"F": {"Type": "Fail"}}}
    machine = created(client, WAIT, name="m")
    arn = client.start_execution(stateMachineArn=machine)["executionArn"]
    assert "RUNNING" in refusal(client.redrive_execution, executionArn=arn, clientToken="t")[1]
    failed = client.stop_execution(executionArn=arn)
    assert failed
    # The token was not used up by the refusal.
    client.redrive_execution(executionArn=arn, clientToken="t")
    shown = client.describe_execution(executionArn=arn)
    assert (shown["status"], "stopDate" in shown, shown["redriveStatus"]) == ("RUNNING", False, "NOT_REDRIVABLE")
    other = client.start_execution(stateMachineArn=machine)["executionArn"]
    client.stop_execution(executionArn=other)
    client.delete_state_machine(stateMachineArn=machine)
    shown = client.describe_execution(executionArn=other)
    assert shown["redriveStatusReason"] == "State machine is in DELETING status"
    assert refusal(client.redrive_execution, executionArn=other)[0] == "ExecutionNotRedrivable"
    assert ran(client, parallel, name="n")["redriveStatus"] == "REDRIVABLE"


@pytest.mark.parametrize("restarts", [1, 2])
def test_a_restart_goes_on_with_a_redriven_execution(tmp_path: Path, restarts: int) -> None:
    flaky = Flaky()
    db = tmp_path / "asl.db"
    with running(db, flaky.registry, skip_time=False) as server:
        client = server.client()
        wait = {"Type": "Wait", "Seconds": 3600, "Next": "T"}
        arn = client.start_execution(
            stateMachineArn=created(client, {"StartAt": "W", "States": {"W": wait, **TASK["States"]}})
        )["executionArn"]
        client.stop_execution(executionArn=arn)
        client.redrive_execution(executionArn=arn, clientToken="a")
    for _ in range(restarts):
        with running(db, flaky.registry, skip_time=False) as server:
            assert server.resumed == 1
            shown = server.client().describe_execution(executionArn=arn)
            assert (shown["status"], shown["redriveCount"]) == ("RUNNING", 1)
    flaky.broken = False
    with running(db, flaky.registry) as server:  # time is skipped
        assert ended(server.client(), arn)["status"] == "SUCCEEDED"


def test_an_execution_of_a_server_that_is_gone_is_redriven_by_the_next(tmp_path: Path) -> None:
    flaky = Flaky()
    db = tmp_path / "asl.db"
    with running(db, flaky.registry) as first:
        arn = ran(first.client(), TASK)["executionArn"]
        flaky.broken = False
        # Another process may take it up, even while the one that has run it lives.
        with running(db, flaky.registry) as second:
            second.client().redrive_execution(executionArn=arn)
            assert ended(second.client(), arn)["status"] == "SUCCEEDED"
        wait_for(lambda: first.client().describe_execution(executionArn=arn)["status"] == "SUCCEEDED")


def test_one_token_used_by_many_at_once(server: Server, client: Any, name: str) -> None:
    arn = ran(client, FAIL, name=name)["executionArn"]

    def redrive(_: int) -> Any:
        return server.client().redrive_execution(executionArn=arn, clientToken="t")["redriveDate"]

    with ThreadPoolExecutor(8) as threads:
        assert len({*threads.map(redrive, range(8))}) == 1
    assert ended(client, arn)["redriveCount"] == 1
