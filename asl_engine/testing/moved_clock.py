"""The clock of a run under test, which the test moves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from asl_engine.engine.durations import milliseconds
from asl_engine.errors import InvalidInput
from asl_engine.expressions.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.engine.clock import VirtualClock
    from asl_engine.engine.durations import Duration

__all__ = ["MovedClock", "RunClock", "moment"]


def moment(given: str | datetime, what: str) -> int:
    """Milliseconds since the epoch.  Raises ``InvalidInput``, which says that it is ``what``."""
    found = None
    if isinstance(given, datetime) and given.tzinfo is not None:
        return round(given.timestamp() * 1000)
    if isinstance(given, str):
        found = parse_timestamp(given)
    if found is None:
        raise InvalidInput(
            f'{what}: {given!r} is no moment: write "2024-01-31T12:00:00Z", or a datetime with a time zone'
        )
    return found // 1_000_000


class RunClock(Protocol):
    """The clock of a run, for its test."""

    @property
    def now(self) -> datetime: ...

    def advance(self, duration: Duration) -> None: ...

    def set(self, to: str | datetime) -> None: ...


class MovedClock:
    """Time stands still until the test moves it, or lets the run go to its end."""

    def __init__(self, clock: VirtualClock, pass_until: Callable[[int], None]) -> None:
        self._clock = clock
        self._pass_until = pass_until

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC)

    def advance(self, duration: Duration) -> None:
        """Let so much time pass: ``"2h"``, ``"1h30m"``, seconds, a ``timedelta``.  What comes due happens."""
        self._pass_until(self._clock.now() + milliseconds(duration, "advance"))

    def set(self, to: str | datetime) -> None:
        """Let time pass until this moment.  Raises ``InvalidInput`` for one that has gone by."""
        until = moment(to, "set")
        if until < self._clock.now():
            raise InvalidInput(f"set: {to} has gone by: it is {self.now.isoformat()}, and time only goes forward")
        self._pass_until(until)
