"""The files of the pages: read once, each with the hash of them all in its address, so that browsers keep them.

The program's own files do not change while it runs.  An address without the hash is answered too, and is asked
for anew.
"""

from __future__ import annotations

import mimetypes
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from starlette.responses import Response

from asl_engine.console.refusals import ConsoleError
from asl_engine.graph.svg import style_sheet

__all__ = ["Files"]

FOLDER: Final = Path(__file__).with_name("static")
PREFIX: Final = "/console/static/"
INDEX: Final = "index.html"
GRAPH: Final = "graph.css"  # the renderer's own
TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
FOREVER: Final = "public, max-age=31536000, immutable"
MISSING: Final = (
    "<!doctype html>\n<title>asl</title>\n<p>The pages of the console are missing from this installation.\n"
)


class _File(NamedTuple):
    content: bytes
    media_type: str
    tag: str


class Files:
    """Everything in ``static``, in memory."""

    def __init__(self, folder: Path = FOLDER) -> None:
        read = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        read.setdefault(GRAPH, style_sheet().encode())
        index = read.pop(INDEX, MISSING.encode())
        whole = sha256()
        for name, content in sorted(read.items()):
            whole.update(name.encode() + b"\0" + sha256(content).digest())
        self.version = whole.hexdigest()[:16]
        self._files = {name: _file(name, content) for name, content in read.items()}
        own = index.replace(PREFIX.encode(), f"{PREFIX}{self.version}/".encode())
        self._index = _file(INDEX, own)

    def index(self, known: str | None) -> Response:
        """The page; ``known`` is the tag of what the browser has."""
        return _answer(self._index, known, "no-cache")

    def file(self, path: str, known: str | None) -> Response:
        """A file by its path, with the version before it or without.  Raises ``ConsoleError``."""
        version, _, rest = path.partition("/")
        is_kept = version == self.version
        found = self._files.get(rest if is_kept else path)
        if found is None:
            raise ConsoleError(404, "NotFound", "There is no such file", "Reload the page.")
        return _answer(found, known, FOREVER if is_kept else "no-cache")


def _file(name: str, content: bytes) -> _File:
    guessed = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _File(content, guessed, f'"{sha256(content).hexdigest()[:20]}"')


def _answer(file: _File, known: str | None, caching: str) -> Response:
    headers = {"Cache-Control": caching, "ETag": file.tag}
    if known is not None and file.tag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)
