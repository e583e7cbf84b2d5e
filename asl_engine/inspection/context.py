"""The context object of a test: whether it is one that the tested state could have.

AWS documentation, "Accessing execution data from the Context object in Step Functions", lists its members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.findings import did_you_mean
from asl_engine.inspection.question import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.inspection.subject import Subject
    from asl_engine.json_values import Json

__all__ = ["check_context"]

TEXT, NUMBER, ANYTHING = "a string", "a number", "any value"
# The members, by the types of their values.  Each may be missing: {"Execution": {}} was recorded as accepted.
MEMBERS: Final[dict[str, Any]] = {
    "Execution": {
        "Id": TEXT,
        "Input": ANYTHING,
        "Name": TEXT,
        "RedriveCount": NUMBER,
        "RedriveTime": TEXT,
        "RoleArn": TEXT,
        "StartTime": TEXT,
    },
    "Map": {"Item": {"Index": NUMBER, "Key": TEXT, "Source": TEXT, "Value": ANYTHING}},
    "State": {"EnteredTime": TEXT, "Name": TEXT, "RetryCount": NUMBER},
    "StateMachine": {"Id": TEXT, "Name": TEXT},
    "Task": {"Token": TEXT},
}


def check_context(subject: Subject, context: dict[str, Json]) -> None:
    """Raises ``Refusal`` for a context object that the state could not have."""
    reason = next(_faults(context, _members_of(subject), ""), None)
    if reason is not None:
        raise Refusal(f"The context is not a valid Context object: {reason}")


def _members_of(subject: Subject) -> dict[str, Any]:
    """Only a Task has a token; only a Map state, and what is within one, has an item."""
    missing = set()
    if subject.type != "Task":
        missing.add("Task")
    around = subject.written
    while around.type != "Map":
        holder = around.scope.holder
        if holder is None:
            missing.add("Map")
            break
        around = holder
    return {name: members for name, members in MEMBERS.items() if name not in missing}


def _faults(value: Json, expected: Any, place: str) -> Iterator[str]:
    if isinstance(expected, dict):
        if not isinstance(value, dict):
            yield f"'{place}' must be an object"
            return
        for name, member in value.items():
            inner = f"{place}.{name}" if place else name
            if name in expected:
                yield from _faults(member, expected[name], inner)
            else:
                yield f"there is no '{inner}' in this state{did_you_mean(name, expected)}"
    elif expected == TEXT and not isinstance(value, str):
        yield f"'{place}' must be {TEXT}"
    elif expected == NUMBER and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield f"'{place}' must be {NUMBER}"
