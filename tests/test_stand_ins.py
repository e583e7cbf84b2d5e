"""Stand-ins for whatever a task can call, and that nothing is called outside without being allowed."""

from __future__ import annotations

import asyncio
import io
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from asl_engine import AslError, StatesError, TaskContext, run
from asl_engine.errors import ProjectError
from asl_engine.resources.aws.clients import AwsClients

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEND = "arn:aws:states:::sqs:sendMessage"
ASK = f"{SEND}.waitForTaskToken"
JOB = "arn:aws:states:::ecs:runTask.sync"
LIST = "arn:aws:states:::aws-sdk:s3:listBuckets"
INVOKE = "arn:aws:states:::lambda:invoke"
START = "arn:aws:states:::states:startExecution"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"
HELLO = "arn:aws:lambda:us-east-1:123456789012:function:hello"
MESSAGE = {"QueueUrl": "q", "MessageBody": {"n.$": "$.n"}}
TOKEN = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}


def task(resource: str, parameters: Any = None, **fields: Any) -> dict[str, Any]:
    given = {} if parameters is None else {"Parameters": parameters}
    return {"Type": "Task", "Resource": resource, **given, "End": True, **fields}


def machine(state: dict[str, Any], name: str = "Work") -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state}}


def kinds(result: Any) -> list[str]:
    return [event["type"] for event in result.history]


def same(event: Any) -> Any:
    return event


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are at hand, and whoever asks for a client fails the test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def get(_: AwsClients, service: str, *_rest: Any) -> Any:
        pytest.fail(f"{service} was called")

    monkeypatch.setattr(AwsClients, "get", get)


# -- nothing is called that is not allowed ------------------------------------------------------------

CONNECTION = "arn:aws:events:us-east-1:123456789012:connection/shop/aeabd89e-d39c-4181-9486-9fe03e6f286a"
HTTP = {"ApiEndpoint": "https://example.com", "Method": "GET", "InvocationConfig": {"ConnectionArn": CONNECTION}}
GATEWAY = {"ApiEndpoint": "a.execute-api.us-east-1.amazonaws.com", "Method": "GET"}
OTHER = "arn:aws:states:us-east-1:123456789012:stateMachine:other"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (task(SEND, MESSAGE), f"the state 'Work' would call AWS ({SEND})"),
        (task(LIST, {}), f"the state 'Work' would call AWS ({LIST})"),
        (task(JOB, {"TaskDefinition": "t"}), f"the state 'Work' would call AWS ({JOB})"),
        (task("arn:aws:states:::http:invoke", HTTP), "the state 'Work' would send an HTTP request (arn"),
        (task("arn:aws:states:::apigateway:invoke", GATEWAY), "the state 'Work' would send an HTTP request (arn"),
        (
            task(START, {"StateMachineArn": OTHER}),
            f"the state 'Work' would start the state machine {OTHER}, which the project does not have, on AWS",
        ),
        (task(START, {"StateMachineArn.$": "$.arn"}), f"the state 'Work' would start on AWS ({START})"),
    ],
)
def test_nothing_is_called_outside(state: dict[str, Any], message: str) -> None:
    with pytest.raises(ProjectError) as refused:
        run(machine(state), {"n": 1, "arn": OTHER})
    assert str(refused.value).startswith(message)
    assert str(refused.value).endswith(
        "Give stand-ins with tasks, by the name of the state or of the resource, "
        "or allow calls of AWS and of HTTP APIs with aws=True."
    )


@pytest.mark.parametrize("state", [task(HELLO), task(INVOKE, {"FunctionName": "hello"})])
def test_no_function_is_called_on_aws(state: dict[str, Any]) -> None:
    with pytest.raises(ProjectError) as refused:
        run(machine(state))
    message = str(refused.value)
    assert message.startswith(f"there is no task callable for the function 'hello' ({HELLO})")
    assert message.endswith("give stand-ins with tasks, or call AWS Lambda for them with aws=True.")


