"""As much of S3 as a distributed Map asks for, over HTTP: for tests of the client's side of it."""

from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

PAGE = 2


class S3Server:
    """Objects by ``bucket/key``.  Each answer in ``breaks`` ends, as its connection does, after so many bytes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.breaks: list[int] = []
        self.ranges: list[str | None] = []
        served = self

        class Handler(_Handler):
            server_of: ClassVar[S3Server] = served

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ClassVar[S3Server]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        name = unquote(parts.path).lstrip("/")
        if name.startswith("nowhere"):
            self._fail(404, "NoSuchBucket", "The specified bucket does not exist")
        elif name.startswith("secret"):
            self._fail(403, "AccessDenied", "User AKIA1234567890ABCDEF is not authorized")
        elif "list-type" in query:
            self._list(name.rstrip("/"), {key: values[0] for key, values in query.items()})
        elif name not in self.server_of.objects:
            self._fail(404, "NoSuchKey", "The specified key does not exist.")
        else:
            self._send(self.server_of.objects[name])

    def do_PUT(self) -> None:
        name = unquote(urlsplit(self.path).path).lstrip("/")
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if name.startswith("secret"):
            self._fail(403, "AccessDenied", "Access Denied")
            return
        self.server_of.objects[name] = data
        self._answer(200, b"", {"ETag": tag(data)})

    def _send(self, data: bytes) -> None:
        asked = self.headers["Range"]
        self.server_of.ranges.append(asked)
        if self.headers.get("If-Match") not in {None, tag(data)}:
            self._fail(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        most = self.server_of.breaks.pop(0) if self.server_of.breaks else len(data)
        self._answer(206 if asked else 200, data[start:], {"ETag": tag(data)}, most)

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        prefix, after = query.get("prefix", ""), query.get("continuation-token", query.get("start-after", ""))
        keys = sorted(
            name.removeprefix(f"{bucket}/") for name in self.server_of.objects if name.startswith(bucket)
        )
        keys = [key for key in keys if key.startswith(prefix) and key > after]
        page = keys[:PAGE]
        contents = "".join(
            f"<Contents><Key>{quote(key)}</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified>"
            f"<ETag>{tag(self.server_of.objects[f'{bucket}/{key}'])}</ETag>"
            f"<Size>{len(self.server_of.objects[f'{bucket}/{key}'])}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in page
        )
        more = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if len(keys) > PAGE else ""
        text = (
            f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{str(bool(more)).lower()}</IsTruncated>"
            f"{more}{contents}</ListBucketResult>"
        )
        self._answer(200, text.encode())

    def _fail(self, status: int, code: str, message: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, most: int = 1 << 40
    ) -> None:
        self.send_response(status)
        for name, value in {"x-amz-request-id": "REQ", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:most])
        if most < len(body):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        del format, args


def tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
