"""A server with the console, and a client as a page of it is: it marks what it writes."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from asl_engine.console.settings import ConsoleSettings
from tests.server.harness import PATIENCE_SECONDS, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asl_engine.resources.python.registry import Registry
    from tests.server.harness import Server

API = "/console/api/"
MARKED = {"Content-Type": "application/json", "X-Asl-Console": "1"}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Page:
    """What a browser sends for a page of the console."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookie = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A request as it is; a header that is "" is left out."""
        connection = HTTPConnection(self.server.host, self.server.port, timeout=PATIENCE_SECONDS)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent.setdefault("Cookie", self.cookie)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, content, {name: value for name, value in sent.items() if value})
            answer = connection.getresponse()
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read().decode(),
            )
        finally:
            connection.close()

    def get(self, path: str, /, **query: Any) -> Any:
        """What a route answers; it has to be in order."""
        found = self.refused(path, **query)
        assert found.status == 200, found.text
        return found.json

    def refused(self, path: str, /, **query: Any) -> Answer:
        given = {name.rstrip("_"): value for name, value in query.items()}
        return self.ask("GET", f"{API}{path}?{urlencode(given)}")

    def post(self, path: str, /, **body: Any) -> Any:
        found = self.write(path, body)
        assert found.status == 200, found.text
        return found.json

    def write(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("POST", API + path, body, **{**MARKED, **headers})

    def operation(self, operation: str, /, **members: Any) -> Any:
        return self.post(f"operations/{operation}", **members)

    @contextmanager
    def stream(self, last: str = "", **query: Any) -> Iterator[Stream]:
        connection = HTTPConnection(self.server.host, self.server.port, timeout=PATIENCE_SECONDS)
        headers = {"Last-Event-ID": last} if last else {}
        if self.cookie:
            headers["Cookie"] = self.cookie
        try:
            connection.request("GET", f"{API}stream?{urlencode(query)}", headers=headers)
            yield Stream(connection.getresponse())
        finally:
            connection.close()


class Message(NamedTuple):
    event: str
    id: str
    data: Any


class Stream:
    """Server-Sent Events as a browser reads them."""

    def __init__(self, answer: HTTPResponse) -> None:
        self.answer = answer

    def next(self) -> Message:
        """The next message, past comments."""
        fields: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream has ended"
            if line != "\n":
                name, _, value = line.rstrip("\n").partition(":")
                fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                return Message(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            else:
                fields = {}

    def is_over(self) -> bool:
        return not self.answer.readline()


@contextmanager
def console(folder: Path, registry: Registry | None = None, *, token: str = "", **how: Any) -> Iterator[Page]:
    """A page of a server whose project is in the folder."""
    settings = ConsoleSettings(folder, "1.2.3", token)
    with running(folder / "asl.db", registry, console=settings, **how) as server:
        yield Page(server)
