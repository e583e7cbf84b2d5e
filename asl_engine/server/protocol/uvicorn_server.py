"""uvicorn as a server is here: on a socket that is bound already, within limits, without signals of its own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from asl_engine.server.protocol.uvicorn_limits import BoundedProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["http_server"]

GRACE_SECONDS: Final = 1  # for requests that are being answered when the server stops


class _Server(uvicorn.Server):
    """Leaves signals to the command."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def http_server(app: Any) -> uvicorn.Server:
    """A server of an ASGI application.  ``serve(sockets=[...])`` answers until ``should_exit`` is set."""
    return _Server(
        uvicorn.Config(
            app,
            access_log=False,
            http=BoundedProtocol,
            lifespan="off",
            log_config=None,
            log_level="error",  # malformed requests need no log lines
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ws="none",
        )
    )
