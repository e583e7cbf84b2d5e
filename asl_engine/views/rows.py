"""What a state's row says in any view: its sign, its durations, its errors; and which lanes are folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.arn import function_name, integration_name, is_activity, last_part
from asl_engine.graph.text import visible
from asl_engine.projections.causes import readable_cause
from asl_engine.projections.moments import seconds
from asl_engine.views.account import standing
from asl_engine.visits.outline import Folded

if TYPE_CHECKING:
    from asl_engine.views.account import Account
    from asl_engine.visits.reading import Attempt, Lane, Visit

__all__ = [
    "WHOLE_CAUSE",
    "attempts_text",
    "called",
    "error_text",
    "folded",
    "mark_text",
    "visit_took",
]

FEW_LANES: Final = 3
TELLING: Final = frozenset({"FAILED", "TIMED_OUT", "RUNNING"})
MAX_TELLING: Final = 10  # lanes that failed are shown beyond the first few, but not a thousand of them
MAX_CAUSE: Final = 100
WHOLE_CAUSE: Final = 2000  # where it is told once, at the end


def error_text(error: str | None, cause: str | None, most: int = MAX_CAUSE) -> str:
    """``PaymentError: the card was declined``, in one line."""
    told = visible(readable_cause(cause) or "")
    told = told if len(told) <= most else f"{told[: most - 1].rstrip()}…"
    return ": ".join(part for part in (visible(error or ""), told) if part)


def called(attempt: Attempt) -> str:
    """What an attempt calls, as people name it."""
    resource = attempt.resource
    if resource is None:
        return ""
    name = function_name(resource) or integration_name(resource)
    return name or (f"activity {last_part(resource)}" if is_activity(resource) else resource)


def visit_took(visit: Visit, account: Account) -> int:
    """How long the state took, or takes by now."""
    return account.between(visit.entered, visit.ended)


def folded(lanes: list[Lane]) -> Folded:
    """The lanes that are shown, and those that are not: branches are shown, and of iterations the first few.

    Those that failed, or still run, are shown too.
    """
    shown: list[Lane] = []
    left: list[Lane] = []
    telling = 0
    for lane in lanes:
        is_first = lane.kind == "branch" or len(shown) - telling < FEW_LANES
        tells = not is_first and lane.status in TELLING and telling < MAX_TELLING
        telling += tells
        (shown if is_first or tells else left).append(lane)
    return Folded(shown, left)


def attempts_text(visit: Visit) -> str:
    return f"{len(visit.attempts)} attempts" if len(visit.attempts) > 1 else ""


def mark_text(visits: list[Visit], account: Account) -> str:
    """How a state fared in all of its visits, in a few words."""
    if len(visits) == 1:
        (visit,) = visits
        failure = visit.failure
        parts = [
            visit.caught or ((failure.error or "failed") if failure is not None else ""),
            attempts_text(visit),
            seconds(visit_took(visit, account)),
        ]
        return " · ".join(part for part in parts if part)
    counts: dict[str, int] = {}
    for visit in visits:
        known = standing(visit, is_over=account.is_over)
        counts[known] = counts.get(known, 0) + 1
    if len(counts) == 1:
        return f"{len(visits):,} {next(iter(counts))}"
    return ", ".join(f"{count:,} {known}" for known, count in counts.items())
