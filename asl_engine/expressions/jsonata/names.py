"""The names that an expression takes from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["free_variables"]


def free_variables(root: Node) -> set[str]:
    """The variables that are used and nowhere in the expression bound: builtins are among them.

    A name that is bound in one place and taken from outside in another is left out.
    """
    used: set[str] = set()
    bound = {"", "$"}
    for node in walk(root):
        if node.kind == "variable":
            used.add(node.value)
        elif node.kind == "binary" and node.value == ":=":
            bound.add(node.parts[0].value)
        elif node.kind == "lambda":
            bound.update(node.value)
        bound.update(name for name in (node.focus, node.index) if name is not None)
        bound.update(stage.value for stage in node.stages if stage.kind == "index")
    return used - bound


def walk(node: Node) -> Iterator[Node]:
    ahead = [node]
    while ahead:
        node = ahead.pop()
        yield node
        ahead += node.parts + node.predicates + node.stages
        ahead += [part for pair in node.pairs for part in pair]
        ahead += [term for term, _ in node.terms]
        ahead += [part for part in (node.procedure, node.group) if part is not None]
