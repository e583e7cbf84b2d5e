"""``.waitForTaskToken``: a request whose answer is not the task's result.

"Wait for a Callback with Task Token" in the Developer Guide.  Any integration gets the pattern by being
wrapped: the request is made once, its answer is shown as submitted, and the task stays open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.resources import PENDING

if TYPE_CHECKING:
    from asl_engine.resources import Direct, Pending, Resource, TaskCall

__all__ = ["until_answered"]


def until_answered(service: Direct) -> Resource:
    """The resource that has ``service`` make the request and leaves the result to whoever has the token."""

    async def submit(call: TaskCall) -> Pending:
        if call.submitted is None:
            await call.submit(await service(call))
        return PENDING

    return submit
