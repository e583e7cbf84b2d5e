"""Two histories of one machine, held against each other: the first event that differs.

What is another one each time does not count: moments, UUIDs, names that the caller says, the ID of a Lambda
request, and the order of what happens at the same time in branches and iterations.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.projections.causes import without_requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ParityDifference", "first_difference", "unfolded"]

DETAILS: Final = "EventDetails"
ABSENT: Final = "(absent)"
# Of a worker, a log stream, a payload that was cut: no part of what a machine does.
INCIDENTAL: Final = frozenset({"workerName", "inputDetails", "outputDetails", "mapRunArn", "redriveCount"})

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
    here: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]], names: Mapping[str, str] | None = None
) -> ParityDifference | None:
    """Where two histories in the shape of GetExecutionHistory differ first; None where they are the same.

    ``names`` are texts of the second one, such as ARNs, by what stands for them in the first one.
    """
    one, other = _in_order(_settled(here, {})), _in_order(_settled(there, names or {}))
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


def _settled(events: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The events with the same text for what is another one each time."""
    text = json.dumps([{**event, "timestamp": 0} for event in events])
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(json.dumps(name)[1:-1], json.dumps(names[name])[1:-1])
    settled: list[dict[str, Any]] = json.loads(_UUID.sub("<uuid>", _MOMENT.sub("<moment>", text)))
    return settled


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


# -- the order of what happens at the same time --------------------------------------------------------


def _in_order(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events by what follows from what: each branch and iteration comes whole, in the order of their numbers.

    AWS lets what ends a Parallel or a Map follow from the branch that has ended last, and an iteration from one
    that has made room for it; both follow from the beginning of their state here.
    """
    known = {event["id"]: event for event in events}
    after: dict[int, list[Mapping[str, Any]]] = {}
    for event in events:
        begins, _ = _SCOPES.get(event["type"], (None, 0))
        around = None if begins is None else _around(event, begins, known)
        after.setdefault(event["previousEventId"] if around is None else around, []).append(event)
    return [*_from(after)]


def _around(event: Mapping[str, Any], begins: str, known: Mapping[int, Mapping[str, Any]]) -> int | None:
    """The event that has begun what this one ends, or is in; None where the history does not have it."""
    at = known.get(event["previousEventId"])
    while at is not None and at["type"] != begins:
        ended = None
        if at["type"] in _SCOPES and not at["type"].endswith("Started"):
            ended = _around(at, _SCOPES[at["type"]][0], known)
        at = known.get((at if ended is None else known[ended])["previousEventId"])
    return None if at is None else int(at["id"])


def _from(after: Mapping[int, list[Mapping[str, Any]]]) -> Iterator[Mapping[str, Any]]:
    waiting = [*reversed(after.get(0, []))]
    while waiting:
        event = waiting.pop()
        yield event
        waiting += sorted(after.get(event["id"], []), key=_rank, reverse=True)


def _rank(event: Mapping[str, Any]) -> tuple[int, int, str]:
    details = _details(event)
    return _SCOPES.get(event["type"], ("", 0))[1], details.get("index", 0), str(details.get("name", event["type"]))


# What begins the scope that an event ends, or is in; and where it comes among what follows from that.
_SCOPES: Final[dict[str, tuple[str, int]]] = {
    "MapIterationStarted": ("MapStateStarted", 0),
    **{f"MapIteration{end}": ("MapIterationStarted", 1) for end in ("Succeeded", "Failed", "Aborted")},
    **{
        f"{kind}State{end}": (f"{kind}StateStarted", place)
        for kind in ("Map", "Parallel")
        for end, place in (("Succeeded", 1), ("Failed", 1), ("Aborted", 1), ("Exited", 2))
    },
}


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
