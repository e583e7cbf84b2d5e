"""The APIs on a port of their own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from asl_engine.errors import ProjectError
from asl_engine.server.protocol.uvicorn_server import http_server
from asl_engine.server.sockets import MAX_PORT, bind

if TYPE_CHECKING:
    import socket

    import uvicorn

__all__ = ["DEFAULT_PORT", "ApiListener", "free_port"]

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 3000  # as that of sam local start-api and of serverless offline
TRIED: Final = 20
PARAMETER: Final = "http_port"


def free_port(port: int | None) -> socket.socket:
    """A listening socket on this port; without one on 3000, or on the next that is free.

    Raises ``ProjectError``.
    """
    if port is not None:
        return bind(HOST, port, PARAMETER)
    for tried in range(DEFAULT_PORT, min(DEFAULT_PORT + TRIED, MAX_PORT)):
        try:
            return bind(HOST, tried, PARAMETER)
        except ProjectError:
            continue
    return bind(HOST, 0, PARAMETER)


class ApiListener:
    """Answers with an ASGI application from ``open`` to ``close``."""

    def __init__(self, app: Any, port: int | None) -> None:
        self._app = app
        self._port = port
        self._server: uvicorn.Server | None = None
        self._answering: asyncio.Task[None] | None = None
        self.address = ""

    def open(self) -> str:
        """Begin to answer, unless it has begun; returns the address.  Raises ``ProjectError``."""
        if self._answering is None:
            listener = free_port(self._port)
            self.address = f"http://{HOST}:{listener.getsockname()[1]}"
            self._server = http_server(self._app)
            self._answering = asyncio.create_task(self._serve(self._server, listener))
        return self.address

    async def _serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        with listener:
            await server.serve(sockets=[listener])

    async def close(self) -> None:
        if self._answering is not None and self._server is not None:
            self._server.should_exit = True
            await asyncio.wait({self._answering})
