"""Whose resources a command touches: what is at the endpoint of Step Functions, and nothing anywhere else."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from asl_engine.arn import Arn
from asl_engine.cloud.client import new_session
from asl_engine.cloud.endpoints import is_aws, mark, same_server, shown
from tests.cli.project import Project, machine, task
from tests.cloud.account import ACCOUNT, REGION, Account
from tests.server.harness import PASS, Server, created, running
from tests.test_docs import BLOCK, EXAMPLE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
TASKS = machine(Double=task("double"))
NOT_AWS = ["AWS_ENDPOINT_URL_SFN", "AWS_ENDPOINT_URL", "profile", "--endpoint-url"]
THEIRS = "111122223333"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.cli.commands.deploy.time.sleep", lambda _seconds: None)


@pytest.fixture
def aws(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account is AWS's: no endpoint is configured."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    return account


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "server.db") as server:
        yield server


@contextmanager
def pointed(how: str, server: Server, project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The server is where Step Functions is: options for the commands that are to find it."""
    url = f"http://{server.host}:{server.port}"
    with monkeypatch.context() as changed:
        if how == "--endpoint-url":
            yield [how, url]
            return
        if how == "profile":
            config = project.root / "aws-config"
            config.write_text(f"[default]\nservices = here\n[services here]\nsfn =\n  endpoint_url = {url}\n")
            changed.setenv("AWS_CONFIG_FILE", str(config))
        else:
            changed.setenv(how, url)
        yield []


def services(account: Account) -> set[str]:
    return {call.partition(".")[0] for call in account.calls}


# -- a server on this machine, with an account of AWS beside it -----------------------------------------


@pytest.mark.parametrize(
    ("how", "role"), [*((how, ["--role", ROLE]) for how in NOT_AWS), ("AWS_ENDPOINT_URL_SFN", [])]
)
def test_what_is_at_aws_survives_what_is_done_here(  # noqa: PLR0917  four fixtures
    project: Project, aws: Account, local: Server, monkeypatch: pytest.MonkeyPatch, how: str, role: list[str]
) -> None:
    path = project.define("m", TASKS)
    assert project.asl("deploy", path, "--with-functions", "--alias", "live").code == 0
    before = aws.state()
    assert before["functions"]
    assert len(before["roles"]) == 2
    client = local.client(region=REGION)
    with pointed(how, local, project, monkeypatch) as options:
        aws.calls.clear()
        result = project.asl("deploy", path, *role, "--alias", "live", *options)
        assert result.code == 0, result.err
        assert result.out == f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m:live\n"
        assert f"at http://{local.host}:{local.port}" in result.err
        assert project.asl("deploy", path, *role, "--alias", "live", *options).code == 0
        for again in ("--rollback", "--promote"):  # moves nothing at AWS either
            project.asl("deploy", path, "--alias", "live", again, *options)
        assert [one["name"] for one in client.list_state_machines()["stateMachines"]] == ["m"]
        assert project.asl("deploy", path, "--destroy", "--yes", *options).code == 0
    assert client.list_state_machines()["stateMachines"] == []
    assert services(aws) <= ({"stepfunctions", "sts"} if how == "AWS_ENDPOINT_URL" else {"stepfunctions"})
    assert aws.state() == before
    # And the other way round: what is here survives what is done at AWS.
    created(client, PASS)
    assert project.asl("deploy", path, "--destroy", "--yes").code == 0
    assert aws.state() == {"machines": {}, "roles": {}, "functions": {}}
    assert [one["name"] for one in client.list_state_machines()["stateMachines"]] == ["m"]


