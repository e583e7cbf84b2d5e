"""The tasks of activities, from whoever schedules them to whoever polls for them.

First in, first out, for each activity.  Nothing of this is stored: what is offered is what executions have
open, and offered again when they are resumed.  Taking a task out of the queue only says whose turn it is;
it is the worker's once the execution has recorded it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Offer", "TooManyPolls", "Workers"]

Owner = TypeVar("Owner")


class TooManyPolls(Exception):
    """As many workers as may do poll this activity already."""


class Offer(NamedTuple, Generic[Owner]):
    """A task that waits for a worker; ``owner`` is its execution."""

    owner: Owner
    key: int


class Workers(Generic[Owner]):
    """Which activities there are, the tasks that wait for workers, and the workers that wait for tasks.

    ``is_open(owner, key)`` says whether a task is still to be had: those that are not are passed over.
    """

    def __init__(self, is_open: Callable[[Owner, int], bool]) -> None:
        self._is_open = is_open
        self._activities: set[str] = set()
        self._offers: dict[str, deque[Offer[Owner]]] = {}
        self._polls: dict[str, deque[asyncio.Future[Offer[Owner]]]] = {}

    def know(self, activities: Iterable[str]) -> None:
        """These activities exist, by ARN."""
        self._activities.update(activities)

    def forget(self, activity: str) -> None:
        """The activity exists no more: nothing is scheduled for it; what was scheduled before goes on."""
        self._activities.discard(activity)

    def knows(self, activity: str) -> bool:
        return activity in self._activities

    def offer(self, activity: str, owner: Owner, key: int) -> None:
        """Give a task to the worker that has waited longest, or let it wait for one."""
        self._give(activity, Offer(owner, key), first=False)

    def give_back(self, activity: str, offer: Offer[Owner]) -> None:
        """A task that was taken and could not be handed over is the next one again."""
        self._give(activity, offer, first=True)

    def _give(self, activity: str, offer: Offer[Owner], *, first: bool) -> None:
        polls = self._polls.get(activity)
        while polls:
            poll = polls.popleft()
            if not poll.done():
                poll.set_result(offer)
                return
        waiting = self._offers.setdefault(activity, deque())
        if first:
            waiting.appendleft(offer)
        else:
            waiting.append(offer)

    def polls(self, activity: str) -> int:
        """How many workers wait for a task of this activity."""
        return len(self._polls.get(activity, ()))

    async def take(self, activity: str, seconds: float, most: int | None = None) -> Offer[Owner] | None:
        """The oldest task of an activity, None where none has come for so long.

        Whoever is cancelled while waiting leaves its place, and a task that it was just given to the next.
        Raises ``TooManyPolls`` where ``most`` others wait already.
        """
        found = self._oldest(activity)
        if found is not None:
            return found
        if most is not None and self.polls(activity) >= most:
            raise TooManyPolls
        loop = asyncio.get_running_loop()
        poll: asyncio.Future[Offer[Owner]] = loop.create_future()
        polls = self._polls.setdefault(activity, deque())
        polls.append(poll)
        try:
            await asyncio.wait([poll], timeout=seconds)
        except asyncio.CancelledError:
            if poll.done():
                self.give_back(activity, poll.result())
            raise
        finally:
            if not poll.done():
                poll.cancel()
                polls.remove(poll)
            if not polls:
                self._polls.pop(activity, None)
        if poll.cancelled():
            return None
        offer = poll.result()
        # It may have timed out between two looks at the queue.
        return offer if self._is_open(*offer) else await self.take(activity, seconds, most)

    def _oldest(self, activity: str) -> Offer[Owner] | None:
        waiting = self._offers.get(activity)
        while waiting:
            offer = waiting.popleft()
            if self._is_open(*offer):
                return offer
        self._offers.pop(activity, None)
        return None
