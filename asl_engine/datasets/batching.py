"""ItemBatcher: puts several items into the input of one child execution.

AWS documentation, "ItemBatcher (Map)".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING, Json, Missing
from asl_engine.limits import AWS_LIMITS, utf8_length
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Batch", "batches"]

MAX_INPUT_BYTES: Final = AWS_LIMITS.payload_bytes


class Batch(NamedTuple):
    """The input of a child execution, and the number of items in it."""

    input: Payload
    items: int


def batches(
    items: Iterable[Json],
    max_items: int | None = None,
    max_bytes: int | None = None,
    batch_input: Json | Missing = MISSING,
    limit: int | None = MAX_INPUT_BYTES,
) -> Iterator[Batch]:
    """Put the items, in order, into batches: ``{"BatchInput": ..., "Items": [...]}``.

    A batch has at most ``max_items`` items, and its text at most ``max_bytes`` bytes of UTF-8, never more
    than ``limit``, which bounds any input (None: no bound).  An item that alone is larger becomes a batch
    of its own: its execution decides whether it can be an input.
    """
    opening = '{"Items":[' if batch_input is MISSING else f'{{"BatchInput":{dumps(batch_input)},"Items":['
    sizes = [size for size in (max_bytes, limit) if size is not None]
    room = min(sizes) - utf8_length(opening) - len("]}") if sizes else None

    def batch(values: list[Json], made: list[str]) -> Batch:
        value: dict[str, Json] = {"Items": values}
        if batch_input is not MISSING:
            value = {"BatchInput": batch_input, **value}
        return Batch(Payload(value, f"{opening}{','.join(made)}]}}"), len(values))

    values: list[Json] = []
    made: list[str] = []
    size = 0
    for item in items:
        text = dumps(item)
        added = utf8_length(text) + 1  # with the comma before the next item
        if values and (len(values) == max_items or (room is not None and size + added - 1 > room)):
            yield batch(values, made)
            values, made, size = [], [], 0
        values.append(item)
        made.append(text)
        size += added
    if values:
        yield batch(values, made)
