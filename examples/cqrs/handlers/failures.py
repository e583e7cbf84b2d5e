"""Records of the stream that were given up: kept while the stream still has them, for somebody to look at."""

import json

import boto3
from handlers.tables import FAILED, db

streams = boto3.client("dynamodbstreams")


def keep_failed(event, _context):
    """A message says which records failed, and not what is in them."""
    for message in event["Records"]:
        told = json.loads(message["body"])
        batch, why = told["DDBStreamBatchInfo"], told["requestContext"]["condition"]
        for record in records_of(batch):
            change = record["dynamodb"]
            row = {
                "sequenceNumber": change["SequenceNumber"],
                "keys": json.dumps(change["Keys"]),
                "image": json.dumps(change.get("NewImage")),
                "why": why,
            }
            db.put_item(TableName=FAILED, Item=row)  # twice is the same row


def records_of(batch):
    """The records of a batch, in order."""
    first, last = batch["startSequenceNumber"], batch["endSequenceNumber"]
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=first,
    )["ShardIterator"]
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            yield record
            if record["dynamodb"]["SequenceNumber"] == last:
                return
        iterator = answer.get("NextShardIterator")
