"""An ASGI application that answers for the HTTP APIs of a project."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4

from asl_engine.errors import StoreError
from asl_engine.gateway.cors import preflight, with_cors
from asl_engine.gateway.http import ApiAnswer, ApiRequest, message
from asl_engine.gateway.integrations import perform_route, seconds_of
from asl_engine.gateway.proxy_answers import integration_failed
from asl_engine.gateway.routes import find_route, made_apis
from asl_engine.server.protocol.hosts import answers_to
from asl_engine.server.protocol.http import respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

    from asl_engine.gateway.backend import Backend
    from asl_engine.gateway.routes import GatewayApi, Taken, Twice
    from asl_engine.server.protocol.request import Caller
    from asl_engine.templates.declarations import DeclaredRoute

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

__all__ = ["Gateway", "Handled"]

log = logging.getLogger("asl_engine.gateway")

MAX_BODY_BYTES: Final = 10_485_760
BODY_SECONDS: Final = 60


class Handled(NamedTuple):
    """A request that was answered: ``target`` is what its route leads to, "" without one."""

    method: str
    path: str
    target: str
    status: int
    seconds: float
    why: str


class _Gone(Exception):
    """The client has hung up."""


class Gateway:
    """Answers requests for the routes of ``follow``; ``tell`` hears of each.

    ``hosts`` are the names to answer to besides those of the loopback interface, None for any: a page in a browser
    must not reach the APIs under a name of its own.
    """

    def __init__(
        self,
        backend: Backend,
        account: Caller,
        *,
        hosts: Collection[str] | None = (),
        tell: Callable[[Handled], None] = lambda _: None,
    ) -> None:
        self._backend = backend
        self._account = account
        self._hosts = hosts
        self._tell = tell
        self._going_on: set[asyncio.Task[ApiAnswer]] = set()
        self.apis: list[GatewayApi] = []

    def follow(self, routes: Iterable[DeclaredRoute]) -> list[Twice]:
        """Have these routes from now on; returns those that are declared twice."""
        self.apis, twice = made_apis(routes)
        return twice

    async def close(self) -> None:
        """End what goes on behind answers that were given up."""
        for task in self._going_on:
            task.cancel()
        if self._going_on:
            await asyncio.wait(self._going_on)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        began = time.monotonic()
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        taken = find_route(self.apis, scope["method"], path)
        try:
            answer = await self._answered(scope, receive, path, taken)
        except _Gone:
            return
        headers = [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in answer.headers
        ]
        body = b"" if scope["method"] == "HEAD" else answer.body
        try:
            await respond(send, answer.status, headers, body)
        finally:
            target = "" if taken is None else taken.route.declared.target or ""
            seconds = time.monotonic() - began
            self._tell(Handled(scope["method"], path, target, answer.status, seconds, answer.why))

    async def _answered(
        self, scope: dict[str, Any], receive: Receive, path: str, taken: Taken | None
    ) -> ApiAnswer:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        host = next((value for name, value in headers if name.lower() == "host"), "")
        if self._hosts is not None and not answers_to(host, self._hosts):
            return message(403, "Forbidden", f"the host name {host!r} is not allowed: allow-hosts in asl.toml")
        request = ApiRequest(
            scope["method"],
            path,
            scope["query_string"].decode("latin-1"),
            headers,
            b"",
            int(time.time() * 1000),
            str(uuid4()),
            (scope.get("client") or ("127.0.0.1", 0))[0],
        )
        asked = request.header("access-control-request-method")
        if request.method == "OPTIONS" and asked is not None:
            settled = self._preflight(request, path, asked, taken)
            if settled is not None:
                return settled
        if taken is None:
            return self._no_route(request)
        request = request._replace(identifier=str(uuid4()))
        try:
            body = await _read(receive)
        except ValueError:
            text = "Request Too Long" if taken.api.rest else "Request Entity Too Large"
            answer = message(413, text, f"the body has more than {MAX_BODY_BYTES} bytes")
        except TimeoutError:
            answer = message(408, "Request Timeout", f"the body took more than {BODY_SECONDS} s")
        else:
            answer = await self._performed(request._replace(body=body), taken)
        answer = answer.with_headers({_identifier(taken): request.identifier})
        return answer if taken.api.rest else with_cors(answer, request, taken.route.declared.cors)

    def _preflight(self, request: ApiRequest, path: str, asked: str, taken: Taken | None) -> ApiAnswer | None:
        """What the settings of the API whose route the page is about to use say."""
        if taken is not None and taken.route.declared.method == "OPTIONS":
            return None
        wanted = find_route(self.apis, asked, path) or taken
        if wanted is None:
            return next((found for api in self.apis if (found := preflight(request, _cors(api)))), None)
        return preflight(request, wanted.route.declared.cors)

    def _no_route(self, request: ApiRequest) -> ApiAnswer:
        """As the first API answers."""
        why = "no route is there for it"
        if self.apis and not self.apis[0].rest:
            return with_cors(message(404, "Not Found", why), request, _cors(self.apis[0]))
        return message(403, "Missing Authentication Token", why, error="MissingAuthenticationTokenException")

    async def _performed(self, request: ApiRequest, taken: Taken) -> ApiAnswer:
        """What the integration gives in time.  It goes on where that is over, as it does on AWS."""
        task = asyncio.ensure_future(perform_route(request, taken, self._account, self._backend))
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        seconds = seconds_of(taken)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(task)
        except TimeoutError:
            why = f"the integration took more than {seconds:g} s"
            if taken.api.rest:
                return message(504, "Endpoint request timed out", why)
            return message(503, "Service Unavailable", why)
        except StoreError as error:
            return message(503, "Service Unavailable", str(error))
        except asyncio.CancelledError:
            task.cancel()
            raise
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            return integration_failed(rest=taken.api.rest, why=repr(error))


def _cors(api: GatewayApi) -> Any:
    return next((route.declared.cors for route in api.routes if route.declared.cors), {})


def _identifier(taken: Taken) -> str:
    return "x-amzn-requestid" if taken.api.rest else "apigw-requestid"


async def _read(receive: Receive) -> bytes:
    """The body.  Raises ``ValueError`` for one that is too long, ``TimeoutError`` for one that does not come."""
    content = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        while True:
            received = await receive()
            if received["type"] == "http.disconnect":
                raise _Gone
            content += received.get("body", b"")
            if len(content) > MAX_BODY_BYTES:
                raise ValueError
            if not received.get("more_body", False):
                return bytes(content)
