"""A function called with a batch, and what has come of each of its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_name
from asl_engine.errors import StatesError
from asl_engine.mappings.answers import read_report
from asl_engine.projections.causes import readable_cause
from asl_engine.resources.calling import call_function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.settings import EventSourceMapping

__all__ = ["MAX_EVENT_BYTES", "BatchOutcome", "call_with_batch"]

# Of a synchronous invocation's payload; the braces of the event are not records.
MAX_EVENT_BYTES: Final = 6_291_456 - 64
# The call did not get to the function: AWS does not count it as one of its attempts.
NOT_REACHED: Final = (
    "EC2ThrottledException",
    "EC2UnexpectedException",
    "ResourceNotFoundException",
    "ResourceNotReadyException",
    "SdkClientException",
    "ServiceException",
    "TooManyRequestsException",
)
NOT_FOUND: Final = "States.Runtime"


class BatchOutcome(NamedTuple):
    """``failed`` are the identifiers of the records that failed; ``error`` says why, and is None without any.

    ``unhandled``: the function has raised the error, and did not report it.  ``reached``: whether it was called.
    """

    failed: frozenset[str]
    error: str | None = None
    unhandled: bool = False
    reached: bool = True


async def call_with_batch(
    polling: Polling,
    mapping: EventSourceMapping,
    event: dict[str, Any],
    identifiers: Sequence[str],
    *,
    key: str,
    attempt: int,
) -> BatchOutcome:
    """Call the function of a mapping with an event; ``identifiers`` are those of its records."""
    try:
        answer = await call_function(
            polling.functions,
            mapping.function,
            event,
            key=key,
            caller=mapping.arn,
            attempt=attempt,
            name=mapping.name,
        )
    except StatesError as error:
        name = error.error or "Unhandled"
        reached = not name.endswith(NOT_REACHED) and name != NOT_FOUND
        return BatchOutcome(frozenset(identifiers), _told(name, error.cause), unhandled=True, reached=reached)
    report = read_report(answer.value, identifiers) if mapping.reports else None
    if report is None or not (report.failed or report.wrong):
        records = "1 record" if len(identifiers) == 1 else f"{len(identifiers)} records"
        polling.hear(f"{mapping.name}: {records} -> {function_name(mapping.function)} succeeded")
        return BatchOutcome(frozenset())
    if report.wrong is not None:
        return BatchOutcome(report.failed, report.wrong)
    shown = ", ".join(sorted(report.failed)[:3])
    return BatchOutcome(report.failed, f"the function reported {shown}")


def _told(name: str, cause: str | None) -> str:
    """An error in one line: of a function's report its message, and no stack trace."""
    message = " ".join((readable_cause(cause) or "").split())
    return f"{name}: {message}" if message else name
