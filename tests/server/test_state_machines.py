"""CreateStateMachine, DescribeStateMachine, DeleteStateMachine, ListStateMachines through boto3."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.server.operations import state_machines
from tests.cli.project import wait_for
from tests.server.harness import FAIL, PASS, ROLE, WAIT, created, ended, refusal, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.harness import Server

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/m:*"
LOGGED = {
    "level": "ALL",
    "includeExecutionData": True,
    "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
}


def test_what_was_created_is_described(client: Any, name: str) -> None:
    before = datetime.now(UTC)
    definition = json.dumps(PASS, indent=2)
    made = client.create_state_machine(
        name=name,
        definition=definition,
        roleArn=ROLE,
        loggingConfiguration=LOGGED,
        tags=[{"key": "a", "value": "b"}],
    )
    assert made["stateMachineArn"] == ARN + name
    shown = client.describe_state_machine(stateMachineArn=made["stateMachineArn"])
    shown.pop("ResponseMetadata")
    assert abs((shown.pop("creationDate") - before).total_seconds()) < 30
    assert shown == {
        "stateMachineArn": ARN + name,
        "name": name,
        "status": "ACTIVE",
        "definition": definition,
        "roleArn": ROLE,
        "type": "STANDARD",
        "loggingConfiguration": LOGGED,
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    outline = client.describe_state_machine(stateMachineArn=ARN + name, includedData="METADATA_ONLY")
    assert outline["definition"] == "{}"


def test_creating_is_idempotent_but_for_the_role(client: Any, name: str) -> None:
    arguments: dict[str, Any] = {"name": name, "definition": json.dumps(PASS), "roleArn": ROLE}
    first = client.create_state_machine(**arguments)
    again = client.create_state_machine(**arguments | {"roleArn": ROLE + "2"})
    assert (again["stateMachineArn"], again["creationDate"]) == (first["stateMachineArn"], first["creationDate"])
    assert client.describe_state_machine(stateMachineArn=ARN + name)["roleArn"] == ROLE
    others: list[dict[str, Any]] = [
        {"definition": json.dumps(FAIL)},
        {"type": "EXPRESS"},
        {"loggingConfiguration": LOGGED},
    ]
    for other in others:
        code, message = refusal(client.create_state_machine, **arguments | other)
        assert (code, message) == ("StateMachineAlreadyExists", f"State Machine Already Exists: '{ARN}{name}'")


LONG = "x" * 81
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"
SYNC = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync",
    "Parameters": {"StateMachineArn": "m"},
    "End": True,
}
KEY = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/key"}
NUMBER = "NUMBER_VALUE can not be converted to a String"
CONSTRAINT = "1 validation error detected: Value {} at '{}' failed to satisfy constraint: Member must {}"
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": ({"name": None}, "ValidationException", CONSTRAINT.format("null", "name", "not be null")),
    "an empty name": (
        {"name": ""},
        "ValidationException",
        CONSTRAINT.format("''", "name", "have length greater than or equal to 1"),
    ),
    "a long name": (
        {"name": LONG},
        "ValidationException",
        CONSTRAINT.format(f"'{LONG}'", "name", "have length less than or equal to 80"),
    ),
    "a name with a blank": ({"name": "a b"}, "InvalidName", "Invalid Name: 'a b'"),
    "a name that is a number": ({"name": 1}, "SerializationException", f"{NUMBER} (at 'name')"),
    "a type": (
        {"type": "FAST"},
        "ValidationException",
        CONSTRAINT.format("'FAST'", "type", "satisfy enum value set: [STANDARD, EXPRESS]"),
    ),
    "no JSON": (
        {"definition": "{"},
        "InvalidDefinition",
        (
            "Invalid State Machine Definition: "
            "'INVALID_JSON_DESCRIPTION: Expecting property name enclosed in double quotes at null'"
        ),
    ),
    "a transition": (
        {"definition": json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})},
        "InvalidDefinition",
        (
            "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: B at "
            "/States/A/Next, MISSING_END_STATE: Workflow has no terminal state at null'"
        ),
    ),
    "an empty definition": (
        {"definition": ""},
        "ValidationException",
        CONSTRAINT.format("", "definition", "have length greater than or equal to 1").replace("  ", " "),
    ),
    "a role": ({"roleArn": "role"}, "InvalidArn", "Invalid Role Arn: 'role'"),
    "a long role": (
        {"roleArn": "x" * 257},
        "ValidationException",
        CONSTRAINT.format(f"'{'x' * 257}'", "roleArn", "have length less than or equal to 256"),
    ),
    "a flag": (
        {"publish": "yes"},
        "SerializationException",
        "STRING_VALUE can not be converted to a Boolean (at 'publish')",
    ),
    "a description of no version": (
        {"versionDescription": "first"},
        "ValidationException",
        "Version description can only be set when publish is true",
    ),
    "a member within": (
        {"loggingConfiguration": {"level": "LOUD"}},
        "ValidationException",
        CONSTRAINT.format(
            "'LOUD'", "loggingConfiguration.level", "satisfy enum value set: [ALL, ERROR, FATAL, OFF]"
        ),
    ),
    "a member of a list": (
        {"tags": [{"key": 1}]},
        "SerializationException",
        f"{NUMBER} (at 'tags.1.member.key')",
    ),
    "a number": (
        {"encryptionConfiguration": {**KEY, "kmsDataKeyReusePeriodSeconds": 59}},
        "InvalidEncryptionConfiguration",
        "Invalid Encryption Configuration: kmsDataKeyReusePeriodSeconds must be between 60 and 900.",
    ),
    "an integration that there is not": (
        {
            "definition": json.dumps(
                {
                    "StartAt": "S",
                    "States": {
                        "S": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:GetObject", "End": True}
                    },
                }
            ),
        },
        "InvalidDefinition",
        (
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The resource provided "
            "arn:aws:states:::aws-sdk:s3:GetObject is not recognized. The value is not a valid resource ARN, or "
            "the resource is not available in this region. at /States/S/Resource'"
        ),
    ),
    "an Express machine that would wait": (
        {
            "type": "EXPRESS",
            "definition": json.dumps(
                {
                    "StartAt": "P",
                    "States": {
                        "P": {
                            "Type": "Parallel",
                            "Branches": [{"StartAt": "S", "States": {"S": SYNC}}],
                            "End": True,
                        }
                    },
                }
            ),
        },
        "InvalidDefinition",
        (
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Express state machine does not support "
            "'.sync' service integration at /States/P/Branches[0]/States/S/Resource'"
        ),
    ),
    "an Express machine with an activity": (
        {
            "type": "EXPRESS",
            "definition": json.dumps({"StartAt": "S", "States": {"S": {**SYNC, "Resource": ACTIVITY}}}),
        },
        "InvalidDefinition",
        (
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Express state machine does not support "
            "activities at /States/S/Resource'"
        ),
    ),
}


@pytest.mark.parametrize(("given", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(client: Any, given: dict[str, Any], code: str, message: str) -> None:
    arguments = {"name": "refused", "definition": json.dumps(PASS), "roleArn": ROLE} | given
    assert refusal(client.create_state_machine, **arguments) == (code, message)


def test_every_breach_is_listed(client: Any) -> None:
    code, message = refusal(client.create_state_machine)
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: ")
    assert message.count("Member must not be null") == 3


ARNS = {
    "no ARN": ("m", "Invalid Arn: 'Invalid ARN prefix: m'"),
    "another service": (ARN.replace("states", "sns") + "m", f"Invalid Arn: '{ARN.replace('states', 'sns')}m'"),
    "no name": (ARN, f"Invalid Arn: '{ARN}'"),
    "an activity": (
        "arn:aws:states:us-east-1:123456789012:activity:a",
        "Invalid Arn: 'Resource type not valid in this context: activity'",
    ),
}


@pytest.mark.parametrize(("arn", "message"), ARNS.values(), ids=ARNS)
@pytest.mark.parametrize("operation", ["describe_state_machine", "delete_state_machine", "start_execution"])
def test_arns(client: Any, operation: str, arn: str, message: str) -> None:
    assert refusal(getattr(client, operation), stateMachineArn=arn) == ("InvalidArn", message)


def test_what_is_not_there(client: Any) -> None:
    message = f"State Machine Does Not Exist: '{ARN}no'"
    for operation in (client.describe_state_machine, client.start_execution, client.list_executions):
        assert refusal(operation, stateMachineArn=ARN + "no") == ("StateMachineDoesNotExist", message)
    client.delete_state_machine(stateMachineArn=ARN + "no")


def test_a_deleted_machine_is_gone_and_its_name_free(client: Any, name: str) -> None:
    arn = created(client, name=name)
    client.delete_state_machine(stateMachineArn=arn)
    assert refusal(client.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    assert created(client, FAIL, name=name) == arn


MAP_RUN = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "Label": "each",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "P",
                "States": {"P": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    },
}


def test_the_executions_of_a_deleted_machine_are_gone(client: Any, name: str) -> None:
    arn = created(client, MAP_RUN, name=name, publish=True)
    routing = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    client.create_state_machine_alias(name="live", routingConfiguration=routing)
    other = created(client, name=f"{name}-")
    kept = client.start_execution(stateMachineArn=other, name="first")["executionArn"]
    old = client.start_execution(stateMachineArn=f"{arn}:live", name="first", input="[1, 2]")["executionArn"]
    assert ended(client, old)["status"] == ended(client, kept)["status"] == "SUCCEEDED"
    (map_run,) = client.list_map_runs(executionArn=old)["mapRuns"]
    children = client.list_executions(mapRunArn=map_run["mapRunArn"])["executions"]
    assert len(children) == 2
    client.delete_state_machine(stateMachineArn=arn)
    for one in (old, *(child["executionArn"] for child in children)):
        missing = ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{one}'")
        assert refusal(client.describe_execution, executionArn=one) == missing
        assert refusal(client.get_execution_history, executionArn=one) == missing
    assert refusal(client.describe_map_run, mapRunArn=map_run["mapRunArn"])[0] == "ResourceNotFound"
    assert created(client, name=name, publish=True) == arn
    assert client.list_executions(stateMachineArn=arn)["executions"] == []
    assert client.list_executions(stateMachineArn=f"{arn}:1")["executions"] == []
    assert client.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"] == []
    assert client.start_execution(stateMachineArn=arn, name="first", input="[3]")["executionArn"] == old
    assert ended(client, old)["output"] == "[3]"
    assert client.describe_execution(executionArn=kept)["status"] == "SUCCEEDED"


def test_the_executions_of_a_deleted_express_machine_are_gone(client: Any, name: str) -> None:
    arn = created(client, name=name, type="EXPRESS")
    execution = client.start_sync_execution(stateMachineArn=arn, name="first")["executionArn"]
    assert client.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"
    client.delete_state_machine(stateMachineArn=arn)
    assert refusal(client.describe_execution, executionArn=execution)[0] == "ExecutionDoesNotExist"
    assert created(client, name=name) == arn
    assert client.list_executions(stateMachineArn=arn)["executions"] == []


def test_an_execution_of_a_deleted_machine_fails_with_its_next_transition(patient: Server, name: str) -> None:
    client = patient.client()
    activity = client.create_activity(name=name)["activityArn"]
    definition = {
        "StartAt": "T",
        "States": {
            "T": {"Type": "Task", "Resource": activity, "Next": "P"},
            "P": {"Type": "Pass", "Next": "W"},
            "W": {"Type": "Wait", "Seconds": 3600, "End": True},
        },
    }
    arn = created(client, definition, name=name)
    began = client.start_execution(stateMachineArn=arn, name="first")["executionArn"]
    token = client.get_activity_task(activityArn=activity)["taskToken"]
    client.delete_state_machine(stateMachineArn=arn)
    assert client.describe_execution(executionArn=began)["status"] == "RUNNING"  # its task goes on
    client.send_task_success(taskToken=token, output="{}")
    shown = ended(client, began)
    cause = f"State machine {name} has been deleted."
    assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "States.Runtime", cause)
    history = client.get_execution_history(executionArn=began)["events"]
    assert [event["type"] for event in history][-3:] == ["ActivitySucceeded", "TaskStateExited", "ExecutionFailed"]
    assert history[-1]["previousEventId"] == history[-2]["id"]
    assert refusal(client.redrive_execution, executionArn=began)[0] == "ExecutionNotRedrivable"
    assert refusal(client.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    # Its name is free with the machine's.
    assert created(client, definition, name=name) == arn
    assert client.list_executions(stateMachineArn=arn)["executions"] == []
    assert refusal(client.describe_execution, executionArn=began)[0] == "ExecutionDoesNotExist"
    assert client.start_execution(stateMachineArn=arn, name="first")["executionArn"] == began


def test_a_deletion_by_another_server_is_noticed(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    with running(db, skip_time=False) as first, running(db, skip_time=False) as second:
        client = first.client()
        activity = client.create_activity(name="a")["activityArn"]
        task = {"Type": "Task", "Resource": activity, "Next": "P"}
        arn = created(client, {"StartAt": "T", "States": {"T": task, "P": {"Type": "Pass", "End": True}}})
        began = client.start_execution(stateMachineArn=arn)["executionArn"]
        token = client.get_activity_task(activityArn=activity)["taskToken"]
        second.client().delete_state_machine(stateMachineArn=arn)
        with sqlite3.connect(db) as watching:
            query = "SELECT count(*) FROM events WHERE kind = 'MachineDeleted'"
            wait_for(lambda: watching.execute(query).fetchone() == (1,))
        client.send_task_success(taskToken=token, output="{}")
        assert ended(client, began)["cause"] == "State machine m has been deleted."


def test_an_execution_in_its_last_state_ends_as_it_would(patient: Server, name: str) -> None:
    client = patient.client()
    activity = client.create_activity(name=name)["activityArn"]
    task = {"Type": "Task", "Resource": activity, "End": True}
    arn = created(client, {"StartAt": "T", "States": {"T": task}}, name=name)
    began = client.start_execution(stateMachineArn=arn)["executionArn"]
    token = client.get_activity_task(activityArn=activity)["taskToken"]
    client.delete_state_machine(stateMachineArn=arn)
    client.send_task_success(taskToken=token, output="{}")
    assert ended(client, began)["status"] == "SUCCEEDED"


def test_a_machine_is_deleted_with_its_last_execution(patient: Server, name: str) -> None:
    client = patient.client()
    arn = created(client, WAIT, name=name)
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    client.delete_state_machine(stateMachineArn=arn)
    assert client.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING"
    assert refusal(client.start_execution, stateMachineArn=arn)[0] == "StateMachineDeleting"
    arguments = {"name": name, "definition": json.dumps(WAIT), "roleArn": ROLE}
    assert refusal(client.create_state_machine, **arguments)[0] == "StateMachineDeleting"
    client.stop_execution(executionArn=execution)
    assert refusal(client.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"


def test_a_deleted_machine_is_not_listed_after_its_last_execution(tmp_path: Path) -> None:
    def listed(client: Any) -> list[str]:
        return [machine["name"] for machine in client.list_state_machines()["stateMachines"]]

    with running(tmp_path / "asl.db", skip_time=False) as server:
        client = server.client()
        arn = created(client, WAIT)
        execution = client.start_execution(stateMachineArn=arn)["executionArn"]
        client.delete_state_machine(stateMachineArn=arn)
        assert listed(client) == ["m"]
        client.stop_execution(executionArn=execution)
        wait_for(lambda: not listed(client))


def test_lists_are_paged_and_know_nothing_of_other_accounts(server: Server) -> None:
    client = server.client(key="111111111111")
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        created(client, name=name)
    created(server.client("eu-west-1", "111111111111"), name="elsewhere")
    pages = []
    token: dict[str, str] = {}
    while True:
        page = client.list_state_machines(maxResults=2, **token)
        pages.append([machine["name"] for machine in page["stateMachines"]])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert pages == [names[:2], names[2:4], names[4:]]
    everything = client.list_state_machines(maxResults=0)["stateMachines"]
    assert set(everything[0]) == {"stateMachineArn", "name", "type", "creationDate"}
    assert len(everything) == 5
    assert refusal(client.list_state_machines, nextToken="x")[0] == "InvalidToken"
    assert refusal(client.list_state_machines, nextToken="bnVsbA==")[0] == "InvalidToken"
    other = server.client(key="222222222222")
    assert refusal(other.list_state_machines, **token)[0] == "InvalidToken"
    assert refusal(client.list_state_machines, maxResults=1001)[0] == "ValidationException"
    assert refusal(client.list_state_machines, maxResults="1")[0] == "SerializationException"


def test_there_is_a_limit_to_machines(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_machines, "MAX_MACHINES", 2)
    client = server.client(key="333333333333")
    for name in ("a", "b", "a"):
        created(client, name=name)
    arguments = {"name": "c", "definition": json.dumps(PASS), "roleArn": ROLE}
    full = ("StateMachineLimitExceeded", "The limit of 2 state machines has been reached")
    assert refusal(client.create_state_machine, **arguments) == full
    client.delete_state_machine(stateMachineArn=created(client, name="a"))
    created(client, name="c")


def test_regions_and_accounts_see_nothing_of_each_other(server: Server, name: str) -> None:
    here, elsewhere = server.client(), server.client("eu-west-1")
    arn = created(here, name=name)
    for other in (elsewhere, server.client(key="210987654321")):
        assert refusal(other.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
        other.delete_state_machine(stateMachineArn=arn)
    assert here.describe_state_machine(stateMachineArn=arn)["name"] == name
    assert created(elsewhere, FAIL, name=name) == arn.replace("us-east-1", "eu-west-1")


# -- validation ----------------------------------------------------------------------------------------

TWO = {"StartAt": "A", "States": {"A": {"Type": "Pas"}, "B": {"Type": "Task"}}}


def validated(client: Any, definition: Any, **more: Any) -> Any:
    answer = client.validate_state_machine_definition(definition=json.dumps(definition), **more)
    answer.pop("ResponseMetadata")
    return answer


def test_a_definition_is_validated(client: Any) -> None:
    assert validated(client, PASS) == {"result": "OK", "diagnostics": [], "truncated": False}
    found = validated(client, TWO)
    assert (found["result"], found["truncated"]) == ("FAIL", False)
    assert [one["location"] for one in found["diagnostics"]] == ["/States/A/Type", "/States/B"]
    assert set(found["diagnostics"][0]) == {"severity", "code", "message", "location"}
    first = validated(client, TWO, maxResults=1, severity="WARNING")
    assert (first["diagnostics"], first["truncated"]) == (found["diagnostics"][:1], True)
    static = {"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": "$.x", "End": True}}}
    assert validated(client, static)["diagnostics"] == []
    warned = validated(client, static, severity="WARNING")
    assert (warned["result"], [one["code"] for one in warned["diagnostics"]]) == ("OK", ["PASS_RESULT_IS_STATIC"])
    sync = {"StartAt": "S", "States": {"S": SYNC}}
    assert validated(client, sync)["result"] == "OK"
    assert validated(client, sync, type="EXPRESS")["diagnostics"][0]["location"] == "/States/S/Resource"


def test_a_large_definition_with_many_errors_is_refused_quickly(client: Any) -> None:
    states = {f"S{number}": {"Type": "Pas"} for number in range(4000)}
    arguments = {"name": "large", "definition": json.dumps({"StartAt": "S0", "States": states}), "roleArn": ROLE}
    code, message = refusal(client.create_state_machine, **arguments)
    assert code == "InvalidDefinition"
    assert message.count("SCHEMA_VALIDATION_FAILED") == 100


DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS}


def test_a_bad_label_is_refused_in_its_own_words(client: Any) -> None:
    state = {"Type": "Map", "Label": "a#", "ItemProcessor": DISTRIBUTED, "End": True}
    text = json.dumps({"StartAt": "M", "States": {"M": state}})
    arguments = {"name": "labelled", "definition": text, "roleArn": ROLE}
    code, message = refusal(client.create_state_machine, **arguments)
    told = "Error=ValueError Args=[\"Label contains invalid character: '#'\"]"
    assert (code, message) == ("InvalidDefinition", f"{told} in definition '{text}'.")
