"""What is left to do of a Map Run that is over: its children are aborted, and what came of them is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asl_engine.engine.map_runs.counts import Counts

if TYPE_CHECKING:
    from asl_engine.engine.host import Host

__all__ = ["finalize"]

PAGE = 500  # children that are aborted at once


async def finalize(host: Host, arn: str, total: int | None = None) -> None:
    """Abort the children of a Map Run that is over, and keep what came of it.

    ``total`` is the number of its items where it is known.
    """
    from asl_engine.language.loader import load

    store = host.store
    while found := await store.map_runs.child_page(arn, "RUNNING", None, PAGE):
        machine = load(await store.definition(found[0][0].definition))
        await asyncio.gather(*(host.stop(machine, child) for child, *_ in found))
    counts = Counts.of_sums(await store.map_runs.sums(arn))
    counts.total = max(total or 0, counts.total)
    await store.map_runs.count(arn, counts.to_json())
