"""Every member of every operation, held against botocore's service model with values that it forbids.

What is refused has to be refused as the model declares it, and what is answered has the shape that it declares.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.server.operations import activities
from asl_engine.server.operations.table import OPERATIONS
from tests.server.botocore_model import service_model
from tests.server.harness import FAIL, PASS, PATIENCE_SECONDS, TARGET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.server.harness import Server

    Data = dict[str, Any]

ROLE = "arn:aws:iam::123456789012:role/states"
# Beside the errors that an operation declares.
COMMON = {"SerializationException": 400, "ValidationException": 400}
OWN = "arn:aws:states:us-east-1:123456789012"
LOG_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:g:*"


class Caller:
    """Asks one server, over one connection."""

    def __init__(self, server: Server) -> None:
        self.connection = HTTPConnection(server.host, server.port, timeout=PATIENCE_SECONDS)

    def ask(self, operation: str, data: object) -> tuple[int, Any]:
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET + operation}
        self.connection.request("POST", "/", json.dumps(data), headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def done(self, operation: str, **data: Any) -> Any:
        """The answer to what has to succeed."""
        status, body = self.ask(operation, data)
        assert status == 200, (operation, data, body)
        return body


# -- requests that are sound ------------------------------------------------------------------------


def a_machine(caller: Caller, name: str, definition: Any = None, **more: Any) -> str:
    text = json.dumps(PASS if definition is None else definition)
    arn: str = caller.done("CreateStateMachine", name=name, definition=text, roleArn=ROLE, **more)[
        "stateMachineArn"
    ]
    return arn


def a_version(caller: Caller, name: str) -> str:
    arn: str = caller.done("PublishStateMachineVersion", stateMachineArn=a_machine(caller, name))[
        "stateMachineVersionArn"
    ]
    return arn


def an_alias(caller: Caller, name: str) -> str:
    routing = [{"stateMachineVersionArn": a_version(caller, name), "weight": 100}]
    arn: str = caller.done("CreateStateMachineAlias", name="live", routingConfiguration=routing)[
        "stateMachineAliasArn"
    ]
    return arn


def an_activity(caller: Caller, name: str) -> str:
    arn: str = caller.done("CreateActivity", name=name)["activityArn"]
    return arn


def an_execution(caller: Caller, name: str) -> str:
    arn: str = caller.done("StartExecution", stateMachineArn=a_machine(caller, name))["executionArn"]
    return arn


def a_failure(caller: Caller, name: str) -> str:
    arn: str = caller.done("StartExecution", stateMachineArn=a_machine(caller, name, FAIL))["executionArn"]
    return arn


def work_for(caller: Caller, name: str) -> str:
    """The activity of a task that waits for a worker."""
    activity = an_activity(caller, name)
    states = {"T": {"Type": "Task", "Resource": activity, "End": True}}
    caller.done("StartExecution", stateMachineArn=a_machine(caller, name, {"StartAt": "T", "States": states}))
    return activity


def a_task(caller: Caller, name: str) -> str:
    token: str = caller.done("GetActivityTask", activityArn=work_for(caller, name))["taskToken"]
    return token


def a_map_run(caller: Caller, name: str) -> str:
    """One whose only child waits for a worker."""
    activity = an_activity(caller, name)
    child = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **child}
    states = {"M": {"Type": "Map", "ItemProcessor": processor, "End": True}}
    machine = a_machine(caller, name, {"StartAt": "M", "States": states})
    execution = caller.done("StartExecution", stateMachineArn=machine, input="[1]")["executionArn"]
    caller.done("GetActivityTask", activityArn=activity)
    arn: str = caller.done("ListMapRuns", executionArn=execution)["mapRuns"][0]["mapRunArn"]
    return arn


TAGS = [{"key": "k", "value": "v"}]
TRACE = {"result": "{}", "errorOutput": None, "fieldValidationMode": "NONE"}
CONFIGURATIONS = {
    "loggingConfiguration": {
        "level": "ALL",
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": LOG_GROUP}}],
    },
    "tracingConfiguration": {"enabled": True},
    "encryptionConfiguration": {
        "type": "CUSTOMER_MANAGED_KMS_KEY",
        "kmsKeyId": "alias/k",
        "kmsDataKeyReusePeriodSeconds": 60,
    },
}
# Every member that a request can sensibly have, so that each of them is reached.
SOUND: dict[str, Callable[[Caller, str], Data]] = {
    "CreateActivity": lambda _, name: {
        "name": name,
        "tags": TAGS,
        "encryptionConfiguration": CONFIGURATIONS["encryptionConfiguration"],
    },
    "CreateStateMachine": lambda _, name: {
        "name": name,
        "definition": json.dumps(PASS),
        "roleArn": ROLE,
        "type": "STANDARD",
        "tags": TAGS,
        "publish": True,
        "versionDescription": "d",
        **CONFIGURATIONS,
    },
    "CreateStateMachineAlias": lambda caller, name: {
        "name": "live",
        "description": "d",
        "routingConfiguration": [{"stateMachineVersionArn": a_version(caller, name), "weight": 100}],
    },
    "DeleteActivity": lambda caller, name: {"activityArn": an_activity(caller, name)},
    "DeleteStateMachine": lambda caller, name: {"stateMachineArn": a_machine(caller, name)},
    "DeleteStateMachineAlias": lambda caller, name: {"stateMachineAliasArn": an_alias(caller, name)},
    "DeleteStateMachineVersion": lambda caller, name: {"stateMachineVersionArn": a_version(caller, name)},
    "DescribeActivity": lambda caller, name: {"activityArn": an_activity(caller, name)},
    "DescribeExecution": lambda caller, name: {
        "executionArn": an_execution(caller, name),
        "includedData": "ALL_DATA",
    },
    "DescribeMapRun": lambda caller, name: {"mapRunArn": a_map_run(caller, name)},
    "DescribeStateMachine": lambda caller, name: {
        "stateMachineArn": a_machine(caller, name),
        "includedData": "ALL_DATA",
    },
    "DescribeStateMachineAlias": lambda caller, name: {"stateMachineAliasArn": an_alias(caller, name)},
    "DescribeStateMachineForExecution": lambda caller, name: {
        "executionArn": an_execution(caller, name),
        "includedData": "ALL_DATA",
    },
    "GetActivityTask": lambda caller, name: {"activityArn": work_for(caller, name), "workerName": "w"},
    "GetExecutionHistory": lambda caller, name: {
        "executionArn": an_execution(caller, name),
        "maxResults": 10,
        "reverseOrder": True,
        "includeExecutionData": True,
    },
    "ListActivities": lambda *_: {"maxResults": 10},
    "ListExecutions": lambda caller, name: {
        "stateMachineArn": a_machine(caller, name),
        "statusFilter": "RUNNING",
        "maxResults": 10,
    },
    "ListMapRuns": lambda caller, name: {"executionArn": an_execution(caller, name), "maxResults": 10},
    "ListStateMachineAliases": lambda caller, name: {"stateMachineArn": a_machine(caller, name), "maxResults": 10},
    "ListStateMachineVersions": lambda caller, name: {
        "stateMachineArn": a_machine(caller, name),
        "maxResults": 10,
    },
    "ListStateMachines": lambda *_: {"maxResults": 10},
    "ListTagsForResource": lambda caller, name: {"resourceArn": a_machine(caller, name)},
    "PublishStateMachineVersion": lambda caller, name: {
        "stateMachineArn": a_machine(caller, name),
        "revisionId": "INITIAL",
        "description": "d",
    },
    "RedriveExecution": lambda caller, name: {"executionArn": a_failure(caller, name), "clientToken": "t"},
    "SendTaskFailure": lambda caller, name: {"taskToken": a_task(caller, name), "error": "E", "cause": "c"},
    "SendTaskHeartbeat": lambda caller, name: {"taskToken": a_task(caller, name)},
    "SendTaskSuccess": lambda caller, name: {"taskToken": a_task(caller, name), "output": "{}"},
    "StartExecution": lambda caller, name: {
        "stateMachineArn": a_machine(caller, name),
        "name": "e",
        "input": "{}",
        "traceHeader": "t",
    },
    "StartSyncExecution": lambda caller, name: {
        "stateMachineArn": a_machine(caller, name, type="EXPRESS"),
        "name": "e",
        "input": "{}",
        "traceHeader": "t",
        "includedData": "ALL_DATA",
    },
    "StopExecution": lambda caller, name: {"executionArn": an_execution(caller, name), "error": "E", "cause": "c"},
    "TagResource": lambda caller, name: {"resourceArn": a_machine(caller, name), "tags": TAGS},
    "TestState": lambda *_: {
        "definition": json.dumps({"Type": "Pass", "End": True}),
        "roleArn": ROLE,
        "input": "{}",
        "inspectionLevel": "TRACE",
        "revealSecrets": False,
        "variables": "{}",
    },
    "UntagResource": lambda caller, name: {"resourceArn": a_machine(caller, name), "tagKeys": ["k"]},
    "UpdateMapRun": lambda caller, name: {
        "mapRunArn": a_map_run(caller, name),
        "maxConcurrency": 1,
        "toleratedFailureCount": 1,
        "toleratedFailurePercentage": 1.5,
    },
    "UpdateStateMachine": lambda caller, name: {
        "stateMachineArn": a_machine(caller, name),
        "definition": json.dumps(PASS),
        "roleArn": ROLE,
        "publish": True,
        "versionDescription": "d",
        **CONFIGURATIONS,
    },
    "UpdateStateMachineAlias": lambda caller, name: {
        "stateMachineAliasArn": an_alias(caller, name),
        "description": "d",
        "routingConfiguration": [{"stateMachineVersionArn": f"{OWN}:stateMachine:{name}:1", "weight": 100}],
    },
    "ValidateStateMachineDefinition": lambda *_: {
        "definition": json.dumps(PASS),
        "type": "STANDARD",
        "severity": "WARNING",
        "maxResults": 10,
    },
}
# Members that no sound request has together with the others.
ELSEWHERE = {"mapRunArn", "redriveFilter", "nextToken", "mock", "context", "stateConfiguration", "stateName"}
ELSEWHERE_VALUES: dict[str, Any] = {
    "mock": TRACE,
    "stateConfiguration": {
        "retrierRetryCount": 0,
        "errorCausedByState": "S",
        "mapIterationFailureCount": 0,
        "mapItemReaderData": "[]",
    },
}


# -- values that nobody should send -----------------------------------------------------------------

ANYTHING: list[Any] = [None, True, 0, -1, 1.5, 2**70, 1e300, "", "x", [], {}, [None], {"x": {}}, [[]]]
TEXTS = [
    "\x00",
    "\x1f\x7f",
    "\ue000",
    "\U0001f600",
    "é" * 90,
    "a b",
    "../..",
    "%s{}",
    "\u2028",
    "$" * 5000,
    "#",
    "9" * 400,
]


def of_arn(arn: str) -> list[str]:
    """An ARN of something else, or of nothing."""
    kind, _, rest = arn.removeprefix(OWN + ":").partition(":")
    own = f"{OWN}:{kind}:"
    return [
        "arn",
        "arn:aws:states",
        ":" * 8,
        OWN + ":",
        own,
        own + ":",
        arn + ":",
        arn + ":1",
        arn + ":0",
        arn + ":-1",
        arn + ":" + "9" * 100,
        arn + ":live",
        arn + ":no such",
        arn + "::",
        arn + ":a:b:c",
        arn + "/",
        arn + "/label",
        arn + "/a/b:1",
        arn + "#",
        arn + "#Case",
        arn + "\x00",
        arn + "\n",
        arn.upper(),
        arn.replace("us-east-1", "eu-west-1"),
        arn.replace("us-east-1", ""),
        arn.replace("123456789012", "210987654321"),
        arn.replace("123456789012", ""),
        arn.replace("arn:aws:", "arn:aws-cn:"),
        arn.replace(":states:", ":lambda:"),
        *(
            f"{OWN}:{other}:{rest}"
            for other in ("activity", "execution", "express", "mapRun", "stateMachine", "x")
        ),
        f"{OWN}:express:{rest}:name:unique",
        f"{OWN}:mapRun:{rest}/label:unique",
    ]


def breaking(shape: Any) -> Iterator[Any]:
    """Values of the right JSON type that the shape's constraints forbid."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "string":
        if most is not None:
            yield "x" * (most + 1)
        if least:
            yield "x" * (least - 1)
        if shape.metadata.get("enum"):
            yield "x"
    elif shape.type_name in {"integer", "long", "float"}:
        yield from ([] if least is None else [least - 1]) + ([] if most is None else [most + 1])
    elif shape.type_name == "list":
        if least:
            yield []
        if most is not None:
            yield [{}] * (most + 1)


