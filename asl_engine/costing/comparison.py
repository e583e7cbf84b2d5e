"""The same work done otherwise: with another memory and architecture, and with more items in one call.

The work of a function is its calls and their durations, as they were seen or as they were given.  How long it
takes with another memory is not known here: what is shown is the cost of the same duration, and the duration that
would cost as much as now.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.costing.models import CHUNK_MB, MAX_CALL_MS, STEP_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.costing.models import CostLine, Pricing
    from asl_engine.costing.usage import FunctionTable, Usage

__all__ = ["CostComparison", "FunctionSize", "Way", "compare", "comparison_json"]

# From the least that Lambda gives to what has a whole CPU (1,769 MB), and above.
MEMORIES: Final = (128, 256, 512, 1024, 1769, 3008)
# SQS: each message is sent; a batch is received, and deleted, in one request of up to ten.
RECEIVED_AT_ONCE: Final = 10


class FunctionSize(NamedTuple):
    """A function with a memory: what a month costs on each architecture, with the duration that it has now.

    ``even`` is how many milliseconds a call may take on arm64 to cost what it costs now.
    """

    function: str
    memory: int
    is_now: bool
    x86: float
    arm: float
    even: float


class Way(NamedTuple):
    """A way to do the work of a function: how many calls that are, and what a month costs."""

    function: str
    name: str
    calls: float
    lines: Sequence[CostLine]

    @property
    def month(self) -> float:
        return sum(line.month or 0 for line in self.lines)


class CostComparison(NamedTuple):
    sizes: Sequence[FunctionSize]
    ways: Sequence[Way]


class _Work(NamedTuple):
    """What a function did in one execution: ``items`` calls, each of which took so many milliseconds."""

    function: str
    items: int
    milliseconds: float
    memory: int
    arm: bool


def compare(runs: Sequence[Usage], functions: FunctionTable, pricing: Pricing, batch: int) -> CostComparison:
    """The functions that were called and whose duration and memory are known; ``batch`` items in a call."""
    works = [*_works(runs, functions)]
    return CostComparison(
        [size for work in works for size in _sizes(work, pricing)],
        [way for work in works for way in _ways(work, pricing, batch)],
    )


def _works(runs: Sequence[Usage], functions: FunctionTable) -> Iterator[_Work]:
    calls: dict[str, list[float | None]] = {}
    for call in (call for run in runs for call in run.calls):
        calls.setdefault(call.function, []).append(call.milliseconds)
    for name, took in sorted(calls.items()):
        figures = functions.figures(name)
        known = [one for one in took if one is not None]
        if len(known) == len(took) and figures.memory is not None:
            yield _Work(name, len(took), sum(known) / len(known), figures.memory, figures.arm)


def _compute(pricing: Pricing, work: _Work, memory: int, *, arm: bool, calls: float, took: float) -> CostLine:
    billed = min(MAX_CALL_MS, max(1.0, took))
    price = "lambda-compute-arm" if arm else "lambda-compute-x86"
    return pricing.line(price, calls * memory / 1024 * billed / 1000, f"GB-seconds of {work.function}")


def _sizes(work: _Work, pricing: Pricing) -> Iterator[FunctionSize]:
    def month(memory: int, *, arm: bool) -> float:
        line = _compute(pricing, work, memory, arm=arm, calls=work.items, took=work.milliseconds)
        return line.month or 0

    prices = pricing.table.prices
    now = (prices["lambda-compute-arm"] if work.arm else prices["lambda-compute-x86"]).of(1) or 0
    arm = prices["lambda-compute-arm"].of(1) or 0
    for memory in sorted({*MEMORIES, work.memory}):
        even = work.milliseconds * work.memory * now / (memory * arm) if arm else 0.0
        yield FunctionSize(
            work.function,
            memory,
            memory == work.memory,
            month(memory, arm=False),
            month(memory, arm=True),
            even,
        )


def _ways(work: _Work, pricing: Pricing, batch: int) -> Iterator[Way]:
    """A Task for each item; a queue with one message and with a batch a call; a distributed Map with batches."""
    items, took = work.items, work.milliseconds
    batches = items / batch

    def functions(calls: float, each: float) -> list[CostLine]:
        compute = _compute(pricing, work, work.memory, arm=work.arm, calls=calls, took=each)
        return [pricing.line("lambda-requests", calls, "calls"), compute]

    def queue(calls: float, at_once: int) -> list[CostLine]:
        polls = items / min(at_once, RECEIVED_AT_ONCE)
        return [*functions(calls, took * items / calls), pricing.line("sqs-requests", items + 2 * polls)]

    tasks = [*functions(items, took), pricing.line("standard-transitions", items)]
    yield Way(work.function, "a Task for each item", items, tasks)
    yield Way(work.function, "a queue, one message a call", items, queue(items, 1))
    yield Way(work.function, f"a queue, batches of {batch}", batches, queue(batches, batch))
    child = max(STEP_MS, math.ceil(took * batch / STEP_MS) * STEP_MS)
    express = [
        *functions(batches, took * batch),
        pricing.line("express-requests", batches),
        pricing.line("express-memory", batches * CHUNK_MB / 1024 * child / 3_600_000),
    ]
    yield Way(work.function, f"a distributed Map, ItemBatcher of {batch}, Express children", batches, express)


def comparison_json(comparison: CostComparison) -> dict[str, Any]:
    return {
        "sizes": [
            {
                "function": one.function,
                "memory": one.memory,
                "now": one.is_now,
                "perMonth": {"x86_64": float(f"{one.x86:.10g}"), "arm64": float(f"{one.arm:.10g}")},
                "evenMilliseconds": float(f"{one.even:.6g}"),
            }
            for one in comparison.sizes
        ],
        "ways": [
            {
                "function": one.function,
                "way": one.name,
                "calls": one.calls,
                "perMonth": float(f"{one.month:.10g}"),
            }
            for one in comparison.ways
        ],
    }
