"""A Lambda service on this machine: it unzips a function's code and runs it, as Lambda's Python runtime would.

Each invocation is a process of its own, which has Python's standard library and what is in the zip, and
nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUNTIME = """
import importlib, json, os, sys, traceback
folder, handler, request_id = sys.argv[1:]
sys.path.insert(0, folder)
answer, sys.stdout = sys.stdout, sys.stderr

class Context:
    aws_request_id = request_id
    function_name = "f"
    def get_remaining_time_in_millis(self): return 30000

try:
    module, name = handler.rsplit(".", 1)
    call = getattr(importlib.import_module(module), name)
    result = {"result": call(json.load(sys.stdin), Context())}
except Exception as error:
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    result = {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": request_id}
    result["stackTrace"] = frames
json.dump(result, answer)
"""


@dataclass
class LambdaService:
    """``functions``: by ARN, the handler, the zip and the environment.  ``invoked`` lists what was called."""

    folder: Path
    url: str = ""
    functions: dict[str, tuple[str, bytes, dict[str, str]]] = field(default_factory=dict)
    invoked: list[str] = field(default_factory=list)

    def run(self, arn: str, payload: bytes) -> dict[str, Any]:
        handler, code, environment = self.functions[arn]
        self.invoked.append(arn)
        place = self.folder / arn.replace(":", "_")
        if not place.exists():
            with zipfile.ZipFile(BytesIO(code)) as archive:
                archive.extractall(place)
        command = [sys.executable, "-I", "-S", "-c", RUNTIME, str(place), handler, f"request-{len(self.invoked)}"]
        done = subprocess.run(command, input=payload, capture_output=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr.decode()
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@contextmanager
def lambda_service(folder: Path) -> Iterator[LambdaService]:
    service = LambdaService(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            arn = unquote(self.path).removeprefix("/2015-03-31/functions/").removesuffix("/invocations")
            answer = service.run(arn, payload)
            body = json.dumps(answer.get("result") if "errorType" not in answer else answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            if "errorType" in answer:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

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
