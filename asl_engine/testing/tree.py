"""The path that an execution took, drawn as a tree."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asl_engine.engine.durations import in_words
from asl_engine.visits.outline import Folded, lane_title, outline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from asl_engine.visits.reading import Attempt, Lane, Visit

__all__ = ["draw", "path_of"]

MAX_LANES = 10  # of one state, beside those that have something to show


def path_of(visits: list[Visit]) -> list[str]:
    """The names of the states, in order."""
    return [visit.name for visit in visits]


def draw(title: str, visits: list[Visit], marked: Collection[Visit] = ()) -> str:
    """Lines of text; the states ``marked`` are those that differ."""
    return "\n".join([title, *_lines(visits, marked)])


def _lines(visits: list[Visit], marked: Collection[Visit]) -> Iterator[str]:
    for line in outline(visits, partial(_folded, marked=marked)):
        if line.visit is not None:
            sign = "   <-- here" if line.visit in marked else ""
            yield f"{line.rails}{line.visit.name}{_told(line.visit)}{sign}"
        else:
            yield f"{line.rails}{line.rest if line.lane is None else lane_title(line.lane)}"


def _folded(lanes: list[Lane], marked: Collection[Visit]) -> Folded:
    """The first few are shown, and those in which something failed or is marked."""
    shown: list[Lane] = []
    left: list[Lane] = []
    for lane in lanes:
        (shown if len(shown) < MAX_LANES or _tells(lane, marked) else left).append(lane)
    return Folded(shown, left)


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
        delays = ", ".join(
            "a redrive" if attempt.redriven else in_words(attempt.delay) for attempt in visit.attempts[1:]
        )
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
