"""A service that gives the answers it is told to give, over HTTP."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Played:
    """A service that speaks AWS JSON, or sends the bytes that it is given.

    Each operation gives its answers one after the other, the last for ever.
    """

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []
        self.url = ""

    def answer(self, operation: str, given: Any) -> Any:
        self.asked.append((operation, given))
        left = self.answers[operation]
        return left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def played(answers: dict[str, list[Any]]) -> Iterator[Played]:
    service = Played(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
            path = self.path.partition("?")[0]
            operation = self.headers.get("X-Amz-Target", path).rpartition(".")[2].rpartition("/")[2]
            answer = service.answer(operation, given)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            refused = not isinstance(answer, bytes) and "__type" in answer
            self.send_response(400 if refused else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Nothing into the output of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
