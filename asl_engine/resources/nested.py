"""``states:startExecution``: executions that a task starts, here or on AWS.

"Start a new AWS Step Functions state machine" in the Developer Guide.  With ``.sync`` the result is
DescribeExecution's answer for the ended execution, with input and output as text; with ``.sync:2`` as JSON.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from asl_engine.errors import StatesError
from asl_engine.json_text import dumps, loads
from asl_engine.payload import Payload
from asl_engine.resources.cancelling import given_up
from asl_engine.resources.python.tasks import request_id
from asl_engine.resources.request_fields import JSON_TEXT, STRING, RequestField, checked_parameters, field_faults
from asl_engine.resources.trace_context import read_trace

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.aws.clients import AwsClients

__all__ = ["Executions", "Refused", "execution_faults", "nested_resource", "own_api_resource"]

FIELDS = {
    "StateMachineArn": RequestField(STRING, required=True),
    "Name": RequestField(STRING),
    "Input": RequestField(JSON_TEXT),
    "TraceHeader": RequestField(STRING),
}
TIMES = frozenset({"startDate", "stopDate", "redriveDate"})


class Refused(Exception):
    """An operation returned an error: ``code`` is the name of its shape."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status


class Executions(Protocol):
    """State machines that run in this process.

    ``whole`` means that every operation of Step Functions is answered, not only those on executions.
    """

    whole: bool

    def serves(self, machine: str) -> bool:
        """Whether the state machine with this ARN runs here."""
        ...

    async def ask(self, operation: str, data: dict[str, Json], call: TaskCall) -> dict[str, Any]:
        """An operation's answer, times in seconds.  Raises ``Refused``.

        An execution that the same task started before a crash is returned again.
        """
        ...

    async def ended(self, execution: str) -> None:
        """Return when the execution has ended."""
        ...


def nested_resource(pattern: str, executions: Executions | None, clients: AwsClients) -> Direct:
    """``states:startExecution``; ``pattern`` is "", ``.sync`` or ``.sync:2``."""

    async def start_execution(call: TaskCall) -> Payload:
        request = _request(call)
        machine = request["stateMachineArn"]
        here = executions if executions is not None and executions.serves(str(machine)) else None
        submitted = call.submitted
        if submitted is None:
            submitted = await (_start_there(clients, call) if here is None else _start_here(here, request, call))
            if not pattern:
                return submitted
            await call.submit(submitted)
        if here is None:
            described = await _follow_there(clients, submitted.value, call)
        else:
            described = await _follow_here(here, submitted.value, call)
        return _result(described, pattern)

    return start_execution


def _request(call: TaskCall) -> dict[str, Json]:
    """StartExecution's request.  An omitted name is derived from the task, so a repeated attempt reuses it."""
    parameters = checked_parameters(call.input.value, execution_faults)
    request: dict[str, Json] = {"name": request_id(call.key)}
    for key, value in parameters.items():
        if value is not None:
            request[_member(key)] = value if isinstance(value, str) else dumps(value)
    parent = read_trace(call.trace_parent)
    if parent is not None:  # the other execution is of the same trace
        request.setdefault("traceHeader", parent.xray)
    return request


def execution_faults(parameters: dict[str, Any]) -> list[str]:
    """What is wrong with the parameters, of which parts may be ``UNKNOWN``."""
    return [*field_faults(parameters, FIELDS)]


def _member(field: str) -> str:
    return field[:1].lower() + field[1:]


# -- here -----------------------------------------------------------------------------------------------


async def _start_here(executions: Executions, request: dict[str, Json], call: TaskCall) -> Payload:
    answer = _shown(await _asked(executions, "StartExecution", request, call))
    identifier = str(uuid4())
    headers = {
        "x-amzn-RequestId": identifier,
        "Content-Length": str(len(dumps(answer))),
        "Date": formatdate(usegmt=True),
        "Content-Type": "application/x-amz-json-1.0",
    }
    metadata: Json = {
        "AllHttpHeaders": {name: [value] for name, value in headers.items()},
        "HttpHeaders": dict(sorted(headers.items(), key=lambda header: header[0].lower())),
        "HttpStatusCode": 200,
    }
    told: dict[str, Json] = {
        **answer,
        "SdkHttpMetadata": metadata,
        "SdkResponseMetadata": {"RequestId": identifier},
    }
    return Payload(dict(sorted(told.items())))


