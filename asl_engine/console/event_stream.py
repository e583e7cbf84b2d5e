"""An answer that goes on for as long as the page is open.

A reader who does not read is hung up on: the browser connects again, and says what it saw last.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from asl_engine.server.protocol.uvicorn_limits import HANG_UP

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

__all__ = ["EventStream"]

HEAD: Final = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
PATIENCE_SECONDS: Final = 10.0  # for a reader whose buffers are full


class EventStream:
    """An ASGI application: the messages of ``source``, until the reader is gone or ``closed`` is done."""

    def __init__(self, source: AsyncGenerator[bytes, None], closed: asyncio.Future[None]) -> None:
        self._source = source
        self._closed = closed

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEAD})
        writing = asyncio.ensure_future(self._write(scope, send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({writing, gone, self._closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writing, gone):
                task.cancel()
            await asyncio.wait({writing, gone})
        if not writing.cancelled():
            writing.result()
        await send({"type": "http.response.body", "body": b""})

    async def _write(self, scope: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        async with aclosing(self._source) as source:
            async for text in source:
                try:
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await send({"type": "http.response.body", "body": text, "more_body": True})
                except TimeoutError:
                    hang_up = (scope.get("extensions") or {}).get(HANG_UP)
                    if hang_up is not None:
                        hang_up()
                    return


async def _gone(receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
