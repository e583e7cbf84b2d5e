"""A request to the console: what it asks for, and what the answer is made of."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.console.refusals import ConsoleError
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.server.protocol.http import MAX_BODY_BYTES, perform
from asl_engine.server.protocol.request import Request as ApiRequest
from asl_engine.server.protocol.tokens import expiring, page_token, position_of, unexpired

if TYPE_CHECKING:
    from starlette.requests import Request

    from asl_engine.console.guard import Guard
    from asl_engine.console.live import Hub
    from asl_engine.console.pasts import Pasts
    from asl_engine.console.settings import ConsoleSettings
    from asl_engine.console.violations import Violations
    from asl_engine.server.protocol.request import Caller
    from asl_engine.server.service import Operations, Service

__all__ = ["Asked", "Desk", "read_body"]

BODY_SECONDS: Final = 60


class Desk(NamedTuple):
    """What all routes share.  ``caller`` is whose executions are shown."""

    service: Service
    operations: Operations
    caller: Caller
    settings: ConsoleSettings
    guard: Guard
    pasts: Pasts
    hub: Hub
    violations: Violations


class Asked:
    """One request; ``api`` is the same as the operations of the API know it."""

    def __init__(self, desk: Desk, http: Request, body: dict[str, Any] | None = None) -> None:
        self.desk = desk
        self.http = http
        self.body: dict[str, Any] = {} if body is None else body
        self.api = ApiRequest(self.body, desk.caller)

    @property
    def service(self) -> Service:
        return self.desk.service

    # -- what is in the address ---------------------------------------------------------------------

    def text(self, name: str) -> str:
        """A parameter that is needed.  Raises ``ConsoleError``."""
        value = self.http.query_params.get(name)
        if not value:
            raise ConsoleError(400, "InvalidRequest", f"The parameter {name} is missing")
        return value

    def optional(self, name: str) -> str | None:
        """None where it is missing or empty."""
        return self.http.query_params.get(name) or None

    def number(self, name: str, default: int, least: int = 0, most: int = 2**53) -> int:
        """A whole number.  Raises ``ConsoleError`` for anything else, and for one out of bounds."""
        given = self.http.query_params.get(name)
        if not given:
            return default
        try:
            value = int(given)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ConsoleError(
                400,
                "InvalidRequest",
                f"The parameter {name} is a number from {least} to {most}, not {given[:40]!r}",
            )
        return value

    def optional_number(self, name: str) -> int | None:
        return self.number(name, 0) if self.http.query_params.get(name) else None

    def one_of(self, name: str, known: tuple[str, ...]) -> Any:
        """One of these words, None where it is missing."""
        value = self.optional(name)
        if value is not None and value not in known:
            raise ConsoleError(
                400, "InvalidRequest", f"The parameter {name} is one of {', '.join(known)}, not {value[:40]!r}"
            )
        return value

    def position(self, *query: Any) -> Any:
        """Where the page ``after`` begins, None for the first.  Raises ``ApiError`` for another list's."""
        token = self.optional("after")
        return None if token is None else position_of(unexpired(token, time.time()), query)

    def token(self, position: Any, *query: Any) -> str | None:
        """The token of the page that begins there."""
        return None if position is None else expiring(page_token(query, position), time.time())

    # -- what is in the body ------------------------------------------------------------------------

    def given(self, name: str) -> str:
        """A text that is needed."""
        value = self.optional_given(name)
        if value is None:
            raise ConsoleError(400, "InvalidRequest", f"The member {name} is missing")
        return value

    def optional_given(self, name: str) -> str | None:
        value = self.body.get(name)
        if value is None or isinstance(value, str):
            return value
        raise ConsoleError(400, "InvalidRequest", f"The member {name} has to be a text")

    def given_number(self, name: str) -> int | None:
        value = self.body.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise ConsoleError(400, "InvalidRequest", f"The member {name} has to be a number that counts from 0")

    # -- the API ------------------------------------------------------------------------------------

    async def perform(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        """What an operation of the API answers.  Raises ``ApiError``."""
        return await perform(self.desk.operations, operation, ApiRequest(members, self.desk.caller), self.service)


async def read_body(http: Request) -> dict[str, Any]:
    """The members of the body.  Raises ``ConsoleError`` unless it is an object, sent in time and not too large."""
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in http.stream():
                content += part
                if len(content) > MAX_BODY_BYTES:
                    raise ConsoleError(413, "RequestTooLarge", f"The body has more than {MAX_BODY_BYTES} bytes")
    except TimeoutError:
        raise ConsoleError(408, "RequestTimeout", f"The body took more than {BODY_SECONDS} s") from None
    try:
        body = loads(content.decode()) if content else {}
    except (UnicodeDecodeError, JsonSyntaxError) as error:
        raise ConsoleError(400, "InvalidRequest", f"The body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise ConsoleError(400, "InvalidRequest", "The body has to be a JSON object")
    return body
