"""The command ``asl serve`` as it is used: its output, signals, a kill, and what is resumed."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from asl_engine.cli.commands.serve import _time
from asl_engine.errors import ProjectError
from asl_engine.server.credentials import credentials_in
from asl_engine.server.serve import bind, is_loopback
from tests.cli.project import ROOT, finished, machine, task, wait_for
from tests.server.harness import WAIT, Server, created, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.project import Project

SOON = machine(W={"Type": "Wait", "Seconds": 1}, Done={"Type": "Pass"})
BRANCHES = machine(
    P={
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "End": True}}},
            {"StartAt": "B", "States": {"B": task("count", End=True)}},
        ],
    }
)
EACH = machine(
    M={
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Wait", "Seconds": 1, "End": True}}},
    }
)


@contextmanager
def serving(project: Project, *arguments: str) -> Iterator[tuple[Server, subprocess.Popen[str]]]:
    process = project.spawn("serve", "--port", "0", *arguments)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert lines[1] == "export AWS_DISABLE_HOST_PREFIX_INJECTION=true\n"
        exported = re.fullmatch(r"export AWS_ENDPOINT_URL_SFN=(http://.+)\n", lines[0])
        assert exported, finished(process)
        url = urlsplit(exported[1])
        yield Server(url.hostname or "", url.port or 0, 0), process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="the limits of another process")
def test_it_may_have_as_many_connections_as_the_system_lets_it(project: Project) -> None:
    """Workers that wait for tasks hold one each."""
    command = "ulimit -Sn 256; exec " + shlex.join([sys.executable, "-m", "asl_engine", "serve", "--port", "0"])
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("export ")
        limits = Path(f"/proc/{process.pid}/limits").read_text("utf-8")
        found = re.search(r"Max open files\s+(\d+)\s+(\d+)", limits)
        assert found
        assert int(found[1]) == min(int(found[2]), 65_536)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_what_ran_goes_on(project: Project, number: int) -> None:
    calls, gate = project.root / "calls", project.root / "gate"
    with serving(project) as (server, process):
        client = server.client()
        arn = created(client, machine(C=task("count")))
        given = json.dumps({"calls": str(calls), "gate": str(gate)})
        execution = client.start_execution(stateMachineArn=arn, input=given)["executionArn"]
        wait_for(calls.exists)
        process.send_signal(number)
        result = finished(process)
    assert result.code == 0
    assert result.err.splitlines()[0].startswith("asl serve: listening on http://127.0.0.1:")
    assert result.err.splitlines()[-1] == "stopped; what was running goes on with the next start"
    gate.touch()
    with serving(project) as (server, process):
        assert json.loads(ended(server.client(), execution)["output"]) == {"passed": True}
        process.send_signal(number)
        assert f"asl serve: 1 execution resumed: m/{execution.rpartition(':')[2]}\n" in finished(process).err


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")
def test_it_answers_and_stops_while_an_expression_takes_minutes(project: Project) -> None:
    minutes = {str(number): "{% $sum([1..500000].($ * 2)) %}" for number in range(200)}
    definition = {"QueryLanguage": "JSONata", **machine(P={"Type": "Pass", "Output": minutes})}
    with serving(project) as (server, process):
        arn = created(server.client(), definition)
        statuses: list[int] = []

        def start() -> None:
            statuses.append(server.post("StartExecution", json.dumps({"stateMachineArn": arn}))[0])

        starting = Thread(target=start)
        starting.start()
        for _ in range(5):
            assert server.post("ListStateMachines", "{}")[0] == 200
        assert starting.is_alive()
        process.send_signal(signal.SIGTERM)
        result = finished(process)
        starting.join()
    assert statuses == [503]
    assert result.code == 0
    assert "Traceback" not in result.err


def test_killed_with_executions_under_way_all_end_after_a_restart(project: Project) -> None:
    calls, gate = project.root / "calls", project.root / "gate"
    given = json.dumps({"calls": str(calls), "gate": str(gate), "items": [1, 2, 3]})
    with serving(project) as (server, process):
        client = server.client()
        definitions = {"soon": SOON, "branches": BRANCHES, "each": EACH, "task": machine(C=task("count"))}
        arns = [created(client, definition, name) for name, definition in definitions.items()]
        runs = [
            client.start_execution(stateMachineArn=arn, input=given)["executionArn"]
            for arn in arns
            for _ in range(5)
        ]
        stopped = client.start_execution(stateMachineArn=created(client, WAIT, "long"))["executionArn"]
        wait_for(lambda: calls.exists() and len(calls.read_text()) == 10)
        process.kill()
        process.communicate()
    gate.touch()
    with serving(project) as (server, _):
        client = server.client()
        ends = [ended(client, run) for run in runs]
        assert {end["status"] for end in ends} == {"SUCCEEDED"}
        assert client.describe_execution(executionArn=stopped)["status"] == "RUNNING"
        # Another process may end what the server drives.
        assert project.asl("stop", stopped.rpartition(":")[2]).code == 0
        wait_for(lambda: ended(client, stopped)["status"] == "ABORTED")
        assert {one["name"] for one in client.list_state_machines()["stateMachines"]} == {
            *definitions,
            "long",
        }


def test_time_may_be_skipped(project: Project) -> None:
    with serving(project, "--time", "skip", "--db", "other.db") as (server, process):
        client = server.client()
        run = client.start_execution(stateMachineArn=created(client, WAIT))["executionArn"]
        assert ended(client, run)["status"] == "SUCCEEDED"
        run = client.start_execution(stateMachineArn=created(client, machine(N=task("never")), "n"))[
            "executionArn"
        ]
        process.kill()
        process.communicate()
    with serving(project, "--time", "skip", "--db", "other.db") as (server, _):
        client = server.client()
        started = client.describe_execution(executionArn=run)
        stopped = client.stop_execution(executionArn=run)
        assert started["startDate"] <= stopped["stopDate"]
    assert (project.root / "other.db").exists()


def test_what_a_command_has_started_is_left_to_it_where_its_tasks_are_missing(project: Project) -> None:
    calls = project.root / "calls"
    given = json.dumps({"calls": str(calls), "gate": str(project.root / "gate")})
    process = project.spawn("run", project.define("m", machine(C=task("count"))), "--name", "one", "-i", given)
    wait_for(calls.exists)
    process.kill()
    process.communicate()
    (project.root / "tasks" / "callables.py").write_text("", encoding="utf-8")
    with serving(project) as (server, process):
        shown = server.client().describe_execution(
            executionArn="arn:aws:states:us-east-1:123456789012:execution:m:one"
        )
        assert shown["status"] == "RUNNING"
        process.terminate()
        assert "is left to `asl resume`: nothing here serves arn:aws:lambda:" in finished(process).err


LOGGED = {
    "level": "ALL",
    "destinations": [
        {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:m:*"}}
    ],
}


def test_logs_and_status_changes_go_to_files(project: Project) -> None:
    with serving(project, "--log-executions", "log", "--status-events", "events") as (server, process):
        client = server.client()
        ended(
            client,
            client.start_execution(stateMachineArn=created(client, loggingConfiguration=LOGGED))["executionArn"],
        )
        process.terminate()
        assert finished(process).code == 0
    types = [json.loads(line)["type"] for line in (project.root / "log").read_text().splitlines()]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    told = [json.loads(line)["detail"]["status"] for line in (project.root / "events").read_text().splitlines()]
    assert told == ["RUNNING", "SUCCEEDED"]


def test_stdout_is_for_json_lines_alone_where_they_go_there(project: Project) -> None:
    process = project.spawn("serve", "--port", "0", "--log-executions", "-", "--status-events", "-")
    assert process.stderr is not None
    url = urlsplit(process.stderr.readline().strip().partition("=")[2])
    client = Server(url.hostname or "", url.port or 0, 0).client()
    try:
        ended(
            client,
            client.start_execution(stateMachineArn=created(client, loggingConfiguration=LOGGED))["executionArn"],
        )
    finally:
        process.terminate()
    result = finished(process)
    kinds = [line.get("type") or line["detail"]["status"] for line in map(json.loads, result.out.splitlines())]
    assert sorted(kinds) == sorted(
        ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded", "RUNNING", "SUCCEEDED"]
    )


@pytest.mark.parametrize("option", ["--log-executions", "--status-events"])
def test_a_file_that_cannot_be_written_is_told_of_at_once(project: Project, option: str) -> None:
    result = project.asl("serve", "--port", "0", option, "no/such/file")
    assert result.code == 2
    assert result.err == "asl: error: cannot write to no/such/file: No such file or directory\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  the text is under test
def test_what_it_says(project: Project, host: str) -> None:
    """In this process, which a thread interrupts as soon as the server answers."""
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    ask = Server("127.0.0.1", port, 0)

    def interrupt() -> None:
        with suppress(AssertionError):
            wait_for(lambda: answers(ask))
        os.kill(os.getpid(), signal.SIGTERM)

    thread = Thread(target=interrupt)
    thread.start()
    result = project.asl("serve", "--host", host, "--port", str(port))
    thread.join()
    assert result.code == 0
    assert result.out.splitlines()[0].startswith("export AWS_ENDPOINT_URL_SFN=http://")
    said = result.err.splitlines()
    assert said[-1].startswith("stopped; ")
    assert ("warning" in said[0]) is (host != "127.0.0.1")


def answers(server: Server) -> bool:
    """Or refuses, because there is no signature."""
    try:
        return server.post("ListStateMachines", "{}")[0] in {200, 400}
    except ConnectionError:
        return False


def test_a_command_runs_the_lambda_integration(project: Project) -> None:
    invoke = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "double", "Payload.$": "$"},
        "OutputPath": "$.Payload",
    }
    assert project.ran(machine(I=invoke), "--input", '{"n": 4}').out == '{"n":8}\n'


REFUSED = {
    "no credentials": (["--credentials", "nothing"], "cannot read the credentials nothing: No such file"),
    "a folder of credentials": (["--credentials", "."], "cannot read the credentials .: Is a directory"),
    "a URL for a name": (["--allow-host", "http://asl:8083"], "--allow-host: 'http://asl:8083' is no host name"),
    "a port with a name": (["--allow-host", "asl:8083"], "give it without scheme, port and wildcard"),
    "any name": (["--allow-host", "*"], "--allow-host: '*' is no host name"),
    "a limit": (["--limit", "nothing=1"], "asl: error: --limit nothing: there is no such limit"),
    "a time": (["--time", "fast"], "asl: error: --time fast: it is real, skip or scale=N"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(project: Project, arguments: list[str], message: str) -> None:
    result = project.asl("serve", *arguments)
    assert result.code == 2
    assert message in result.err


def test_a_port_that_is_taken(project: Project) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result = project.asl("serve", "--port", str(port))
        assert result.code == 2
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port" in result.err
    with pytest.raises(ProjectError, match=r"cannot listen on no\.such\.name\.invalid"):
        bind("no.such.name.invalid", 0)


OPEN = ("--host", "0.0.0.0")  # noqa: S104  the address is under test
SECRET = "a-secret-access-key-of-a-test"  # noqa: S105  as it says


def listing(server: Server, key: str, secret: str, host: str = "asl.example") -> int:
    """The status of a signed request to a server that is reached as ``host``."""
    request = AWSRequest("POST", f"http://{host}/", {"X-Amz-Target": "AWSStepFunctions.ListStateMachines"}, b"{}")
    SigV4Auth(Credentials(key, secret), "states", "us-east-1").add_auth(request)
    headers = {name.replace("-", "_"): value for name, value in request.headers.items()}
    return server.post("ListStateMachines", "{}", **headers, Host=host)[0]


def test_an_open_address_wants_a_signature(project: Project) -> None:
    file = project.root / ".asl" / "asl.db-credentials"
    for started_before in (False, True):
        with serving(project, *OPEN) as (server, process):
            assert server.host == "localhost"
            assert server.post("ListStateMachines", "{}")[2]["__type"] == "MissingAuthenticationTokenException"
            ((key, secret),) = credentials_in(file).items()
            assert listing(server, key, secret) == 200
            assert listing(server, key, secret[::-1]) == 400
            process.terminate()
            said = finished(process).err
        assert file.stat().st_mode & 0o777 == 0o600 or os.name == "nt"
        assert "warning: whatever is sent to 0.0.0.0:0, and its answers, can be read on the way" in said
        assert f"requests have to be signed with an access key of {file}" in said
        assert (f"made an access key: AWS_SHARED_CREDENTIALS_FILE={file}" in said) is not started_before
        assert secret not in said


def test_a_key_of_the_environment_is_wanted_anywhere(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASL_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("ASL_SECRET_ACCESS_KEY", SECRET)
    with serving(project) as (server, _):
        assert listing(server, "test", SECRET, host="localhost") == 200
        assert server.post("ListStateMachines", "{}")[0] == 400
    assert not (project.root / ".asl" / "asl.db-credentials").exists()


def test_half_a_key_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASL_ACCESS_KEY_ID", "test")
    result = project.asl("serve")
    assert result.code == 2
    assert (
        "ASL_SECRET_ACCESS_KEY is not set: ASL_ACCESS_KEY_ID and ASL_SECRET_ACCESS_KEY belong together"
        in result.err
    )


def test_a_host_is_allowed_by_name(project: Project) -> None:
    (project.root / "asl.toml").write_text('allow-hosts = ["asl"]\n', encoding="utf-8")
    with serving(project, "--allow-host", "host.docker.internal", "--allow-host", "fe80::1") as (server, _):
        statuses = {
            host: server.post("ListStateMachines", "{}", Host=host)[0]
            for host in ("host.docker.internal:8083", "asl", "[fe80::1]:80", "localhost", "attacker.example")
        }
    assert [*statuses.values()] == [200, 200, 200, 200, 403]


def test_an_open_address_answers_to_the_allowed_names_alone(project: Project) -> None:
    file = project.root / "keys"
    file.write_text(f"[one]\naws_access_key_id = test\naws_secret_access_key = {SECRET}\n", encoding="utf-8")
    file.chmod(0o644)
    with serving(project, *OPEN, "--allow-host", "asl", "--credentials", "keys") as (server, process):
        assert listing(server, "test", SECRET, host="asl:8083") == 200
        assert listing(server, "test", SECRET, host="attacker.example") == 403
        process.terminate()
        assert ("warning: others on this machine can read keys" in finished(process).err) is (os.name != "nt")


def test_the_projects_hosts_are_checked(project: Project) -> None:
    (project.root / "asl.toml").write_text('allow-hosts = ["http://asl"]\n', encoding="utf-8")
    result = project.asl("serve")
    assert result.code == 2
    assert "asl.toml: allow-hosts: 'http://asl' is no host name" in result.err


def test_uvloop_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvloop")
    from asl_engine.cli.commands import serve

    make = serve._fastest_loop()
    assert make is not None
    loop = make()
    assert type(loop).__module__ == "uvloop"
    loop.close()
    monkeypatch.setattr(serve, "find_spec", lambda _: None)
    assert serve._fastest_loop() is None


@pytest.mark.parametrize("missing", ["httptools", "starlette", "uvicorn"])
def test_the_extra_is_not_installed(project: Project, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    from asl_engine.cli.commands import serve

    monkeypatch.setattr(serve, "find_spec", lambda name: None if name == missing else name)
    result = project.asl("serve")
    assert result.code == 2
    assert 'pip install "asl-engine[server]"' in result.err


LOOPBACK: dict[str, bool] = {
    "127.0.0.1": True,
    "127.1.2.3": True,
    "::1": True,
    "localhost": True,
    "0.0.0.0": False,  # noqa: S104  the text is under test
    "192.168.0.1": False,
    "example.com": False,
}


@pytest.mark.parametrize(("host", "alone"), LOOPBACK.items())
def test_what_is_loopback(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


def test_a_broken_resource_is_logged(project: Project, caplog: Any) -> None:
    """The execution stays where it was; whoever looks into the log learns why."""
    from asl_engine.resources.catalog import Catalog
    from tests.server.harness import running

    async def broken(_call: Any) -> Any:
        raise ValueError("our defect")

    arn = "arn:aws:lambda:us-east-1:123456789012:function:broken"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Catalog, "find", lambda *_: broken)
        with running(project.root / "asl.db") as server:
            client = server.client()
            definition = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": arn, "End": True}}}
            run = client.start_execution(stateMachineArn=created(client, definition))["executionArn"]
            wait_for(lambda: "has stopped where it was: our defect" in caplog.text)
            assert client.describe_execution(executionArn=run)["status"] == "RUNNING"


def test_answers_are_not_held_back() -> None:
    """Else every answer waits 40 ms for its own head to be acknowledged."""
    with bind("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("scale", ["fast", "-1"])
def test_a_time_scale_that_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch, scale: str) -> None:
    monkeypatch.setenv("WAIT_TIME_SCALE", scale)
    result = project.asl("serve", "--port", "0")
    assert (result.code, f"asl: error: WAIT_TIME_SCALE={scale}: it is a number" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("given", "scale", "time"),
    [(None, None, "real"), (None, "0.1", "scale=0.1"), (None, "0", "skip"), ("real", "0.1", "real")],
)
def test_which_time_a_server_has(
    monkeypatch: pytest.MonkeyPatch, given: str | None, scale: str | None, time: str
) -> None:
    """--time comes before the variable of Step Functions Local."""
    monkeypatch.delenv("WAIT_TIME_SCALE", raising=False)
    if scale is not None:
        monkeypatch.setenv("WAIT_TIME_SCALE", scale)
    assert _time(given) == time
