"""The only place where the core meets the world.

Every stimulus of an execution goes through its inbox, one after the other: the core decides, the store
keeps the decision, and only then is anything done about it - tasks started, timers set, callers
answered.  What is to be done is never stored: it is whatever the execution has open, so a process that
was killed at any moment is replaced by one that reads the log.

The hot path uses asyncio's own tasks and futures: aiosqlite binds the engine to asyncio anyway, and a
task of an anyio group costs several times as much as the rest of an event.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Self

from asl_engine.core.execution import OpenTask
from asl_engine.core.interpreter import MAX_DECISION_EVENTS
from asl_engine.core.redrive import not_redrivable
from asl_engine.core.stimuli import (
    RedriveRequested,
    Resumed,
    StopRequested,
    TimerReported,
)
from asl_engine.engine.activity_queue import ActivityQueue, PendingTask
from asl_engine.engine.clock import SystemClock
from asl_engine.engine.clock_changes import ClockChanges
from asl_engine.engine.deciding import Deciding, folded
from asl_engine.engine.due_times import watch_lifetime
from asl_engine.engine.effects import dismiss, driven_alone, local_identity, readable, resolve
from asl_engine.engine.given_up import GivenUp
from asl_engine.engine.heartbeats import put
from asl_engine.engine.host import Launch
from asl_engine.engine.keeping import Keeping, Reply
from asl_engine.engine.launching import Launching
from asl_engine.engine.map_runs.registry import MapRunRegistry
from asl_engine.engine.retrying import Retrying
from asl_engine.engine.run import Run
from asl_engine.engine.timers import Timers
from asl_engine.engine.working import Working
from asl_engine.errors import (
    AslError,
    Conflict,
    ExecutionAlreadyExists,
    ExecutionBusy,
    ExecutionNotRedrivable,
    StoreError,
    StoreUnavailable,
)
from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.store.run_options import NO_OPTIONS, RunOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity
    from asl_engine.core.gate import Gate
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.clock import Clock
    from asl_engine.engine.host import StandIn
    from asl_engine.engine.run import Observer
    from asl_engine.engine.timers import Busy
    from asl_engine.payload import Payload
    from asl_engine.resources import Resource
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Child, Record

__all__ = ["Engine"]


class Engine:
    """Runs executions of a store.  Use it as an async context manager; leaving it interrupts what runs.

    ``resources`` says what each Resource of a definition is.  ``observer`` hears of events once they are
    stored; of an execution that was not driven here it hears first with no events.  ``stand_in`` says of an
    activity's task that it sees to it itself.  ``buckets`` are folders that stand for S3 buckets; ``s3``: all
    others may be read and written in S3.  ``await_outside``: where the clock skips, time does not jump while a
    task waits for its token or for a worker.  ``gate`` may hold executions, as in ``advance``.  ``sleep`` passes
    this machine's time before what the store could not be used for is tried again.
    """

    def __init__(
        self,
        store: Store,
        resources: Mapping[str, Resource],
        *,
        clock: Clock | None = None,
        limits: Limits = AWS_LIMITS,
        region: str = "us-east-1",
        account: str = "123456789012",
        observer: Observer | None = None,
        stand_in: StandIn | None = None,
        buckets: Mapping[str, Path] | None = None,
        s3: bool = True,
        await_outside: bool = True,
        gate: Gate | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.store = store
        self.resources = resources
        self.clock = SystemClock() if clock is None else clock
        self.limits = limits
        self.region = region
        self.account = account
        self.observer = observer
        self.stand_in = stand_in
        self.runs: dict[str, Run] = {}
        self.activities: ActivityQueue[Run] = ActivityQueue(self._is_offered)
        self._changes = ClockChanges(self)
        # Tasks and drives under way keep time from jumping.
        self.timers: Timers[Run] = Timers(
            self.clock, Run.waits_for, self._ring, self._changes.follow, await_outside=await_outside
        )
        self.retrying = Retrying(self.timers.busy, store.note, sleep=sleep)
        self._deciding = Deciding(store, self._changes, limits, self.activities.knows, self.retrying, gate=gate)
        self._launching = Launching(self, self._deciding, self._changes)
        self._keeping = Keeping(store, self._deciding, self.retrying)
        self.map_runs = MapRunRegistry(self, buckets or {}, s3=s3)
        self.given_up = GivenUp(store, self.retrying, self.spawn)
        self._working = Working(self, self._drive, self._abandon)
        self._spawned: set[asyncio.Task[None]] = set()
        self.closed = False  # it has been left

    async def __aenter__(self) -> Self:
        self.timers.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.map_runs.closed()
        self.closed = True
        self.timers.close()
        await dismiss(self._spawned)
        self.store.driven.difference_update(self.runs)
        with suppress(StoreError):  # then this process counts as one that died
            unfinished = [arn for arn, run in self.runs.items() if not run.done.done()]
            await self.store.leave([*unfinished, *self.given_up.leaving])

    # -- what callers ask for ---------------------------------------------------------------------

    async def start(
        self,
        machine: StateMachine,
        machine_name: str,
        input: Payload,  # noqa: A002  StartExecution's own term
        name: str,
        options: RunOptions = NO_OPTIONS,
    ) -> Run:
        """Start an execution; its first events are stored when this returns.

        Raises ``ExecutionAlreadyExists`` where the name is taken.
        """
        who = local_identity(self.region, self.account, machine_name, name, self.clock.now())
        return await self.launch(machine, who, input, options)

    async def launch(
        self,
        machine: StateMachine,
        identity: Identity,
        input: Payload,  # noqa: A002  StartExecution's own term
        options: RunOptions = NO_OPTIONS,
        child: Child | None = None,
    ) -> Run:
        """As ``start``, for an execution whose identity the caller has made up, in any region and account.

        ``child`` says of which Map Run it is, if of any.
        """
        if identity.arn in self.runs:
            raise ExecutionAlreadyExists(f"The execution {identity.arn} exists already")
        (run,) = await self.launch_many(machine, [Launch(identity, input, child)], options)
        if isinstance(run, AslError):
            raise run
        return run

    async def launch_many(
        self, machine: StateMachine, launches: Sequence[Launch], options: RunOptions = NO_OPTIONS
    ) -> list[Run | AslError]:
        """As ``launch``, for executions of one machine: the run of each, or what prevents it."""
        return await self._launching.launch(machine, launches, options)

    def begin(self, run: Run, events: list[Event]) -> None:
        """Drive an execution that was just started or redriven: these events of it are on disk."""
        self._admit(run)
        self._act(run, events)

    async def resume(self, machine: StateMachine, record: Record) -> Run:
        """Go on with an execution that a process has left unfinished.

        Tasks that were running are run again, with the key they had; where that process died, each of them is
        told how often this has happened to it.  Raises ``ExecutionBusy`` where that process is alive, or an engine
        of this one drives it, ``StoreError`` where its log makes no sense.
        """
        self.given_up.check(record.identity.arn)
        with driven_alone(self.store.driven, record.identity.arn):
            died = await self.store.claim(record.identity.arn)
            with readable(record.identity.arn):
                stimulus = Resumed(self.clock.now(), restarted=True, died=died)
                run, events = await self._deciding.put(machine, record, stimulus, self.observer)
        return self.go_on(run, events)

    def go_on(self, run: Run, events: list[Event]) -> Run:
        """Drive an execution that was resumed, once the events that follow from that are on disk."""
        self._admit(run)
        if run.execution.status == "RUNNING":
            for work in run.execution.open.values():
                self._working.watch(run, work)
        self._tell(run, events)
        return run

    async def stop(
        self, machine: StateMachine, record: Record, error: str | None = None, cause: str | None = None
    ) -> bool:
        """Abort an execution, whoever drives it; False where it has ended already.

        Another process notices when it next looks (``check``).  Raises ``StoreError`` where that cannot be stored.
        """
        stimulus = StopRequested(self.clock.now(), error, cause)
        run = self.runs.get(record.identity.arn)
        if run is not None:
            await self.ask(run, stimulus)
            return (await run.wait()).status == "ABORTED"
        run, events = await self._deciding.put(machine, record, stimulus, self.observer)
        live = self.runs.get(run.arn)
        if live is None:
            run.tell(self.observer, events)
        else:  # it was started or redriven at this very moment
            await self._superseded(live)
        if events:
            await self.map_runs.finalize_all()
        return bool(events)

    async def redrive(self, machine: StateMachine, record: Record, token: str | None = None) -> Run:
        """Go on with an execution that has ended unsuccessfully; this process drives it from now on.

        ``token`` is the client's.  Raises ``ExecutionNotRedrivable``.
        """
        with self.timers.busy():
            await self.map_runs.finalize_those_of(record.identity.arn)
            stimulus = RedriveRequested(self.clock.now(), token)
            run, events = await self._deciding.put(machine, record, stimulus, self.observer)
            reason = None if events else not_redrivable(run.execution, self.clock.now(), self.limits)
            if reason is not None:
                raise ExecutionNotRedrivable(run.arn, reason)
            self.begin(run, events)
        return run

    async def decided(
        self, machine: StateMachine, record: Record, stimulus: Stimulus, log: list[Event]
    ) -> tuple[Run, list[Event]]:
        """What follows from a stimulus that comes now for an execution with this log; it is not on disk yet."""
        return await self._deciding.decided(machine, record, stimulus, log, self.observer)

    async def ask(self, run: Run, stimulus: Stimulus) -> list[Event]:
        """Put a stimulus to an execution: the events that it has led to, once they are on disk.

        Raises ``StoreError`` where they could not be stored, ``ExecutionBusy`` where another process has taken
        the execution over.
        """
        if self.closed:
            raise asyncio.CancelledError  # as whoever asked a moment ago
        if run.done.done():
            return []
        self.retrying.check(run.arn)
        heard: asyncio.Future[list[Event]] = asyncio.get_running_loop().create_future()
        if run.asked is None:
            run.asked = {}
        run.asked[id(stimulus)] = heard  # it is not another's as long as the stimulus is in the inbox
        self.deliver(run, stimulus)
        return await heard

    async def check(self) -> bool:
        """Look whether somebody else has ended an execution of ours; whether they may have written anything."""
        if not await self.store.changed():
            return False
        for run in list(self.runs.values()):
            record = await self.store.record(run.arn)
            if record is not None and record.status != "RUNNING" and run.execution.status == "RUNNING":
                await self._superseded(run)
        return True

    # -- one execution ----------------------------------------------------------------------------

    def _admit(self, run: Run) -> None:
        self.runs[run.arn] = run
        self.store.driven.add(run.arn)
        if run.execution.status == "RUNNING":  # it may have ended as soon as it began
            watch_lifetime(self, run)
            self._changes.catch_up(run)

    def deliver(self, run: Run, stimulus: Stimulus) -> None:
        """Put a stimulus into the inbox, and see that somebody empties it."""
        put(run, stimulus)
        self.activate(run)

    def activate(self, run: Run) -> asyncio.Task[None] | None:
        """See that somebody empties the inbox; None where somebody does."""
        if run.driving or self.closed:
            return None
        run.driving = True
        return self.spawn(self._working.go_on(run), self.timers.busy())

    async def _drive(self, run: Run) -> None:
        """Decide, store, act, until the inbox is empty.  Stimuli that are there together share a commit."""
        inbox = run.inbox
        answers: list[Reply] = []
        try:
            while inbox and not run.done.done():
                events: list[Event] = []
                for stimulus in inbox:  # and those that come meanwhile
                    made = await self._deciding.decide(run, stimulus, events)
                    events += made
                    if run.asked and id(stimulus) in run.asked:
                        answers.append(Reply(stimulus, run.asked.pop(id(stimulus)), made))
                taken = inbox.copy()
                inbox.clear()
                if events:
                    try:
                        await self.store.append(run.arn, events)
                    except StoreUnavailable as error:
                        events = await self._keeping.keep(run, taken, answers, events, error)
                    if events:
                        self._act(run, events, driving=True)
                while answers:
                    _, heard, made = answers.pop()
                    resolve(heard, made)
        except Conflict:
            await self._superseded(run)
        except Exception as error:  # noqa: BLE001  whatever it is, whoever waits must hear of it
            self._abandon(run, error)
        finally:
            for _, heard, _ in answers:
                resolve(heard, run.done.exception() if run.done.done() else asyncio.CancelledError())
            run.driving = False

    def _act(self, run: Run, events: list[Event], *, driving: bool = False) -> None:
        """Do what the stored events ask for."""
        self._working.act(run, events, driving=driving)
        self._tell(run, events)
        if run.inbox:
            self._working.start_next(run)

    def _tell(self, run: Run, events: list[Event]) -> None:
        """Events are on disk: now the world may know."""
        if events:
            run.tell(self.observer, events)
        if run.execution.status != "RUNNING":
            self._finish(run)
        elif len(events) >= MAX_DECISION_EVENTS:  # a long decision was interrupted
            self.deliver(run, Resumed(self.clock.now()))

    def _finish(self, run: Run) -> None:
        self.map_runs.close(run)
        self._let_go(run)
        if not run.done.done():
            run.done.set_result(run.execution)
        while run.asked:
            resolve(run.asked.popitem()[1], [])

    def _abandon(self, run: Run, error: BaseException) -> None:
        """Leave an execution that cannot be driven on; its log is whole and can be resumed, by others too."""
        self._let_go(run)
        if not (run.done.done() or isinstance(error, ExecutionBusy)):
            self.given_up.add(run.arn)
            for child in self.map_runs.let_go(run):  # whoever resumes it needs them
                self._abandon(child, error)
        if not run.done.done():
            run.done.set_exception(error)
            run.done.exception()  # whoever waits gets it; nobody has to
        while run.asked:
            resolve(run.asked.popitem()[1], error)

    def _let_go(self, run: Run) -> None:
        if self.runs.get(run.arn) is run:  # and not the one that goes on with a redrive
            del self.runs[run.arn]
            self.store.driven.discard(run.arn)
        self._working.leave(run)

    async def _superseded(self, run: Run) -> None:
        """Somebody else has written to the log: follow them."""
        try:
            events = await self.retrying.insist(run.arn, partial(self.store.events, run.arn))
            run.execution = await folded(run.execution.identity, events)
        except Exception as error:  # noqa: BLE001  whoever waits must hear of it
            self._abandon(run, error)
            return
        if run.execution.status == "RUNNING":
            self._abandon(run, ExecutionBusy(f"The execution {run.arn} was taken over by another process"))
        else:
            self._tell(run, events[run.told :])

    # -- what is under way --------------------------------------------------------------------------

    def _is_offered(self, task: PendingTask[Run]) -> bool:
        run, key, taken = task
        if run.driving:  # what it has decided may not get to the disk: it tells whoever asks it later
            return True
        work = None if run.done.done() else run.execution.open.get(key)
        return isinstance(work, OpenTask) and (taken or not work.started)

    def spawn(self, work: Coroutine[None, None, None], busy: Busy | None = None) -> asyncio.Task[None]:
        """Let something run until the engine is left.

        ``busy`` is closed when it has ended, also where it was cancelled before it could begin.
        """

        def ended(task: asyncio.Task[None]) -> None:
            self._spawned.discard(task)
            if busy is not None:
                busy.close()

        task = asyncio.ensure_future(work)
        self._spawned.add(task)
        task.add_done_callback(ended)
        return task

    def _ring(self, run: Run, key: int) -> None:
        self.deliver(run, TimerReported(self.clock.now(), key))
