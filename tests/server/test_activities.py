"""Activities, with boto3 as the client and as the worker."""

from __future__ import annotations

import json
import selectors
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.limits import AWS_LIMITS
from asl_engine.server.operations import activities
from tests.server.harness import ROLE, Server, created, ended, refusal, running

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:states:us-east-1:123456789012:activity:"
KEY = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/mine"}


def paints(activity: str, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": activity, "End": True, **fields}
    return {"StartAt": "Paint", "States": {"Paint": state}}


def started(client: Any, name: str, given: Any = None, **fields: Any) -> str:
    """The ARN of an execution that waits for the activity ``name``."""
    machine = created(client, paints(ARN + name, **fields), name=f"{name}-{len(fields)}")
    text = json.dumps({} if given is None else given)
    arn: str = client.start_execution(stateMachineArn=machine, input=text)["executionArn"]
    return arn


def types(client: Any, execution: str) -> list[str]:
    events = client.get_execution_history(executionArn=execution)["events"]
    return [event["type"] for event in events if event["type"].startswith("Activity")]


@pytest.fixture
def activity(client: Any, name: str) -> str:
    arn: str = client.create_activity(name=name)["activityArn"]
    return arn


@pytest.fixture
def short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities, "POLL_SECONDS", 0.01)


# -- creating, describing, listing, deleting ---------------------------------------------------------------


def test_an_activity_is_created_and_described(client: Any, name: str) -> None:
    made = client.create_activity(name=name, tags=[{"key": "team", "value": "blue"}])
    assert made["activityArn"] == ARN + name
    shown = client.describe_activity(activityArn=made["activityArn"])
    assert (shown["activityArn"], shown["name"], shown["creationDate"]) == (ARN + name, name, made["creationDate"])
    tags = client.list_tags_for_resource(resourceArn=made["activityArn"])["tags"]
    assert tags == [{"key": "team", "value": "blue"}]
    assert shown["encryptionConfiguration"] == {"type": "AWS_OWNED_KEY"}


def test_the_tags_of_an_activity(client: Any, activity: str, name: str) -> None:
    client.tag_resource(resourceArn=activity, tags=[{"key": "team", "value": "blue"}])
    client.create_activity(name=name, tags=[{"key": "team", "value": "red"}])
    assert client.list_tags_for_resource(resourceArn=activity)["tags"] == [{"key": "team", "value": "blue"}]
    client.untag_resource(resourceArn=activity, tagKeys=["team"])
    assert client.list_tags_for_resource(resourceArn=activity)["tags"] == []
    client.delete_activity(activityArn=activity)
    assert refusal(client.list_tags_for_resource, resourceArn=activity)[0] == "ResourceNotFound"


def test_creating_again_gives_the_same_activity(client: Any, name: str) -> None:
    first = client.create_activity(name=name)
    again = client.create_activity(name=name, tags=[{"key": "a", "value": "b"}])
    assert (again["activityArn"], again["creationDate"]) == (first["activityArn"], first["creationDate"])


def test_encryption_cannot_be_changed_by_creating_again(client: Any, name: str) -> None:
    client.create_activity(name=name, encryptionConfiguration=KEY)
    client.create_activity(name=name, encryptionConfiguration={**KEY, "kmsDataKeyReusePeriodSeconds": 300})
    assert client.describe_activity(activityArn=ARN + name)["encryptionConfiguration"] == {
        **KEY,
        "kmsDataKeyReusePeriodSeconds": 300,
    }
    code, message = refusal(client.create_activity, name=name)
    assert (code, message) == ("ActivityAlreadyExists", f"Activity Already Exists: '{ARN}{name}'")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"name": "with space"}, "InvalidName"),
        ({"name": "x" * 81}, "ValidationException"),
        ({"name": ""}, "ValidationException"),
        ({"name": None}, "ValidationException"),
        ({"tags": [{"key": f"k{n}", "value": ""} for n in range(51)]}, "TooManyTags"),
        ({"encryptionConfiguration": {"type": KEY["type"]}}, "InvalidEncryptionConfiguration"),
        ({"encryptionConfiguration": {**KEY, "type": "AWS_OWNED_KEY"}}, "InvalidEncryptionConfiguration"),
        ({"encryptionConfiguration": {"type": "NONE"}}, "ValidationException"),
    ],
)
def test_what_cannot_be_created(client: Any, name: str, arguments: dict[str, Any], code: str) -> None:
    assert refusal(client.create_activity, **{"name": name, **arguments})[0] == code
    assert refusal(client.describe_activity, activityArn=ARN + name)[0] == "ActivityDoesNotExist"


