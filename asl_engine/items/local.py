"""A folder that stands for a bucket: keys are paths below it, with ``/`` between their parts."""

from __future__ import annotations

import os
from hashlib import md5
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, BinaryIO, Final
from uuid import uuid4

from asl_engine.items.faults import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.jsontypes import Json

__all__ = ["LocalFolder"]

# A file that is being written.  One that a killed process has left behind is no object.
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
            for key, found in self._walk(self._root, "", prefix):
                if key > start_after:
                    yield _described(key, found)
        except OSError as error:
            raise StorageError(f"Cannot list {error.filename}: {error.strerror}") from None

    def put(self, key: str, content: BinaryIO) -> None:
        self._check_root()
        path = self._path(key)
        temporary = path.parent / f"{TEMPORARY_PREFIX}{uuid4().hex}{TEMPORARY_SUFFIX}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    copyfileobj(content, file, COPY_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(path.parent)
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

    def _walk(self, folder: Path, parent: str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Files in the order of their keys in UTF-8, which is S3's: a folder sorts as its name with the ``/``."""
        with os.scandir(folder) as entries:
            named = [
                (f"{parent}{entry.name}{'/' if entry.is_dir(follow_symlinks=False) else ''}", entry)
                for entry in entries
                if not _is_temporary(entry.name)
            ]
        named.sort(key=lambda pair: pair[0].encode("utf-8", "surrogateescape"))
        for key, entry in named:
            if key.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(Path(entry.path), key, prefix)
            elif key.startswith(prefix) and self._is_object(entry):
                yield key, entry

    def _is_object(self, entry: os.DirEntry[str]) -> bool:
        """Links to folders are not followed: they may lead in circles.  Those to files may not lead out."""
        if not entry.is_file() or "\udc80" <= max(entry.name) <= "\udcff":  # a name that is no text
            return False
        return not entry.is_symlink() or Path(entry.path).resolve().is_relative_to(self._root.resolve())


def _is_temporary(name: str) -> bool:
    return name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX)


def _described(key: str, entry: os.DirEntry[str]) -> dict[str, Json]:
    """The tag changes with the file, as S3's does, without reading it: a listing may be of millions."""
    facts = entry.stat()
    tag = md5(f"{facts.st_size}:{facts.st_mtime_ns}".encode(), usedforsecurity=False).hexdigest()
    return {
        "Etag": f'"{tag}"',
        "Key": key,
        "LastModified": int(facts.st_mtime),
        "Size": facts.st_size,
        "StorageClass": "STANDARD",
    }


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a loss of power, where folders can be synced."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