@pytest.mark.parametrize("aws", [False, True])
@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            task(ACTIVITY),
            f"the state 'Work' waits for a worker of the activity {ACTIVITY}, and here none can come",
        ),
        (task(ASK, TOKEN), f"the state 'Work' waits for its task token ({ASK}), and here nobody can send it back"),
    ],
)
def test_what_nobody_could_answer_needs_a_stand_in(state: dict[str, Any], message: str, aws: bool) -> None:
    with pytest.raises(ProjectError) as refused:
        run(machine(state), aws=aws)
    assert str(refused.value) == (
        f"{message}\nGive stand-ins with tasks, by the name of the state or of the resource."
    )


def test_everything_that_is_missing_is_told_at_once() -> None:
    states = {
        "Each": {"Type": "Parallel", "Branches": [machine(task(SEND, MESSAGE), "Send")], "Next": "Hello"},
        "Hello": {**task(HELLO, None), "Next": "Paint"},
        "Paint": task(ACTIVITY),
    }
    del states["Hello"]["End"]
    with pytest.raises(ProjectError) as refused:
        run({"StartAt": "Each", "States": states})
    for name in ("'Send' would call AWS", "function 'hello'", "'Paint' waits for a worker"):
        assert name in str(refused.value)


def test_what_a_branch_not_taken_calls_is_refused_too() -> None:
    states = {"Done": {"Type": "Succeed"}, "Send": task(SEND, MESSAGE)}
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.n", "IsNull": True, "Next": "Send"}],
        "Default": "Done",
    }
    with pytest.raises(ProjectError, match="the state 'Send' would call AWS"):
        run({"StartAt": "Which", "States": {"Which": choice, **states}}, {"n": 1})


# -- what stands for what -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        (SEND, "Work"),
        (SEND, SEND),
        (SEND, "sqs:sendMessage"),
        (ASK, "Work"),
        (ASK, ASK),
        (ASK, "sqs:sendMessage.waitForTaskToken"),
        (ASK, SEND),
        (ASK, "sqs:sendMessage"),
    ],
)
def test_a_service_has_a_stand_in(resource: str, key: str) -> None:
    result = run(machine(task(resource, MESSAGE)), {"n": 3}, tasks={key: same})
    assert result.output == {"QueueUrl": "q", "MessageBody": {"n": 3}}  # it is given the Parameters


