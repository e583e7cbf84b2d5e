"""Which children of a Map Run go on when it is redriven.  "Redriving Map Runs" in the Developer Guide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import is_express
from asl_engine.core.apply import fold
from asl_engine.core.redrive import not_redrivable

if TYPE_CHECKING:
    from asl_engine.engine.host import Host
    from asl_engine.store.records import MapRunChild

__all__ = ["is_to_be_redriven"]


async def is_to_be_redriven(host: Host, child: MapRunChild, redrives: int) -> bool:
    """Whether a child has ended unsuccessfully before this redrive of its Map Run, and can go on."""
    if child.status in {"RUNNING", "SUCCEEDED"} or child.round >= redrives:
        return False
    if is_express(child.arn):  # it is begun anew
        return True
    record = await host.store.record(child.arn)
    assert record is not None  # noqa: S101  executions are never removed
    execution = fold(record.identity, await host.store.events(child.arn))
    return not_redrivable(execution, host.clock.now(), host.limits) is None
