"""Regions of China, of GovCloud and of Europe's sovereign cloud: ARNs of their own partitions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import PASS, created, ended, ran

if TYPE_CHECKING:
    from tests.server.harness import Server

REGIONS = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc"}


def start(partition: str, child: str) -> Any:
    task = {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        "End": True,
    }
    return {"StartAt": "Start", "States": {"Start": task, "Caught": {"Type": "Succeed"}}}


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_made_in_a_region_has_its_partition(server: Server, region: str) -> None:
    client, partition = server.client(region), REGIONS[region]
    machine = created(client, PASS, f"there-{region}")
    assert machine == f"arn:{partition}:states:{region}:123456789012:stateMachine:there-{region}"
    execution = ended(client, client.start_execution(stateMachineArn=machine, name="e")["executionArn"])
    assert execution["executionArn"] == f"arn:{partition}:states:{region}:123456789012:execution:there-{region}:e"
    assert client.describe_state_machine(stateMachineArn=machine)["name"] == f"there-{region}"
    assert machine in [one["stateMachineArn"] for one in client.list_state_machines()["stateMachines"]]
    activity = client.create_activity(name=f"work-{region}")["activityArn"]
    assert activity == f"arn:{partition}:states:{region}:123456789012:activity:work-{region}"
    shown = ran(client, start(partition, machine), name=f"parent-{region}")
    assert json.loads(shown["output"])["Status"] == "SUCCEEDED"


def test_an_integration_of_another_partition_fails_when_the_state_runs(server: Server) -> None:
    """As reported of AWS in 2019 and, with its last sentence, in 2026: nothing is said at creation."""
    client = server.client("us-gov-west-1")
    child = created(client, PASS, "child-of-another")
    shown = ran(client, start("aws", child), name="of-another")
    assert (shown["status"], shown["error"]) == ("FAILED", "States.Runtime")
    assert shown["cause"] == (
        "An error occurred while executing the state 'Start' (entered at the event id #2). The resource belongs "
        "to a different partition from the running execution. Expected 'aws-us-gov', was 'aws'."
    )