async def _asked(executions: Executions, operation: str, data: dict[str, Json], call: TaskCall) -> dict[str, Any]:
    try:
        return await executions.ask(operation, data, call)
    except Refused as refused:
        name = refused.code if refused.code.endswith("Exception") else f"{refused.code}Exception"
        facts = (
            f"Service: AWSStepFunctions; Status Code: {refused.status}; Error Code: {refused.code}; "
            f"Request ID: {uuid4()}; Proxy: null"
        )
        raise StatesError(f"StepFunctions.{name}", f"{refused.message} ({facts})") from refused


async def _follow_here(executions: Executions, started: Json, call: TaskCall) -> dict[str, Json]:
    arn: Any = started["ExecutionArn"] if isinstance(started, dict) else None
    try:
        with call.idle():  # the other execution decides whether time is skipped
            await executions.ended(arn)
    except asyncio.CancelledError as cancelled:
        if given_up(cancelled):
            with suppress(StatesError):  # it may have ended meanwhile
                await _asked(executions, "StopExecution", {"executionArn": arn}, call)
        raise
    described = _shown(await _asked(executions, "DescribeExecution", {"executionArn": arn}, call))
    if described["Status"] != "SUCCEEDED":
        raise StatesError("States.TaskFailed", dumps(described))
    return described


def _shown(answer: dict[str, Any]) -> dict[str, Json]:
    """The answer as an optimised integration gives it: capitalised fields, in order; times in milliseconds."""
    shown: dict[str, Json] = {}
    for name in sorted(answer):
        value = answer[name]
        if name in TIMES:
            value = round(value * 1000)
        elif isinstance(value, dict):
            value = _shown(value)
        shown[name[0].upper() + name[1:]] = value
    return shown


def _result(described: dict[str, Json], pattern: str) -> Payload:
    if pattern != ".sync:2":
        return Payload(described)
    texts = {name: described[name] for name in ("Input", "Output") if name in described}
    return Payload({**described, **{name: loads(str(text)) for name, text in texts.items()}})


# -- at AWS, or wherever its SDK leads -------------------------------------------------------------------


async def _start_there(clients: AwsClients, call: TaskCall) -> Payload:
    from asl_engine.resources.aws.calling import call_operation

    request = _request(call)
    parameters = {field: request[_member(field)] for field in FIELDS if _member(field) in request}
    answer = await call_operation(clients, _operation(), parameters, call)
    return Payload(dict(sorted({**answer.result, **answer.metadata}.items())))


async def _follow_there(clients: AwsClients, started: Json, call: TaskCall) -> dict[str, Json]:
    from asl_engine.resources.aws.jobs import follow
    from asl_engine.resources.aws.optimised import EXECUTION

    described: Any = (await follow(EXECUTION, _operation(), started, clients, call)).value
    return dict(described)


def _operation() -> Any:
    from asl_engine.resources.aws.calling import Operation
    from asl_engine.resources.aws.optimised import FAMILIES
    from asl_engine.resources.aws.shapes import OPTIMISED

    return Operation("stepfunctions", "StartExecution", OPTIMISED, FAMILIES["stepfunctions"])


# -- aws-sdk:sfn:... -------------------------------------------------------------------------------------


def own_api_resource(operation: str, executions: Executions) -> Direct:
    """``aws-sdk:sfn:<action>``, answered by the server that runs the task."""
    from asl_engine.resources.aws.failures import refused, sdk_family
    from asl_engine.resources.aws.names import service_model
    from asl_engine.resources.aws.requests import read_request, unfit
    from asl_engine.resources.aws.shapes import SDK, to_result

    model = service_model("stepfunctions")
    shapes = model.operation_model(operation)

    async def call_own_api(call: TaskCall) -> Payload:
        request, faults = read_request(shapes.input_shape, call.input.value, SDK, tokens=True)
        if faults:
            raise unfit(call.input.value, faults, model, sdk_family(model))
        try:
            with call.idle():  # StartSyncExecution waits for another execution
                answer = await executions.ask(operation, request, call)
        except Refused as error:
            told = {"Code": error.code, "Message": error.message}
            raise refused(told, {"HTTPStatusCode": error.status}, model, sdk_family(model)) from error
        return Payload(to_result(shapes.output_shape, answer, SDK))

    return call_own_api
