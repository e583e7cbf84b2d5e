"""Which children of a Map Run go on when it is redriven.  "Redriving Map Runs" in the Developer Guide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import is_express
from asl_engine.core.redrive import not_redrivable

if TYPE_CHECKING:
    from asl_engine.core.execution import Execution
    from asl_engine.engine.host import Host
    from asl_engine.store.records import MapRunChild

__all__ = ["can_redrive", "may_redrive"]


def may_redrive(child: MapRunChild, redrives: int) -> bool:
    """Whether a child has ended unsuccessfully before this redrive of its Map Run."""
    return child.status not in {"RUNNING", "SUCCEEDED"} and child.round < redrives


def can_redrive(host: Host, execution: Execution) -> bool:
    """Whether such a child, as its log has left it, can go on.  An Express child is begun anew."""
    return is_express(execution.identity.arn) or not_redrivable(execution, host.clock.now(), host.limits) is None
