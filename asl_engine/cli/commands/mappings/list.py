"""``asl mappings list``: the mappings of the project, and how each fares."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import last_part
from asl_engine.cli import options
from asl_engine.cli.lookup import no_database_yet
from asl_engine.cli.output import err, out, pretty_json
from asl_engine.mappings.settings import project_mappings
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.projections.moments import seconds, utc
from asl_engine.store.mapping_records import KEPT, UNSENT, MappingRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.mappings.settings import EventSourceMapping
    from asl_engine.store.mapping_records import ShardRecord

__all__ = ["command"]

MOST = 1000
NEVER = "NeverPolled"


class Shown(NamedTuple):
    record: MappingRecord
    shards: Sequence[ShardRecord] = ()
    kept: int = 0  # batches that were given up, and wait for somebody


def command(*, db: options.Db = None, json: options.AsJson = False) -> int:
    """Show each mapping: what it reads, how far it has come, what came of it last."""
    declared = project_mappings(project_of(Path.cwd()))
    found: dict[str, Shown] = {}
    if not no_database_yet(db, database(db)):
        found = asyncio.run(_load(db))
    for mapping in declared.mappings:
        found.setdefault(mapping.arn, Shown(_never(mapping)))
    shown = sorted(found.values(), key=lambda one: one.record.name)
    if json:
        out(pretty_json({"EventSourceMappings": [_as_json(one) for one in shown]}))
        return 0
    for one in shown:
        for line in _lines(one):
            out(line)
    for why in declared.left_out:
        err(f"asl: {why}")
    if not shown:
        err(
            "there are no event source mappings: "
            "templates or the table event-source-mappings of asl.toml declare them"
        )
    return 0


def _never(one: EventSourceMapping) -> MappingRecord:
    state = NEVER if one.enabled else "Disabled"
    return MappingRecord(one.arn, one.name, one.function, one.source.arn, {"state": state}, 0)


async def _load(db: str | None) -> dict[str, Shown]:
    async with opened(database(db), reading=True) as store:
        kept = await store.mappings.discarded([KEPT, UNSENT], MOST)
        found = {}
        for record in await store.mappings.mappings():
            given_up = sum(one.mapping_arn == record.arn for one in kept)
            found[record.arn] = Shown(record, await store.mappings.shards(record.arn), given_up)
        return found


def _lines(one: Shown) -> list[str]:
    record, tally = one.record, one.record.tally
    lines = [f"{record.name}  {tally['state']}  {record.source_arn} -> {last_part(record.function_arn)}"]
    counts = [f"{tally.get(name) or 0} {name}" for name in ("processed", "failed", "discarded", "filtered")]
    lines.append(f"  {', '.join(counts)}{_lag(tally)}")
    if tally.get("lastOutcome"):
        lines.append(f"  last: {utc(int(tally['lastAt']))}  {tally['lastOutcome']}")
    if tally.get("lastError") and tally["state"] == "Waiting":
        lines.append(f"  {tally['lastError']}")
    for shard in one.shards:
        at = shard.progress.get("position") or shard.progress.get("start")
        retried = [
            f"{r['attempts']} failed" for lane in shard.progress.get("lanes", ()) for r in lane["ranges"][:1]
        ]
        trouble = "".join(f", a batch under way, {text}" for text in retried)
        lines.append(f"  {shard.shard}: {'finished' if shard.finished else f'at {at}{trouble}'}")
    if one.kept:
        lines.append(f"  {one.kept} given up and kept: asl mappings log")
    return lines


def _lag(tally: Mapping[str, Any]) -> str:
    told = ""
    if tally.get("iteratorAge") is not None:
        told += f", {seconds(tally['iteratorAge'])} behind"
    if tally.get("backlog") is not None:
        told += f", {tally['backlog']} waiting"
    return told


def _as_json(one: Shown) -> dict[str, Any]:
    record, tally = one.record, one.record.tally
    return {
        "UUID": last_part(record.arn),
        "EventSourceMappingArn": record.arn,
        "Name": record.name,
        "EventSourceArn": record.source_arn,
        "FunctionArn": record.function_arn,
        "State": tally["state"],
        "LastProcessingResult": tally.get("lastOutcome") or "No records processed",
        "Processed": tally.get("processed") or 0,
        "Failed": tally.get("failed") or 0,
        "Discarded": tally.get("discarded") or 0,
        "Filtered": tally.get("filtered") or 0,
        "IteratorAge": tally.get("iteratorAge"),
        "Backlog": tally.get("backlog"),
        "LastError": tally.get("lastError"),
        "KeptBatches": one.kept,
        "Shards": [
            {
                "ShardId": shard.shard,
                "Finished": shard.finished,
                "SequenceNumber": shard.progress.get("position"),
            }
            for shard in one.shards
        ],
    }
