"""Batches that are given up: what is kept of them, and how a destination hears of it.

"Retain discarded batch records" in the Lambda Developer Guide, for Kinesis and for DynamoDB.  AWS keeps nothing
itself; here the records are kept, so that they can be tried again although the stream has lost them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import Arn, last_part, queue_name, uuid_text
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_text import dumps
from asl_engine.mappings.polling import ask
from asl_engine.mappings.sources import TABLE
from asl_engine.store.mapping_records import DONE, KEPT, UNSENT, NewDiscarded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.reading import Stream, StreamRecord
    from asl_engine.mappings.settings import EventSourceMapping
    from asl_engine.store.mapping_records import DiscardedBatch

__all__ = ["AGE", "ATTEMPTS", "TRIMMED", "discarded_batch", "send_discarded", "trimmed"]

ATTEMPTS: Final = "RetryAttemptsExhausted"
AGE: Final = "RecordAgeExceeded"
TRIMMED: Final = "RecordsTrimmed"  # not AWS's: the stream had lost records before they were read


def discarded_batch(
    mapping: EventSourceMapping,
    stream: Stream,
    shard: str,
    records: Sequence[StreamRecord],
    *,
    key: str,
    condition: str,
    calls: int,
    error: str | None,
    unhandled: bool,
    now: int,
) -> NewDiscarded:
    """What is kept of a batch; ``invocation`` has the shape of AWS's record."""
    response: dict[str, Any] | None = None
    if calls:
        response = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
        if not unhandled:
            del response["functionError"]
    invocation = {
        "requestContext": {
            "requestId": uuid_text(sha256(f"{key} {condition}".encode()).digest()),
            "functionArn": mapping.function,
            "condition": condition,
            "approximateInvokeCount": calls,
        },
        "responseContext": response,
        "version": "1.0",
        "timestamp": format_timestamp(now),
        "DDBStreamBatchInfo" if stream.source.kind == TABLE else "KinesisBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": records[0].sequence,
            "endSequenceNumber": records[-1].sequence,
            "approximateArrivalOfFirstRecord": format_timestamp(records[0].at),
            "approximateArrivalOfLastRecord": format_timestamp(records[-1].at),
            "batchSize": len(records),
            "streamArn": stream.arn,
        },
    }
    status = KEPT if mapping.destination is None else UNSENT
    note = {} if error is None else {"error": error}
    event = {"Records": [one.record for one in records]}
    return NewDiscarded(mapping.arn, key, now, status, invocation, event, note)


def trimmed(
    mapping: EventSourceMapping, stream: Stream, shard: str, position: str | None, now: int
) -> NewDiscarded:
    """What is kept where a stream has lost records before they were read: that it was so."""
    told = (mapping.arn, stream.identity, shard, position or "", TRIMMED)
    key = sha256("\n".join(told).encode()).hexdigest()
    since = "the beginning" if position is None else position
    invocation = {
        "requestContext": {"functionArn": mapping.function, "condition": TRIMMED, "approximateInvokeCount": 0},
        "DDBStreamBatchInfo" if stream.source.kind == TABLE else "KinesisBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": position,
            "streamArn": stream.arn,
        },
    }
    note = {"error": f"records after {since} of {shard} are gone from the stream"}
    return NewDiscarded(mapping.arn, key, now, DONE, invocation, {"Records": []}, note)


async def send_discarded(
    polling: Polling, mapping: EventSourceMapping, batch: DiscardedBatch
) -> Mapping[str, Any]:
    """Tell the destination of a mapping of a batch; returns what is worth keeping.

    Raises ``SourceRefused`` and ``SourceUnreachable``.
    """
    arn = str(mapping.destination)
    place, body = Arn.of(arn), dumps({**batch.invocation})
    region = place.region or mapping.source.region
    queue = queue_name(arn)
    if queue is not None:
        url = (await ask(polling, "sqs", region, "get_queue_url", QueueName=queue))["QueueUrl"]
        sent = await ask(polling, "sqs", region, "send_message", QueueUrl=url, MessageBody=body)
        return {"sent": str(sent["MessageId"])}
    if place.service == "sns":
        sent = await ask(polling, "sns", region, "publish", TopicArn=arn, Message=body)
        return {"sent": str(sent["MessageId"])}
    name = _object_name(mapping, batch)
    whole = dumps({**batch.invocation, "payload": dumps({**batch.event})})
    await ask(polling, "s3", region, "put_object", Bucket=place.resource, Key=name, Body=whole.encode())
    return {"sent": name}


def _object_name(mapping: EventSourceMapping, batch: DiscardedBatch) -> str:
    """aws/lambda/MAPPING/SHARD/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-UUID."""
    info = batch.invocation.get("KinesisBatchInfo") or batch.invocation["DDBStreamBatchInfo"]
    at = datetime.fromtimestamp(batch.at / 1000, UTC)
    unique = uuid_text(sha256(batch.key.encode()).digest())
    return f"aws/lambda/{last_part(mapping.arn)}/{info['shardId']}/{at:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{unique}"
