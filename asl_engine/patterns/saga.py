"""A saga: steps in a row, each with the function that undoes it, as a state machine.

Where a step fails, it and all steps before it are undone, the last first.  The step itself is undone too: one
that timed out may have been done.  So whatever undoes a step has to do nothing where there is nothing to undo.  An
undoing that keeps failing is handed to a person, with all that is known; the others are undone all the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_arn
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FAILED", "REPORTER", "SagaStep", "saga", "saga_step"]

FAILED: Final = "Saga.Undone"
OWN_NAMES: Final = frozenset({"Undone", "failure", "reportFailure", "undoFailure"})
REPORTER: Final = "reportFailedUndo"
STEP: Final = re.compile(r"([A-Za-z0-9_-]{1,64})(?::([A-Za-z0-9_-]{1,64}))?")
# What AWS recommends to retry for every function: "Handle transient Lambda service exceptions".
TRANSIENT: Final = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
STEP_RETRY: Final = {
    "ErrorEquals": [*TRANSIENT],
    "IntervalSeconds": 1,
    "MaxAttempts": 3,
    "BackoffRate": 2,
    "JitterStrategy": "FULL",
}
# What is half done is worse than what takes long.
UNDO_RETRY: Final = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 2,
    "MaxAttempts": 5,
    "BackoffRate": 2,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}


class SagaStep(NamedTuple):
    """The names of the functions that do and undo a step; ``undo`` is None for one that leaves nothing behind."""

    do: str
    undo: str | None = None


def saga_step(text: str) -> SagaStep:
    """A step from ``do:undo``, or from ``do`` alone.  Raises ``InvalidInput``."""
    match = STEP.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{text!r} is no step: it is DO:UNDO, the names of two functions, or DO where there is nothing to undo"
        )
    return SagaStep(match[1], match[2])


def saga(
    steps: Sequence[SagaStep],
    *,
    reporter: str = REPORTER,
    region: str = "us-east-1",
    account: str = "123456789012",
    timeout: int = 60,
) -> dict[str, Any]:
    """The definition.  Each step adds what its function gives to the document, under the function's name.

    ``reporter`` is the function that is given an undoing which has failed for good; ``timeout`` is that of every
    task, in seconds.  Raises ``InvalidInput`` for no steps, and for one that is there twice.
    """
    _check(steps, reporter)

    def task(function: str, **fields: Any) -> dict[str, Any]:
        arn = function_arn(region, account, function)
        return {"Type": "Task", "Resource": arn, "TimeoutSeconds": timeout, **fields}

    states: dict[str, Any] = {}
    for number, step in enumerate(steps):
        after: dict[str, Any] = {"Next": steps[number + 1].do} if number + 1 < len(steps) else {"End": True}
        states[step.do] = task(
            step.do,
            ResultPath=f"$['{step.do}']",
            Retry=[STEP_RETRY],
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": _undoing(steps, number)}],
            **after,
        )
    for number in reversed(range(len(steps))):
        step, then = steps[number], _undoing(steps, number - 1)
        if step.undo is None:
            continue
        report = f"Report {step.undo}"
        states[step.undo] = task(
            step.undo,
            ResultPath=None,
            Retry=[UNDO_RETRY],
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.undoFailure", "Next": report}],
            Next=then,
        )
        parameters = {
            "step": step.do,
            "undo": step.undo,
            "execution.$": "$$.Execution.Id",
            "failure.$": "$.failure",
            "undoFailure.$": "$.undoFailure",
            "document.$": "$",
        }
        states[report] = task(
            reporter,
            Parameters=parameters,
            ResultPath=None,
            Retry=[UNDO_RETRY],
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.reportFailure", "Next": then}],
            Next=then,
        )
    states["Undone"] = {"Type": "Fail", "Error": FAILED, "CausePath": "States.JsonToString($.failure)"}
    return {
        "Comment": "A saga: where a step fails, it and those before it are undone, the last first.",
        "StartAt": steps[0].do,
        "States": states,
    }


def _undoing(steps: Sequence[SagaStep], number: int) -> str:
    """The state with which the steps up to this one are undone."""
    return next((undo for _, undo in reversed(steps[: number + 1]) if undo is not None), "Undone")


def _check(steps: Sequence[SagaStep], reporter: str) -> None:
    if not steps:
        raise InvalidInput("a saga has at least one step")
    names = [name for step in steps for name in step if name is not None]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"the function {twice} is there twice: each does or undoes one step")
    if reporter in names:
        raise InvalidInput(f"the function {reporter} reports what could not be undone: it cannot be a step too")
    taken = next((name for name in names if name in OWN_NAMES), None)
    if taken is not None:
        raise InvalidInput(f"no function can be called {taken} here: the state machine uses that name")
