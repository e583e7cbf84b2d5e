"""A server that is killed at any write, with a worker and a callback under way: nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ConnectionError as NoConnection
from botocore.exceptions import HTTPClientError

from tests.cli.project import wait_for
from tests.server.harness import ROLE, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
KILLED = ROOT / "tests" / "engine" / "killed.py"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"
TASKS = """
from pathlib import Path


def ask(event):
    with Path("tokens").open("a") as tokens:
        tokens.write(event["token"] + "\\n")
"""
# The answer to GetActivityTask may be lost with the server: then the missed heartbeat brings the task again.
PAINT = {
    "Type": "Task",
    "Resource": ACTIVITY,
    "HeartbeatSeconds": 1,
    "Retry": [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 9}],
    "End": True,
}
ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
    "End": True,
}
BRANCHES = [{"StartAt": "Paint", "States": {"Paint": PAINT}}, {"StartAt": "Ask", "States": {"Ask": ASK}}]
DEFINITION = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": BRANCHES, "End": True}}})


@contextmanager
def serving(project: Path, *killer: str) -> Iterator[Server]:
    """The server in a process of its own; ``killer`` says at which write it dies."""
    words = [str(KILLED), *killer] if killer else ["-m", "asl_engine"]
    process = subprocess.Popen(
        [sys.executable, *words, "serve", "--port", "0", "--time", "skip"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        exported = re.fullmatch(r"export AWS_ENDPOINT_URL_SFN=(http://.+)\n", process.stdout.readline())
        assert exported
        url = urlsplit(exported[1])
        yield Server(url.hostname or "", url.port or 0, 0)
    finally:
        process.kill()
        process.communicate()


class Play:
    """What the client knows, which no kill takes away.  Each step can be made again."""

    def __init__(self, project: Path) -> None:
        self.tokens = project / "tokens"
        self.execution = ""
        self.painting = ""
        self.steps: list[Callable[[Any], None]] = [
            self.create,
            self.start,
            self.take,
            self.painted,
            self.asked,
            self.end,
        ]

    def go_on(self, server: Server) -> None:
        client = server.client()
        while self.steps:
            self.steps[0](client)
            self.steps.pop(0)

    def create(self, client: Any) -> None:
        client.create_activity(name="paint")
        client.create_state_machine(name="m", definition=DEFINITION, roleArn=ROLE)

    def start(self, client: Any) -> None:
        machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
        self.execution = client.start_execution(stateMachineArn=machine, name="one")["executionArn"]

    def take(self, client: Any) -> None:
        self.painting = client.get_activity_task(activityArn=ACTIVITY)["taskToken"]

    def painted(self, client: Any) -> None:
        try:
            client.send_task_success(taskToken=self.painting, output='"blue"')
        except client.exceptions.TaskTimedOut:
            if "ActivitySucceeded" not in self.types(client):  # the heartbeat was missed: another try
                self.take(client)
                self.painted(client)

    def asked(self, client: Any) -> None:
        wait_for(lambda: self.tokens.exists() and self.tokens.read_text().endswith("\n"))
        (token,) = {*self.tokens.read_text().splitlines()}  # the same, however often it was asked
        with suppress(client.exceptions.TaskTimedOut):
            client.send_task_success(taskToken=token, output='"yes"')
        assert "TaskSucceeded" in self.types(client)

    def end(self, client: Any) -> None:
        def over() -> bool:
            return bool(client.describe_execution(executionArn=self.execution)["status"] != "RUNNING")

        wait_for(over)
        shown = client.describe_execution(executionArn=self.execution)
        assert (shown["status"], json.loads(shown["output"])) == ("SUCCEEDED", ["blue", "yes"])
        types = self.types(client)
        assert [types.count(kind) for kind in ("ActivitySucceeded", "TaskSucceeded", "TaskScheduled")] == [1, 1, 1]

    def types(self, client: Any) -> list[str]:
        events = client.get_execution_history(executionArn=self.execution)["events"]
        return [event["type"] for event in events]


# What comes in at the same moment is one write: there are at least so many.
SURE_WRITES = 3


# Writes: start; what the function's answer, the worker and the two answers lead to, some of them together.
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("before", 1),
        ("after", 1),
        ("before", 2),
        ("after", 2),
        ("after", 3),
        ("before", 4),
        ("after", 4),
        ("after", 5),
    ],
)
def test_a_kill_loses_no_task_and_no_answer(tmp_path: Path, moment: str, number: int) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "ask.py").write_text(TASKS)
    play = Play(tmp_path)
    with serving(tmp_path, moment, str(number)) as server, suppress(HTTPClientError, NoConnection):
        play.go_on(server)
    assert play.steps or number > SURE_WRITES
    with serving(tmp_path) as server:
        play.go_on(server)
    assert play.steps == []
