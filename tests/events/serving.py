"""What the tests of a bus in a server share: boto3's client, waiting, and targets."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.server.harness import Server

PATIENCE_SECONDS = 30


def events_client(server: Server, region: str = "us-east-1", key: str = "test") -> Any:
    return boto3.client(
        "events",
        endpoint_url=f"http://{server.host}:{server.port}",
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="not-a-secret",  # noqa: S106  nobody checks it
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


def until(look: Callable[[], Any]) -> Any:
    """What a look shows once it shows anything."""
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        found = look()
        if found:
            return found
        pause.wait(0.01)
    raise AssertionError("nothing has come")


def entry(detail: Any = None, **more: Any) -> dict[str, Any]:
    return {"Source": "shop", "DetailType": "Order", "Detail": json.dumps(detail or {}), **more}


class Receiver:
    """An HTTP endpoint: what it got, and what it answers, the last answer for ever."""

    def __init__(self, *answers: int) -> None:
        self.answers = [*answers] or [200]
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.url = ""

    def answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiving(*answers: int) -> Iterator[Receiver]:
    receiver = Receiver(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append((self.path, told, json.loads(body)))
            self.send_response(receiver.answer())
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
