"""When a delivery that has failed is tried again, and when it is given up.  Pure.

"Retrying event delivery" in the EventBridge User Guide: up to 185 times within 24 hours, with exponential back-off
and jitter.  AWS does not say how long the intervals are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RetryPolicy", "retry_policy"]

MAX_ATTEMPTS: Final = 185
MAX_AGE_SECONDS: Final = 86_400
FIRST_MS, LONGEST_MS = 1_000, 600_000
LONGEST_POWER: Final = 20
JITTER: Final = 1000


class RetryPolicy(NamedTuple):
    """How often a delivery is tried again, and until when (milliseconds)."""

    retries: int = MAX_ATTEMPTS
    age: int = MAX_AGE_SECONDS * 1000

    def next_due(self, attempts: int, since: int, now: int, seed: int) -> int | None:
        """When to try again after so many attempts; None to give up.  ``seed`` decides the jitter."""
        if attempts > self.retries:
            return None
        longest = min(LONGEST_MS, FIRST_MS << min(attempts - 1, LONGEST_POWER))
        due = now + longest // 2 + longest // 2 * (seed * 2_654_435_761 % JITTER) // JITTER
        return due if due < since + self.age else None

    def exhausted_by(self, attempts: int) -> str:
        """The condition that ended the retries, as in a dead letter's EXHAUSTED_RETRY_CONDITION."""
        return "MaximumRetryAttempts" if attempts > self.retries else "MaximumEventAgeInSeconds"


def retry_policy(target: Mapping[str, Any]) -> RetryPolicy:
    """The policy of a target's configuration."""
    given = target.get("RetryPolicy") or {}
    retries, age = given.get("MaximumRetryAttempts"), given.get("MaximumEventAgeInSeconds")
    return RetryPolicy(
        MAX_ATTEMPTS if retries is None else int(retries), (MAX_AGE_SECONDS if age is None else int(age)) * 1000
    )
