"""Where datasets are read and results are written: S3, and local folders that stand for buckets.

All methods are synchronous and stream; call them from a thread.  Every failure is a
``StorageError``, whose text is meant for a Cause: ``read`` and ``write_results`` give it the
error name that a definition can catch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from asl_engine.datasets.faults import StorageError
from asl_engine.datasets.item import LOCAL
from asl_engine.datasets.local import LocalFolder
from asl_engine.datasets.s3 import S3Storage
from asl_engine.errors import Parameter, ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.json_values import Json

__all__ = ["LocalFirst", "Storage", "StorageError", "storage_of"]


class Storage(Protocol):
    """The three S3 operations of a distributed Map.  Each raises ``StorageError``."""

    def open(self, bucket: str, key: str, version: str | None = None) -> BinaryIO:
        """The object's bytes, as a stream that the caller closes: an ``io.BufferedReader``, or seekable.

        Reading it may raise ``StorageError``.
        """
        ...

    def list(self, bucket: str, prefix: str = "", start_after: str = "") -> Iterator[dict[str, Json]]:
        """The objects whose keys begin with ``prefix``, in the order of their keys.

        Each has the members that Step Functions passes on: Etag, Key, LastModified (whole seconds since
        the epoch), Size (bytes), StorageClass.
        """
        ...

    def put(self, bucket: str, key: str, content: BinaryIO) -> None:
        """Write the object: whole, or not at all."""
        ...


class LocalFirst:
    """A bucket that is a ``file://`` URL or has a folder is local; every other bucket is in S3."""

    def __init__(self, folders: Mapping[str, Path], remote: Storage) -> None:
        self._folders = {bucket: LocalFolder(folder) for bucket, folder in folders.items()}
        self._remote = remote

    def open(self, bucket: str, key: str, version: str | None = None) -> BinaryIO:
        folder = self._local(bucket)
        if folder is None:
            return self._remote.open(bucket, key, version)
        if version is not None:
            raise StorageError(f"The local bucket {bucket} keeps no versions: leave VersionId out")
        return folder.open(key)

    def list(self, bucket: str, prefix: str = "", start_after: str = "") -> Iterator[dict[str, Json]]:
        folder = self._local(bucket)
        if folder is None:
            return self._remote.list(bucket, prefix, start_after)
        return folder.list(prefix, start_after)

    def put(self, bucket: str, key: str, content: BinaryIO) -> None:
        folder = self._local(bucket)
        if folder is None:
            self._remote.put(bucket, key, content)
        else:
            folder.put(key, content)

    def _local(self, bucket: str) -> LocalFolder | None:
        if bucket in self._folders:
            return self._folders[bucket]
        return LocalFolder(_folder_of(bucket)) if bucket.startswith(LOCAL) else None


class NoBuckets:
    """What S3 is where it is not to be called: every bucket is refused.  No definition can catch that."""

    def open(self, bucket: str, key: str, version: str | None = None) -> BinaryIO:
        del key, version
        raise _not_allowed(bucket)

    def list(self, bucket: str, prefix: str = "", start_after: str = "") -> Iterator[dict[str, Json]]:
        del prefix, start_after
        raise _not_allowed(bucket)

    def put(self, bucket: str, key: str, content: BinaryIO) -> None:
        del key, content
        raise _not_allowed(bucket)


def _not_allowed(bucket: str) -> ProjectError:
    return ProjectError(
        f"the bucket {bucket} has no folder, and S3 is not to be called: give it one (the table buckets in "
        "asl.toml), or allow calls of AWS with ",
        Parameter("aws", "True"),
        ".",
    )


def _folder_of(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"} or not path.startswith("/") or "\0" in path:
        raise StorageError(f"{url} is no folder of this machine: write file:///path/to/folder")
    return Path(path)


def storage_of(folders: Mapping[str, Path], region: str | None = None, *, s3: bool = True) -> Storage:
    """The storage of a project: its ``buckets``, and S3 as the AWS SDK finds it for the others.

    boto3 is imported when an S3 bucket is first used.  Without ``s3``, using one raises ``ProjectError``.
    """
    return LocalFirst(folders, S3Storage(region) if s3 else NoBuckets())
