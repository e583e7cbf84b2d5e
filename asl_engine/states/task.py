"""Task: a resource does the work.  Specification: "Task State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from asl_engine.arn import Arn, integration_name, is_activity, is_submitted, parse_arn
from asl_engine.core.events import TaskScheduled, TaskScheduleFailed, TaskStarted
from asl_engine.core.state import State
from asl_engine.errors import QueryFailure
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING
from asl_engine.states.credentials import Credentials, compile_credentials
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.fields import ANY, COMPUTED, MAX_SECONDS, NULLABLE_PATH, OBJECT, TEXT, integer, required
from asl_engine.states.path_numbers import integer_of
from asl_engine.states.recovery import Recovery, recover
from asl_engine.states.recovery_fields import RECOVERY_FIELDS, compile_recovery
from asl_engine.states.state import (
    ASSIGN_FIELDS,
    COMMON_FIELDS,
    INPUT_OUTPUT_FIELDS,
    OUTPUT_FIELDS,
    TRANSITION_FIELDS,
    StateType,
)

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.expressions.jsonata import JsonataTemplate
    from asl_engine.expressions.jsonpath.path import Path
    from asl_engine.states.compiling import Compiling

__all__ = ["TYPE", "Task"]

FIELDS = {
    **COMMON_FIELDS,
    **INPUT_OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **ASSIGN_FIELDS,
    **RECOVERY_FIELDS,
    "Resource": required(TEXT),
    "Parameters": ANY,
    "ResultSelector": ANY,
    "ResultPath": NULLABLE_PATH,
    "TimeoutSeconds": integer(1),
    "TimeoutSecondsPath": TEXT,
    "HeartbeatSeconds": integer(1),
    "HeartbeatSecondsPath": TEXT,
    "Credentials": OBJECT,
}


class Seconds(NamedTuple):
    """TimeoutSeconds or HeartbeatSeconds: a literal, or a path into the state's input."""

    field: str
    literal: int | None
    path: Path | None
    expression: JsonataTemplate | None = None

    def evaluate(self, decision: Decision, flow: DataFlow) -> int | None:
        if self.expression is not None:
            return self._expressed(decision, self.expression)
        if self.path is None:
            return self.literal
        value = self.path.find(decision.scope(flow.input(decision).value))
        if value is MISSING:
            raise decision.failure(
                f"The {self.field}Path parameter does not reference an input value: {self.path.text}"
            )
        seconds = integer_of(value)
        if seconds is None or seconds <= 0:
            raise decision.failure(
                f"The {self.field}Path parameter does not reference a positive integer: "
                f"{self.path.text} == {dumps(value)}"
            )
        return seconds

    def _expressed(self, decision: Decision, expression: JsonataTemplate) -> int:
        value = expression.evaluate(decision.bindings())
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_SECONDS:
            detail = f"The {self.field} field must be an integer from 1 to {MAX_SECONDS}, but was {dumps(value)}"
            raise QueryFailure(detail, self.field)
        return value


JSONATA_FIELDS = {
    **COMMON_FIELDS,
    **OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **RECOVERY_FIELDS,
    "Resource": required(TEXT),
    "Arguments": ANY,
    "TimeoutSeconds": COMPUTED,
    "HeartbeatSeconds": COMPUTED,
    "Credentials": OBJECT,
}


@dataclass(eq=False, repr=False)
class Task(State):
    type: ClassVar[str] = "Task"

    flow: DataFlow
    recovery: Recovery
    resource: str
    timeout: Seconds
    heartbeat: Seconds
    credentials: Credentials | None = None
    partition: str | None = None  # that of an integration; other resources say nothing of where they are called

    def __post_init__(self) -> None:
        self.takes_token = is_submitted(self.resource)

    def enter(self, decision: Decision) -> None:
        self._check_partition(decision)
        decision.let_time_pass()
        timeout = self.timeout.evaluate(decision, self.flow)
        heartbeat = self.heartbeat.evaluate(decision, self.flow)
        activity = is_activity(self.resource)
        arguments = decision.within_limit(self.flow.arguments(decision), of_activity=activity)
        if activity and not decision.activity_exists(self.resource):
            decision.emit(TaskScheduleFailed, "States.Runtime", f"Activity Does Not Exist: '{self.resource}'")
            return
        attempt = decision.frame.retry_count
        if self.credentials is None:
            decision.emit(TaskScheduled, self.resource, arguments, timeout, heartbeat, attempt)
        else:
            role = self.credentials.evaluate(decision, self.flow)
            decision.emit(TaskScheduled, self.resource, arguments, timeout, heartbeat, attempt, role)

    def _check_partition(self, decision: Decision) -> None:
        execution = decision.execution.identity.arn
        if self.partition is not None and not execution.startswith(f"arn:{self.partition}:"):
            raise decision.failure(
                "The resource belongs to a different partition from the running execution. "
                f"Expected '{Arn.of(execution).partition}', was '{self.partition}'."
            )

    def scheduled(self, decision: Decision) -> None:
        decision.emit(TaskStarted, decision.frame.work)

    def succeeded(self, decision: Decision) -> None:
        result = decision.frame.result
        assert result is not None  # noqa: S101  what phase SUCCEEDED means
        self.flow.exit(decision, result, self.next)

    def failed(self, decision: Decision, error: str | None, cause: str | None) -> None:
        recover(decision, self.recovery, error, cause)


def compile_task(compiling: Compiling) -> Task:
    resource: str = compiling.source["Resource"]
    arn = parse_arn(resource)
    if arn is None:
        compiling.report("Resource", "Expected an ARN, as in arn:aws:lambda:us-east-1:123456789012:function:name")
    timeout, heartbeat = (
        compile_seconds(compiling, "TimeoutSeconds"),
        compile_seconds(compiling, "HeartbeatSeconds"),
    )
    if (
        isinstance(timeout.literal, int)
        and isinstance(heartbeat.literal, int)
        and heartbeat.literal >= timeout.literal
    ):
        compiling.report("HeartbeatSeconds", "HeartbeatSeconds must be smaller than TimeoutSeconds")
    return Task(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling),
        recovery=compile_recovery(compiling),
        resource=resource,
        timeout=timeout,
        heartbeat=heartbeat,
        credentials=compile_credentials(compiling),
        partition=arn.partition if arn is not None and integration_name(resource) is not None else None,
    )


def compile_seconds(compiling: Compiling, field: str) -> Seconds:
    literal = compiling.source.get(field)
    if compiling.language == "JSONata":
        if compiling.is_expression(literal):
            return Seconds(field, None, None, compiling.expression(field, literal, "number"))
        compiling.check(field, literal, integer(1))
    compiling.only_one_of(field, f"{field}Path")
    return Seconds(field, literal, compiling.path(f"{field}Path"))


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_task)
