"""``asl remote`` against our own server, and what it shows beside what the local commands show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.resources.python.registry import Registry
from tests.cli.project import machine, task
from tests.cloud.account import Account
from tests.server.harness import PASS, WAIT, Server, created, ended, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.project import Project

SUM = machine(Double=task("double"), Fails={"Type": "Fail", "Error": "Bad", "Cause": "so be it"})


@pytest.fixture
def attempts() -> list[int]:
    return []


@pytest.fixture
def served(project: Project, attempts: list[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on the project's own database: the local commands see what it runs."""

    def sometimes(event: Any) -> Any:
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("not yet")
        return event

    registry = Registry()
    registry.add("double", lambda event: {"n": event["n"] * 2})
    registry.add("sometimes", sometimes)
    project.db.parent.mkdir()
    with running(project.db, registry) as server:
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {
            "AWS_ENDPOINT_URL_SFN": f"http://{server.host}:{server.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }.items():
            monkeypatch.setenv(name, value)
        account = Account(f"http://{server.host}:{server.port}", region="us-east-1")
        monkeypatch.setattr("asl_engine.cloud.client.new_session", lambda **_: account.session())
        monkeypatch.setattr("asl_engine.cli.commands.remote.executions.WAIT_SECONDS", 0.01)
        monkeypatch.setattr("asl_engine.cli.commands.remote.history.WAIT_SECONDS", 0.01)
        yield server


def test_run_and_wait(project: Project, served: Server) -> None:
    created(served.client(), PASS)
    result = project.asl("remote", "run", "m", "--input", '{"a": [1, 2]}', "--name", "one", "--wait")
    assert (result.code, result.out) == (0, '{"a": [1, 2]}\n')
    assert result.err.startswith("SUCCEEDED  one  m  0.0")
    started = project.asl("remote", "run", "m", "--name", "two")
    arn = "arn:aws:states:us-east-1:123456789012:execution:m:two"
    assert started.out == f"{arn}\n"
    assert started.err == f"running; see it with: asl remote history {arn} --follow\n"


def test_a_start_that_is_repeated_starts_nothing_twice(
    project: Project, served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.client import BaseClient

    created(served.client(), PASS)
    call, names = BaseClient._make_api_call, []

    def recorded(self: BaseClient, operation: str, given: dict[str, str]) -> object:
        if operation == "StartExecution":
            names.append(given.get("name"))
        return call(self, operation, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    assert project.asl("remote", "run", "m").code == 0
    assert len(names) == 1
    assert names[0]


def test_an_execution_that_fails_has_its_exit_code(project: Project, served: Server) -> None:
    created(served.client(), SUM)
    result = project.asl("remote", "run", "m", "--input", '{"n": 1}', "--wait")
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines()[0] == "Bad: so be it"
    shown = project.asl("remote", "run", "m", "--input", '{"n": 1}', "--wait", "--json")
    assert shown.code == 1
    assert (shown.json["status"], shown.json["error"]) == ("FAILED", "Bad")


def test_an_express_machine_is_waited_for_in_one_call(project: Project, served: Server) -> None:
    created(served.client(), SUM, type="EXPRESS")
    result = project.asl("remote", "run", "m", "--input", '{"n": 1}', "--wait")
    assert (result.code, result.err.splitlines()[0]) == (1, "Bad: so be it")
    created(served.client(), PASS, name="p", type="EXPRESS")
    assert project.asl("remote", "run", "p", "--input", "[1]", "--wait").out == "[1]\n"


def test_a_version_and_an_alias_are_named_as_in_arns(project: Project, served: Server) -> None:
    client = served.client()
    arn = created(client, PASS, publish=True)
    client.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    )
    for machine_name in ("m:1", "m:live", f"{arn}:live"):
        assert project.asl("remote", "run", machine_name, "--wait").code == 0
    refused = project.asl("remote", "run", "mm", "--wait")
    assert refused.code == 2
    url = f"http://{served.host}:{served.port}"
    assert f"there is no state machine 'mm' in us-east-1 at {url}; did you mean 'm'?" in refused.err


@pytest.mark.parametrize("options", [[], ["--reverse"], ["--json"], ["--json", "--no-data"], ["--follow"]])
def test_history_is_the_local_one(project: Project, served: Server, options: list[str]) -> None:
    created(served.client(), SUM)
    project.asl("remote", "run", "m", "--input", '{"n": 1}', "--name", "one", "--wait")
    there = project.asl("remote", "history", "one", *options)
    here = project.asl("history", "one", *options)
    assert (there.code, there.out) == (0, here.out), there.err
    assert "LambdaFunctionScheduled" in there.out


def test_a_long_history_is_read_page_by_page(project: Project, served: Server) -> None:
    each = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    created(served.client(), machine(M={"Type": "Map", "ItemProcessor": each}))
    numbers = json.dumps(list(range(700)))
    project.asl("remote", "run", "m", "--input", numbers, "--name", "long", "--wait")
    there = project.asl("remote", "history", "long", "--json").json["events"]
    assert len(there) > 2000
    assert there == project.asl("history", "long", "--json").json["events"]
    assert project.asl("remote", "history", "long", "--follow").out == project.asl("history", "long", "-f").out


def test_list_is_the_local_one(project: Project, served: Server) -> None:
    client = served.client()
    created(client, PASS)
    created(client, SUM, name="sum")
    for number in range(3):
        project.asl("remote", "run", "m", "--name", f"m-{number}", "--wait")
        project.asl("remote", "run", "sum", "--name", f"s-{number}", "--wait")
    for options in ([], ["--machine", "sum"], ["--status", "failed"], ["--limit", "2"], ["--json"]):
        there, here = (project.asl(*command, "list", *options) for command in (["remote"], []))
        assert there.out == here.out, options
    assert project.asl("remote", "list", "--status", "odd").code == 2
    assert project.asl("remote", "list", "--limit", "0").code == 2


def test_stop(project: Project, served: Server, patient_machine: str) -> None:
    arn = served.client().start_execution(stateMachineArn=patient_machine, name="long")["executionArn"]
    result = project.asl("remote", "stop", "lon", "--error", "Enough", "--cause", "of it")
    assert result.code == 0
    assert result.err == f"execution long was stopped (see: asl remote history {arn})\n"
    shown = ended(served.client(), arn)
    assert (shown["status"], shown["error"], shown["cause"]) == ("ABORTED", "Enough", "of it")
    again = project.asl("remote", "stop", "long")
    assert again.err == "execution long has already ended (ABORTED); nothing was changed\n"


@pytest.fixture
def patient_machine(served: Server) -> str:
    """One whose executions wait for a task that nobody answers."""
    definition = {
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Task",
                "Resource": "arn:aws:states:us-east-1:123456789012:activity:nobody",
                "End": True,
            }
        },
    }
    client = served.client()
    client.create_activity(name="nobody")
    return created(client, definition)


