"""uvicorn's HTTP protocol with limits for the head of a request: its size, and the time it may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from asl_engine.server.protocol.joined_writes import JoinedWrites

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

__all__ = ["HANG_UP", "BoundedProtocol"]

# The extension of a request's scope with which an application breaks the connection off: a reader who does not
# read can be got rid of in no other way.
HANG_UP = "asl_engine.hang_up"

MAX_HEAD_BYTES = 65_536
# From the connection, or from the first byte behind another request, to the end of the head.  Clients that keep
# a connection for later are let go sooner: uvicorn waits for five seconds after an answer.
HEAD_SECONDS = 30


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request with an endless head, which httptools would keep in memory.

    Hangs up on clients who connect and send no request: each takes one of the files that a process can open.
    """

    _in_head = False
    _head_bytes = 0  # of an unfinished head, without what came together with the end of another request
    _patience: asyncio.TimerHandle | None = None  # runs while a head is waited for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(JoinedWrites(transport, self.loop))
        self._patience = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: self.transport.abort}  # type: ignore[dict-item]  # ours is a function
        self._in_head, self._head_bytes = True, -1

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn declares
        idle = cycle is None or cycle.response_complete
        if (self._in_head or idle) and self._patience is None and not self.transport.is_closing():
            self._patience = self.loop.call_later(HEAD_SECONDS, self._hang_up)
        if not self._in_head:
            return
        self._head_bytes = 0 if self._head_bytes < 0 else self._head_bytes + len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _hang_up(self) -> None:
        """Close the connection, unless it closes already.  An answer that is being sent comes first."""
        self._patience = None
        if not self.transport.is_closing():
            self.transport.close()
