"""Aliases of state machines, through boto3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.server.operations import aliases
from tests.server.harness import FAIL, PASS, created, ended, refusal

if TYPE_CHECKING:
    from tests.server.harness import Server

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"


def routes(*pairs: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in pairs]


def two_versions(client: Any, name: str, **more: Any) -> str:
    """A machine whose version 1 succeeds and whose version 2 fails."""
    arn = created(client, PASS, name=name, publish=True, **more)
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL), publish=True)
    return arn


def test_an_alias_is_created_described_updated_and_deleted(client: Any, name: str) -> None:
    arn = two_versions(client, name)
    one = routes((f"{arn}:1", 100))
    made = client.create_state_machine_alias(name="live", description="d", routingConfiguration=one)
    assert made["stateMachineAliasArn"] == f"{arn}:live"
    shown = client.describe_state_machine_alias(stateMachineAliasArn=f"{arn}:live")
    shown.pop("ResponseMetadata")
    assert shown == {
        "stateMachineAliasArn": f"{arn}:live",
        "name": "live",
        "description": "d",
        "routingConfiguration": one,
        "creationDate": made["creationDate"],
        "updateDate": made["creationDate"],
    }
    both = routes((f"{arn}:1", 80), (f"{arn}:2", 20))
    changed = client.update_state_machine_alias(stateMachineAliasArn=f"{arn}:live", routingConfiguration=both)
    again = client.update_state_machine_alias(stateMachineAliasArn=f"{arn}:live", routingConfiguration=both)
    assert changed["updateDate"] == again["updateDate"] >= made["creationDate"]
    client.update_state_machine_alias(stateMachineAliasArn=f"{arn}:live", description="e")
    shown = client.describe_state_machine_alias(stateMachineAliasArn=f"{arn}:live")
    assert (shown["description"], shown["routingConfiguration"]) == ("e", both)
    client.delete_state_machine_alias(stateMachineAliasArn=f"{arn}:live")
    missing = ("ResourceNotFound", f"Resource not found: '{arn}:live'")
    assert refusal(client.describe_state_machine_alias, stateMachineAliasArn=f"{arn}:live") == missing
    client.delete_state_machine_alias(stateMachineAliasArn=f"{arn}:live")  # it is gone already
    client.delete_state_machine_alias(stateMachineAliasArn=f"{ARN}no:live")
    update = client.update_state_machine_alias
    assert refusal(update, stateMachineAliasArn=f"{arn}:live", description="f") == missing
    assert client.describe_state_machine(stateMachineArn=f"{arn}:1")["definition"] == json.dumps(PASS)


def test_creating_is_idempotent(client: Any, name: str) -> None:
    arn = two_versions(client, name)
    create, one = client.create_state_machine_alias, routes((f"{arn}:1", 100))
    first = create(name="live", routingConfiguration=one)
    again = create(name="live", routingConfiguration=one)
    assert (again["stateMachineAliasArn"], again["creationDate"]) == (f"{arn}:live", first["creationDate"])
    others: list[dict[str, Any]] = [
        {"routingConfiguration": routes((f"{arn}:2", 100))},
        {"routingConfiguration": one, "description": "d"},
    ]
    for other in others:
        code, message = refusal(create, name="live", **other)
        assert code == "ConflictException"
        assert message.startswith("Failed to create alias because an alias with the same name")


def test_executions_go_through_an_alias_to_its_version(client: Any, name: str) -> None:
    arn = two_versions(client, name)
    alias = client.create_state_machine_alias(name="live", routingConfiguration=routes((f"{arn}:1", 100)))[
        "stateMachineAliasArn"
    ]
    old = client.start_execution(stateMachineArn=alias)["executionArn"]
    assert ended(client, old)["status"] == "SUCCEEDED"
    client.update_state_machine_alias(
        stateMachineAliasArn=alias, routingConfiguration=routes((f"{arn}:2", 100), (f"{arn}:1", 0))
    )
    new = client.start_execution(stateMachineArn=alias)["executionArn"]
    shown = ended(client, new)
    assert (shown["status"], shown["stateMachineArn"]) == ("FAILED", arn)
    assert (shown["stateMachineAliasArn"], shown["stateMachineVersionArn"]) == (alias, f"{arn}:2")
    first = client.get_execution_history(executionArn=new)["events"][0]["executionStartedEventDetails"]
    assert (first["stateMachineAliasArn"], first["stateMachineVersionArn"]) == (alias, f"{arn}:2")
    through_alias = client.list_executions(stateMachineArn=alias)["executions"]
    assert [one["executionArn"] for one in through_alias] == [new, old]
    assert {one["stateMachineAliasArn"] for one in through_alias} == {alias}
    assert [one["executionArn"] for one in client.list_executions(stateMachineArn=f"{arn}:1")["executions"]] == [
        old
    ]
    page = client.list_executions(stateMachineArn=alias, maxResults=1)
    rest = client.list_executions(stateMachineArn=alias, maxResults=1, nextToken=page["nextToken"])
    assert [one["executionArn"] for one in rest["executions"]] == [old]
    other = refusal(client.list_executions, stateMachineArn=arn, nextToken=page["nextToken"])
    assert other[0] == "InvalidToken"


def test_an_alias_draws_by_weight(client: Any, name: str) -> None:
    arn = two_versions(client, name, type="EXPRESS")
    alias = client.create_state_machine_alias(
        name="live", routingConfiguration=routes((f"{arn}:1", 70), (f"{arn}:2", 30))
    )["stateMachineAliasArn"]
    statuses = [client.start_sync_execution(stateMachineArn=alias)["status"] for _ in range(200)]
    # 140 on average, with a standard deviation of 6.5: eight of those are enough for ever.
    assert 88 < statuses.count("SUCCEEDED") < 192


def test_an_alias_is_described_as_the_version_it_leads_to(client: Any, name: str) -> None:
    arn = two_versions(client, name)
    client.create_state_machine_alias(name="live", routingConfiguration=routes((f"{arn}:1", 30), (f"{arn}:2", 70)))
    for _ in range(5):
        shown = client.describe_state_machine(stateMachineArn=f"{arn}:live")
        assert (shown["stateMachineArn"], shown["definition"]) == (f"{arn}:live", json.dumps(FAIL))


def test_aliases_are_listed_oldest_first_in_pages(client: Any, name: str) -> None:
    arn = two_versions(client, name)
    for number in (3, 1, 4, 0, 2):
        version = f"{arn}:{1 + number % 2}"
        client.create_state_machine_alias(name=f"alias-{number}", routingConfiguration=routes((version, 100)))
    everything = client.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    assert [one["stateMachineAliasArn"] for one in everything] == [f"{arn}:alias-{n}" for n in (3, 1, 4, 0, 2)]
    pages: list[list[Any]] = []
    token: dict[str, str] = {}
    while True:
        page = client.list_state_machine_aliases(stateMachineArn=arn, maxResults=2, **token)
        pages.append(page["stateMachineAliases"])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one for page in pages for one in page] == everything
    of_version = client.list_state_machine_aliases(stateMachineArn=f"{arn}:2")["stateMachineAliases"]
    assert [one["stateMachineAliasArn"] for one in of_version] == [f"{arn}:alias-3", f"{arn}:alias-1"]
    listing = client.list_state_machine_aliases
    assert refusal(listing, stateMachineArn=f"{arn}:2", **token)[0] == "InvalidToken"
    assert refusal(listing, stateMachineArn=f"{arn}:9") == ("ResourceNotFound", f"Resource not found: '{arn}:9'")
    assert refusal(listing, stateMachineArn=f"{arn}:alias-1")[0] == "InvalidArn"
    assert refusal(listing, stateMachineArn=ARN + "no")[0] == "StateMachineDoesNotExist"


ROUTINGS: dict[str, tuple[list[tuple[str, int]], str]] = {
    "too little": ([("M:1", 99)], "Sum of routing configuration weights must equal 100. Received: [99]"),
    "too much": (
        [("M:1", 60), ("M:2", 60)],
        "Sum of routing configuration weights must equal 100. Received: [60, 60]",
    ),
    "twice the same": (
        [("M:1", 50), ("M:1", 50)],
        "Routing configuration must contain distinct state machine version ARNs. Received: [M:1, M:1]",
    ),
    "two machines": (
        [("M:1", 50), ("Mx:1", 50)],
        "Routing configuration must refer to versions of one state machine. Received: [M:1, Mx:1]",
    ),
    "no version": ([("M", 100)], "Routing configuration must contain state machine version ARNs. Received: [M]"),
    "another alias": (
        [("M:live", 100)],
        "Routing configuration must contain state machine version ARNs. Received: [M:live]",
    ),
    "no ARN": ([("1", 100)], "Routing configuration must contain state machine version ARNs. Received: [1]"),
}


@pytest.mark.parametrize(("pairs", "message"), ROUTINGS.values(), ids=ROUTINGS)
def test_routings_that_are_refused(client: Any, name: str, pairs: list[tuple[str, int]], message: str) -> None:
    arn = two_versions(client, name)
    created(client, name=name + "x", publish=True)
    client.create_state_machine_alias(name="live", routingConfiguration=routes((f"{arn}:1", 100)))
    given = routes(*((target.replace("M", arn), weight) for target, weight in pairs))
    expected = ("ValidationException", message.replace("M", arn))
    create, update = client.create_state_machine_alias, client.update_state_machine_alias
    assert refusal(create, name="new", routingConfiguration=given) == expected
    assert refusal(update, stateMachineAliasArn=f"{arn}:live", routingConfiguration=given) == expected
    with pytest.raises(client.exceptions.ValidationException) as caught:
        create(name="new", routingConfiguration=given)
    assert caught.value.response["reason"] == "INVALID_ROUTING_CONFIGURATION"


NAMES = ["1", "", "a b", "é", "x" * 81, "a:b"]


@pytest.mark.parametrize("alias", NAMES)
def test_names_that_are_refused(client: Any, name: str, alias: str) -> None:
    arn = created(client, name=name, publish=True)
    routing = routes((f"{arn}:1", 100))
    code, message = refusal(client.create_state_machine_alias, name=alias, routingConfiguration=routing)
    assert code == "ValidationException"
    assert f"Value '{alias}' at 'name' failed to satisfy constraint" in message


def test_what_is_refused(client: Any, name: str) -> None:
    arn = created(client, name=name, publish=True)
    create, update = client.create_state_machine_alias, client.update_state_machine_alias
    create(name="live", routingConfiguration=routes((f"{arn}:1", 100)))
    for version in (f"{arn}:7", f"{arn}x:1", f"{arn.replace('us-east-1', 'eu-west-1')}:1"):
        missing = ("ResourceNotFound", f"Resource not found: '{version}'")
        assert refusal(create, name="new", routingConfiguration=routes((version, 100))) == missing
    assert refusal(create, name="new", routingConfiguration=[])[0] == "ValidationException"
    assert (
        refusal(create, name="new", routingConfiguration=routes(*[(f"{arn}:1", 50)] * 3))[0]
        == "ValidationException"
    )
    assert refusal(create, name="new", routingConfiguration=routes((f"{arn}:1", 101)))[0] == "ValidationException"
    assert refusal(create, name="new")[0] == "ValidationException"
    nothing = ("ValidationException", "Either the description or the routingConfiguration must be specified")
    assert refusal(update, stateMachineAliasArn=f"{arn}:live") == nothing
    other = created(client, name=name + "x", publish=True)
    code, message = refusal(
        update, stateMachineAliasArn=f"{arn}:live", routingConfiguration=routes((f"{other}:1", 100))
    )
    assert (code, "the alias's own state machine" in message) == ("ValidationException", True)
    for wrong in (arn, f"{arn}:1"):
        for operation in (client.describe_state_machine_alias, client.delete_state_machine_alias):
            assert refusal(operation, stateMachineAliasArn=wrong)[0] == "InvalidArn"
        assert refusal(update, stateMachineAliasArn=wrong, description="d")[0] == "InvalidArn"
    for operation in (client.describe_state_machine, client.start_execution, client.list_executions):
        missing = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}:no'")
        assert refusal(operation, stateMachineArn=f"{arn}:no") == missing


def test_there_is_a_limit_to_aliases(client: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aliases, "MAX_ALIASES", 1)
    arn = created(client, name=name, publish=True)
    routing = routes((f"{arn}:1", 100))
    client.create_state_machine_alias(name="live", routingConfiguration=routing)
    client.create_state_machine_alias(name="live", routingConfiguration=routing)
    full = ("ServiceQuotaExceededException", f"The state machine '{arn}' has reached the limit of 1 aliases")
    assert refusal(client.create_state_machine_alias, name="other", routingConfiguration=routing) == full


def test_aliases_go_with_their_machine(client: Any, name: str) -> None:
    arn = created(client, name=name, publish=True)
    routing = routes((f"{arn}:1", 100))
    client.create_state_machine_alias(name="live", routingConfiguration=routing)
    client.delete_state_machine(stateMachineArn=arn)
    assert (
        refusal(client.describe_state_machine_alias, stateMachineAliasArn=f"{arn}:live")[0] == "ResourceNotFound"
    )
    created(client, name=name, publish=True)
    assert client.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"] == []


def test_regions_and_accounts_see_nothing_of_each_other(server: Server, name: str) -> None:
    client = server.client()
    arn = created(client, name=name, publish=True)
    client.create_state_machine_alias(name="live", routingConfiguration=routes((f"{arn}:1", 100)))
    alias = f"{arn}:live"
    for other in (server.client("eu-west-1"), server.client(key="210987654321")):
        assert refusal(other.describe_state_machine_alias, stateMachineAliasArn=alias)[0] == "ResourceNotFound"
        other.delete_state_machine_alias(stateMachineAliasArn=alias)
        update = other.update_state_machine_alias
        assert refusal(update, stateMachineAliasArn=alias, description="d")[0] == "ResourceNotFound"
        for operation in (other.start_execution, other.describe_state_machine, other.list_executions):
            assert refusal(operation, stateMachineArn=alias)[0] == "StateMachineDoesNotExist"
        assert refusal(other.list_state_machine_aliases, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    assert client.describe_state_machine_alias(stateMachineAliasArn=alias)["name"] == "live"
