"""Errors as the console answers them: what is wrong, and what to do about it."""

from __future__ import annotations

import logging
from typing import Any, Final

from pydantic_core import to_json
from starlette.responses import Response

from asl_engine.errors import (
    AslError,
    ExecutionAlreadyExists,
    ExecutionBusy,
    ExecutionNotRedrivable,
    StoreError,
    StoreUnavailable,
)
from asl_engine.server.protocol.errors import ApiError

__all__ = ["ConsoleError", "answer", "refused", "told_of"]

log = logging.getLogger("asl_engine.console")

REMEDIES: Final = {
    "ExecutionDoesNotExist": "It may have been deleted or pruned: go back to the list of runs.",
    "StateMachineDoesNotExist": "It may have been deleted: go back to the list of machines.",
    "ResourceNotFound": "It may have been deleted or pruned.",
    "InvalidToken": "Ask for the list anew.",
    "TaskTimedOut": "The task has been answered already, or has timed out: look at the run.",
    "TaskDoesNotExist": "Another process drives its run, or the run is no more.",
    "ExecutionAlreadyExists": "Choose another name.",
    "StateMachineDeleting": "It is being deleted: create it under another name.",
}
DATABASE: Final = (
    "The page tries again; see what `asl serve` says, and whether the disk is full or the file is there."
)


class ConsoleError(Exception):
    """An answer that is an error.  ``remedy`` says what to do about it, None where there is nothing to say."""

    def __init__(self, status: int, code: str, message: str, remedy: str | None = None) -> None:
        super().__init__(code, message)
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON, which nobody keeps."""
    known = {"Cache-Control": "no-store", **(headers or {})}
    return Response(to_json(content), status, known, "application/json")


def refused(error: Exception) -> Response:
    """The answer to a request that has failed."""
    status, body = told_of(error)
    return answer(body, status)


def told_of(error: Exception) -> tuple[int, dict[str, Any]]:
    """The status and the body of the answer."""
    if isinstance(error, ConsoleError):
        return error.status, _body(error.code, error.message, error.remedy)
    if isinstance(error, ApiError):
        status = 404 if error.code.endswith("DoesNotExist") or error.code == "ResourceNotFound" else error.status
        return status, _body(error.code, error.message, REMEDIES.get(error.code)) | error.members
    if isinstance(error, StoreError):
        log.error("console: %s", error)
        code = "StoreUnavailable" if isinstance(error, StoreUnavailable) else "StoreError"
        return 503, _body(code, str(error), DATABASE)
    if isinstance(error, ExecutionBusy):
        return 409, _body("ExecutionBusy", str(error), "Another process drives it: act on it there.")
    if isinstance(error, AslError):
        known = (ExecutionAlreadyExists, ExecutionNotRedrivable)
        code = type(error).__name__ if isinstance(error, known) else "InvalidInput"
        return 400, _body(code, error.worded(lambda parameter: parameter.name), REMEDIES.get(code))
    log.error("console", exc_info=error)
    return 500, _body("InternalFailure", "Internal server error", "`asl serve` has written what is wrong.")


def _body(code: str, message: str, remedy: str | None) -> dict[str, Any]:
    return {"error": code, "message": message, "remedy": remedy}
