"""Who gets which task: the queues between executions and workers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
import pytest

from asl_engine.engine.activity_queue import ActivityQueue, PendingTask, TooManyPolls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAINT, SAND = "paint", "sand"
SOON, LONG = 0.001, 60.0


def play(scenario: Callable[[ActivityQueue[str], set[int]], Awaitable[None]]) -> None:
    """A scenario with workers, and the set of the keys that are closed."""

    async def main() -> None:
        closed: set[int] = set()
        with anyio.fail_after(20):
            await scenario(ActivityQueue(lambda offer: offer.key not in closed), closed)

    anyio.run(main)


def task(key: int) -> PendingTask[str]:
    return PendingTask("execution", key)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_tasks_are_taken_in_order_and_by_activity() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        for key in (1, 2, 3):
            queue.offer(PAINT, task(key))
        queue.offer(SAND, task(4))
        closed.add(2)
        assert [await queue.take(PAINT, SOON) for _ in range(3)] == [task(1), task(3), None]
        assert await queue.take(SAND, SOON) == task(4)

    play(scenario)


def test_whoever_has_waited_longest_is_served_first() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        del closed
        polls = [asyncio.ensure_future(queue.take(PAINT, LONG)) for _ in range(3)]
        await settled()
        assert queue.polls(PAINT) == 3
        for key in (1, 2, 3):
            queue.offer(PAINT, task(key))
        assert await asyncio.gather(*polls) == [task(1), task(2), task(3)]
        assert queue.polls(PAINT) == 0

    play(scenario)


def test_a_task_that_closes_on_its_way_is_not_handed_out() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        poll = asyncio.ensure_future(queue.take(PAINT, LONG))
        await settled()
        queue.offer(PAINT, task(1))
        closed.add(1)
        await settled()
        assert not poll.done()
        queue.offer(PAINT, task(2))
        assert await poll == task(2)

    play(scenario)


def test_a_place_is_free_when_its_worker_is_gone() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        del closed
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        poll = asyncio.ensure_future(queue.take(PAINT, LONG, 1, gone))
        await settled()
        with pytest.raises(TooManyPolls):
            await queue.take(PAINT, LONG, 1)
        gone.set_result(None)
        assert await poll is None
        assert queue.polls(PAINT) == 0
        assert await queue.take(PAINT, SOON, 1) is None

    play(scenario)


@pytest.mark.parametrize("gone_first", [True, False])
def test_what_a_worker_that_is_gone_was_given_is_the_next_ones(gone_first: bool) -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        del closed
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        poll = asyncio.ensure_future(queue.take(PAINT, LONG, None, gone))
        await settled()
        if gone_first:
            gone.set_result(None)
        queue.offer(PAINT, task(1))
        if not gone_first:
            gone.set_result(None)
        queue.offer(PAINT, task(2))
        assert await poll is None
        assert [await queue.take(PAINT, SOON) for _ in range(3)] == [task(1), task(2), None]

    play(scenario)


def test_what_a_cancelled_worker_was_given_is_the_next_ones() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        del closed
        poll = asyncio.ensure_future(queue.take(PAINT, LONG))
        await settled()
        queue.offer(PAINT, task(1))
        poll.cancel()
        with pytest.raises(asyncio.CancelledError):
            await poll
        assert await queue.take(PAINT, SOON) == task(1)

    play(scenario)


def test_a_task_that_could_not_be_handed_over_comes_first() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        del closed
        queue.offer(PAINT, task(1))
        queue.offer(PAINT, task(2), first=True)
        assert [await queue.take(PAINT, SOON) for _ in range(2)] == [task(2), task(1)]

    play(scenario)


def test_tasks_that_nobody_comes_for_are_not_kept_for_ever() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        for key in range(1000):
            queue.offer(PAINT, task(key))
            closed.add(key)
        assert len(queue._waiting[PAINT]) == 1

    play(scenario)


def test_nobody_waits_when_the_workers_are_sent_home() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        del closed
        polls = [asyncio.ensure_future(queue.take(PAINT, LONG)) for _ in range(2)]
        await settled()
        queue.close()
        assert await asyncio.gather(*polls) == [None, None]
        assert await queue.take(PAINT, LONG) is None

    play(scenario)


def test_which_activities_there_are() -> None:
    async def scenario(queue: ActivityQueue[str], closed: set[int]) -> None:
        del closed
        queue.know([PAINT])
        queue.learn(SAND)
        assert queue.knows(PAINT)
        assert queue.knows(SAND)
        queue.forget(SAND)
        queue.forget(SAND)
        assert not queue.knows(SAND)
        queue.know([])
        assert not queue.knows(PAINT)

    play(scenario)
