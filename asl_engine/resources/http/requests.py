"""HTTP requests of tasks: what ``http:invoke`` and ``apigateway:invoke`` have in common.

Needs the extra ``http`` (httpx), which is imported with the first call.  Redirects are answers like others: a
request, with the secrets in it, goes only where it was addressed.
"""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.resources.http.bounds import MAX_BYTES, too_large
from asl_engine.resources.request_fields import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager

    from asl_engine.json_values import Json
    from asl_engine.resources import TaskCall

__all__ = ["HttpAnswer", "HttpRequest", "fits_header", "http_client", "joined", "reason", "send"]

CHUNK_BYTES: Final = 16_384


class HttpRequest(NamedTuple):
    """A request.  ``url`` is complete, with the query."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None

    @property
    def protocol(self) -> str:
        return self.url.partition(":")[0]

    def members(self) -> dict[str, str]:
        """As botocore's InspectionDataRequest."""
        headers = _shown(self.headers.items())
        told = {"protocol": self.protocol, "method": self.method, "url": self.url, "headers": headers}
        return told if self.body is None else {**told, "body": self.body.decode()}


class HttpAnswer(NamedTuple):
    """A response.  ``headers`` keep their order and spelling; ``phrase`` is the text of the status."""

    status: int
    phrase: str
    headers: list[tuple[str, str]]
    data: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")

    def members(self) -> dict[str, str]:
        """As botocore's InspectionDataResponse, but for the protocol."""
        headers = _shown(self.headers)
        return {
            "statusCode": str(self.status),
            "statusMessage": self.phrase,
            "headers": headers,
            "body": self.text,
        }

    def result(self) -> dict[str, Json]:
        """The response as a task's result; the body is JSON if it parses as JSON, else text."""
        headers: dict[str, Json] = {}
        for name, value in self.headers:
            known = headers.setdefault(name, [])
            assert isinstance(known, list)  # noqa: S101  made here
            known.append(value)
        try:
            body: Json = loads(self.text)
        except JsonSyntaxError:
            body = self.text
        return {"Headers": headers, "ResponseBody": body, "StatusCode": self.status, "StatusText": self.phrase}


def _shown(headers: Iterable[tuple[str, str]]) -> str:
    return f"[{', '.join(f'{name}: {text}' for name, text in headers)}]"


def http_client(call: TaskCall, longest: float, **settings: Any) -> AbstractAsyncContextManager[Any]:
    """A client for one task: each step takes at most ``longest`` seconds and ends with the task's time."""
    import httpx

    for name in ("httpx", "httpcore"):  # they would log URLs and headers, with the secrets in them
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(timeout=_seconds(call, longest), follow_redirects=False, **settings)


def _seconds(call: TaskCall, longest: float) -> float:
    if call.deadline is None:
        return longest
    return min(longest, max(0.001, call.deadline / 1000 - time.time()))


async def send(client: Any, request: HttpRequest, call: TaskCall, longest: float) -> HttpAnswer:
    """The answer, within ``longest`` seconds in total.

    Raises ``StatesError`` for an answer that is too large for a task's result, and httpx's exceptions.
    """
    import asyncio

    import httpx

    try:
        async with asyncio.timeout(longest):
            return await _receive(client, request, call)
    except TimeoutError as error:  # a server that sends a byte only now and then
        raise httpx.ReadTimeout("") from error


async def _receive(client: Any, request: HttpRequest, call: TaskCall) -> HttpAnswer:
    data = bytearray()
    streaming = client.stream(request.method, request.url, headers=request.headers, content=request.body)
    async with streaming as answer:
        async for chunk in answer.aiter_bytes(CHUNK_BYTES):  # after decompression: that is what counts
            data += chunk
            if len(data) > MAX_BYTES:
                if not answer.is_success:
                    break  # the cause of a failure is cut anyway
                raise too_large(call.state)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw]
    return HttpAnswer(answer.status_code, _phrase(answer), headers, bytes(data[:MAX_BYTES]))


def _phrase(answer: Any) -> str:
    if answer.reason_phrase:
        return str(answer.reason_phrase)
    try:  # HTTP/2 sends none; AWS knows none for a teapot (recorded)
        return "" if answer.status_code == HTTPStatus.IM_A_TEAPOT else HTTPStatus(answer.status_code).phrase
    except ValueError:
        return ""


def reason(error: Exception) -> str:
    """The reason of a failed connection, without anything that was sent."""
    name = type(error).__name__
    return f"{name}: {error}" if name.startswith("Connect") and str(error) else name


def joined(value: Json) -> str:
    """The text of a header that may have several values."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def fits_header(item: Any) -> bool:
    """Whether a value can stand in a header: a text that does not end it, a number, or what is ``UNKNOWN`` yet."""
    if item is UNKNOWN:
        return True
    return isinstance(item, str | int | float) and not any(character in str(item) for character in "\r\n\0")
