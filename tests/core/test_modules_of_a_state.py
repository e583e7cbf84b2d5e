"""How many files must be known to follow one state from its entry to its exit."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from asl_engine.core.execution import Execution
from asl_engine.core.interpreter import advance
from asl_engine.core.stimuli import Started
from asl_engine.engine.effects import local_identity
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from types import FrameType


def calls(states: int) -> Counter[str]:
    """The modules whose functions run while that many Pass states follow each other, each with its calls."""
    chain: dict[str, Any] = {f"S{number}": {"Type": "Pass", "Next": f"S{number + 1}"} for number in range(states)}
    chain[f"S{states}"] = {"Type": "Pass", "End": True}
    machine = load(json.dumps({"StartAt": "S0", "States": chain}))
    execution = Execution(local_identity("us-east-1", "123456789012", "machine", "name", 0))
    found: Counter[str] = Counter()

    def look(frame: FrameType, event: str, _: object) -> None:
        module = frame.f_globals["__name__"]
        if event == "call" and module.startswith("asl_engine."):
            found[module] += 1

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        advance(machine, execution, Started(0, Payload.of_text("{}"), "salt"), AWS_LIMITS, lambda _: True)
    finally:
        sys.setprofile(before)
    assert execution.status == "SUCCEEDED"
    return found


def test_a_pass_state_runs_through_few_modules() -> None:
    """What one state more adds: starting and ending an execution is told elsewhere."""
    added = calls(3) - calls(2)
    assert set(added) <= {
        "asl_engine.core.apply",
        "asl_engine.core.decision",
        "asl_engine.core.interpreter",
        "asl_engine.payload",
        "asl_engine.states.jsonpath_flow",
        "asl_engine.states.pass_",
    }