def test_there_are_only_so_many_activities(tmp_path: Path) -> None:
    with running(tmp_path / "asl.db", limits=AWS_LIMITS._replace(activities=2)) as server:
        client = server.client()
        for name in ("a", "b", "b"):
            client.create_activity(name=name)
        assert refusal(client.create_activity, name="c")[0] == "ActivityLimitExceeded"
        client.delete_activity(activityArn=ARN + "a")
        client.create_activity(name="c")


def test_listing_goes_page_by_page_and_sees_the_callers_own(server: Server) -> None:
    mine, other = server.client("eu-west-3"), server.client("eu-west-3", "999999999999")
    for name in ("e", "b", "d", "a", "c"):
        mine.create_activity(name=name)
    other.create_activity(name="foreign")
    pages = [page["activities"] for page in mine.get_paginator("list_activities").paginate(maxResults=2)]
    assert [[activity["name"] for activity in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
    assert set(pages[0][0]) == {"activityArn", "name", "creationDate"}
    token = mine.list_activities(maxResults=2)["nextToken"]
    assert refusal(other.list_activities, nextToken=token)[0] == "InvalidToken"
    assert refusal(mine.list_activities, nextToken="none")[0] == "InvalidToken"
    foreign = "arn:aws:states:eu-west-3:999999999999:activity:foreign"
    assert refusal(mine.describe_activity, activityArn=foreign)[0] == "ActivityDoesNotExist"
    assert refusal(mine.get_activity_task, activityArn=foreign)[0] == "ActivityDoesNotExist"
    mine.delete_activity(activityArn=foreign)
    assert other.describe_activity(activityArn=foreign)["name"] == "foreign"


def test_deleting_is_idempotent(client: Any, activity: str) -> None:
    for _ in range(2):
        client.delete_activity(activityArn=activity)
    code, message = refusal(client.describe_activity, activityArn=activity)
    assert (code, message) == ("ActivityDoesNotExist", f"Activity Does Not Exist: '{activity}'")
    assert refusal(client.get_activity_task, activityArn=activity)[0] == "ActivityDoesNotExist"


@pytest.mark.parametrize("operation", ["describe_activity", "delete_activity", "get_activity_task"])
@pytest.mark.parametrize("arn", ["nonsense", "arn:aws:states:us-east-1:123456789012:stateMachine:m", ARN + "a:1"])
def test_an_arn_that_is_no_activitys(client: Any, operation: str, arn: str) -> None:
    assert refusal(getattr(client, operation), activityArn=arn)[0] == "InvalidArn"


# -- work --------------------------------------------------------------------------------------------------


def test_a_worker_takes_a_task_and_does_it(client: Any, activity: str, name: str) -> None:
    execution = started(client, name, {"colour": "blue"}, TimeoutSeconds=300, HeartbeatSeconds=60)
    assert types(client, execution) == ["ActivityScheduled"]
    given = client.get_activity_task(activityArn=activity, workerName="anna")
    assert json.loads(given["input"]) == {"colour": "blue"}
    client.send_task_heartbeat(taskToken=given["taskToken"])
    client.send_task_success(taskToken=given["taskToken"], output='{"painted": true}')
    assert json.loads(ended(client, execution)["output"]) == {"painted": True}
    events = client.get_execution_history(executionArn=execution)["events"][2:5]
    assert [(event["type"], event["previousEventId"]) for event in events] == [
        ("ActivityScheduled", 2),
        ("ActivityStarted", 3),
        ("ActivitySucceeded", 4),
    ]
    assert events[0]["activityScheduledEventDetails"] == {
        "resource": activity,
        "input": '{"colour": "blue"}',
        "inputDetails": {"truncated": False},
        "timeoutInSeconds": 300,
        "heartbeatInSeconds": 60,
    }
    assert events[1]["activityStartedEventDetails"] == {"workerName": "anna"}


def test_a_worker_waits_for_a_task(client: Any, server: Server, activity: str, name: str) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(server.client().get_activity_task, activityArn=activity) for _ in range(2)]
        executions = [started(client, name, {"n": 1}), started(client, name, {"n": 2})]
        given = [future.result(30) for future in waiting]
    assert sorted(json.loads(one["input"])["n"] for one in given) == [1, 2]
    for one in given:
        client.send_task_failure(taskToken=one["taskToken"], error="Smudged", cause="rain")
    for execution in executions:
        shown = ended(client, execution)
        assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "Smudged", "rain")
        assert types(client, execution) == ["ActivityScheduled", "ActivityStarted", "ActivityFailed"]


