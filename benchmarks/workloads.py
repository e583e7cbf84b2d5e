"""The machines that every engine is measured with, each with an input and the only output that counts.

A wrong output is a failure, never a speed.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

__all__ = ["WORKLOADS", "Workload"]


class Workload(NamedTuple):
    """An execution counts for so many ``units``, and so many executions are under way ``at_once``.

    ``by_boto3``: the client is boto3, as users have it; otherwise one that costs as little as it can.
    """

    name: str
    unit: str
    definition: dict[str, Any]
    input: Any
    output: Any
    at_once: int = 1
    units: int = 1
    by_boto3: bool = False

    @property
    def text(self) -> str:
        return json.dumps(self.definition)


def passing(result: Any, path: str, then: str | None = None) -> dict[str, Any]:
    follows: dict[str, Any] = {"Next": then} if then else {"End": True}
    return {"Type": "Pass", "Result": result, "ResultPath": path} | follows


RESULTS: Final = {
    "validation": {"valid": True},
    "inventory": {"available": True},
    "payment": {"id": "pay-1"},
    "fulfillment": {"shipped": True},
}
ORDER: Final = {
    "StartAt": "validation",
    "States": {
        name: passing(result, f"$.{name}", then)
        for (name, result), then in zip(RESULTS.items(), [*[*RESULTS][1:], None], strict=True)
    },
}
ORDER_INPUT: Final = {"orderId": "o-1", "total": 99.5, "items": [{"sku": "a", "qty": 2}, {"sku": "b", "qty": 1}]}
LOOP: Final = {
    "StartAt": "Check",
    "States": {
        "Check": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.i", "NumericLessThanPath": "$.n", "Next": "Inc"}],
            "Default": "Done",
        },
        "Inc": {
            "Type": "Pass",
            "Parameters": {"i.$": "States.MathAdd($.i, 1)", "n.$": "$.n"},
            "Next": "Check",
        },
        "Done": {"Type": "Succeed"},
    },
}
TURNS: Final = 500
ONE_STATE: Final = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
THREE_STATES: Final = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Parameters": {"v.$": "$"}, "Next": "B"},
        "B": passing("ok", "$.r", "C"),
        "C": {"Type": "Pass", "End": True},
    },
}
ITEMS: Final = [*range(1, 1001)]
MANY: Final = [*range(10_000)]
JSONATA: Final = {
    "QueryLanguage": "JSONata",
    "StartAt": "Sum",
    "States": {
        "Sum": {
            "Type": "Pass",
            "Output": "{% {'total': $sum($states.input.items.(price * qty)), "
            "'large': $count($states.input.items[price > 50])} %}",
            "End": True,
        }
    },
}
GOODS: Final = [{"price": number * 7 % 100, "qty": number % 5 + 1} for number in range(1000)]
DOCUMENT: Final = {"id": "m-1", "body": [{"k": f"key-{number:06d}", "v": "x" * 64} for number in range(2500)]}
STEPS: Final = 10
PAYLOAD: Final = {
    "StartAt": "S0",
    "States": {
        f"S{number}": passing({"step": number}, f"$.r{number}", f"S{number + 1}" if number < STEPS - 1 else None)
        for number in range(STEPS)
    },
}


def mapped(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}
    return {"StartAt": "M", "States": {"M": state | fields}}


CHILDREN: Final = ONE_STATE | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
TOTAL: Final = {
    "total": sum(one["price"] * one["qty"] for one in GOODS),
    "large": sum(one["price"] > 50 for one in GOODS),
}

WORKLOADS: Final = (
    *(
        Workload(
            f"order, {count} at once{', boto3' if by_boto3 else ''}",
            "executions/s",
            ORDER,
            ORDER_INPUT,
            ORDER_INPUT | RESULTS,
            at_once=count,
            by_boto3=by_boto3,
        )
        for by_boto3 in (False, True)
        for count in (1, 10, 100)
    ),
    Workload(
        f"loop of {TURNS} turns",
        "transitions/s",
        LOOP,
        {"i": 0, "n": TURNS},
        {"i": TURNS, "n": TURNS},
        units=2 * TURNS + 2,
    ),
    Workload("Map, 1 state", "items/s", mapped(ONE_STATE), {"items": ITEMS}, ITEMS, units=len(ITEMS)),
    Workload(
        "Map, 3 states",
        "items/s",
        mapped(THREE_STATES),
        {"items": ITEMS},
        [{"v": item, "r": "ok"} for item in ITEMS],
        units=len(ITEMS),
    ),
    Workload(
        "distributed Map",
        "items/s",
        mapped(CHILDREN, MaxConcurrency=1000, Label="M"),
        {"items": MANY},
        MANY,
        units=len(MANY),
    ),
    Workload("JSONata, 1,000 items", "executions/s", JSONATA, {"items": GOODS}, TOTAL),
    Workload(
        "240 KB, 10 states",
        "executions/s",
        PAYLOAD,
        DOCUMENT,
        DOCUMENT | {f"r{number}": {"step": number} for number in range(STEPS)},
        at_once=4,
    ),
)
