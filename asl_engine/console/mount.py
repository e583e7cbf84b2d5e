"""The console as the server has it: nothing of it is imported before somebody asks for a page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.console.app import ConsoleApp
    from asl_engine.console.settings import ConsoleSettings
    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service

__all__ = ["PATH", "Console"]

PATH = "/console"


class Console:
    """A ``Companion`` of the server."""

    path = PATH

    def __init__(
        self, service: Service, operations: Operations, admission: Admission, settings: ConsoleSettings
    ) -> None:
        self._service = service
        self._operations = operations
        self._admission = admission
        self._settings = settings
        self._app: ConsoleApp | None = None
        self._making = asyncio.Lock()
        self._closed = False

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        app = self._app or await self._made()
        await app(scope, receive, send)

    async def _made(self) -> ConsoleApp:
        """The imports take a tenth of a second, in which the API has to answer."""
        async with self._making:
            if self._app is None:
                app_class = await run_in_thread(_imported)
                self._app = app_class(self._service, self._operations, self._admission, self._settings)
                if self._closed:
                    self._app.hub.close()
            return self._app

    async def run(self) -> None:
        """It answers, and does nothing else."""

    def observe(self, run: Run, events: list[Event]) -> None:
        if self._app is not None:
            self._app.hub.observe(run, events)

    def others_have_written(self) -> None:
        if self._app is not None:
            self._app.hub.others_have_written()

    def close(self) -> None:
        self._closed = True
        if self._app is not None:
            self._app.hub.close()


def _imported() -> type[ConsoleApp]:
    from asl_engine.console.app import ConsoleApp

    return ConsoleApp
