"""The outline of an execution as a tree: one line for each state, branch and iteration, and its rails.

Whoever draws the tree says what a line tells, and which branches and iterations are worth a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.graph.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asl_engine.visits.reading import Lane, Visit

__all__ = ["Folded", "OutlineLine", "lane_title", "named_rest", "outline"]


class Folded(NamedTuple):
    """The lanes of a state that are shown, and those that are counted."""

    shown: list[Lane]
    left: list[Lane]


class OutlineLine(NamedTuple):
    """A line: of a state, of a lane, or of the lanes that are only counted, which ``rest`` tells of.

    ``rails`` are drawn before it, ``inner`` before what else is told of its state.
    """

    rails: str
    inner: str
    visit: Visit | None = None
    lane: Lane | None = None
    rest: str = ""


def outline(visits: list[Visit], fold: Callable[[list[Lane]], Folded], indent: str = "") -> Iterator[OutlineLine]:
    """The lines of a path.  ``fold`` says which lanes of a state are shown."""
    for index, visit in enumerate(visits):
        is_last = index == len(visits) - 1
        inner = f"{indent}{'   ' if is_last else '│  '}"
        yield OutlineLine(f"{indent}{'└─' if is_last else '├─'} ", inner, visit=visit)
        shown, left = fold(visit.lanes)
        for lane in shown:
            yield OutlineLine(inner, inner, lane=lane)
            yield from outline(lane.visits, fold, inner)
        rest = named_rest(left, visit.unread)
        if rest:
            yield OutlineLine(inner, inner, rest=f"… {rest}")


def lane_title(lane: Lane) -> str:
    """``iteration 3``, ``branch 0, attempt 2``, ``child 1b2c3d4e``."""
    name = lane.name[:8] if lane.name else str(lane.number)
    again = f", attempt {lane.attempt + 1}" if lane.attempt > 0 else ""
    return f"{lane.kind} {visible(name)}{again}"


def named_rest(lanes: Iterable[Lane], unread: dict[str, int]) -> str:
    """``and 994 more: 990 succeeded, 4 failed``; "" where there are none."""
    counts = dict(unread)
    for lane in lanes:
        counts[lane.status] = counts.get(lane.status, 0) + 1
    total = sum(counts.values())
    if not total:
        return ""
    told = ", ".join(f"{count:,} {status.lower().replace('_', ' ')}" for status, count in sorted(counts.items()))
    return f"and {total:,} more: {told}"
