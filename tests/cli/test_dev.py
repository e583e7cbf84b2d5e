"""``asl dev`` as it is typed: it has the project's machines, and hears of its files from the system."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.cli.project import SUM, Project, Result, finished, machine, wait_for
from tests.projects import test_projects
from tests.server.harness import ended

if TYPE_CHECKING:
    from collections.abc import Iterator


PROJECTS = Path(test_projects.__file__).parent
SERVED = (
    "SAM",
    "CDK, by its construct",
    "Serverless",
    "Terraform",
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")


@contextmanager
def developing(project: Project) -> Iterator[tuple[Any, list[str]]]:
    """A client of ``asl dev`` in the project, and what it has told so far."""
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
        yield client, told
    finally:
        process.send_signal(signal.SIGTERM)
        code = finished(process).code
        reading.join()
        errors.close()
    assert code == 0


def no_command(*arguments: str) -> Result:
    raise AssertionError(f"nothing runs asl {arguments} in this process")


def output(client: Any, machine_name: str, given: Any) -> Any:
    arn = f"arn:aws:states:us-east-1:123456789012:stateMachine:{machine_name}"
    run = client.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]
    return json.loads(ended(client, run)["output"])


def test_a_project_is_served_and_followed(project: Project) -> None:
    project.define("sum", SUM)
    with developing(project) as (client, told):
        wait_for(lambda: any("sum.json is made" in line for line in told))
        assert any(line.startswith("asl dev: listening on http://127.0.0.1:") for line in told)
        assert output(client, "sum", {"n": 4}) == {"n": 9}
        project.define("sum", machine(P={"Type": "Pass", "Result": "changed"}))
        wait_for(lambda: any("sum.json is changed" in line for line in told))
        assert output(client, "sum", {}) == "changed"


@pytest.mark.parametrize("case", SERVED)
def test_a_project_of_another_tool_is_served_with_no_file_changed(case: str, tmp_path: Path) -> None:
    wanted = test_projects.CASES[case]
    root = tmp_path / wanted.project
    shutil.copytree(PROJECTS / wanted.project, root)
    with developing(Project(root, no_command)) as (client, told):
        wait_for(lambda: any(f"the state machine {wanted.name} of" in line and "is made" in line for line in told))
        assert output(client, wanted.name, wanted.given) == wanted.output
