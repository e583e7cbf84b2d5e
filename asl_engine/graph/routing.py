"""The lines between two layers: down from one vertex, along a track, down to the other.

What leaves a state by one port is one net, and shares a track; so do nets that lead to one place only.  A net
whose line comes down from a place goes above a net whose line leads down to the same place, so that two lines
never lie on each other.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asl_engine.graph.layers import Chain, Layered

__all__ = ["Ports", "Tracks", "find_ports", "find_tracks"]


class Ports(NamedTuple):
    """Where the chains leave their upper vertices and come to their lower ones, by chain and step."""

    upper: dict[tuple[int, int], int]
    lower: dict[tuple[int, int], int]


class Tracks(NamedTuple):
    """The track of each net in a gap, from the top, by the vertex and port it comes from; ``rows`` is how many."""

    level: dict[tuple[int, int], int]
    rows: int


def find_ports(graph: Layered, middle: list[int], widths: list[int], offset: int, tolerance: int) -> Ports:
    """Ports are in the middle of a vertex; catchers and loops have theirs beside it.

    ``widths`` are those of the boxes themselves: beside a state there may be room for an edge to itself.
    """
    found = Ports({}, {})
    leaving: dict[tuple[int, str], list[tuple[int, int]]] = {}
    coming: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for index, chain in enumerate(graph.chains):
        for step, (above, below) in enumerate(pairwise(chain.vertices)):
            found.upper[index, step], found.lower[index, step] = middle[above], middle[below]
        leaving.setdefault((chain.vertices[0], _side(chain, below=True)), []).append((index, 0))
        last = len(chain.vertices) - 2
        coming.setdefault((chain.vertices[-1], _side(chain, below=False)), []).append((index, last))
    for (vertex, kind), steps in coming.items():
        if kind == "back":
            border = _Border(middle[vertex], widths[vertex] // 2)
            if (vertex, "next") in coming:
                border.taken.append(border.middle)
            at = border.beside([middle[graph.chains[index].vertices[step]] for index, step in steps], offset)
            found.lower.update(dict.fromkeys(steps, at))
    borders: dict[int, _Border] = {}
    for kind in ("next", "catch", "back"):  # who comes first has the middle
        for (vertex, side), steps in leaving.items():
            if side == kind:
                border = borders.setdefault(vertex, _Border(middle[vertex], widths[vertex] // 2))
                ends = [found.lower[step] for step in steps]
                at = border.ahead(ends, tolerance) if kind == "next" else border.beside(ends, offset)
                border.taken.append(at)
                found.upper.update(dict.fromkeys(steps, at))
    _untangle(leaving, found)
    return found


def _untangle(leaving: dict[tuple[int, str], list[tuple[int, int]]], found: Ports) -> None:
    """Exchange the ports of catchers and loops where each one's line would lead down below the other's."""
    for (vertex, side), steps in leaving.items():
        others = leaving.get((vertex, "catch"), []) if side == "back" else []
        if others:
            one, other = found.upper[steps[0]], found.upper[others[0]]
            ends, other_ends = ({found.lower[step] for step in all_} for all_ in (steps, others))
            if one in other_ends and other in ends:
                found.upper.update(dict.fromkeys(steps, other) | dict.fromkeys(others, one))


def _side(chain: Chain, *, below: bool) -> str:
    if chain.is_back:
        return "back"
    return "catch" if below and chain.edge.kind == "catch" else "next"


class _Border:
    """The upper or lower side of a vertex, and the ports on it so far."""

    def __init__(self, middle: int, half: int) -> None:
        self.middle = middle
        self.half = half
        self.taken: list[int] = []

    def ahead(self, ends: list[int], tolerance: int) -> int:
        """In the middle, or right above the only end where that is near enough for a straight line."""
        near = abs(ends[0] - self.middle) <= min(tolerance, 2 * self.half // 3)
        return ends[0] if near and len(set(ends)) == 1 else self.middle

    def beside(self, ends: list[int], offset: int) -> int:
        """Right above or below the only end where there is room, else on the side where the ends are."""
        if not self.taken:
            return self.middle
        apart = max(1, min(offset, self.half - 2))
        room = max(2, apart // 2)
        side = apart if sum(ends) >= self.middle * len(ends) else -apart
        places = [self.middle + side, self.middle - side, self.middle, self.middle + side // 2]
        if len(set(ends)) == 1 and abs(ends[0] - self.middle) <= self.half - max(1, apart // 2):
            places.insert(0, ends[0])
        free = (one for one in places if all(abs(one - other) >= room for other in self.taken))
        return next(free, places[0])


class _Net(NamedTuple):
    """Lines that share a track: ``starts`` are the ports they come from, ``ends`` where they lead."""

    number: int
    starts: set[int]
    ends: set[int]

    @property
    def left(self) -> int:
        return min(*self.starts, *self.ends)

    @property
    def right(self) -> int:
        return max(*self.starts, *self.ends)


def find_tracks(graph: Layered, ports: Ports, clearance: int) -> list[Tracks]:
    """For each gap between two layers, the track of what leaves a vertex by a port."""
    gaps: list[dict[tuple[int, int], set[int]]] = [{} for _ in graph.layers]
    catching: set[tuple[int, int]] = set()
    for index, chain in enumerate(graph.chains):
        for step, vertex in enumerate(chain.vertices[:-1]):
            port = (vertex, ports.upper[index, step])
            gaps[graph.layer[vertex]].setdefault(port, set()).add(ports.lower[index, step])
            if chain.edge.kind == "catch":
                catching.add(port)
    return [_tracks(gap, catching, clearance) for gap in gaps]


def _tracks(ends: dict[tuple[int, int], set[int]], catching: set[tuple[int, int]], clearance: int) -> Tracks:
    nets: list[_Net] = []
    net_of: dict[tuple[int, int], int] = {}
    meeting: dict[tuple[int, bool], int] = {}  # the nets that lead to one place only
    for port, found in ends.items():
        if found == {port[1]}:
            continue
        number = len(nets)
        if len(found) == 1:
            number = meeting.setdefault((min(found), port in catching), number)
        if number == len(nets):
            nets.append(_Net(number, set(), set(found)))
        nets[number].starts.add(port[1])
        net_of[port] = number
    above = _constraints(nets, clearance)
    level: dict[int, int] = {}
    rows: list[list[_Net]] = []
    for net in _sorted(nets, above):
        lowest = max((level[other] + 1 for other in above[net.number] if other in level), default=0)
        while lowest < len(rows) and any(
            net.left <= one.right + clearance and one.left <= net.right + clearance for one in rows[lowest]
        ):
            lowest += 1
        if lowest >= len(rows):
            rows += [[] for _ in range(lowest + 1 - len(rows))]
        rows[lowest].append(net)
        level[net.number] = lowest
    return Tracks({port: level[number] for port, number in net_of.items()}, len(rows))


def _constraints(nets: list[_Net], clearance: int) -> list[set[int]]:
    """The nets that go above each net, as their lines come down where this one's leads down."""
    starts = sorted((start, net.number) for net in nets for start in net.starts)
    found: list[set[int]] = [set() for _ in nets]
    first = 0
    for end, number in sorted((end, net.number) for net in nets for end in net.ends):
        while first < len(starts) and starts[first][0] < end - clearance:
            first += 1
        for start, other in starts[first:]:
            if start > end + clearance:
                break
            if other != number:
                found[number].add(other)
    return found


def _sorted(nets: list[_Net], above: list[set[int]]) -> list[_Net]:
    """From the top: as the constraints say, and of those that are free, as fewest lines cross.

    Of the nets that lead to the right the rightmost goes first, of those to the left the leftmost.
    """

    def wish(net: _Net) -> tuple[bool, int, int]:
        is_left = min(net.starts) + max(net.starts) > min(net.ends) + max(net.ends)
        return is_left, min(net.starts) if is_left else -max(net.starts), net.number

    waiting = sorted(nets, key=wish)
    done: list[_Net] = []
    numbers: set[int] = set()
    while waiting:
        # Where the constraints go round in a circle, the first one gives way.
        free = [net for net in waiting if above[net.number] <= numbers] or waiting[:1]
        done += free
        numbers.update(net.number for net in free)
        waiting = [net for net in waiting if net.number not in numbers]
    return done
