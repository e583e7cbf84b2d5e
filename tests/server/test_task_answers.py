"""SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat for tasks that wait for their token."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.task_tokens import task_token
from asl_engine.resources.python.registry import Registry
from tests.server.harness import PATIENCE_SECONDS, Server, created, ended, refusal, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
ANSWERS = {
    "send_task_success": {"output": "1"},
    "send_task_failure": {"error": "E"},
    "send_task_heartbeat": {},
}
CLOSED = ("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
INVALID = ("InvalidToken", "Invalid Token: 'Invalid token'")
UNKNOWN = ("TaskDoesNotExist", "Task Does Not Exist: 'Task does not exist'")


class Desk:
    """Functions that are given tokens, and the tokens that they were given."""

    def __init__(self) -> None:
        self.tokens: Queue[str] = Queue()
        self.registry = Registry()
        self.registry.add("ask", self.ask)
        self.registry.add("refuse", lambda event: event["missing"])

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        self.tokens.put(event["token"])
        return {"asked": True}

    def token(self) -> str:
        return self.tokens.get(timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def server(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server") / "asl.db", desk.registry) as server:
        yield server


def asks(function: str = "ask", **fields: Any) -> dict[str, Any]:
    payload = {"token.$": "$$.Task.Token"} if function == "ask" else {}
    parameters = {"FunctionName": function, "Payload": payload}
    state = {"Type": "Task", "Resource": CALLBACK, "Parameters": parameters, "End": True, **fields}
    return {"StartAt": "Ask", "States": {"Ask": state}}


def started(client: Any, name: str, definition: Any = None) -> str:
    machine = created(client, asks() if definition is None else definition, name=name)
    arn: str = client.start_execution(stateMachineArn=machine)["executionArn"]
    return arn


def events(client: Any, execution: str) -> list[Any]:
    found: list[Any] = client.get_execution_history(executionArn=execution)["events"]
    return found


def submitted(client: Any, execution: str) -> None:
    """Wait until the function's answer is in the history."""
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if any(event["type"] == "TaskSubmitted" for event in events(client, execution)):
            return
        pause.wait(0.01)
    raise AssertionError(f"{execution} has not submitted its task")


# -- answers -----------------------------------------------------------------------------------------------


def test_success_is_the_tasks_result(client: Any, desk: Desk, name: str) -> None:
    execution = started(client, name)
    token = desk.token()
    submitted(client, execution)
    client.send_task_heartbeat(taskToken=token)
    client.send_task_success(taskToken=token, output='{"paid": [1, null]}')
    shown = ended(client, execution)
    assert (shown["status"], json.loads(shown["output"])) == ("SUCCEEDED", {"paid": [1, None]})
    history = events(client, execution)
    assert [(event["type"], event["id"], event["previousEventId"]) for event in history] == [
        ("ExecutionStarted", 1, 0),
        ("TaskStateEntered", 2, 0),
        ("TaskScheduled", 3, 2),
        ("TaskStarted", 4, 3),
        ("TaskSubmitted", 5, 4),
        ("TaskSucceeded", 6, 5),
        ("TaskStateExited", 7, 6),
        ("ExecutionSucceeded", 8, 7),
    ]
    service = {"resourceType": "lambda", "resource": "invoke.waitForTaskToken"}
    details = history[4]["taskSubmittedEventDetails"]
    assert details.items() >= service.items()
    assert json.loads(details["output"])["Payload"] == {"asked": True}
    assert history[5]["taskSucceededEventDetails"].items() >= service.items()
    assert json.loads(history[2]["taskScheduledEventDetails"]["parameters"])["Payload"] == {"token": token}


def test_an_answer_is_in_the_history_when_it_was_given(client: Any, desk: Desk, name: str) -> None:
    execution = started(client, name)
    client.send_task_success(taskToken=desk.token(), output="1")
    assert "TaskSucceeded" in [event["type"] for event in events(client, execution)]


@pytest.mark.parametrize("given", [{"error": "Refused", "cause": "no"}, {"error": "Refused"}, {"cause": "no"}, {}])
def test_failure_is_the_tasks_failure(client: Any, desk: Desk, name: str, given: dict[str, str]) -> None:
    execution = started(client, name)
    client.send_task_failure(taskToken=desk.token(), **given)
    shown = ended(client, execution)
    assert shown["status"] == "FAILED"
    assert {member: shown[member] for member in ("error", "cause") if member in shown} == given
    (failed,) = [event for event in events(client, execution) if event["type"] == "TaskFailed"]
    details = failed["taskFailedEventDetails"]
    assert {member: details[member] for member in ("error", "cause") if member in details} == given


