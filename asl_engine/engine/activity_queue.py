"""The tasks of activities, from whoever schedules them to whoever polls for them.

First in, first out, for each activity.  Nothing of this is stored: what is offered is what executions have
open, and offered again when they are resumed.  Taking a task out of the queue only says whose turn it is;
it is the worker's once the execution has recorded it.
"""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ActivityQueue", "PendingTask", "TooManyPolls"]

Owner = TypeVar("Owner")


class TooManyPolls(Exception):
    """As many workers as may do poll this activity already."""


class PendingTask(NamedTuple, Generic[Owner]):
    """A task that waits for a worker; ``owner`` is its execution.

    ``taken``: it was handed out already, or may have been, to a worker that could not be told.
    """

    owner: Owner
    key: int
    taken: bool = False


class ActivityQueue(Generic[Owner]):
    """Which activities there are, the tasks that wait for workers, and the workers that wait for tasks.

    ``is_open`` says whether a task is still to be had: those that are not are passed over.
    """

    def __init__(self, is_open: Callable[[PendingTask[Owner]], bool]) -> None:
        self._is_open = is_open
        self._activities: set[str] = set()
        self._waiting: dict[str, deque[PendingTask[Owner]]] = {}
        # Dictionaries, as sets in order: a poll may leave from the middle of the queue.
        self._polls: dict[str, dict[asyncio.Future[PendingTask[Owner] | None], None]] = {}
        self._closed = False

    # -- activities -------------------------------------------------------------------------------

    def know(self, activities: Iterable[str]) -> None:
        """Exactly these activities exist, by ARN."""
        self._activities = {*activities}

    def learn(self, activity: str) -> None:
        """The activity exists."""
        self._activities.add(activity)

    def forget(self, activity: str) -> None:
        """The activity exists no more: nothing is scheduled for it; what was scheduled before goes on."""
        self._activities.discard(activity)

    def knows(self, activity: str) -> bool:
        return activity in self._activities

    # -- tasks ------------------------------------------------------------------------------------

    def offer(self, activity: str, task: PendingTask[Owner], *, first: bool = False) -> None:
        """Give a task to the worker that has waited longest, or let it wait for one.

        ``first``: it was taken and could not be handed over; it is the next one again.
        """
        polls = self._polls.get(activity)
        while polls:
            poll = next(iter(polls))
            del polls[poll]
            if not poll.done():
                poll.set_result(task)
                return
        waiting = self._waiting.setdefault(activity, deque())
        while waiting and not self._is_open(waiting[0]):  # nobody may ever come and pass over them
            waiting.popleft()
        if first:
            waiting.appendleft(task)
        else:
            waiting.append(task)

    def polls(self, activity: str) -> int:
        """How many workers wait for a task of this activity."""
        return len(self._polls.get(activity, ()))

    def lengths(self) -> list[tuple[str, int, int]]:
        """Of each activity that there is: how many tasks wait for workers, and how many workers for tasks."""
        return [(name, len(self._waiting.get(name, ())), self.polls(name)) for name in sorted(self._activities)]

    async def take(
        self,
        activity: str,
        seconds: float,
        most: int | None = None,
        gone: asyncio.Future[None] | None = None,
    ) -> PendingTask[Owner] | None:
        """The oldest task of an activity, None where none has come for so long.

        A worker that goes away meanwhile (``gone`` is done) leaves its place, and what it was just given to the
        next.  Raises ``TooManyPolls`` where ``most`` others wait already.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            found = self._oldest(activity)
            if found is None and not self._closed:
                found = await self._wait(activity, until - loop.time(), most, gone)
            if found is None or self._is_open(found):
                return found

    async def _wait(
        self, activity: str, seconds: float, most: int | None, gone: asyncio.Future[None] | None
    ) -> PendingTask[Owner] | None:
        if most is not None and self.polls(activity) >= most:
            raise TooManyPolls
        poll: asyncio.Future[PendingTask[Owner] | None] = asyncio.get_running_loop().create_future()
        self._polls.setdefault(activity, {})[poll] = None
        waited_for: set[asyncio.Future[Any]] = {poll} if gone is None else {poll, gone}
        here = False
        try:
            await asyncio.wait(waited_for, timeout=seconds, return_when=FIRST_COMPLETED)
            here = gone is None or not gone.done()
        finally:
            self._leave(activity, poll)
            given = poll.result() if poll.done() else None
            if given is not None and not here:
                self.offer(activity, given, first=True)
        return given if here else None

    def _leave(self, activity: str, poll: asyncio.Future[PendingTask[Owner] | None]) -> None:
        polls = self._polls.get(activity, {})
        polls.pop(poll, None)
        if not polls:
            self._polls.pop(activity, None)

    def close(self) -> None:
        """No more tasks: whoever waits is told that there is none."""
        self._closed = True
        for polls in self._polls.values():
            for poll in polls:
                if not poll.done():
                    poll.set_result(None)

    def _oldest(self, activity: str) -> PendingTask[Owner] | None:
        waiting = self._waiting.get(activity)
        while waiting:
            task = waiting.popleft()
            if self._is_open(task):
                return task
        self._waiting.pop(activity, None)
        return None
