"""An HTTP API on this machine that takes down what it is asked and answers as it is told."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Api", "http_api"]


class Api:
    """``asked`` has method, path, headers by lower-case name, body; ``answers`` and ``headers`` go by path."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        self.answers: dict[str, tuple[int, str, bytes]] = {}
        self.headers: dict[str, list[tuple[str, str]]] = {}
        self.hold = threading.Event()
        self.url = ""


@contextmanager
def http_api() -> Iterator[Api]:
    state = Api()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): ",".join(self.headers.get_all(name, [])) for name in self.headers}
            state.asked.append((self.command, self.path, headers, body))
            path = self.path.partition("?")[0]
            if path == "/slow":
                state.hold.wait(30)
            status, kind, content = state.answers.get(path, (200, "application/json", b'{"ok": true}'))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Set-Cookie", "a=1")
            self.send_header("Set-Cookie", "b=2")
            for name, value in state.headers.get(path, []):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815  the server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Nothing into the output of the tests."""

        def handle(self) -> None:
            with suppress(ConnectionError):  # whoever asked has heard enough
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