def test_a_failure_can_be_caught(client: Any, desk: Desk, name: str) -> None:
    definition = asks(Catch=[{"ErrorEquals": ["Refused"], "Next": "Sorry"}])
    definition["States"]["Sorry"] = {"Type": "Pass", "End": True}
    execution = started(client, name, definition)
    client.send_task_failure(taskToken=desk.token(), error="Refused", cause="no")
    assert json.loads(ended(client, execution)["output"]) == {"Error": "Refused", "Cause": "no"}


def test_a_function_that_fails_fails_the_task(client: Any, name: str) -> None:
    execution = started(client, name, asks("refuse"))
    assert ended(client, execution)["error"] == "KeyError"
    assert [event["type"] for event in events(client, execution)][3:5] == ["TaskStarted", "TaskFailed"]


def test_a_retry_has_a_token_of_its_own(client: Any, desk: Desk, name: str) -> None:
    execution = started(client, name, asks(Retry=[{"ErrorEquals": ["Again"]}]))
    first = desk.token()
    client.send_task_failure(taskToken=first, error="Again")
    second = desk.token()
    assert first != second
    for answer, arguments in ANSWERS.items():
        assert refusal(getattr(client, answer), taskToken=first, **arguments) == CLOSED
    client.send_task_success(taskToken=second, output="2")
    assert ended(client, execution)["output"] == "2"


def test_a_map_waits_for_each_iterations_token(client: Any, desk: Desk, name: str) -> None:
    processor = {"ItemProcessor": asks(), "ItemsPath": "$.items"}
    definition = {"StartAt": "M", "States": {"M": {"Type": "Map", "End": True, **processor}}}
    machine = created(client, definition, name=name)
    execution = client.start_execution(stateMachineArn=machine, input='{"items": [1, 2, 3]}')["executionArn"]
    tokens = {desk.token() for _ in range(3)}
    assert len(tokens) == 3
    for token in tokens:
        client.send_task_success(taskToken=token, output='"ok"')
    assert json.loads(ended(client, execution)["output"]) == ["ok"] * 3


# -- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_task_is_answered_once(client: Any, desk: Desk, name: str, answer: str) -> None:
    execution = started(client, name)
    token = desk.token()
    client.send_task_success(taskToken=token, output="1")
    ended(client, execution)
    assert refusal(getattr(client, answer), taskToken=token, **ANSWERS[answer]) == CLOSED


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_token_of_a_closed_execution(client: Any, desk: Desk, name: str, answer: str) -> None:
    execution = started(client, name)
    token = desk.token()
    client.stop_execution(executionArn=execution)
    assert refusal(getattr(client, answer), taskToken=token, **ANSWERS[answer]) == CLOSED


@pytest.mark.parametrize("answer", ANSWERS)
def test_tokens_that_are_none(client: Any, desk: Desk, name: str, answer: str) -> None:
    execution = started(client, name)
    token = desk.token()
    content = urlsafe_b64decode(token)
    wrong = {
        "nonsense": INVALID,
        "../../etc/passwd": INVALID,
        token[:-3]: INVALID,
        token + token: INVALID,
        # Whoever knows the execution's ARN can still not make a token of it.
        task_token("", execution, 3): INVALID,
        urlsafe_b64encode(b"x" + content[1:]).decode(): INVALID,  # another version
        urlsafe_b64encode(content[:1] + bytes([content[1] ^ 1]) + content[2:]).decode(): INVALID,
        urlsafe_b64encode(content[:-1] + b"?").decode(): UNKNOWN,
        task_token("", execution + "x", 3): UNKNOWN,
    }
    for text, expected in wrong.items():
        assert refusal(getattr(client, answer), taskToken=text, **ANSWERS[answer]) == expected
    client.send_task_success(taskToken=token, output="1")
    assert ended(client, execution)["status"] == "SUCCEEDED"


