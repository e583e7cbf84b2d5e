"""What infrastructure tools do from first to last, in their order."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import ROLE, WAIT, created, ended, refusal, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.harness import Server

GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/orders:*"
LOGGED = {
    "level": "ERROR",
    "includeExecutionData": False,
    "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
}
FIRST = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1, "End": True}}}
SECOND = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 2, "End": True}}}


def test_what_terraform_does_with_a_machine_and_an_alias(client: Any, name: str) -> None:
    # plan: the definition is validated
    first = json.dumps(FIRST)
    assert client.validate_state_machine_definition(definition=first, type="STANDARD")["result"] == "OK"

    # apply: create, then read everything back
    made = client.create_state_machine(
        name=name,
        definition=first,
        roleArn=ROLE,
        type="STANDARD",
        loggingConfiguration={"level": "OFF", "includeExecutionData": False},
        tracingConfiguration={"enabled": False},
        encryptionConfiguration={"type": "AWS_OWNED_KEY"},
        publish=True,
        versionDescription="one",
        tags=[{"key": "managed", "value": "yes"}],
    )
    arn, version = made["stateMachineArn"], made["stateMachineVersionArn"]
    refreshed = refresh(client, arn)
    assert refreshed["machine"]["status"] == "ACTIVE"
    assert refreshed["versions"] == [version]
    assert refreshed["tags"] == {"managed": "yes"}
    alias = client.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )["stateMachineAliasArn"]
    assert client.describe_state_machine_alias(stateMachineAliasArn=alias)["name"] == "live"

    # plan again: nothing has drifted
    assert refresh(client, arn) == refreshed | {"aliases": [alias]}

    # apply a change: update with a version, wait until the new definition is there, tag, move the alias
    updated = client.update_state_machine(
        stateMachineArn=arn,
        definition=json.dumps(SECOND),
        roleArn=ROLE,
        loggingConfiguration=LOGGED,
        tracingConfiguration={"enabled": True},
        publish=True,
        versionDescription="two",
    )
    assert until_stable(client, arn, json.dumps(SECOND))["revisionId"] == updated["revisionId"]
    client.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "test"}])
    client.untag_resource(resourceArn=arn, tagKeys=["managed"])
    client.update_state_machine_alias(
        stateMachineAliasArn=alias,
        routingConfiguration=[{"stateMachineVersionArn": updated["stateMachineVersionArn"], "weight": 100}],
    )
    changed = refresh(client, arn)
    assert changed["machine"]["loggingConfiguration"] == LOGGED
    assert changed["versions"] == [updated["stateMachineVersionArn"], version]
    assert changed["tags"] == {"stage": "test"}
    execution = client.start_execution(stateMachineArn=alias)["executionArn"]
    assert ended(client, execution)["output"] == "2"

    # destroy: the alias, the versions, the machine; then wait until it is gone
    assert (
        refusal(client.delete_state_machine_version, stateMachineVersionArn=updated["stateMachineVersionArn"])[0]
        == "ConflictException"
    )
    client.delete_state_machine_alias(stateMachineAliasArn=alias)
    for one in changed["versions"]:
        client.delete_state_machine_version(stateMachineVersionArn=one)
    client.delete_state_machine(stateMachineArn=arn)
    assert refusal(client.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    assert refusal(client.list_tags_for_resource, resourceArn=arn)[0] == "ResourceNotFound"


def refresh(client: Any, arn: str) -> dict[str, Any]:
    """What Terraform reads at every refresh of aws_sfn_state_machine."""
    machine = client.describe_state_machine(stateMachineArn=arn)
    machine.pop("ResponseMetadata")
    listed = client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    aliases = client.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    tags = client.list_tags_for_resource(resourceArn=arn)["tags"]
    return {
        "machine": machine,
        "versions": [one["stateMachineVersionArn"] for one in listed],
        "aliases": [one["stateMachineAliasArn"] for one in aliases],
        "tags": {tag["key"]: tag["value"] for tag in tags},
    }


def until_stable(client: Any, arn: str, definition: str) -> Any:
    for _ in range(10):
        shown = client.describe_state_machine(stateMachineArn=arn)
        if shown["definition"] == definition:
            return shown
    raise AssertionError("the new definition is not there")


# What CDK puts into a template for a task of each kind, after CloudFormation has joined the parts.
CDK = {
    "StartAt": "Submit",
    "States": {
        "Submit": {
            "Next": "Wait X Seconds",
            "Retry": [
                {
                    "ErrorEquals": [
                        "Lambda.ClientExecutionTimeoutException",
                        "Lambda.ServiceException",
                        "Lambda.AWSLambdaException",
                        "Lambda.SdkClientException",
                    ],
                    "IntervalSeconds": 2,
                    "MaxAttempts": 6,
                    "BackoffRate": 2,
                }
            ],
            "Type": "Task",
            "OutputPath": "$.Payload",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {
                "FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:double",
                "Payload.$": "$",
            },
        },
        "Wait X Seconds": {"Type": "Wait", "Seconds": 30, "Next": "Job Complete?"},
        "Job Complete?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericGreaterThan": 100, "Next": "Job Failed"}],
            "Default": "Done",
        },
        "Job Failed": {"Type": "Fail", "Error": "DescribeJob returned FAILED", "Cause": "AWS Batch Job Failed"},
        "Done": {"Type": "Succeed"},
    },
    "TimeoutSeconds": 300,
}


@pytest.mark.parametrize(("given", "status"), [(1, "SUCCEEDED"), (51, "FAILED")])
def test_a_definition_of_cdk_runs_unchanged(client: Any, name: str, given: int, status: str) -> None:
    arn = created(client, CDK, name=name)
    execution = client.start_execution(stateMachineArn=arn, input=json.dumps({"n": given}))["executionArn"]
    assert ended(client, execution)["status"] == status


def test_substitutions_that_nobody_has_made_are_refused_or_stay_text(client: Any, name: str) -> None:
    """CloudFormation and SAM substitute before they call; the service itself knows nothing of ${Name}."""
    text = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${Greeting}", "End": True}}}
    arn = created(client, text, name=name)
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    assert ended(client, execution)["output"] == '"${Greeting}"'
    task = {"Type": "Task", "Resource": "${FunctionArn}", "End": True}
    arguments = {
        "name": name + "x",
        "definition": json.dumps({"StartAt": "T", "States": {"T": task}}),
        "roleArn": ROLE,
    }
    assert refusal(client.create_state_machine, **arguments)[0] == "InvalidDefinition"


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    with running(db, skip_time=False) as server:
        client = server.client()
        arn = created(client, WAIT, tags=[{"key": "a", "value": "b"}], publish=True, versionDescription="first")
        routing = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
        client.create_state_machine_alias(name="live", description="d", routingConfiguration=routing)
        client.update_state_machine(stateMachineArn=arn, loggingConfiguration=LOGGED)
        execution = client.start_execution(stateMachineArn=f"{arn}:live")["executionArn"]
        before = everything(client, arn, execution)
    with running(db, skip_time=False) as server:
        client = server.client()
        assert everything(client, arn, execution) == before
        client.stop_execution(executionArn=execution)


def everything(client: Any, arn: str, execution: str) -> list[Any]:
    answers = [
        client.describe_state_machine(stateMachineArn=arn),
        client.describe_state_machine(stateMachineArn=f"{arn}:1"),
        client.describe_state_machine_alias(stateMachineAliasArn=f"{arn}:live"),
        client.list_tags_for_resource(resourceArn=arn),
        client.describe_execution(executionArn=execution),
        client.describe_state_machine_for_execution(executionArn=execution),
    ]
    for answer in answers:
        answer.pop("ResponseMetadata")
    return answers


def test_many_at_once_agree(server: Server, name: str) -> None:
    """Creations, publications and updates of one machine at the same time are one after the other."""
    client = server.client()
    arn = created(client, FIRST, name=name)
    failures: list[BaseException] = []
    created_again = threading.Barrier(6)

    def work(number: int) -> None:
        mine = server.client()
        try:
            mine.create_state_machine(name=name, definition=json.dumps(FIRST), roleArn=ROLE)
            created_again.wait(60)  # of a machine with a version, a creation without one is another
            for step in range(4):
                mine.update_state_machine(
                    stateMachineArn=arn, roleArn=f"arn:aws:iam::123456789012:role/{number}-{step}", publish=True
                )
                mine.tag_resource(resourceArn=arn, tags=[{"key": f"{number}-{step}", "value": ""}])
        except BaseException as error:  # noqa: BLE001  the test has to hear of it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    refreshed = refresh(client, arn)
    assert refreshed["versions"] == [f"{arn}:{number}" for number in range(24, 0, -1)]
    assert len(refreshed["tags"]) == 24
    roles = {client.describe_state_machine(stateMachineArn=one)["roleArn"] for one in refreshed["versions"]}
    assert len(roles) == 24
