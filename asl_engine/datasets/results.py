"""ResultWriter: the results of the child executions, as files or as the state's result.

AWS documentation, "ResultWriter (Map)": executions of the same status share files,
and ``manifest.json`` names the files.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import lru_cache
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from asl_engine.arn import last_part
from asl_engine.datasets.faults import StorageError, writer_failed
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_text import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.datasets.storage import Storage
    from asl_engine.json_values import Json
    from asl_engine.states.item_flow import Writing

__all__ = ["ChildExecution", "collect_results", "write_results"]

MAX_FILE_BYTES: Final = 5 * 1024**3
INCLUDED: Final[dict[str, Json]] = {"Included": True}
CATEGORIES: Final = ("FAILED", "PENDING", "SUCCEEDED")


class ChildExecution(NamedTuple):
    """A child execution as its Map Run leaves it.

    Times are in milliseconds since the epoch, ``input`` and ``output`` are JSON text.  A child that never began
    has the status PENDING and only an input.  ``redrive_status`` defaults to what the status implies.
    """

    status: str
    input: str
    arn: str | None = None
    machine_arn: str | None = None
    name: str | None = None
    started: int | None = None
    stopped: int | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    redrive_count: int = 0
    redrive_status: str | None = None
    redrive_reason: str | None = None


def write_results(
    executions: Iterable[ChildExecution],
    writing: Writing,
    storage: Storage,
    map_run_arn: str,
    max_file_bytes: int = MAX_FILE_BYTES,
    *,
    redrive: int = 0,
) -> dict[str, Json]:
    """Write the files below ``<prefix>/<id of the Map Run>/``; the state's result, which names the manifest.

    Files of a redrive are below ``Redrive-N/`` in it.

    No file is larger than ``max_file_bytes``, unless it holds a single execution.  Memory holds one
    execution; the files grow in the folder for temporary files.  Blocks: call it in a thread.  Raises
    ``StatesError`` States.ResultWriterFailed; the manifest, written last, is then missing.
    """
    bucket = writing.bucket
    if not bucket:
        raise writer_failed("The ResultWriter needs a Bucket")
    parts = (writing.prefix.strip("/"), last_part(map_run_arn), f"Redrive-{redrive}" if redrive else "")
    folder = "/".join(part for part in parts if part)
    try:
        with ExitStack() as stack:
            files = {
                category: stack.enter_context(
                    _Files(storage, bucket, f"{folder}/{category}", writing.output_type, max_file_bytes)
                )
                for category in CATEGORIES
            }
            for execution in executions:
                output = files[_category(execution.status)]
                for text in _texts(execution, writing.transformation):
                    output.add(text)
            for output in files.values():
                output.finish()
            listed: dict[str, Json] = {category: files[category].written for category in CATEGORIES}
            manifest: Json = {"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": listed}
            key = f"{folder}/manifest.json"
            file = stack.enter_context(TemporaryFile())
            file.write(dumps(manifest).encode())
            file.seek(0)
            storage.put(bucket, key, file)
    except StorageError as error:
        raise writer_failed(str(error)) from error
    except OSError as error:
        raise writer_failed(f"The results cannot be written: {error.strerror}") from error
    return {"MapRunArn": map_run_arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def collect_results(executions: Iterable[ChildExecution], writing: Writing) -> Json:
    """The state's result for a WriterConfig without a Resource: an array, or the text of the lines."""
    texts = [text for execution in executions for text in _texts(execution, writing.transformation)]
    if writing.output_type == "JSONL":
        return "\n".join(texts)
    return [loads(text) for text in texts]


def _category(status: str) -> str:
    return status if status in {"SUCCEEDED", "PENDING"} else "FAILED"


def _texts(execution: ChildExecution, transformation: str) -> Iterator[str]:
    """The JSON texts that represent an execution: without an output, the execution itself."""
    if transformation == "NONE" or execution.status != "SUCCEEDED" or execution.output is None:
        yield dumps(_record(execution))
        return
    if transformation == "FLATTEN" and execution.output.lstrip().startswith("["):
        values: Any = loads(execution.output)
        yield from map(dumps, values)
    else:
        yield dumps(loads(execution.output))


def _record(execution: ChildExecution) -> dict[str, Json]:
    """The members in alphabetical order, without those that have no value."""
    ended = execution.arn is not None
    status, reason = execution.redrive_status, execution.redrive_reason
    if ended and status is None:
        succeeded = execution.status == "SUCCEEDED"
        status = "NOT_REDRIVABLE" if succeeded else "REDRIVABLE_BY_MAP_RUN"
        reason = f"Execution is {execution.status} and cannot be redriven" if succeeded else None
    members: dict[str, Json] = {
        "Cause": execution.cause,
        "Error": execution.error,
        "ExecutionArn": execution.arn,
        "Input": execution.input,
        "InputDetails": INCLUDED,
        "Name": execution.name,
        "Output": execution.output,
        "OutputDetails": INCLUDED if execution.output is not None else None,
        "RedriveCount": execution.redrive_count if ended else None,
        "RedriveStatus": status,
        "RedriveStatusReason": reason,
        "StartDate": _time(execution.started),
        "StateMachineArn": execution.machine_arn,
        "Status": execution.status,
        "StopDate": _time(execution.stopped),
    }
    return {name: value for name, value in members.items() if value is not None}


@lru_cache(maxsize=1024)  # many children begin and end in the same millisecond
def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else format_timestamp(milliseconds)


class _Files:
    """The files of one category; the last one grows in a temporary file."""

    def __init__(self, storage: Storage, bucket: str, stem: str, output_type: str, most: int) -> None:
        self._storage = storage
        self._bucket = bucket
        self._stem = stem
        self._opening, self._between, self._closing = (
            (b"[", b",", b"]") if output_type == "JSON" else (b"", b"\n", b"\n")
        )
        self._most = most
        self._file: Any = None
        self._size = 0
        self.written: list[Json] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, text: str) -> None:
        data = text.encode()
        if (
            self._file is not None
            and self._size + len(self._between) + len(data) + len(self._closing) > self._most
        ):
            self.finish()
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115  closed when it is finished
            self._size = self._file.write(self._opening)
        else:
            self._size += self._file.write(self._between)
        self._size += self._file.write(data)

    def finish(self) -> None:
        """Store the temporary file, if there is one."""
        if self._file is None:
            return
        self._size += self._file.write(self._closing)
        self._file.seek(0)
        key = f"{self._stem}_{len(self.written)}.json"
        self._storage.put(self._bucket, key, self._file)
        self._file.close()
        self._file = None
        self.written.append({"Key": key, "Size": self._size})
