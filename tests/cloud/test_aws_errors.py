"""What goes wrong with AWS, told to a person: what, why, what to do, the request id, and never a secret."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from asl_engine.cloud.client import clean
from tests.cli.project import PASS
from tests.cloud.account import quick_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.project import Project

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>U</UserId><Account>123456789012</Account>"
    b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


@contextmanager
def answering(
    status: int, code: str, message: str, *, drop: bool = False, page: bytes | None = None
) -> Iterator[tuple[str, list[str]]]:
    """An endpoint that knows the caller, and refuses everything else: with an error, or with a web page."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            target = self.headers.get("X-Amz-Target", "")
            asked.append(target.rpartition(".")[2] or "sts")
            if target and drop:
                self.connection.close()
                return
            error = page or f'{{"__type": "{code}", "message": "{message}"}}'.encode()
            body = error if target else IDENTITY
            self.send_response(status if target else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", "11111111-2222-3333-4444-555555555555")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SFN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "asl_engine.cloud.client.new_session",
        lambda region_name=None, profile_name=None: boto3.Session(
            region_name=region_name, profile_name=profile_name, botocore_session=quick_session()
        ),
    )


REFUSALS = [
    ((400, "AccessDeniedException", "User is not authorized"), "the credentials do not permit this call"),
    ((400, "ExpiredTokenException", "The security token has expired"), "the credentials have expired"),
    ((400, "UnrecognizedClientException", "The security token is invalid"), "the credentials are not known there"),
    ((400, "ThrottlingException", "Rate exceeded"), "AWS is throttling; nothing is lost"),
    ((400, "InvalidSignatureException", "Signature expired"), "this machine's clock is wrong"),
    ((400, "InvalidArn", "Invalid Arn: 'x'"), "InvalidArn: Invalid Arn: 'x'"),
]


@pytest.mark.parametrize(("refusal", "expected"), REFUSALS, ids=[one[0][1] for one in REFUSALS])
def test_what_aws_refuses(
    project: Project, monkeypatch: pytest.MonkeyPatch, refusal: tuple[int, str, str], expected: str
) -> None:
    with answering(*refusal) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert result.out == ""
    assert expected in result.err
    assert "(AWS request id 11111111-2222-3333-4444-555555555555)" in result.err
    assert "Traceback" not in result.err
    assert KEY_ID not in result.err
    assert SECRET not in result.err


