"""TestState over HTTP: success, every kind of refusal, and that nothing is left behind."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import ROLE, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

DOUBLE = "arn:aws:lambda:us-east-1:123456789012:function:double"
BROKEN = "arn:aws:lambda:us-east-1:123456789012:function:broken"
END = {"End": True}
PASS = {"Type": "Pass", **END}
TASK = {"Type": "Task", "Resource": DOUBLE, **END}
PARALLEL = {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": PASS}}], **END}
MAP = {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": PASS}}, **END}
MOCK = {"result": "{}"}
LISTED = {"result": "[1]"}


def tried(client: Any, state: Any, **more: Any) -> Any:
    answer = client.test_state(definition=json.dumps(state), **more)
    del answer["ResponseMetadata"]
    return answer


def test_a_state_without_work(client: Any) -> None:
    answer = tried(client, {**PASS, "Next": "N", "End": False}, input='{"a": 1}', inspectionLevel="DEBUG")
    assert answer == {
        "status": "SUCCEEDED",
        "output": '{"a": 1}',
        "nextState": "N",
        "inspectionData": {
            "input": '{"a": 1}',
            "afterInputPath": '{"a": 1}',
            "afterParameters": '{"a": 1}',
            "afterResultSelector": '{"a": 1}',
            "afterResultPath": '{"a": 1}',
        },
    }


def test_info_is_the_default_and_an_empty_object_the_input(client: Any) -> None:
    assert tried(client, PASS) == {"status": "SUCCEEDED", "output": "{}"}


def test_a_task_calls_its_resource(client: Any) -> None:
    answer = tried(client, TASK, roleArn=ROLE, input='{"n": 4}', inspectionLevel="TRACE")
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", '{"n":8}')
    assert answer["inspectionData"]["result"] == '{"n":8}'


def test_a_task_fails_as_its_resource_does(client: Any) -> None:
    state = {**TASK, "Resource": BROKEN, "Catch": [{"ErrorEquals": ["KeyError"], "Next": "Handle"}]}
    answer = tried(client, state, roleArn=ROLE)
    assert (answer["status"], answer["error"], answer["nextState"]) == ("CAUGHT_ERROR", "KeyError", "Handle")
    assert json.loads(answer["output"])["Error"] == "KeyError"


def test_a_task_that_nothing_serves(client: Any) -> None:
    resource = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
    answer = tried(client, {**TASK, "Resource": resource}, roleArn=ROLE)
    assert (answer["status"], answer["error"]) == ("FAILED", "Lambda.ResourceNotFoundException")


def test_a_wait_is_skipped_where_time_is(client: Any) -> None:
    assert tried(client, {"Type": "Wait", "Seconds": 200, **END}, input="7") == {
        "status": "SUCCEEDED",
        "output": "7",
    }
    late = tried(client, {"Type": "Wait", "Seconds": 301, **END})
    assert late == {"status": "FAILED", "error": "States.Timeout"}


def test_a_wait_waits_where_time_is_real(patient: Any) -> None:
    assert tried(patient.client(), {"Type": "Wait", "Seconds": 1, **END})["status"] == "SUCCEEDED"


def test_a_mock_stands_for_the_work(client: Any) -> None:
    answer = tried(client, {**TASK, "Resource": BROKEN}, mock={"result": "[1,  2]"})
    assert answer == {"status": "SUCCEEDED", "output": "[1,  2]"}
    answer = tried(client, TASK, mock={"errorOutput": {"error": "E", "cause": "c"}})
    assert answer == {"status": "FAILED", "error": "E", "cause": "c"}


def test_context_variables_and_configuration(client: Any) -> None:
    state = {
        **TASK,
        "QueryLanguage": "JSONata",
        "Arguments": "{% $states.context.Task.Token & $v %}",
        "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 2, "MaxAttempts": 2}],
    }
    answer = tried(
        client,
        state,
        context='{"Task": {"Token": "t"}}',
        variables='{"v": "w"}',
        mock={"errorOutput": {"error": "E"}},
        stateConfiguration={"retrierRetryCount": 1},
        inspectionLevel="DEBUG",
    )
    assert answer == {
        "status": "RETRIABLE",
        "error": "E",
        "inspectionData": {
            "input": "{}",
            "afterArguments": '"tw"',
            "variables": '{"v":"w"}',
            "errorDetails": {"retryIndex": 0, "retryBackoffIntervalSeconds": 4},
        },
    }


WHOLE = {
    "Execution": {
        "Id": "arn",
        "Input": [1],
        "Name": "n",
        "RoleArn": "r",
        "StartTime": "2025-01-15T10:30:00.000Z",
        "RedriveCount": 0,
    },
    "State": {"EnteredTime": "2025-01-15T10:30:00.000Z", "Name": "s", "RetryCount": 0},
    "StateMachine": {"Id": "arn", "Name": "m"},
}
ITEM = {"Map": {"Item": {"Index": 0, "Value": None, "Key": "k", "Source": "STATE_DATA"}}}


@pytest.mark.parametrize("context", [{}, {"Execution": {}, "State": {}, "StateMachine": {}}, WHOLE])
def test_a_context_is_what_the_state_could_have(client: Any, context: dict[str, Any]) -> None:
    def accepted(state: Any, mock: dict[str, str], given: dict[str, Any], **more: Any) -> bool:
        answer = tried(client, state, context=json.dumps(given), mock=mock, **more)
        return bool(answer["status"] == "SUCCEEDED")

    assert accepted(TASK, MOCK, context | {"Task": {"Token": "t"}})
    assert accepted(PARALLEL, LISTED, context)
    assert accepted(MAP, {"result": "[]"}, context | ITEM, input="[]")
    # A Task within a Map state knows the item too.
    within = {**MAP, "ItemProcessor": {"StartAt": "T", "States": {"T": TASK}}}
    assert accepted({"StartAt": "M", "States": {"M": within}}, MOCK, context | ITEM, stateName="T")


def test_a_state_of_a_machine(client: Any) -> None:
    machine = {"StartAt": "P", "States": {"P": {**PARALLEL, "End": False, "Next": "Z"}, "Z": {"Type": "Succeed"}}}
    answer = tried(client, machine, stateName="P", mock={"result": "[5]"})
    assert answer == {"status": "SUCCEEDED", "output": "[5]", "nextState": "Z"}
    assert tried(client, machine, stateName="B", input="5") == {"status": "SUCCEEDED", "output": "5"}


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/nothing" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Nothing into the output of the tests."""


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("path", "status", "code"), [("/", "SUCCEEDED", "200"), ("/nothing", "FAILED", "404")])
def test_request_and_response_of_an_http_task(client: Any, api: str, path: str, status: str, code: str) -> None:
    parameters = {"ApiEndpoint": api + path, "Method": "GET"}
    state = {**TASK, "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters}
    answer = tried(client, state, roleArn=ROLE, inspectionLevel="TRACE", revealSecrets=True)
    assert answer["status"] == status
    told = answer["inspectionData"]
    assert (told["request"]["method"], told["request"]["url"]) == ("GET", api + path)
    assert (told["response"]["statusCode"], told["response"]["body"]) == (code, "{}")
    told = tried(client, state, roleArn=ROLE, inspectionLevel="DEBUG")["inspectionData"]
    assert not {"request", "response"} & told.keys()


def test_the_data_of_an_item_reader(client: Any) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "B",
        "States": {"B": PASS},
    }
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"]},
        "Parameters": {"Bucket": "b", "Key.$": "$.key"},
    }
    state = {
        "Type": "Map",
        "ItemProcessor": processor,
        "ItemReader": reader,
        "ToleratedFailurePercentage": 40,
        **END,
    }
    state["ItemSelector"] = {"a.$": "$$.Map.Item.Value.a"}
    configuration = {"mapItemReaderData": "1\n2\n", "mapIterationFailureCount": 1}
    more = {"mock": {"result": "[]"}, "input": '{"key": "k"}', "inspectionLevel": "DEBUG"}
    answer = tried(client, state, stateConfiguration=configuration, **more)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    assert answer["inspectionData"] == {
        "input": '{"key": "k"}',
        "afterInputPath": '{"key": "k"}',
        "afterItemSelector": '[{"a":"1"}, {"a":"2"}]',
        "maxConcurrency": 0,
        "toleratedFailurePercentage": 40.0,
    }
    configuration["mapIterationFailureCount"] = 3
    told = refusal(client.test_state, definition=json.dumps(state), stateConfiguration=configuration, **more)
    assert told[0] == VALIDATION


