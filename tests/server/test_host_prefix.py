"""What docs/api.md tells users of boto3 about the host of StartSyncExecution and TestState."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from tests.server.harness import PASS, ROLE, Server, created, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLE = "AWS_DISABLE_HOST_PREFIX_INJECTION"
STATE = json.dumps({"Type": "Pass", "End": True})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in (VARIABLE, "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SFN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with running(tmp_path / "asl.db") as server:
        yield server


def as_a_user(**settings: Any) -> Any:
    """A client whose endpoint is found in the environment."""
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    once = Config(retries={"total_max_attempts": 1}, **settings)
    return boto3.Session().client("stepfunctions", region_name="us-east-1", config=once, **keys)


@pytest.mark.parametrize("way", ["nothing", "the variable", "the profile", "the client"])
def test_what_takes_the_prefix_away(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    arn = created(server.client(), PASS, type="EXPRESS")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", f"http://{server.host}:{server.port}")
    if way == "the variable":
        monkeypatch.setenv(VARIABLE, "true")
    if way == "the profile":
        config = tmp_path / "config"
        config.write_text("[default]\ndisable_host_prefix_injection = true\n", encoding="utf-8")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    client = as_a_user(**({"inject_host_prefix": False} if way == "the client" else {}))
    if way == "nothing":
        with pytest.raises(EndpointConnectionError, match=f"http://sync-{server.host}:{server.port}/"):
            client.start_sync_execution(stateMachineArn=arn)
        return
    assert client.start_sync_execution(stateMachineArn=arn)["status"] == "SUCCEEDED"
    assert client.test_state(definition=STATE, roleArn=ROLE)["status"] == "SUCCEEDED"


def test_a_name_in_the_hosts_file_is_answered_to(server: Server) -> None:
    arn = created(server.client(), PASS, type="EXPRESS")
    body = json.dumps({"stateMachineArn": arn})
    status, _, answer = server.post("StartSyncExecution", body, Host=f"sync-localhost:{server.port}")
    assert (status, answer["status"]) == (200, "SUCCEEDED")
