"""Executions whose process has died while this server runs: it goes on with them.

A process that drives executions holds a lease.  Looking whether it still does costs a few system calls.  The
database is asked only when a lease is gone, or when others have written and may have come and gone between two
looks.

What a command has left in good order stays: whoever interrupted it has been told how to go on.  What another
server has left so is taken over, since nobody else would go on with it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from asl_engine.errors import StoreError, StoreUnavailable
from asl_engine.resources.log_subjects import about

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from asl_engine.errors import AslError
    from asl_engine.store.protocol import Store

__all__ = ["Takeover"]

log = logging.getLogger("asl_engine.server")

LOOK_SECONDS = 5.0
# After how many looks the database is asked although no lease is gone, while others write.
LOOKS_BETWEEN = 12  # a minute
MAX_NAMED = 3


class Takeover:
    """``adopt`` goes on with executions, by their ARNs: what prevents each, None where nothing does.

    ``finalize`` does what is left to do of Map Runs that are over.  ``given_up`` are executions that this process
    has driven and cannot drive on.
    """

    def __init__(
        self,
        store: Store,
        adopt: Callable[[Sequence[str]], Awaitable[Mapping[str, AslError | None]]],
        finalize: Callable[[], Awaitable[None]],
        given_up: Collection[str] = (),
    ) -> None:
        self._store = store
        self._adopt = adopt
        self._finalize = finalize
        self._given_up = given_up
        self._living = self._alive(store.other_leases())
        self._left: dict[str, str] = {}  # executions that this server cannot go on with, and who had them
        self._again: list[str] = []  # executions that the database could not be used for
        self._is_due = False
        self._others_wrote = False
        self._looks = 0
        self._told = ""

    def others_have_written(self) -> None:
        """Another process has written to the database, so it may drive executions."""
        self._others_wrote = True

    def retry(self, arn: str) -> None:
        """The database could not be used to go on with an execution: try it again."""
        self._again.append(arn)

    async def run(self) -> None:
        """Look, until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> list[str]:
        """Go on with what has been left behind since the last look; the ARNs."""
        self._notice()
        again, self._again = self._again, []
        taken = await self._take(again)
        if not self._is_due:
            return taken
        try:
            await self._finalize()
            orphans = await self._store.orphans()
        except StoreError as error:
            self._tell_once(str(error))
            return taken
        self._is_due, self._told = False, ""
        wanted = {arn: owner for arn, owner, served in orphans if self._is_wanted(arn, owner, served=served)}
        found = await self._take([*wanted])
        self._left |= {arn: wanted[arn] for arn in wanted.keys() - {*found, *self._again}}
        if found:
            named = ", ".join(found[:MAX_NAMED])
            others = f" and {len(found) - MAX_NAMED} others" if len(found) > MAX_NAMED else ""
            log.warning("%s%s: the process is gone, and this server goes on", named, others)
        return taken + found

    def _is_wanted(self, arn: str, owner: str, *, served: bool) -> bool:
        return bool(owner or served) and arn not in self._given_up and self._left.get(arn) != owner

    def _notice(self) -> None:
        """Whether somebody has gone, or may have come and gone."""
        leases = self._store.other_leases()
        living = self._alive(leases)
        if self._living - living or len(living) < len(leases):
            self._is_due = True
        self._living = living
        self._looks += 1
        if self._looks >= LOOKS_BETWEEN:
            self._is_due |= self._others_wrote
            self._looks, self._others_wrote = 0, False

    @staticmethod
    def _alive(leases: Mapping[str, bool]) -> set[str]:
        return {token for token, alive in leases.items() if alive}

    async def _take(self, arns: Sequence[str]) -> list[str]:
        """Those of the executions that go on here now."""
        taken = []
        for arn, error in (await self._adopt(arns)).items():
            if error is None:
                taken.append(arn)
            elif isinstance(error, StoreUnavailable):
                self._again.append(arn)
            else:
                log.warning("cannot resume %s: %s", arn, error, extra=about(arn))
        return taken

    def _tell_once(self, text: str) -> None:
        if text != self._told:
            self._told = text
            log.error("%s", text)
