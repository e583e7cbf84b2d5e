"""A gateway without a socket: requests in, answers out, and a backend that remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.gateway.app import Gateway
from asl_engine.server.protocol.request import Caller
from asl_engine.templates.declarations import DeclaredRoute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.gateway.app import Handled

ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:hello"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:order"
STARTED = {"executionArn": "arn:aws:states:us-east-1:123456789012:execution:order:e", "startDate": 1.5}


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Backend:
    """``function`` makes what a call returns, ``answers`` are those of operations."""

    def __init__(self, function: Callable[[Any], Any] | None = None, **answers: tuple[int, Any]) -> None:
        self.function = function or (lambda event: {"statusCode": 200, "body": json.dumps(event)})
        self.answers = answers
        self.events: list[Any] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def call(self, function: str, event: Any, *, key: str, caller: str, name: str) -> Any:
        assert (function, bool(key), bool(caller), bool(name)) == (FUNCTION, True, True, True)
        self.events.append(event)
        made = self.function(event)
        return await made if asyncio.iscoroutine(made) else made

    async def ask(self, service: str, operation: str, members: dict[str, Any]) -> tuple[int, bytes]:
        self.asked.append((f"{service}:{operation}", members))
        status, body = self.answers.get(operation, (200, STARTED))
        return status, json.dumps(body).encode()


def route(method: str = "GET", path: str = "/hello", **more: Any) -> DeclaredRoute:
    """A route of a REST API to a function."""
    fields = {"api": "Api", "stage": "Prod", "target": FUNCTION, "location": "template.yaml:1", **more}
    return DeclaredRoute(method=method, path=path, **fields)


def http_route(method: str = "GET", path: str = "/hello", **more: Any) -> DeclaredRoute:
    """A route of an HTTP API."""
    return route(method, path, **{"api": "HttpApi", "stage": "$default", "payload": "2.0", **more})


class Client:
    def __init__(self, *routes: DeclaredRoute, backend: Backend | None = None) -> None:
        self.backend = backend or Backend()
        self.told: list[Handled] = []
        self.gateway = Gateway(self.backend, Caller("us-east-1", ACCOUNT), tell=self.told.append)
        self.twice = self.gateway.follow(routes)

    def __call__(
        self,
        method: str,
        url: str,
        body: bytes | str = b"",
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    ) -> Answer:
        return asyncio.run(self.request(method, url, body, headers))

    async def request(
        self,
        method: str,
        url: str,
        body: bytes | str = b"",
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    ) -> Answer:
        path, _, query = url.partition("?")
        given = [*headers.items()] if isinstance(headers, dict) else [*(headers or [])]
        sent = [("Host", "127.0.0.1:3000"), *given]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent],
            "client": ("127.0.0.1", 40000),
        }
        messages: list[dict[str, Any]] = []
        content = body.encode() if isinstance(body, str) else body

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        await self.gateway(scope, receive, send)
        head, rest = messages
        named = [(name.decode(), value.decode()) for name, value in head["headers"]]
        return Answer(head["status"], named, rest["body"])
