"""Whether an execution can be redriven, and if not, why: RedriveExecution's conditions, in AWS's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asl_engine.core.execution import Execution
    from asl_engine.limits import Limits

__all__ = ["BEING_DELETED", "OF_A_MAP_RUN", "answered_before", "not_redrivable"]

# For these milliseconds a repeated client token is given the answer of the redrive that it has begun.
TOKEN_VALIDITY_MS = 15 * 60 * 1000

BEING_DELETED = "State machine is in DELETING status"
# Recorded from AWS; the documentation words it differently.
TOO_MANY_EVENTS = "Execution has exceeded the maximum history event limit"
TOO_OLD = "Execution has exceeded the max execution time"
EXPRESS = "Execution is of type EXPRESS and cannot be redriven"
TOO_LATE = "Execution redrivable period exceeded"
OF_A_MAP_RUN = "Execution was started by a Map Run: redrive the execution that started the Map Run"


def not_redrivable(execution: Execution, at: int, limits: Limits) -> str | None:
    """Why the execution could not be redriven at this moment (milliseconds since the epoch); None if it could."""
    who = execution.identity
    if execution.status in {"RUNNING", "SUCCEEDED"}:
        return f"Execution is {execution.status} and cannot be redriven"
    if who.type == "EXPRESS":
        return EXPRESS
    if limits.history_events is not None and execution.history_length >= limits.history_events - 1:
        return TOO_MANY_EVENTS  # there is room for neither the redrive nor what it leads to
    if _is_over(limits.execution_seconds, who.started_at, at):
        return TOO_OLD
    if _is_over(limits.redrive_seconds, execution.stopped_at, at):
        return TOO_LATE
    return None


def _is_over(seconds: int | None, since: int | None, at: int) -> bool:
    return seconds is not None and since is not None and at - since > seconds * 1000


def answered_before(execution: Execution, token: str | None, at: int) -> int | None:
    """The moment of the redrive that this client token has begun, None if it is to begin one."""
    moment = None if token is None else execution.redrives.get(token)
    return moment if moment is not None and at - moment <= TOKEN_VALIDITY_MS else None
