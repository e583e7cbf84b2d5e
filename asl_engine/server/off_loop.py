"""Work on large definitions, done off the event loop so that other requests are answered meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["without_delay"]


Result = TypeVar("Result")


LARGE = 65_536  # characters of a definition that takes noticeable time to compile


async def without_delay(work: Callable[[], Result], size: int) -> Result:
    """Run ``work`` on a definition of ``size`` characters, in a thread if other requests would have to wait."""
    return work() if size < LARGE else await run_in_thread(work)
