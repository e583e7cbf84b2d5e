"""The outcome of a state under test, as TestState reports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from asl_engine.core import events as ev
from asl_engine.json_text import dumps
from asl_engine.limits import cut
from asl_engine.payload import Payload
from asl_engine.projections.descriptions import present

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.core.execution import Execution
    from asl_engine.inspection.observed import Observation
    from asl_engine.json_values import Json

__all__ = ["HTTP", "Level", "Status", "Verdict", "to_answer", "verdict_of"]

# The members that only TRACE shows.
HTTP: Final = frozenset({"request", "response"})

Status: TypeAlias = Literal["SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"]
Level: TypeAlias = Literal["INFO", "DEBUG", "TRACE"]


class Verdict(NamedTuple):
    """``data`` are the members of InspectionData, JSON as text."""

    status: Status
    output: str | None
    error: str | None
    cause: str | None
    next: str | None
    data: dict[str, Any]


def verdict_of(
    execution: Execution, events: Sequence[ev.Event], record: Observation, variables: Mapping[str, Json]
) -> Verdict:
    """The verdict on a trial whose events these are; ``variables`` were there before."""
    stages = {name: value.text if isinstance(value, Payload) else value for name, value in record.stages.items()}
    data: dict[str, Any] = {"input": execution.input and execution.input.text, **stages, **record.exchange}
    exited = next((event for event in events if isinstance(event, ev.StateExited)), None)
    retry = next((event for event in events if isinstance(event, ev.RetryScheduled)), None)
    if exited is not None and exited.assigned is not None:
        assigned: Any = exited.assigned.value
        variables = {**variables, **assigned}
    if variables:
        data["variables"] = dumps(dict(variables))
    if exited is not None and record.caught_by is None:
        return Verdict("SUCCEEDED", exited.output.text, None, None, exited.next, data)
    used_up = present(retryIndex=record.used_up)  # recorded from AWS
    if exited is not None:
        data["errorDetails"] = {"catchIndex": record.caught_by, **used_up}
        if "afterInputPath" in data:  # a JSONPath state (recorded from AWS)
            data["afterResultPath"] = exited.output.text
        error, cause = cut(record.error, record.cause)
        return Verdict("CAUGHT_ERROR", exited.output.text, error, cause, exited.next, data)
    if retry is not None:
        seconds = round((retry.due - retry.at) / 1000)
        data["errorDetails"] = {"retryIndex": retry.retrier, "retryBackoffIntervalSeconds": seconds}
        return Verdict("RETRIABLE", None, *cut(record.error, record.cause), None, data)
    if used_up:
        data["errorDetails"] = used_up
    return Verdict("FAILED", None, execution.error, execution.cause, None, data)


def to_answer(verdict: Verdict, level: Level) -> dict[str, Any]:
    """TestState's answer.  TRACE adds the HTTP request and response to what DEBUG shows."""
    data = {name: value for name, value in verdict.data.items() if level == "TRACE" or name not in HTTP}
    return present(
        output=verdict.output,
        error=verdict.error,
        cause=verdict.cause,
        inspectionData=None if level == "INFO" else data,
        nextState=verdict.next,
        status=verdict.status,
    )
