"""`asl test-state`: the verdict on one state, for people and as JSON, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.project import Project

END = {"End": True}
DOUBLE = "arn:aws:lambda:us-east-1:123456789012:function:double"
NOBODY = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
RETRY = [{"ErrorEquals": ["Bad"], "IntervalSeconds": 2}]
MACHINE = {
    "StartAt": "Greet",
    "States": {
        "Greet": {"Type": "Pass", "Parameters": {"who.$": "$.name", "v.$": "$v"}, "Next": "Call"},
        "Call": {"Type": "Task", "Resource": NOBODY, "ResultPath": "$.r", "Retry": RETRY, "Next": "Nap"},
        "Nap": {"Type": "Wait", "Seconds": 100, **END},
    },
}


@pytest.fixture
def machine(project: Project) -> str:
    return project.define("machine", json.dumps(MACHINE))


def test_the_stages_and_where_it_leads(project: Project, machine: str) -> None:
    result = project.asl(
        "test-state", machine, "--state", "Greet", "-i", '{"name":"Ann"}', "--variables", '{"v":1}'
    )
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "SUCCEEDED  Greet (Pass)  ->  Call",
        'input                {"name":"Ann"}',
        'afterInputPath       {"name":"Ann"}',
        'afterParameters      {"who":"Ann","v":1}',
        'afterResultSelector  {"who":"Ann","v":1}',
        'afterResultPath      {"who":"Ann","v":1}',
        'variables            {"v":1}',
        'output               {"who":"Ann","v":1}',
    ]


def test_a_mocked_result_as_json(project: Project, machine: str) -> None:
    result = project.asl(
        "test-state", machine, "--state", "Call", "--mock-result", "[1]", "--inspection", "INFO", "--json"
    )
    assert result.code == 0
    assert result.json == {"status": "SUCCEEDED", "output": '{"r":[1]}', "nextState": "Nap"}


def test_a_mocked_error(project: Project, machine: str) -> None:
    error = ("--mock-error", "Bad", "--mock-cause", "so be it")
    result = project.asl(
        "test-state", machine, "--state", "Call", *error, "--inspection", "TRACE", "--retry-count", "1"
    )
    assert result.code == 0
    assert result.out.splitlines()[0] == "RETRIABLE  Call (Task)"
    assert result.out.splitlines()[-4:] == [
        "retryIndex                   0",
        "retryBackoffIntervalSeconds  4",
        "error                        Bad",
        "cause                        so be it",
    ]
    result = project.asl("test-state", machine, "--state", "Call", "--mock-error", "Worse", "--inspection", "INFO")
    assert result.code == 1
    assert result.out.splitlines() == ["FAILED  Call (Task)", "error  Worse"]


def test_a_map_over_the_data_of_an_item_reader(project: Project, tmp_path: Path) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", **END}},
    }
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSONL"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    }
    state = {"Type": "Map", "ItemProcessor": processor, "ItemReader": reader, "ToleratedFailureCount": 1, **END}
    path = project.define("state", json.dumps({**state, "ItemBatcher": {"MaxItemsPerBatch": 2}}))
    data = tmp_path / "data.jsonl"
    data.write_text("1\n2\n3\n", encoding="utf-8")
    options = ("test-state", path, "--mock-result", "[]", "--reader-data", str(data), "--failed-iterations")
    result = project.asl(*options, "1")
    assert (result.code, result.err) == (0, "")
    assert 'afterItemBatcher       [{"Items":["1","2"]}, {"Items":["3"]}]' in result.out.splitlines()
    assert "toleratedFailureCount  1" in result.out.splitlines()
    assert project.asl(*options, "2", "--json").json["error"] == "States.ExceedToleratedFailureThreshold"
    refused = project.asl(*options, "4")
    assert refused.code == 2
    assert "MapIterationFailureCount 4 exceeds the number of items" in refused.err
    within = ("--mock-error", "E", "--failed-state", "J")
    refused = project.asl("test-state", path, *within)
    assert (refused.code, "ErrorCausedByState 'J' does not exist" in refused.err) == (2, True)
    data.write_bytes(b"\xff")
    for name, reason in ((str(data), "is not UTF-8 text"), (str(tmp_path / "none"), "there is no file ")):
        refused = project.asl("test-state", path, "--mock-result", "[]", "--reader-data", name)
        assert (refused.code, reason in refused.err) == (2, True)


@pytest.mark.parametrize("level", ["DEBUG", "TRACE"])
def test_the_request_of_an_http_task(project: Project, level: str) -> None:
    parameters = {"ApiEndpoint": "http://127.0.0.1:1/", "Method": "GET"}
    state = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, **END}
    path = project.define("state", json.dumps(state))
    result = project.asl("test-state", path, "--inspection", level, "--reveal-secrets")
    assert result.code == 1
    lines = [line.split(maxsplit=1) for line in result.out.splitlines()]
    assert (["request.url", "http://127.0.0.1:1/"] in lines) is (level == "TRACE")
    assert ["error", "States.Http.Socket"] in lines
    refused = project.asl("test-state", path, "--mock-result", "1", "--reveal-secrets")
    assert (refused.code, "does not support RevealSecrets" in refused.err) == (2, True)


def test_a_context_object(project: Project) -> None:
    state = {"Type": "Task", "Resource": NOBODY, "Parameters": {"t.$": "$$.Task.Token"}, **END}
    path = project.define("state", json.dumps(state))
    result = project.asl("test-state", path, "--mock-result", "1", "--context", '{"Task":{"Token":"x"}}', "--json")
    assert result.json["inspectionData"]["afterParameters"] == '{"t":"x"}'


def test_a_mocked_result_is_held_against_the_model(project: Project) -> None:
    resource = "arn:aws:states:::states:startExecution"
    given = {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:other"}
    path = project.define("state", {"Type": "Task", "Resource": resource, "Parameters": given, **END})
    mock = ("--mock-result", '{"StartDate": "2024-01-01T00:00:00Z"}')
    result = project.asl("test-state", path, *mock)
    assert result.code == 2
    assert "Mock result schema validation error: Field 'ExecutionArn' is required but was missing" in result.err
    assert project.asl("test-state", path, *mock, "--validation", "PRESENT").code == 0


def test_a_task_is_the_projects_own(project: Project) -> None:
    path = project.define("state", json.dumps({"Type": "Task", "Resource": DOUBLE, **END}))
    result = project.asl("test-state", path, "-i", '{"n":1}', "--json", "--inspection", "INFO")
    assert result.code == 0, result.err
    assert result.json == {"status": "SUCCEEDED", "output": '{"n":2}'}


def test_a_wait_can_be_skipped(project: Project, machine: str) -> None:
    result = project.asl("test-state", machine, "--state", "Nap", "--time", "skip", "--inspection", "INFO")
    assert (result.code, result.out) == (0, "SUCCEEDED  Nap (Wait)\noutput  {}\n")


REFUSED: list[tuple[tuple[str, ...], str]] = [
    ((), "which state is to be tested? Give --state: there are Greet, Call, Nap"),
    (
        ("--state", "greet"),
        "--state greet: there is no such state; did you mean 'Greet'?; there are Greet, Call, Nap",
    ),
    (("--state", "Greet", "--mock-result", "1"), "State type 'Pass' is not supported when a mock is specified"),
    (("--state", "Call"), "there is no task callable for the function 'nobody'"),
    (("--state", "Call", "--mock-result", "{"), "--mock-result:1:2: it is not JSON"),
    (("--state", "Call", "--mock-cause", "c"), "--mock-cause: give the error's name too, with --mock-error"),
    (
        ("--state", "Call", "--mock-result", "1", "--mock-error", "E"),
        "give --mock-result or --mock-error, not both",
    ),
    (("--state", "Call", "--context", "{}"), "TestState does not support Context when a mock is not specified."),
    (("--state", "Greet", "--variables", "[]"), "--variables: it has to be a JSON object"),
    (("--state", "Greet", "--inspection", "ALL"), "--inspection ALL: it is one of INFO, DEBUG, TRACE"),
    (("--state", "Greet", "--validation", "LAX"), "--validation LAX: it is one of STRICT, PRESENT, NONE"),
    (("--state", "Greet", "--time", "fast"), "--time fast: it is real or skip"),
    (("--state", "Greet", "-i", "{"), "the input is not JSON"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=[r[1] for r in REFUSED])
def test_what_is_refused(project: Project, machine: str, options: Any, message: str) -> None:
    result = project.asl("test-state", machine, *options)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_definition_with_findings(project: Project) -> None:
    path = project.define("broken", '{"Type": "Pass", "Foo": 1, "End": true}')
    result = project.asl("test-state", path)
    assert result.code == 2
    assert "/States/StateName/Foo" in result.err


HELD = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
NEED_A_MOCK = {
    "Parallel": {"Type": "Parallel", "Branches": [HELD], "End": True},
    "Map": {"Type": "Map", "ItemProcessor": HELD, "End": True},
    "another party": {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q", "MessageBody": "hi"},
        "End": True,
    },
}


@pytest.mark.parametrize("state", NEED_A_MOCK.values(), ids=NEED_A_MOCK)
def test_what_needs_a_mock_says_how_to_give_one(project: Project, state: Any) -> None:
    result = project.asl("test-state", project.define("s", state))
    assert (result.code, result.out) == (2, "")
    assert "cannot be tested without a mock: give its result with --mock-result JSON" in result.err


def test_a_state_by_itself_has_no_other(project: Project) -> None:
    result = project.asl("test-state", project.define("s", {"Type": "Succeed"}), "--state", "S")
    assert (result.code, result.out) == (2, "")
    assert "--state S: there is no such state; the definition is a single state: leave it out" in result.err
