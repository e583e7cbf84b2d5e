"""The cost of one run: what it used, the three ways to run it side by side, and where it heads for quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.costing.comparison import compare, comparison_json
from asl_engine.costing.growth import headings
from asl_engine.costing.models import MODELS, Pricing, durable, express, function_notes, standard
from asl_engine.costing.transitions import Transitions
from asl_engine.costing.usage import usage_of
from asl_engine.limits import AWS_LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.costing.comparison import CostComparison
    from asl_engine.costing.growth import Heading
    from asl_engine.costing.models import CostLine, Estimate
    from asl_engine.costing.prices import PriceTable
    from asl_engine.costing.usage import FunctionTable, Usage
    from asl_engine.limits import Limits
    from asl_engine.testing.executions import ExecutionLog

__all__ = ["Cost", "cost_json", "cost_of", "prices_json"]


class Cost(NamedTuple):
    """``runs`` are the execution and all that it has started; ``transitions`` those of all that are Standard."""

    machine: str
    execution: str
    status: str
    runs: Sequence[Usage]
    transitions: Transitions
    estimates: Sequence[Estimate]
    headings: Sequence[Heading]
    notes: Sequence[str]
    pricing: Pricing
    comparison: CostComparison | None = None

    @property
    def own(self) -> Usage:
        return self.runs[0]


def cost_of(
    logs: Sequence[ExecutionLog],
    status: str,
    functions: FunctionTable,
    pricing: Pricing,
    limits: Limits = AWS_LIMITS,
    *,
    batch: int | None = None,
) -> Cost:
    """``logs`` begin with the execution's own; ``status`` is how it stands.

    ``batch``: compare with other ways to do the same, with so many items in a call.
    """
    runs = [usage_of(log, functions) for log in logs]
    transitions = Transitions()
    for run in runs:
        if run is runs[0] or not run.is_express:
            transitions.add(run.transitions)
    who = logs[0].identity
    estimates = [make(runs, functions, pricing) for make in (standard, express, durable)]
    notes = function_notes(runs, functions)
    unseen = sum(run.unseen for run in runs)
    if unseen:
        notes.append(f"what {unseen:,} Express children did in between is not kept: their calls are left out")
    return Cost(
        who.machine_name,
        who.name,
        status,
        runs,
        transitions,
        estimates,
        headings(runs, limits),
        notes,
        pricing,
        None if batch is None else compare(runs, functions, pricing, batch),
    )


# -- as JSON ------------------------------------------------------------------------------------------


def cost_json(cost: Cost) -> dict[str, Any]:
    """All of it, as plain data.  Money is in US dollars, durations in seconds."""
    own, pricing = cost.own, cost.pricing
    return {
        "stateMachine": cost.machine,
        "execution": cost.execution,
        "status": cost.status,
        "executionsPerMonth": pricing.executions,
        "freeTier": pricing.free_tier,
        "transitions": cost.transitions.total,
        "redrives": cost.transitions.redrives,
        "states": {
            name: {
                "type": count.type,
                "entered": count.entered,
                "retried": count.retried,
                "transitions": count.transitions,
            }
            for name, count in cost.transitions.by_state.items()
        },
        "historyEvents": own.history_events,
        "seconds": own.duration / 1000,
        "children": len(cost.runs) - 1,
        "models": {one.model: _estimate(one) for one in cost.estimates},
        "notes": [*cost.notes],
        "quotas": [_heading(one) for one in cost.headings],
        "prices": prices_json(pricing.table),
        **({} if cost.comparison is None else {"comparison": comparison_json(cost.comparison)}),
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": MODELS[one.model], "possible": not one.reasons}
    if one.reasons:
        return {**shown, "reasons": one.reasons}
    return {
        **shown,
        "perExecution": _figure(one.each),
        "perMonth": _figure(one.month),
        "unknown": one.unknown,
        "lines": [_line(line) for line in one.lines],
        "notes": one.notes,
    }


def _line(line: CostLine) -> dict[str, Any]:
    return {
        "price": line.price,
        "what": line.what,
        "quantity": _figure(line.quantity),
        "perExecution": _figure(line.each),
        "perMonth": _figure(line.month),
    }


def _figure(amount: float | None) -> float | None:
    """With as many digits as mean something."""
    return amount if amount is None or isinstance(amount, int) else float(f"{amount:.10g}")


def _heading(one: Heading) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "quota": one.quota,
        "unit": one.unit,
        "seen": one.seen,
        "limit": one.limit,
        "place": one.place,
        "stateMachine": one.machine,
        "told": one.told,
    }
    if one.at is not None:
        shown |= {"step": one.step, "stepsSeen": one.steps, "addsPerStep": one.adds, "reachedAtStep": one.at}
    return {key: value for key, value in shown.items() if value != ""}


def prices_json(table: PriceTable) -> dict[str, Any]:
    """The prices, each with its source."""
    return {
        "date": table.date.isoformat(),
        "region": table.region,
        "usd": {
            price.name: {
                "usd": price.usd,
                "per": price.per,
                "unit": price.unit,
                "freePerMonth": price.free,
                "tiers": [{"above": above, "usd": usd} for above, usd in price.tiers],
                "source": price.source,
                "read": None if price.read is None else price.read.isoformat(),
            }
            for price in table.prices.values()
        },
    }