JSON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
}


def of_type(shape: Any, value: Any) -> bool:
    types = JSON_TYPES[shape.type_name]
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def members(shape: Any, data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any, bool, Any]]:
    """The place, the shape, whether it is required, and the sound value of each member, at any depth."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            value = (data or {}).get(name, ELSEWHERE_VALUES.get(name))
            yield (*path, name), member, name in shape.required_members, value
            yield from members(member, value, (*path, name))
    elif shape.type_name == "list" and data:
        yield (*path, 0), shape.member, False, data[0]  # AWS drops the nulls of a list
        yield from members(shape.member, data[0], (*path, 0))


def changed(data: Data, path: tuple[Any, ...], value: Any) -> Data:
    """The request with another value in one place."""
    copied = deepcopy(data)
    inner: Any = copied
    for step in path[:-1]:
        if isinstance(inner, dict) and inner.get(step) is None:
            inner[step] = deepcopy(ELSEWHERE_VALUES.get(step, {}))
        inner = inner[step]
    inner[path[-1]] = value
    return copied


def hostile(shape: Any, sound: Data) -> Iterator[tuple[Data, bool]]:
    """Requests, and whether the model forbids them."""
    yield {**sound, "colour": 1}, True
    for path, member, required, value in members(shape, sound):
        for other in ANYTHING:
            cut = isinstance(other, float) and member.type_name in {"integer", "long"}  # AWS cuts the fraction off
            forbidden = required if other is None else not (cut or of_type(member, other))
            yield changed(sound, path, other), forbidden
        for other in breaking(member):
            yield changed(sound, path, other), True
        if member.type_name == "structure" and value:
            yield changed(sound, (*path, "colour"), 1), True
        if member.type_name == "string":
            texts = TEXTS + (of_arn(value) if str(value).startswith(OWN) else [])
            for other in texts:
                yield changed(sound, path, other), False


# -- what may come back -------------------------------------------------------------------------------


def faults(shape: Any, value: Any, place: str = "") -> list[str]:
    """Where an answer has not the shape that the model declares."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{place}: no object"]
        found = [f"{place}.{name}: not declared" for name in value if name not in shape.members]
        found += [f"{place}.{name}: missing" for name in shape.required_members if value.get(name) is None]
        for name in value:
            if name in shape.members and value[name] is not None:
                found += faults(shape.members[name], value[name], f"{place}.{name}")
        return found
    if kind == "list":
        if not isinstance(value, list):
            return [f"{place}: no array"]
        return [fault for item in value for fault in faults(shape.member, item, place + "[]")]
    if kind == "timestamp":
        right = isinstance(value, int | float) and not isinstance(value, bool)
        return [] if right else [f"{place}: no number"]
    if not of_type(shape, value):
        return [f"{place}: {value!r} is no {kind}"]
    enum = shape.metadata.get("enum")
    return [f"{place}: {value!r} is none of {enum}"] if enum and value not in enum else []


