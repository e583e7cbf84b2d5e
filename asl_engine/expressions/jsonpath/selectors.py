"""What the steps of an indefinite path select: from a list of values to a list of values.

A step selects nothing in a value that it cannot be applied to.  It spends the values that it looks at or finds,
before it makes a list of them: see ``Search``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.expressions.jsonpath.search import Search

__all__ = [
    "Predicate",
    "Select",
    "members_of",
    "select_children",
    "select_descendants",
    "select_fields",
    "select_indexes",
    "select_matching",
    "select_objects",
    "select_slice",
]

# The second argument of each is the search, for its steps and for the paths in filters that begin with $.
Select: TypeAlias = "Callable[[list[Any], Search], list[Any]]"
Predicate: TypeAlias = "Callable[[Any, Search], bool]"

CONTAINERS: Final = frozenset({dict, list})


def select_fields(names: Sequence[str], *, last: bool) -> Select:
    """``['a']`` and ``['a','b']``; the latter, at the end of a path, is one object with both (Jayway)."""
    if len(names) == 1:
        name = names[0]

        def select_field(nodes: list[Any], search: Search) -> list[Any]:
            search.spend(len(nodes))
            return [node[name] for node in nodes if type(node) is dict and name in node]

        return select_field

    def select(nodes: list[Any], search: Search) -> list[Any]:
        search.spend(len(nodes) * len(names))
        if last:
            return [members_of(node, names) for node in nodes if type(node) is dict]
        return [node[name] for node in nodes if type(node) is dict for name in names if name in node]

    return select


def members_of(node: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """An object with those of the members that exist."""
    return {name: node[name] for name in names if name in node}


def select_indexes(indexes: Sequence[int]) -> Select:
    """``[0]`` and ``[0,-1]``."""

    def select(nodes: list[Any], search: Search) -> list[Any]:
        search.spend(len(nodes) * len(indexes))
        return [
            node[index]
            for node in nodes
            if type(node) is list
            for index in indexes
            if -len(node) <= index < len(node)
        ]

    return select


def select_slice(start: int | None, end: int | None) -> Select:
    """``[1:]``, ``[:-1]``; a negative bound counts from the end."""
    chosen = slice(start, end)

    def select(nodes: list[Any], search: Search) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            items = node[chosen] if type(node) is list else ()
            search.spend(1 + len(items))
            found += items
        return found

    return select


def select_children(nodes: list[Any], search: Search) -> list[Any]:
    """``[*]``: the items of arrays and the values of objects."""
    found: list[Any] = []
    for node in nodes:
        children = _children(node)
        search.spend(1 + len(children))
        found += children
    return found


def select_descendants(nodes: list[Any], search: Search) -> list[Any]:
    """``..``: the objects and arrays among the nodes and in them, each before what is in it.

    Other values are left out, because no following step selects anything in them.
    """
    found: list[Any] = []
    stack = nodes[::-1]
    while stack:
        node = stack.pop()
        found.append(node)
        children = _children(node)
        search.spend(1 + len(children))
        stack += [child for child in reversed(children) if type(child) in CONTAINERS]
    return found


def _children(node: Any) -> Sequence[Any]:
    kind = type(node)
    return node if kind is list else list(node.values()) if kind is dict else ()


def select_matching(matches: Predicate, tests: int) -> Select:
    """A filter chooses among the items of an array, and takes or leaves an object (Jayway).

    ``tests`` is the number of its tests.
    """

    def select(nodes: list[Any], search: Search) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            candidates = node if type(node) is list else [node] if type(node) is dict else ()
            search.spend(1 + len(candidates) * tests)
            found += [candidate for candidate in candidates if matches(candidate, search)]
        return found

    return select


def select_objects(matches: Predicate, tests: int) -> Select:
    """A filter after ``..`` takes or leaves each object, once."""

    def select(nodes: list[Any], search: Search) -> list[Any]:
        search.spend(len(nodes) * tests)
        return [node for node in nodes if type(node) is dict and matches(node, search)]

    return select
