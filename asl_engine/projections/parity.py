"""Two histories of one machine, held against each other: the first event that differs.

What is another one each time does not count: moments, names and ARNs that the caller has replaced, the ID of a
Lambda request, and the order of what happens at the same time in branches and iterations.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.projections.causes import without_requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ParityDifference", "first_difference", "unfolded"]

DETAILS: Final = "EventDetails"
ABSENT: Final = "(absent)"
# Of a worker, a log stream, a payload that was cut: no part of what a machine does.
INCIDENTAL: Final = frozenset({"workerName", "inputDetails", "outputDetails", "mapRunArn", "redriveCount"})


class ParityDifference(NamedTuple):
    """The first event that is another one: ``field`` of it is ``one`` in the one history, ``other`` in the other.

    ``number`` counts the events from 1.  ``state`` is None for an event of the whole execution.
    """

    number: int
    type: str
    state: str | None
    field: str
    one: Any
    other: Any

    def __str__(self) -> str:
        where = f" of {self.state}" if self.state else ""
        one, other = (json.dumps(value, ensure_ascii=False) for value in (self.one, self.other))
        return f"event {self.number}, {self.type}{where}: {self.field} is {one} here, {other} there"


def first_difference(
    here: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]
) -> ParityDifference | None:
    """Where two histories in the shape of GetExecutionHistory differ first; None where they are the same."""
    one, other = _in_order(here), _in_order(there)
    state: dict[int, str | None] = {}
    for number, event in enumerate(one, 1):
        before, details = event["previousEventId"], _details(event)
        state[event["id"]] = details.get("name", details.get("state", state.get(before)))
        if number > len(other):
            return ParityDifference(number, event["type"], state[event["id"]], "type", event["type"], ABSENT)
        found = _between(event, other[number - 1])
        if found is not None:
            return ParityDifference(number, event["type"], state[event["id"]], *found)
    if len(other) > len(one):
        surplus = other[len(one)]
        return ParityDifference(len(one) + 1, surplus["type"], None, "type", ABSENT, surplus["type"])
    return None


def _between(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    if one["type"] != other["type"]:
        return "type", one["type"], other["type"]
    before, now = _details(one), _details(other)
    for name in dict.fromkeys((*before, *now)):
        if name not in INCIDENTAL:
            found = _first("", _value(before, name), _value(now, name))
            if found is not None:
                return f"{name}{found[0]}", found[1], found[2]
    return None


def _value(details: Mapping[str, Any], name: str) -> Any:
    return without_requests(unfolded(details[name])) if name in details else ABSENT


def _first(place: str, one: Any, other: Any) -> tuple[str, Any, Any] | None:
    """The place where two values differ first, and what is there."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            found = _first(f"{place}.{name}", one.get(name, ABSENT), other.get(name, ABSENT))
            if found is not None:
                return found
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = (_first(f"{place}[{at}]", *pair) for at, pair in enumerate(zip(one, other, strict=True)))
        return next((found for found in pairs if found is not None), None)
    same = one == other and isinstance(one, bool) == isinstance(other, bool)
    return None if same else (place, one, other)


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((value for key, value in event.items() if key.endswith(DETAILS)), {})
    return found


def _in_order(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events by what follows from what: of those that follow from one event, a branch comes whole.

    Several branches come in the order of what they begin with, an event that goes on outside of them last.
    """
    after: dict[int, list[Mapping[str, Any]]] = {}
    for event in events:
        after.setdefault(event["previousEventId"], []).append(event)
    return [*_from(after)]


def _from(after: Mapping[int, list[Mapping[str, Any]]]) -> Iterator[Mapping[str, Any]]:
    waiting = [*reversed(after.get(0, []))]
    while waiting:
        event = waiting.pop()
        yield event
        waiting += sorted(after.get(event["id"], []), key=_rank, reverse=True)


def _rank(event: Mapping[str, Any]) -> tuple[int, str]:
    details = _details(event)
    return details.get("index", 0), str(details.get("name", event["type"]))


def unfolded(value: Any) -> Any:
    """A copy where the text of a JSON object is that object."""
    if isinstance(value, dict):
        return {name: unfolded(member) for name, member in value.items()}
    if isinstance(value, list):
        return [unfolded(item) for item in value]
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
