"""A definition in DOT, the language of Graphviz and of many who read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.graph.model import GraphScope, scopes_within
from asl_engine.graph.overlay import TIMES
from asl_engine.graph.text import cut, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.graph.model import Edge, GraphNode
    from asl_engine.graph.overlay import Overlay

__all__ = ["dot"]

MAX_LABEL: Final = 80
COLOURS: Final = {
    "succeeded": "#15803d",
    "failed": "#b42318",
    "caught": "#b45309",
    "running": "#1d4ed8",
    "aborted": "#475569",
    "not-reached": "#b6c0cd",
}


def dot(graph: GraphScope, title: str, overlay: Overlay | None = None) -> str:
    """A digraph; a state that holds others is a cluster, and edges to it end at its border."""
    numbers: dict[str, str] = {}
    inside: dict[str, str] = {}  # of a state that holds others, a state within it, where its edges are tied
    for scope in scopes_within(graph):
        for node in scope.nodes:
            numbers[node.location] = f"s{len(numbers)}"
    for scope in reversed([*scopes_within(graph)]):
        for node in scope.nodes:
            if node.scopes:
                first = node.scopes[0].start
                inside[node.location] = inside.get(first, first)
    lines = [f"digraph {_quoted(title)} {{", "  compound=true;", "  node [shape=box, style=rounded];"]
    lines += _nodes(graph, numbers, overlay)
    for scope in scopes_within(graph):
        lines += [f"  {_edge(edge, numbers, inside, overlay)}" for edge in scope.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _nodes(graph: GraphScope, numbers: dict[str, str], overlay: Overlay | None) -> Iterator[str]:
    waiting: list[tuple[str, GraphNode | GraphScope | None]] = [("  ", node) for node in reversed(graph.nodes)]
    while waiting:
        indent, one = waiting.pop()
        if one is None:
            yield f"{indent}}}"
        elif isinstance(one, GraphScope):
            waiting += [(indent, None), *((f"{indent}  ", node) for node in reversed(one.nodes))]
            yield f"{indent}subgraph cluster_{numbers[one.start]}_in {{ label={_quoted(one.title)}; style=dashed;"
        elif one.scopes:
            waiting += [(indent, None), *((f"{indent}  ", inner) for inner in reversed(one.scopes))]
            colour = _colour(one, overlay)
            yield (
                f"{indent}subgraph cluster_{numbers[one.location]} {{ label={_quoted(_label(one))}; "
                f"style=rounded;{f' color={colour};' if colour else ''}"
            )
        else:
            yield f"{indent}{numbers[one.location]} [{_attributes(one, overlay)}];"


def _attributes(node: GraphNode, overlay: Overlay | None) -> str:
    if node.is_mark:
        return (
            'shape=circle, style=filled, fillcolor=black, label="", width=0.2'
            if node.type == "Start"
            else ('shape=doublecircle, style=filled, fillcolor=black, label="", width=0.15')
        )
    shape = ", shape=hexagon" if node.type == "Choice" else ""
    colour = _colour(node, overlay)
    return f"label={_quoted(_label(node))}{shape}{f', color={colour}' if colour else ''}"


def _label(node: GraphNode) -> str:
    return f"{visible(node.name)}\n{visible(' · '.join(part for part in (node.type, node.detail) if part))}"


def _colour(node: GraphNode, overlay: Overlay | None) -> str:
    return "" if overlay is None else f'"{COLOURS[overlay.mark(node).standing]}"'


def _edge(edge: Edge, numbers: dict[str, str], inside: dict[str, str], overlay: Overlay | None) -> str:
    labels = [cut(visible(label), MAX_LABEL) for label in edge.labels]
    count = 0 if overlay is None else overlay.count(edge)
    if count > 1:
        labels.append(f"{TIMES} {count}")
    given = [f"label={_quoted(chr(10).join(labels))}"] if labels else []
    given += ["style=dashed"] if edge.kind == "catch" else []
    given += ["penwidth=2"] if count else []
    ends = []
    for place, border in ((edge.source, "ltail"), (edge.target, "lhead")):
        ends.append(numbers[inside.get(place, place)])
        given += [f"{border}=cluster_{numbers[place]}"] if place in inside else []
    attributes = f" [{', '.join(given)}]" if given else ""
    return f"{ends[0]} -> {ends[1]}{attributes};"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
