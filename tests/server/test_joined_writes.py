"""The head of an answer and its body are sent together."""

from __future__ import annotations

import asyncio

from asl_engine.server.protocol.joined_writes import JoinedWrites


class Sent(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_what_is_written_in_one_turn_is_sent_together() -> None:
    async def scenario() -> None:
        below = Sent()
        transport = JoinedWrites(below, asyncio.get_running_loop())
        transport.write(b"head ")
        transport.write(b"body")
        assert below.sent == []
        await asyncio.sleep(0)
        transport.write(b"next")
        await asyncio.sleep(0)
        assert below.sent == [b"head body", b"next"]

    asyncio.run(scenario())


def test_what_was_written_is_sent_before_the_end() -> None:
    async def scenario() -> None:
        below = Sent()
        transport = JoinedWrites(below, asyncio.get_running_loop())
        transport.write(b"last")
        transport.close()
        assert (below.sent, transport.is_closing()) == ([b"last"], True)
        await asyncio.sleep(0)
        assert below.sent == [b"last"]

    asyncio.run(scenario())


def test_nothing_is_sent_after_an_abort() -> None:
    async def scenario() -> None:
        below = Sent()
        transport = JoinedWrites(below, asyncio.get_running_loop())
        transport.write(b"lost")
        transport.abort()
        await asyncio.sleep(0)
        assert below.sent == []

    asyncio.run(scenario())
