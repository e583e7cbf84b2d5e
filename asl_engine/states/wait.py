"""Wait: for a number of seconds, or until a timestamp.  Specification: "Wait State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asl_engine.core.events import WaitScheduled
from asl_engine.core.state import State
from asl_engine.errors import QueryFailure
from asl_engine.expressions.timestamps import parse_timestamp
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.fields import COMPUTED, MAX_SECONDS, TEXT, integer
from asl_engine.states.path_numbers import integer_of
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
    from asl_engine.json_values import Json
    from asl_engine.states.compiling import Compiling

__all__ = ["TYPE", "Wait"]

FIELDS = {
    **COMMON_FIELDS,
    **INPUT_OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **ASSIGN_FIELDS,
    "Seconds": integer(0),
    "SecondsPath": TEXT,
    "Timestamp": TEXT,
    "TimestampPath": TEXT,
}

JSONATA_FIELDS = {
    **COMMON_FIELDS,
    **OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    "Seconds": COMPUTED,
    "Timestamp": COMPUTED,
}

# AWS counts the delay in seconds as a 32-bit integer: a recorded wait of 24,856 days is refused.
MAX_DELAY_SECONDS = 2**31 - 1


@dataclass(eq=False, repr=False)
class Wait(State):
    """Exactly one of the last fields is not None; ``timestamp`` is in milliseconds since the epoch."""

    type: ClassVar[str] = "Wait"

    flow: DataFlow
    seconds: int | None
    timestamp: int | None
    seconds_path: Path | None
    timestamp_path: Path | None
    seconds_expression: JsonataTemplate | None
    timestamp_expression: JsonataTemplate | None

    def enter(self, decision: Decision) -> None:
        decision.let_time_pass()
        due = self._due(decision, self.flow.input(decision).value)
        if due > decision.now + MAX_DELAY_SECONDS * 1000:
            raise decision.failure("Wait state delay is too long.")
        if due <= decision.now:
            self.waited(decision)
        else:
            decision.emit_internal(WaitScheduled, due, self._is_absolute)

    def waited(self, decision: Decision) -> None:
        self.flow.exit(decision, self.flow.input(decision), self.next)

    def _due(self, decision: Decision, data: Json) -> int:
        if self.seconds_path is not None:
            return decision.now + seconds_at(decision, self.seconds_path, data) * 1000
        if self.timestamp_path is not None:
            return timestamp_at(decision, self.timestamp_path, data)
        if self.seconds_expression is not None:
            return decision.now + evaluated_seconds(decision, self.seconds_expression) * 1000
        if self.timestamp_expression is not None:
            return evaluated_timestamp(decision, self.timestamp_expression)
        if self.timestamp is not None:
            return self.timestamp
        return decision.now + (self.seconds or 0) * 1000

    @property
    def _is_absolute(self) -> bool:
        """Whether the end is a moment of the wall clock, and not a number of seconds away."""
        given = (self.timestamp, self.timestamp_path, self.timestamp_expression)
        return any(one is not None for one in given)


def seconds_at(decision: Decision, path: Path, data: Json) -> int:
    value = path.find(decision.scope(data))
    if value is MISSING:
        raise decision.failure(f"The SecondsPath parameter does not reference an input value: {path.text}")
    seconds = integer_of(value)
    if seconds is None:
        shown = value if isinstance(value, str) else dumps(value)
        raise decision.failure(
            f"The SecondsPath parameter cannot be parsed as a long value: {path.text} == {shown}"
        )
    if seconds < 0:
        raise decision.failure(f"The SecondsPath parameter references a negative value: {path.text} == {seconds}")
    return seconds


def timestamp_at(decision: Decision, path: Path, data: Json) -> int:
    value = path.find(decision.scope(data))
    if value is MISSING:
        raise decision.failure(f"The TimestampPath parameter does not reference an input value: {path.text}")
    moment = parse_timestamp(value) if isinstance(value, str) else None
    if moment is None:
        shown = value if isinstance(value, str) else dumps(value)
        raise decision.failure(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format "
            f"string: {path.text} == {shown}"
        )
    return to_milliseconds(moment)


def evaluated_seconds(decision: Decision, expression: JsonataTemplate) -> int:
    value = expression.evaluate(decision.bindings())
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SECONDS:
        detail = f"The Seconds field must be an integer from 0 to {MAX_SECONDS}, but was {dumps(value)}"
        raise QueryFailure(detail, "Seconds")
    return value


def evaluated_timestamp(decision: Decision, expression: JsonataTemplate) -> int:
    value = expression.evaluate(decision.bindings())
    moment = parse_timestamp(value) if isinstance(value, str) else None
    if moment is None:
        detail = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string"
        raise QueryFailure(f"{detail}: {value}", "Timestamp")
    return to_milliseconds(moment)


def to_milliseconds(nanoseconds: int) -> int:
    """Rounded up: a wait never ends before its timestamp."""
    return -(-nanoseconds // 1_000_000)


def compile_wait(compiling: Compiling) -> Wait:
    source = compiling.source
    if compiling.only_one_of("Seconds", "SecondsPath", "Timestamp", "TimestampPath") is None:
        compiling.report("", "One of Seconds, SecondsPath, Timestamp, TimestampPath is required")
    seconds, timestamp = source.get("Seconds"), source.get("Timestamp")
    seconds_expression = timestamp_expression = None
    if compiling.language == "JSONata":
        if compiling.is_expression(seconds):
            seconds_expression, seconds = compiling.expression("Seconds", seconds, "number"), None
        if compiling.is_expression(timestamp):
            timestamp_expression, timestamp = compiling.expression("Timestamp", timestamp, "string"), None
        compiling.check("Seconds", seconds, integer(0))
        compiling.check("Timestamp", timestamp, TEXT)
    return Wait(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling),
        seconds=seconds,
        timestamp=literal_timestamp(compiling, timestamp),
        seconds_path=compiling.path("SecondsPath"),
        timestamp_path=compiling.path("TimestampPath"),
        seconds_expression=seconds_expression,
        timestamp_expression=timestamp_expression,
    )


def literal_timestamp(compiling: Compiling, text: object) -> int | None:
    if not isinstance(text, str):
        return None
    moment = parse_timestamp(text)
    if moment is None:
        compiling.report("Timestamp", "Expected an ISO-8601 date-time with offset, as in 2016-03-14T01:59:00Z")
        return None
    return to_milliseconds(moment)


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_wait)