@pytest.mark.parametrize("key", ["Work", ACTIVITY, "paint"])
def test_an_activity_has_a_stand_in(key: str) -> None:
    result = run(machine(task(ACTIVITY)), {"n": 3}, tasks={key: lambda event: event["n"] * 2})
    assert result.output == 6
    assert kinds(result)[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


def test_the_stand_in_of_an_activity_is_called_once_for_each_task() -> None:
    called: list[object] = []

    async def paint(event: object) -> str:
        called.append(event)
        for _ in range(20):  # the task is started meanwhile
            await asyncio.sleep(0)
        return "painted"

    assert run(machine(task(ACTIVITY)), {"n": 1}, tasks={"paint": paint}).output == "painted"
    assert called == [{"n": 1}]


def test_an_activity_may_fail_and_be_tried_again() -> None:
    def busy(_: Any, context: TaskContext) -> int:
        if context.attempt < 2:
            raise StatesError("Busy", "not now")
        return context.attempt

    state = task(ACTIVITY, Retry=[{"ErrorEquals": ["Busy"]}])
    assert run(machine(state), tasks={"paint": busy}).output == 2


def test_a_callback_is_answered_with_what_the_stand_in_returns() -> None:
    asked: list[Any] = []

    def manager(event: Any) -> Any:
        asked.append(event["MessageBody"]["token"])
        return {"approved": True}

    result = run(machine(task(ASK, TOKEN, TimeoutSeconds=60)), tasks={"sqs:sendMessage": manager})
    assert result.output == {"approved": True}
    assert len(asked[0]) > 20
    assert kinds(result)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


def test_a_callback_may_be_refused() -> None:
    class TooExpensive(Exception):
        pass

    def manager(_: Any) -> None:
        raise TooExpensive("no")

    result = run(machine(task(ASK, TOKEN)), tasks={"Work": manager})
    assert (result.status, result.error) == ("FAILED", "TooExpensive")
    assert kinds(result)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskFailed"]


def test_a_job_ends_with_what_the_stand_in_returns() -> None:
    result = run(
        machine(task(JOB, {"TaskDefinition": "t"})),
        tasks={"ecs:runTask.sync": lambda _: {"LastStatus": "STOPPED"}},
    )
    assert result.output == {"LastStatus": "STOPPED"}
    submitted = next(event for event in result.history if event["type"] == "TaskSubmitted")
    assert submitted["taskSubmittedEventDetails"]["resource"] == "runTask.sync"


def test_a_service_fails_by_the_name_that_it_has_on_aws() -> None:
    def throttled(_: Any) -> None:
        raise StatesError("SQS.AmazonSQSException", "slow down")

    state = task(SEND, MESSAGE, Catch=[{"ErrorEquals": ["SQS.AmazonSQSException"], "Next": "Later"}])
    del state["End"]
    definition = {
        "StartAt": "Work",
        "States": {"Work": {**state, "Next": "Later"}, "Later": {"Type": "Pass", "End": True}},
    }
    result = run(definition, {"n": 1}, tasks={"Work": throttled})
    assert result.output == {"Error": "SQS.AmazonSQSException", "Cause": "slow down"}


def test_an_http_api_has_a_stand_in() -> None:
    result = run(
        machine(task("arn:aws:states:::http:invoke", HTTP)), tasks={"http:invoke": lambda _: {"StatusCode": 200}}
    )
    assert result.output == {"StatusCode": 200}


def test_a_state_machine_has_a_stand_in() -> None:
    done = {"Status": "SUCCEEDED", "Output": {"n": 1}}
    state = task(f"{START}.sync:2", {"StateMachineArn": OTHER, "Input": {}})
    assert run(machine(state), tasks={"states:startExecution.sync:2": lambda _: done}).output == done


def test_async_stand_ins_and_those_that_take_a_context() -> None:
    async def answer(_: Any, context: TaskContext) -> Any:
        return [context.state_name, context.attempt, context.function_name]

    assert run(machine(task(SEND, MESSAGE)), {"n": 1}, tasks={SEND: answer}).output == ["Work", 0, SEND]


def test_stand_ins_are_the_children_s_of_a_distributed_map_too() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        **machine(task(SEND, MESSAGE)),
    }
    each = {"Type": "Map", "ItemProcessor": processor, "End": True}
    result = run(
        machine(each, "Each"), [{"n": 1}, {"n": 2}], tasks={"Work": lambda event: event["MessageBody"]["n"]}
    )
    assert result.output == [1, 2]


def named(name: str) -> Callable[[Any], str]:
    return lambda _: name


@pytest.mark.parametrize(
    ("work", "keys"),
    [
        (
            task(ASK, {"QueueUrl": "q", "MessageBody": "hi"}),
            ["Work", ASK, "sqs:sendMessage.waitForTaskToken", SEND, "sqs:sendMessage"],
        ),
        (task(ACTIVITY), ["Work", ACTIVITY, "paint"]),
        (
            task(f"{HELLO}:live"),
            ["Work", f"{HELLO}:live", HELLO, "hello:live", "HEL-LO:live", "hello", "Hello"],
        ),
    ],
)
def test_the_closest_key_counts(work: dict[str, Any], keys: list[str]) -> None:
    """Of two that fit, the wider one would never be called."""
    for first, second in pairwise(keys):
        with pytest.raises(ProjectError) as refused:
            run(machine(work), tasks={second: named(second), first: named(first)})
        assert f"{first!r} and {second!r} stand for the same task, Work, and {first!r} counts" in str(
            refused.value
        )
        assert run(machine(work), tasks={first: named(first)}).output == first


