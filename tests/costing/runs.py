"""Runs to be priced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.costing.cost import Cost, cost_of
from asl_engine.costing.models import Pricing
from asl_engine.costing.prices import price_table
from asl_engine.costing.usage import FunctionFigures, FunctionTable
from asl_engine.limits import AWS_LIMITS
from asl_engine.testing import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.limits import Limits
    from asl_engine.testing import WorkflowRun

__all__ = ["PRICING", "SMALL", "cost", "poll", "run"]

PRICING = Pricing(price_table(), 1_000_000)
SMALL = FunctionTable(others=FunctionFigures(None, 128), measured=False)


def run(
    definition: dict[str, Any], given: Any = None, tasks: Mapping[str, object] | None = None, **limits: int | None
) -> WorkflowRun:
    return Workflow(definition, tasks, validation="NONE", aws_limits=limits).run(given)


def cost(
    definition: dict[str, Any],
    given: Any = None,
    tasks: Mapping[str, object] | None = None,
    functions: FunctionTable = SMALL,
    limits: Limits = AWS_LIMITS,
) -> Cost:
    done = run(definition, given, tasks)
    return cost_of(done.logs, done.status, functions, PRICING, limits)


def poll(wait: int = 0) -> dict[str, Any]:
    """A loop of as many turns as ``$.left`` says, each of which adds to a list."""
    return {
        "StartAt": "Count",
        "States": {
            "Count": {
                "Type": "Pass",
                "Parameters": {
                    "left.$": "States.MathAdd($.left, -1)",
                    "seen.$": "States.Array($.seen, 'xxxxxxxxxxxxxxxx')",
                },
                "Next": "Rest",
            },
            "Rest": {"Type": "Wait", "Seconds": wait, "Next": "More"},
            "More": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.left", "NumericGreaterThan": 0, "Next": "Count"}],
                "Default": "Done",
            },
            "Done": {"Type": "Succeed"},
        },
    }
