"""S3, or a service with its API: endpoint, region and credentials are those the AWS SDK finds.

Needs the extra ``s3`` (boto3), which is imported with the first call.
"""

from __future__ import annotations

import io
import re
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from asl_engine.datasets.faults import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.json_values import Json

__all__ = ["S3Storage"]

# A slow consumer may outlast the service's patience: a broken stream is requested again from where it
# broke off, at most this many times in a row without a single byte.
ATTEMPTS: Final = 5
BUFFER_BYTES: Final = 256 * 1024
# What must not reach a history: the user part of a URL, and access key ids (the IAM User Guide's prefixes).
_SECRETS: Final = re.compile(r"(?<=//)[^/@\s\"]+@|\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")


class S3Storage:
    """The operations of ``Storage`` on S3.  The client is made when first needed, and kept."""

    def __init__(self, region: str | None = None) -> None:
        self._region = region
        self._client: Any = None
        self._lock = Lock()  # boto3 sessions are not thread-safe, clients are

    def open(self, bucket: str, key: str, version: str | None = None) -> BinaryIO:
        client = self._connected(bucket)
        request = {"Bucket": bucket, "Key": key, **({} if version is None else {"VersionId": version})}
        return io.BufferedReader(_Object(client, request), BUFFER_BYTES)

    def list(self, bucket: str, prefix: str = "", start_after: str = "") -> Iterator[dict[str, Json]]:
        client = self._connected(bucket)
        request = {"Bucket": bucket, "Prefix": prefix, **({"StartAfter": start_after} if start_after else {})}
        while True:
            page = _asked(client.list_objects_v2, request)
            yield from map(_described, page.get("Contents", []))
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def put(self, bucket: str, key: str, content: BinaryIO) -> None:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        client = self._connected(bucket)
        try:
            client.upload_fileobj(content, bucket, key, ExtraArgs={"ContentType": "application/json"})
        except (Boto3Error, BotoCoreError, ClientError, OSError, ValueError) as error:
            raise StorageError(_clean(f"Cannot write s3://{bucket}/{key}: {_worded(error)}")) from None

    def _connected(self, bucket: str) -> Any:
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise StorageError(
                f"The bucket {bucket} has no local folder (the table buckets in asl.toml gives it one), "
                'and S3 needs boto3: pip install "asl-engine[s3]"'
            ) from None
        with self._lock:
            if self._client is None:
                config = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=10)
                try:
                    self._client = boto3.Session().client("s3", region_name=self._region, config=config)
                except (BotoCoreError, ValueError) as error:  # an invalid profile or endpoint
                    raise StorageError(_clean(f"S3 cannot be reached: {error}")) from None
            return self._client


class _Object(io.RawIOBase):
    """An object's bytes, resumed wherever the stream broke off."""

    def __init__(self, client: Any, request: dict[str, str]) -> None:
        super().__init__()
        self._client = client
        self._request = request
        self._at = 0
        answer = _asked(client.get_object, request)
        self._body = answer["Body"]
        self._size: int = answer["ContentLength"]
        self._tag: str | None = answer.get("ETag")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        for _ in range(ATTEMPTS):
            if self._at >= self._size:
                return 0
            data = self._read(len(buffer))
            if data:
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
            self._reopen()
        raise StorageError(f"{self._name} broke off {ATTEMPTS} times at byte {self._at} of {self._size}")

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()

    def _read(self, amount: int) -> bytes:
        """No bytes if the stream is broken."""
        from botocore.exceptions import BotoCoreError, FlexibleChecksumError

        try:
            data: bytes = self._body.read(amount)
        except FlexibleChecksumError as error:  # the bytes arrived, but they are not those that were stored
            raise StorageError(f"{self._name} is damaged: {error}") from None
        except (BotoCoreError, OSError):
            return b""
        return data

    def _reopen(self) -> None:
        self._body.close()
        same = {} if self._tag is None else {"IfMatch": self._tag}  # a replaced object would be another dataset
        request = {**self._request, **same, "Range": f"bytes={self._at}-"}
        self._body = _asked(self._client.get_object, request)["Body"]

    @property
    def _name(self) -> str:
        return f"s3://{self._request['Bucket']}/{self._request['Key']}"


def _asked(operation: Any, request: dict[str, str]) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: dict[str, Any] = operation(**request)
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        name = f"s3://{request['Bucket']}/{request.get('Key', request.get('Prefix', ''))}"
        raise StorageError(_clean(f"{_worded(error)}: {name}")) from None
    return answer


def _worded(error: Any) -> str:
    """The error as the service's own SDK words it: the message, then the facts."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return str(error)
    detail, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    facts = f"Service: S3, Status Code: {meta.get('HTTPStatusCode')}, Request ID: {meta.get('RequestId')}"
    return f"{detail.get('Message') or detail.get('Code')} ({facts})"


def _described(found: dict[str, Any]) -> dict[str, Json]:
    """The members of a listing as Step Functions passes them on: in this spelling, with the time in seconds."""
    return {
        "Etag": found.get("ETag"),
        "Key": found["Key"],
        "LastModified": int(found["LastModified"].timestamp()),
        "Size": found["Size"],
        "StorageClass": found.get("StorageClass", "STANDARD"),
    }


def _clean(text: str) -> str:
    return _SECRETS.sub("", text)