def judged(operation: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer, whatever was asked."""
    model = service_model().operation_model(operation)
    if status == 200:
        return [] if model.output_shape is None else faults(model.output_shape, body)
    declared = {shape.name: shape for shape in model.error_shapes}
    code = body.get("__type")
    shape = declared.get(code)
    if shape is None:
        return [] if COMMON.get(code) == status else [f"{status} {code} is not declared"]
    documented = re.search(r"HTTP Status Code: (\d+)", shape.documentation)
    expected = int(documented[1]) if documented else 400
    wrong = [] if status == expected else [f"{code} with status {status}, not {expected}"]
    return wrong + faults(shape, {name: value for name, value in body.items() if name != "__type"})


@pytest.mark.parametrize("operation", sorted(SOUND))
def test_every_member_of(
    operation: str, server: Server, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(activities, "POLL_SECONDS", 0.001)
    caller = Caller(server)
    sound = SOUND[operation](caller, name)
    wrong = []
    for data, forbidden in hostile(service_model().operation_model(operation).input_shape, sound):
        status, body = caller.ask(operation, data)
        wrong += [(data, fault, body) for fault in judged(operation, status, body)]
        if forbidden and status == 200:
            wrong.append((data, "accepted", body))
    caller.connection.close()
    assert not wrong, wrong[:5]
    assert not caplog.records


def test_every_operation_has_a_sound_request() -> None:
    assert SOUND.keys() == OPERATIONS.keys()
