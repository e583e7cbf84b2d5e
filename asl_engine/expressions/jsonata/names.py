"""The names in an expression: which it mentions, which it binds, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.expressions.jsonata.syntax import Node

__all__ = [
    "bindings_of",
    "bound_names",
    "free_variables",
    "mentioned",
    "out_of_place",
    "reads_error_output",
    "walk",
]


def free_variables(root: Node) -> set[str]:
    """The variables that the expression uses but never binds, builtins included.

    A name that is bound in one place and taken from outside in another is left out.
    """
    return mentioned(root) - bound_names(root) - {"", "$"}


def mentioned(root: Node) -> set[str]:
    """All variables in the expression."""
    return {node.value for node in walk(root) if node.kind == "variable"}


def bound_names(root: Node) -> frozenset[str]:
    """All names that the expression binds somewhere."""
    bound: set[str] = set()
    for node in walk(root):
        if _is_binding(node):
            bound.add(node.parts[0].value)
        elif node.kind == "lambda":
            bound.update(node.value)
        bound.update(name for name in (node.focus, node.index) if name is not None)
        bound.update(stage.value for stage in node.stages if stage.kind == "index")
    return frozenset(bound)


def bindings_of(node: Node) -> list[str]:
    """The names that ``:=`` binds in the frame of a block or of a lambda's body, once for each ``:=``."""
    names = []
    ahead = [node] if node.kind != "block" else list(node.parts)
    while ahead:
        node = ahead.pop()
        if _is_binding(node):
            names.append(node.parts[0].value)
        if node.kind not in {"block", "lambda"}:
            ahead += children(node)
        elif node.predicates or node.stages or node.group is not None:
            ahead += [child for child in children(node) if child not in node.parts]
    return names


def _is_binding(node: Node) -> bool:
    return node.kind == "binary" and node.value == ":="


def out_of_place(root: Node) -> list[tuple[str, bool]]:
    """The references to an input that does not exist: each once, and whether it is a bare name.

    These are names that no step leads to, and ``$$``: an expression has no input of its own, only $states
    and the variables.
    """
    found: dict[tuple[str, bool], None] = {}
    ahead = [(root, False)]
    while ahead:
        node, has_context = ahead.pop()
        if node.kind == "name" and not has_context:
            found[node.value, True] = None
        if node.kind == "variable" and node.value == "$":
            found["$$", False] = None
        # All steps of a path but the first look into the result of the previous step; filters, groupings
        # and sort terms into the value they apply to; a transform into its argument.
        first, rest = (node.parts[:1], node.parts[1:]) if node.kind == "path" else (node.parts, [])
        inner = node.predicates + node.stages + [term for term, _ in node.terms] + rest
        outer = first + ([] if node.procedure is None or node.kind == "lambda" else [node.procedure])
        own_pairs = [part for pair in node.pairs for part in pair]
        if node.kind in {"transform", "filter"}:
            inner, outer = inner + outer, []
        if node.group is not None:
            inner += [part for pair in node.group.pairs for part in pair]
        ahead += [(part, True) for part in reversed(inner)]
        ahead += [(part, has_context) for part in reversed(outer + own_pairs)]
    return list(found)


def reads_error_output(root: Node) -> bool:
    """Whether ``$states.errorOutput`` stands in the expression."""
    return any(
        node.kind == "path"
        and [part.value for part in node.parts[:2]] == ["states", "errorOutput"]
        and node.parts[0].kind == "variable"
        for node in walk(root)
    )


def walk(node: Node) -> Iterator[Node]:
    ahead = [node]
    while ahead:
        node = ahead.pop()
        yield node
        ahead += children(node)


def children(node: Node) -> list[Node]:
    found = node.parts + node.predicates + node.stages
    found += [part for pair in node.pairs for part in pair]
    found += [term for term, _ in node.terms]
    found += [part for part in (node.procedure, node.group) if part is not None]
    return found