def test_throttled_calls_are_repeated_by_the_sdk(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    monkeypatch.setattr("random.random", lambda: 0.0)
    with answering(400, "ThrottlingException", "Rate exceeded") as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert project.asl("deploy", project.define("m", PASS)).code == 2
    assert asked.count("DescribeStateMachine") == 3


def test_a_dropped_connection(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, "", "", drop=True) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert "the connection failed" in result.err
    assert "run the same command again" in result.err


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_that_cannot_be_read(project: Project, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with answering(status, "", "", page=b"<html>sorry</html>") as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert f"{status}: " in result.err
    assert "run the same command again (AWS request id 11111111-2222-3333-4444-555555555555)" in result.err


def test_nobody_answers(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert "Could not connect to the endpoint URL" in result.err


def test_an_endpoint_that_is_no_url(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert "nonsense" in result.err
    assert "Traceback" not in result.err


def test_no_credentials(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert "there are no AWS credentials: set AWS_PROFILE" in result.err


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu-wst-1", "there is no AWS region 'eu-wst-1'; did you mean 'eu-west-1'?"),
        ("moon", "there is no AWS region 'moon'"),
        ("eu west 1", "there is no AWS region 'eu west 1'"),
    ],
)
def test_a_region_that_does_not_exist(project: Project, region: str, expected: str) -> None:
    result = project.asl("deploy", project.define("m", PASS), "--region", region)
    assert result.code == 2
    assert expected in result.err


def test_no_region(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert "no AWS region is known: give --region" in result.err


def test_a_profile_that_does_not_exist(project: Project) -> None:
    result = project.asl("deploy", project.define("m", PASS), "--profile", "nobody")
    assert result.code == 2
    assert "nobody" in result.err
    assert "Traceback" not in result.err


def test_a_definition_that_is_refused_never_gets_to_aws(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}'
    with answering(500, "InternalFailure", "") as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setattr("asl_engine.cloud.deploy.deployment.look_at", lambda *_: None)
        result = project.asl("deploy", project.define("m", broken))
    assert result.code == 2
    assert "MISSING_TRANSITION_TARGET" in result.err
    assert asked == ["sts"]


def test_a_placeholder_without_a_value(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Comment": "${Stage}", "End": true}}}'
    with answering(400, "StateMachineDoesNotExist", "none") as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        result = project.asl("deploy", project.define("m", text))
    assert result.code == 2
    assert "no value is given for ${Stage}: --substitute Stage=..." in result.err
    assert "CreateStateMachine" not in asked


NO_ALIASES = ["a b", "live:1", "12", "", "l" * 81, "é"]
OPTIONS = [
    (["--weight", "100"], "--weight 100: it is the new version's percentage, from 1 to 99"),
    (["--weight", "10"], "give --alias NAME"),
    (["--check", "true"], "give --alias NAME"),
    (["--promote", "--rollback", "--alias", "live"], "--promote and --rollback exclude each other"),
    (["--destroy", "--weight", "3"], "--destroy deletes everything"),
    (["--type", "FAST"], "--type FAST: it is STANDARD or EXPRESS"),
    (["--watch", "-1"], "it is a number of seconds"),
    (["--role", "mine"], "--role mine: it is a role's ARN"),
    (["--name", "a b"], "--name 'a b': a name has 1 to 80"),
    *((["--alias", name], f"--alias {name!r}: an alias's name has 1 to 80") for name in NO_ALIASES),
]


@pytest.mark.parametrize(("options", "expected"), OPTIONS, ids=[" ".join(one[0]) for one in OPTIONS])
def test_options_that_do_not_go_together(project: Project, options: list[str], expected: str) -> None:
    result = project.asl("deploy", project.define("m", PASS), *options)
    assert result.code == 2
    assert expected in result.err


CONFIGURATIONS = [
    ("memory = 12", "deploy.memory has to be a whole number of megabytes from 128 to 10240; it is 12"),
    ('colour = "red"', "there is no key 'colour'; allowed are project, type"),
    (
        'alias = "12"',
        "deploy.alias has to be an alias's name (1 to 80 of the characters A-Z a-z 0-9 . - _, and not",
    ),
    ('alias = "é"', "deploy.alias has to be an alias's name"),
    ('architecture = "mips"', "deploy.architecture has to be one of arm64, x86_64"),
    ("logging = { level = 'ALL' }", "deploy.logging: group is missing"),
    ("functions = { pay = { memory = 'much' } }", "deploy.functions.pay.memory has to be a whole number"),
    ("functions = { pay = 3 }", "deploy.functions.pay has to be a table"),
]


@pytest.mark.parametrize(("line", "expected"), CONFIGURATIONS, ids=[one[0] for one in CONFIGURATIONS])
def test_a_configuration_that_cannot_be(project: Project, line: str, expected: str) -> None:
    (project.root / "asl.toml").write_text(f"[deploy]\n{line}\n")
    result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert expected in result.err


def test_a_definition_from_the_standard_input_needs_a_name(project: Project) -> None:
    result = project.asl("deploy", "-")
    assert result.code == 2
    assert "give --name NAME" in result.err


@pytest.mark.parametrize("name", ["order (1)", "bestellung-grün"])
def test_a_file_whose_name_no_role_can_have(project: Project, name: str) -> None:
    result = project.asl("deploy", project.define(name, PASS))
    assert result.code == 2
    assert "give --name, of 1 to 80 of the characters A-Z a-z 0-9 . - _" in result.err


def test_without_boto3(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.define("m", PASS)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    for command in (["deploy", path], ["remote", "list"], ["workers", "--activity", "x"]):
        result = project.asl(*command)
        assert result.code == 2
        assert 'this command needs boto3: pip install "asl-engine[aws]"' in result.err


def test_what_is_cleaned() -> None:
    said = f"https://me:{SECRET}@proxy:8080 {KEY_ID} token={SECRET} secret: {SECRET}\nnext"
    assert clean(said) == "https://...proxy:8080 ... token=... secret: ... next"