def test_a_closer_key_leaves_the_others_to_the_wider_one() -> None:
    states = {"Work": {**task(SEND, MESSAGE, ResultPath="$.first"), "Next": "Again"}, "Again": task(SEND, MESSAGE)}
    del states["Work"]["End"]
    given = {"sqs:sendMessage": named("any"), "Work": named("one")}
    result = run({"StartAt": "Work", "States": states}, {"n": 1}, tasks=given)
    outputs = [
        event["taskSucceededEventDetails"]["output"]
        for event in result.history
        if event["type"] == "TaskSucceeded"
    ]
    assert outputs == ['"one"', '"any"']


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "Wrok",
            "the definition has no task, function or resource 'Wrok'; did you mean 'Work'? (there are 'Work'",
        ),
        ("sqs:sendMesage", "did you mean 'sqs:sendMessage'?"),
        ("sqs:sendMessage.sync", "the definition has no task, function or resource 'sqs:sendMessage.sync'"),
        ("Rest", "tasks: 'Rest' is a Wait state; only Task states have stand-ins"),
    ],
)
def test_a_key_that_nothing_goes_by_is_refused(key: str, message: str) -> None:
    rest = {"Type": "Wait", "Seconds": 1, "Next": "Work"}
    definition = {"StartAt": "Rest", "States": {"Rest": rest, "Work": task(SEND, MESSAGE)}}
    with pytest.raises(ProjectError) as refused:
        run(definition, {"n": 1}, tasks={key: same})
    assert message in str(refused.value)


@pytest.mark.parametrize("resource", [HELLO, "arn:aws:lambda:region:account:function:hello"])
@pytest.mark.parametrize("key", [HELLO, "arn:aws:lambda:region:account:function:hello", "hello", "Hello"])
def test_placeholders_in_an_arn_are_the_project_s_own_region_and_account(resource: str, key: str) -> None:
    assert run(machine(task(resource)), tasks={key: named("called")}).output == "called"
    elsewhere = "arn:aws:lambda:eu-west-1:123456789012:function:hello"
    with pytest.raises(ProjectError, match="the definition has no task, function or resource 'arn:aws:lambda:eu"):
        run(machine(task(resource)), tasks={elsewhere: same})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([same], "tasks is of type list: give a mapping from names to callables"),
        ({5: same}, "tasks: the key 5 is of type int: a key is a name"),
        ({"Work": {"n": 1}}, "the task 'Work' cannot be called: {'n': 1} is not a callable object"),
    ],
)
def test_what_no_stand_in_is(given: Any, message: str) -> None:
    with pytest.raises(AslError) as refused:
        run(machine(task(SEND, MESSAGE)), {"n": 1}, tasks=given)
    assert message in str(refused.value)


# -- Lambda's integration -----------------------------------------------------------------------------

ALIAS = f"{HELLO}:live"


@pytest.mark.parametrize("function", ["hello", "hello:live", "123456789012:function:hello", HELLO, ALIAS])
@pytest.mark.parametrize("key", ["hello", "HELLO", "function:hello", "123456789012:function:hello", HELLO])
def test_a_function_is_called_however_it_is_named(function: str, key: str) -> None:
    state = task(INVOKE, {"FunctionName": function, "Payload": {"n.$": "$.n"}}, OutputPath="$.Payload")
    assert run(machine(state), {"n": 2}, tasks={key: lambda event: event["n"] * 2}).output == 4


@pytest.mark.parametrize("key", ["hello:live", "123456789012:function:hello:live", ALIAS])
@pytest.mark.parametrize("named", [{"FunctionName": "hello:live"}, {"FunctionName": "hello", "Qualifier": "live"}])
def test_a_stand_in_may_be_for_one_version_or_alias(key: str, named: dict[str, str]) -> None:
    state = task(INVOKE, named, OutputPath="$.Payload")
    assert run(machine(state), tasks={key: lambda _: "live"}).output == "live"
    with pytest.raises(ProjectError, match="the definition has no task, function or resource"):
        run(machine(task(INVOKE, {"FunctionName": "hello:dev"})), tasks={key: same})


