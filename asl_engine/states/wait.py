"""Wait: for so many seconds, or until a moment.  Specification: "Wait State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asl_engine.events import WaitScheduled
from asl_engine.expressions.timestamps import parse_timestamp
from asl_engine.fields import TEXT, integer
from asl_engine.jsontypes import MISSING, dumps
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.state import (
    ASSIGN_FIELDS,
    COMMON_FIELDS,
    INPUT_OUTPUT_FIELDS,
    TRANSITION_FIELDS,
    State,
    StateType,
)

if TYPE_CHECKING:
    from asl_engine.expressions.jsonpath import Path
    from asl_engine.jsontypes import Json
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.turn import Turn

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

# AWS counts the delay in seconds as a 32-bit integer: a recorded wait of 24,856 days is refused.
LONGEST_DELAY_SECONDS = 2**31 - 1


@dataclass(eq=False, repr=False)
class Wait(State):
    """Exactly one of the four is not None; ``timestamp`` is in milliseconds since the epoch."""

    type: ClassVar[str] = "Wait"

    flow: DataFlow
    seconds: int | None
    timestamp: int | None
    seconds_path: Path | None
    timestamp_path: Path | None

    def enter(self, turn: Turn) -> None:
        due = self._due(turn, self.flow.input(turn).value)
        if due > turn.at + LONGEST_DELAY_SECONDS * 1000:
            raise turn.failure("Wait state delay is too long.")
        if due <= turn.at:
            self.waited(turn)
        else:
            turn.emit_internal(WaitScheduled, due)

    def waited(self, turn: Turn) -> None:
        self.flow.exit(turn, self.flow.input(turn), self.next)

    def _due(self, turn: Turn, data: Json) -> int:
        if self.seconds_path is not None:
            return turn.at + seconds_at(turn, self.seconds_path, data) * 1000
        if self.timestamp_path is not None:
            return timestamp_at(turn, self.timestamp_path, data)
        if self.timestamp is not None:
            return self.timestamp
        return turn.at + (self.seconds or 0) * 1000


def seconds_at(turn: Turn, path: Path, data: Json) -> int:
    value = path.find(turn.scope(data))
    if value is MISSING:
        raise turn.failure(f"The SecondsPath parameter does not reference an input value: {path.text}")
    if not isinstance(value, int) or isinstance(value, bool):
        shown = value if isinstance(value, str) else dumps(value)
        raise turn.failure(f"The SecondsPath parameter cannot be parsed as a long value: {path.text} == {shown}")
    if value < 0:
        raise turn.failure(f"The SecondsPath parameter references a negative value: {path.text} == {value}")
    return value


def timestamp_at(turn: Turn, path: Path, data: Json) -> int:
    value = path.find(turn.scope(data))
    if value is MISSING:
        raise turn.failure(f"The TimestampPath parameter does not reference an input value: {path.text}")
    moment = parse_timestamp(value) if isinstance(value, str) else None
    if moment is None:
        shown = value if isinstance(value, str) else dumps(value)
        raise turn.failure(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format "
            f"string: {path.text} == {shown}"
        )
    return to_milliseconds(moment)


def to_milliseconds(nanoseconds: int) -> int:
    """Rounded up: a wait never ends before its moment."""
    return -(-nanoseconds // 1_000_000)


def compile_wait(compiling: Compiling) -> Wait:
    source = compiling.source
    if compiling.only_one_of("Seconds", "SecondsPath", "Timestamp", "TimestampPath") is None:
        compiling.report("", "One of Seconds, SecondsPath, Timestamp, TimestampPath is required")
    timestamp = None
    if "Timestamp" in source:
        timestamp = parse_timestamp(source["Timestamp"])
        if timestamp is None:
            compiling.report("Timestamp", "Expected an ISO-8601 date-time with offset, as in 2016-03-14T01:59:00Z")
    return Wait(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling),
        seconds=source.get("Seconds"),
        timestamp=None if timestamp is None else to_milliseconds(timestamp),
        seconds_path=compiling.path("SecondsPath"),
        timestamp_path=compiling.path("TimestampPath"),
    )


TYPE = StateType(FIELDS, compile_wait)
