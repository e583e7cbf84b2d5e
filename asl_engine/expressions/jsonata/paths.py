"""Paths that only walk down names: the most frequent expressions by far, for which no code is generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.navigation import walk
from asl_engine.expressions.jsonata.runtime import Sequence
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["is_plain", "walker", "walks"]


def walks(node: Node) -> bool:
    """Whether a path consists only of names; the first may be a variable."""
    first, *rest = node.parts
    begins = first.kind == "name" or (first.kind == "variable" and bool(rest))
    whole = node.group is None and not node.keep_singleton
    return begins and whole and is_plain(first) and all(part.kind == "name" and is_plain(part) for part in rest)


def is_plain(step: Node) -> bool:
    """Whether nothing else is done to the results of a step."""
    return not (step.tuple or step.cons or step.predicates or step.stages or step.keep_array or step.group)


def walker(node: Node) -> Evaluate:
    """A path that walks as a function."""
    first, *rest = [str(part.value) for part in node.parts]
    if node.parts[0].kind == "name":
        return _walk_from_context([first, *rest])
    return _walk_from_variable(first, rest) if first else _walk_from_context(rest)


def _walk_from_context(keys: list[str]) -> Evaluate:
    def evaluate(context: Any, frame: Environment) -> Any:
        return walk(context, keys, frame.evaluation)

    return evaluate


def _walk_from_variable(name: str, keys: list[str]) -> Evaluate:
    first, *rest = keys

    def evaluate(_: Any, frame: Environment) -> Any:
        names = frame.names
        value = names[name] if name in names else frame.lookup(name)
        if value.__class__ is not dict:
            return walk(value, keys, frame.evaluation)
        value = value.get(first, MISSING)
        return walk(value, rest, frame.evaluation) if rest or value.__class__ is Sequence else value

    return evaluate
