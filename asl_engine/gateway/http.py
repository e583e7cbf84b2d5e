"""A request and an answer of an HTTP API, apart from the connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json

__all__ = ["ApiAnswer", "ApiRequest", "message"]

JSON_TYPE = "application/json"


class ApiRequest(NamedTuple):
    """``path`` and ``query`` are as they were sent, ``path`` without the prefix of its API.

    ``at`` is the time in milliseconds since the epoch, ``identifier`` is unique.  ``host`` is the Host header.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: int
    identifier: str
    client: str = "127.0.0.1"

    def header(self, name: str) -> str | None:
        """The last value of a header, whose name is in lower case; None without one."""
        values = self.header_values().get(name)
        return None if values is None else values[-1]

    def header_values(self) -> dict[str, list[str]]:
        """All values by the names of headers in lower case."""
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return found

    def parameters(self) -> dict[str, list[str]]:
        """All values of the query, decoded."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found

    @property
    def media_type(self) -> str:
        return (self.header("content-type") or JSON_TYPE).partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class ApiAnswer(NamedTuple):
    """``why`` is what people at the terminal want to know of an answer that is an error."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    why: str = ""

    def with_headers(self, more: Mapping[str, str]) -> ApiAnswer:
        """The answer with these headers instead of its own of those names."""
        names = {name.lower() for name in more}
        kept = (one for one in self.headers if one[0].lower() not in names)
        return self._replace(headers=(*kept, *more.items()))


def message(status: int, text: str, why: str = "", *, error: str = "") -> ApiAnswer:
    """How API Gateway itself answers; ``error`` is the name that its REST APIs give in a header."""
    headers = (("content-type", JSON_TYPE), *((("x-amzn-errortype", error),) if error else ()))
    content: Json = {"message": text}
    return ApiAnswer(status, headers, json.dumps(content, separators=(",", ":")).encode(), why)
