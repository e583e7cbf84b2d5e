"""Retry and Catch: what a state does about a failure.  Specification: "Errors".

Retriers are tried first, in order; each counts its own attempts.  When none is left, the first catcher
that matches decides where the execution goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.events import RetryScheduled
from asl_engine.expressions.jsonpath import compile_path
from asl_engine.fields import (
    ANY,
    ARRAY,
    NULLABLE_PATH,
    OBJECT,
    TEXT,
    Field,
    check_shape,
    each,
    integer,
    number,
    one_of,
    required,
)
from asl_engine.jsontypes import Payload
from asl_engine.states.jsonata_flow import leave
from asl_engine.states.jsonpath_flow import JsonPathFlow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from asl_engine.fields import Shape
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.turn import Turn

__all__ = ["RECOVERY_FIELDS", "Catcher", "Recovery", "Retrier", "catch", "compile_recovery", "matches", "retry"]

RECOVERY_FIELDS: dict[str, Field] = {
    "Retry": ARRAY,
    "Catch": ARRAY,
}
RETRIER_FIELDS: Shape = {
    "ErrorEquals": required(each(TEXT)),
    "IntervalSeconds": integer(1),
    "MaxAttempts": integer(0),
    "BackoffRate": number(1.0),
    "MaxDelaySeconds": integer(1, 31_622_399),
    "JitterStrategy": one_of("FULL", "NONE"),
    "Comment": TEXT,
}
CATCHER_FIELDS: Shape = {
    "ErrorEquals": required(each(TEXT)),
    "Next": required(TEXT),
    "ResultPath": NULLABLE_PATH,
    "Assign": OBJECT,
    "Comment": TEXT,
}

JSONATA_CATCHER_FIELDS: Shape = {
    "ErrorEquals": required(each(TEXT)),
    "Next": required(TEXT),
    "Output": ANY,
    "Assign": OBJECT,
    "Comment": TEXT,
}
WHOLE = compile_path("$")

LONGEST_DELAY_SECONDS = 31_622_400.0  # the bound of MaxDelaySeconds

# The execution cannot go on from these: no retrier and no catcher is asked.
UNRECOVERABLE = frozenset({"States.Runtime"})
NOT_MATCHED_BY_ALL = frozenset({"States.DataLimitExceeded"})
TIMEOUTS = frozenset({"States.Timeout", "States.HeartbeatTimeout"})


class Retrier(NamedTuple):
    """One entry of Retry.  Times are in seconds."""

    error_equals: tuple[str, ...]
    interval: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay: int | None = None
    full_jitter: bool = False

    def delay(self, tries: int, random: Random) -> int:
        """How long to wait after so many tries, in milliseconds: backoff, then the cap, then jitter."""
        try:
            seconds = min(self.interval * self.backoff_rate**tries, LONGEST_DELAY_SECONDS)
        except OverflowError:
            seconds = LONGEST_DELAY_SECONDS
        if self.max_delay is not None:
            seconds = min(seconds, self.max_delay)
        return round((random.uniform(0, seconds) if self.full_jitter else seconds) * 1000)


class Catcher(NamedTuple):
    """One entry of Catch; ``exit(turn, caught, next)`` leaves the state with the error output."""

    error_equals: tuple[str, ...]
    next: str
    exit: Callable[[Turn, Payload, str], None]


class Recovery(NamedTuple):
    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]


def matches(error_equals: tuple[str, ...], error: str | None) -> bool:
    """Whether a list of error names speaks of this error."""
    for name in error_equals:
        if name == error:
            return True
        if name == "States.ALL" and error not in NOT_MATCHED_BY_ALL:
            return True
        if name == "States.TaskFailed" and error not in TIMEOUTS and error not in NOT_MATCHED_BY_ALL:
            return True
        if name == "States.Timeout" and error in TIMEOUTS:
            return True
    return False


def retry(turn: Turn, recovery: Recovery, error: str | None) -> bool:
    """Schedule another try of the state's work; False where no retrier is for this error any more."""
    if error in UNRECOVERABLE:
        return False
    frame = turn.frame
    for index, retrier in enumerate(recovery.retriers):
        if matches(retrier.error_equals, error):
            tries = frame.retries.get(index, 0)
            if tries >= retrier.max_attempts:
                return False  # the first retrier that matches is the one that counts
            turn.emit_internal(RetryScheduled, turn.at + retrier.delay(tries, turn.random()), index)
            return True
    return False


