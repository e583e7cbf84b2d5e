"""Reading streams: of tables, and of Kinesis.  What differs between the two is here."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import role_arn
from asl_engine.json_text import dumps
from asl_engine.limits import utf8_length
from asl_engine.mappings.polling import SourceRefused, ask
from asl_engine.mappings.sources import LATEST_STREAM, TABLE

if TYPE_CHECKING:
    from datetime import datetime

    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.sources import Source

__all__ = ["Page", "Shard", "Stream", "StreamRecord", "find_stream", "iterator_after", "iterator_at", "read_page"]

PAGE: Final = 1000  # records: the most that a table's stream gives


class Shard(NamedTuple):
    """A shard of a stream; ``parents`` are those that it was made of."""

    name: str
    parents: tuple[str, ...]
    closed: bool


class Stream(NamedTuple):
    """A stream that was found.  ``identity`` tells it from others that had or will have its ARN."""

    source: Source
    arn: str
    identity: str
    shards: tuple[Shard, ...]


class StreamRecord(NamedTuple):
    """``record`` is what a function gets; ``key`` that within which the order counts; ``at`` when it came."""

    record: dict[str, Any]
    sequence: str
    key: str
    at: int
    size: int


class Page(NamedTuple):
    """What a shard had to give.  ``next`` is None at its end; ``is_last``: there is nothing more for now."""

    records: list[StreamRecord]
    next: str | None
    is_last: bool


async def find_stream(polling: Polling, source: Source) -> Stream:
    """Raises ``SourceRefused`` where there is none."""
    return await (_table_stream if source.kind == TABLE else _kinesis_stream)(polling, source)


async def _table_stream(polling: Polling, source: Source) -> Stream:
    arn: str | None = source.arn
    if source.arn.endswith(LATEST_STREAM):
        found = await ask(polling, "dynamodb", source.region, "describe_table", TableName=source.name)
        arn = found["Table"].get("LatestStreamArn")
        if arn is None:
            raise SourceRefused(
                "NoStream", f"the table {source.name} has no stream: give it a StreamSpecification"
            )
    shards: list[Shard] = []
    more: dict[str, Any] = {}
    while True:
        told = await ask(polling, "dynamodbstreams", source.region, "describe_stream", StreamArn=arn, **more)
        stream = told["StreamDescription"]
        shards += map(_shard, stream.get("Shards") or ())
        last = stream.get("LastEvaluatedShardId")
        if last is None:
            break
        more = {"ExclusiveStartShardId": last}
    return Stream(source, str(arn), _identity(str(arn), stream.get("CreationRequestDateTime")), tuple(shards))


async def _kinesis_stream(polling: Polling, source: Source) -> Stream:
    told = await ask(polling, "kinesis", source.region, "describe_stream_summary", StreamName=source.name)
    created = told["StreamDescriptionSummary"].get("StreamCreationTimestamp")
    shards: list[Shard] = []
    more: dict[str, Any] = {"StreamName": source.name}
    while True:
        page = await ask(polling, "kinesis", source.region, "list_shards", **more)
        shards += map(_shard, page.get("Shards") or ())
        if page.get("NextToken") is None:
            break
        more = {"NextToken": page["NextToken"]}
    return Stream(source, source.arn, _identity(source.arn, created), tuple(shards))


def _identity(arn: str, created: datetime | None) -> str:
    return arn if created is None else f"{arn} {created.timestamp():.3f}"


def _shard(told: dict[str, Any]) -> Shard:
    parents = (told.get("ParentShardId"), told.get("AdjacentParentShardId"))
    closed = told["SequenceNumberRange"].get("EndingSequenceNumber") is not None
    return Shard(told["ShardId"], tuple(filter(None, parents)), closed)


async def iterator_at(polling: Polling, stream: Stream, shard: str, start: str | int) -> str:
    """An iterator for a StartingPosition, or for a time in milliseconds."""
    if isinstance(start, int):
        return await _iterator(polling, stream, shard, "AT_TIMESTAMP", Timestamp=start / 1000)
    return await _iterator(polling, stream, shard, start)


async def iterator_after(polling: Polling, stream: Stream, shard: str, sequence: str) -> str:
    """An iterator for what comes after a record."""
    if stream.source.kind == TABLE:
        return await _iterator(polling, stream, shard, "AFTER_SEQUENCE_NUMBER", SequenceNumber=sequence)
    return await _iterator(polling, stream, shard, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=sequence)


async def _iterator(polling: Polling, stream: Stream, shard: str, kind: str, **more: Any) -> str:
    source = stream.source
    named = {"StreamArn": stream.arn} if source.kind == TABLE else {"StreamName": source.name}
    answer = await ask(
        polling,
        source.service,
        source.region,
        "get_shard_iterator",
        **named,
        ShardId=shard,
        ShardIteratorType=kind,
        **more,
    )
    return str(answer["ShardIterator"])


async def read_page(polling: Polling, stream: Stream, shard: Shard, iterator: str) -> Page:
    """The records at an iterator.  Raises ``SourceRefused`` with the code of an iterator that has expired."""
    source = stream.source
    answer = await ask(polling, source.service, source.region, "get_records", ShardIterator=iterator, Limit=PAGE)
    made = _table_record if source.kind == TABLE else _kinesis_record
    records = [made(told, stream, shard.name) for told in answer.get("Records") or ()]
    following = answer.get("NextShardIterator")
    behind = answer.get("MillisBehindLatest")
    if not records and shard.closed and behind == 0:  # some services never say that a shard has ended
        following = None
    return Page(records, following, is_last=not records if behind is None else behind == 0)


def _kinesis_record(told: dict[str, Any], stream: Stream, shard: str) -> StreamRecord:
    arrived = told["ApproximateArrivalTimestamp"].timestamp()
    sequence = told["SequenceNumber"]
    source = stream.source
    kinesis = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": told["PartitionKey"],
        "sequenceNumber": sequence,
        "data": b64encode(told["Data"]).decode(),
        "approximateArrivalTimestamp": round(arrived, 3),
    }
    if told.get("EncryptionType") not in {None, "NONE"}:
        kinesis["encryptionType"] = told["EncryptionType"]
    record = {
        "kinesis": kinesis,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role_arn(source.region, source.account),
        "awsRegion": source.region,
        "eventSourceARN": stream.arn,
    }
    return _measured(record, sequence, told["PartitionKey"], arrived)


def _table_record(told: dict[str, Any], stream: Stream, shard: str) -> StreamRecord:
    del shard
    change = dict(told["dynamodb"])
    created = change.get("ApproximateCreationDateTime")
    seconds = 0.0 if created is None else created.timestamp()
    for image in ("Keys", "NewImage", "OldImage"):
        if image in change:
            change[image] = _plain(change[image])
    if created is not None:
        change["ApproximateCreationDateTime"] = int(seconds) if seconds.is_integer() else seconds
    record = {
        "eventID": told["eventID"],
        "eventName": told["eventName"],
        "eventVersion": told.get("eventVersion", "1.1"),
        "eventSource": told.get("eventSource", "aws:dynamodb"),
        "awsRegion": told.get("awsRegion", stream.source.region),
        "dynamodb": change,
        "eventSourceARN": stream.arn,
    }
    by = told.get("userIdentity")
    if by is not None:  # an item that has expired
        record["userIdentity"] = {"type": by.get("Type"), "principalId": by.get("PrincipalId")}
    return _measured(record, change["SequenceNumber"], dumps(change.get("Keys")), seconds)


def _plain(value: Any) -> Any:
    """An item of a table as JSON: what is binary is Base64."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _measured(record: dict[str, Any], sequence: str, key: str, seconds: float) -> StreamRecord:
    return StreamRecord(record, sequence, key, int(seconds * 1000), utf8_length(dumps(record)) + 1)
