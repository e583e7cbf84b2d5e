"""What moto cannot deliver: messages of topics and events of buckets, in queues of ours, called for and put."""

from __future__ import annotations

import json
import logging
import os
import signal
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from asl_engine.emulation import mount
from asl_engine.emulation.kinds.making import RELAYS
from asl_engine.emulation.kinds.table import KINDS
from asl_engine.emulation.relays import bus_event
from asl_engine.project.configuration import find_project
from asl_engine.resources.python.registry import Registry
from asl_engine.store.run_options import RunOptions
from tests.cli.project import wait_for
from tests.emulation.served import OWN
from tests.server.harness import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asl_engine.emulation.emulator import Emulator

TOPIC = "arn:aws:sns:us-east-1:123456789012:news"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function"
CONFIGURATION = f"""
[emulation.resources.news]
type = "AWS::SNS::Topic"
[[emulation.resources.news.properties.Subscription]]
Protocol = "lambda"
Endpoint = "{FUNCTION}:hear"
[[emulation.resources.news.properties.Subscription]]
Protocol = "lambda"
Endpoint = "{FUNCTION}:nobody"
"""
heard: list[tuple[str, str, int]] = []
said: list[str] = []


def hear(event: Any, context: Any) -> None:
    message = event["Records"][0]["Sns"]["Message"]
    heard.append((message, context.function_name, context.attempt))
    if message == "twice" and context.attempt == 0:
        raise ValueError(message)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    root: Path = tmp_path_factory.mktemp("news")
    (root / ".asl").mkdir()
    (root / "asl.toml").write_text(CONFIGURATION, encoding="utf-8")
    registry = Registry()
    registry.add("hear", hear)
    chosen = mount.chosen_emulation(
        find_project(root, {}), RunOptions(root), None, develops=False, own=OWN, secrets=None, say=said.append
    )
    with chosen as emulation:
        assert emulation is not None
        assert emulation.emulator is not None
        companion = partial(mount.EmulatedServices, emulation=emulation, say=said.append)
        with running(root / "asl.db", registry, companions=[companion]):
            yield emulation.emulator


@pytest.mark.usefixtures("emulator")
def test_a_function_that_fails_once_is_called_again() -> None:
    boto3.client("sns").publish(TopicArn=TOPIC, Message="twice")
    wait_for(lambda: ("twice", "hear", 1) in heard)
    assert ("twice", "hear", 0) in heard


@pytest.mark.usefixtures("emulator")
def test_a_function_that_there_is_not_is_told_at_once() -> None:
    boto3.client("sns").publish(TopicArn=TOPIC, Message="anybody?")
    told = "the function nobody has failed 1 times with what news has sent, which is given up: "
    wait_for(lambda: any(line.startswith(f"{told}Lambda.ResourceNotFoundException: ") for line in said))


@pytest.mark.usefixtures("emulator")
def test_what_somebody_else_puts_there_keeps_nobody_from_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    sqs = boto3.client("sqs")
    (url, _) = sqs.list_queues(QueueNamePrefix=RELAYS)["QueueUrls"]
    with caplog.at_level(logging.ERROR, "asl_engine.server"):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"strange": True}))
        wait_for(lambda: f"a message of {RELAYS}" in caplog.text)
    boto3.client("sns").publish(TopicArn=TOPIC, Message="and on")
    wait_for(lambda: ("and on", "hear", 0) in heard)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_it_goes_on_with_an_emulator_that_was_started_again(emulator: Emulator) -> None:
    assert emulator._process is not None
    os.kill(emulator._process.pid, signal.SIGKILL)
    boto3.client("sns").publish(TopicArn=TOPIC, Message="after all")
    wait_for(lambda: ("after all", "hear", 0) in heard)


@pytest.mark.parametrize(
    ("name", "kind", "more"),
    [
        ("ObjectCreated:Copy", "Object Created", {"reason": "CopyObject"}),
        ("ObjectCreated:CompleteMultipartUpload", "Object Created", {"reason": "CompleteMultipartUpload"}),
        (
            "ObjectRemoved:DeleteMarkerCreated",
            "Object Deleted",
            {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
        ),
        ("ObjectTagging:Put", "Object Tags Added", {}),
        ("ObjectTagging:Delete", "Object Tags Deleted", {}),
        ("ObjectRestore:Post", "Object Restore Initiated", {}),
        ("ObjectRestore:Completed", "Object Restore Completed", {}),
    ],
)
def test_what_the_bus_hears_of_a_bucket(name: str, kind: str, more: dict[str, str]) -> None:
    record = {
        "eventName": name,
        "eventTime": "2026-05-01T10:00:00.250Z",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "caf%C3%A9+1", "size": 3, "eTag": "e"}},
    }
    event = bus_event(record, "arn:aws:s3:::b", "an-id", "eu-west-1", "111122223333")
    assert event == {
        "version": "0",
        "id": "an-id",
        "detail-type": kind,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-05-01T10:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:s3:::b"],
        "detail": {
            "version": "0",
            "bucket": {"name": "b"},
            "object": {
                "key": "café 1",
                "size": 3,
                "etag": "e",
                "sequencer": "00000650BEA4DD7890",
            },
            "request-id": "an-id",
            "requester": "111122223333",
            "source-ip-address": "127.0.0.1",
            **more,
        },
    }


@pytest.mark.parametrize("name", [name for name in KINDS if "Serverless" not in name])
def test_the_properties_are_those_that_cloudformation_has(name: str) -> None:
    """As cfn-lint's copies of the registry's schemas have them."""
    manager = import_module("cfnlint.schema.manager").PROVIDER_SCHEMA_MANAGER
    schema = manager.get_resource_schema("us-east-1", name).schema
    read_only = {path.rpartition("/")[2] for path in schema.get("readOnlyProperties", ())}
    assert KINDS[name].properties == schema["properties"].keys() - read_only
