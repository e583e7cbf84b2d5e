"""Tasks that work side by side for as long as all of them do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["until_one_ends"]


async def until_one_ends(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Return when one of the tasks has ended, with the others cancelled.  Raises what ended it."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
