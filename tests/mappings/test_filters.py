"""FilterCriteria, with the examples of "Using event filtering" for queues, Kinesis and DynamoDB."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from asl_engine.mappings.filtering import read_filters
from asl_engine.mappings.sources import KINESIS, QUEUE, TABLE

RECORD = {"RecordNumber": 1234, "TimeStamp": "yyyy-mm-ddThh:mm:ss", "RequestCode": "AAAA"}


def lets_through(kind: str, record: dict[str, Any], *patterns: Any) -> bool:
    criteria = {"Filters": [{"Pattern": pattern} for pattern in patterns]}
    return read_filters(kind, criteria).let_through(record)


@pytest.mark.parametrize(
    ("body", "pattern", "matches"),
    [
        (json.dumps(RECORD), {"body": {"RequestCode": ["AAAA"]}}, True),
        (json.dumps(RECORD), {"body": {"RequestCode": ["BBBB"]}}, False),
        (json.dumps(RECORD), {"body": {"RecordNumber": [{"numeric": [">", 999]}]}}, True),
        ("hello", {"body": ["hello"]}, True),
        ("hello", {"body": [{"prefix": "he"}]}, True),
        ("hello", {"body": {"RequestCode": ["AAAA"]}}, False),
        ("hello", {"body": {"RequestCode": [{"exists": False}]}}, False),
        (json.dumps(RECORD), {"body": [{"prefix": "{"}]}, False),
        ("{broken", {"body": [{"prefix": "{"}]}, True),
        ("hello", {"messageAttributes": {"kind": {"stringValue": ["a"]}}}, True),
        (json.dumps(RECORD), {"messageAttributes": {"kind": {"stringValue": ["b"]}}}, False),
        (json.dumps(RECORD), {"$or": [{"body": {"RequestCode": ["AAAA"]}}, {"awsRegion": ["x"]}]}, True),
    ],
)
def test_messages(body: str, pattern: Any, matches: bool) -> None:
    record = {"body": body, "messageAttributes": {"kind": {"stringValue": "a"}}, "awsRegion": "us-east-1"}
    assert lets_through(QUEUE, record, pattern) is matches
    assert lets_through(QUEUE, record, {"body": ["never"]}, pattern) is matches


@pytest.mark.parametrize(
    ("data", "pattern", "matches"),
    [
        (b'{"record":12345,"order":{"type":"buy"}}', {"data": {"order": {"type": ["buy"]}}}, True),
        (b'{"record":12345,"order":{"type":"sell"}}', {"data": {"order": {"type": ["buy"]}}}, False),
        (b'{"order":{"type":"buy"}}', {"partitionKey": ["1"], "data": {"order": {"type": ["buy"]}}}, True),
        (b'{"order":{"type":"buy"}}', {"kinesis": {"partitionKey": ["2"]}}, False),
        (b"plain", {"data": {"order": {"type": ["buy"]}}}, False),
        (b"plain", {"data": ["plain"]}, True),
        (b"\xff\xfe", {"data": [{"exists": True}]}, False),
        (b"\xff\xfe", {"partitionKey": ["1"]}, True),
    ],
)
def test_records_of_kinesis(data: bytes, pattern: Any, matches: bool) -> None:
    record = {"kinesis": {"partitionKey": "1", "data": b64encode(data).decode()}, "eventSource": "aws:kinesis"}
    assert lets_through(KINESIS, record, pattern) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({"eventName": ["INSERT"]}, True),
        ({"eventName": ["REMOVE"]}, False),
        ({"dynamodb": {"Keys": {"CustomerName": {"S": [{"prefix": "Any"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"Total": {"N": [{"numeric": [">", 1]}]}}}}, False),  # a number is a text there
        ({"dynamodb": {"OldImage": {"Total": {"N": [{"exists": False}]}}}}, True),
    ],
)
def test_records_of_tables(pattern: Any, matches: bool) -> None:
    keys = {"CustomerName": {"S": "AnyCompany"}}
    record = {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": {**keys, "Total": {"N": "5"}}}}
    assert lets_through(TABLE, record, pattern) is matches


def test_without_filters_everything_is_let_through() -> None:
    assert read_filters(QUEUE, None).let_through({"body": "x"})
    assert read_filters(QUEUE, {"Filters": []}).let_through({"body": "x"})
