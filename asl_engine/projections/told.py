"""A history as GetExecutionHistory tells it, and who its execution is: AWS's answers, read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import Arn, parse_arn, unqualified
from asl_engine.core.execution import Identity
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Told", "identity_of", "milliseconds", "named", "told_history"]

DETAILS = "EventDetails"
ENDS = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})


class Told(NamedTuple):
    """An event as GetExecutionHistory tells it; ``at`` is in milliseconds since the epoch."""

    id: int
    previous: int
    at: int
    type: str
    details: dict[str, Any]

    @classmethod
    def of(cls, event: dict[str, Any], at: int) -> Told:
        details = next((value for key, value in event.items() if key.endswith(DETAILS)), None)
        return cls(event["id"], event["previousEventId"], at, event["type"], details or {})

    @property
    def state(self) -> str | None:
        """The state that the event is about, where it names one."""
        name: str | None = self.details.get("name", self.details.get("state"))
        return name


def named(told: Told) -> str:
    return f"{told.type} of {told.state}" if told.state else told.type


def told_history(events: Iterable[Mapping[str, Any]], name: str, *, has_ended: bool = True) -> list[Told]:
    """The events of GetExecutionHistory's answer, in the order of their ids.

    Timestamps are those of boto3, of the AWS CLI, or of AWS JSON.  Raises ``InvalidInput`` where it is no whole
    history of an execution, of one that has ended unless ``has_ended`` says otherwise; ``name`` is its source.
    """
    told: list[Told] = []
    for position, event in enumerate(events, 1):
        try:
            told.append(Told.of(dict(event), milliseconds(event["timestamp"])))
        except KeyError as error:
            raise _no_event(name, position, f"it has no {error.args[0]}") from None
        except (TypeError, ValueError) as error:
            reason = str(error) if isinstance(event, dict) else "it is no JSON object"
            raise _no_event(name, position, reason) from None
    told.sort(key=lambda one: one.id)
    if not told:
        raise InvalidInput(f"{name}: the history has no events")
    wrong = next((place for place, one in enumerate(told, 1) if one.id != place), None)
    if wrong is not None:
        raise InvalidInput(f"{name}: the history is not whole: event {wrong} is missing")
    if told[0].type != "ExecutionStarted":
        raise InvalidInput(f"{name}: the history does not begin with ExecutionStarted, but with {told[0].type}")
    if has_ended and told[-1].type not in ENDS:
        raise InvalidInput(
            f"{name}: the history stops with {told[-1].type}: it was cut short, or the execution has not ended"
        )
    return told


def _no_event(name: str, position: int, reason: str) -> InvalidInput:
    return InvalidInput(f"{name}: event {position} is no event of an execution's history: {reason}")


def milliseconds(moment: Any) -> int:
    """A moment as boto3, the AWS CLI or AWS JSON writes it.  Raises ``ValueError``, ``TypeError``."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise ValueError(f"{moment!r} is no timestamp") from None
    if isinstance(moment, datetime):
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        raise TypeError(f"{moment!r} is no timestamp")
    return round(moment * 1000)


def identity_of(described: Mapping[str, Any], started: Told) -> Identity:
    """Who the execution is, by DescribeExecution's answer and its first event.  Raises ``InvalidInput``."""
    arn, machine = str(described.get("executionArn", "")), str(described.get("stateMachineArn", ""))
    known, named = parse_arn(arn), parse_arn(machine)
    if known is None or named is None:
        raise InvalidInput("the description of the execution has no executionArn and stateMachineArn")
    version, alias = described.get("stateMachineVersionArn"), described.get("stateMachineAliasArn")
    return Identity(
        arn=arn,
        name=str(described.get("name") or known.name),
        machine_arn=unqualified(machine)[0],
        machine_name=Arn.of(unqualified(machine)[0]).name,
        role_arn=str(started.details.get("roleArn") or ""),
        started_at=started.at,
        version_arn=version,
        alias_arn=alias,
    )
