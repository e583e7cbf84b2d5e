"""The children of a Map Run that this process drives: how they are started, redriven and watched."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import Arn, child_name, execution_arn, express_arn, is_express, labelled
from asl_engine.core.apply import fold
from asl_engine.core.execution import Identity
from asl_engine.engine.host import Launch
from asl_engine.engine.map_runs.inputs import Input
from asl_engine.engine.resuming import resume_many
from asl_engine.errors import AslError, ExecutionAlreadyExists, StoreUnavailable
from asl_engine.payload import Payload
from asl_engine.states.distributed_map import processor_of
from asl_engine.store.records import Child
from asl_engine.store.run_options import NO_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from asl_engine.core.execution import Execution, OpenMapRun
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.states.distributed_map import DistributedMap
    from asl_engine.store.records import MapRunChild

__all__ = ["Children", "Ended"]


class Ended(NamedTuple):
    """A child that has ended, which was for so many items."""

    number: int
    items: int
    execution: Execution


class Children:
    """The children under way, and those that have ended and were not taken yet.

    ``options`` are those that the children are started with; ``express``: they are Express executions.
    """

    def __init__(self, host: Host, parent: Run, work: OpenMapRun, state: DistributedMap) -> None:
        self.options = NO_OPTIONS
        self.express = False
        self._host = host
        self._parent = parent.execution.identity
        self._work = work
        self._home = Arn.of(self._parent.arn).home
        self._machine_arn = labelled(self._parent.machine_arn, state.label)
        self._machine_name = labelled(self._parent.machine_name, state.label)
        self._machine = processor_of(parent.machine, self._machine_name)
        self._items: dict[int, int] = {}  # of those under way, by number
        self._runs: dict[int, Run] = {}
        self._insist = partial(host.retrying.insist, parent.arn)
        self._starting: set[asyncio.Task[None]] = set()
        self._ended: deque[Ended] = deque()
        self._failure: BaseException | None = None
        self._news: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._items)

    @property
    def items(self) -> int:
        """How many items those under way are for."""
        return sum(self._items.values())

    @property
    def runs(self) -> list[Run]:
        """Those that this process drives."""
        return [*self._runs.values()]

    # -- how they begin -----------------------------------------------------------------------------

    def start(self, inputs: Sequence[Input]) -> None:
        for made in inputs:
            self._items[made.number] = made.items
        self._begin(partial(self._launch, self._launches(inputs)))

    def redrive(self, child: MapRunChild) -> None:
        self._items[child.number] = child.items
        self._begin(partial(self._redrive, child))

    async def resume(self, children: Sequence[MapRunChild]) -> None:
        """Go on with children that another process has left unfinished."""
        arns = [child.arn for child in children]
        records = {one.identity.arn: one for one in await self._insist(partial(self._host.store.records, arns))}
        left = [(self._machine, records[arn]) for arn in arns]
        found = await self._insist(partial(resume_many, self._host, left))
        for child in children:
            run = found.get(child.arn)
            if run is None or isinstance(run, StoreUnavailable):  # or it is driven elsewhere, or has ended
                run = await self._insist(partial(self._host.resume, self._machine, records[child.arn]))
            if isinstance(run, AslError):
                raise run
            self._watch(child.number, child.items, run)

    async def started(self) -> None:
        """Wait until all that are just being started have been."""
        if self._starting:
            await asyncio.wait(self._starting)

    def _begin(self, start: Callable[[], Awaitable[None]]) -> None:
        task = self._host.spawn(self._begun(start))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _begun(self, start: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._insist(start)
        except Exception as error:  # noqa: BLE001  the driver has to hear of it
            self._failure = error
            self.wake()

    def _launches(self, inputs: Sequence[Input], redrive: int = 0) -> dict[int, Launch]:
        map_run = self._work.arn
        return {
            number: Launch(self._identity(number, redrive), payload, Child(map_run, number, items))
            for number, payload, items in inputs
        }

    async def _launch(self, left: dict[int, Launch]) -> None:
        """Start the children with these numbers; those that could not be started stay among them."""
        runs = await self._host.launch_many(self._machine, [*left.values()], self.options)
        failure: AslError | None = None
        with self._host.timers.busy():  # time must not jump before the next children have been started
            for (number, launch), run in zip([*left.items()], runs, strict=True):
                started = await self._kept(launch) if isinstance(run, ExecutionAlreadyExists) else run
                if isinstance(started, AslError):
                    failure = started
                else:
                    del left[number]
                    self._watch(number, self._items[number], started)
        if failure is not None:
            raise failure

    async def _kept(self, launch: Launch) -> Run | AslError:
        """Nobody else has the name of a child: a commit that was said to have failed is on disk."""
        arn = launch.identity.arn
        try:
            record = await self._host.store.record(arn)
            if record is None or arn in self._host.runs:
                return ExecutionAlreadyExists(f"The execution {arn} exists already")
            return await self._host.resume(self._machine, record)
        except AslError as error:
            return error

    async def _redrive(self, child: MapRunChild) -> None:
        """A Standard child is redriven, an Express child begun anew as another execution."""
        record: Any = await self._host.store.record(child.arn)
        if not is_express(child.arn):
            self._watch(child.number, child.items, await self._host.redrive(self._machine, record))
            return
        before = fold(record.identity, await self._host.store.events(child.arn))
        assert before.input is not None  # noqa: S101  it has been started
        again = Input(child.number, Payload.of_text(before.input.text), child.items)
        await self._launch(self._launches([again], self._work.redrives))

    def _identity(self, number: int, redrive: int = 0) -> Identity:
        parent = self._parent
        region, account = self._home
        name = child_name(f"{self._work.arn}/{redrive}" if redrive else self._work.arn, number)
        if self.express:
            arn = express_arn(region, account, self._machine_name, name, child_name(name, number))
        else:
            arn = execution_arn(region, account, self._machine_name, name)
        return Identity(
            arn=arn,
            name=name,
            machine_arn=self._machine_arn,
            machine_name=self._machine_name,
            role_arn=parent.role_arn,
            started_at=self._host.clock.now(),
        )

    # -- how they end -------------------------------------------------------------------------------

    def _watch(self, number: int, items: int, child: Run) -> None:
        child.map_run = self._work.arn
        self._items[number] = items
        self._runs[number] = child
        if child.done.done():
            self._note(number, items, child.done)
        else:
            child.done.add_done_callback(partial(self._ended_later, number, items))

    def _ended_later(self, number: int, items: int, done: asyncio.Future[Execution]) -> None:
        with self._host.timers.busy():  # time must not jump before the next child has been started
            self._note(number, items, done)

    def _note(self, number: int, items: int, done: asyncio.Future[Execution]) -> None:
        self._runs.pop(number, None)
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self._failure = error
        else:
            self._ended.append(Ended(number, items, done.result()))
        self.wake()

    def take_ended(self) -> Iterator[Ended]:
        """Those that have ended since.  Raises what has kept one from being driven."""
        if self._failure is not None:
            raise self._failure
        while self._ended:
            ended = self._ended.popleft()
            self._items.pop(ended.number, None)
            yield ended

    @property
    def have_news(self) -> bool:
        return bool(self._ended) or self._failure is not None

    async def wait(self) -> None:
        """Until a child has ended, or somebody wakes us; meanwhile time may jump."""
        if self.have_news:
            return
        self._news = asyncio.get_running_loop().create_future()
        try:
            with self._host.timers.idle():
                await self._news
        finally:
            self._news = None

    def wake(self) -> None:
        """Let ``wait`` return."""
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
