"""What an engine knows of each execution that it drives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core.interpreter import MACHINE_TIMER
from asl_engine.resources.cancelling import GIVEN_UP
from asl_engine.store.run_options import NO_OPTIONS, RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution, OpenTask
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.timers import Busy

    Observer = Callable[["Run", list[Event]], None]

__all__ = ["HeartbeatTimes", "Observer", "Run", "observed_by"]


class Run:
    """An execution that this process drives.

    There may be a hundred thousand that only wait, so what few of them need is made when it is needed.
    """

    __slots__ = (
        "__weakref__",
        "answered",
        "arn",
        "asked",
        "clock",
        "done",
        "driving",
        "execution",
        "heartbeats",
        "inbox",
        "machine",
        "map_run",
        "next",
        "options",
        "pending",
        "submitted",
        "takes_next",
        "tasks",
        "told",
    )

    def __init__(
        self, machine: StateMachine, execution: Execution, options: RunOptions = NO_OPTIONS, clock: int = 0
    ) -> None:
        self.machine = machine
        self.execution = execution
        self.options = options
        self.told = execution.seq  # the last event that the observer knows of
        self.arn = execution.identity.arn
        self.map_run: str | None = None  # the ARN of the Map Run that it is a child of, once that is known
        self.done: asyncio.Future[Execution] = asyncio.get_running_loop().create_future()
        self.driving = False
        self.takes_next = False  # somebody drives who sees to ``next``
        self.next: OpenTask | None = None  # what whoever drives performs itself when the inbox is empty
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.pending: dict[int, Busy] = {}  # tasks that have been called and wait for an answer from outside
        self.submitted: set[int] | None = None  # tasks whose call has submitted its work, if any ever has
        self.answered: set[int] | None = None  # those that were answered with tokens while their call goes on
        self.heartbeats: dict[int, HeartbeatTimes] | None = None  # by the task, where one has beaten
        self.inbox: list[Stimulus] = []
        self.clock = clock  # how far the wall clock had been set when it was first decided: ``ClockChanges.total``
        # By the stimulus: who waits for what follows.
        self.asked: dict[int, asyncio.Future[list[Event]]] | None = None

    def waits_for(self, key: int, due: int) -> bool:
        """Whether a timer that was set for this moment (milliseconds since the epoch) still means something."""
        if self.done.done():
            return False
        work = self.execution.open.get(key)
        return key == MACHINE_TIMER or (work is not None and work.due == due)

    def goes_on(self, key: int) -> bool:
        """Whether the work of a task that this process leaves is to go on.

        Another process takes it up, or nobody waits for it any more because the task was answered with its token.
        """
        if self.answered is not None and key in self.answered:
            return True
        return self.execution.status == "RUNNING" and key in self.execution.open

    def note_submission(self, key: int) -> None:
        """The call of a task has submitted its work: what is left of it only waits for the answer."""
        if self.submitted is None:
            self.submitted = {key}
        else:
            self.submitted.add(key)

    def stop_waiting(self, key: int) -> None:
        """Do not wait for the job of a task that was answered with its token.

        A request that is still being made is made to its end.
        """
        task = self.tasks.get(key)
        if task is not None:
            if self.answered is None:
                self.answered = {key}
            else:
                self.answered.add(key)
            if self.submitted is not None and key in self.submitted:
                del self.tasks[key]
                task.cancel()

    def cancel_closed(self) -> None:
        """Cancel the tasks that have timed out or were given up with their branch: nobody waits for them."""
        for key in [key for key in [*self.tasks, *self.pending] if key not in self.execution.open]:
            self.cancel(key)

    def cancel(self, key: int) -> None:
        task = self.tasks.pop(key, None)
        if task is not None:
            task.cancel(None if self.goes_on(key) else GIVEN_UP)
        self.no_longer_pending(key)

    def no_longer_pending(self, key: int) -> None:
        busy = self.pending.pop(key, None)
        if busy is not None:
            busy.close()

    def forget(self, key: int) -> None:
        """The call of a task has ended."""
        self.tasks.pop(key, None)
        for noted in (self.submitted, self.answered):
            if noted is not None:
                noted.discard(key)

    async def wait(self) -> Execution:
        """The execution when it has ended.

        Raises ``StoreError`` where its events could not be stored (it can be resumed), and
        ``ExecutionBusy`` where another process has taken it over.
        """
        return await asyncio.shield(self.done)

    def tell(self, observer: Observer | None, events: list[Event]) -> None:
        """Tell the observer of events that are on disk."""
        if events:
            self.told = events[-1].seq
        if observer is not None:
            observer(self, events)


def observed_by(*observers: Observer | None) -> Observer:
    """One observer that tells several."""
    there = [observer for observer in observers if observer is not None]

    def observe(run: Run, events: list[Event]) -> None:
        for observer in there:
            observer(run, events)

    return observe


class HeartbeatTimes(NamedTuple):
    """When a task's last heartbeat was heard, and the last that was reported, in milliseconds since the epoch."""

    heard: int
    reported: int
