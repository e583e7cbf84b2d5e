"""AWS services for tests: moto's server, run as another process and only ever asked over HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 60


@contextmanager
def moto_server() -> Iterator[str]:
    """The server's URL, until the block is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    pause = threading.Event()
    try:
        for _ in range(PATIENCE_SECONDS * 20):
            try:
                urlopen(f"{url}/moto-api/data.json", timeout=5).close()  # noqa: S310  our own URL
                break
            except (URLError, OSError):
                assert server.poll() is None, "the server has ended"
                pause.wait(0.05)
        yield url
    finally:
        server.terminate()
        server.wait()
