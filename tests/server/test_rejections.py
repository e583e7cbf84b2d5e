"""The API refuses what botocore's service model forbids, in AWS's words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.request import checked_name
from tests.server.harness import created
from tests.server.rejections import KINDS, cases, disagreement, operations, own_cases, prepare, sound

if TYPE_CHECKING:
    from tests.server.harness import Server

OPERATIONS = operations()
WITH_OWN_ERRORS = [operation for operation in OPERATIONS if any(own_cases(operation))]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_constraint_of_the_model(server: Server, operation: str) -> None:
    prepare(server)
    _, _, answer = server.post(operation, json.dumps(sound(operation)))
    told = answer or {}
    assert told.get("__type") != "SerializationException"
    assert "failed to satisfy constraint" not in str(told.get("message"))
    found = [disagreement(server, case) for case in cases(operation)]
    assert found
    assert [one for one in found if one is not None] == []


@pytest.mark.parametrize("operation", WITH_OWN_ERRORS)
def test_what_has_an_error_of_its_own(server: Server, operation: str) -> None:
    prepare(server)
    found = [disagreement(server, case) for case in own_cases(operation)]
    assert [one for one in found if one is not None] == []


def test_no_kind_of_constraint_is_forgotten() -> None:
    assert {case.kind for operation in OPERATIONS for case in cases(operation)} == set(KINDS)


def test_what_is_read_as_aws_reads_it(server: Server, client: Any, name: str) -> None:
    """An integer's fraction is cut off and a list's nulls are dropped: as measured of Amazon Athena."""
    arn = created(client, name=name)
    created(client, name=f"{name}-2")
    assert len(client.list_state_machines(maxResults=1.9)["stateMachines"]) == 1
    tags = [None, {"key": "k", "value": "v"}, None]
    assert server.post("TagResource", json.dumps({"resourceArn": arn, "tags": tags}))[0] == 200
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "k", "value": "v"}]
    assert server.post("UntagResource", json.dumps({"resourceArn": arn, "tagKeys": [None, "k"]}))[0] == 200
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == []


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ("", "ValidationException", "Value '' at 'name' failed .* length greater than or equal to 1"),
        ("x" * 81, "ValidationException", "Value 'x{81}' at 'name' failed .* length less than or equal to 80"),
        ("a b", "InvalidName", "Invalid Name: 'a b'"),
    ],
)
def test_names_without_botocore(given: str, code: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        checked_name(given)
    assert caught.value.code == code
    assert re.search(message, caught.value.message)
