"""The path that an execution took, drawn as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.testing.durations import in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from asl_engine.testing.visits import Attempt, Lane, Visit

__all__ = ["draw", "path_of"]

MAX_LANES = 10  # of one state, beside those that have something to show


def path_of(visits: list[Visit]) -> list[str]:
    """The names of the states, in order."""
    return [visit.name for visit in visits]


def draw(title: str, visits: list[Visit], marked: Collection[Visit] = ()) -> str:
    """Lines of text; the states ``marked`` are those that differ."""
    return "\n".join([title, *_states(visits, "", marked)])


def _states(visits: list[Visit], indent: str, marked: Collection[Visit]) -> Iterator[str]:
    for visit in visits:
        last = visit is visits[-1]
        sign = "   <-- here" if visit in marked else ""
        yield f"{indent}{'└─' if last else '├─'} {visit.name}{_told(visit)}{sign}"
        yield from _lanes(visit, f"{indent}{'   ' if last else '│  '}", marked)


def _lanes(visit: Visit, indent: str, marked: Collection[Visit]) -> Iterator[str]:
    shown, left = 0, 0
    for lane in visit.lanes:
        if shown >= MAX_LANES and not _tells(lane, marked):
            left += 1
            continue
        shown += 1
        again = f" of attempt {lane.attempt + 1}" if lane.attempt else ""
        yield f"{indent}{lane.kind} {lane.number}{again}"
        yield from _states(lane.visits, indent, marked)
    if left:
        yield f"{indent}... and {left} more"


def _tells(lane: Lane, marked: Collection[Visit]) -> bool:
    """Whether something in it failed or is marked."""
    return any(
        visit in marked
        or any(attempt.failed for attempt in visit.attempts)
        or any(_tells(inner, marked) for inner in visit.lanes)
        for visit in lane.visits
    )


def _told(visit: Visit) -> str:
    parts = []
    if len(visit.attempts) > 1:
        delays = ", ".join(in_words(attempt.delay) for attempt in visit.attempts[1:])
        parts.append(f"{len(visit.attempts)} attempts, after {delays}")
    failures = [attempt for attempt in visit.attempts if attempt.failed]
    if failures:
        parts.append(_errors(failures))
    if visit.caught is not None:
        parts.append(f"caught, goes on to {visit.next}")
    elif visit.aborted and not (failures and failures[-1] is visit.attempts[-1]):
        parts.append("aborted")
    elif not visit.exited and not failures:
        parts.append("not left")
    return f": {'; '.join(parts)}" if parts else ""


def _errors(failures: list[Attempt]) -> str:
    names = [str(attempt.error) for attempt in failures]
    counted = [f"{name} x {names.count(name)}" if names.count(name) > 1 else name for name in dict.fromkeys(names)]
    return ", ".join(counted)