@pytest.mark.parametrize("how", NOT_AWS)
def test_no_function_is_made_for_a_server_here(
    project: Project, aws: Account, local: Server, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = project.define("m", TASKS)
    with pointed(how, local, project, monkeypatch) as options:
        for arguments, said in (
            (["--with-functions", "--role", ROLE], "Lambda is not"),
            (["--with-functions"], "Lambda is not"),
            (["--alias", "live", "--alarm", "a"], "CloudWatch is not"),
        ):
            refused = project.asl("deploy", path, *arguments, *options)
            assert refused.code == 2
            assert said in refused.err
    assert local.client(region=REGION).list_state_machines()["stateMachines"] == []
    assert aws.state() == {"machines": {}, "roles": {}, "functions": {}}


def test_no_role_is_made_for_a_server_here(
    project: Project, aws: Account, local: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.define("m", TASKS)
    with pointed("AWS_ENDPOINT_URL_SFN", local, project, monkeypatch):
        result = project.asl("deploy", path)
    assert result.code == 0
    url = f"http://{local.host}:{local.port}"
    assert f"no role is made: there is no IAM at {url}, and the machine gets a role in name only" in result.err
    shown_machine = local.client(region=REGION).describe_state_machine(stateMachineArn=result.out.strip())
    assert shown_machine["roleArn"] == f"arn:aws:iam::{ACCOUNT}:role/asl-engine"
    assert aws.written == ["stepfunctions.CreateStateMachine"]


def test_step_functions_at_aws_gets_nothing_from_an_emulator(
    project: Project, aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.define("m", TASKS)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", aws.url)
    refused = project.asl("deploy", path)
    assert refused.code == 2
    assert "Step Functions is at https://states.eu-west-1.amazonaws.com, and IAM is not" in refused.err
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", aws.url)
    refused = project.asl("deploy", path, "--with-functions", "--role", ROLE)
    assert refused.code == 2
    assert "Lambda is not" in refused.err
    assert aws.written == []


def test_the_question_names_the_endpoint(project: Project, aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.define("m", PASS)
    assert project.asl("deploy", path).code == 0
    asked: list[str] = []

    def refuse(question: str, _: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr("asl_engine.cli.commands.deploy.confirmed", refuse)
    refused = project.asl("deploy", path, "--destroy")
    assert (refused.code, aws.state()["machines"] != {}) == (2, True)
    assert asked == [f"delete this in {REGION}, account {ACCOUNT}, at https://states.{REGION}.amazonaws.com?"]


# -- what roles and functions carry ---------------------------------------------------------------------


def test_roles_and_functions_say_what_they_were_made_for(project: Project, aws: Account) -> None:
    assert project.asl("deploy", project.define("m", TASKS), "--with-functions").code == 0
    made_for = f"AWS {REGION} {ACCOUNT}"
    for role in (f"asl-m-{REGION}", f"asl-m-{REGION}-functions"):
        tags = aws.client("iam").list_role_tags(RoleName=role)["Tags"]
        assert {"Key": "asl-engine:endpoint", "Value": made_for} in tags
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:m-double"
    assert aws.client("lambda").list_tags(Resource=function)["Tags"]["asl-engine:endpoint"] == made_for


def test_what_was_made_for_another_endpoint_is_left_alone(project: Project, account: Account) -> None:
    """An emulator with the IAM and the Lambda of two servers."""
    path = project.define("m", TASKS)
    assert project.asl("deploy", path, "--with-functions").code == 0
    other = f"http://localhost:1 {REGION} {ACCOUNT}"
    iam, functions = account.client("iam"), account.client("lambda")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:m-double"
    functions.tag_resource(Resource=arn, Tags={"asl-engine:endpoint": other})
    refused = project.asl("deploy", path, "--with-functions")
    assert refused.code == 2
    here = mark(account.url, REGION, ACCOUNT)
    assert f"its tag asl-engine:endpoint is '{other}', not '{here}'" in refused.err
    for role in (f"asl-m-{REGION}", f"asl-m-{REGION}-functions"):
        iam.tag_role(RoleName=role, Tags=[{"Key": "asl-engine:endpoint", "Value": other}])
    refused = project.asl("deploy", path)
    assert refused.code == 2
    assert f"there is a role asl-m-{REGION} that has not been made for this deployment" in refused.err
    result = project.asl("deploy", path, "--destroy", "--yes")
    assert result.code == 0
    left = account.state()
    assert left["machines"] == {}
    assert list(left["functions"]) == ["m-double"]
    assert sorted(left["roles"]) == [f"asl-m-{REGION}", f"asl-m-{REGION}-functions"]


def test_a_role_of_another_account_is_refused(project: Project, aws: Account) -> None:
    """Its account is not taken for the one that the credentials belong to."""
    path = project.define("m", TASKS)
    assert project.asl("deploy", path, "--with-functions").code == 0
    (project.root / "asl.toml").write_text(f'[deploy]\nrole = "arn:aws:iam::{THEIRS}:role/r"\n')
    before = aws.state()
    aws.calls.clear()
    refused = project.asl("deploy", path)
    assert refused.code == 2
    assert f"belongs to another account than the credentials do ({ACCOUNT})" in refused.err
    assert aws.written == []
    assert aws.state() == before


def test_what_another_tool_has_made_of_exported_files_is_not_destroyed(project: Project, aws: Account) -> None:
    path = project.define("m", TASKS)
    assert project.asl("export", path, "--with-functions", "--format", "cloudformation").code == 0
    resources = json.loads(Path("export/template.json").read_text())["Resources"]
    tags = {kind["Type"]: kind["Properties"].get("Tags") for kind in resources.values()}
    machine_tags = {tag["Key"]: tag["Value"] for tag in tags["AWS::StepFunctions::StateMachine"]}
    states = aws.client("stepfunctions")
    states.create_state_machine(
        name="m",
        definition=json.dumps(PASS),
        roleArn=ROLE,
        tags=[{"key": key, "value": value} for key, value in machine_tags.items()],
    )
    refused = project.asl("deploy", path, "--destroy", "--yes")
    assert refused.code == 2
    assert "nothing is deleted" in refused.err
    assert [one["name"] for one in states.list_state_machines()["stateMachines"]] == ["m"]


# -- an account that nothing names ------------------------------------------------------------------------


@pytest.mark.parametrize("known", ["nothing", "a machine", "an access key", "a role of another account"])
def test_the_account_of_a_server_here_is_found(
    project: Project, aws: Account, local: Server, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    del aws
    key = THEIRS if known == "an access key" else "test"
    account = THEIRS if known == "an access key" else ACCOUNT
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    if known == "a machine":  # the project's account is another than the server's
        (project.root / "asl.toml").write_text(f'account = "{THEIRS}"\n')
        created(local.client(region=REGION), PASS, name="first")
    role = ["--role", f"arn:aws:iam::{THEIRS}:role/r"] if known == "a role of another account" else []
    arn = f"arn:aws:states:{REGION}:{account}:stateMachine:m"
    with pointed("AWS_ENDPOINT_URL_SFN", local, project, monkeypatch):
        for text in (PASS, PASS, machine(Other={"Type": "Succeed"})):
            result = project.asl("deploy", project.define("m", text), *role)
            assert (result.code, result.out) == (0, f"{arn}\n"), result.err
        assert project.asl("remote", "run", "m", "--wait").code == 0


# -- no region, no credentials ------------------------------------------------------------------------------


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nothing of AWS has ever been configured; the metadata service is not switched off."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def printed() -> list[str]:
    """The commands of "On this machine first", as the page prints them."""
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    section = page.partition("## On this machine first\n")[2].partition("\n## ")[0]
    return [
        line.removeprefix("$ ")
        for block in BLOCK.finditer(section)
        if block["language"] == "console"
        for line in block["text"].splitlines()
    ]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")
@pytest.mark.usefixtures("bare")
def test_on_this_machine_first_as_printed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word, but for the port: another test may be listening at 8083."""
    asked: list[str] = []

    def observed(**settings: Any) -> Any:
        session = new_session(**settings)
        session.events.register("before-send", lambda request, **_: asked.append(request.url))
        return session

    monkeypatch.setattr("asl_engine.cloud.client.new_session", observed)
    monkeypatch.setattr(
        "botocore.utils.InstanceMetadataFetcher.retrieve_iam_role_credentials",
        lambda _self: pytest.fail("the metadata service is asked"),
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    serve, *lines = printed()
    assert serve == "asl serve"
    place = example(project)
    monkeypatch.chdir(place)
    process = Project(place, project.asl).spawn("serve", "--port", port)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"export AWS_ENDPOINT_URL_SFN=http://127.0.0.1:{port}\n"
        assert lines[0] == "export AWS_ENDPOINT_URL_SFN=http://127.0.0.1:8083"
        for line in lines:
            words = shlex.split(line.replace("8083", port))
            if words[0] == "export":
                monkeypatch.setenv(*words[1].split("=", 1))
                continue
            result = project.asl(*words[1:])
            assert result.code == 0, f"{line}\n{result.err}"
            if "run" in words:
                assert json.loads(result.out)["status"] == "FULFILLED"
        assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{port}"}
        listed = boto3.Session().client("stepfunctions", region_name="us-east-1", **KEYS).list_state_machines()
        assert listed["stateMachines"] == []
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


KEYS = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}


def example(project: Project) -> Path:
    """A copy of the example project."""
    place = project.root.parent / "example"
    place.mkdir()
    for name in EXAMPLE:
        source = ROOT / name
        shutil.copytree(source, place / name) if source.is_dir() else shutil.copy(source, place / name)
    return place


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("named", ["AWS_REGION", "AWS_DEFAULT_REGION", "asl.toml", "--region", "nothing"])
def test_the_region_that_is_named_is_taken(
    project: Project, local: Server, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    options = ["--region", "eu-west-3"] if named == "--region" else []
    if named.startswith("AWS_"):
        monkeypatch.setenv(named, "eu-west-3")
    if named == "asl.toml":
        (project.root / "asl.toml").write_text('region = "eu-west-3"\n')
    if named != "AWS_DEFAULT_REGION":  # which has to wait for all others
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2") if named in {"AWS_REGION", "--region"} else None
    expected = "us-east-1" if named == "nothing" else "eu-west-3"
    arn = created(local.client(region=expected), PASS)
    assert Arn.of(arn).region == expected
    with pointed("AWS_ENDPOINT_URL_SFN", local, project, monkeypatch):
        started = project.asl("remote", "run", "m", "--wait", *options)
        assert started.code == 0, started.err
        shown_list = project.asl("remote", "list", "--json", *options).json["executions"]
        assert [Arn.of(one["executionArn"]).region for one in shown_list] == [expected]
        assert project.asl("deploy", project.define("n", PASS), *options).out.split(":")[3] == expected
        refused = project.asl("workers", "--activity", "nothing=double", *options)
        assert f"there is no activity 'nothing' in {expected} at http://{local.host}" in refused.err


@pytest.mark.usefixtures("bare")
def test_aws_itself_needs_a_region_and_credentials(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    refused = project.asl("remote", "list")
    assert (refused.code, "no AWS region is known: give --region" in refused.err) == (2, True)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    refused = project.asl("remote", "list")
    assert (refused.code, "there are no AWS credentials" in refused.err) == (2, True)


@pytest.mark.parametrize("command", [["stop"], ["redrive"], ["history"], ["run"]])
def test_an_arn_of_another_region_is_not_looked_for_in_this_one(
    project: Project, aws: Account, command: list[str]
) -> None:
    kind = "stateMachine:m" if command == ["run"] else "execution:m:one"
    arn = f"arn:aws:states:us-west-2:{ACCOUNT}:{kind}"
    refused = project.asl("remote", *command, arn)
    assert refused.code == 2
    assert f"{arn} is not in {REGION}: give --region us-west-2" in refused.err
    assert aws.calls == []


def test_an_express_machine_here_is_waited_for_without_the_prefix_of_aws(
    project: Project, local: Server, aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """StartSyncExecution is sent to the server's own host, not to sync-127.0.0.1."""
    del aws
    created(local.client(region=REGION), PASS, type="EXPRESS")
    with pointed("AWS_ENDPOINT_URL_SFN", local, project, monkeypatch):
        result = project.asl("remote", "run", "m", "--input", "[1]", "--wait")
    assert (result.code, result.out) == (0, "[1]\n"), result.err


@pytest.mark.skipif(os.name == "nt", reason="the check is a line of a POSIX shell")
@pytest.mark.usefixtures("bare")
def test_a_check_works_where_the_deployment_does(project: Project, local: Server) -> None:
    """Whatever it calls, with boto3 or the AWS CLI, finds this server and not an account of AWS."""
    url = f"http://{local.host}:{local.port}"
    path = project.define("m", PASS)
    names = "AWS_ENDPOINT_URL_SFN AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"
    check = f"for name in {names}; do printenv $name; done >told"
    options = ("--alias", "live", "--check", check, "--endpoint-url", url, "--region", "eu-west-3")
    result = project.asl("deploy", path, *options)
    assert result.code == 0, result.err
    assert Path("told").read_text(encoding="utf-8").split() == [url, "eu-west-3", "eu-west-3", "local", "local"]


# -- whose a URL is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://states.eu-west-1.amazonaws.com", True),
        ("https://sync-states.eu-west-1.amazonaws.com", True),
        ("https://states.cn-north-1.amazonaws.com.cn", True),
        ("https://states.us-east-1.api.aws", True),
        ("https://iam.amazonaws.com", True),
        ("https://vpce-1a-2b.states.us-east-1.vpce.amazonaws.com", True),
        ("http://127.0.0.1:8083", False),
        ("http://localhost.localstack.cloud:4566", False),
        ("https://amazonaws.com.example.org", False),
        ("https://notamazonaws.com", False),
        ("https://amazonaws.com@example.org", False),
    ],
)
def test_whose_endpoint_it_is(url: str, expected: bool) -> None:
    assert is_aws(url) is expected


@pytest.mark.parametrize(
    "url", ["nonsense", "127.0.0.1:8083", "ftp://host", "http://", "http://h:99999", "http://[x"]
)
@pytest.mark.parametrize("how", ["--endpoint-url", "AWS_ENDPOINT_URL_SFN"])
def test_an_endpoint_that_is_no_url(
    project: Project, aws: Account, monkeypatch: pytest.MonkeyPatch, url: str, how: str
) -> None:
    options = [how, url] if how == "--endpoint-url" else []
    if not options:
        monkeypatch.setenv(how, url)
    for command in (["deploy", project.define("m", PASS)], ["remote", "list"], ["workers", "--activity", "a"]):
        refused = project.asl(*command, *options)
        assert refused.code == 2, refused.err
        assert url in refused.err or "Invalid IPv6 URL" in refused.err
        assert "Traceback" not in refused.err
    assert aws.calls == []


def test_how_an_endpoint_is_told() -> None:
    assert shown("http://me:secret@host:8083/?token=1#x") == "http://host:8083"
    assert same_server("http://127.0.0.1:8083", "http://localhost:8083/x")
    assert not same_server("http://127.0.0.1:8083", "http://127.0.0.1:8084")
    assert mark("https://states.us-east-1.api.aws", "us-east-1", "1") == "AWS us-east-1 1"
    assert (
        mark("http://127.0.0.1:8083/", "r", "1")
        == mark("http://[::1]:8083", "r", "1")
        == "http://localhost:8083 r 1"
    )
    assert mark("http://hö~st", "r", "1") == "http://hö-st:80 r 1"
