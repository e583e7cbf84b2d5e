"""Task calls that are made up by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.payload import Payload
from asl_engine.resources import TaskCall

if TYPE_CHECKING:
    from asl_engine.json_values import Json

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:shop:order-1"


def no_heartbeat() -> None:
    """Nobody listens."""


def a_call(resource: str, given: Json, submissions: list[Payload] | None = None, **more: Any) -> TaskCall:
    """``submissions`` takes what the resource submits."""

    async def submit(output: Payload) -> None:
        assert submissions is not None, "nothing is to be submitted"
        submissions.append(output)

    return TaskCall(
        resource=resource,
        input=Payload(given),
        key=f"{EXECUTION}:5",
        attempt=0,
        deadline=None,
        execution=EXECUTION,
        state="S",
        heartbeat=no_heartbeat,
        submit=submit,
        **more,
    )
