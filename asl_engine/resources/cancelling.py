"""Why a task was cancelled: its execution gave it up, or this process ends and the task continues later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import CancelledError

__all__ = ["GIVEN_UP", "given_up"]

GIVEN_UP: Final = "the execution has given the task up"


def given_up(cancelled: CancelledError) -> bool:
    """Whether to stop the work that the task started elsewhere, too."""
    return GIVEN_UP in cancelled.args
