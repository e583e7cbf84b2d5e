"""``asl mappings``: what a server has left in the database."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.store.mapping_records import KEPT, MappingRecord, NewDiscarded, ShardRecord
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.project import Project

ARN = "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:u"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
TALLY = {
    "state": "Enabled",
    "processed": 7,
    "failed": 2,
    "discarded": 1,
    "filtered": 0,
    "iteratorAge": 1500,
    "backlog": None,
    "lastError": None,
    "lastOutcome": "OK",
    "lastAt": 1_700_000_000_000,
}
INVOCATION = {
    "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 2},
    "KinesisBatchInfo": {"shardId": "shard-1", "startSequenceNumber": "5"},
}


def fill(path: Path) -> None:
    async def put() -> None:
        path.parent.mkdir(exist_ok=True)
        store = await SqliteStore.open(path)
        await store.mappings.put_mappings([MappingRecord(ARN, "clicks", FUNCTION, STREAM, TALLY, 0)])
        lanes = [{"done": "9", "ranges": [{"last": "12", "attempts": 3, "calls": 3}]}]
        progress = {"start": "TRIM_HORIZON", "position": "9", "lanes": lanes}
        event = {"Records": [{"kinesis": {"sequenceNumber": "5"}}]}
        note = {"error": "ValueError: no"}
        await store.mappings.put_shards(
            [
                ShardRecord(ARN, "shard-0", STREAM, 0, finished=True),
                ShardRecord(ARN, "shard-1", STREAM, 0, False, progress),
            ],
            [NewDiscarded(ARN, "key", 1_700_000_000_000, KEPT, INVOCATION, event, note)],
        )
        await store.close()

    asyncio.run(put())


@pytest.fixture
def db(project: Project) -> Path:
    path = project.root / ".asl" / "asl.db"
    fill(path)
    return path


def test_each_mapping_is_shown_with_how_far_it_is(project: Project, db: Path) -> None:
    del db
    assert project.asl("mappings", "list").out.splitlines() == [
        f"clicks  Enabled  {STREAM} -> work",
        "  7 processed, 2 failed, 1 discarded, 0 filtered, 1.50 s behind",
        "  last: 2023-11-14 22:13:20.000  OK",
        "  shard-0: finished",
        "  shard-1: at 9, a batch under way, 3 failed",
        "  1 given up and kept: asl mappings log",
    ]
    told = json.loads(project.asl("mappings", "list", "--json").out)
    (one,) = told["EventSourceMappings"]
    assert (one["Name"], one["Processed"], one["KeptBatches"], one["IteratorAge"]) == ("clicks", 7, 1, 1500)
    assert one["Shards"][1] == {"ShardId": "shard-1", "Finished": False, "SequenceNumber": "9"}


def test_one_that_was_never_polled_is_shown_too(project: Project) -> None:
    (project.root / "asl.toml").write_text(
        '[event-source-mappings.orders]\nfunction = "work"\nsource = "queue:orders"\n', encoding="utf-8"
    )
    shown = project.asl("mappings", "list").out
    assert shown.startswith("orders  NeverPolled  arn:aws:sqs:us-east-1:123456789012:orders -> work\n")


def test_a_mistake_in_the_configuration_is_told_with_its_place(project: Project) -> None:
    (project.root / "asl.toml").write_text(
        '[event-source-mappings.orders]\nfunction = "work"\nsource = "queue:orders"\nBatchSize = 0\n',
        encoding="utf-8",
    )
    result = project.asl("mappings", "list")
    assert result.code == 2
    assert "asl.toml: event-source-mappings.orders.BatchSize: it has to be a whole number" in result.err


def test_without_any_that_is_said(project: Project) -> None:
    told = "templates or the table event-source-mappings of asl.toml declare them"
    assert project.asl("mappings", "list").err.endswith(f"there are no event source mappings: {told}\n")
    assert project.asl("mappings", "log").err == "0 given up, of which 0 wait for somebody\n"
    assert "Show each mapping" in project.asl("mappings").out


def test_what_was_given_up_is_shown_and_can_be_tried_once_more(project: Project, db: Path) -> None:
    del db
    result = project.asl("mappings", "log", "--mapping", "clicks")
    assert result.out == (
        "1  2023-11-14 22:13:20.000  clicks  shard-1  1 record from 5  RetryAttemptsExhausted: ValueError: no  "
        "(kept)\n"
    )
    assert "1 given up, of which 1 wait for somebody; try them once more" in result.err
    (batch,) = json.loads(project.asl("mappings", "log", "--json").out)["Batches"]
    assert (batch["Status"], batch["InvocationRecord"]) == ("KEPT", INVOCATION)
    assert (
        project.asl("mappings", "redrive", "1").err
        == "1 batch to be tried once more by `asl serve` or `asl dev`\n"
    )
    assert "(to be tried once more)" in project.asl("mappings", "log").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["redrive"], "name the batches to try once more, or pass --all"),
        (["redrive", "1", "--all"], "name the batches to try once more, or pass --all"),
        (
            ["redrive", "7"],
            "7: no batch of that number is kept; `asl mappings log` lists those there are. 0 batches",
        ),
        (["log", "--mapping", "x"], "no mapping 'x' was ever polled here; there are: clicks"),
    ],
)
def test_what_cannot_be_done_is_said(project: Project, db: Path, arguments: Any, told: str) -> None:
    del db
    result = project.asl("mappings", *arguments)
    assert result.code == 2
    assert told in result.err
