"""Where an execution heads for AWS's quotas: what each turn of a loop and each item of a Map adds, carried on.

A loop is seen where a state was entered again on one path; a Map where it had an iteration or a child.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.core import events as ev
from asl_engine.json_text import loads
from asl_engine.language.tree import all_states
from asl_engine.limits import AWS_LIMITS
from asl_engine.projections.moments import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.costing.usage import Usage
    from asl_engine.limits import Limits
    from asl_engine.payload import Payload

__all__ = ["Heading", "headings"]

MAX_CHILDREN: Final = 10_000  # of a Map Run that run at once ("Quotas related to state machine executions")
MAX_ITERATIONS: Final = 40  # of an inline Map that run at once ("Inline mode")


class Heading(NamedTuple):
    """How near a run came to a quota, or what leads to it.

    ``seen`` and ``limit`` are numbers of ``unit``.  ``place`` is the state, as ``States.Poll``, "" for the whole
    execution.  ``adds`` is how much each ``step`` (a turn of a loop, an item) adds, and ``at`` the number of the
    one that reaches the limit; None where nothing grows.
    """

    quota: str
    unit: str
    seen: int
    limit: int
    place: str = ""
    step: str = ""
    steps: int = 0
    adds: float | None = None
    at: int | None = None
    machine: str = ""
    about: str = ""

    @property
    def share(self) -> float:
        return self.seen / self.limit

    @property
    def told(self) -> str:
        """In words, without the place."""
        limit = _amount(self.limit, self.unit)
        if self.at is None or self.adds is None:
            seen = seconds(self.seen) if self.unit == "ms" else f"{self.seen:,}"
            return f"{seen} of {limit}{f', {self.about}' if self.about else ''}"
        adds = _amount(round(self.adds, 1), self.unit)
        return f"each {self.step} adds {adds}{self.about}: {limit} at {self.step} {self.at:,}"


def _amount(number: float, unit: str) -> str:
    if unit == "ms":
        return seconds(number)
    shown = f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"
    return f"{shown} {unit[:-1] if number == 1 and unit.endswith('s') else unit}"


@dataclass
class _Entry:
    """A state that was entered: with how many bytes, when; and how many history events it and its lanes made.

    ``lanes`` has the events of each branch or iteration, ``result`` the bytes of what all iterations gave.
    """

    name: str
    type: str
    at: int
    given: int
    events: int = 0
    output: int = 0
    result: int = 0
    lanes: dict[int, int] = field(default_factory=dict)
    length: int = 0
    distributed: bool = False


@dataclass
class _Largest:
    size: int = 0
    state: str = ""
    what: str = ""


class _Reading:
    """The log of one execution, read once."""

    def __init__(self, events: Sequence[ev.Event]) -> None:
        self.paths: dict[int, list[_Entry]] = defaultdict(list)
        self.total = max((event.id for event in events), default=0)
        self.ended = max((event.at for event in events), default=0)
        self.largest = _Largest()
        self.variables = _Largest()
        self._parents: dict[int, tuple[int, _Entry]] = {}  # of a lane's frame: the frame and the state it is in
        for event in events:
            self._read(event)

    def _read(self, event: ev.Event) -> None:
        if isinstance(event, ev.StateEntered):
            self.paths[event.frame].append(_Entry(event.name, event.type, event.at, event.input.size))
            self._measure(event.input, event.frame, "its input")
        if event.id:
            self._count(event.frame)
        path = self.paths[event.frame]
        if isinstance(event, ev.StateExited):
            path[-1].output = event.output.size
            self._measure(event.output, event.frame, "its output")
            if event.assigned is not None and event.assigned.size > self.variables.size:
                self.variables = _Largest(event.assigned.size, event.name, "what its Assign sets")
        elif isinstance(event, ev.TaskScheduled):
            self._measure(event.parameters, event.frame, "what its task is called with")
        elif isinstance(event, ev.TaskSucceeded):
            self._measure(event.output, event.frame, "the result of its task")
        elif isinstance(event, ev.BranchStarted | ev.MapIterationStarted):
            self._parents[event.seq] = (event.frame, path[-1])
            path[-1].lanes[event.seq] = 1 if event.id else 0  # of an iteration, its own beginning
        elif isinstance(event, ev.MapStateStarted):
            path[-1].length, path[-1].distributed = event.length, event.distributed
        elif isinstance(event, ev.ExecutionStarted):
            self.largest = _Largest(event.input.size, "", "the execution's input")
        elif isinstance(event, ev.MapRunSucceeded):
            path[-1].result = event.output.size
        elif isinstance(event, ev.MapIterationSucceeded):
            self._parents[event.frame][1].result += path[-1].output + 1  # and a comma

    def _count(self, frame: int) -> None:
        """A history event, for the states that it happened in."""
        while True:
            path = self.paths[frame]
            if path:
                path[-1].events += 1
            parent = self._parents.get(frame)
            if parent is None:
                return
            parent[1].lanes[frame] += 1
            frame = parent[0]

    def _measure(self, payload: Payload, frame: int, what: str) -> None:
        size = payload.size
        if size > self.largest.size:
            path = self.paths[frame]
            self.largest = _Largest(size, path[-1].name if path else "", what)


def headings(runs: Sequence[Usage], limits: Limits = AWS_LIMITS) -> list[Heading]:
    """What heads for a quota in these executions, the nearest first; a place that several have been in once."""
    found: dict[tuple[str, str, str, str], Heading] = {}
    for run in runs:
        machine = "" if run is runs[0] else run.log.identity.machine_name
        for heading in _of(run, limits):
            key = (machine, heading.quota, heading.place, heading.step)
            known = found.get(key)
            if known is None or _nearness(heading) > _nearness(known):
                found[key] = heading._replace(machine=machine)
    return sorted(found.values(), key=_nearness, reverse=True)


def _nearness(heading: Heading) -> tuple[bool, float]:
    """What grows comes first: sooner before later."""
    return heading.at is not None, -heading.at if heading.at is not None else heading.share


def _of(run: Usage, limits: Limits) -> Iterator[Heading]:
    reading = _Reading(run.log.events)
    places = {state.name: place(state.location) for state in all_states(loads(run.log.definition))}

    def at(state: str) -> str:
        return places.get(state, f"States.{state}") if state else ""

    if limits.history_events is not None:
        yield Heading("history", "events", reading.total, limits.history_events)
    if limits.payload_bytes is not None:
        big = reading.largest
        yield Heading("payload", "bytes", big.size, limits.payload_bytes, at(big.state), about=big.what)
    if limits.variable_bytes is not None and reading.variables.size:
        big = reading.variables
        yield Heading("variables", "bytes", big.size, limits.variable_bytes, at(big.state), about=big.what)
    if limits.definition_bytes is not None:
        yield Heading("definition", "bytes", len(run.log.definition.encode()), limits.definition_bytes)
    if limits.execution_seconds is not None:
        yield Heading(
            "duration", "ms", run.duration, limits.execution_seconds * 1000, about="of a Standard execution"
        )
    if limits.express_seconds is not None:
        yield Heading(
            "Express duration", "ms", run.duration, limits.express_seconds * 1000, about="if it were Express"
        )
    for path in reading.paths.values():
        for entry in path:
            yield from _of_map(entry, at(entry.name), reading.total, limits)
        for begin, end in loops([entry.name for entry in path]):
            yield from _of_loop(path[begin : end + 1], at(path[begin].name), reading.total, limits)


def _of_map(entry: _Entry, where: str, total: int, limits: Limits) -> Iterator[Heading]:
    if entry.type != "Map" or not entry.length:
        return
    if entry.distributed:
        yield Heading("children at once", "children", entry.length, MAX_CHILDREN, where, about="the others wait")
    elif entry.length > MAX_ITERATIONS:
        yield Heading(
            "iterations at once", "iterations", entry.length, MAX_ITERATIONS, where, about="the others wait"
        )
    items = len(entry.lanes)
    if items and limits.history_events is not None:
        within = sum(entry.lanes.values())
        yield from _growing(
            Heading("history", "events", total, limits.history_events, where, "item", items),
            within / items,
            total - within,
        )
    if entry.result and limits.payload_bytes is not None:
        yield from _growing(
            Heading("payload", "bytes", entry.result, limits.payload_bytes, where, "item", entry.length),
            entry.result / entry.length,
            max(0, entry.output - entry.result),
            about=" to its output",
        )


def _of_loop(turns: Sequence[_Entry], where: str, total: int, limits: Limits) -> Iterator[Heading]:
    """``turns`` are from the first entry of the loop's head to its last one."""
    heads = [entry for entry in turns if entry.name == turns[0].name]
    count = len(heads) - 1
    added = sum(entry.events for entry in turns[:-1])
    if limits.history_events is not None:
        yield from _growing(
            Heading("history", "events", total, limits.history_events, where, "turn", count),
            added / count,
            total - added,
        )
    grown = (heads[-1].given - heads[0].given) / count
    if grown > 0 and limits.payload_bytes is not None:
        yield from _growing(
            Heading("payload", "bytes", heads[-1].given, limits.payload_bytes, where, "turn", count),
            grown,
            heads[0].given,
            about=" to its input",
        )
    took = (heads[-1].at - heads[0].at) / count
    if took > 0 and limits.express_seconds is not None:
        limit = limits.express_seconds * 1000
        seen = heads[-1].at - heads[0].at
        yield from _growing(
            Heading("Express duration", "ms", seen, limit, where, "turn", count),
            took,
            0,
            about=" if it were Express",
        )


def _growing(heading: Heading, adds: float, base: float, about: str = "") -> Iterator[Heading]:
    """``base`` is what there is without any step."""
    if adds > 0:
        at = max(1, math.ceil((heading.limit - base) / adds))
        yield heading._replace(adds=adds, at=at, about=about)


def loops(path: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The stretches of a path that go in circles: from the first entry of a state to its last one."""
    last = {name: index for index, name in enumerate(path)}
    index = 0
    while index < len(path):
        end = last[path[index]]
        if end > index:
            yield index, end
        index = end + 1


def place(location: str) -> str:
    """``/States/Each/ItemProcessor/States/Pay`` -> ``States.Each.ItemProcessor.States.Pay``."""
    return location.removeprefix("/").replace("/", ".")
