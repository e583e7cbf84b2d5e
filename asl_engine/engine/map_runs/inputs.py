"""Which inputs the children of a Map Run get: one for each item or batch, made as there is room for them."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from asl_engine.errors import EvaluationError
from asl_engine.json_values import MISSING
from asl_engine.payload import Payload
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.states.distributed_map import ItemDecision

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from asl_engine.core.execution import OpenMapRun
    from asl_engine.datasets import Item, Storage
    from asl_engine.engine.host import Host
    from asl_engine.engine.map_runs.counts import Counts
    from asl_engine.engine.run import Run
    from asl_engine.json_values import Json
    from asl_engine.states.distributed_map import DistributedMap, MapRunConfiguration

__all__ = ["Input", "Inputs"]

CHUNK: Final = 200  # inputs that are made before others have their turn


class Input(NamedTuple):
    """What the child ``number`` is started with, for so many items."""

    number: int
    payload: Payload
    items: int


class Inputs:
    """The inputs of the children that have not been started, in the order of their numbers.

    ``is_started(number)`` says which have been.  ``counts`` are told the number of items: as it is read, of a
    dataset.
    """

    def __init__(
        self,
        host: Host,
        storage: Callable[[], Storage],
        *,
        run: Run,
        work: OpenMapRun,
        state: DistributedMap,
        configuration: MapRunConfiguration,
        counts: Counts,
        is_started: Callable[[int], bool],
    ) -> None:
        self._host = host
        self._storage = storage
        self._run = run
        self._work = work
        self._state = state
        self._configuration = configuration
        self._counts = counts
        self._items = cast("list[Json] | dict[str, Json]", work.items.value)
        self._left = self._made(is_started)
        counts.total = len(self._items)

    async def next(self) -> list[Input]:
        """The next few; none where there are no more.

        They are made in a thread: a dataset blocks, and so does an ItemSelector that takes long.
        """
        return await run_in_thread(lambda: list(islice(self._left, CHUNK)))

    def close(self) -> None:
        with suppress(ValueError):  # it is being read in a thread: that ends by itself
            self._left.close()

    def _made(self, is_started: Callable[[int], bool]) -> Generator[Input]:
        for number, (payload, items) in enumerate(self._all()):
            if not is_started(number):
                yield Input(number, payload(), items)

    def _all(self) -> Iterator[tuple[Callable[[], Payload], int]]:
        from asl_engine.datasets import batches

        batching = self._configuration.batching
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

        reading: Any = self._configuration.reading
        if reading is None:
            if isinstance(self._items, dict):
                yield from (Item(value, "", key) for key, value in self._items.items())
            else:
                yield from (Item(value, "") for value in self._items)
            return
        for item in read(**reading, storage=self._storage()):
            self._counts.total += 1
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
        host, seed = self._host, f"{self._work.arn}:{index}"
        return ItemDecision(self._run.execution, self._work.frame, host.clock.now(), host.limits, seed)
