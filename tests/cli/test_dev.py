"""``asl dev`` as it is typed: it has the project's machines, and hears of its files from the system."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.cli.project import SUM, finished, machine, wait_for
from tests.server.harness import ended

if TYPE_CHECKING:
    from tests.cli.project import Project


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")
def test_a_project_is_served_and_followed(project: Project) -> None:
    project.define("sum", SUM)
    process = project.spawn("dev", "--port", "0", "--time", "skip")
    told: list[str] = []
    errors, process.stderr = process.stderr, None
    assert errors is not None
    assert process.stdout is not None
    reading = threading.Thread(target=lambda: told.extend(errors), daemon=True)
    reading.start()
    try:
        address = process.stdout.readline().strip().partition("=")[2]
        client = boto3.client(
            "stepfunctions",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",  # noqa: S106  nobody checks it
        )
        wait_for(lambda: any("sum.json is made" in line for line in told))
        arn = "arn:aws:states:us-east-1:123456789012:stateMachine:sum"
        run = client.start_execution(stateMachineArn=arn, input='{"n": 4}')["executionArn"]
        assert json.loads(ended(client, run)["output"]) == {"n": 9}
        project.define("sum", machine(P={"Type": "Pass", "Result": "changed"}))
        wait_for(lambda: any("sum.json is changed" in line for line in told))
        run = client.start_execution(stateMachineArn=arn)["executionArn"]
        assert ended(client, run)["output"] == '"changed"'
    finally:
        process.send_signal(signal.SIGTERM)
        code = finished(process).code
        reading.join()
        errors.close()
    assert code == 0
    assert any(line.startswith("asl dev: listening on http://127.0.0.1:") for line in told)
