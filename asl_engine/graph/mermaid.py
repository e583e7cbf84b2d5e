"""A definition in Mermaid's language, which Markdown on GitHub and GitLab draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.graph.model import GraphScope, scopes_within
from asl_engine.graph.overlay import TIMES
from asl_engine.graph.text import cut, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.graph.model import Edge, GraphNode
    from asl_engine.graph.overlay import Overlay

__all__ = ["mermaid"]

MAX_LABEL: Final = 80
# What Mermaid, or the HTML that it makes, would take for its own.
SPECIAL: Final = frozenset('"#<>&;`[](){}|\\*_~')
CLASSES: Final = {
    "succeeded": "stroke:#15803d,stroke-width:2px",
    "failed": "stroke:#b42318,stroke-width:2px",
    "caught": "stroke:#b45309,stroke-width:2px",
    "running": "stroke:#1d4ed8,stroke-width:2px",
    "aborted": "stroke:#475569,stroke-width:2px",
    "not-reached": "stroke-dasharray:4 3",
}


def mermaid(graph: GraphScope, overlay: Overlay | None = None) -> str:
    """A flowchart.  States are numbered, so that no name can be mistaken for syntax."""
    numbers = {node.location: "start" if node.type == "Start" else "stop" for node in graph.nodes if node.is_mark}
    for scope in scopes_within(graph):
        for node in scope.nodes:
            numbers.setdefault(node.location, f"s{len(numbers)}")
    lines = ["flowchart TD", *_scope(graph, numbers)]
    for scope in scopes_within(graph):
        lines += [f"  {_edge(edge, numbers, overlay)}" for edge in scope.edges]
    if overlay is not None:
        lines += _classes(graph, numbers, overlay)
    return "\n".join(lines) + "\n"


def _scope(graph: GraphScope, numbers: dict[str, str]) -> Iterator[str]:
    """The states of a scope, those that hold others with what they hold; without recursion."""
    waiting: list[tuple[str, GraphNode | GraphScope | None]] = [("  ", node) for node in reversed(graph.nodes)]
    while waiting:
        indent, one = waiting.pop()
        if one is None:
            yield f"{indent}end"
        elif isinstance(one, GraphScope):
            waiting += [(indent, None), *((f"{indent}  ", node) for node in reversed(one.nodes))]
            yield f'{indent}subgraph {numbers[one.start]}_in["{_text(one.title)}"]'
        elif one.scopes:
            waiting += [(indent, None), *((f"{indent}  ", inner) for inner in reversed(one.scopes))]
            yield f'{indent}subgraph {numbers[one.location]}["{_state_text(one)}"]'
        else:
            yield f"{indent}{numbers[one.location]}{_shaped(one)}"


def _shaped(node: GraphNode) -> str:
    if node.is_mark:
        return '((" "))' if node.type == "Start" else '(((" ")))'
    text = _state_text(node)
    if node.type == "Choice":
        return f'{{"{text}"}}'
    return f'(["{text}"])' if node.type in {"Wait", "Succeed", "Fail"} else f'["{text}"]'


def _state_text(node: GraphNode) -> str:
    return f"{_text(node.name)}<br/>{_text(' · '.join(part for part in (node.type, node.detail) if part))}"


def _edge(edge: Edge, numbers: dict[str, str], overlay: Overlay | None) -> str:
    count = 0 if overlay is None else overlay.count(edge)
    labels = [_text(cut(label, MAX_LABEL)) for label in edge.labels]
    if count > 1:
        labels.append(f"{TIMES} {count}")
    line = "==>" if count else "-.->" if edge.kind == "catch" else "-->"
    label = f'|"{"<br/>".join(labels)}"|' if labels else ""
    return f"{numbers[edge.source]} {line}{label} {numbers[edge.target]}"


def _classes(graph: GraphScope, numbers: dict[str, str], overlay: Overlay) -> Iterator[str]:
    used: dict[str, list[str]] = {}
    for scope in scopes_within(graph):
        for node in scope.nodes:
            if not node.is_mark:
                used.setdefault(overlay.mark(node).standing, []).append(numbers[node.location])
    for standing, members in used.items():
        yield f"  classDef {standing} {CLASSES[standing]}"
        yield f"  class {','.join(members)} {standing}"


def _text(text: str) -> str:
    return "".join(f"#{ord(character)};" if character in SPECIAL else character for character in visible(text))
