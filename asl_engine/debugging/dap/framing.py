"""Messages as they go over the wire: a header with the length, then JSON."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_MESSAGE_BYTES", "BadFrame", "BadMessage", "framed", "read_message"]

MAX_MESSAGE_BYTES = 16_777_216
MAX_HEADER_BYTES = 4096
LENGTH = "content-length"


class BadFrame(Exception):
    """What comes is no message, and it cannot be told where the next one begins."""


class BadMessage(Exception):
    """A message came that cannot be read; the next one can."""


def framed(message: Mapping[str, Any]) -> bytes:
    body = json.dumps(message, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


async def read_message(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message; None where nobody sends any more.  Raises ``BadFrame`` and ``BadMessage``."""
    try:
        header = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadFrame(f"the connection ended within a header: {error.partial[:80]!r}") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadFrame(
            "there is no header of the Debug Adapter Protocol, which begins with Content-Length"
        ) from None
    length = _length(header)
    try:
        body = await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise BadFrame(f"the connection ended after {len(error.partial)} of {length} bytes") from None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"a message is no JSON: {error}") from None
    if not isinstance(message, dict):
        raise BadMessage("a message is no JSON object")
    return message


def _length(header: bytes) -> int:
    for line in header.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name.strip().lower() == LENGTH and value.strip().isdecimal():
            length = int(value)
            if length > MAX_MESSAGE_BYTES:
                raise BadFrame(f"a message of {length} bytes is too long: {MAX_MESSAGE_BYTES} are taken")
            return length
    raise BadFrame(f"a header has no Content-Length: {header[:80]!r}")
