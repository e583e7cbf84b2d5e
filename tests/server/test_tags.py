"""Tags, through boto3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import PASS, ROLE, created, refusal

if TYPE_CHECKING:
    from tests.server.harness import Server

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"


def pairs(**tags: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def tags_of(client: Any, arn: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}


def test_tags_come_and_go(client: Any, name: str) -> None:
    arn = created(client, name=name, tags=pairs(a="1", b="2"))
    assert tags_of(client, arn) == {"a": "1", "b": "2"}
    client.tag_resource(resourceArn=arn, tags=[*pairs(b="3", c=""), {"key": "d"}])
    assert tags_of(client, arn) == {"a": "1", "b": "3", "c": "", "d": ""}
    client.untag_resource(resourceArn=arn, tagKeys=["a", "d", "nothing"])
    assert tags_of(client, arn) == {"b": "3", "c": ""}
    client.tag_resource(resourceArn=arn, tags=[{"key": "Größe: /=+-@_.", "value": "Ж 1"}])
    assert tags_of(client, arn)["Größe: /=+-@_."] == "Ж 1"
    # A further creation changes none.
    created(client, name=name, tags=pairs(z="9"))
    assert "z" not in tags_of(client, arn)
    client.delete_state_machine(stateMachineArn=arn)
    assert tags_of(client, created(client, name=name)) == {}


def test_there_is_a_limit_to_tags(client: Any, name: str) -> None:
    fifty = pairs(**{f"k{number}": "v" for number in range(50)})
    arn = created(client, name=name, tags=fifty)
    client.tag_resource(resourceArn=arn, tags=pairs(k1="w"))
    full = ("TooManyTags", f"The number of tags exceeds the limit of 50: '{arn}'")
    assert refusal(client.tag_resource, resourceArn=arn, tags=pairs(more="v")) == full
    assert len(tags_of(client, arn)) == 50
    arguments = {"name": name + "x", "definition": json.dumps(PASS), "roleArn": ROLE}
    code, message = refusal(client.create_state_machine, **arguments, tags=[*fifty, *pairs(more="v")])
    assert (code, message) == ("TooManyTags", f"The number of tags exceeds the limit of 50: '{arn}x'")
    assert refusal(client.describe_state_machine, stateMachineArn=arn + "x")[0] == "StateMachineDoesNotExist"


REFUSED: dict[str, tuple[list[Any], str]] = {
    "an empty key": ([{"key": "", "value": "v"}], "tags.1.member.key"),
    "a long key": ([{"key": "k" * 129, "value": "v"}], "tags.1.member.key"),
    "a long value": ([{"key": "k", "value": "v" * 257}], "tags.1.member.value"),
    "no key": ([{"value": "v"}], "tags.1.member.key"),
    "a character of the key": ([{"key": "a", "value": ""}, {"key": "a!", "value": ""}], "tags.2.member.key"),
    "a character of the value": ([{"key": "a", "value": "(b)"}], "tags.1.member.value"),
    "the prefix of AWS": ([{"key": "AWS:a", "value": "b"}], "aws: prefixed tag key names are not allowed"),
}


@pytest.mark.parametrize(("tags", "words"), REFUSED.values(), ids=REFUSED)
def test_tags_that_are_refused(client: Any, name: str, tags: list[Any], words: str) -> None:
    arn = created(client, name=name)
    code, message = refusal(client.tag_resource, resourceArn=arn, tags=tags)
    assert (code, words in message) == ("ValidationException", True)
    arguments = {"name": name + "x", "definition": json.dumps(PASS), "roleArn": ROLE}
    assert refusal(client.create_state_machine, **arguments, tags=tags) == (code, message)
    assert tags_of(client, arn) == {}


def test_what_has_no_tags(client: Any, name: str) -> None:
    arn = created(client, name=name, publish=True)
    calls: list[tuple[Any, dict[str, Any]]] = [
        (client.tag_resource, {"tags": pairs(a="b")}),
        (client.untag_resource, {"tagKeys": ["a"]}),
        (client.list_tags_for_resource, {}),
    ]
    for call, more in calls:
        assert refusal(call, resourceArn=ARN + "no", **more) == (
            "ResourceNotFound",
            f"Resource not found: '{ARN}no'",
        )
        assert refusal(call, resourceArn=f"{arn}:1", **more)[0] == "InvalidArn"
        assert refusal(call, resourceArn=f"{arn}/label", **more)[0] == "InvalidArn"
        assert (
            refusal(call, resourceArn=arn.replace("stateMachine", "execution") + ":e", **more)[0] == "InvalidArn"
        )
        assert refusal(call, resourceArn="arn", **more)[0] == "InvalidArn"
        assert refusal(call, **more)[0] == "ValidationException"
    assert refusal(client.tag_resource, resourceArn=arn)[0] == "ValidationException"
    assert refusal(client.untag_resource, resourceArn=arn)[0] == "ValidationException"


def test_regions_and_accounts_see_nothing_of_each_other(server: Server, name: str) -> None:
    client = server.client()
    arn = created(client, name=name, tags=pairs(a="b"))
    for other in (server.client("eu-west-1"), server.client(key="210987654321")):
        assert refusal(other.list_tags_for_resource, resourceArn=arn)[0] == "ResourceNotFound"
        assert refusal(other.tag_resource, resourceArn=arn, tags=pairs(a="c"))[0] == "ResourceNotFound"
        assert refusal(other.untag_resource, resourceArn=arn, tagKeys=["a"])[0] == "ResourceNotFound"
    assert tags_of(client, arn) == {"a": "b"}
