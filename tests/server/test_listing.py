"""ListExecutions: the order, and pages while executions come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.server.harness import WAIT, created, ended

if TYPE_CHECKING:
    from tests.server.harness import Server


def names(client: Any, **query: Any) -> list[str]:
    return [one["name"] for one in client.list_executions(**query)["executions"]]


def test_the_newest_come_first_by_their_last_date(patient: Server) -> None:
    client = patient.client()
    arn = created(client, WAIT)
    began = {
        name: client.start_execution(stateMachineArn=arn, name=name)["executionArn"]
        for name in ("a", "b", "c", "d")
    }
    assert names(client, stateMachineArn=arn) == ["d", "c", "b", "a"]
    # What has ended is where its end puts it.
    for name in ("a", "b"):
        client.stop_execution(executionArn=began[name])
    assert names(client, stateMachineArn=arn) == ["b", "a", "d", "c"]
    assert names(client, stateMachineArn=arn, statusFilter="ABORTED") == ["b", "a"]
    assert names(client, stateMachineArn=arn, statusFilter="RUNNING") == ["d", "c"]
    # What was redriven is where its redrive puts it.
    client.redrive_execution(executionArn=began["a"])
    assert names(client, stateMachineArn=arn) == ["a", "b", "d", "c"]
    assert names(client, stateMachineArn=arn, statusFilter="RUNNING") == ["a", "d", "c"]


def test_pages_go_on_where_they_were_while_executions_end(patient: Server) -> None:
    client = patient.client()
    arn = created(client, WAIT)
    began = {
        name: client.start_execution(stateMachineArn=arn, name=name)["executionArn"]
        for name in ("a", "b", "c", "d", "e")
    }
    first = client.list_executions(stateMachineArn=arn, maxResults=2)
    assert [one["name"] for one in first["executions"]] == ["e", "d"]
    client.stop_execution(executionArn=began["d"])  # the last that was shown goes to the front
    client.start_execution(stateMachineArn=arn, name="f")
    second = client.list_executions(stateMachineArn=arn, maxResults=2, nextToken=first["nextToken"])
    assert [one["name"] for one in second["executions"]] == ["c", "b"]
    third = client.list_executions(stateMachineArn=arn, maxResults=2, nextToken=second["nextToken"])
    assert ([one["name"] for one in third["executions"]], "nextToken" in third) == (["a"], False)


def test_the_children_of_a_map_run_are_sorted_by_their_end(patient: Server) -> None:
    client = patient.client()
    activity = client.create_activity(name="a")["activityArn"]
    task = {"Type": "Task", "Resource": activity, "End": True}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "T",
        "States": {"T": task},
    }
    state = {"Type": "Map", "Label": "each", "ItemProcessor": processor, "End": True}
    arn = created(client, {"StartAt": "M", "States": {"M": state}})
    began = client.start_execution(stateMachineArn=arn, input="[0, 1, 2]")["executionArn"]
    taken = [client.get_activity_task(activityArn=activity) for _ in range(3)]
    (map_run,) = client.list_map_runs(executionArn=began)["mapRuns"]
    query = {"mapRunArn": map_run["mapRunArn"]}
    assert len(names(client, **query)) == 3
    for number in (1, 2, 0):
        (token,) = [one["taskToken"] for one in taken if one["input"] == str(number)]
        client.send_task_success(taskToken=token, output="{}")
        running = len(client.list_executions(**query, statusFilter="RUNNING")["executions"])
        while running > 2 - (1, 2, 0).index(number):
            running = len(client.list_executions(**query, statusFilter="RUNNING")["executions"])
    assert ended(client, began)["status"] == "SUCCEEDED"
    listed = client.list_executions(**query)["executions"]
    inputs = [client.describe_execution(executionArn=one["executionArn"])["input"] for one in listed]
    assert inputs == ["0", "2", "1"]
    page = client.list_executions(**query, maxResults=2)
    rest = client.list_executions(**query, maxResults=2, nextToken=page["nextToken"])
    assert [*page["executions"], *rest["executions"]] == listed
