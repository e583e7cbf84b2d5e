"""The calls of Terraform's aws_sfn_state_machine, as its AWS SDK for Go puts them on the wire.

What they are is read from the provider (internal/service/sfn/state_machine.go) and from the SDK
(service/sfn/serializers.go), which leaves out false, zero and empty enumerations.
"""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import FAIL, PASS, ROLE

if TYPE_CHECKING:
    from tests.server.harness import Server

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"
DESTINATIONS = [
    {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:/sfn/m:*"}}
]
MANAGED = {"kmsKeyId": "alias/mine", "kmsDataKeyReusePeriodSeconds": 60, "type": "CUSTOMER_MANAGED_KMS_KEY"}

# Of each block: what the configuration says, what is on the wire (None: nothing), what is read back.
OFF = {"level": "OFF", "includeExecutionData": False}
LOGGING: list[tuple[str, Any, Any]] = [
    ("no block", None, OFF),
    ("off", {"level": "OFF"}, OFF),
    ("an empty block", {}, OFF),
    ("no destinations", {"level": "OFF", "destinations": []}, OFF),
    (
        "errors without data",
        {"level": "ERROR", "destinations": DESTINATIONS},
        {"level": "ERROR", "includeExecutionData": False, "destinations": DESTINATIONS},
    ),
    (
        "everything",
        {"level": "ALL", "includeExecutionData": True, "destinations": DESTINATIONS},
        {"level": "ALL", "includeExecutionData": True, "destinations": DESTINATIONS},
    ),
]
TRACING: list[tuple[str, Any, Any]] = [
    ("no block", None, {"enabled": False}),
    ("disabled", {}, {"enabled": False}),
    ("enabled", {"enabled": True}, {"enabled": True}),
]
ENCRYPTION: list[tuple[str, Any, Any]] = [
    ("no block", None, {"type": "AWS_OWNED_KEY"}),
    ("AWS's key", {"type": "AWS_OWNED_KEY"}, {"type": "AWS_OWNED_KEY"}),
    ("a key", MANAGED, MANAGED),
    (
        "a key without a period",
        {"kmsKeyId": "alias/mine", "type": "CUSTOMER_MANAGED_KMS_KEY"},
        MANAGED | {"kmsDataKeyReusePeriodSeconds": 300},
    ),
]
MEMBERS = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
BLOCKS = [
    pytest.param(
        *blocks, id=", ".join(f"{member[0]}: {block[0]}" for member, block in zip("lte", blocks, strict=True))
    )
    for blocks in product(LOGGING, TRACING, ENCRYPTION)
]


def call(server: Server, operation: str, **data: Any) -> Any:
    status, _, body = server.post(operation, json.dumps(data))
    assert status == 200, (operation, data, body)
    return body


def sent(*blocks: tuple[str, Any, Any]) -> dict[str, Any]:
    return {member: block[1] for member, block in zip(MEMBERS, blocks, strict=True) if block[1] is not None}


def read_back(*blocks: tuple[str, Any, Any]) -> dict[str, Any]:
    return {member: block[2] for member, block in zip(MEMBERS, blocks, strict=True)}


def planned(server: Server, arn: str) -> dict[str, Any]:
    """What a plan reads of the machine; the dates and the revision are computed, and no cause for a change."""
    shown: dict[str, Any] = call(server, "DescribeStateMachine", stateMachineArn=arn)
    call(server, "ListStateMachineVersions", stateMachineArn=arn)
    shown["tags"] = call(server, "ListTagsForResource", resourceArn=arn)["tags"]
    return {member: value for member, value in shown.items() if member not in {"creationDate", "revisionId"}}


@pytest.mark.parametrize(("logging", "tracing", "encryption"), BLOCKS)
def test_a_machine_is_created_changed_and_destroyed(
    server: Server, name: str, logging: Any, tracing: Any, encryption: Any
) -> None:
    blocks = (logging, tracing, encryption)
    expected = {
        "stateMachineArn": ARN + name,
        "name": name,
        "status": "ACTIVE",
        "definition": json.dumps(PASS),
        "roleArn": ROLE,
        "type": "STANDARD",
        "tags": [],
    }
    base = {"definition": json.dumps(PASS), "name": name, "roleArn": ROLE, "type": "STANDARD"}
    assert call(server, "ValidateStateMachineDefinition", definition=base["definition"])["result"] == "OK"
    arn = call(server, "CreateStateMachine", **base, **sent(*blocks))["stateMachineArn"]
    assert planned(server, arn) == expected | read_back(*blocks)
    assert planned(server, arn) == expected | read_back(*blocks)  # a second plan finds nothing to do
    # Another definition and another role; of the blocks only those that changed are sent, and none has.
    expected |= {"definition": json.dumps(FAIL), "roleArn": ROLE + "2"}
    changed = {"definition": json.dumps(FAIL), "roleArn": ROLE + "2", "stateMachineArn": arn}
    call(server, "UpdateStateMachine", **changed)
    assert planned(server, arn) == expected | read_back(*blocks)
    # To blocks with everything, and back.
    for other in ((LOGGING[-1], TRACING[-1], ENCRYPTION[2]), blocks):
        call(server, "UpdateStateMachine", **changed, **sent(*other))
        kept = read_back(LOGGING[-1], TRACING[-1], ENCRYPTION[2])  # a block that is not sent stays
        now = kept | {member: read_back(*other)[member] for member in sent(*other)}
        assert planned(server, arn) == expected | now
        assert planned(server, arn) == expected | now
    call(server, "DeleteStateMachine", stateMachineArn=arn)
    status, _, body = server.post("DescribeStateMachine", json.dumps({"stateMachineArn": arn}))
    assert (status, body["__type"]) == (400, "StateMachineDoesNotExist")


def test_versions_and_tags(server: Server, name: str) -> None:
    base = {"definition": json.dumps(PASS), "name": name, "roleArn": ROLE, "type": "STANDARD", "publish": True}
    made = call(server, "CreateStateMachine", **base, tags=[{"key": "a", "value": ""}])
    arn = made["stateMachineArn"]
    assert made["stateMachineVersionArn"] == f"{arn}:1"
    assert planned(server, arn)["tags"] == [{"key": "a", "value": ""}]
    # The description of the version is always there, and empty.
    changed = {"definition": json.dumps(FAIL), "roleArn": ROLE, "stateMachineArn": arn}
    answer = call(server, "UpdateStateMachine", **changed, publish=True, versionDescription="")
    assert answer["stateMachineVersionArn"] == f"{arn}:2"
    listed = call(server, "ListStateMachineVersions", stateMachineArn=arn)["stateMachineVersions"]
    assert [one["stateMachineVersionArn"] for one in listed] == [f"{arn}:2", f"{arn}:1"]
    call(server, "UntagResource", resourceArn=arn, tagKeys=["a"])
    call(server, "TagResource", resourceArn=arn, tags=[{"key": "b", "value": "c"}])
    assert planned(server, arn)["tags"] == [{"key": "b", "value": "c"}]
    call(server, "DeleteStateMachine", stateMachineArn=arn)
    again = call(server, "CreateStateMachine", **base)
    assert again["stateMachineVersionArn"] == f"{arn}:1"
    assert planned(server, arn)["tags"] == []


def test_an_alias(server: Server, name: str) -> None:
    base = {"definition": json.dumps(PASS), "name": name, "roleArn": ROLE, "type": "STANDARD", "publish": True}
    version = call(server, "CreateStateMachine", **base)["stateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    made = call(server, "CreateStateMachineAlias", name="live", description="", routingConfiguration=routing)
    alias = made["stateMachineAliasArn"]
    shown = call(server, "DescribeStateMachineAlias", stateMachineAliasArn=alias)
    assert (shown["name"], shown["routingConfiguration"]) == ("live", routing)
    call(
        server,
        "UpdateStateMachineAlias",
        stateMachineAliasArn=alias,
        description="now",
        routingConfiguration=routing,
    )
    assert call(server, "DescribeStateMachineAlias", stateMachineAliasArn=alias)["description"] == "now"
    call(server, "DeleteStateMachineAlias", stateMachineAliasArn=alias)
    status, _, body = server.post("DescribeStateMachineAlias", json.dumps({"stateMachineAliasArn": alias}))
    assert (status, body["__type"]) == (400, "ResourceNotFound")
