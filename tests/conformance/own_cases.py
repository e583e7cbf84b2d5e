"""The project's own cases: ``cases/*.json`` as data, in the shapes that an answer of AWS has.

README.md beside this file describes the format.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).with_name("cases")
ROLE = "arn:aws:iam::123456789012:role/orchard"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
SHOWN = ("input", "output", "assignedVariables")  # what an event says of, whether it is whole


@cache
def cases() -> list[Any]:
    """All cases, their histories as GetExecutionHistory gives them and their functions with names."""
    files = sorted(FOLDER.glob("*.json"))
    return [filled(case) for file in files for case in json.loads(file.read_text(encoding="utf-8"))["cases"]]


def filled(case: Any) -> Any:
    """The case without what the format abbreviates."""
    text = json.dumps(case, ensure_ascii=False).replace("{{role_arn}}", ROLE)
    text = re.sub(r"\{\{lambda_arn:(\w+)\}\}", lambda found: FUNCTION + function_name(case, found[1]), text)
    text = re.sub(r"\{\{repeated:(.):(\d+)\}\}", lambda found: found[1] * int(found[2]), text)
    whole = json.loads(text)
    if "history" in whole["expected"]:
        whole["expected"]["history"] = [whole_event(*event) for event in whole["expected"]["history"]]
    return whole


def whole_event(number: int, previous: int, kind: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": number,
        "previousEventId": previous,
        "type": kind,
        "timestamp": "<moment>",
    }
    if details is not None:
        told: dict[str, Any] = {f"{name}Details": {"truncated": False} for name in SHOWN if name in details}
        if kind == "ExecutionStarted":
            told["roleArn"] = "<role:1>"
        event[details_name(kind)] = details | told
    return event


def details_name(kind: str) -> str:
    """The member of an event of this type that has its details."""
    for end, name in (("StateEntered", "stateEntered"), ("StateExited", "stateExited")):
        if kind.endswith(end):
            return name + "EventDetails"
    return kind[0].lower() + kind[1:] + "EventDetails"


def definition_text(case: Any) -> str:
    return str(case["definition_text"]) if "definition_text" in case else json.dumps(case["definition"])


def input_text(case: Any) -> str:
    """The input without blanks, as the engine and AWS write what they have made."""
    return json.dumps(case.get("input", {}), separators=(",", ":"), ensure_ascii=False)


# -- functions as data --------------------------------------------------------------------------------


def function_name(case: Any, key: str) -> str:
    """One server runs all cases, so each has functions of its own."""
    return re.sub(r"\W", "-", case["id"]) + "-" + key


def functions(case: Any) -> dict[str, Callable[[Any], Any]]:
    """What the case's functions are called, and what they do."""
    return {function_name(case, key): function(behaviour) for key, behaviour in case.get("lambda", {}).items()}


def function(behaviour: Any) -> Callable[[Any], Any]:
    turns = in_turn(behaviour)
    return lambda event: answer(next(turns), event)


def in_turn(behaviour: Any) -> Iterator[Any]:
    """The behaviour of each call: the last one stays."""
    turns = behaviour.get("in_turn", [behaviour])
    yield from turns
    while True:
        yield turns[-1]


def answer(behaviour: Any, event: Any) -> Any:
    (kind, what) = next(iter(behaviour.items()))
    if kind == "echo":
        return event
    if kind == "returns":
        return what
    if kind == "raises":
        raise type(what["errorType"], (Exception,), {})(what["errorMessage"])
    raise ValueError(f"the format has no behaviour {kind!r}")
