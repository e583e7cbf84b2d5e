"""Taking decisions, without holding up everything else that the process does.

Nearly all decisions take less than a millisecond, and are taken on the event loop.  One whose expressions turn
out to take many steps is given up, and taken again in a thread.  Nothing else changes: a decision reads no
randomness of its own, so it comes to the same events there; only their times are later.  What was given up is
neither stored nor shown to anybody.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from asl_engine.core.apply import fold
from asl_engine.core.interpreter import advance
from asl_engine.engine.effects import report_defect
from asl_engine.engine.run import Run
from asl_engine.errors import Conflict
from asl_engine.expressions.effort import Effort, EffortSpent
from asl_engine.resources.python.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution, Identity
    from asl_engine.core.gate import Gate
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.clock_changes import ClockChanges
    from asl_engine.engine.retrying import Retrying
    from asl_engine.engine.run import Observer
    from asl_engine.limits import Limits
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record

__all__ = ["LIGHT_STEPS", "Deciding", "at_length", "folded"]

# Of all expressions of a decision: they take 1 to 10 ms.
LIGHT_STEPS: Final = 10_000
LONG_LOG: Final = 2_000  # events, which take some 10 ms to apply
MAX_REMEMBERED: Final = 1_000

Result = TypeVar("Result")

# Only one of them has Python's lock at a time.  Two, so that a decision of seconds does not hold up all others.
_threads = DaemonThreads(limit=2)


async def at_length(work: Callable[[], Result]) -> Result:
    """The result of ``work()``, which may take seconds: it is called in a thread."""
    return await _threads.run(work)


async def folded(identity: Identity, events: Sequence[Event]) -> Execution:
    """The execution that its log leads to."""
    if len(events) < LONG_LOG:
        return fold(identity, events)
    return await at_length(partial(fold, identity, events))


class Deciding:
    """Decides for the executions of an engine.  ``activity_exists`` and ``gate`` are as for ``advance``."""

    def __init__(
        self,
        store: Store,
        changes: ClockChanges,
        limits: Limits,
        activity_exists: Callable[[str], bool],
        retrying: Retrying,
        *,
        gate: Gate | None = None,
    ) -> None:
        self._store = store
        self._clock = changes.clock
        self._changes = changes
        self._limits = limits
        self._activity_exists = activity_exists
        self._retrying = retrying
        self._gate = gate
        self._heavy: set[str] = set()  # the digests of definitions that have taken long before

    async def decide(self, run: Run, stimulus: Stimulus, unstored: Sequence[Event] | None = None) -> list[Event]:
        """The events that follow, already applied to the run's execution.

        ``unstored`` are those applied to it that are not on disk yet; None where it is not in the store at all.
        What goes wrong in there without anybody expecting it ends this execution alone.

        Raises ``Conflict`` if another process turns out to have written to the log.
        """
        if run.machine.digest not in self._heavy:
            try:
                return self._advance(run, stimulus, Effort(LIGHT_STEPS))
            except EffortSpent:
                await self._restore(run, unstored)
        return await at_length(partial(self._advance, run, stimulus))

    async def put(
        self, machine: StateMachine, record: Record, stimulus: Stimulus, observer: Observer | None
    ) -> tuple[Run, list[Event]]:
        """Put a stimulus to an execution that is not driven here; what follows is on disk, and not acted upon."""
        arn = record.identity.arn
        while True:
            log = await self._store.events(arn)
            try:
                run, events = await self.decided(machine, record, stimulus, log, observer)
                if events:
                    await self._store.append(arn, events)
            except Conflict:
                continue  # it went on while we decided: decide again
            return run, events

    async def decided(
        self,
        machine: StateMachine,
        record: Record,
        stimulus: Stimulus,
        log: Sequence[Event],
        observer: Observer | None,
    ) -> tuple[Run, list[Event]]:
        """What follows from a stimulus that comes now for an execution with this log; it is not on disk."""
        if log:  # it may be ahead of a clock that is not this machine's
            self._clock.catch_up(log[-1].at)
        execution = await folded(record.identity, log)
        run = Run(machine, execution, record.options, self._changes.since(execution))
        run.tell(observer, [])
        return run, await self.decide(run, stimulus._replace(at=self._clock.now()), ())

    def _advance(self, run: Run, stimulus: Stimulus, effort: Effort | None = None) -> list[Event]:
        return advance(
            run.machine,
            run.execution,
            stimulus,
            self._limits,
            self._activity_exists,
            report_defect=partial(report_defect, run.arn),
            effort=effort,
            passing=self._clock.passing(stimulus.at),
            gate=self._gate,
        )

    async def _restore(self, run: Run, unstored: Sequence[Event] | None) -> None:
        """Give the run its execution as it was before a decision that was given up."""
        if len(self._heavy) >= MAX_REMEMBERED:
            self._heavy.clear()
        self._heavy.add(run.machine.digest)
        stored = [] if unstored is None else await self._log_of(run)
        if stored and stored[-1].seq != run.told:
            raise Conflict(f"The execution {run.arn} was taken over by another process")
        events = [*stored, *(unstored or ())]
        run.execution = await folded(run.execution.identity, events)

    async def _log_of(self, run: Run) -> list[Event]:
        read = partial(self._store.events, run.arn)
        # Nobody but the execution waits for a decision about one that is driven; else the caller is told.
        return await self._retrying.insist(run.arn, read) if run.driving else await read()
