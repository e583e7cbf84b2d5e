"""Why a task was cancelled: its execution wants it no more, or this process ends and the task goes on later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import CancelledError

__all__ = ["GIVEN_UP", "given_up"]

GIVEN_UP: Final = "the execution has given the task up"


def given_up(cancelled: CancelledError) -> bool:
    """Whether work that the task has started elsewhere is to be stopped, too."""
    return GIVEN_UP in cancelled.args
