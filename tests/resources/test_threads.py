"""The pool of daemon threads: growth, reuse, abandonment, and what crosses the border."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import subprocess
import sys
import threading
import weakref
from functools import partial

import pytest

from asl_engine.resources.python.threads import DaemonThreads, run_in_thread
from tests.cli.project import wait_for

SETTING = contextvars.ContextVar("SETTING", default="outer")


def test_a_result_and_the_context_variables_cross_the_border() -> None:
    async def main() -> tuple[str, bool]:
        SETTING.set("inner")
        return await run_in_thread(lambda: (SETTING.get(), threading.current_thread().daemon))

    assert asyncio.run(main()) == ("inner", True)


@pytest.mark.parametrize("failure", [ValueError("no"), StopIteration("odd")])
def test_a_failure_crosses_the_border(failure: Exception) -> None:
    def work() -> None:
        raise failure

    async def main() -> BaseException | None:
        return (await asyncio.gather(run_in_thread(work), return_exceptions=True))[0]

    if isinstance(failure, StopIteration):  # a coroutine cannot let it through (PEP 479)
        assert isinstance(asyncio.run(main()), RuntimeError)
    else:
        assert asyncio.run(main()) is failure


def test_a_failure_leaves_no_cycle_behind() -> None:
    class Large:
        pass

    def work(large: Large) -> None:
        raise ValueError(large is None)

    async def main() -> weakref.ref[Large]:
        large = Large()
        ref = weakref.ref(large)
        with pytest.raises(ValueError, match="False") as caught:
            await run_in_thread(partial(work, large))
        caught.value.__traceback__ = None
        del caught, large
        return ref

    gc.collect()
    gc.disable()
    try:
        left = asyncio.run(main())
        wait_for(lambda: left() is None)  # the thread may still be putting its work down
    finally:
        gc.enable()


def test_idle_threads_are_used_again() -> None:
    async def main() -> set[int]:
        threads = DaemonThreads()
        return {await threads.run(threading.get_ident) for _ in range(20)}

    assert len(asyncio.run(main())) == 1


def test_work_beyond_the_limit_waits_its_turn() -> None:
    threads = DaemonThreads(limit=2)
    gate = threading.Event()
    both = threading.Barrier(3)

    def hold() -> int:
        both.wait(10)
        assert gate.wait(10)
        return threading.get_ident()

    async def main() -> list[int]:
        held = [asyncio.create_task(threads.run(hold)) for _ in range(2)]
        await asyncio.to_thread(both.wait, 10)
        queued = [asyncio.create_task(threads.run(threading.get_ident)) for _ in range(5)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in queued)
        gate.set()
        return await asyncio.gather(*held, *queued)

    assert len(set(asyncio.run(main()))) == 2


def test_a_stuck_thread_is_replaced_and_its_result_dropped() -> None:
    threads = DaemonThreads(limit=1)
    started, gate, ended = threading.Event(), threading.Event(), threading.Event()

    def stuck() -> str:
        started.set()
        assert gate.wait(10)
        ended.set()
        return "too late"

    async def main() -> None:
        first = asyncio.create_task(threads.run(stuck))
        await asyncio.to_thread(started.wait, 10)
        second = asyncio.create_task(threads.run(lambda: "in time"))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second == "in time"
        assert await threads.run(lambda: "again") == "again"
        gate.set()
        assert await asyncio.to_thread(ended.wait, 10)

    asyncio.run(main())


def test_work_cancelled_before_its_turn_never_starts() -> None:
    threads = DaemonThreads(limit=1)
    started, gate = threading.Event(), threading.Event()
    ran: list[str] = []

    def hold() -> None:
        started.set()
        assert gate.wait(10)

    async def main() -> None:
        first = asyncio.create_task(threads.run(hold))
        await asyncio.to_thread(started.wait, 10)
        second = asyncio.create_task(threads.run(lambda: ran.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.set()
        await first
        await threads.run(lambda: ran.append("third"))

    asyncio.run(main())
    assert ran == ["third"]


def test_a_result_for_a_loop_that_is_closed_is_dropped() -> None:
    threads = DaemonThreads(limit=1)
    started, gate = threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        assert gate.wait(10)

    async def leave_behind() -> asyncio.Future[None]:
        left = asyncio.ensure_future(threads.run(hold))
        await asyncio.to_thread(started.wait, 10)
        return left

    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(leave_behind())
    left._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own
    loop.close()
    gate.set()

    async def again() -> str:
        return await threads.run(lambda: "alive")

    assert asyncio.run(again()) == "alive"


def test_a_callable_that_never_returns_does_not_keep_the_process() -> None:
    program = """
import asyncio, threading
from asl_engine.resources.python.threads import run_in_thread

async def main():
    task = asyncio.ensure_future(run_in_thread(threading.Event().wait))
    await asyncio.sleep(0)
    task.cancel()

asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == 0
