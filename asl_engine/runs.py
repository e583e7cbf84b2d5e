"""What an engine knows of each execution that it drives."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from asl_engine.arn import execution_arn, role_arn, state_machine_arn
from asl_engine.execution import Identity
from asl_engine.interpreter import MACHINE_TIMER
from asl_engine.task_tokens import task_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.engine import Engine
    from asl_engine.events import Event
    from asl_engine.execution import Execution, OpenTask
    from asl_engine.heartbeats import Beats
    from asl_engine.interpreter import Stimulus
    from asl_engine.jsontypes import Json
    from asl_engine.machine import StateMachine

    Observer = Callable[["Run", list[Event]], None]
    StandIn = Callable[["Engine", "Run", OpenTask], bool]

__all__ = ["Observer", "Run", "StandIn", "dismiss", "local_identity", "settle", "token_of"]

# How long leaving the engine waits for tasks that were cancelled.
LONGEST_FAREWELL_SECONDS = 1.0


class Run:
    """An execution that this process drives."""

    __slots__ = (
        "arn",
        "asked",
        "beats",
        "done",
        "driving",
        "execution",
        "inbox",
        "machine",
        "options",
        "pending",
        "tasks",
        "told",
    )

    def __init__(
        self, machine: StateMachine, execution: Execution, options: Mapping[str, Json] | None = None
    ) -> None:
        self.machine = machine
        self.execution = execution
        self.options = options or {}
        self.told = execution.seq  # the last event that the observer knows of
        self.arn = execution.identity.arn
        self.done: asyncio.Future[Execution] = asyncio.get_running_loop().create_future()
        self.driving = False
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.pending: set[int] = set()  # tasks that have been called and wait for an answer from outside
        self.beats: dict[int, Beats] = {}  # by the task, where it has beaten
        self.inbox: deque[Stimulus] = deque()
        self.asked: dict[int, asyncio.Future[list[Event]]] = {}  # by the stimulus: who waits for what follows

    def waits_for(self, key: int, due: int) -> bool:
        """Whether a timer that was set for this moment (milliseconds since the epoch) still means something."""
        if self.done.done():
            return False
        work = self.execution.open.get(key)
        return key == MACHINE_TIMER or (work is not None and work.due == due)

    def goes_on(self, key: int) -> bool:
        """Whether a task that this process leaves is for another to take up."""
        return self.execution.status == "RUNNING" and key in self.execution.open

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


def local_identity(region: str, account: str, machine_name: str, name: str, started_at: int) -> Identity:
    """Who an execution of a machine is that is in no list of state machines."""
    return Identity(
        arn=execution_arn(region, account, machine_name, name),
        name=name,
        machine_arn=state_machine_arn(region, account, machine_name),
        machine_name=machine_name,
        role_arn=role_arn(account),
        started_at=started_at,
    )


def token_of(execution: Execution, task: OpenTask) -> str:
    """What the task's token is, or would be."""
    return task_token(execution.salt, execution.identity.arn, task.key)


def settle(heard: asyncio.Future[list[Event]], result: list[Event] | BaseException | None) -> None:
    """Let whoever asked hear what has followed, or what has gone wrong."""
    if heard.done():  # they are gone
        return
    if isinstance(result, asyncio.CancelledError):
        heard.cancel()
    elif isinstance(result, BaseException):
        heard.set_exception(result)
    else:
        heard.set_result(result or [])


async def dismiss(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait until they are done, but not for ever."""
    for task in tasks:
        if not task.cancelling():  # one that was given up may be stopping what it has started
            task.cancel()
    if not tasks:
        return
    _, stuck = await asyncio.wait(tasks, timeout=LONGEST_FAREWELL_SECONDS)
    for task in stuck:
        # A callable that will not be cancelled. The loop must not wait for it either when it closes.
        asyncio._unregister_task(task)  # noqa: SLF001  documented in "Extending asyncio"
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001  nobody is to be told
