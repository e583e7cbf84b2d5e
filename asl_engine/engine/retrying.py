"""What is done while the database cannot be used: it is tried again, with growing pauses, and somebody is told.

A full disk and another program's lock pass, but not by themselves: whoever can put them right has to hear of them.
The pauses are in this machine's time, whatever the engine's clock is: no disk gets room because time jumps.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, Self, TypeVar

from asl_engine.errors import StoreUnavailable
from asl_engine.resources.log_subjects import about

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.engine.timers import Busy

__all__ = ["Attempts", "Retrying"]

log = logging.getLogger("asl_engine.engine")

Result = TypeVar("Result")

FIRST_PAUSE: Final = 0.1  # seconds, here and below
LONGEST_PAUSE: Final = 30.0
TOLD_AGAIN: Final = 5.0  # how soon a reason is told again while it lasts; each time three times as late
LONGEST_SILENCE: Final = 3600.0
FORGOTTEN: Final = 600.0  # a reason that has not been met for so long is told as a new one
MAX_NAMED: Final = 3


class Retrying:
    """Tries again what the database could not be used for.

    ``busy`` keeps time from jumping meanwhile.  ``note`` hears what is waited for, None when nothing is any more.
    ``sleep`` and ``now`` are this machine's time.  ``stuck`` are the executions whose events wait to be stored.
    """

    def __init__(
        self,
        busy: Callable[[], Busy],
        note: Callable[[str | None], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stuck: dict[str, StoreUnavailable] = {}
        self._busy = busy
        self._note = note
        self._sleep = sleep
        self._now = now
        self._reasons: dict[str, _Reason] = {}
        self._noted: str | None = None

    async def insist(self, arn: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """What ``work()`` returns, which is called again for as long as the database cannot be used.

        ``arn`` is the execution, or whatever else, that waits for it.
        """
        try:
            return await work()
        except StoreUnavailable as error:
            with self.attempts(arn) as attempts:
                await attempts.pause(error)
                return await attempts.insist(work)

    def attempts(self, arn: str) -> Attempts:
        """The attempts at one thing that ``arn`` waits for: a context, left when it is done or given up."""
        return Attempts(self, arn)

    def check(self, arn: str) -> None:
        """Raises ``StoreUnavailable`` for an execution whose events wait: nothing more can be recorded of it."""
        if arn in self.stuck:
            raise StoreUnavailable(*self.stuck[arn].parts)

    @property
    def is_waiting(self) -> bool:
        """Whether anything waits for the database."""
        return self._noted is not None

    async def pause(self, seconds: float) -> None:
        with self._busy():
            await self._sleep(seconds)

    # -- who hears of it ------------------------------------------------------------------------------

    def waits(self, attempts: Attempts, text: str, seconds: float) -> None:
        """What the text says has failed an attempt; the next one is in so many seconds."""
        now = self._now()
        reason = self._reasons.get(text)
        if reason is None or reason.is_forgotten(now):
            reason = self._reasons[text] = _Reason(text, now)
        reason.add(attempts, now)
        if now >= reason.tell_at:
            log.warning("%s", reason.told(attempts.arn, seconds, now), extra=about(attempts.arn))
        self._tell_others()

    def over(self, attempts: Attempts, text: str, *, done: bool) -> None:
        """The attempts have ended, or wait for something else now."""
        now = self._now()
        reason = self._reasons[text]
        reason.remove(attempts, now)
        if done and reason.is_told and not reason.waiting:
            log.warning("%s", reason.told_end(now), extra=about(attempts.arn))
        self._tell_others()

    def _tell_others(self) -> None:
        text = next((text for text, reason in self._reasons.items() if reason.waiting), None)
        if text != self._noted:
            self._noted = text
            self._note(text)


class Attempts:
    """The attempts at one thing."""

    def __init__(self, retrying: Retrying, arn: str) -> None:
        self.arn = arn
        self._retrying = retrying
        self._waits_for: str | None = None
        self._seconds = FIRST_PAUSE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *exc: object) -> None:
        self._wait_no_more(done=failure is None)

    async def insist(self, work: Callable[[], Awaitable[Result]]) -> Result:
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                await self.pause(error)

    async def pause(self, error: StoreUnavailable) -> None:
        """Wait before the next attempt, each time twice as long."""
        seconds, self._seconds = self._seconds, min(2 * self._seconds, LONGEST_PAUSE)
        text = error.reason
        if text != self._waits_for:
            self._wait_no_more(done=False)
            self._waits_for = text
        self._retrying.waits(self, text, seconds)
        await self._retrying.pause(seconds)

    def _wait_no_more(self, *, done: bool) -> None:
        if self._waits_for is not None:
            self._retrying.over(self, self._waits_for, done=done)
            self._waits_for = None


class _Reason:
    """Something that executions wait for: who does, and when it is told next."""

    def __init__(self, text: str, now: float) -> None:
        self.text = text
        self.waiting: dict[Attempts, None] = {}
        self.tell_at = now
        self.is_told = False  # since they have begun to wait
        self._silence = TOLD_AGAIN
        self._since = now
        self._last = now
        self._met: set[str] = set()

    def is_forgotten(self, now: float) -> bool:
        return not self.waiting and now - self._last > FORGOTTEN

    def add(self, attempts: Attempts, now: float) -> None:
        if not self.waiting:
            self._since, self._met, self.is_told = now, set(), False
        self.waiting[attempts] = None
        self._met.add(attempts.arn)

    def remove(self, attempts: Attempts, now: float) -> None:
        del self.waiting[attempts]
        self._last = now

    def told(self, arn: str, seconds: float, now: float) -> str:
        """One line; how many wait, once there are several."""
        self.is_told = True
        self.tell_at, self._silence = now + self._silence, min(3 * self._silence, LONGEST_SILENCE)
        arns = [*dict.fromkeys(one.arn for one in self.waiting)]
        if len(arns) == 1:
            return f"{arn} waits: {self.text}; trying again in {seconds:g} s"
        named = ", ".join(arns[:MAX_NAMED])
        others = f" and {len(arns) - MAX_NAMED} others" if len(arns) > MAX_NAMED else ""
        return (
            f"{named}{others} wait for {_duration(now - self._since)}: {self.text}; "
            f"each is tried again within {LONGEST_PAUSE:g} s"
        )

    def told_end(self, now: float) -> str:
        """One line for all that have waited."""
        some = next(iter(self._met)) if len(self._met) == 1 else f"{len(self._met)} executions"
        goes = "goes" if len(self._met) == 1 else "go"
        return f"the database can be used again: {some} {goes} on after {_duration(now - self._since)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
