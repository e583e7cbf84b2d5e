"""An AWS account on this machine: moto's server, as a black box, and a record of what was called.

``Account.calls`` lists the calls as ``service.Operation``.  ``Account.answers`` has what is answered instead, by
operation.  ``Account.fail_after`` makes the n-th call fail
once its answer has come, as if the process were interrupted there.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session

from asl_engine.cloud import client as aws_module
from asl_engine.cloud.client import Aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

REGION = "eu-west-1"
ACCOUNT = "123456789012"
PATIENCE_SECONDS = 60
REQUEST_ID = "11111111-2222-3333-4444-555555555555"
READING = ("Describe", "List", "Get", "Validate")


class Interruption(BaseException):
    """The process ends here."""


@dataclass
class Account:
    """The account, seen from the client's side."""

    url: str
    region: str = REGION
    calls: list[str] = field(default_factory=list)
    fail_after: int | None = None
    answers: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)

    def session(self) -> Any:
        session = boto3.Session(botocore_session=quick_session(), region_name=self.region)
        session.events.register("before-call", self._answered)
        session.events.register("after-call", self._called)
        session.events.register("before-send", self._redirected)
        return session

    def _redirected(self, request: Any, **_: Any) -> None:
        """What is meant for AWS arrives here: the account may be AWS's, or an emulator's."""
        parts = urlsplit(request.url)
        if (parts.hostname or "").endswith(".amazonaws.com"):
            request.url = f"{self.url}{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"

    def _answered(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        waiting = self.answers.get(model.name)
        if not waiting:
            return None
        status, answer = waiting.pop(0)
        return SimpleNamespace(status_code=status), answer

    def refuse(self, operation: str, code: str, message: str, times: int = 1) -> None:
        """Let the next calls of an operation be refused."""
        meta = {"HTTPStatusCode": 400, "RequestId": REQUEST_ID}
        answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": meta}
        self.answers[operation] = [(400, answer)] * times

    def _called(self, model: Any, **_: Any) -> None:
        self.calls.append(f"{model.service_model.service_name}.{model.name}")
        if self.fail_after is not None and len(self.calls) == self.fail_after:
            raise Interruption

    def aws(self) -> Aws:
        return Aws(self.session(), self.region)

    def client(self, service: str) -> Any:
        """A client whose calls are not recorded; where no endpoint is configured, this account is AWS's."""
        session = boto3.Session(botocore_session=quick_session(), region_name=REGION)
        configured = "AWS_ENDPOINT_URL" in os.environ
        return session.client(service, endpoint_url=None if configured else self.url)

    @property
    def written(self) -> list[str]:
        return [*filter(writes, self.calls)]

    def reset(self) -> None:
        self.calls.clear()
        self.answers.clear()
        self.fail_after = None
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE_SECONDS)
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == 200
        connection.close()

    def state(self) -> dict[str, Any]:
        """Everything that is deployed, without what differs from run to run."""
        states, iam, functions = self.client("stepfunctions"), self.client("iam"), self.client("lambda")
        machines = {}
        for one in states.list_state_machines()["stateMachines"]:
            arn = one["stateMachineArn"]
            shown = states.describe_state_machine(stateMachineArn=arn)
            aliases = {
                alias["stateMachineAliasArn"]: states.describe_state_machine_alias(
                    stateMachineAliasArn=alias["stateMachineAliasArn"]
                )["routingConfiguration"]
                for alias in states.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
            }
            tags = states.list_tags_for_resource(resourceArn=arn)["tags"]
            machines[arn] = (shown["definition"], shown["roleArn"], shown["type"], aliases, tags)
        roles = {
            role["RoleName"]: {
                name: iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
                for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            }
            for role in iam.list_roles()["Roles"]
        }
        deployed = {
            one["FunctionName"]: (
                one["CodeSha256"],
                one["MemorySize"],
                one["Timeout"],
                one["Role"],
                functions.get_function_concurrency(FunctionName=one["FunctionName"]).get(
                    "ReservedConcurrentExecutions"
                ),
                len(functions.list_versions_by_function(FunctionName=one["FunctionName"])["Versions"]),
            )
            for one in functions.list_functions()["Functions"]
        }
        return {"machines": machines, "roles": roles, "functions": deployed}


def writes(call: str) -> bool:
    """Whether a call, ``service.Operation``, can change anything."""
    return not call.partition(".")[2].startswith(READING)


def where_to_interrupt(calls: list[str]) -> list[int]:
    """The numbers of the first call, and of those that write.

    A command keeps nothing but what AWS has, so the second one finds the same after every call in between.
    """
    return [number for number, call in enumerate(calls, 1) if number == 1 or writes(call)]


@cache
def loader() -> Any:
    return botocore.session.get_session().get_component("data_loader")


def quick_session() -> Any:
    """A session that has not to read the services' descriptions once more."""
    session = botocore.session.get_session()
    session.register_component("data_loader", loader())
    return session


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """The URL of a server of its own process; what it writes is kept from the tests' output."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
        )
    try:
        pause = threading.Event()
        for _ in range(PATIENCE_SECONDS * 20):
            assert process.poll() is None, "moto's server has ended"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            pause.wait(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def use(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, and whatever else makes a boto3 session, use this account, without the user's configuration."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": account.url,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",  # the one of AWS's documentation
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws_module, "new_session", lambda **_: account.session())