def test_a_token_is_worth_nothing_in_another_region_or_account(
    server: Server, client: Any, desk: Desk, name: str
) -> None:
    started(client, name)
    token = desk.token()
    elsewhere, stranger = server.client("eu-west-1"), server.client(key="999999999999")
    assert refusal(elsewhere.send_task_success, taskToken=token, output="1") == INVALID  # recorded from AWS
    assert refusal(stranger.send_task_success, taskToken=token, output="1") == UNKNOWN
    client.send_task_success(taskToken=token, output="1")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (("send_task_success", {"output": "{not json"}), "InvalidOutput"),
        (("send_task_success", {"output": ""}), "InvalidOutput"),
        (("send_task_success", {"output": "NaN"}), "InvalidOutput"),
        (("send_task_success", {}), "ValidationException"),
        (("send_task_success", {"output": f'"{"x" * 262_144}"'}), "ValidationException"),
        (("send_task_success", {"output": f'"{"ü" * 150_000}"'}), "ValidationException"),
        (("send_task_failure", {"error": "x" * 257}), "ValidationException"),
        (("send_task_failure", {"cause": "x" * 32_769}), "ValidationException"),
    ],
)
def test_answers_that_cannot_be_taken(
    client: Any, desk: Desk, name: str, answer: tuple[str, dict[str, str]], code: str
) -> None:
    execution = started(client, name)
    token = desk.token()
    found, message = refusal(getattr(client, answer[0]), taskToken=token, **answer[1])
    assert found == code
    assert "xxx" not in message  # what is sensitive is not repeated
    client.send_task_success(taskToken=token, output="1")
    assert ended(client, execution)["status"] == "SUCCEEDED"


@pytest.mark.parametrize("token", ["", "x" * 2049, None])
def test_tokens_that_break_the_models_bounds(client: Any, token: str | None) -> None:
    assert refusal(client.send_task_heartbeat, taskToken=token)[0] == "ValidationException"


def test_the_largest_answer_is_taken(client: Any, desk: Desk, name: str) -> None:
    execution = started(client, name)
    output = f'"{"x" * 262_142}"'
    client.send_task_success(taskToken=desk.token(), output=output)
    assert ended(client, execution)["output"] == output


# -- time and restarts ---------------------------------------------------------------------------------------


def test_a_silent_task_times_out(client: Any, desk: Desk, name: str) -> None:
    execution = started(client, name, asks(TimeoutSeconds=60, HeartbeatSeconds=1))
    token = desk.token()
    shown = ended(client, execution)
    assert (shown["status"], shown["error"]) == ("FAILED", "States.Timeout")
    (timeout,) = [event for event in events(client, execution) if event["type"] == "TaskTimedOut"]
    assert timeout["taskTimedOutEventDetails"] == {
        "resourceType": "lambda",
        "resource": "invoke.waitForTaskToken",
        "error": "States.Timeout",
    }
    assert refusal(client.send_task_success, taskToken=token, output="1") == CLOSED


def test_a_token_is_good_for_the_next_server_too(tmp_path: Path) -> None:
    desk, db = Desk(), tmp_path / "asl.db"
    with running(db, desk.registry) as server:
        client = server.client()
        execution = started(client, "m")
        token = desk.token()
        submitted(client, execution)
    with running(db, desk.registry) as server:
        client = server.client()
        client.send_task_heartbeat(taskToken=token)
        client.send_task_success(taskToken=token, output="1")
        assert ended(client, execution)["output"] == "1"
        types = [event["type"] for event in events(client, execution)]
        assert types.count("TaskSubmitted") == 1
    assert desk.tokens.empty()  # the function was not asked again


def test_an_execution_that_nobody_drives_is_driven_by_whoever_gets_the_answer(tmp_path: Path) -> None:
    desk, db = Desk(), tmp_path / "asl.db"
    with running(db, desk.registry) as second:
        with running(db, desk.registry) as first:
            execution = started(first.client(), "m")
            token = desk.token()
            submitted(first.client(), execution)
        client = second.client()
        client.send_task_success(taskToken=token, output="1")
        assert ended(client, execution)["output"] == "1"


def test_a_redriven_task_has_a_token_of_its_own(client: Any, desk: Desk, name: str) -> None:
    execution = started(client, name)
    first = desk.token()
    client.send_task_failure(taskToken=first, error="No")
    assert ended(client, execution)["status"] == "FAILED"
    client.redrive_execution(executionArn=execution)
    second = desk.token()
    assert refusal(client.send_task_success, taskToken=first, output="1") == CLOSED
    client.send_task_success(taskToken=second, output="2")
    assert ended(client, execution)["output"] == "2"


def test_where_another_process_drives_the_execution_its_tasks_are_answered_there(tmp_path: Path) -> None:
    desk, db = Desk(), tmp_path / "asl.db"
    with running(db, desk.registry) as first, running(db, desk.registry) as second:
        execution = started(first.client(), "m")
        token = desk.token()
        submitted(first.client(), execution)
        code, message = refusal(second.client().send_task_success, taskToken=token, output="1")
        assert code == "TaskDoesNotExist"
        assert "another process" in message
        first.client().send_task_success(taskToken=token, output="1")
        assert ended(second.client(), execution)["output"] == "1"
        assert refusal(second.client().send_task_success, taskToken=token, output="1") == CLOSED