def catch(turn: Turn, recovery: Recovery, error: str | None, cause: str | None) -> bool:
    """Leave the state as the first matching catcher says; False where none matches."""
    if error in UNRECOVERABLE:
        return False
    for catcher in recovery.catchers:
        if matches(catcher.error_equals, error):
            # An error without a cause is caught with an empty one, as AWS shows for timeouts.
            caught = Payload({"Error": error, "Cause": cause or ""})
            catcher.exit(turn, caught, catcher.next)
            return True
    return False


def compile_recovery(compiling: Compiling) -> Recovery:
    catchers = JSONATA_CATCHER_FIELDS if compiling.language == "JSONata" else CATCHER_FIELDS
    return Recovery(
        tuple(retrier(entry) for _, entry in entries(compiling, "Retry", RETRIER_FIELDS)),
        tuple(catcher(compiling, place, entry) for place, entry in entries(compiling, "Catch", catchers)),
    )


def entries(compiling: Compiling, field: str, shape: Shape) -> Iterator[tuple[str, dict[str, Any]]]:
    """The well-formed entries of Retry or Catch with their places; the others are reported."""
    sources: list[Any] = compiling.source.get(field, [])
    for index, source in enumerate(sources):
        place = f"{field}[{index}]"
        found = check_shape(shape, source, f"{compiling.location}/{place}")
        compiling.findings.extend(found)
        if found:
            continue
        check_error_equals(compiling, place, source["ErrorEquals"], last=index == len(sources) - 1)
        yield place, source


def check_error_equals(compiling: Compiling, place: str, names: list[str], *, last: bool) -> None:
    if "States.ALL" in names and len(names) > 1:
        compiling.report(f"{place}/ErrorEquals", "States.ALL must be the only error name of its list")
    if "States.ALL" in names and not last:
        compiling.report(
            f"{place}/ErrorEquals", "States.ALL must be in the last entry: those behind it never match"
        )


def retrier(source: dict[str, Any]) -> Retrier:
    return Retrier(
        error_equals=tuple(source["ErrorEquals"]),
        interval=source.get("IntervalSeconds", 1),
        max_attempts=source.get("MaxAttempts", 3),
        backoff_rate=float(source.get("BackoffRate", 2.0)),
        max_delay=source.get("MaxDelaySeconds"),
        full_jitter=source.get("JitterStrategy") == "FULL",
    )


def catcher(compiling: Compiling, place: str, source: dict[str, Any]) -> Catcher:
    compile_exit = jsonata_exit if compiling.language == "JSONata" else jsonpath_exit
    return Catcher(
        error_equals=tuple(source["ErrorEquals"]),
        next=compiling.target(f"{place}/Next", source["Next"]),
        exit=compile_exit(compiling, place, source),
    )


def jsonpath_exit(
    compiling: Compiling, place: str, source: dict[str, Any]
) -> Callable[[Turn, Payload, str], None]:
    """ResultPath puts the error output into the state's input; OutputPath is not asked."""
    flow = JsonPathFlow(
        input_path=None,
        parameters=None,
        result_selector=None,
        result_path=compiling.reference_path(f"{place}/ResultPath", source.get("ResultPath", "$")),
        output_path=WHOLE,
        assign=compiling.template_at(f"{place}/Assign", source["Assign"]) if "Assign" in source else None,
    )
    return flow.exit


def jsonata_exit(compiling: Compiling, place: str, source: dict[str, Any]) -> Callable[[Turn, Payload, str], None]:
    """Output and Assign see the error output as ``$states.errorOutput``; it is what is handed on by default."""
    output = compiling.expression(f"{place}/Output", source["Output"]) if "Output" in source else None
    assign = compiling.expression(f"{place}/Assign", source["Assign"]) if "Assign" in source else None

    def exit_with(turn: Turn, caught: Payload, target: str) -> None:
        leave(turn, output, assign, caught, target, errorOutput=caught.value)

    return exit_with