@pytest.mark.parametrize(
    "state",
    [
        task(INVOKE, {"FunctionName.$": "$.which", "Payload.$": "$"}),
        {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": INVOKE,
            "Arguments": {"FunctionName": "{% $states.input.which %}", "Payload": "{% $states.input %}"},
            "End": True,
        },
        {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": INVOKE,
            "Arguments": "{% {'FunctionName': $states.input.which, 'Payload': $states.input} %}",
            "End": True,
        },
    ],
    ids=["a path", "an expression", "an expression for all"],
)
def test_the_name_of_a_function_may_be_computed(state: dict[str, Any]) -> None:
    given = {"hello": lambda _: "hello", "bye": lambda _: "bye"}
    for which in ("hello", "bye", f"{HELLO}:2"):
        output = run(machine(state), {"which": which}, tasks=given).output
        assert output["Payload"] == ("bye" if which == "bye" else "hello")
    caught = {**state, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Work"}]}
    with pytest.raises(ProjectError) as refused:  # the test would not see what the machine has caught
        run(machine(caught), {"which": "helo"}, tasks=given)
    assert "there is no task callable for the function 'helo'" in str(refused.value)


def test_a_function_fails_as_on_aws() -> None:
    def broken(_: Any) -> None:
        raise ValueError("so")

    result = run(machine(task(INVOKE, {"FunctionName": "hello"})), tasks={"hello": broken})
    assert result.error == "ValueError"
    assert json.loads(result.cause or "")["errorMessage"] == "so"


def test_a_stand_in_for_the_task_has_the_request_and_one_for_the_function_its_payload() -> None:
    parameters = {"FunctionName": "hello", "Payload": {"n": 1}}
    assert run(machine(task(INVOKE, parameters)), tasks={"Work": same}).output == parameters
    assert run(machine(task(INVOKE, parameters)), tasks={"lambda:invoke": same}).output == parameters
    assert run(machine(task(INVOKE, parameters)), tasks={"hello": same}).output["Payload"] == {"n": 1}
    # A name that both have stands for the function.
    assert run(machine(task(INVOKE, parameters), "hello"), tasks={"hello": same}).output["Payload"] == {"n": 1}


@pytest.mark.parametrize("kind", [{}, {"InvocationType": "Event"}])
def test_a_function_that_is_asked_for_a_callback(kind: dict[str, str]) -> None:
    parameters = {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}, **kind}
    answer = run(machine(task(f"{INVOKE}.waitForTaskToken", parameters)), tasks={"ask": lambda e: [*e]})
    assert answer.output == ["token"]
    computed = task(f"{INVOKE}.waitForTaskToken", {"FunctionName.$": "$.f"})
    assert run(machine(computed), {"f": "ask"}, tasks={"ask": lambda _: "yes"}).output == "yes"
    with pytest.raises(ProjectError, match="waits for its task token"):
        run(machine(computed), {"f": "no"}, tasks={"ask": same})


# -- state machines of the project --------------------------------------------------------------------


