"""Functions that are called asynchronously, as Lambda does: tried again twice, and nobody waits for the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.errors import StatesError
from asl_engine.resources.calling import call_function

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.server.service import Service

__all__ = ["LostEvent", "call_asynchronously"]

# Before the second and the third attempt: "Error handling for asynchronous invocation" in Lambda's guide.
RETRY_SECONDS: Final = (60, 120)


class LostEvent(NamedTuple):
    """What an event has come to that its function has failed with, after so many attempts."""

    attempts: int
    error: StatesError


async def call_asynchronously(
    service: Service, arn: str, event: Json, *, key: str, caller: str, name: str
) -> LostEvent | None:
    """Call a function until it has succeeded, or has been tried often enough; None where it has succeeded.

    The arguments are those of ``call_function``.  Time passes as the server's does.
    """
    engine = service.engine
    attempt = 0
    with engine.timers.busy():  # time jumps to the next attempt, and not while a function works
        while True:
            try:
                await call_function(
                    service.catalog, arn, event, key=key, caller=caller, attempt=attempt, name=name
                )
            except StatesError as error:
                gone = (error.error or "").endswith("ResourceNotFoundException") or error.error == "States.Runtime"
                if gone or attempt == len(RETRY_SECONDS):
                    return LostEvent(attempt + 1, error)
            else:
                return None
            await engine.timers.sleep_until(engine.clock.now() + RETRY_SECONDS[attempt] * 1000)
            attempt += 1
