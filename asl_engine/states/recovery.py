"""Retry and Catch: what a state does about a failure.  Specification: "Errors".

Retriers are tried first, in order; each counts its own attempts.  When none is left, the first
matching catcher decides where the execution continues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core.events import RetryScheduled
from asl_engine.core.failing import abort_children, fail
from asl_engine.core.frames import Phase
from asl_engine.errors import MISSED_HEARTBEAT, UNRECOVERABLE, shown_error
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from asl_engine.core.decision import Decision
    from asl_engine.core.events import Event
    from asl_engine.core.frames import Frame

__all__ = ["Catcher", "Recovery", "Retrier", "matches", "recover", "retrier_for"]

MAX_DELAY_SECONDS = 31_622_400.0  # the bound of MaxDelaySeconds

NOT_MATCHED_BY_ALL = frozenset({"States.DataLimitExceeded"})
TIMEOUTS = frozenset({"States.Timeout", MISSED_HEARTBEAT})


class Retrier(NamedTuple):
    """One entry of Retry.  Times are in seconds."""

    error_equals: tuple[str, ...]
    interval: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay: int | None = None
    full_jitter: bool = False

    def delay(self, tries: int, random: Random) -> int:
        """The delay after this many attempts, in milliseconds: backoff, then the cap, then jitter."""
        try:
            seconds = min(self.interval * self.backoff_rate**tries, MAX_DELAY_SECONDS)
        except OverflowError:
            seconds = MAX_DELAY_SECONDS
        if self.max_delay is not None:
            seconds = min(seconds, self.max_delay)
        return round((random.uniform(0, seconds) if self.full_jitter else seconds) * 1000)


class Catcher(NamedTuple):
    """One entry of Catch; ``exit(decision, caught, next)`` leaves the state with the error output."""

    error_equals: tuple[str, ...]
    next: str
    exit: Callable[[Decision, Payload, str], None]


class Recovery(NamedTuple):
    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]


def matches(error_equals: tuple[str, ...], error: str | None) -> bool:
    """Whether a list of error names matches this error."""
    for name in error_equals:
        if name in (error, shown_error(error)):
            return True
        if name == "States.ALL" and error not in NOT_MATCHED_BY_ALL:
            return True
        if name == "States.TaskFailed" and error not in TIMEOUTS and error not in NOT_MATCHED_BY_ALL:
            return True
    return False


def recover(
    decision: Decision,
    recovery: Recovery,
    error: str | None,
    cause: str | None,
    shown: Callable[..., Event] | None = None,
) -> None:
    """Retry the state's work, or leave the state as a catcher says, or fail.

    ``shown`` is the event that records the failure in the history, unless the work is retried.
    """
    if error in UNRECOVERABLE:
        fail(decision, error, cause)
        return
    frame = decision.frame
    abort_children(decision, frame)
    decision.frame = frame
    if retry(decision, recovery, error):
        return
    if shown is not None and failed_at_work(decision.frame):
        decision.emit(shown)
    if not catch(decision, recovery, error, cause):
        fail(decision, error, cause)


def failed_at_work(frame: Frame) -> bool:
    """Whether the history must still show that the work failed: not if the state could not begin it.

    An EvaluationFailed event counts as work (recorded from AWS).
    """
    return not frame.outcome_shown and (frame.fork is not None or frame.phase is Phase.FAILED)


def retry(decision: Decision, recovery: Recovery, error: str | None) -> bool:
    """Schedule another try of the state's work; False where no retrier is for this error any more."""
    index = retrier_for(recovery, error)
    if index is None:
        return False
    retrier, tries = recovery.retriers[index], decision.frame.retries.get(index, 0)
    if tries >= retrier.max_attempts:
        return False
    decision.emit_internal(RetryScheduled, decision.now + retrier.delay(tries, decision.random()), index)
    return True


def retrier_for(recovery: Recovery, error: str | None) -> int | None:
    """The first retrier that matches: it is the one that counts, even where its attempts are used up."""
    return next(
        (index for index, retrier in enumerate(recovery.retriers) if matches(retrier.error_equals, error)), None
    )


def catch(decision: Decision, recovery: Recovery, error: str | None, cause: str | None) -> bool:
    """Leave the state as the first matching catcher says; False where none matches."""
    for catcher in recovery.catchers:
        if matches(catcher.error_equals, error):
            # An error without a cause is caught with an empty one, as AWS shows for timeouts.
            caught = Payload({"Error": shown_error(error), "Cause": cause or ""})
            catcher.exit(decision, caught, catcher.next)
            return True
    return False
