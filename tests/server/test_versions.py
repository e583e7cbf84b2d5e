"""Versions of state machines, through boto3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from asl_engine.server.operations import versions
from tests.server.harness import FAIL, PASS, ROLE, created, ended, refusal

if TYPE_CHECKING:
    import pytest

    from tests.server.harness import Server

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"


def revised(client: Any, arn: str, *roles: str) -> list[str]:
    """The ARNs of versions, one for each role."""
    update = client.update_state_machine
    return [
        update(stateMachineArn=arn, roleArn=f"arn:aws:iam::123456789012:role/{role}", publish=True)[
            "stateMachineVersionArn"
        ]
        for role in roles
    ]


def listed(client: Any, arn: str) -> list[str]:
    answer = client.list_state_machine_versions(stateMachineArn=arn)
    return [one["stateMachineVersionArn"] for one in answer["stateMachineVersions"]]


def test_a_version_is_published_once_for_a_revision(client: Any, name: str) -> None:
    arn = created(client, name=name)
    first = client.publish_state_machine_version(stateMachineArn=arn, description="first")
    assert first["stateMachineVersionArn"] == f"{arn}:1"
    for arguments in ({}, {"revisionId": "INITIAL"}, {"description": "other"}):
        again = client.publish_state_machine_version(stateMachineArn=arn, **arguments)
        assert (again["stateMachineVersionArn"], again["creationDate"]) == (f"{arn}:1", first["creationDate"])
    revision = client.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL))["revisionId"]
    conflict = (
        "ConflictException",
        (
            "Failed to publish the State Machine version for revision INITIAL. "
            f"The current State Machine revision is {revision}."
        ),
    )
    assert refusal(client.publish_state_machine_version, stateMachineArn=arn, revisionId="INITIAL") == conflict
    second = client.publish_state_machine_version(stateMachineArn=arn, revisionId=revision)
    assert second["stateMachineVersionArn"] == f"{arn}:2"


def test_a_version_stays_what_it_was(client: Any, name: str) -> None:
    arn = created(client, name=name, publish=True, versionDescription="first")
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL), roleArn=ROLE + "2")
    shown = client.describe_state_machine(stateMachineArn=f"{arn}:1")
    machine = client.describe_state_machine(stateMachineArn=arn)
    assert shown["stateMachineArn"] == f"{arn}:1"
    assert (shown["name"], shown["status"], shown["type"]) == (name, "ACTIVE", "STANDARD")
    assert (shown["definition"], shown["roleArn"], shown["description"]) == (json.dumps(PASS), ROLE, "first")
    assert "revisionId" not in shown
    assert "description" not in machine
    execution = client.start_execution(stateMachineArn=f"{arn}:1")["executionArn"]
    assert ended(client, execution)["status"] == "SUCCEEDED"
    failed = client.start_execution(stateMachineArn=arn)["executionArn"]
    assert ended(client, failed)["status"] == "FAILED"


def test_executions_tell_their_version(client: Any, name: str) -> None:
    arn = created(client, name=name, publish=True)
    plain = client.start_execution(stateMachineArn=arn)["executionArn"]
    execution = client.start_execution(stateMachineArn=f"{arn}:1", name="one")["executionArn"]
    assert execution == arn.replace("stateMachine", "execution") + ":one"
    shown = ended(client, execution)
    assert (shown["stateMachineArn"], shown["stateMachineVersionArn"]) == (arn, f"{arn}:1")
    assert "stateMachineAliasArn" not in shown
    assert "stateMachineVersionArn" not in ended(client, plain)
    (only,) = client.list_executions(stateMachineArn=f"{arn}:1")["executions"]
    assert (only["executionArn"], only["stateMachineVersionArn"]) == (execution, f"{arn}:1")
    assert len(client.list_executions(stateMachineArn=arn)["executions"]) == 2
    assert client.list_executions(stateMachineArn=f"{arn}:1", statusFilter="FAILED")["executions"] == []
    first = client.get_execution_history(executionArn=execution)["events"][0]["executionStartedEventDetails"]
    assert (first["stateMachineVersionArn"], "stateMachineAliasArn" in first) == (f"{arn}:1", False)


def test_express_machines_have_versions(client: Any, name: str) -> None:
    arn = created(client, name=name, type="EXPRESS", publish=True)
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL), publish=True)
    assert client.start_sync_execution(stateMachineArn=f"{arn}:1")["status"] == "SUCCEEDED"
    answer = client.start_sync_execution(stateMachineArn=f"{arn}:2")
    assert (answer["status"], answer["stateMachineArn"]) == ("FAILED", arn)


def test_versions_are_listed_newest_first_in_pages(client: Any, name: str) -> None:
    arn = created(client, name=name, publish=True)
    revised(client, arn, "a", "b", "c", "d")
    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        page = client.list_state_machine_versions(stateMachineArn=arn, maxResults=2, **token)
        pages.append([one["stateMachineVersionArn"].rpartition(":")[2] for one in page["stateMachineVersions"]])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
        if len(pages) == 1:  # what is published meanwhile moves nothing
            revised(client, arn, "e")
    assert pages == [["5", "4"], ["3", "2"], ["1"]]
    assert len(listed(client, arn)) == 6
    other = created(client, name=name + "x")
    assert refusal(client.list_state_machine_versions, stateMachineArn=other, **token)[0] == "InvalidToken"
    assert listed(client, ARN + "no") == []
    assert refusal(client.list_state_machine_versions, stateMachineArn=f"{arn}:1")[0] == "InvalidArn"
    assert refusal(client.list_state_machine_versions, stateMachineArn=f"{arn}/l")[0] == "ValidationException"
    assert (
        refusal(client.list_state_machine_versions, stateMachineArn=arn, maxResults=-1)[0] == "ValidationException"
    )


def test_a_deleted_version_is_gone_for_good(client: Any, name: str) -> None:
    arn = created(client, name=name, publish=True)
    execution = client.start_execution(stateMachineArn=f"{arn}:1")["executionArn"]
    client.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    client.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    assert listed(client, arn) == []
    missing = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}:1'")
    for operation in (client.describe_state_machine, client.start_execution, client.list_executions):
        assert refusal(operation, stateMachineArn=f"{arn}:1") == missing
    assert ended(client, execution)["stateMachineVersionArn"] == f"{arn}:1"
    assert client.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"] == f"{arn}:2"
    client.delete_state_machine(stateMachineArn=arn)
    assert created(client, name=name, publish=True) == arn
    assert listed(client, arn) == [f"{arn}:1"]


def test_a_version_that_an_alias_refers_to_stays(client: Any, name: str) -> None:
    arn = created(client, name=name, publish=True)
    routing = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    for alias in ("a", "b"):
        client.create_state_machine_alias(name=alias, routingConfiguration=routing)
    code, message = refusal(client.delete_state_machine_version, stateMachineVersionArn=f"{arn}:1")
    assert code == "ConflictException"
    assert message.startswith("Version to be deleted must not be referenced by an alias. Current list of aliases ")
    assert message.endswith((": [a, b]", ": [b, a]"))
    for alias in ("a", "b"):
        client.delete_state_machine_alias(stateMachineAliasArn=f"{arn}:{alias}")
    client.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    assert listed(client, arn) == []


def test_there_is_a_limit_to_versions(client: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MAX_VERSIONS", 2)
    arn = created(client, name=name, publish=True)
    revised(client, arn, "a")
    full = ("ServiceQuotaExceededException", f"The state machine '{arn}' has reached the limit of 2 versions")
    before = client.describe_state_machine(stateMachineArn=arn)["roleArn"]
    update = {"stateMachineArn": arn, "roleArn": ROLE + "9", "publish": True}
    assert refusal(client.update_state_machine, **update) == full
    assert client.describe_state_machine(stateMachineArn=arn)["roleArn"] == before
    client.update_state_machine(stateMachineArn=arn, roleArn=ROLE + "9")
    assert refusal(client.publish_state_machine_version, stateMachineArn=arn) == full
    client.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    assert client.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"] == f"{arn}:3"


def test_what_is_refused(client: Any, name: str) -> None:
    arn = created(client, name=name)
    publish, delete = client.publish_state_machine_version, client.delete_state_machine_version
    missing = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{ARN}no'")
    assert refusal(publish, stateMachineArn=ARN + "no") == missing
    for qualified in (f"{arn}:1", f"{arn}:live"):
        gone = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{qualified}'")
        assert refusal(publish, stateMachineArn=qualified) == gone
    assert refusal(publish, stateMachineArn=f"{arn}/label")[0] == "ValidationException"
    assert refusal(publish, stateMachineArn=arn, description="x" * 257)[0] == "ValidationException"
    assert refusal(publish)[0] == "ValidationException"
    for qualified in (arn, f"{arn}:live", f"{arn}:", f"{arn}:1:2", "x"):
        assert refusal(delete, stateMachineVersionArn=qualified)[0] == "InvalidArn", qualified
    assert refusal(delete, stateMachineVersionArn=f"{arn}/label")[0] == "ValidationException"


def test_regions_and_accounts_see_nothing_of_each_other(server: Server, name: str) -> None:
    client = server.client()
    arn = created(client, name=name, publish=True)
    for other in (server.client("eu-west-1"), server.client(key="210987654321")):
        assert listed(other, arn) == []
        other.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
        for call in (other.describe_state_machine, other.start_execution):
            assert refusal(call, stateMachineArn=f"{arn}:1")[0] == "StateMachineDoesNotExist"
        publish = other.publish_state_machine_version
        assert refusal(publish, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
        update = other.update_state_machine
        assert refusal(update, stateMachineArn=arn, roleArn=ROLE)[0] == "StateMachineDoesNotExist"
    assert listed(client, arn) == [f"{arn}:1"]


def test_a_map_state_is_described_by_its_label(client: Any, name: str) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    }
    label = {"Type": "Map", "Label": "each", "ItemProcessor": processor, "End": True}
    lookalike = {"Type": "Map", "Label": "each", "ItemProcessor": {"a": "payload"}}
    states = {
        "A": {"Type": "Pass", "Result": lookalike, "Next": "M"},
        "M": {**label, "End": False, "Next": "Z"},
        "Z": {"Type": "Pass", "Result": {**lookalike, "Label": "no"}, "End": True},
    }
    definition = {"StartAt": "A", "States": states}
    arn = created(client, definition, name=name)
    shown = client.describe_state_machine(stateMachineArn=f"{arn}/each")
    assert (shown["stateMachineArn"], shown["label"]) == (f"{arn}/each", "each")
    assert json.loads(shown["definition"]) == processor
    missing = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}/no'")
    assert refusal(client.describe_state_machine, stateMachineArn=f"{arn}/no") == missing
    assert refusal(client.describe_state_machine, stateMachineArn=f"{arn}/each:1")[0] == "InvalidArn"
