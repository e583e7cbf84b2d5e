"""Compiles the resolved tree to a generated function of the context and the frame: see ``codegen``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.expressions.jsonata.codegen import calls, literals, operations, paths, scopes
from asl_engine.expressions.jsonata.codegen.filters import emit_filter
from asl_engine.expressions.jsonata.codegen.values import Value
from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter, Later, Unit
from asl_engine.expressions.jsonata.groups import compile_group
from asl_engine.expressions.jsonata.names import bound_names
from asl_engine.expressions.jsonata.paths import walker, walks

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Evaluate
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["compile_node", "generated_source"]

UNKNOWN: Final = Value("context", raw=True)
NOTHING: Final = Value("context", "m", given=True)
MAX_UNITS: Final = 4  # that are made while another one is written


def compile_node(tree: Node, shadowed: frozenset[str] = frozenset(), *, has_context: bool = True) -> Evaluate:
    """The whole tree as a function.

    ``shadowed`` are the functions that a variable from outside hides; without a context, it is always MISSING.
    """
    return _compile(tree, _Names(bound_names(tree), shadowed), UNKNOWN if has_context else NOTHING)


def generated_source(tree: Node) -> str:
    """The text of the function, for those who want to see it."""
    unit = _unit(_Names(bound_names(tree), frozenset()), 0)
    _write(unit, tree, NOTHING, trampolining=False)
    return "\n".join(unit.sources)


class _Names(NamedTuple):
    bound: frozenset[str]
    shadowed: frozenset[str]


def _compile(
    node: Node, names: _Names, context: Value = UNKNOWN, *, trampolining: bool = False, depth: int = 0
) -> Evaluate:
    if node.is_bare and node.kind == "path" and walks(node):
        return walker(node)
    if depth >= MAX_UNITS:  # it may be too much for the stack
        return Later(partial(_compile, node, names, context, trampolining=trampolining))
    unit = _unit(names, depth)
    function: Evaluate = unit.made(_write(unit, node, context, trampolining=trampolining))
    return function


def _unit(names: _Names, depth: int) -> Unit:
    return Unit(names.bound, names.shadowed, emit_node, partial(_compile, names=names, depth=depth + 1))


def _write(unit: Unit, node: Node, context: Value, *, trampolining: bool) -> str:
    """The name of the function."""
    writer = FunctionWriter(unit, trampolining=trampolining)
    value = writer.emit(node, context)
    writer.line(f"return {value.atom}")
    return unit.add(writer, "context, frame")


def emit_node(writer: FunctionWriter, node: Node, context: Value) -> Value:
    value = EMITTERS[node.kind](writer, node, context)
    if node.is_bare:
        return writer.collapsed(value)
    for predicate in node.predicates:
        value = emit_filter(writer, value, predicate, may_be_tuples=node.tuple)
    if node.group is not None and node.kind != "path":
        group = writer.constant(compile_group(node.group, writer.unit.compile_node), "group")
        value = writer.let(f"{group}({value.atom}, {writer.frame_for(node.group)})", "dm")
    if node.keep_array:
        return writer.let(f"kept({value.atom})")
    return writer.collapsed(value)


EMITTERS: Final[dict[str, Callable[[FunctionWriter, Node, Value], Value]]] = {
    "number": literals.literal, "string": literals.literal, "value": literals.literal, "regex": literals.literal,
    "array": literals.array, "object": literals.object_,
    "variable": scopes.variable, "parent": scopes.ancestor, "block": scopes.block, "lambda": scopes.lambda_,
    "binary": operations.binary, "negation": operations.negation, "condition": operations.condition_,
    "path": paths.path, "name": paths.name, "wildcard": paths.wildcard, "descendant": paths.descendant,
    "function": calls.call, "tail call": calls.tail_call, "partial": calls.partial, "apply": calls.application,
    "transform": calls.transform,
}  # fmt: skip
