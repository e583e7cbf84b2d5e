"""The stages of a Map state's data flow, up to the inputs of its iterations or batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asl_engine.json_text import dumps
from asl_engine.json_values import Json
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload
from asl_engine.states.jsonpath_flow import JsonPathFlow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asl_engine.core.decision import Decision
    from asl_engine.core.state import State
    from asl_engine.inspection.stages import Stages
    from asl_engine.states.item_flow import Batching, Reading

__all__ = ["DatasetItem", "Datasets", "map_stages"]

# Map.Item of the context object, and the iteration's input without an ItemSelector.
DatasetItem: TypeAlias = tuple[dict[str, Json], Json]


class Datasets(NamedTuple):
    """What the core itself cannot do for a distributed Map.

    ``read`` returns the items that an ItemReader is supposed to have read; None if they are not given.
    It raises ``StatesError`` for data that the ItemReader could not have read.  ``batch`` returns the inputs of
    batches.
    """

    read: Callable[[Reading], list[DatasetItem]] | None
    batch: Callable[[Iterable[Json], Batching], Iterator[Json]]


def map_stages(state: State, decision: Decision, datasets: Datasets, count: Callable[[int], None]) -> Stages:
    """What a Map state that was just entered makes of its input; ``count`` is told the number of its items.

    Raises what the state itself would.
    """
    of: Any = state
    by_path = isinstance(of.flow, JsonPathFlow)
    given = of.flow.input(decision)
    if by_path:
        yield "afterInputPath", given
    reader, batcher, writer = (getattr(of, name, None) for name in ("reader", "batcher", "writer"))
    items: list[DatasetItem] | None
    if reader is None:
        values: Any = of.source.items(decision, given).value
        if by_path:
            yield "afterItemsPath", Payload(values) if isinstance(values, dict) else _spaced(values)
        items = _members(values) if isinstance(values, dict) else _elements(values)
    else:
        reading = reader.evaluate(decision, given)
        items = None if datasets.read is None else datasets.read(reading)
        if items is not None and "ItemsPointer" in reading.config:
            yield "afterItemsPointer", Payload(_pointed_at(items))
    if items is not None:
        count(len(items))
        inputs = [default for _, default in items]
        if of.source.selector is not None:
            selected = (of.source.select_item(decision, given, item) for item, _ in items)
            inputs = _within_limit(decision, selected)
            yield "afterItemSelector", _spaced(inputs)
        if batcher is not None:
            batches = datasets.batch(inputs, batcher.evaluate(decision, given))
            yield "afterItemBatcher", _spaced([_in_text(batch) for batch in _within_limit(decision, batches)])
    if writer is not None:
        writer.evaluate(decision, given)
    yield "maxConcurrency", of.source.concurrency(decision, given)
    count_tolerated, percentage_tolerated = of.tolerances.evaluate(decision, given)
    if of.tolerances.by_count.is_given:
        yield "toleratedFailureCount", count_tolerated
    if of.tolerances.by_percentage.is_given:
        yield "toleratedFailurePercentage", percentage_tolerated


def _elements(values: list[Json]) -> list[DatasetItem]:
    return [({"Index": index, "Value": value}, value) for index, value in enumerate(values)]


def _members(values: dict[str, Json]) -> list[DatasetItem]:
    """A member of an object is given as a pair."""
    return [
        ({"Index": index, "Value": value, "Key": key}, {"Key": key, "Value": value})
        for index, (key, value) in enumerate(values.items())
    ]


def _pointed_at(items: list[DatasetItem]) -> Json:
    """The array or the object that has these items."""
    if items and "Key" in items[0][0]:
        return {str(item["Key"]): item["Value"] for item, _ in items}
    return [item["Value"] for item, _ in items]


def _within_limit(decision: Decision, values: Iterable[Json]) -> list[Json]:
    """The values, as long as they can be shown together: an input taken over for each item can be very large."""
    made: list[Json] = []
    length = 0
    for value in values:
        made.append(value)
        length += utf8_length(dumps(value)) + 2
        if decision.limits.payload_bytes is not None and length > decision.limits.payload_bytes:
            decision.within_limit(_spaced(made))
    return made


def _in_text(batch: Json) -> Json:
    """Recorded from AWS: the items of a batch are shown as JSON texts."""
    if not isinstance(batch, dict) or not isinstance(batch.get("Items"), list):
        return batch
    items: Any = batch["Items"]
    return {**batch, "Items": [dumps(item) for item in items]}


def _spaced(values: list[Json]) -> Payload:
    """Recorded from AWS: the items of the lists that a Map makes are separated by a blank."""
    return Payload(values, f"[{', '.join(map(dumps, values))}]")
