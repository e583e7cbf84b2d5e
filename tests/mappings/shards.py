"""A stream of Kinesis as it is on AWS, where moto's differs: shards that split and merge, that trim and expire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

MADE = datetime(2026, 1, 1, tzinfo=UTC)


class KinesisOfAws:
    """The operations that a poller needs; ``clients.get`` gives it for every service.

    ``fault`` is asked before each GetRecords: the code of an error, or None.
    """

    def __init__(self) -> None:
        self.shards: dict[str, list[tuple[int, str, str]]] = {}
        self.parents: dict[str, tuple[str, ...]] = {}
        self.closed: set[str] = set()
        self.trimmed = 0  # records up to this number are gone
        self.fault: Callable[[str], str | None] = lambda _: None
        self.number = 100
        self.page = 2  # records of an answer

    # -- for a test ---------------------------------------------------------------------------------

    def open(self, shard: str, *parents: str) -> None:
        """Open a shard; its parents are closed."""
        self.shards[shard], self.parents[shard] = [], parents
        self.closed |= {*parents}

    def put(self, shard: str, *texts: str, key: str = "k") -> None:
        for text in texts:
            self.number += 1
            self.shards[shard].append((self.number, key, text))

    # -- as AwsClients ------------------------------------------------------------------------------

    def is_given(self, service: str) -> bool:
        return bool(service)

    def get(self, *_: object, **__: object) -> KinesisOfAws:
        return self

    # -- as a client --------------------------------------------------------------------------------

    def describe_stream_summary(self, **_: object) -> Any:
        return {"StreamDescriptionSummary": {"StreamCreationTimestamp": MADE}}

    def list_shards(self, **members: Any) -> Any:
        """One shard a page."""
        names = [*self.shards]
        at = int(members.get("NextToken", 0))
        told: dict[str, Any] = {"ShardId": names[at], "SequenceNumberRange": {"StartingSequenceNumber": "0"}}
        told |= dict(zip(("ParentShardId", "AdjacentParentShardId"), self.parents[names[at]], strict=False))
        if names[at] in self.closed:
            told["SequenceNumberRange"]["EndingSequenceNumber"] = "9999"
        return {"Shards": [told]} | ({"NextToken": str(at + 1)} if at + 1 < len(names) else {})

    def get_shard_iterator(self, **members: Any) -> Any:
        after = int(members.get("StartingSequenceNumber", 0))
        if members["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER" and after < self.trimmed:
            raise self._error("TrimmedDataAccessException")
        if members["ShardIteratorType"] == "LATEST":
            after = self.number
        return {"ShardIterator": f"{members['ShardId']}/{after}"}

    def get_records(self, **members: Any) -> Any:
        shard, after = members["ShardIterator"].split("/")
        code = self.fault(shard)
        if code is not None:
            raise self._error(code)
        found = [one for one in self.shards[shard] if one[0] > max(int(after), self.trimmed)][: self.page]
        answer: dict[str, Any] = {
            "Records": [
                {
                    "SequenceNumber": str(number),
                    "PartitionKey": key,
                    "Data": text.encode(),
                    "ApproximateArrivalTimestamp": datetime.now(UTC),
                }
                for number, key, text in found
            ],
            "MillisBehindLatest": 0,
        }
        last = found[-1][0] if found else int(after)
        if found or shard not in self.closed:
            answer["NextShardIterator"] = f"{shard}/{last}"
        return answer

    @staticmethod
    def _error(code: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": "so be it"}}, "GetRecords")
