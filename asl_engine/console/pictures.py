"""What there is in a picture of a state machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.graph.model import scopes_within

if TYPE_CHECKING:
    from asl_engine.graph.model import GraphScope

__all__ = ["states_of"]


def states_of(graph: GraphScope) -> list[dict[str, str]]:
    """The states, those of inner scopes too."""
    return [
        {"name": node.name, "type": node.type, "place": node.location}
        for scope in scopes_within(graph)
        for node in scope.nodes
        if not node.is_mark
    ]
