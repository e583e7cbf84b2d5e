"""Where a failed execution has failed: the state, and what its task has called.

An execution's error and cause do not say it; its events do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import function_name, integration_name
from asl_engine.core import events as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.execution import Execution
    from asl_engine.resources.python.registry import Registry
    from asl_engine.store.protocol import Store

__all__ = ["Whereabouts", "failed_at", "where_failed"]


class Whereabouts(NamedTuple):
    """``resource`` is what the state's task has called, None for a state without one."""

    state: str
    resource: str | None = None

    def is_told_by(self, line: str) -> bool:
        """Whether a line of the failure names the state: in Lambda's report, or in a message of AWS's."""
        return f"of the state {self.state}" in line or f"the state '{self.state}'" in line

    def line(self, registry: Registry | None) -> str:
        """``in the state Pay, which calls the task pay (/shop/tasks/pay.py:7)``"""
        if self.resource is None:
            return f"in the state {self.state}"
        name = function_name(self.resource)
        if name is None:
            called = integration_name(self.resource) or self.resource
            return f"in the state {self.state}, which calls {called}"
        function = None if registry is None else registry.find(name)
        if function is None:
            return f"in the state {self.state}, which calls the function {name}"
        from asl_engine.resources.python.callables import where

        return f"in the state {self.state}, which calls the task {name} ({where(function)})"


async def failed_at(store: Store, execution: Execution) -> Whereabouts | None:
    """Where an execution has failed; None for one that has not, or not in a state."""
    if execution.status != "FAILED":
        return None
    return where_failed(await store.events(execution.identity.arn))


def where_failed(events: Sequence[ev.Event]) -> Whereabouts | None:
    """The innermost state that the failure comes from: that of a branch, where a branch has failed."""
    failed: ev.ExecutionFailed | None = None
    frame, resource = 0, None
    for event in reversed(events):
        if failed is None:
            if isinstance(event, ev.ExecutionFailed):
                failed, frame = event, event.frame
        elif isinstance(event, ev.BranchFailed | ev.MapIterationFailed):
            # A branch whose failure was caught has another error, or was over before.
            if (event.error, event.cause) == (failed.error, failed.cause):
                frame, resource = event.frame, None
        elif isinstance(event, ev.TaskScheduled) and event.frame == frame and resource is None:
            resource = event.resource
        elif isinstance(event, ev.StateEntered) and event.frame == frame:
            return Whereabouts(event.name, resource)
    return None
