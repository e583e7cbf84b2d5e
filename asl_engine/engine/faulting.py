"""Resources with faults before them: what an execution's options ask for goes wrong, whatever would answer.

Which call of its task an execution is at is counted in its log, so it is the same after a restart.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from asl_engine.arn import is_submitted
from asl_engine.core import events as ev
from asl_engine.core.execution import OpenTask
from asl_engine.engine.activity_queue import PendingTask
from asl_engine.engine.faults import parse_fault, strikes
from asl_engine.engine.stand_ins import StandIns
from asl_engine.errors import MISSED_HEARTBEAT, StatesError
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.engine.faults import TaskFault
    from asl_engine.engine.host import Host, StandIn
    from asl_engine.engine.run import Run
    from asl_engine.resources import Direct, Resource, TaskCall

__all__ = ["Faulting"]

TIMEOUTS = frozenset({"States.Timeout", MISSED_HEARTBEAT})
PAGE = 1000  # children read at once
LATER = 1000  # milliseconds: a task that does not answer is given up before it would


class Faulting(StandIns):
    """Resources, with the faults of each execution's options before them.

    ``host`` is the engine that they serve, set when there is one.  ``inner`` is the engine's ``stand_in`` without
    faults.
    """

    host: Host

    def __init__(self, resources: Mapping[str, Resource], inner: StandIn | None) -> None:
        super().__init__(resources)
        self._inner = inner
        self._calls: dict[str, _Calls] = {}
        self._numbers: dict[str, dict[str, int]] = {}

    async def find(self, call: TaskCall) -> Direct | None:
        """Pass the time that a fault takes, then give what fails the task."""
        run = self.host.runs[call.execution]
        if not _named(run, call.state):
            return None
        key = int(call.key.rpartition(":")[2])
        place, number = await self._call(run, key)
        delay, error = strikes(_faults(run.options.faults), call.state, place, number, run.options.seed or 0)
        if delay:
            await self.host.timers.sleep_until(self.host.clock.now() + delay)
        if error is None:
            return None
        cause = f"asl-engine: a fault that was asked for, at call {number}"
        return self._failing(run, key, StatesError(error, cause))

    def _failing(self, run: Run, key: int, error: StatesError) -> Direct:
        async def fail(call: TaskCall) -> Payload:
            task = run.execution.open.get(key)
            if error.error in TIMEOUTS and isinstance(task, OpenTask) and task.due is not None:
                if is_submitted(call.resource):
                    await call.submit(Payload({}))
                await self.host.timers.sleep_until(task.due + LATER)
            raise error

        return fail

    def covers(self, run: Run, task: OpenTask) -> bool:
        return _named(run, task.frame.state)

    def stand_in(self, host: Host, run: Run, task: OpenTask) -> bool:
        """See to an activity's task that may be hit: one that is not has its worker or its stand-in after all."""
        if task.started or not self.covers(run, task):
            return self._inner is not None and self._inner(host, run, task)
        host.spawn(self._decide(host, run, task), host.timers.busy())
        return True

    async def _decide(self, host: Host, run: Run, task: OpenTask) -> None:
        from asl_engine.engine.task_calls import task_call

        answer = await self.find(task_call(host, run, task))
        if task.key not in run.execution.open:  # its time was up meanwhile
            return
        if answer is not None:
            await self.work(host, run, task, answer)
        elif self._inner is None or not self._inner(host, run, task):
            host.activities.offer(task.resource, PendingTask(run, task.key))

    async def _call(self, run: Run, key: int) -> tuple[tuple[int, ...], int]:
        """Where a task was called from, and which call of its state it is there."""
        calls = self._calls.get(run.arn)
        if calls is None:
            kinship = await self.host.store.map_runs.kinship(run.arn)
            number = None if kinship is None else await self._number(kinship[0], run.arn)
            calls = self._calls[run.arn] = _Calls(() if number is None else (number,))
        if key not in calls.known:
            for event in await self.host.store.events(run.arn, calls.read):
                calls.take(event)
        return calls.known[key]

    async def _number(self, map_run: str, child: str) -> int:
        """The number of a Map Run's child; those found before it are kept, as they will be asked for too."""
        numbers = self._numbers.setdefault(map_run, {})
        while child not in numbers:
            after = max(numbers.values(), default=-1)
            found = await self.host.store.map_runs.children(map_run, after, PAGE)
            numbers.update((one.arn, one.number) for one in found)
            if not found:
                return 0
        return numbers[child]


class _Calls:
    """The tasks of one execution, as its log has them so far."""

    def __init__(self, place: tuple[int, ...]) -> None:
        self.read = 0
        self.known: dict[int, tuple[tuple[int, ...], int]] = {}
        self._places: dict[int, tuple[int, ...]] = {0: place}
        self._states: dict[int, str] = {}
        self._counts: Counter[tuple[str, tuple[int, ...]]] = Counter()

    def take(self, event: ev.Event) -> None:
        if event.seq <= self.read:  # another task has read on meanwhile
            return
        self.read = event.seq
        if isinstance(event, ev.BranchStarted | ev.MapIterationStarted):
            self._places[event.seq] = (*self._places[event.frame], event.number)
        elif isinstance(event, ev.StateEntered):
            self._states[event.frame] = event.name
        elif isinstance(event, ev.TaskScheduled):
            state, place = self._states[event.frame], self._places[event.frame]
            self._counts[state, place] += 1
            self.known[event.seq] = (place, self._counts[state, place])


@cache
def _faults(texts: tuple[str, ...]) -> tuple[TaskFault, ...]:
    return tuple(map(parse_fault, texts))


def _named(run: Run, state: str) -> bool:
    return any(fault.names(state) for fault in _faults(run.options.faults))
