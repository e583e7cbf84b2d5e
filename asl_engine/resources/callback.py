"""``.waitForTaskToken``: a request whose answer is not the task's result.

"Wait for a Callback with Task Token" in the Developer Guide.  A wrapper adds the pattern to any
integration: the request is made once, its answer is shown as submitted, and the task stays open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.resources import PENDING

if TYPE_CHECKING:
    from asl_engine.resources import Direct, Pending, Resource, TaskCall

__all__ = ["until_answered"]


def until_answered(service: Direct) -> Resource:
    """A resource that lets ``service`` make the request, and whose result comes from a client with the token."""

    async def submit(call: TaskCall) -> Pending:
        if call.submitted is None:
            await call.submit(await service(call))
        return PENDING

    return submit
