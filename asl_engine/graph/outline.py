"""A definition as indented lines: for terminals that are too narrow for its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.graph.model import END, GraphScope
from asl_engine.graph.overlay import SIGNS, TIMES
from asl_engine.graph.pieces import STYLES, Piece, Row
from asl_engine.graph.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.graph.model import Edge, GraphNode
    from asl_engine.graph.overlay import Overlay

__all__ = ["outline"]


def outline(graph: GraphScope, overlay: Overlay | None = None) -> Iterator[Row]:
    """A line for each state, and below it one for each way out of it."""
    names = {node.location: node.name for node in graph.nodes}
    waiting: list[tuple[GraphScope | GraphNode, GraphScope, str]] = [(graph, graph, "")]
    while waiting:
        one, scope, indent = waiting.pop()
        if not isinstance(one, GraphScope):
            yield from _state(one, scope, indent, names, overlay)
            waiting += [(inner, inner, f"{indent}    ") for inner in reversed(one.scopes)]
            continue
        names |= {node.location: node.name for node in one.nodes}
        if one.title:
            count = 0 if overlay is None else overlay.counts.get(one.location, 0)
            yield [Piece(f"{indent}{one.title}{f' {TIMES}{count:,}' if count > 1 else ''}", "dim")]
            indent = f"{indent}  "
        waiting += [(node, one, indent) for node in reversed(one.nodes) if not node.is_mark]


def _state(
    node: GraphNode, scope: GraphScope, indent: str, names: dict[str, str], overlay: Overlay | None
) -> Iterator[Row]:
    row = [
        Piece(indent),
        Piece(visible(node.name), "bold"),
        Piece(f"  {visible(f'{node.type} {node.detail}').strip()}", "dim"),
    ]
    if overlay is not None:
        mark = overlay.mark(node)
        if mark.standing != "not-reached":
            row.append(
                Piece(visible(f"  {SIGNS[mark.standing]} {mark.text or mark.standing}"), STYLES[mark.standing])
            )
    yield row
    for edge in scope.edges:
        if edge.source == node.location:
            yield from _ways(edge, indent, names, overlay)


def _ways(edge: Edge, indent: str, names: dict[str, str], overlay: Overlay | None) -> Iterator[Row]:
    target = "end" if edge.target == END else visible(names[edge.target])
    word = "catch " if edge.kind == "catch" else ""
    count = 0 if overlay is None else overlay.count(edge)
    style = "yellow" if edge.kind == "catch" else ""
    if overlay is not None:
        style = (style or "blue") if count else "dim"
    for label in edge.labels or ("",):
        text = f"{indent}  {word}{visible(label)}{' ' if label else ''}→ {target}"
        yield [Piece(f"{text}{f' {TIMES}{count:,}' if count > 1 else ''}", style)]
