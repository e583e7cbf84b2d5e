"""``asl dev`` as it is typed: it has the project's machines, and hears of its files from the system."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import Request, urlopen

import boto3
import pytest

from asl_engine.cli.commands import serve
from asl_engine.project.starting import start_project
from tests.cli.project import SUM, Project, Result, finished, machine, wait_for
from tests.projects import test_projects
from tests.server.harness import ended

if TYPE_CHECKING:
    from collections.abc import Iterator


PROJECTS = Path(test_projects.__file__).parent


KILLED_AFTER = int(os.environ.get("ASL_DEV_ANSWERED", "6"))  # requests that were answered


class Asked(NamedTuple):
    """A request to the project's APIs, and what its answer, or the line about it, has to have."""

    request: str
    body: Any
    answer: Any
    told: str


# What each project's APIs answer besides starting its machine.
SERVED: dict[str, tuple[Asked, ...]] = {
    "SAM": (Asked("GET /hello/you", None, {"message": "hello you"}, "HelloFunction | greeting you"),),
    "CDK, by its construct": (
        Asked(
            "POST /prod/quotes?for=you",
            {"cents": 100},
            {"cents": 120, "for": "you"},
            "POST /prod/quotes -> QuoteMachine3E9F7A21 200",
        ),
    ),
    "Serverless": (
        Asked(
            "GET /orders/o-1",
            None,
            {"id": "o-1", "table": "orders-dev-orders"},
            "GET /orders/o-1 -> orders-dev-status 200",
        ),
    ),
}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")


@contextmanager
def developing(project: Project) -> Iterator[tuple[Any, list[str]]]:
    """A client of ``asl dev`` in the project, and what it has told so far."""
    process = project.spawn("dev", "--port", "0", "--http-port", "0", "--time", "skip")
    told: list[str] = []
    errors, process.stderr = process.stderr, None
    assert errors is not None
    assert process.stdout is not None
    reading = threading.Thread(target=lambda: told.extend(errors), daemon=True)
    reading.start()
    try:
        address = process.stdout.readline().strip().partition("=")[2]
        yield client_of("stepfunctions", address), told
    finally:
        process.send_signal(signal.SIGTERM)
        code = finished(process).code
        reading.join()
        errors.close()
    assert code == 0


def client_of(service: str, address: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106  nobody checks it
    )


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
def test_a_project_of_another_tool_runs_from_a_request_and_from_an_event(case: str, tmp_path: Path) -> None:
    """No file is changed: as sam init, cdk synth and serverless create leave it."""
    wanted = test_projects.CASES[case]
    root = tmp_path / wanted.project
    shutil.copytree(PROJECTS / wanted.project, root)
    with developing(Project(root, no_command)) as (client, told):
        wait_for(lambda: any(f"-> {wanted.name}" in line and "POST http" in line for line in told))
        line = next(line for line in told if f"-> {wanted.name}" in line and "POST http" in line)
        url = line.split()[2]
        status, started = requested("POST", url, wanted.given)
        assert status in {200, 202}
        listening = next(line for line in told if line.startswith("asl dev: listening on "))
        assert re.search(r"asl.db, (\d+ task callables?, )?[1-9]\d* functions? of templates$", listening.strip())
        assert json.loads(ended(client, started["executionArn"])["output"]) == wanted.output
        address = url.removesuffix("/orders")
        for asked in SERVED[case]:
            method, _, path = asked.request.partition(" ")
            assert requested(method, f"{address}{path}", asked.body) == (200, asked.answer)
            hears(told, asked.told)
        entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": json.dumps(wanted.given)}
        put = client_of("events", client.meta.endpoint_url).put_events(Entries=[entry])
        event = put["Entries"][0]["EventId"]
        arn = f"arn:aws:states:us-east-1:123456789012:stateMachine:{wanted.name}"

        def of_the_event() -> list[Any]:
            runs = client.list_executions(stateMachineArn=arn)["executions"]
            return [run for run in runs if run["name"].startswith(event)]

        wait_for(lambda: bool(of_the_event()))
        assert json.loads(ended(client, of_the_event()[0]["executionArn"])["output"]) == wanted.output
        wait_for(lambda: any(f"OrderPlaced: {rule_of(told, wanted.name)} delivered" in line for line in told))


def hears(told: list[str], text: str) -> None:
    wait_for(lambda: any(text in line for line in told))


def requested(method: str, url: str, body: Any) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310  our own URL
    with urlopen(request, timeout=30) as answer:  # noqa: S310  our own URL
        return answer.status, json.load(answer)


def rule_of(told: list[str], target: str) -> str:
    """``RULE -> TARGET``, as it was told where the rules are."""
    (line,) = [line for line in told if "bus default: rule " in line and line.rstrip().endswith(f"-> {target}")]
    return line.rstrip().partition("rule ")[2]


def test_a_new_project_of_events_runs_from_a_request_to_the_last_function(tmp_path: Path) -> None:
    start_project(tmp_path, "events")
    with developing(Project(tmp_path, no_command)) as (client, told):
        wait_for(lambda: any("POST http" in line for line in told))
        url = next(line for line in told if "POST http" in line).split()[2]
        order = {"orderId": "it's", "items": [{"cents": 450, "quantity": 2}]}
        status, started = requested("POST", url, order)
        assert (status, ended(client, started["executionArn"])["status"]) == (200, "SUCCEEDED")
        hears(told, "MailFunction | order it's costs 9.00")
        hears(told, "OrderPriced: MailFunctionPriced -> MailFunction delivered")


def test_no_answered_request_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    """An answer that names an execution means that it is on disk, whatever is killed when."""
    start_project(tmp_path, "events")
    project = Project(tmp_path, no_command)
    answered: list[str] = []
    killed = project.spawn("dev", "--port", "0", "--http-port", "0", "--no-emulation")
    errors = killed.stderr
    assert errors is not None
    url = next(line.split()[2] for line in errors if "POST http" in line)

    def ask() -> None:
        order = {"orderId": "o", "items": [{"cents": 450, "quantity": 2}]}
        with suppress(OSError, HTTPException):
            while True:
                answered.append(requested("POST", url, order)[1]["executionArn"])

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for one in asking:
        one.start()
    wait_for(lambda: len(answered) > KILLED_AFTER)
    killed.kill()
    for one in asking:
        one.join()
    killed.communicate()
    with developing(project) as (client, _):
        assert len({*answered}) == len(answered)
        ends = [ended(client, arn) for arn in answered]
    assert [end for end in ends if end["status"] != "SUCCEEDED"] == []


def test_a_machine_of_a_plan_is_served_with_no_file_changed(tmp_path: Path) -> None:
    wanted = test_projects.CASES["Terraform"]
    root = tmp_path / wanted.project
    shutil.copytree(PROJECTS / wanted.project, root)
    with developing(Project(root, no_command)) as (client, told):
        wait_for(lambda: any(f"the state machine {wanted.name} of" in line and "is made" in line for line in told))
        assert output(client, wanted.name, wanted.given) == wanted.output


def test_executions_that_are_resumed_are_told_by_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    arns = [f"arn:aws:states:us-east-1:123456789012:execution:order:{name}" for name in "abcde"]
    serve._tell_resumed("asl dev", arns)
    serve._tell_resumed("asl dev", arns[:1])
    serve._tell_resumed("asl dev", [])
    assert capsys.readouterr().err == (
        "asl dev: 5 executions resumed: order/a, order/b, order/c, and 2 more\n"
        "asl dev: 1 execution resumed: order/a\n"
    )
