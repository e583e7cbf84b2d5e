"""State machines that the tests of the lab run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ORDER = Path(__file__).parents[2] / "statemachines" / "order.json"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
ASK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
SEND = "arn:aws:states:::sqs:sendMessage"
PACK = "arn:aws:states:us-east-1:123456789012:activity:pack"
MESSAGE = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}


def task(resource: str = f"{FUNCTION}work", **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **({} if "Next" in fields else {"End": True}), **fields}


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    """A machine that starts with the first of these states."""
    return {"StartAt": next(iter(states)), "States": states}


RETRY = [{"ErrorEquals": ["E"], "IntervalSeconds": 2, "BackoffRate": 2.0, "MaxAttempts": 3}]
EACH = {"Type": "Map", "ItemProcessor": machine(One=task(f"{FUNCTION}one", Retry=RETRY)), "End": True}
