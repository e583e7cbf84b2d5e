"""All that there is to show of an execution: its log as visits of states, and some of its Map Runs' children."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.core import events as ev
from asl_engine.core.apply import fold
from asl_engine.visits.reading import Lane, all_visits, read_visits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.execution import Execution
    from asl_engine.graph.overlay import Standing
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record
    from asl_engine.visits.reading import Visit

__all__ = [
    "FEW_CHILDREN",
    "MANY_CHILDREN",
    "Account",
    "Log",
    "Standstill",
    "account_of",
    "read_account",
    "standing",
]

FEW_CHILDREN: Final = 12  # of a Map Run, where each one is shown
MANY_CHILDREN: Final = 1000  # where they are counted together
UNSUCCESSFUL: Final = ("FAILED", "TIMED_OUT", "ABORTED")
ENDINGS = (ev.ExecutionFailed, ev.ExecutionTimedOut, ev.ExecutionAborted)


class Log(NamedTuple):
    """An execution's record, and its events."""

    record: Record
    events: list[ev.Event]


class Standstill(NamedTuple):
    """While it had ended without success, and nobody had redriven it yet; or before it was forked.

    ``origin`` is the ARN of the execution that it is a fork of, "" for a redrive.
    """

    begin: int
    end: int
    origin: str = ""


@dataclass(eq=False)
class Account:
    """``until`` is when it ended, or now; ``logs`` are those of its children that were read, its own before them.

    Moments are in milliseconds since the epoch.
    """

    execution: Execution
    definition: str
    visits: list[Visit]
    logs: list[Log]
    pauses: list[Standstill]
    until: int

    @property
    def began(self) -> int:
        return self.execution.identity.started_at

    @property
    def is_over(self) -> bool:
        return self.execution.status != "RUNNING"

    @property
    def took(self) -> int:
        return self.between(self.began, None)

    @property
    def path_began(self) -> int:
        """When the first of its states can have been entered: of a fork, when its origin began."""
        events = self.logs[0].events
        return events[0].at if events else self.began

    @property
    def path_took(self) -> int:
        """How long all its states took together, those that a fork shares with its origin too."""
        return self.between(self.path_began, None)

    @property
    def redrives(self) -> int:
        return sum(not pause.origin for pause in self.pauses)

    @property
    def fork(self) -> Standstill | None:
        """The time between what it shares with its origin and what is its own, None where it is no fork."""
        return next((pause for pause in reversed(self.pauses) if pause.origin), None)

    def between(self, begin: int, end: int | None) -> int:
        """Milliseconds, up to now where there is no end yet; without the pauses in between."""
        over = self.until if end is None else end
        idle = sum(max(0, min(pause.end, over) - max(pause.begin, begin)) for pause in self.pauses)
        return max(0, over - begin - idle)


async def read_account(
    store: Store,
    record: Record,
    now: int,
    children: int = FEW_CHILDREN,
    events: list[ev.Event] | None = None,
) -> Account:
    """Read an execution, and at most so many children of each of its Map Runs: those that failed come first.

    ``events`` are its own, where they are known.
    """
    logs: list[Log] = []
    visits = await _visits(store, record, children, logs, events)
    definition = await store.definition(record.definition)
    return _account(logs, definition, visits, now)


def account_of(record: Record, definition: str, events: list[ev.Event], now: int) -> Account:
    """The account of the beginning of a log, or of all of it; the children of its Map Runs are left out."""
    return _account([Log(record, events)], definition, read_visits(events, {}), now)


def _account(logs: list[Log], definition: str, visits: list[Visit], now: int) -> Account:
    record, events = logs[0]
    execution = fold(record.identity, events)
    ended = execution.stopped_at if execution.status != "RUNNING" else None
    until = max(now, execution.at) if ended is None else ended
    return Account(execution, definition, visits, logs, _pauses(events), until)


async def _visits(
    store: Store, record: Record, children: int, logs: list[Log], own: list[ev.Event] | None = None
) -> list[Visit]:
    events = await store.events(record.identity.arn) if own is None else own
    logs.append(Log(record, events))
    inner: dict[int, list[Lane]] = {}
    unread: dict[str, dict[str, int]] = {}
    for event in events:
        if isinstance(event, ev.MapRunStarted):
            inner[event.seq] = await _children(store, event.arn, children, logs)
            unread[event.arn] = await _left(store, event.arn, inner[event.seq])
    visits = read_visits(events, inner)
    for visit in all_visits(visits) if unread else ():
        if visit.map_run in unread:
            visit.unread = unread[visit.map_run]
    return visits


async def _children(store: Store, arn: str, most: int, logs: list[Log]) -> list[Lane]:
    """The children that are shown, the oldest first."""
    chosen: dict[str, Record] = {}
    for status in UNSUCCESSFUL:
        if len(chosen) < most:
            page = await store.map_runs.child_page(arn, status, None, most - len(chosen))
            chosen |= {one.identity.arn: one for one, _, _ in page}
    for child in await store.map_runs.children(arn, -1, most) if len(chosen) < most else ():
        record = None if child.arn in chosen or len(chosen) >= most else await store.record(child.arn)
        if record is not None:
            chosen[child.arn] = record
    lanes = []
    for number, record in enumerate(sorted(chosen.values(), key=lambda one: one.identity.started_at)):
        who = record.identity
        lane = Lane("child", number, 0, [], who.started_at, record.stopped_at, record.status, who.name)
        at = len(logs)
        lane.visits = await _visits(store, record, most, logs)
        last = logs[at].events[-1] if logs[at].events else None
        if isinstance(last, ENDINGS):
            lane.error, lane.cause = last.error, last.cause
        lanes.append(lane)
    return lanes


async def _left(store: Store, arn: str, lanes: Sequence[Lane]) -> dict[str, int]:
    """How many children are not among the lanes, by status."""
    counts = {status: children for status, (children, _) in (await store.map_runs.sums(arn)).items()}
    for lane in lanes:
        counts[lane.status] = counts.get(lane.status, 0) - 1
    return {status: count for status, count in counts.items() if count > 0}


def _pauses(events: Sequence[ev.Event]) -> list[Standstill]:
    found: list[Standstill] = []
    stopped: int | None = None
    for before, event in pairwise(events):
        if isinstance(before, ENDINGS):
            stopped = before.at
        if isinstance(event, ev.ExecutionForked):
            found.append(Standstill(before.at, event.at, event.origin))
            stopped = None
        elif isinstance(event, ev.ExecutionRedriven) and stopped is not None:
            found.append(Standstill(stopped, event.at))
    return found


def standing(visit: Visit, *, is_over: bool) -> Standing:
    """How a state fares; ``is_over``: what it is in has ended."""
    if visit.exited:
        return "succeeded" if visit.caught is None else "caught"
    if visit.failure is not None:  # what fails a branch is given up with it
        return "failed"
    return "aborted" if is_over or visit.aborted else "running"
