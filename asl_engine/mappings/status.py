"""How a mapping fares, for whoever looks: metrics, a console, a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

__all__ = ["DISABLED", "POLLING", "WAITING", "MappingStatus", "MappingTally"]

POLLING: Final = "Enabled"
DISABLED: Final = "Disabled"
WAITING: Final = "Waiting"  # for what it needs: its source, its function, an endpoint

SHOWN: Final = 500  # characters of an error


class MappingStatus(NamedTuple):
    """One mapping.  ``processed``, ``failed`` and ``discarded`` count records, since the mapping was made.

    ``failed`` counts a record each time a call for it fails.  ``in_flight`` are records that a function has now.
    ``iterator_age_ms`` is how old the last record of a stream was when it was read; ``backlog`` how many messages
    wait in a queue; None where that is unknown.
    """

    name: str
    source: str
    function: str
    state: str
    in_flight: int = 0
    processed: int = 0
    failed: int = 0
    discarded: int = 0
    iterator_age_ms: int | None = None
    last_error: str | None = None
    filtered: int = 0
    backlog: int | None = None


@dataclass(slots=True)
class MappingTally:
    """What a mapping counts while it runs.  ``kept`` is what is stored of it."""

    state: str = WAITING
    in_flight: int = 0
    processed: int = 0
    failed: int = 0
    discarded: int = 0
    filtered: int = 0
    iterator_age_ms: int | None = None
    backlog: int | None = None
    last_error: str | None = None
    last_outcome: str | None = None
    last_at: int | None = None
    changed: bool = field(default=False, repr=False)

    @classmethod
    def of(cls, kept: dict[str, Any]) -> MappingTally:
        """A tally that goes on from what was stored."""
        tally = cls()
        for name in ("processed", "failed", "discarded", "filtered"):
            setattr(tally, name, int(kept.get(name) or 0))
        tally.last_outcome, tally.last_at = kept.get("lastOutcome"), kept.get("lastAt")
        return tally

    def kept(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "processed": self.processed,
            "failed": self.failed,
            "discarded": self.discarded,
            "filtered": self.filtered,
            "iteratorAge": self.iterator_age_ms,
            "backlog": self.backlog,
            "lastError": self.last_error,
            "lastOutcome": self.last_outcome,
            "lastAt": self.last_at,
        }

    def succeeded(self, records: int, now: int) -> None:
        self.processed += records
        self._outcome("OK", now)
        self.last_error = None

    def failure(self, records: int, error: str, now: int) -> None:
        self.failed += records
        self.last_error = error[:SHOWN]
        self._outcome(f"PROBLEM: {error[:SHOWN]}", now)

    def skipped(self, records: int) -> None:
        """Records that no filter matches."""
        self.filtered += records
        self.changed = True

    def lost(self, records: int, why: str, now: int) -> None:
        """Records that are given up."""
        self.discarded += records
        self._outcome(f"DISCARDED: {why}", now)

    def waits_for(self, what: str) -> bool:
        """It cannot poll for now; whether that is news."""
        news = self.last_error != what or self.state != WAITING
        self.state, self.last_error = WAITING, what
        self.changed = self.changed or news
        return news

    def polls(self) -> bool:
        """It polls; whether that is news."""
        news = self.state != POLLING
        if news:
            self.state, self.last_error, self.changed = POLLING, None, True
        return news

    def _outcome(self, text: str, now: int) -> None:
        self.last_outcome, self.last_at, self.changed = text, now, True