@pytest.mark.usefixtures("short_polls")
def test_a_worker_that_waits_in_vain_gets_no_token(server: Server, client: Any, activity: str) -> None:
    assert client.get_activity_task(activityArn=activity).get("taskToken") is None
    body = json.dumps({"activityArn": activity})
    assert server.post("GetActivityTask", body)[2] == {"taskToken": None, "input": None}


def test_tasks_come_in_the_order_in_which_they_were_scheduled(client: Any, activity: str, name: str) -> None:
    for number in range(5):
        started(client, name, number)
    given = [client.get_activity_task(activityArn=activity)["input"] for _ in range(5)]
    assert given == ["0", "1", "2", "3", "4"]


@pytest.mark.usefixtures("short_polls")
def test_what_was_given_up_is_not_handed_out(client: Any, activity: str, name: str) -> None:
    execution = started(client, name)
    client.stop_execution(executionArn=execution)
    assert client.get_activity_task(activityArn=activity).get("taskToken") is None


def test_an_activity_that_does_not_exist_fails_its_task(client: Any, name: str) -> None:
    execution = started(client, name, Retry=[{"ErrorEquals": ["States.ALL"]}])
    shown = ended(client, execution)
    assert (shown["error"], shown["cause"]) == ("States.Runtime", f"Activity Does Not Exist: '{ARN}{name}'")
    assert types(client, execution) == ["ActivityScheduleFailed"]


def test_what_was_scheduled_before_its_activity_was_deleted_goes_on(client: Any, activity: str, name: str) -> None:
    execution = started(client, name)
    given = client.get_activity_task(activityArn=activity)
    client.delete_activity(activityArn=activity)
    client.send_task_success(taskToken=given["taskToken"], output="1")
    assert ended(client, execution)["output"] == "1"


# -- clients that come and go ------------------------------------------------------------------------------


def poll(server: Server, activity: str) -> socket.socket:
    """A connection that waits for a task."""
    body = json.dumps({"activityArn": activity, "workerName": "gone"}).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: AWSStepFunctions.GetActivityTask\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection((server.host, server.port), timeout=30)
    connection.sendall(head.encode() + body)
    return connection


def test_a_worker_that_hangs_up_loses_no_task(server: Server, client: Any, activity: str, name: str) -> None:
    for _ in range(20):
        poll(server, activity).close()
    execution = started(client, name)
    given = client.get_activity_task(activityArn=activity, workerName="here")
    client.send_task_success(taskToken=given["taskToken"], output="1")
    assert ended(client, execution)["status"] == "SUCCEEDED"
    # It may have been handed to one of those that had hung up; it is recorded as taken but once.
    assert types(client, execution) == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


