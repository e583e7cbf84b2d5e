"""The fields Retry and Catch, and how they are compiled.  Specification: "Errors"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.states.fields import (
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
from asl_engine.states.jsonata_flow import leave
from asl_engine.states.jsonpath_flow import JsonPathFlow
from asl_engine.states.recovery import Catcher, Recovery, Retrier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.core.decision import Decision
    from asl_engine.payload import Payload
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.fields import Shape

__all__ = ["CATCHER_FIELDS", "JSONATA_CATCHER_FIELDS", "RECOVERY_FIELDS", "RETRIER_FIELDS", "compile_recovery"]

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
) -> Callable[[Decision, Payload, str], None]:
    """ResultPath puts the error output into the state's input; OutputPath is not asked."""
    flow = JsonPathFlow(
        input_path=None,
        parameters=None,
        result_selector=None,
        result_path=compiling.reference_path(f"{place}/ResultPath", source.get("ResultPath", "$")),
        output_path=WHOLE,
        assign=compiling.assign(place, source),
    )
    return flow.exit


def jsonata_exit(
    compiling: Compiling, place: str, source: dict[str, Any]
) -> Callable[[Decision, Payload, str], None]:
    """Output and Assign see the error output as ``$states.errorOutput``; it is what is handed on by default."""
    output = compiling.expression(f"{place}/Output", source["Output"]) if "Output" in source else None
    assign = compiling.assign_expression(place, source)

    def exit_with(decision: Decision, caught: Payload, target: str) -> None:
        leave(decision, output, assign, caught, target, errorOutput=caught.value)

    return exit_with
