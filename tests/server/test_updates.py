"""UpdateStateMachine, CreateStateMachine with a version, DescribeStateMachineForExecution, through boto3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import FAIL, PASS, ROLE, WAIT, created, ended, refusal

if TYPE_CHECKING:
    from tests.server.harness import Server

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/m:*"
LOGGED = {
    "level": "ERROR",
    "includeExecutionData": False,
    "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
}
KEY = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/mine", "kmsDataKeyReusePeriodSeconds": 60}
MISSING = (
    "MissingRequiredParameter",
    (
        "Either the definition, the role ARN, the LoggingConfiguration, the EncryptionConfiguration or the "
        "TracingConfiguration must be specified"
    ),
)


def described(client: Any, arn: str) -> Any:
    shown = client.describe_state_machine(stateMachineArn=arn)
    shown.pop("ResponseMetadata")
    return shown


CHANGES: dict[str, dict[str, Any]] = {
    "definition": {"definition": json.dumps(FAIL)},
    "role": {"roleArn": ROLE + "2"},
    "logging": {"loggingConfiguration": LOGGED},
    "tracing": {"tracingConfiguration": {"enabled": True}},
    "encryption": {"encryptionConfiguration": KEY},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_makes_a_revision(client: Any, name: str, change: dict[str, Any]) -> None:
    arn = created(client, name=name)
    before = described(client, arn)
    assert "revisionId" not in before
    answer = client.update_state_machine(stateMachineArn=arn, **change)
    assert "stateMachineVersionArn" not in answer
    after = described(client, arn)
    assert after == before | change | {"revisionId": answer["revisionId"]}
    again = client.update_state_machine(stateMachineArn=arn, **change)
    assert again["revisionId"] == answer["revisionId"]
    assert again["updateDate"] >= answer["updateDate"]
    assert described(client, arn) == after


def test_an_update_that_changes_nothing_makes_no_revision(client: Any, name: str) -> None:
    arn = created(client, name=name)
    assert "revisionId" not in client.update_state_machine(stateMachineArn=arn, definition=json.dumps(PASS))
    assert "revisionId" not in described(client, arn)


def test_executions_keep_the_definition_they_began_with(patient: Server, name: str) -> None:
    client = patient.client()
    arn = created(client, WAIT, name=name)
    began = described(client, arn)
    old = client.start_execution(stateMachineArn=arn)["executionArn"]
    changed = client.update_state_machine(
        stateMachineArn=arn, definition=json.dumps(PASS), roleArn=ROLE + "2", loggingConfiguration=LOGGED
    )
    new = client.start_execution(stateMachineArn=arn)["executionArn"]
    assert ended(client, new)["status"] == "SUCCEEDED"
    assert client.describe_execution(executionArn=old)["status"] == "RUNNING"

    def of_execution(execution: str) -> Any:
        shown = client.describe_state_machine_for_execution(executionArn=execution)
        shown.pop("ResponseMetadata")
        return shown

    assert of_execution(old) == {
        "stateMachineArn": arn,
        "name": name,
        "definition": json.dumps(WAIT),
        "roleArn": ROLE,
        "updateDate": began["creationDate"],
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    assert of_execution(new) == of_execution(old) | {
        "definition": json.dumps(PASS),
        "roleArn": ROLE + "2",
        "updateDate": changed["updateDate"],
        "loggingConfiguration": LOGGED,
        "revisionId": changed["revisionId"],
    }
    history = client.get_execution_history(executionArn=old)["events"]
    assert history[0]["executionStartedEventDetails"]["roleArn"] == ROLE
    client.stop_execution(executionArn=old)


def test_what_is_told_of_an_executions_machine(client: Any, name: str) -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
            "B": {"Type": "Pass", "Output": "{% $x %}", "End": True},
        },
    }
    arn = created(client, definition, name=name)
    assert described(client, arn)["variableReferences"] == {"B": ["x"]}
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    show = client.describe_state_machine_for_execution
    assert show(executionArn=execution)["variableReferences"] == {"B": ["x"]}
    outline = show(executionArn=execution, includedData="METADATA_ONLY")
    assert (outline["definition"], "variableReferences" in outline) == ("{}", False)
    ended(client, execution)
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(PASS))
    assert show(executionArn=execution)["definition"] == json.dumps(definition)
    missing = ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{execution}x'")
    assert refusal(show, executionArn=execution + "x") == missing
    assert refusal(show, executionArn=arn)[0] == "InvalidArn"
    express = execution.replace("execution", "express") + ":1"
    assert refusal(show, executionArn=express)[0] == "InvalidArn"


def test_a_version_is_published_with_the_machine(client: Any, name: str) -> None:
    arguments: dict[str, Any] = {"name": name, "definition": json.dumps(PASS), "roleArn": ROLE}
    first = client.create_state_machine(**arguments, publish=True, versionDescription="first")
    assert first["stateMachineVersionArn"] == f"{ARN}{name}:1"
    again = client.create_state_machine(**arguments, publish=True, versionDescription="first")
    assert again["stateMachineVersionArn"] == first["stateMachineVersionArn"]
    assert len(client.list_state_machine_versions(stateMachineArn=ARN + name)["stateMachineVersions"]) == 1
    taken = ("StateMachineAlreadyExists", f"State Machine Already Exists: '{ARN}{name}'")
    others: list[dict[str, Any]] = [{}, {"publish": True}, {"publish": True, "versionDescription": "other"}]
    for other in others:
        assert refusal(client.create_state_machine, **arguments, **other) == taken


def test_creating_again_looks_at_the_version_of_the_machine(client: Any, name: str) -> None:
    arguments: dict[str, Any] = {"name": name, "definition": json.dumps(PASS), "roleArn": ROLE}
    create = client.create_state_machine
    arn = create(**arguments)["stateMachineArn"]
    taken = ("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
    assert "stateMachineVersionArn" not in create(**arguments, publish=False)
    assert refusal(create, **arguments, publish=True) == taken
    client.publish_state_machine_version(stateMachineArn=arn, description="x")
    assert refusal(create, **arguments) == taken
    again = create(**arguments, publish=True, versionDescription="x")
    assert (again["stateMachineArn"], again["stateMachineVersionArn"]) == (arn, f"{arn}:1")
    assert refusal(create, **arguments, publish=True, versionDescription="y") == taken
    assert refusal(create, **arguments, publish=True) == taken
    # Another revision, with a version of its own.
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL))
    changed = arguments | {"definition": json.dumps(FAIL)}
    assert "stateMachineVersionArn" not in create(**changed)
    assert refusal(create, **changed, publish=True, versionDescription="x") == taken
    client.update_state_machine(
        stateMachineArn=arn, definition=json.dumps(FAIL), publish=True, versionDescription=""
    )
    assert create(**changed, publish=True)["stateMachineVersionArn"] == f"{arn}:2"
    assert refusal(create, **arguments, publish=True, versionDescription="x") == taken
    listed = client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert len(listed) == 2


def test_a_version_is_published_with_an_update(client: Any, name: str) -> None:
    arn = created(client, name=name)
    update = client.update_state_machine
    first = update(stateMachineArn=arn, roleArn=ROLE + "2", publish=True, versionDescription="second role")
    assert first["stateMachineVersionArn"] == f"{arn}:1"
    assert described(client, f"{arn}:1")["revisionId"] == first["revisionId"]
    unchanged = update(stateMachineArn=arn, roleArn=ROLE + "2", publish=True)
    assert unchanged["stateMachineVersionArn"] == f"{arn}:1"
    second = update(stateMachineArn=arn, roleArn=ROLE, publish=True)
    assert second["stateMachineVersionArn"] == f"{arn}:2"
    assert described(client, f"{arn}:1")["description"] == "second role"


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "nothing": ({}, MISSING),
    "a version alone": ({"publish": True}, MISSING),
    "a description of no version": (
        {"roleArn": ROLE, "versionDescription": "d"},
        ("ValidationException", "Version description can only be set when publish is true"),
    ),
    "a role": ({"roleArn": "role"}, ("InvalidArn", "Invalid Role Arn: 'role'")),
    "a definition": (
        {"definition": "[]"},
        ("InvalidDefinition", "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: "),
    ),
    "logging": (
        {"loggingConfiguration": {"level": "ALL"}},
        (
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        ),
    ),
    "encryption": (
        {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY"}},
        (
            "InvalidEncryptionConfiguration",
            "Invalid Encryption Configuration: kmsKeyId must be specified for the type CUSTOMER_MANAGED_KMS_KEY.",
        ),
    ),
    "no ARN": ({"stateMachineArn": "m"}, ("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: m'")),
    "a version's ARN": (
        {"stateMachineArn": f"{ARN}m:1"},
        ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{ARN}m:1'"),
    ),
    "an alias's ARN": (
        {"stateMachineArn": f"{ARN}m:live", "roleArn": ROLE},
        ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{ARN}m:live'"),
    ),
    "a Map state's ARN": (
        {"stateMachineArn": f"{ARN}m/label"},
        ("ValidationException", f"This operation does not support labelled state machine ARNs: '{ARN}m/label'"),
    ),
    "a machine that is not there": (
        {"stateMachineArn": f"{ARN}no", "roleArn": ROLE},
        ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{ARN}no'"),
    ),
}


@pytest.mark.parametrize(("given", "expected"), REFUSED.values(), ids=REFUSED)
def test_refused(client: Any, name: str, given: dict[str, Any], expected: tuple[str, str]) -> None:
    arn = created(client, name=name)
    before = described(client, arn)
    code, message = refusal(client.update_state_machine, **{"stateMachineArn": arn} | given)
    assert (code, message[: len(expected[1])]) == expected
    assert described(client, arn) == before


def test_an_update_of_an_express_machine_is_checked_as_express(client: Any, name: str) -> None:
    arn = created(client, name=name, type="EXPRESS")
    sync = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": True}
    definition = json.dumps({"StartAt": "S", "States": {"S": sync}})
    code, message = refusal(client.update_state_machine, stateMachineArn=arn, definition=definition)
    assert code == "InvalidDefinition"
    assert "Express state machine does not support '.sync' service integration" in message


def test_a_machine_that_is_being_deleted_is_not_changed(patient: Server, name: str) -> None:
    client = patient.client()
    arn = created(client, WAIT, name=name, publish=True)
    routing = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    client.create_state_machine_alias(name="live", routingConfiguration=routing)
    execution = client.start_execution(stateMachineArn=f"{arn}:live")["executionArn"]
    client.delete_state_machine(stateMachineArn=arn)
    deleting = ("StateMachineDeleting", f"State Machine is being deleted: '{arn}'")
    calls: list[tuple[str, dict[str, Any]]] = [
        ("update_state_machine", {"stateMachineArn": arn, "roleArn": ROLE}),
        ("publish_state_machine_version", {"stateMachineArn": arn}),
        ("start_execution", {"stateMachineArn": f"{arn}:live"}),
        ("start_execution", {"stateMachineArn": f"{arn}:1"}),
        ("list_state_machine_aliases", {"stateMachineArn": arn}),
        ("create_state_machine_alias", {"name": "other", "routingConfiguration": routing}),
        ("update_state_machine_alias", {"stateMachineAliasArn": f"{arn}:live", "routingConfiguration": routing}),
        ("update_state_machine_alias", {"stateMachineAliasArn": f"{arn}:live", "description": "d"}),
    ]
    for operation, arguments in calls:
        assert refusal(getattr(client, operation), **arguments) == deleting, operation
    client.stop_execution(executionArn=execution)
    gone = refusal(client.describe_state_machine_alias, stateMachineAliasArn=f"{arn}:live")
    assert gone == ("ResourceNotFound", f"Resource not found: '{arn}:live'")
    assert client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"] == []
