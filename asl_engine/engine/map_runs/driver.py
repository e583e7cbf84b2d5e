"""Map Runs: the executions that a distributed Map starts, from the first item to the collected output.

A Map Run holds a window, never the whole: items are read as there is room for them, and of a child that has
ended only its number and, while they are small enough for a state's output, its output are kept.  What has
been started is in the store, by number, so a Map Run that was interrupted reads its items again and starts
those that are missing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from asl_engine.engine.map_runs.children import Children
from asl_engine.engine.map_runs.counts import Counts
from asl_engine.engine.map_runs.finalizing import finalize
from asl_engine.engine.map_runs.inputs import Input, Inputs
from asl_engine.engine.map_runs.outputs import Outputs
from asl_engine.engine.map_runs.redrives import can_redrive, may_redrive
from asl_engine.engine.map_runs.results import ended_children, folded_children
from asl_engine.errors import StatesError
from asl_engine.payload import Payload
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.states.distributed_map import DistributedMap, MapRunConfiguration
from asl_engine.states.item_flow import Writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.execution import Execution, OpenMapRun
    from asl_engine.datasets import Storage
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.store.records import MapRunChild

__all__ = ["MapRun"]

# AWS runs up to 10,000 children at once, and so many where MaxConcurrency is 0; one machine has less to run
# them with, and a tenth keeps it as busy.
MAX_AT_ONCE: Final = 10_000
DEFAULT_AT_ONCE: Final = 1_000
PAGE = 500  # children that are read at once
EXCEEDED = StatesError(
    "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
)


class MapRun:
    """A Map Run that this process drives."""

    def __init__(self, host: Host, storage: Callable[[], Storage], run: Run, work: OpenMapRun) -> None:
        self.arn = work.arn
        self.run = run
        self.work = work
        self.configuration = MapRunConfiguration.of(work.parameters)
        self.counts = Counts()
        self.counts.batched = self.configuration.batching is not None
        self.closed = False
        self._host = host
        self._storage = storage
        self._store = host.store
        self._insist = partial(host.retrying.insist, run.arn)
        state = run.machine.states[work.frame.state]
        assert isinstance(state, DistributedMap)  # noqa: S101  it has started the Map Run
        self._state = state
        self._children = Children(host, run, work, state)
        self._outputs = Outputs(host.limits.payload_bytes)
        self._again: deque[MapRunChild] = deque()  # to be redriven
        self._started_before = 0  # the children below this number have been started by another process,
        self._started_too: set[int] = set()  # and so have these
        self._is_total_known = False

    # -- the whole ----------------------------------------------------------------------------------

    async def drive(self) -> Payload:
        """The output of the Map state.  Raises ``StatesError`` where it fails."""
        await self._restore()
        inputs = Inputs(
            self._host,
            self._storage,
            run=self.run,
            work=self.work,
            state=self._state,
            configuration=self.configuration,
            counts=self.counts,
            is_started=self._is_started,
        )
        try:
            await self._run(inputs)
        finally:
            inputs.close()
        return await self._result()

    async def _run(self, inputs: Inputs) -> None:
        """Start a child for each input, as there is room for it, until all have ended."""
        ready: deque[Input] = deque()
        self._is_total_known = self.configuration.reading is None
        exhausted = False
        while True:
            for ended in self._children.take_ended():
                self._note(ended.number, ended.items, ended.execution)
            if self._is_exceeded():
                await self.abort_children()
                raise EXCEEDED
            while (self._again or not exhausted) and len(self._children) < self._max_at_once:
                if self._again:
                    self._children.redrive(self._again.popleft())
                elif not ready:
                    ready.extend(await inputs.next())
                    exhausted = not ready
                else:
                    room = self._max_at_once - len(self._children)
                    self._children.start([ready.popleft() for _ in range(min(room, len(ready)))])
            if exhausted:
                self._is_total_known = True
            if exhausted and not self._children and not self._children.have_news and not self._again:
                if not self._is_exceeded():
                    return
            else:
                await self._children.wait()

    def standing(self) -> Counts:
        """How many children have ended how, or run."""
        counts = Counts.of_json(self.counts.to_json())
        if self._children:
            counts.add("RUNNING", self._children.items, len(self._children))
        if self._again:
            counts.add("PENDING_REDRIVE", sum(child.items for child in self._again), len(self._again))
        return counts

    def update(self, configuration: MapRunConfiguration) -> None:
        """Go on with other thresholds or another concurrency."""
        self.configuration = configuration
        self._children.wake()

    @property
    def _max_at_once(self) -> int:
        return min(self.configuration.concurrency or DEFAULT_AT_ONCE, MAX_AT_ONCE)

    def _is_exceeded(self) -> bool:
        settings = self.configuration
        return self.counts.exceed(
            settings.tolerated_count, settings.tolerated_percentage, total_known=self._is_total_known
        )

    async def _result(self) -> Payload:
        writing: Any = self.configuration.writing
        written = None if writing is None else await self._write(Writing(**writing))
        await self._insist(partial(self._store.map_runs.count, self.arn, self.counts.to_json()))
        if written is not None:
            return written
        return self._outputs.joined(self.work.frame.state)

    def _is_started(self, number: int) -> bool:
        return number < self._started_before or number in self._started_too

    def _note(self, number: int, items: int, child: Execution) -> None:
        """Count a child that has ended, and keep its output; a ResultWriter reads what is stored instead."""
        self.counts.add(child.status, items)
        if self.configuration.writing is None:
            self._outputs.keep(number, child)

    # -- what has come of them ------------------------------------------------------------------------

    async def _write(self, writing: Writing) -> Payload:
        """Hand the children to the ResultWriter, which reads them one after the other in a thread."""
        from asl_engine.datasets import collect_results, write_results

        found = ended_children(self._store, self.arn, asyncio.get_running_loop(), self._insist)
        if writing.bucket is None:
            return Payload(await run_in_thread(partial(collect_results, found, writing)))
        storage = self._storage()
        redrive = self.work.redrives
        write = partial(write_results, found, writing, storage, self.arn, redrive=redrive)
        result = await run_in_thread(write)
        self.counts.written = sum(self.counts.executions.values())
        return Payload(result)

    # -- after an interruption, and before the end ----------------------------------------------------

    async def _restore(self) -> None:
        """Go on from what the store has: children that have ended are counted, those that run resumed."""
        record = await self._insist(partial(self._store.map_runs.get, self.arn))
        if record is not None:
            fields: Any = record.configuration
            self.configuration = MapRunConfiguration(**fields)
        self._children.express = self.configuration.execution_type == "EXPRESS"
        parent = await self._insist(partial(self._store.record, self.run.arn))
        if parent is not None:
            self._children.options = parent.options
        after = -1
        while page := await self._insist(partial(self._store.map_runs.children, self.arn, after, PAGE)):
            after = page[-1].number
            await self._restore_some(page)

    async def _restore_some(self, children: list[MapRunChild]) -> None:
        for child in children:
            if child.number == self._started_before:
                self._started_before += 1
            else:
                self._started_too.add(child.number)
        ended = [child for child in children if child.status != "RUNNING"]
        fallen = {child for child in ended if may_redrive(child, self.work.redrives)}
        of_interest = [child for child in ended if child in fallen or not self._outputs.are_too_large]
        logged = await self._insist(partial(folded_children, self._store, of_interest))
        executions = dict(zip(of_interest, logged, strict=True))
        for child in ended:
            if child in fallen and can_redrive(self._host, executions[child]):
                self._again.append(child)
            elif child in executions:
                self._note(child.number, child.items, executions[child])
            else:
                self.counts.add(child.status, child.items)
        await self._children.resume([child for child in children if child.status == "RUNNING"])

    async def abort_children(self) -> None:
        """Abort what runs, and keep the counts."""
        self.closed = True
        await self._children.started()
        await self._insist(partial(finalize, self._host, self.arn, self.counts.total))

    @property
    def children(self) -> list[Run]:
        """Those that this process drives."""
        return self._children.runs
