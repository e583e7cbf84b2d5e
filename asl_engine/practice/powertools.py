"""For those who use Powertools for AWS Lambda: idempotency in a SQLite file, and logs that know the execution.

What Powertools asks of a persistence layer and of a formatter is in its documentation, "Bring your own persistent
store" and "Bring your own formatter".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from asl_engine.practice.logs import log_keys
from asl_engine.practice.records import DoneRecord, Records

if TYPE_CHECKING:
    import os

__all__ = ["ExecutionFormatter", "SqlitePersistenceLayer"]


class ExecutionFormatter(LambdaPowertoolsFormatter):
    """Powertools' own formatter, with the execution, the state and the attempt in each line.

    They are those of the task that logs, in whichever thread it does: one logger may be shared by many tasks.
    """

    def serialize(self, log: Any) -> str:
        return super().serialize({**log, **log_keys()})


class SqlitePersistenceLayer(BasePersistenceLayer):
    """Keeps what Powertools knows of calls in a SQLite file; several processes may share it.

    Raises ``RecordsError`` where the file cannot be used, which Powertools passes on.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools gives it no types
        self._records = Records(file)

    def _get_record(self, idempotency_key: str) -> DataRecord:
        record = self._records.get(idempotency_key)
        if record is None:
            raise IdempotencyItemNotFoundError
        return _shown(record)

    def _put_record(self, data_record: DataRecord) -> None:
        now = time.time()
        if not self._records.put_new(_kept(data_record), now):
            there = self._records.get(data_record.idempotency_key)
            raise IdempotencyItemAlreadyExistsError(old_data_record=None if there is None else _shown(there))

    def _update_record(self, data_record: DataRecord) -> None:
        self._records.put(_kept(data_record), time.time())

    def _delete_record(self, data_record: DataRecord) -> None:
        self._records.delete(data_record.idempotency_key)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        self._records.close()


def _kept(record: DataRecord) -> DoneRecord:
    return DoneRecord(
        record.idempotency_key,
        record.status,
        record.response_data,
        record.payload_hash,
        record.expiry_timestamp,
        record.in_progress_expiry_timestamp,
    )


def _shown(record: DoneRecord) -> DataRecord:
    return DataRecord(
        idempotency_key=record.key,
        status=record.status,
        expiry_timestamp=record.expires,
        in_progress_expiry_timestamp=record.in_progress_until,
        response_data=record.answer,
        payload_hash=record.payload_hash,
    )
