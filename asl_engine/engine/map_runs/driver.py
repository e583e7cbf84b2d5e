"""Map Runs: the executions that a distributed Map starts, from the first item to the collected output.

A Map Run holds a window, never the whole: items are read as there is room for them, and of a child that has
ended only its number and, while they are small enough for a state's output, its output are kept.  What has
been started is in the store, by number, so a Map Run that was interrupted reads its items again and starts
those that are missing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import child_name, execution_arn, express_arn, is_express
from asl_engine.core.apply import fold
from asl_engine.core.execution import Identity
from asl_engine.engine.map_runs.counts import Counts
from asl_engine.engine.map_runs.finalizing import finalize
from asl_engine.engine.map_runs.redrives import is_to_be_redriven
from asl_engine.engine.map_runs.results import ended_children, failed_result
from asl_engine.errors import EvaluationError, StatesError
from asl_engine.json_values import MISSING
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload
from asl_engine.states.distributed_map import Configuration, DistributedMap, ItemDecision, processor_of
from asl_engine.states.item_flow import Writing
from asl_engine.store.records import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator

    from asl_engine.core.execution import Execution, OpenMapRun
    from asl_engine.datasets import Item, Storage
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.json_values import Json
    from asl_engine.store.records import MapRunChild

__all__ = ["MapRun"]

# AWS runs up to 10,000 children at once, and so many where MaxConcurrency is 0; one machine has less to run
# them with, and a tenth keeps it as busy.
MAX_AT_ONCE: Final = 10_000
DEFAULT_AT_ONCE: Final = 1_000
CHUNK = 200  # inputs that are made before others have their turn
PAGE = 500  # children that are read at once
EXCEEDED = StatesError(
    "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
)


class Input(NamedTuple):
    """What the child ``number`` is started with, for so many items."""

    number: int
    payload: Payload
    items: int


class MapRun:
    """A Map Run that this process drives.

    ``running`` are the children under way, by number, None for those that are just being started.
    """

    def __init__(self, host: Host, storage: Callable[[], Storage], run: Run, work: OpenMapRun) -> None:
        self.arn = work.arn
        self.run = run
        self.work = work
        self.configuration = Configuration.of(work.parameters)
        self.counts = Counts()
        self.counts.batched = self.configuration.batching is not None
        self.closed = False
        self.running: dict[int, Run | None] = {}
        self._host = host
        self._storage = storage
        self._store = host.store
        state = run.machine.states[work.frame.state]
        assert isinstance(state, DistributedMap)  # noqa: S101  it has started the Map Run
        self._state = state
        self._items: Any = work.items.value
        self._machine_name = f"{run.execution.identity.machine_name.partition('/')[0]}/{state.label}"
        self._machine = processor_of(run.machine, self._machine_name)
        self._options: dict[str, Json] = {}
        self._ended: deque[tuple[int, int, Execution]] = deque()  # number, items, the child
        self._failure: BaseException | None = None
        self._starting: set[asyncio.Task[None]] = set()
        self._news: asyncio.Future[None] | None = None
        self._again: deque[MapRunChild] = deque()  # to be redriven
        self._started_before = 0  # the children below this number have been started by another process,
        self._started_too: set[int] = set()  # and so have these
        self._under_way: dict[int, int] = {}  # the items of those in ``running``
        self._is_total_known = False
        self._outputs: dict[int, str] = {}
        self._output_bytes = 2

    # -- the whole ----------------------------------------------------------------------------------

    async def drive(self) -> Payload:
        """The output of the Map state.  Raises ``StatesError`` where it fails."""
        await self._restore()
        inputs = self._inputs()
        try:
            await self._run(inputs)
        finally:
            with suppress(ValueError):  # it is being read in a thread: that ends by itself
                inputs.close()
        return await self._result()

    async def _run(self, inputs: Iterator[Input]) -> None:
        """Start a child for each input, as there is room for it, until all have ended."""
        ready: deque[Input] = deque()
        self.counts.total = len(self._items)
        self._is_total_known = self.configuration.reading is None
        exhausted = False
        while True:
            self._take_ended()
            if self._is_exceeded():
                await self.abort_children()
                raise EXCEEDED
            while (self._again or not exhausted) and len(self.running) < self._most_at_once:
                if self._again:
                    self._start_again(self._again.popleft())
                elif not ready:
                    ready.extend(await self._make(inputs))
                    exhausted = not ready
                else:
                    self._start(ready.popleft())
            if exhausted:
                self._is_total_known = True
            if exhausted and not self.running and not self._ended and not self._again:
                if not self._is_exceeded():
                    return
            else:
                await self._wait()

    def standing(self) -> Counts:
        """How many children have ended how, or run."""
        counts = Counts.of_json(self.counts.to_json())
        if self.running:
            counts.add("RUNNING", sum(self._under_way.values()), len(self.running))
        if self._again:
            counts.add("PENDING_REDRIVE", sum(child.items for child in self._again), len(self._again))
        return counts

    def update(self, configuration: Configuration) -> None:
        """Go on with other thresholds or another concurrency."""
        self.configuration = configuration
        self._wake()

    @property
    def _most_at_once(self) -> int:
        return min(self.configuration.concurrency or DEFAULT_AT_ONCE, MAX_AT_ONCE)

    def _is_exceeded(self) -> bool:
        settings = self.configuration
        return self.counts.exceed(
            settings.tolerated_count, settings.tolerated_percentage, total_known=self._is_total_known
        )

    async def _result(self) -> Payload:
        writing: Any = self.configuration.writing
        written = None if writing is None else await self._write(Writing(**writing))
        await self._store.map_runs.count(self.arn, self.counts.to_json())
        if written is not None:
            return written
        self._check_size()
        return Payload.of_text(f"[{','.join(self._outputs[number] for number in sorted(self._outputs))}]")

    # -- what each child is for ---------------------------------------------------------------------

    def _inputs(self) -> Generator[Input]:
        """Lazily, those of the children that have not been started."""
        for number, (payload, items) in enumerate(self._all_inputs()):
            if number >= self._started_before and number not in self._started_too:
                yield Input(number, payload(), items)

    def _all_inputs(self) -> Iterator[tuple[Callable[[], Payload], int]]:
        from asl_engine.datasets import batches

        batching = self.configuration.batching
        if batching is None:
            for index, item in enumerate(self._dataset()):
                yield partial(self._one_input, index, item), 1
            return
        made = (self._item_input(index, item) for index, item in enumerate(self._dataset()))
        most: Any = {"batch_input": MISSING, **batching}
        for batch in batches(made, **most, limit=self._host.limits.payload_bytes):
            yield partial(self._sized, batch.input), batch.items

    def _dataset(self) -> Iterator[Item]:
        from asl_engine.datasets import Item, read

        reading: Any = self.configuration.reading
        if reading is None:
            yield from (Item(value, "") for value in self._items)
            return
        for item in read(**reading, storage=self._storage()):
            self.counts.total += 1
            yield item

    def _one_input(self, index: int, item: Item) -> Payload:
        return self._sized(Payload(self._item_input(index, item)))

    def _item_input(self, index: int, item: Item) -> Json:
        decision = self._decision(index)
        try:
            return self._state.item_input(decision, item.context(index), item.input)
        except EvaluationError as error:
            raise decision.failure(error.detail, error.error) from None

    def _sized(self, payload: Payload) -> Payload:
        return self._decision(0).within_limit(payload)

    def _decision(self, index: int) -> ItemDecision:
        host, seed = self._host, f"{self.arn}:{index}"
        return ItemDecision(self.run.execution, self.work.frame, host.clock.now(), host.limits, seed)

    async def _make(self, inputs: Iterator[Input]) -> list[Input]:
        """The next few; what is read blocks, and is read in a thread."""
        if self.configuration.reading is None:
            await asyncio.sleep(0)
            return list(islice(inputs, CHUNK))
        return await asyncio.to_thread(lambda: list(islice(inputs, CHUNK)))

    # -- children -----------------------------------------------------------------------------------

    def _start(self, made: Input) -> None:
        self._begin(made.number, made.items, self._launch(made, self._identity(made.number)))

    def _start_again(self, child: MapRunChild) -> None:
        self._begin(child.number, child.items, self._relaunch(child))

    def _begin(self, number: int, items: int, starting: Coroutine[None, None, Run]) -> None:
        self.running[number] = None
        self._under_way[number] = items
        task = self._host.spawn(self._begun(number, items, starting))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _begun(self, number: int, items: int, starting: Coroutine[None, None, Run]) -> None:
        try:
            child = await starting
        except Exception as error:  # noqa: BLE001  the driver has to hear of it
            self._failure = error
            self._wake()
            return
        self._watch(number, items, child)

    async def _launch(self, made: Input, identity: Identity) -> Run:
        child = Child(self.arn, made.number, made.items)
        return await self._host.launch(self._machine, identity, made.payload, self._options, child=child)

    async def _relaunch(self, child: MapRunChild) -> Run:
        """A Standard child is redriven, an Express child begun anew as another execution."""
        record: Any = await self._store.record(child.arn)
        if not is_express(child.arn):
            return await self._host.redrive(self._machine, record)
        before = fold(record.identity, await self._store.events(child.arn))
        assert before.input is not None  # noqa: S101  it has been started
        made = Input(child.number, Payload.of_text(before.input.text), child.items)
        return await self._launch(made, self._identity(child.number, self.work.redrives))

    def _identity(self, number: int, redrive: int = 0) -> Identity:
        parent = self.run.execution.identity
        region, account = parent.arn.split(":")[3:5]
        name = child_name(f"{self.arn}/{redrive}" if redrive else self.arn, number)
        if self.configuration.execution_type == "EXPRESS":
            arn = express_arn(region, account, self._machine_name, name, child_name(name, number))
        else:
            arn = execution_arn(region, account, self._machine_name, name)
        return Identity(
            arn=arn,
            name=name,
            machine_arn=f"{parent.machine_arn.partition('/')[0]}/{self._state.label}",
            machine_name=self._machine_name,
            role_arn=parent.role_arn,
            started_at=self._host.clock.now(),
        )

    def _watch(self, number: int, items: int, child: Run) -> None:
        self.running[number] = child
        self._under_way[number] = items

        def ended(done: asyncio.Future[Execution]) -> None:
            with self._host.timers.busy():  # time must not jump before the next child has been started
                error = None if done.cancelled() else done.exception()
                if error is not None:
                    self._failure = error
                else:
                    self._ended.append((number, items, done.result()))
                self._wake()

        child.done.add_done_callback(ended)

    def _take_ended(self) -> None:
        if self._failure is not None:
            raise self._failure
        while self._ended:
            number, items, child = self._ended.popleft()
            self.running.pop(number, None)
            self._under_way.pop(number, None)
            self._note(number, items, child)

    def _note(self, number: int, items: int, child: Execution) -> None:
        """Count a child that has ended, and keep its output; a ResultWriter reads what is stored instead."""
        self.counts.add(child.status, items)
        if self.configuration.writing is not None:
            return
        self._keep(number, failed_result(child) if child.output is None else child.output.text)

    def _keep(self, number: int, text: str) -> None:
        self._output_bytes += utf8_length(text) + (number > 0)
        if self._is_too_large():
            self._outputs.clear()  # whatever is still to come
        else:
            self._outputs[number] = text

    def _is_too_large(self) -> bool:
        limit = self._host.limits.payload_bytes
        return limit is not None and self._output_bytes > limit

    def _check_size(self) -> None:
        if self._is_too_large():
            raise StatesError(
                "States.DataLimitExceeded",
                f"The state/task '{self.work.frame.state}' returned a result with a size exceeding "
                "the maximum number of bytes service limit.",
            )

    async def _wait(self) -> None:
        """Until a child has ended, or the Map Run was changed; meanwhile time may jump."""
        if self._ended or self._failure is not None:
            return
        self._news = asyncio.get_running_loop().create_future()
        try:
            with self._host.timers.idle():
                await self._news
        finally:
            self._news = None

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # -- what has come of them ------------------------------------------------------------------------

    async def _write(self, writing: Writing) -> Payload:
        """Hand the children to the ResultWriter, which reads them one after the other in a thread."""
        from asl_engine.datasets import collect_results, write_results

        found = ended_children(self._store, self.arn, asyncio.get_running_loop())
        if writing.bucket is None:
            return Payload(await asyncio.to_thread(collect_results, found, writing))
        storage = self._storage()
        redrive = self.work.redrives
        result = await asyncio.to_thread(write_results, found, writing, storage, self.arn, redrive=redrive)
        self.counts.written = sum(self.counts.executions.values())
        return Payload(result)

    # -- after an interruption, and before the end ----------------------------------------------------

    async def _restore(self) -> None:
        """Go on from what the store has: children that have ended are counted, those that run resumed."""
        record = await self._store.map_runs.get(self.arn)
        if record is not None:
            fields: Any = record.configuration
            self.configuration = Configuration(**fields)
        parent = await self._store.record(self.run.arn)
        if parent is not None:
            self._options = parent.options
        after = -1
        while page := await self._store.map_runs.children(self.arn, after, PAGE):
            after = page[-1].number
            for one in page:
                number, items, arn, status, _ = one
                if number == self._started_before:
                    self._started_before += 1
                else:
                    self._started_too.add(number)
                if await is_to_be_redriven(self._host, one, self.work.redrives):
                    self._again.append(one)
                    continue
                if status != "RUNNING" and self._is_too_large():
                    self.counts.add(status, items)
                    continue
                child = await self._store.record(arn)
                assert child is not None  # noqa: S101  executions are never removed
                if status == "RUNNING":
                    self._watch(number, items, await self._host.resume(self._machine, child))
                else:
                    self._note(number, items, fold(child.identity, await self._store.events(arn)))

    async def abort_children(self) -> None:
        """Abort what runs, and keep the counts."""
        self.closed = True
        if self._starting:
            await asyncio.wait(self._starting)
        await finalize(self._host, self.arn, self.counts.total)
