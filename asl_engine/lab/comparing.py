"""Two executions side by side: their paths, their data, their attempts and how long each state took."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.projections.causes import without_requests
from asl_engine.testing.differences import COMPARED, differences
from asl_engine.views.rows import visit_took

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.views.account import Account
    from asl_engine.visits.reading import Attempt, Lane, Visit

__all__ = ["Compared", "compare", "compared_ends", "told_once"]


DATA = frozenset({"input", "output", "variables"})


class Compared(NamedTuple):
    """A state of one execution or of both.

    ``place`` names the branches and iterations around it.  ``one`` and ``other`` are how long it took in each, in
    milliseconds, None where it was not entered.  ``changes`` say what differs where it was entered in both.
    """

    place: tuple[str, ...]
    state: str
    one: int | None
    other: int | None
    changes: list[str]

    @property
    def differs(self) -> bool:
        """Durations differ always, and do not count."""
        return bool(self.changes) or self.one is None or self.other is None


def compare(one: Account, other: Account) -> list[Compared]:
    """All states of both, in the order of their paths."""
    return [*_Comparing(one, other).visits(one.visits, other.visits, ())]


def compared_ends(one: Account, other: Account) -> dict[str, list[str]]:
    """What differs in how they began and how they ended: input, status, output, error, cause."""
    first, second = one.execution, other.execution
    ends: dict[str, tuple[Any, Any]] = {
        "input": (_value(first.input), _value(second.input)),
        "status": (first.status, second.status),
        "output": (_value(first.output), _value(second.output)),
        "error": (first.error, second.error),
        "cause": (first.cause, second.cause),
    }
    return {name: found for name, (before, now) in ends.items() if (found := _differences(before, now))}


def told_once(states: Sequence[Compared]) -> list[Compared]:
    """The states with each difference of their data told where it is first found, and named where it goes on."""
    known: set[str] = set()
    return [state._replace(changes=[*_news(state.changes, known)]) for state in states]


def _news(changes: Sequence[str], known: set[str]) -> Iterator[str]:
    again: dict[str, list[str]] = {}
    for change in changes:
        kind, _, difference = change.partition(" ")
        if kind in DATA and difference in known:
            again.setdefault(kind, []).append(difference.partition(": ")[0])
        else:
            yield change
            known.update([difference] if kind in DATA else [])
    if again:
        told = "; ".join(f"{kind} {', '.join(places)}" for kind, places in again.items())
        yield f"as before: {told}"


def _value(payload: Any) -> Any:
    return None if payload is None else payload.value


def _differences(before: Any, now: Any) -> list[str]:
    return differences(without_requests(before), without_requests(now), COMPARED)


class _Comparing:
    def __init__(self, one: Account, other: Account) -> None:
        self._one = one
        self._other = other

    def visits(self, before: Sequence[Visit], now: Sequence[Visit], place: tuple[str, ...]) -> Iterator[Compared]:
        """The states of one path, matched by their names."""
        names = [visit.name for visit in before], [visit.name for visit in now]
        for kind, begin, end, start, stop in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
            if kind == "equal":
                for one, other in zip(before[begin:end], now[start:stop], strict=True):
                    yield self._both(one, other, place)
                    yield from self._lanes(one, other, place)
            else:
                for visit in before[begin:end]:
                    yield Compared(place, visit.name, visit_took(visit, self._one), None, [])
                for visit in now[start:stop]:
                    yield Compared(place, visit.name, None, visit_took(visit, self._other), [])

    def _both(self, one: Visit, other: Visit, place: tuple[str, ...]) -> Compared:
        took = visit_took(one, self._one), visit_took(other, self._other)
        return Compared(place, one.name, *took, changes_of(one, other))

    def _lanes(self, one: Visit, other: Visit, place: tuple[str, ...]) -> Iterator[Compared]:
        """The branches and iterations of the last attempt of each."""
        before, now = last_lanes(one), last_lanes(other)
        for key in dict.fromkeys((*before, *now)):
            inside = (*place, f"{one.name} {key[0]} {key[1]}")
            yield from self.visits(visits_in(before.get(key)), visits_in(now.get(key)), inside)


def last_lanes(visit: Visit) -> dict[tuple[str, int], Lane]:
    return {(lane.kind, lane.number): lane for lane in visit.lanes}


def visits_in(lane: Lane | None) -> list[Visit]:
    return [] if lane is None else lane.visits


def changes_of(one: Visit, other: Visit) -> list[str]:
    """What differs in a state that both have entered."""
    changes = [f"input {line}" for line in _differences(one.input, other.input)]
    before, now = _attempts(one), _attempts(other)
    if before != now:
        changes.append(f"attempts: {before} > {now}")
    if one.exited and other.exited:
        changes += [f"output {line}" for line in _differences(one.output, other.output)]
        if one.next != other.next:
            changes.append(f"goes on to: {one.next or 'the end'} > {other.next or 'the end'}")
    elif one.exited != other.exited:
        changes.append(f"exited: {_yes(exited=one.exited)} > {_yes(exited=other.exited)}")
    if one.variables != other.variables:
        changes += [f"variables {line}" for line in _differences(one.variables, other.variables)]
    return changes


def _yes(*, exited: bool) -> str:
    return "yes" if exited else "no"


def _attempts(visit: Visit) -> str:
    """``PaymentError, PaymentError, succeeded``; "" where the state does no work that could fail."""
    return ", ".join(_became(visit, attempt) for attempt in visit.attempts)


def _became(visit: Visit, attempt: Attempt) -> str:
    """How an attempt ended.  One that has not failed, and is not the last, was aborted before a redrive."""
    if attempt.failed:
        return attempt.error or "failed"
    if visit.aborted or attempt is not visit.attempts[-1]:
        return "aborted"
    return "succeeded" if visit.exited else "under way"
