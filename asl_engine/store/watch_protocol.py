"""The interface of a store to whoever watches over executions: which have failed, and which do not get on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DeadLetter", "Watch", "WatchedExecution"]


class WatchedExecution(NamedTuple):
    """An execution that no Map Run has started.  ``at`` is what was asked about, a time in milliseconds."""

    arn: str
    machine_arn: str
    at: int


class DeadLetter(NamedTuple):
    """A delivery, or a batch of a mapping, that was given up at a moment; ``owner`` is the rule or the mapping."""

    key: str
    owner: str
    at: int


class Watch(Protocol):
    """Each of them in the order of their times."""

    async def failed(self, after: int) -> Sequence[WatchedExecution]:
        """Executions that have failed or timed out after a moment; ``at`` is when."""
        ...

    async def running(self, after: int, until: int) -> Sequence[WatchedExecution]:
        """Those that run and were started or redriven in a time; ``at`` is when."""
        ...

    async def idle(self, after: int, until: int) -> Sequence[WatchedExecution]:
        """Those that run and whose last event is of a time; ``at`` is when."""
        ...

    async def next_running(self, after: int) -> int | None:
        """When the first of those that run was started or redriven, after a moment."""
        ...

    async def origins(self, prefix: str) -> Sequence[str]:
        """The origins of events of the bus that begin so."""
        ...

    async def dead_letters(self, after: int) -> Sequence[DeadLetter]:
        """What was given up after a moment."""
        ...