def test_so_many_workers_may_wait_and_no_more(server: Server, client: Any, activity: str, name: str) -> None:
    waiting = [poll(server, activity) for _ in range(1001)]
    try:
        (refused,) = heard(waiting)
        assert answer_of(refused)["__type"] == "ActivityWorkerLimitExceeded"
        waiting.remove(refused)
        refused.close()
        # The others are served as ever; whoever has waited longest has the task.
        execution = started(client, name)
        (served,) = heard(waiting)
        client.send_task_success(taskToken=answer_of(served)["taskToken"], output="1")
        assert ended(client, execution)["status"] == "SUCCEEDED"
        # The place that is left is free again.
        waiting += [poll(server, activity), poll(server, activity)]
        (refused,) = heard([one for one in waiting if one is not served])
        assert answer_of(refused)["__type"] == "ActivityWorkerLimitExceeded"
    finally:
        for connection in waiting:
            connection.close()


def heard(connections: list[socket.socket]) -> list[socket.socket]:
    """Those on which there is an answer, as soon as there is one."""
    with selectors.DefaultSelector() as selector:  # select() itself knows no more than 1024 files
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(30)]  # type: ignore[misc]  # they are sockets


def answer_of(connection: socket.socket) -> Any:
    response = HTTPResponse(connection)
    response.begin()
    return json.loads(response.read())


def test_a_server_that_stops_sends_its_workers_home(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        with running(tmp_path / "asl.db") as server:
            activity = server.client().create_activity(name="paint")["activityArn"]
            connection = poll(server, activity)
            waiting = pool.submit(answer_of, connection)
            server.client().list_activities()  # when it is answered the poll has been read
        assert waiting.result(30) == {"taskToken": None, "input": None}
        connection.close()


# -- restarts ----------------------------------------------------------------------------------------------


def test_open_tasks_survive_a_restart(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    with running(db) as server:
        client = server.client()
        client.create_activity(name="paint")
        arn = ARN + "paint"
        taken, waiting = started(client, "paint", "taken"), started(client, "paint", "waiting")
        given = client.get_activity_task(activityArn=arn)
        assert given["input"] == '"taken"'
    with running(db) as server:
        assert server.resumed == 2
        client = server.client()
        assert client.describe_activity(activityArn=arn)["name"] == "paint"
        client.send_task_success(taskToken=given["taskToken"], output='"done"')
        assert ended(client, taken)["output"] == '"done"'
        again = client.get_activity_task(activityArn=arn)
        assert again["input"] == '"waiting"'
        client.send_task_success(taskToken=again["taskToken"], output="1")
        assert ended(client, waiting)["status"] == "SUCCEEDED"
        client.start_execution(
            stateMachineArn=client.create_state_machine(
                name="n", definition=json.dumps(paints(arn)), roleArn=ROLE
            )["stateMachineArn"]
        )
        assert client.get_activity_task(activityArn=arn)["taskToken"]


def test_a_worker_is_given_up_to_a_mebibyte(client: Any, name: str) -> None:
    activity = client.create_activity(name=name)["activityArn"]
    arguments = [f"{{% $pad('', {size}, 'x') %}}" for size in (*[200_000] * 5, 48_557)]
    task = {"Type": "Task", "Resource": activity, "Arguments": arguments, "Output": 1, "End": True}
    arn = created(client, {"QueryLanguage": "JSONata", "StartAt": "T", "States": {"T": task}}, name=name)
    began = client.start_execution(stateMachineArn=arn)["executionArn"]
    taken = client.get_activity_task(activityArn=activity)
    assert len(taken["input"]) == 1_048_576
    client.send_task_success(taskToken=taken["taskToken"], output="{}")
    assert ended(client, began)["output"] == "1"
    history = client.get_execution_history(executionArn=began)["events"]
    (scheduled,) = [one for one in history if one["type"] == "ActivityScheduled"]
    assert scheduled["activityScheduledEventDetails"]["input"] == taken["input"]
