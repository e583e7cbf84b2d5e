"""The console's ASGI application: routes, pages, streams, with a guard before them all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from asl_engine.console.asked import Asked, Desk, read_body
from asl_engine.console.event_stream import EventStream
from asl_engine.console.files import Files
from asl_engine.console.guard import HEADERS, Guard
from asl_engine.console.live import Hub, list_stream, run_stream
from asl_engine.console.pasts import Pasts
from asl_engine.console.refusals import ConsoleError, answer, refused
from asl_engine.console.routes.table import ROUTES
from asl_engine.console.violations import Violations
from asl_engine.server.protocol.request import Request as ApiRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.console.routes.table import ConsoleRoute
    from asl_engine.console.settings import ConsoleSettings
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service

__all__ = ["ConsoleApp"]

API: Final = "/console/api/"
METHODS: Final = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"]


class ConsoleApp:
    """Everything below ``/console``."""

    def __init__(
        self, service: Service, operations: Operations, admission: Admission, settings: ConsoleSettings
    ) -> None:
        self.hub = Hub(service)
        guard = Guard(admission, settings.token)
        self._guard = guard
        self._desk = Desk(
            service, operations, admission.default, settings, guard, Pasts(service), self.hub, Violations()
        )
        self._files = Files()
        routes = [Route(API + one.path, self._endpoint(one), methods=[one.method]) for one in ROUTES]
        self._app = Starlette(
            routes=[
                *routes,
                Route(f"{API}stream", self._stream, methods=["GET"]),
                Route(f"{API}{{path:path}}", _nothing, methods=METHODS),
                Route("/console/static/{path:path}", self._static, methods=["GET"]),
                Route("/console", self._page, methods=["GET"]),
                Route("/console/{path:path}", self._page, methods=["GET"]),
            ],
            exception_handlers={HTTPException: _http_error},
        )

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        async def send_with_headers(event: dict[str, Any]) -> None:
            if event["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                event = {**event, "headers": [*event["headers"], *own]}
            await send(event)

        app: Any = self._app
        try:
            self._guard.check(Request(scope))
        except ConsoleError as error:
            app = refused(error)
        await app(scope, receive, send_with_headers)

    def _endpoint(self, route: ConsoleRoute) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                body = await read_body(request) if route.method == "POST" else None
                told = await route.handler(Asked(self._desk, request, body))
            except Exception as error:  # noqa: BLE001  each is told, and what is a defect is logged
                return refused(error)
            return told if isinstance(told, Response) else answer(told)

        return endpoint

    async def _stream(self, request: Request) -> Any:
        """Of one execution, or of the list."""
        asked = Asked(self._desk, request)
        last = request.headers.get("last-event-id")
        api = ApiRequest({}, self._desk.caller)
        try:
            arn = asked.optional("run")
            if arn is None:
                self.hub.check_room()
                source = list_stream(self.hub, api, last)
            else:
                past = await self._desk.pasts.of(api, arn)
                self.hub.check_room()
                after = asked.number("after", past.last)
                if last is not None and last.isdecimal() and len(last) < 18:
                    after = int(last)
                source = run_stream(self.hub, self._desk.pasts, api, arn, after)
        except Exception as error:  # noqa: BLE001  as above
            return refused(error)
        return EventStream(source, self.hub.closed)

    async def _page(self, request: Request) -> Response:
        return self._files.index(request.headers.get("if-none-match"))

    async def _static(self, request: Request) -> Response:
        try:
            return self._files.file(request.path_params["path"], request.headers.get("if-none-match"))
        except ConsoleError as error:
            return refused(error)


async def _nothing(request: Request) -> Response:
    path = request.url.path.removeprefix(API)
    methods = {"GET"} if path == "stream" else {one.method for one in ROUTES if _leads(one.path, path)}
    if methods:
        told = refused(ConsoleError(405, "MethodNotAllowed", f"{request.method} is not for this address"))
        told.headers["Allow"] = ", ".join(sorted(methods))
        return told
    return refused(ConsoleError(404, "NotFound", f"The console has no {json.dumps(request.url.path[:80])}"))


def _leads(route: str, path: str) -> bool:
    begin, brace, _ = route.partition("{")
    return path.startswith(begin) if brace else path == route


async def _http_error(request: Request, error: Exception) -> Response:
    """What starlette itself refuses: a method that a path has not."""
    del request
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = refused(ConsoleError(status, "MethodNotAllowed" if status == 405 else "NotFound", str(error)))
    if isinstance(error, HTTPException):
        told.headers.update(error.headers or {})
    return told
