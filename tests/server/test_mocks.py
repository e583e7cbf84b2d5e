"""Test cases through the API: mocked tasks, activities and tokens."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.resources.mocks.configuration import MockFile
from tests.server.conftest import tasks
from tests.server.harness import ROLE, created, ended, refusal, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.harness import Server

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:double"
RUN = "arn:aws:states:::ecs:runTask.sync"
GONE = "arn:aws:lambda:us-east-1:123456789012:function:gone"
CONFIG: Any = {
    "StateMachines": {
        "shop": {
            "TestCases": {
                "Happy": {"Pay": "Paid", "Wrap": "Wrapped"},
                "Short": {"Pay": "Once"},
                "Pay": {"Pay": "Paid"},
            }
        },
        "loop": {"TestCases": {"Thrice": {"Pay": "Counted"}}},
        "others": {"TestCases": {"All": {"Work": "Paid", "Ask": "Wrapped"}}},
        "many": {"TestCases": {"All": {"Pay": "Paid"}}},
        "jobs": {
            "TestCases": {
                "Done": {"Run": "Wrapped", "Ask": "Wrapped"},
                "Stopped": {"Run": "Stopped"},
                "Denied": {"Run": "Denied"},
                "Rejected": {"Run": "Wrapped", "Ask": "Rejected"},
            }
        },
    },
    "MockedResponses": {
        "Paid": {
            "0-1": {"Throw": {"Error": "Busy", "Cause": "try again"}},
            "2": {"Return": {"n": 5}},
        },
        "Wrapped": {"0": {"Return": {"n": 21}}},
        "Stopped": {"0": {"Throw": {"Error": "States.TaskFailed", "Cause": "{}"}}},
        "Denied": {"0": {"Throw": {"Error": "ECS.AccessDeniedException", "Cause": "no"}}},
        "Rejected": {"0": {"Throw": {"Error": "Rejected", "Cause": "by the manager"}}},
        "Once": {"0": {"Throw": {"Error": "Busy", "Cause": ""}}},
        "Counted": {"0": {"Return": {"n": 0}}, "1": {"Return": {"n": 1}}, "2": {"Return": {"n": 2}}},
    },
}
RETRY = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1}]
SHOP: Any = {
    "StartAt": "Pay",
    "States": {
        "Pay": {"Type": "Task", "Resource": GONE, "Retry": RETRY, "Next": "Wrap"},
        "Wrap": {
            "Type": "Task",
            "Resource": "arn:aws:states:::ecs:runTask.sync",
            "Parameters": {
                "TaskDefinition": "wrap",
            },
            "Next": "Ship",
        },
        "Ship": {"Type": "Task", "Resource": FUNCTION, "End": True},
    },
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "MockConfigFile.json"
    path.write_text(json.dumps(CONFIG))
    return path


@pytest.fixture
def mocked(tmp_path: Path, config: Path) -> Iterator[Server]:
    with running(tmp_path / "asl.db", tasks(), mocks=MockFile(config)) as server:
        yield server


def test_mocked_states_come_first_and_all_others_are_called(mocked: Server) -> None:
    client = mocked.client()
    arn = created(client, SHOP, "shop")
    shown = ended(client, client.start_execution(stateMachineArn=arn + "#Happy")["executionArn"])
    assert (shown["status"], shown["output"]) == ("SUCCEEDED", '{"n":42}')
    assert shown["stateMachineArn"] == arn
    real = ended(client, client.start_execution(stateMachineArn=arn)["executionArn"])
    assert real["error"] == "Lambda.ResourceNotFoundException"


def test_invocations_are_those_of_the_execution_however_often_the_state_is_entered(mocked: Server) -> None:
    client = mocked.client()
    again = {"Variable": "$.n", "NumericLessThan": 2, "Next": "Pay"}
    loop = {
        "StartAt": "Pay",
        "States": {
            "Pay": {"Type": "Task", "Resource": GONE, "Next": "Again"},
            "Again": {"Type": "Choice", "Choices": [again], "Default": "Done"},
            "Done": {"Type": "Succeed"},
        },
    }
    arn = created(client, loop, "loop")
    for _ in range(2):
        shown = ended(client, client.start_execution(stateMachineArn=arn + "#Thrice")["executionArn"])
        assert shown["output"] == '{"n":2}'


def test_an_invocation_that_the_response_does_not_know(mocked: Server, config: Path) -> None:
    client = mocked.client()
    arn = created(client, SHOP, "shop")
    shown = ended(client, client.start_execution(stateMachineArn=arn + "#Short")["executionArn"])
    assert shown["error"] == "States.Runtime"
    assert shown["cause"] == f"{config}: MockedResponses.Once says nothing of invocation 1 of 'Pay'"


def test_activities_and_tokens_need_nobody(mocked: Server) -> None:
    client = mocked.client()
    activity = client.create_activity(name="work")["activityArn"]
    send: Any = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    send["Parameters"] = {"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}}
    work = {"Type": "Task", "Resource": activity, "Retry": RETRY, "Next": "Ask"}
    definition = {"StartAt": "Work", "States": {"Work": work, "Ask": send}}
    arn = created(client, definition, "others")
    started = client.start_execution(stateMachineArn=arn + "#All")["executionArn"]
    assert ended(client, started)["output"] == '{"n":21}'
    events = client.get_execution_history(executionArn=started)["events"]
    kinds = [event["type"] for event in events if event["type"].startswith("Activity")]
    assert kinds == [
        *["ActivityScheduled", "ActivityStarted", "ActivityFailed"] * 2,
        *["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"],
    ]


JOBS: Any = {
    "StartAt": "Run",
    "States": {
        "Run": {"Type": "Task", "Resource": RUN, "Parameters": {"TaskDefinition": "wrap"}, "Next": "Ask"},
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}},
            "End": True,
        },
    },
}
SHOWN = ["TaskStarted", "TaskSubmitted", "TaskSucceeded"]


@pytest.mark.parametrize(
    ("case", "kinds"),
    [
        ("Done", SHOWN * 2),
        ("Stopped", ["TaskStarted", "TaskSubmitted", "TaskFailed"]),  # the job has failed
        ("Denied", ["TaskStarted", "TaskFailed"]),  # the request has
        ("Rejected", [*SHOWN, "TaskStarted", "TaskSubmitted", "TaskFailed"]),  # the client has sent a failure
    ],
)
def test_a_mocked_task_that_waits_for_work_elsewhere_is_submitted(
    mocked: Server, case: str, kinds: list[str]
) -> None:
    client = mocked.client()
    arn = created(client, JOBS, "jobs")
    started = client.start_execution(stateMachineArn=f"{arn}#{case}")["executionArn"]
    ended(client, started)
    events = client.get_execution_history(executionArn=started)["events"]
    shown = {"TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskFailed"}
    assert [event["type"] for event in events if event["type"] in shown] == kinds


def test_what_is_submitted_has_the_shape_of_aws(mocked: Server) -> None:
    client = mocked.client()
    started = client.start_execution(stateMachineArn=created(client, JOBS, "jobs") + "#Done")["executionArn"]
    ended(client, started)
    events = client.get_execution_history(executionArn=started)["events"]
    event = next(event for event in events if event["type"] == "TaskSubmitted")
    assert (event["id"], event["previousEventId"]) == (5, 4)
    assert event["taskSubmittedEventDetails"] == {
        "resourceType": "ecs",
        "resource": "runTask.sync",
        "output": '{"n":21}',
        "outputDetails": {"truncated": False},
    }


def test_the_children_of_a_distributed_map_are_mocked(mocked: Server) -> None:
    """Each child is an execution of its own, and counts its own invocations."""
    client = mocked.client()
    pay = {"Type": "Task", "Resource": GONE, "Retry": RETRY, "End": True}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "Pay",
        "States": {"Pay": pay},
    }
    each = {"Type": "Map", "ItemProcessor": processor, "End": True}
    arn = created(client, {"StartAt": "Each", "States": {"Each": each}}, "many")
    started = client.start_execution(stateMachineArn=arn + "#All", input="[1, 2]")["executionArn"]
    assert ended(client, started)["output"] == '[{"n":5},{"n":5}]'


def test_a_state_that_there_is_not_is_refused(mocked: Server) -> None:
    client = mocked.client()
    states = {"Payment": {"Type": "Task", "Resource": GONE, "End": True}}
    arn = created(client, {"StartAt": "Payment", "States": states}, "loop")
    code, message = refusal(client.start_execution, stateMachineArn=arn + "#Thrice")
    assert code == "ValidationException"
    assert message.endswith(
        "StateMachines.loop.TestCases.Thrice.Pay: there is no state 'Pay' in the state machine; "
        "did you mean 'Payment'? (there are 'Payment')"
    )


def test_a_redriven_test_case_is_one_still(mocked: Server, config: Path) -> None:
    client = mocked.client()
    arn = created(client, SHOP, "shop")
    started = client.start_execution(stateMachineArn=arn + "#Short")["executionArn"]
    assert ended(client, started)["status"] == "FAILED"
    responses = {**CONFIG["MockedResponses"], "Once": {"0-1": {"Return": {"n": 1}}}}
    responses["Once"]["2-9"] = {"Return": {"n": 3}}
    config.write_text(
        json.dumps(
            {
                "StateMachines": {"shop": {"TestCases": {"Short": {"Pay": "Once", "Wrap": "Wrapped"}}}},
                "MockedResponses": responses,
            }
        )
    )
    os.utime(config, ns=(1, 1))
    client.redrive_execution(executionArn=started)
    assert ended(client, started)["output"] == '{"n":42}'


def test_express_too(mocked: Server) -> None:
    client = mocked.client()
    states = {"Pay": {"Type": "Task", "Resource": GONE, "Retry": RETRY, "End": True}}
    arn = created(client, {"StartAt": "Pay", "States": states}, "shop", type="EXPRESS")
    assert client.start_sync_execution(stateMachineArn=arn + "#Pay")["output"] == '{"n":5}'


def test_a_changed_file_counts_from_the_next_task_on(mocked: Server, config: Path) -> None:
    client = mocked.client()
    arn = created(client, SHOP, "shop")
    config.write_text(
        json.dumps({**CONFIG, "StateMachines": {"shop": {"TestCases": {"New": {"Pay": "Wrapped"}}}}})
    )
    os.utime(config, ns=(1, 1))
    code, message = refusal(client.start_execution, stateMachineArn=arn + "#Happy")
    assert (code, message) == (
        "ValidationException",
        f"{config}: the state machine 'shop' has no test case 'Happy' (there are 'New')",
    )
    config.write_text("{")
    code, message = refusal(client.start_execution, stateMachineArn=arn + "#New")
    assert code == "ValidationException"
    assert message.startswith(f"{config}:1:2: this is not JSON")


def test_without_a_configuration_there_are_no_cases(client: Any) -> None:
    arn = created(client, SHOP, "caseless")
    code, message = refusal(client.start_execution, stateMachineArn=arn + "#Happy")
    assert (code, message) == ("InvalidArn", f"Invalid Arn: '{arn}#Happy: no mock configuration was given'")


def test_a_restarted_server_counts_on(tmp_path: Path, config: Path) -> None:
    """Interrupted in the retry's backoff: what comes next is the second invocation."""
    db = tmp_path / "asl.db"
    slow = {**SHOP["States"]["Pay"], "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600}]}
    with running(db, tasks(), skip_time=False, mocks=MockFile(config)) as server:
        client = server.client()
        definition = {**SHOP, "States": {**SHOP["States"], "Pay": slow}}
        arn = client.create_state_machine(name="shop", definition=json.dumps(definition), roleArn=ROLE)
        started = client.start_execution(stateMachineArn=arn["stateMachineArn"] + "#Happy")["executionArn"]
        while "LambdaFunctionFailed" not in str(client.get_execution_history(executionArn=started)):
            pass
    with running(db, tasks(), mocks=MockFile(config)) as server:
        assert ended(server.client(), started)["output"] == '{"n":42}'


def test_a_test_case_is_never_run_for_real(tmp_path: Path, config: Path) -> None:
    db = tmp_path / "asl.db"
    states = {"Pay": {**SHOP["States"]["Pay"], "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600}]}}
    states["Pay"].pop("Next")
    states["Pay"]["End"] = True
    with running(db, skip_time=False, mocks=MockFile(config)) as server:
        client = server.client()
        arn = created(client, {"StartAt": "Pay", "States": states}, "shop")
        started = client.start_execution(stateMachineArn=arn + "#Pay")["executionArn"]
    with running(db) as server:
        assert server.client().describe_execution(executionArn=started)["status"] == "RUNNING"
