"""What is known of the states and edges of a picture: how a state fared, how often an edge was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.graph.model import Edge, GraphNode

__all__ = ["SIGNS", "TIMES", "Mark", "Overlay", "Standing"]

Standing: TypeAlias = Literal["succeeded", "failed", "caught", "running", "aborted", "not-reached"]
TIMES: Final = "\N{MULTIPLICATION SIGN}"
# For those who do not see the colours.
SIGNS: Final[dict[Standing, str]] = {
    "succeeded": "✓",
    "failed": "✗",
    "caught": "!",
    "running": "…",
    "aborted": "■",
    "not-reached": "",
}


class Mark(NamedTuple):
    """How a state fared; ``text`` says it in a few words: ``4 attempts · 14.0 s``."""

    standing: Standing
    text: str = ""


class Overlay(NamedTuple):
    """``marks`` are by location; what lacks one was not reached.  ``counts`` say how often a place was taken.

    ``name`` says what it is an overlay of, ``shows_zero`` whether it is told that an edge was never taken.
    ``uncounted`` executions are not in the counts, as only their beginning and their end were kept.
    """

    name: str
    marks: Mapping[str, Mark]
    counts: Mapping[str, int]
    shows_zero: bool = False
    uncounted: int = 0

    def mark(self, node: GraphNode) -> Mark:
        return self.marks.get(node.location, Mark("not-reached"))

    def count(self, edge: Edge) -> int:
        return sum(self.counts.get(place, 0) for place in edge.places)
