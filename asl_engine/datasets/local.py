"""A folder that stands for a bucket: keys are paths below it, with ``/`` between their parts."""

from __future__ import annotations

import os
from hashlib import md5
from shutil import copyfileobj
from stat import S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, BinaryIO, Final
from uuid import uuid4

from asl_engine.datasets.faults import StorageError
from asl_engine.folders import make_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asl_engine.json_values import Json

__all__ = ["LocalFolder"]

# The name of a file that is being written.  A file that a killed process left behind is not an object.
TEMPORARY_PREFIX: Final = ".asl-"
TEMPORARY_SUFFIX: Final = ".tmp"
COPY_BYTES: Final = 1024 * 1024


class LocalFolder:
    """The operations of ``Storage`` on one folder.  No key leads out of it, by ``..`` or by a link."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, key: str) -> BinaryIO:
        path = self._path(key)
        try:
            return path.open("rb")
        except FileNotFoundError:
            self._check_root()
            raise StorageError(f"The specified key does not exist. (there is no file {path})") from None
        except IsADirectoryError:
            raise StorageError(f"The specified key does not exist. ({path} is a folder)") from None
        except OSError as error:
            raise StorageError(f"Cannot read {path}: {error.strerror}") from None

    def list(self, prefix: str, start_after: str) -> Iterator[dict[str, Json]]:
        self._check_root()
        try:
            for key in self._walk(self._root, "", prefix):
                facts = self._facts(key) if key > start_after else None
                if facts is not None:
                    yield _described(key, facts)
        except OSError as error:
            raise StorageError(f"Cannot list {error.filename}: {error.strerror}") from None

    def put(self, key: str, content: BinaryIO) -> None:
        self._check_root()
        path = self._path(key)
        temporary = path.parent / f"{TEMPORARY_PREFIX}{uuid4().hex}{TEMPORARY_SUFFIX}"
        try:
            make_folder(path.parent)
            try:
                with temporary.open("xb") as file:
                    copyfileobj(content, file, COPY_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(path.parent)
        except OSError as error:
            raise StorageError(f"Cannot write {path}: {error.strerror}") from None

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        foreign = os.sep == "\\" and ("\\" in key or ":" in key)
        if foreign or "\0" in key or any(part in {"", ".", ".."} for part in parts):
            raise StorageError(f"The key {key!r} names no file in the folder {self._root}")
        path = self._root.joinpath(*parts)
        try:
            inside = path.resolve().is_relative_to(self._root.resolve())
        except (OSError, RuntimeError):  # a name that is too long, links that lead in a circle
            inside = False
        if not inside:
            raise StorageError(f"The key {key!r} leads out of the folder {self._root}")
        return path

    def _check_root(self) -> None:
        if not self._root.is_dir():
            raise StorageError(f"The specified bucket does not exist (there is no folder {self._root})")

    def _walk(self, folder: Path, parent: str, prefix: str) -> Iterator[str]:
        """Keys in UTF-8 order, as in S3: a folder sorts as its name with the ``/``."""
        with os.scandir(folder) as entries:
            names = sorted(map(_name, entries))
        for name in names:
            key = parent + name
            if key.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(folder / name, key, prefix)
            elif key.startswith(prefix) and not _is_foreign(name):
                yield key

    def _facts(self, key: str) -> os.stat_result | None:
        """The facts of the file, None if it is not an object.  A link may not lead out of the folder."""
        path = self._root / key
        try:
            facts = path.lstat()
            if S_ISLNK(facts.st_mode):
                if not path.resolve().is_relative_to(self._root.resolve()):
                    return None
                facts = path.stat()
        except (FileNotFoundError, RuntimeError):  # deleted since it was listed; a link to nothing, or to itself
            return None
        return facts if S_ISREG(facts.st_mode) else None


def _name(entry: os.DirEntry[str]) -> str:
    """Links to folders count as files and are therefore not followed: they may lead in circles."""
    return f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name


def _is_foreign(name: str) -> bool:
    """A file that is being written, or whose name is no text."""
    temporary = name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX)
    return temporary or (not name.isprintable() and any("\ud800" <= char <= "\udfff" for char in name))


def _described(key: str, facts: os.stat_result) -> dict[str, Json]:
    """The tag changes with the file, as in S3, without reading it: a listing may have millions of files."""
    tag = md5(f"{facts.st_size}:{facts.st_mtime_ns}".encode(), usedforsecurity=False).hexdigest()
    return {
        "Etag": f'"{tag}"',
        "Key": key,
        "LastModified": int(facts.st_mtime),
        "Size": facts.st_size,
        "StorageClass": "STANDARD",
    }
