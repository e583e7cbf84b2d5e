"""Executions that this process cannot drive on: it gives up its claim to them, so that another one can try."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from asl_engine.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from asl_engine.engine.retrying import Retrying
    from asl_engine.store.protocol import Store

__all__ = ["GivenUp"]


class GivenUp:
    """``arns`` are all that were given up; ``leaving`` are those of them that this process still owns."""

    def __init__(
        self,
        store: Store,
        retrying: Retrying,
        spawn: Callable[[Coroutine[None, None, None]], asyncio.Task[None]],
    ) -> None:
        self.arns: set[str] = set()
        self.leaving: set[str] = set()
        self._store = store
        self._retrying = retrying
        self._spawn = spawn

    def add(self, arn: str) -> None:
        self.arns.add(arn)
        self.leaving.add(arn)
        self._spawn(self._leave(arn))

    def check(self, arn: str) -> None:
        """Raises ``StoreUnavailable`` for one that is to be resumed before it has been left."""
        if arn in self.leaving:
            raise StoreUnavailable(f"The execution {arn} is just being given up")

    async def _leave(self, arn: str) -> None:
        with suppress(StoreError):  # then this process owns it until it ends
            await self._retrying.insist(arn, partial(self._store.leave, [arn]))
        self.leaving.discard(arn)
