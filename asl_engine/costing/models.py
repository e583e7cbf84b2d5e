"""One run as each of the three ways to run it on AWS: Standard, Express, and as a Lambda durable function."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from asl_engine.arn import integration_name, is_activity, waits_for_token
from asl_engine.json_text import loads
from asl_engine.language.tree import all_states
from asl_engine.limits import AWS_LIMITS
from asl_engine.projections.moments import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asl_engine.costing.prices import PriceTable
    from asl_engine.costing.usage import FunctionTable, Usage

__all__ = [
    "MODELS",
    "CostLine",
    "Estimate",
    "Model",
    "Pricing",
    "billed_memory",
    "durable",
    "express",
    "function_notes",
    "standard",
]

Model: TypeAlias = Literal["STANDARD", "EXPRESS", "DURABLE"]
MODELS: Final[dict[Model, str]] = {
    "STANDARD": "Standard",
    "EXPRESS": "Express",
    "DURABLE": "Lambda durable function",
}
# "Workflow memory utilized = 50 MB + state machine definition size + execution data size x Number of Parallel or
# Map Steps", billed in chunks of 64 MB, and the duration in steps of 100 ms (AWS Step Functions Pricing).  Its
# examples count 1,000 KB as 1 MB there, and 1,024 MB as 1 GB.
BASE_MB: Final = 50
CHUNK_MB: Final = 64
STEP_MS: Final = 100
BYTES_OF_MB: Final = 1_000_000
MAX_CALL_MS: Final = 900_000
RETENTION_MONTHS: Final = 14 / 30  # RetentionPeriodInDays of DurableConfig is 14 unless it is set


class CostLine(NamedTuple):
    """A quantity of one execution, and its price; ``quantity`` is None where nobody knows it.

    ``each`` is what one execution costs at the first tier, ``month`` what all those of a month cost; in US
    dollars, None where the price or the quantity is unknown.
    """

    price: str
    what: str
    quantity: float | None
    unit: str
    each: float | None
    month: float | None


class Estimate(NamedTuple):
    """What a run costs in one of the ways; where it cannot be run so, ``reasons`` say why instead of lines."""

    model: Model
    lines: list[CostLine]
    reasons: list[str]
    notes: list[str]

    @property
    def each(self) -> float:
        """What is known of the cost of one execution."""
        return sum(line.each or 0 for line in self.lines)

    @property
    def month(self) -> float:
        return sum(line.month or 0 for line in self.lines)

    @property
    def unknown(self) -> list[str]:
        """The prices that have no amount."""
        return [line.price for line in self.lines if line.each is None]


class Pricing(NamedTuple):
    """By what to price: ``executions`` is how many there are in a month."""

    table: PriceTable
    executions: int
    free_tier: bool = True

    def line(self, price: str, quantity: float | None, what: str = "") -> CostLine:
        entry = self.table.prices[price]
        if quantity is None:
            return CostLine(price, what or entry.unit, None, entry.unit, None, None)
        month = entry.of_month(quantity * self.executions, free_tier=self.free_tier)
        return CostLine(price, what or entry.unit, quantity, entry.unit, entry.of(quantity), month)


def standard(runs: Sequence[Usage], functions: FunctionTable, pricing: Pricing) -> Estimate:
    """The first of ``runs`` as a Standard workflow; the others are its children, each of its own type."""
    transitions = sum(run.transitions.total for run in runs if not run.is_express or run is runs[0])
    lines = [pricing.line("standard-transitions", transitions)]
    lines += _express_lines([run for run in runs[1:] if run.is_express], pricing, "of Express children")
    return Estimate("STANDARD", lines + _lambda_lines(runs, functions, pricing), [], [])


def express(runs: Sequence[Usage], functions: FunctionTable, pricing: Pricing) -> Estimate:
    """The first of ``runs`` as an Express workflow, where it can be one."""
    reasons = [*_not_express(runs[0])]
    if reasons:
        return Estimate("EXPRESS", [], reasons, [])
    lines = _express_lines([runs[0], *(run for run in runs[1:] if run.is_express)], pricing)
    transitions = sum(run.transitions.total for run in runs[1:] if not run.is_express)
    if transitions:
        lines.append(pricing.line("standard-transitions", transitions, "state transitions of Standard children"))
    unknown = any(call.milliseconds is None for call in runs[0].calls)
    notes = ["its own duration is without that of the functions"] if unknown else []
    return Estimate("EXPRESS", lines + _lambda_lines(runs, functions, pricing), [], notes)


def durable(runs: Sequence[Usage], functions: FunctionTable, pricing: Pricing) -> Estimate:
    """All of ``runs`` as durable functions, whose steps do what the Lambda functions did."""
    operations = sum(run.operations for run in runs)
    written = sum(run.written for run in runs) / 1e9
    lines = [
        pricing.line("durable-operations", operations),
        pricing.line("durable-written", written, "GB written"),
        pricing.line("durable-retained", written * RETENTION_MONTHS, "GB-months retained"),
        pricing.line("lambda-requests", sum(run.invocations for run in runs), "invocations"),
        *_compute_lines(runs, functions, pricing),
    ]
    notes = ["an estimate: one operation for each execution, attempt at a task, wait, callback, branch, iteration"]
    return Estimate("DURABLE", lines, [], notes)


def billed_memory(definition_bytes: int, lane_bytes: int) -> int:
    """The memory of an Express execution that is billed, in MB."""
    used = BASE_MB + (definition_bytes + lane_bytes) / BYTES_OF_MB
    return math.ceil(used / CHUNK_MB) * CHUNK_MB


def _express_lines(runs: Sequence[Usage], pricing: Pricing, whose: str = "") -> list[CostLine]:
    if not runs:
        return []
    hours = 0.0
    for run in runs:
        memory = billed_memory(len(run.log.definition.encode()), run.lane_bytes)
        billed = max(STEP_MS, math.ceil(run.duration / STEP_MS) * STEP_MS)
        hours += memory / 1024 * billed / 3_600_000
    behind = f" {whose}" if whose else ""
    return [
        pricing.line("express-requests", len(runs), f"requests{behind}"),
        pricing.line("express-memory", hours, f"GB-hours{behind}"),
    ]


def _lambda_lines(runs: Sequence[Usage], functions: FunctionTable, pricing: Pricing) -> list[CostLine]:
    calls = sum(len(run.calls) for run in runs)
    if not calls:
        return []
    return [
        pricing.line("lambda-requests", calls, "calls of Lambda functions"),
        *_compute_lines(runs, functions, pricing),
    ]


def _compute_lines(runs: Sequence[Usage], functions: FunctionTable, pricing: Pricing) -> list[CostLine]:
    """GB-seconds of functions; of an architecture with a function that is not known, they are unknown."""
    seconds_of: dict[bool, float | None] = {}
    for call in (call for run in runs for call in run.calls):
        figures = functions.figures(call.function)
        so_far = seconds_of.get(figures.arm, 0.0)
        if so_far is None or figures.memory is None or call.milliseconds is None:
            seconds_of[figures.arm] = None
        else:
            billed = min(MAX_CALL_MS, max(1, call.milliseconds))
            seconds_of[figures.arm] = so_far + figures.memory / 1024 * billed / 1000
    names = {True: "lambda-compute-arm", False: "lambda-compute-x86"}
    return [
        pricing.line(names[arm], amount, f"GB-seconds of Lambda functions, {'arm64' if arm else 'x86_64'}")
        for arm, amount in sorted(seconds_of.items())
    ]


def function_notes(runs: Sequence[Usage], functions: FunctionTable) -> list[str]:
    """What is missing for the cost of the functions."""
    calls = [call for run in runs for call in run.calls]
    lacking = {
        "duration": [call.function for call in calls if call.milliseconds is None],
        "memory": [call.function for call in calls if functions.figures(call.function).memory is None],
    }
    found = [
        f"the {what} of {', '.join(dict.fromkeys(names))} is not known" for what, names in lacking.items() if names
    ]
    here = [call.function for call in calls if functions.figures(call.function).milliseconds is None]
    if functions.local and functions.measured and here:
        found.append(f"measured on this machine: the duration of {', '.join(dict.fromkeys(here))}")
    return found


def _not_express(run: Usage) -> Iterable[str]:
    """Why an execution cannot be one of an Express workflow ("Choosing workflow type" in the Developer Guide)."""
    for state in all_states(loads(run.log.definition)):
        resource = state.source.get("Resource") if state.type == "Task" else None
        if isinstance(resource, str):
            if is_activity(resource):
                yield f"{state.name} is the task of an activity"
            elif waits_for_token(resource):
                yield f"{state.name} waits for a task token ({integration_name(resource)})"
            elif resource.endswith((".sync", ".sync:2")):
                yield f"{state.name} waits for a job ({integration_name(resource)})"
        elif state.type == "Map" and _is_distributed(state.source):
            yield f"{state.name} is a distributed Map"
    limit = AWS_LIMITS.express_seconds
    if limit is not None and run.duration > limit * 1000:
        yield f"it takes {seconds(run.duration)}, and an Express execution at most {limit // 60} minutes"


def _is_distributed(source: dict[str, object]) -> bool:
    processor = source.get("ItemProcessor")
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"
