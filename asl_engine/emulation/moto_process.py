"""The program of the process in which moto's server runs.  It imports nothing of the engine.

Two sockets lead to one application.  One is this process's own, and is there for whoever makes what a project
declares.  The other belongs to the process that has started this one, and outlives it: connections wait there, and
are answered from the word that everything is made.  It ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from threading import Lock, Thread
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

HOST = "127.0.0.1"


class QuietHandler(MotoRequestHandler):
    """Only what goes wrong is worth a line."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of a request that was answered."""


class OneAtATime:
    """An application that answers one request to DynamoDB and its streams after the other.

    A transaction of moto's copies the tables that it writes to, and puts the copies back if a condition fails:
    what was written meanwhile would be gone.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self._application(environ, start_response)
        with self._lock:
            return self._application(environ, start_response)


def server(application: Any, fd: int | None = None) -> BaseWSGIServer:
    """A server with a thread for each connection, at a port of its own or at a socket that is listening."""
    return make_server(HOST, 0, application, threaded=True, request_handler=QuietHandler, fd=fd)


def inherited(listener: int | str) -> int:
    """The descriptor of the socket that the parent holds: its number, or on Windows what ``share`` wrote of it."""
    if isinstance(listener, int):
        return listener
    taken: int = socket.fromshare(bytes.fromhex(listener)).detach()  # type: ignore[attr-defined,unused-ignore]  # Windows
    return taken


def main() -> None:
    asked, told = sys.stdin.buffer, sys.stdout
    sys.stdout = sys.stderr  # what moto prints is no answer
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    own = server(application)
    Thread(target=own.serve_forever, daemon=True).start()
    told.write(json.dumps({"port": own.port}) + "\n")
    told.flush()
    line = asked.readline()
    if line:
        Thread(target=server(application, inherited(json.loads(line))).serve_forever, daemon=True).start()
        asked.read()
    os._exit(0)  # whatever a request is doing: what it would change is gone


if __name__ == "__main__":
    main()