def test_redrive(project: Project, served: Server, attempts: list[int]) -> None:
    created(served.client(), machine(S=task("sometimes")))
    assert project.asl("remote", "run", "m", "--name", "one", "--wait").code == 1
    result = project.asl("remote", "redrive", "one", "--wait")
    assert (result.code, result.out) == (0, "{}\n"), result.err
    assert len(attempts) == 2
    refused = project.asl("remote", "redrive", "one")
    assert refused.code == 2
    assert "ExecutionNotRedrivable" in refused.err
    assert "(AWS request id " in refused.err


def test_names_that_fit_none_or_several(project: Project, served: Server) -> None:
    created(served.client(), PASS)
    for name in ("one-1", "one-2"):
        project.asl("remote", "run", "m", "--name", name, "--wait")
    refused = project.asl("remote", "history", "one")
    assert refused.code == 2
    assert "'one' may be any of 2 executions" in refused.err
    refused = project.asl("remote", "history", "none")
    assert refused.code == 2
    assert "there is no execution 'none' in us-east-1" in refused.err
    assert project.asl("remote", "history", "one-1", "--machine", "m").code == 0


def test_interrupted_while_it_waits(
    project: Project, served: Server, patient_machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del patient_machine

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("asl_engine.cli.commands.remote.executions.time.sleep", interrupt)
    result = project.asl("remote", "run", "m", "--name", "one", "--wait")
    assert result.code == 130
    assert "interrupted: the execution goes on there" in result.err
    client = served.client()
    client.stop_execution(executionArn="arn:aws:states:us-east-1:123456789012:execution:m:one")


def test_deployed_to_our_own_server_alone(project: Project, served: Server) -> None:
    """Nobody else is asked: the role tells the account."""
    text = json.dumps(machine(Double=task("double")), indent=1)
    path = project.define("sum", text)
    options = ("--role", "arn:aws:iam::123456789012:role/any", "--alias", "live")
    result = project.asl("deploy", path, *options)
    assert result.code == 0, result.err
    assert project.asl("remote", "run", "sum:live", "--input", '{"n": 4}', "--wait").out == '{"n":8}\n'
    place = f"us-east-1, account 123456789012, at http://{served.host}:{served.port}"
    assert project.asl("deploy", path, *options).err == f"sum: nothing to change in {place}\n"
    arn = result.out.strip().removesuffix(":live")
    assert served.client().describe_state_machine(stateMachineArn=arn)["definition"] == text


@pytest.mark.usefixtures("account")
def test_executions_elsewhere(project: Project, account: Account) -> None:
    """Against moto's server, whose executions go on for ever."""
    states = account.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/r"
    arn = states.create_state_machine(name="m", definition=json.dumps(WAIT), roleArn=role)["stateMachineArn"]
    started = project.asl("remote", "run", "m", "--name", "one")
    assert started.code == 0, started.err
    assert states.describe_execution(executionArn=started.out.strip())["stateMachineArn"] == arn
    assert project.asl("remote", "list", "--json").json["executions"][0]["name"] == "one"
    assert project.asl("remote", "stop", "one").code == 0
    assert states.describe_execution(executionArn=started.out.strip())["status"] == "ABORTED"


def test_the_help_lists_the_commands(project: Project) -> None:
    result = project.asl("remote", "--help")
    assert result.code == 0
    assert project.asl("remote").out.strip() == result.out.strip()
    assert all(name in result.out for name in ("run", "history", "list", "stop", "redrive"))


def test_a_server_that_wants_signatures(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials that the AWS SDK finds are those that it is asked with."""
    project.db.parent.mkdir()
    with running(project.db, secrets={"ASLKTEST": "a-secret-access-key"}) as server:
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        url = f"http://{server.host}:{server.port}"
        for name, value in {
            "AWS_ENDPOINT_URL_SFN": url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_ACCESS_KEY_ID": "ASLKTEST",
            "AWS_SECRET_ACCESS_KEY": "a-secret-access-key",
        }.items():
            monkeypatch.setenv(name, value)
        assert project.asl("remote", "list").code == 0
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        result = project.asl("remote", "list")
        assert result.code == 2
        assert "the credentials are not known there" in result.err
        assert "those of `asl serve` are in the file that it names" in result.err