def test_nothing_is_left_behind(client: Any) -> None:
    before = client.list_state_machines()["stateMachines"]
    tried(client, PASS)
    assert client.list_state_machines()["stateMachines"] == before


VALIDATION = "ValidationException"
# What is no context object of the state, and why.
NO_CONTEXT: list[tuple[Any, Any, Any, str]] = [
    (TASK, MOCK, {"Map": {}}, "there is no 'Map' in this state"),
    (TASK, MOCK, {"execution": {}}, "there is no 'execution' in this state; did you mean 'Execution'?"),
    (TASK, MOCK, {"Execution": {"id": "x"}}, "there is no 'Execution.id' in this state"),
    (TASK, MOCK, {"Execution": {"Id": 1}}, "'Execution.Id' must be a string"),
    (TASK, MOCK, {"Execution": {"StartTime": None}}, "'Execution.StartTime' must be a string"),
    (TASK, MOCK, {"Execution": "x"}, "'Execution' must be an object"),
    (TASK, MOCK, {"State": {"RetryCount": "0"}}, "'State.RetryCount' must be a number"),
    (TASK, MOCK, {"State": {"RetryCount": True}}, "'State.RetryCount' must be a number"),
    (TASK, MOCK, {"StateMachine": {"Name": []}}, "'StateMachine.Name' must be a string"),
    (TASK, MOCK, {"Task": {"Token": {}}}, "'Task.Token' must be a string"),
    (PARALLEL, LISTED, {"Task": {}}, "there is no 'Task' in this state"),
    (PARALLEL, LISTED, {"Map": {}}, "there is no 'Map' in this state"),
    (MAP, LISTED, {"Map": {"Item": {"Index": "0"}}}, "'Map.Item.Index' must be a number"),
    (MAP, LISTED, {"Map": {"Item": []}}, "'Map.Item' must be an object"),
    (MAP, LISTED, {"Map": {"item": {}}}, "there is no 'Map.item' in this state; did you mean 'Item'?"),
]
REFUSED: list[tuple[Any, dict[str, Any], str, str]] = [
    (PASS, {"input": "{"}, "InvalidExecutionInput", "Invalid State Machine Execution Input"),
    (PASS, {"roleArn": "states"}, "InvalidArn", "Invalid Role Arn: 'states'"),
    (PASS, {"inspectionLevel": "ALL"}, VALIDATION, "enum value set: [INFO, DEBUG, TRACE]"),
    (PASS, {"stateName": "P"}, "InvalidDefinition", "The field 'StartAt' is required but was missing"),
    ({"Type": "Nap"}, {}, "InvalidDefinition", "at /States/StateName/Type"),
    (
        {**TASK, "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"QueueUrl": "q"}},
        {"mock": MOCK},
        "InvalidDefinition",
        "The field 'MessageBody' is required but was missing at /States/StateName/Parameters",
    ),
    (PASS, {"variables": "[]"}, VALIDATION, "The variables must be a JSON object."),
    (PASS, {"variables": "{"}, VALIDATION, "The variables is not valid JSON"),
    (TASK, {"context": "[]", "mock": MOCK}, VALIDATION, "The context must be a JSON object."),
    *(
        (
            state,
            {"context": json.dumps(context), "mock": mock},
            VALIDATION,
            f"not a valid Context object: {reason}",
        )
        for state, mock, context, reason in NO_CONTEXT
    ),
    (TASK, {"context": "{}"}, VALIDATION, "TestState does not support Context when a mock is not specified."),
    (TASK, {}, VALIDATION, "RoleArn must be specified when testing a Task state"),
    (
        TASK,
        {"mock": {}},
        VALIDATION,
        "One of the following fields is required for a test mock: [result, errorOutput].",
    ),
    (TASK, {"mock": {"result": "{"}}, VALIDATION, "Mocked result must be a valid JSON string"),
    (
        TASK,
        {"mock": {"errorOutput": {"cause": "c"}}},
        VALIDATION,
        "An error was not specified in the mocked error output.",
    ),
    (TASK, {"mock": MOCK, "revealSecrets": True}, VALIDATION, "TestState does not support RevealSecrets"),
    (
        TASK,
        {"mock": MOCK, "stateConfiguration": {"retrierRetryCount": -1}},
        VALIDATION,
        "greater than or equal to 0",
    ),
    (PASS, {"mock": MOCK}, VALIDATION, "State type 'Pass' is not supported when a mock is specified"),
    (PARALLEL, {}, "InvalidDefinition", "TestState API does not support Map or Parallel states."),
    (PARALLEL, {"mock": {"result": "[]"}}, VALIDATION, "Mocked result must contain the same number of items"),
]


def test_a_mocked_result_is_held_against_the_model(client: Any) -> None:
    message = {"QueueUrl": "q", "MessageBody": "hi"}
    state = json.dumps({**TASK, "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": message})
    told = refusal(client.test_state, definition=state, mock={"result": '{"MessageId": 1}'})
    assert told == (VALIDATION, "Mock result schema validation error: Field 'MessageId' must be a string")
    mock = {"result": '{"MessageId": 1}', "fieldValidationMode": "NONE"}
    assert client.test_state(definition=state, mock=mock)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(("state", "more", "code", "message"), REFUSED, ids=[f"{r[2]}: {r[3]}" for r in REFUSED])
def test_what_is_refused(client: Any, state: Any, more: dict[str, Any], code: str, message: str) -> None:
    told = refusal(client.test_state, definition=json.dumps(state), **more)
    assert told[0] == code
    assert message in told[1]
