"""``asl mappings log``: the batches that were given up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asl_engine.cli import options
from asl_engine.cli.commands.list import checked_limit
from asl_engine.cli.lookup import no_database_yet
from asl_engine.cli.output import counted, err, out, pretty_json
from asl_engine.errors import InvalidInput
from asl_engine.project.lookup import database, opened
from asl_engine.projections.moments import utc
from asl_engine.store.mapping_records import DONE, KEPT, REDRIVEN, UNSENT

if TYPE_CHECKING:
    from asl_engine.store.mapping_records import DiscardedBatch

__all__ = ["command"]

STATUSES = {
    UNSENT: "its destination has still to hear of it",
    KEPT: "kept",
    REDRIVEN: "to be tried once more",
    DONE: "done with",
}


def command(
    *,
    mapping: Annotated[str | None, typer.Option("--mapping", metavar="NAME", help="Only those of one.")] = None,
    limit: options.MostListed = 100,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Show the batches that were given up, and what has become of them."""
    checked_limit(limit)
    found: list[tuple[str, DiscardedBatch]] = []
    if not no_database_yet(db, database(db)):
        found = asyncio.run(_load(db, mapping, limit))
    if json:
        out(pretty_json({"Batches": [_as_json(*one) for one in found]}))
        return 0
    for one in found:
        out(_line(*one))
    waiting = sum(batch.status in {KEPT, UNSENT} for _, batch in found)
    told = "; try them once more: asl mappings redrive --all" if waiting else ""
    err(f"{len(found)} given up, of which {waiting} wait for somebody{told}")
    return 0


async def _load(db: str | None, mapping: str | None, limit: int) -> list[tuple[str, DiscardedBatch]]:
    async with opened(database(db), reading=True) as store:
        names = {record.arn: record.name for record in await store.mappings.mappings()}
        arn = next((arn for arn, name in names.items() if name == mapping), None)
        if mapping is not None and arn is None:
            known = ", ".join(sorted(names.values())) or "none"
            raise InvalidInput(f"no mapping {mapping!r} was ever polled here; there are: {known}")
        found = await store.mappings.discarded([*STATUSES], limit, mapping_arn=arn)
        return [(names.get(one.mapping_arn, one.mapping_arn), one) for one in found]


def _info(batch: DiscardedBatch) -> dict[str, Any]:
    info: dict[str, Any] = batch.invocation.get("KinesisBatchInfo") or batch.invocation["DDBStreamBatchInfo"]
    return info


def _line(name: str, batch: DiscardedBatch) -> str:
    request, info, note = batch.invocation["requestContext"], _info(batch), batch.note
    error = f": {note['error']}" if note.get("error") else ""
    records = counted(len(batch.event["Records"]), "record")
    trouble = f"; {note['destinationError']}" if "destinationError" in note else ""
    return (
        f"{batch.number}  {utc(batch.at)}  {name}  {info['shardId']}  {records} from {info['startSequenceNumber']}"
        f"  {request['condition']}{error}  ({STATUSES[batch.status]}{trouble})"
    )


def _as_json(name: str, batch: DiscardedBatch) -> dict[str, Any]:
    return {
        "Batch": batch.number,
        "Mapping": name,
        "Status": batch.status,
        "DiscardedAt": batch.at / 1000,
        "InvocationRecord": {**batch.invocation},
        "Event": {**batch.event},
        "Note": {**batch.note},
    }
