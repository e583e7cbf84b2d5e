"""A companion of the server that has nothing to answer: it only works beside the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.server.protocol.http import respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run

__all__ = ["SilentCompanion"]


class SilentCompanion:
    """What works beside the API in ``run``, until that is cancelled, and answers nothing."""

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        del scope, receive
        await respond(send, 404, [])

    def observe(self, run: Run, events: list[Event]) -> None:
        """What executions do does not matter to it."""

    def others_have_written(self) -> None:
        """Nothing depends on that."""

    def close(self) -> None:
        """``run`` is cancelled."""
