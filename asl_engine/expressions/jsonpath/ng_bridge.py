"""What jsonpath-ng parses: the steps that its dialect and Jayway JsonPath's have in common.

Its evaluator is not used: over a thousand items it takes some thirty times as long, and it differs from
Jayway JsonPath, hence from AWS, in what a filter on an object selects and in what equals what.

Only this module knows the classes of jsonpath-ng.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jsonpath_ng import Child, Fields, Index, Root
from jsonpath_ng import Slice as NgSlice
from jsonpath_ng.jsonpath import Wildcard
from jsonpath_ng.parser import parse

from asl_engine.expressions.jsonpath.nodes import Indexes, Names, Reach, Slice

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonpath.nodes import Node

__all__ = ["shared_steps"]


def shared_steps(text: str) -> list[Node]:
    """The steps of a path of names, indexes, slices and wildcards in brackets.

    The parser lets through only what jsonpath-ng understands: an error of its own would be a defect of ours.
    """
    nodes: list[Node] = []
    tree = parse(text)
    while not isinstance(tree, Root):
        left, node = (tree.left, tree.right) if isinstance(tree, Child) else (Root(), tree)
        nodes.append(NODES[type(node)](node))
        tree = left
    return nodes[::-1]


def _names(node: Any) -> Node:
    name, *more = node.fields
    return Names((name, *more)) if more else str(name)


def _indexes(node: Any) -> Node:
    index, *more = node.indices
    return Indexes((index, *more)) if more else int(index)


NODES: Final[dict[type, Callable[[Any], Node]]] = {
    Fields: _names,
    Index: _indexes,
    NgSlice: lambda node: Slice(node.start, node.end),
    Wildcard: lambda _: Reach.CHILDREN,
}
