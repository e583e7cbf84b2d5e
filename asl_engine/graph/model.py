"""What there is to draw of a definition: scopes of nodes and edges.

A scope is the machine, a branch of a Parallel, or the item processor of a Map.  A node's ``location`` and the
places of an edge are those of AWS's diagnostics (``/States/Pay``, ``/States/Pay/Catch[0]``), so that whatever is
known of a place - that it was taken, how often - finds what to mark.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from asl_engine.arn import function_name, integration_name, is_activity, last_part, unlabelled
from asl_engine.graph.conditions import condition_text
from asl_engine.language.tree import all_scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.language.tree import ScopeSource, StateSource

__all__ = [
    "END",
    "START",
    "Edge",
    "EdgeKind",
    "GraphNode",
    "GraphScope",
    "child_graph",
    "graph_of",
    "scopes_within",
]

START: Final = "start"
END: Final = "end"
EdgeKind: TypeAlias = Literal["next", "rule", "default", "catch"]


class Edge(NamedTuple):
    """From one state to another, for whatever leads there: several rules, or several catchers, are one edge.

    ``source`` and ``target`` are locations, or ``START`` and ``END``.  ``labels`` has a text for each of the
    ``places`` that leads this way, none where nothing has to be said.
    """

    source: str
    target: str
    kind: EdgeKind
    labels: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A state, or where the machine starts and ends.  ``detail`` says what it does, "" where its type does."""

    location: str
    name: str
    type: str
    detail: str = ""
    scopes: tuple[GraphScope, ...] = ()
    distributed: bool = False

    @property
    def is_mark(self) -> bool:
        return self.location in {START, END}


@dataclass(frozen=True, slots=True)
class GraphScope:
    """The nodes come in the order of the text; ``title`` is what a box around them is called."""

    location: str
    title: str
    start: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[Edge, ...] = field(default=())


def graph_of(document: Any) -> GraphScope:
    """The whole of a valid definition."""
    return _built(document)[""]


def child_graph(document: Any, machine_name: str, label_of: dict[str, str]) -> GraphScope:
    """What an execution of ``machine_name`` runs: a child of a Map Run only the item processor of its Map.

    ``label_of`` has the label of each distributed Map, by the state's name.
    """
    label = unlabelled(machine_name)[1]
    built = _built(document)
    if label is not None:
        for scope in all_scopes(document):
            if scope.holder is not None and label_of.get(scope.holder.name) == label:
                return _with_marks(scope, built[scope.location])
    return built[""]


def scopes_within(scope: GraphScope) -> Iterator[GraphScope]:
    """The scope, and all within it, each before those within it."""
    waiting = [scope]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed([inner for node in one.nodes for inner in node.scopes])


def _built(document: Any) -> dict[str, GraphScope]:
    """All scopes by location; the inner ones are built first, without recursion, however deep they are."""
    built: dict[str, GraphScope] = {}
    for scope in reversed([*all_scopes(document)]):
        nodes = tuple(_node(state, built) for state in scope.states())
        edges = tuple(edge for state in scope.states() for edge in _edges(state, within=scope.holder is not None))
        start = f"{scope.location}/States/{scope.source['StartAt']}"
        one = GraphScope(scope.location, _title(scope), start, nodes, edges)
        built[scope.location] = one if scope.holder is not None else _with_marks(scope, one)
    return built


def _with_marks(scope: ScopeSource, bare: GraphScope) -> GraphScope:
    """A scope with where it starts and where it ends: no state holds it, so it has no title."""
    marks = (GraphNode(START, "Start", "Start"), *bare.nodes, GraphNode(END, "End", "End"))
    begin = Edge(START, bare.start, "next", (), (bare.location,))
    edges = (begin, *(edge for state in scope.states() for edge in _edges(state, within=False)))
    return GraphScope(bare.location, "", START, marks, edges)


def _title(scope: ScopeSource) -> str:
    if scope.holder is None:
        return ""
    if scope.holder.type == "Map":
        return "each item"
    return f"branch {scope.location.rpartition('[')[2].rstrip(']')}"


def _node(state: StateSource, built: dict[str, GraphScope]) -> GraphNode:
    scopes = tuple(built[scope.location] for scope in state.scopes())
    distributed = any(
        isinstance(config := scope.source.get("ProcessorConfig"), dict) and config.get("Mode") == "DISTRIBUTED"
        for scope in state.scopes()
    )
    return GraphNode(state.location, state.name, state.type, _detail(state, distributed), scopes, distributed)


def _detail(state: StateSource, distributed: bool) -> str:
    parts = [_work(state.source, state.type)]
    if distributed:
        parts.append("distributed")
    retriers = [one for one in state.source.get("Retry", ()) if one.get("MaxAttempts") != 0]
    if retriers:
        parts.append("↻ " + "+".join(str(one.get("MaxAttempts", 3)) for one in retriers))
    return " · ".join(part for part in parts if part)


def _work(source: dict[str, Any], kind: str) -> str:
    """What a state does, where that is known before it runs."""
    if kind == "Task":
        return _called(source)
    if kind == "Wait":
        until = [
            f"{source[name]} s" if name == "Seconds" else str(source[name]) for name in WAITS if name in source
        ]
        return until[0] if until else ""
    if kind == "Fail":
        return str(source.get("Error", ""))
    return ""


WAITS: Final = ("Seconds", "Timestamp", "SecondsPath", "TimestampPath")


def _called(source: dict[str, Any]) -> str:
    resource = source.get("Resource")
    if not isinstance(resource, str):
        return ""
    function = function_name(resource)
    if function is not None:
        return function
    if is_activity(resource):
        return f"activity {last_part(resource)}"
    return integration_name(resource) or resource


def _edges(state: StateSource, *, within: bool) -> Iterator[Edge]:
    """The edges out of a state, the way straight on first.  An end within another state needs none."""
    source, scope = state.source, state.scope.location
    if state.type == "Choice":
        yield from _choices(state)
    elif "Next" in source:
        yield _edge(state, source["Next"], "next", (), ("Next",))
    elif not within:
        place = "/End" if source.get("End") is True else ""
        yield Edge(state.location, END, "next", (), (f"{state.location}{place}",))
    catchers: dict[str, list[int]] = {}
    for index, catcher in enumerate(source.get("Catch", ())):
        catchers.setdefault(catcher["Next"], []).append(index)
    for target, numbers in catchers.items():
        labels = tuple(", ".join(source["Catch"][number]["ErrorEquals"]) for number in numbers)
        places = tuple(f"{state.location}/Catch[{number}]" for number in numbers)
        yield Edge(state.location, f"{scope}/States/{target}", "catch", labels, places)


def _choices(state: StateSource) -> Iterator[Edge]:
    leading: dict[str, list[tuple[str, str]]] = {}  # by target, the label and the field of each way there
    for index, rule in enumerate(state.source["Choices"]):
        leading.setdefault(rule["Next"], []).append((condition_text(rule), f"Choices[{index}]"))
    if "Default" in state.source:
        leading.setdefault(state.source["Default"], []).append(("default", "Default"))
    for target, ways in leading.items():
        kind: EdgeKind = "default" if ways[0][1] == "Default" else "rule"
        yield _edge(state, target, kind, tuple(label for label, _ in ways), tuple(field for _, field in ways))


def _edge(
    state: StateSource, target: str, kind: EdgeKind, labels: tuple[str, ...], fields: tuple[str, ...]
) -> Edge:
    places = tuple(f"{state.location}/{name}" for name in fields)
    return Edge(state.location, f"{state.scope.location}/States/{target}", kind, labels, places)
