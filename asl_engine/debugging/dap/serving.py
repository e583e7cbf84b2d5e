"""Where an editor talks to the debugger: on the standard streams of a process, or on a port of this machine."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from contextlib import contextmanager, suppress
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, BinaryIO

from asl_engine.debugging.dap.framing import BadFrame, BadMessage, framed, read_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.debugging.dap.adapter import Adapter
    from asl_engine.debugging.dap.launching import Launcher

__all__ = ["serve_port", "serve_stdio"]

LOOPBACK = "127.0.0.1"
HEADER_BYTES = 65_536
CHUNK = 65_536


async def converse(reader: asyncio.StreamReader, write: Callable[[bytes], None], launcher: Launcher) -> str | None:
    """Take requests until the editor has enough, or is gone; what it has sent that is no message, if anything."""

    def send(message: dict[str, Any]) -> None:
        with suppress(OSError, ValueError):  # nobody hears it any more: the end of what they send will tell
            write(framed(message))

    from asl_engine.debugging.dap.adapter import Adapter

    adapter = Adapter(send, launcher)
    try:
        with told_to_editor(adapter):
            while not adapter.over:
                try:
                    message = await read_message(reader)
                except BadMessage as error:
                    adapter.output(f"{error}\n", "stderr")
                    continue
                if message is None:
                    break
                await adapter.take(message)
    except BadFrame as error:
        return str(error)
    finally:
        await adapter.vanish()
    return None


async def serve_stdio(launcher: Launcher) -> str | None:
    """On the standard streams, which tasks do not get at: what they print is shown by the editor.

    Returns what has come that is no message, if anything.
    """
    with own_streams() as (incoming, outgoing):
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(HEADER_BYTES)
        Thread(target=_feed, args=(incoming, reader, loop), daemon=True).start()

        def write(data: bytes) -> None:
            outgoing.write(data)
            outgoing.flush()

        return await converse(reader, write, launcher)


def _feed(incoming: BinaryIO, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
    with suppress(RuntimeError):  # the loop is closed
        try:
            while data := os.read(incoming.fileno(), CHUNK):
                loop.call_soon_threadsafe(reader.feed_data, data)
        except OSError:
            pass
        loop.call_soon_threadsafe(reader.feed_eof)


@contextmanager
def own_streams() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The standard input and output for us alone: others read nothing, and write to the standard error."""
    with (
        os.fdopen(os.dup(0), "rb", buffering=0) as incoming,
        os.fdopen(os.dup(1), "wb") as outgoing,
        open(os.devnull, "rb") as nothing,  # noqa: PTH123  for its descriptor
    ):
        os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        try:
            yield incoming, outgoing
        finally:
            with suppress(OSError):
                os.dup2(incoming.fileno(), 0)
                os.dup2(outgoing.fileno(), 1)


async def serve_port(port: int, launcher: Launcher, listening: Callable[[int], None]) -> None:
    """On a port of the loopback interface, one editor after the other, until cancelled.

    ``listening`` is told the port: 0 stands for any that is free.  Raises ``OSError`` for one that is taken.
    """
    busy = asyncio.Lock()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if busy.locked():
                writer.write(framed(_refusal()))
                await writer.drain()
                return
            async with busy:
                fault = await converse(reader, writer.write, launcher)
            if fault is not None:
                print(f"asl: error: {fault}", file=sys.stderr)  # noqa: T201  there is nobody else to tell
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(connected, LOOPBACK, port, limit=HEADER_BYTES)
    async with server:
        listening(server.sockets[0].getsockname()[1])
        await server.serve_forever()


def _refusal() -> dict[str, Any]:
    text = "another editor is connected to this debugger\n"
    return {"seq": 1, "type": "event", "event": "output", "body": {"category": "stderr", "output": text}}


@contextmanager
def told_to_editor(adapter: Adapter) -> Iterator[None]:
    """What tasks print goes to the editor's console, line by line."""
    before = sys.stdout
    sys.stdout = _Printed(adapter, asyncio.get_running_loop())
    try:
        yield
    finally:
        sys.stdout = before


class _Printed(io.TextIOBase):
    """A text stream that any thread may write to."""

    def __init__(self, adapter: Adapter, loop: asyncio.AbstractEventLoop) -> None:
        self._adapter = adapter
        self._loop = loop

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if current_thread() is main_thread():
            self._adapter.output(text, "stdout")
        else:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._adapter.output, text, "stdout")
        return len(text)
