"""What the operations share: the store, the engine, and compiled definitions."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.core.apply import apply
from asl_engine.core.execution import Execution
from asl_engine.core.stimuli import MachineDeletionReported
from asl_engine.engine.deciding import folded
from asl_engine.engine.resuming import resume_many
from asl_engine.errors import AslError, ExecutionBusy, StoreError, StoreUnavailable
from asl_engine.language.loader import load
from asl_engine.language.variables import variable_references
from asl_engine.limits import NO_LIMITS
from asl_engine.resources.log_subjects import about
from asl_engine.server.off_loop import without_delay
from asl_engine.server.protocol.errors import ApiError, does_not_exist
from asl_engine.store.outcome import outcome
from asl_engine.store.run_options import REAL_TIME

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.host import Tracing
    from asl_engine.engine.mocking import Mocking
    from asl_engine.engine.run import Run
    from asl_engine.events.bus import EventBus
    from asl_engine.mappings.running import MappingRunner
    from asl_engine.resources.catalog import Catalog
    from asl_engine.server.protocol.request import Request
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import MachineRecord, Record
    from asl_engine.store.run_options import RunOptions

__all__ = ["Operations", "Service"]

log = logging.getLogger("asl_engine.server")

# What each operation of the API does with a request, by its name.
Operations: TypeAlias = "Mapping[str, Callable[[Request, Service], Awaitable[dict[str, Any]]]]"

MAX_COMPILED = 256
# It takes some 10 ms, while nobody is answered.
RESUMED_AT_ONCE = 200


class Service:
    """The state of a server, apart from its connections."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        catalog: Catalog,
        random: Random | None = None,
        mocking: Mocking | None = None,
        *,
        bus: EventBus | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.store = store
        self.engine = engine
        self.catalog = catalog
        self.mocking = mocking
        self.bus = bus
        self.polling: MappingRunner | None = None  # what polls the sources of event source mappings
        self.tracing = tracing
        self.random = Random() if random is None else random
        self.changing = (
            asyncio.Lock()
        )  # held from reading machines, versions, aliases or tags until they are written
        self._adopting = asyncio.Lock()
        self._deleting: set[str] = set()  # the ARNs of machines with the status DELETING
        self._ending: set[asyncio.Future[None]] = set()
        self._compiled: OrderedDict[str, StateMachine] = OrderedDict()
        self._references: OrderedDict[str, dict[str, list[str]]] = OrderedDict()

    # -- state machines -----------------------------------------------------------------------------

    async def machine(self, request: Request, arn: str) -> MachineRecord:
        """A state machine of the caller's.  Raises StateMachineDoesNotExist."""
        record = await self.find_machine(arn) if request.owns(arn) else None
        if record is None:
            raise does_not_exist("State Machine", arn)
        return record

    async def find_machine(self, arn: str) -> MachineRecord | None:
        """A machine by its ARN.  Finishes its deletion if its last execution has ended."""
        record = await self.store.machines.get(arn)
        if record is not None and record.status == "DELETING" and not await self.is_running(arn):
            await self.store.machines.finish_deletion(arn)
            self._deleting.discard(arn)
            return None
        return record

    async def is_running(self, machine_arn: str) -> bool:
        return bool(await self.store.page(machine_arn, "RUNNING", limit=1))

    async def compiled(self, digest: str) -> StateMachine:
        """The machine that a stored definition compiles to."""
        if digest in self._compiled:
            self._compiled.move_to_end(digest)
            return self._compiled[digest]
        text = await self.store.definition(digest)
        # Limits were checked when it was accepted.
        machine = await without_delay(partial(load, text, limits=NO_LIMITS), len(text))
        self.keep(machine)
        return machine

    async def references(self, digest: str) -> dict[str, list[str]]:
        """The variables that the states of a stored definition refer to."""
        if digest not in self._references:
            machine = await self.compiled(digest)
            self._references[digest] = await without_delay(
                partial(variable_references, machine), len(machine.text)
            )
            if len(self._references) > MAX_COMPILED:
                self._references.popitem(last=False)
        return self._references[digest]

    def keep(self, machine: StateMachine) -> None:
        """Cache a compiled machine."""
        self._compiled[machine.digest] = machine
        if len(self._compiled) > MAX_COMPILED:
            self._compiled.popitem(last=False)

    async def delete_machine(self, arn: str) -> None:
        """Delete a machine with its executions; while some run, tell them and leave it DELETING."""
        if not await self.store.machines.delete(arn):
            await self.learn_deletions()

    async def learn_deletions(self) -> None:
        """Tell the executions of all machines that this or another process is deleting."""
        self._deleting = await self.store.machines.being_deleted()
        for run in list(self.engine.runs.values()) if self._deleting else ():
            self._tell_of_deletion(run)

    def observe(self, run: Run, events: list[Event]) -> None:
        """Finish the deletion of a machine with its last execution."""
        del events
        machine = run.execution.identity.machine_arn
        if machine not in self._deleting:
            return
        if run.execution.status == "RUNNING":  # it was started or resumed during the deletion
            self._tell_of_deletion(run)
            return
        ending = asyncio.ensure_future(self._finish_deletion(machine))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def _tell_of_deletion(self, run: Run) -> None:
        execution = run.execution
        if execution.identity.machine_arn in self._deleting and not execution.machine_deleted:
            self.engine.deliver(run, MachineDeletionReported(self.engine.clock.now()))

    async def _finish_deletion(self, arn: str) -> None:
        try:
            await self.find_machine(arn)
        except AslError as error:
            log.warning("cannot finish the deletion of %s: %s", arn, error)

    # -- executions ---------------------------------------------------------------------------------

    async def execution(self, request: Request, arn: str) -> Record:
        """An execution of the caller's.  Raises ExecutionDoesNotExist."""
        record = await self.store.record(arn) if request.owns(arn) else None
        if record is None:
            raise does_not_exist("Execution", arn)
        return record

    async def folded(self, record: Record) -> Execution:
        """The execution as it is on disk."""
        return await folded(record.identity, await self.store.events(record.identity.arn))

    async def outlined(self, record: Record) -> Execution:
        """The beginning and the end of the execution, without what was between: a long history takes no longer."""
        arn = record.identity.arn
        execution = Execution(record.identity)
        (first,) = await self.store.history(arn, limit=1)
        (last,) = await self.store.history(arn, limit=1, backwards=True)
        apply(execution, first)
        if record.status != "RUNNING" and outcome([last]) is not None:
            execution.seq = last.seq - 1
            apply(execution, last)
        execution.history_length = last.id
        execution.redrive_count, execution.redriven_at = record.redrive_count, record.redriven_at
        return execution

    def check_capacity(self) -> None:
        """Raises ExecutionLimitExceeded if the limit of open executions is reached."""
        most = self.engine.limits.open_executions
        if most is not None and len(self.engine.runs) >= most:
            raise ApiError(
                "ExecutionLimitExceeded", f"The maximum number of running executions has been reached: {most}"
            )

    def watch(self, run: Run) -> Run:
        """Log the error if driving the execution fails, which is a defect of the engine."""
        run.done.add_done_callback(partial(_report, run.arn))
        return run

    async def unfinished(self) -> list[str]:
        """The ARNs of the executions that run, the oldest first; to be asked before any request is answered."""
        return await self.store.running()

    async def resume_all(self, unfinished: Sequence[str], retry: Callable[[str], None]) -> list[str]:
        """Resume those executions that no process drives, while requests are answered.  Returns theirs.

        An execution that a command has started with tasks unknown here is left to ``asl resume``.  One that the
        database cannot be used for is left to ``retry``.
        """
        resumed: list[str] = []
        with self.engine.timers.busy():  # time must not jump past what is yet to be resumed
            insist = partial(self.engine.retrying.insist, "the start of the server")
            await insist(self.engine.map_runs.finalize_all)
            await insist(self.learn_deletions)
            for arn, error in (await self.adopt(unfinished)).items():
                if error is None:
                    resumed.append(arn)
                elif isinstance(error, StoreUnavailable):
                    retry(arn)
                else:
                    log.warning("cannot resume %s: %s", arn, error, extra=about(arn))
            for arn in tuple(self._deleting):
                await insist(partial(self.find_machine, arn))
        return resumed

    async def adopt(self, arns: Sequence[str]) -> dict[str, AslError | None]:
        """Resume executions that run and that nobody drives: what prevents each, None where nothing does.

        Those that go on already, have ended or are not this server's are left out.
        """
        found: dict[str, AslError | None] = {}
        for at in range(0, len(arns), RESUMED_AT_ONCE):
            some = arns[at : at + RESUMED_AT_ONCE]
            try:
                async with self._adopting:
                    found |= await self._adopt(some)
            except AslError as error:
                found |= dict.fromkeys(some, error)
        return found

    async def _adopt(self, arns: Sequence[str]) -> dict[str, AslError | None]:
        found: dict[str, AslError | None] = {}
        served = []
        for record in await self.store.records([arn for arn in arns if arn not in self.engine.runs]):
            try:
                machine = await self._served(record) if record.status == "RUNNING" else None
            except AslError as error:
                found[record.identity.arn] = error
                continue
            if machine is not None:
                served.append((machine, record))
        for arn, resumed in (await resume_many(self.engine, served)).items():
            if isinstance(resumed, AslError):
                await self._left(arn, resumed)
                if not isinstance(resumed, ExecutionBusy):
                    found[arn] = resumed
            else:
                self.watch(resumed)
                found[arn] = None
        return found

    async def driven(self, record: Record) -> Run | None:
        """The run of an execution, which this process resumes if no other drives it; None if that fails.

        Raises ``StoreUnavailable``.
        """
        arn = record.identity.arn
        async with self._adopting:  # concurrent requests must not resume it twice
            if arn not in self.engine.runs and record.status == "RUNNING":
                try:
                    machine = await self._served(record)
                    if machine is not None:
                        self.watch(await self.engine.resume(machine, record))
                except StoreUnavailable:  # whoever asks may ask again
                    raise
                except AslError as error:
                    await self._left(arn, error)
                    log.warning("cannot resume %s: %s", arn, error, extra=about(arn))
        return self.engine.runs.get(arn)

    async def _left(self, arn: str, error: AslError) -> None:
        """An execution was claimed, and cannot be resumed."""
        if isinstance(error, StoreError) and not isinstance(error, StoreUnavailable):
            await self.store.unclaim(arn)  # its log makes no sense, at least to this process

    async def _served(self, record: Record) -> StateMachine | None:
        """The machine of an execution that this server can drive; of others it is told why they are left."""
        who = record.identity
        if who.map_run is not None:  # its Map Run resumes it
            return None
        machine = await self.compiled(record.definition)
        missing = [resource for resource in machine.resources if not self.catalog.serves(resource)]
        if missing and not record.options.served:
            log.warning(
                "%s is left to `asl resume`: nothing here serves %s", who.arn, missing[0], extra=about(who.arn)
            )
            return None
        if _has_its_own_world(record.options):
            log.warning(
                "%s is left to `asl resume`, which knows with what it was started",
                who.arn,
                extra=about(who.arn),
            )
            return None
        case = record.options.mock_case
        if case is not None and self.mocking is None:
            log.warning(
                "%s is left: its test case %s needs a mock configuration", who.arn, case, extra=about(who.arn)
            )
            return None
        return machine


def _has_its_own_world(options: RunOptions) -> bool:
    """Whether a command has started an execution with mocks, endpoints or a time that are not this server's."""
    own = options.mock is not None or options.endpoint is not None or options.endpoints
    return not options.served and bool(own or options.time != REAL_TIME)


def _report(arn: str, done: asyncio.Future[Execution]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        told = "execution %s has stopped where it was: %s; `asl resume` can go on with it"
        log.error(told, arn, error, exc_info=None if isinstance(error, AslError) else error, extra=about(arn))
