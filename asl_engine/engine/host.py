"""What Map Runs and task calls may ask of the engine that drives them.

Nothing below ``engine.py`` knows the engine itself: whoever needs one takes a ``Host``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from asl_engine.store.run_options import NO_OPTIONS, RunOptions

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity, OpenTask
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.activity_queue import ActivityQueue
    from asl_engine.engine.clock import Clock
    from asl_engine.engine.given_up import GivenUp
    from asl_engine.engine.retrying import Retrying
    from asl_engine.engine.run import Run
    from asl_engine.engine.timers import Busy, Timers
    from asl_engine.errors import AslError
    from asl_engine.limits import Limits
    from asl_engine.payload import Payload
    from asl_engine.resources import Resource
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Child, Record

__all__ = ["Host", "Launch", "StandIn", "Tracing"]


class Launch(NamedTuple):
    """An execution to be started.  ``child`` says of which Map Run it is, if of any."""

    identity: Identity
    input: Payload
    child: Child | None = None


class Host(Protocol):
    """The engine, as seen by what it drives; each member is documented at ``Engine``."""

    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def region(self) -> str: ...
    @property
    def runs(self) -> Mapping[str, Run]: ...
    @property
    def timers(self) -> Timers[Run]: ...
    @property
    def activities(self) -> ActivityQueue[Run]: ...
    @property
    def retrying(self) -> Retrying: ...

    @property
    def given_up(self) -> GivenUp: ...

    async def launch(
        self,
        machine: StateMachine,
        identity: Identity,
        input: Payload,  # noqa: A002  StartExecution's own term
        options: RunOptions = NO_OPTIONS,
        child: Child | None = None,
    ) -> Run: ...

    async def launch_many(
        self, machine: StateMachine, launches: Sequence[Launch], options: RunOptions = NO_OPTIONS
    ) -> list[Run | AslError]: ...

    def begin(self, run: Run, events: list[Event]) -> None: ...

    async def decided(
        self, machine: StateMachine, record: Record, stimulus: Stimulus, log: list[Event]
    ) -> tuple[Run, list[Event]]: ...

    def go_on(self, run: Run, events: list[Event]) -> Run: ...

    async def resume(self, machine: StateMachine, record: Record) -> Run: ...

    async def redrive(self, machine: StateMachine, record: Record, token: str | None = None) -> Run: ...

    async def stop(
        self, machine: StateMachine, record: Record, error: str | None = None, cause: str | None = None
    ) -> bool: ...

    async def ask(self, run: Run, stimulus: Stimulus) -> list[Event]: ...

    def deliver(self, run: Run, stimulus: Stimulus) -> None: ...

    def activate(self, run: Run) -> asyncio.Task[None] | None: ...

    def spawn(self, work: Coroutine[None, None, None], busy: Busy | None = None) -> asyncio.Task[None]: ...


# Sees to the task of an activity itself, or says that it does not.
StandIn: TypeAlias = "Callable[[Host, Run, OpenTask], bool]"


class Tracing(Protocol):
    """What makes spans of what executions do.

    ``observe`` is an engine's observer; ``resources`` gives each call of a resource the context of its attempt.
    """

    store: Store | None

    def observe(self, run: Run, events: list[Event]) -> None: ...

    def resources(self, resources: Mapping[str, Resource]) -> Mapping[str, Resource]: ...

    async def of_event(self, number: int) -> str | None:
        """The X-Ray header of what has put an event of a bus; None where that is not traced."""
        ...

    async def end(self) -> None:
        """Send what waits."""
        ...