def inner(name: str) -> str:
    return f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose machine starts another one, which sends a message."""
    folder = tmp_path / "statemachines"
    folder.mkdir()
    start = task(f"{START}.sync:2", {"StateMachineArn": inner("inner"), "Input": {"n": 4}}, OutputPath="$.Output")
    (folder / "outer.json").write_text(json.dumps(machine(start, "Start")))
    (folder / "inner.json").write_text(json.dumps(machine(task(SEND, MESSAGE), "Send")))
    computed = task(f"{START}.sync:2", {"StateMachineArn.$": "$.arn", "Input": {"n": 4}}, OutputPath="$.Output")
    (folder / "computed.json").write_text(json.dumps(machine(computed, "Start")))
    return tmp_path


def test_a_machine_of_the_project_is_run(project: Path) -> None:
    result = run(project / "statemachines" / "outer.json", tasks={"Send": lambda event: event["MessageBody"]})
    assert result.output == {"n": 4}


def test_what_it_calls_is_refused_as_well(project: Path) -> None:
    with pytest.raises(ProjectError, match="the state 'Send' would call AWS"):
        run(project / "statemachines" / "outer.json")


def test_a_machine_that_is_computed(project: Path) -> None:
    definition = project / "statemachines" / "computed.json"
    with pytest.raises(ProjectError, match=r"the state 'Start' would start the state machine .*:gone, which"):
        run(definition, {"arn": inner("gone")})
    with pytest.raises(ProjectError, match="the state 'Send' would call AWS"):
        run(definition, {"arn": inner("inner")})


def test_a_machine_that_starts_itself(project: Path) -> None:
    loop = task(START, {"StateMachineArn": inner("loop")})
    (project / "statemachines" / "loop.json").write_text(json.dumps(machine(loop)))
    assert run(project / "statemachines" / "loop.json", tasks={"Work": named("once")}).output == "once"
    with pytest.raises(ProjectError, match="the definition has no task"):  # its tasks are read, and only once
        run(project / "statemachines" / "loop.json", tasks={"Wrok": same})


# -- data in S3 ---------------------------------------------------------------------------------------


def test_no_bucket_is_read_without_a_folder(project: Path) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "data", "Key": "items.json"},
    }
    done = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    each = {
        "Type": "Map",
        "ItemReader": reader,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **done},
        "End": True,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    }
    definition = {"StartAt": "Each", "States": {"Each": each, "Caught": {"Type": "Pass", "End": True}}}
    with pytest.raises(ProjectError) as refused:
        run(definition, project=project)
    assert str(refused.value).startswith("the bucket data has no folder, and S3 is not to be called")
    (project / "asl.toml").write_text('buckets = { data = "data" }')
    (project / "data").mkdir()
    (project / "data" / "items.json").write_text("[1, 2]")
    assert run(definition, project=project).output == [1, 2]


@pytest.mark.parametrize(
    "fields",
    [
        {
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:listObjectsV2",
                "Parameters": {"Bucket": "data", "Prefix": "in/"},
            }
        },
        {
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket": "data", "Prefix": "out"},
            }
        },
    ],
    ids=["a listing", "results"],
)
def test_no_bucket_is_listed_or_written_without_a_folder(fields: dict[str, Any]) -> None:
    done = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **done}
    each = {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}
    with pytest.raises(ProjectError, match="the bucket data has no folder, and S3 is not to be called"):
        run(machine(each, "Each"), [1, 2])


# -- what is allowed ----------------------------------------------------------------------------------


def test_aws_is_called_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    monkeypatch.setattr(AwsClients, "get", lambda _, service, *__: {"sqs": sqs, "lambda": functions}[service])
    sent = {"MessageId": "m-1", "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}
    body = {"StatusCode": 200, "Payload": io.BytesIO(b'{"n": 9}')}
    states = {"Hello": {**task(HELLO), "Next": "Work"}, "Work": task(SEND, MESSAGE)}
    del states["Hello"]["End"]
    with Stubber(sqs) as messages, Stubber(functions) as invocations:
        invocations.add_response(
            "invoke", body, {"FunctionName": HELLO, "InvocationType": "RequestResponse", "Payload": b"{}"}
        )
        messages.add_response("send_message", sent, {"QueueUrl": "q", "MessageBody": '{"n":9}'})
        result = run({"StartAt": "Hello", "States": states}, aws=True)
    assert result.output["MessageId"] == "m-1"


def test_a_stand_in_comes_first_all_the_same() -> None:
    assert run(machine(task(SEND, MESSAGE)), {"n": 1}, tasks={"Work": named("given")}, aws=True).output == "given"
