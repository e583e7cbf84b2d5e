"""What may answer beside the API, on the same port: the console, the metrics, a project under development.

The server knows nothing of it but this: under which path it answers, and that it wants to hear of events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run

__all__ = ["Companion"]


class Companion(Protocol):
    """``path`` and all that is below it are its own; an ASGI application answers there."""

    path: str

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None: ...

    async def run(self) -> None:
        """Work beside the API, from when it answers until this ends or is cancelled."""
        ...

    def observe(self, run: Run, events: list[Event]) -> None:
        """These events are on disk.  It is called for all of them, so it has to be quick."""
        ...

    def others_have_written(self) -> None:
        """Another process may have written to the database."""
        ...

    def close(self) -> None:
        """The server stops: end whatever goes on for long."""
        ...
