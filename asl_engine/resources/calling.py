"""Functions called outside an execution: by a rule, a batch of messages, a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.payload import Payload
from asl_engine.resources import PENDING, TaskCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json
    from asl_engine.resources import Resource

__all__ = ["call_function"]


async def call_function(
    functions: Mapping[str, Resource],
    arn: str,
    event: Json,
    *,
    key: str,
    caller: str,
    attempt: int = 0,
    name: str = "",
) -> Payload:
    """What the function of this ARN returns.

    ``key`` is the same in each attempt at one thing, and ``attempt`` counts those from 0.  ``caller`` is the ARN
    of what calls, ``name`` what people call that.  Raises ``StatesError``: the function's own error, or that
    there is no such function.
    """
    output = await functions[arn](
        TaskCall(
            resource=arn,
            input=Payload(event),
            key=key,
            attempt=attempt,
            deadline=None,
            execution=caller,
            state=name,
            heartbeat=lambda: None,
        )
    )
    assert output is not PENDING, "a function answers by itself"  # noqa: S101  for the type checker
    return output
