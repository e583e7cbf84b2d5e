"""A thousand executions of every kind under way, a kill, and a start: all end as they should."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.cli.project import machine, task, wait_for
from tests.cli.test_serve import serving
from tests.server.harness import created

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.project import Project

OF_EACH_KIND = 200
TAKEN_BEFORE = 80  # activity tasks that a worker has taken when the server dies
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:work"
TASKS = """
import asyncio
from pathlib import Path

from asl_engine import task


@task(max_deaths=3)  # with two, each suspect would get a process of its own: tests/cli/test_deaths.py has those
async def gated(event):
    Path(event["log"], "gated").open("a").write("x")
    while not Path(event["log"], "gate").exists():
        await asyncio.sleep(0.1)
    return "passed"


@task
def keep(event):
    with Path(event["log"], "tokens").open("a") as tokens:
        tokens.write(event["token"] + "\\n")
"""
CALLBACK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "keep", "Payload": {"token.$": "$$.Task.Token", "log.$": "$.log"}},
}
ITEMS = {"StartAt": "I", "States": {"I": task("gated", End=True)}}
MACHINES: dict[str, dict[str, Any]] = {
    "task": machine(T=task("gated"), Done={"Type": "Pass"}),
    "wait": machine(W={"Type": "Wait", "Seconds": 2}, Done={"Type": "Pass"}),
    "activity": machine(A={"Type": "Task", "Resource": ACTIVITY}, Done={"Type": "Pass"}),
    "callback": machine(C=CALLBACK, Done={"Type": "Pass"}),
    "map": machine(
        M={"Type": "Map", "ItemsPath": "$.items", "ItemSelector": {"log.$": "$.log"}, "ItemProcessor": ITEMS}
    ),
}


@pytest.mark.timeout(300)
def test_killed_with_a_thousand_executions_under_way(project: Project) -> None:
    (project.root / "tasks" / "outside.py").write_text(TASKS)
    given = json.dumps({"log": str(project.root), "items": [1, 2]})
    with serving(project) as (server, process), ThreadPoolExecutor(8) as pool:
        client = server.client()
        assert client.create_activity(name="work")["activityArn"] == ACTIVITY
        arns = {kind: created(client, definition, kind) for kind, definition in MACHINES.items()}
        starts = [
            json.dumps({"stateMachineArn": arn, "name": f"x{number}", "input": given})
            for number in range(OF_EACH_KIND)
            for arn in arns.values()
        ]
        answers = pool.map(lambda body: server.post("StartExecution", body)[0], starts)
        assert set(answers) == {200}
        taken = [client.get_activity_task(activityArn=ACTIVITY)["taskToken"] for _ in range(TAKEN_BEFORE)]
        wait_for(lambda: len(lines(project.root / "tokens")) >= OF_EACH_KIND // 2)
        process.kill()
        process.communicate()
    (project.root / "gate").touch()
    with serving(project) as (server, process):
        client = server.client()
        for token in taken:
            client.send_task_success(taskToken=token, output='"done"')
        for _ in range(OF_EACH_KIND - TAKEN_BEFORE):
            token = client.get_activity_task(activityArn=ACTIVITY)["taskToken"]
            client.send_task_success(taskToken=token, output='"done"')
        wait_for(lambda: len(set(lines(project.root / "tokens"))) == OF_EACH_KIND)
        for token in set(lines(project.root / "tokens")):
            client.send_task_success(taskToken=token, output='"called back"')
        for kind, arn in arns.items():
            wait_for(partial(are_over, client, arn))
            assert len(listed(client, arn, "SUCCEEDED")) == OF_EACH_KIND, kind
        outputs = {kind: output(client, arn) for kind, arn in arns.items()}
        assert outputs == {
            "task": "passed",
            "wait": json.loads(given),
            "activity": "done",
            "callback": "called back",
            "map": ["passed", "passed"],
        }
        with pytest.raises(ClientError, match="TaskTimedOut"):  # each is answered once
            client.send_task_success(taskToken=taken[0], output="1")
        assert project.asl("check", "--json").json["faults"] == []  # beside the server


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def listed(client: Any, arn: str, status: str) -> list[Any]:
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=arn, statusFilter=status)
    return [execution for page in pages for execution in page["executions"]]


def are_over(client: Any, arn: str) -> bool:
    return not listed(client, arn, "RUNNING")


def output(client: Any, arn: str) -> Any:
    execution = arn.replace(":stateMachine:", ":execution:") + ":x7"
    return json.loads(client.describe_execution(executionArn=execution)["output"])
