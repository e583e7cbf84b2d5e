"""Paths beyond reference paths: parsed by jsonpath-ng, once, and compiled from its tree to closures.

Its own evaluator is not used: over a thousand items it takes some thirty times as long, and it differs
from Jayway JsonPath, hence from AWS, in what a filter on an object selects and in what equals what.

Nothing but this module knows the classes of jsonpath-ng.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from jsonpath_ng import Child, Descendants, Fields, Index, Root, Slice, This
from jsonpath_ng.ext.filter import And, Filter, Or
from jsonpath_ng.ext.iterable import Keys, Len
from jsonpath_ng.ext.parser import parse
from jsonpath_ng.jsonpath import Wildcard

from asl_engine.expressions.jsonpath.dialect import Comparison, PathText, rewrite
from asl_engine.expressions.jsonpath.operators import OPERATORS, json_equal, keys_of, length_of
from asl_engine.expressions.jsonpath.reference import explain, not_an_array, walk
from asl_engine.expressions.jsonpath.selectors import (
    members_of,
    select_children,
    select_descendants,
    select_fields,
    select_indexes,
    select_matching,
    select_objects,
    select_slice,
)
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.expressions.jsonpath.reference import Walk
    from asl_engine.expressions.jsonpath.selectors import Predicate, Select
    from asl_engine.expressions.jsonpath.syntax import Step

__all__ = ["Query", "compile_query"]

# From a value, and the whole document, to what a path finds, or MISSING.
Operand: TypeAlias = "Callable[[Any, Any], Any]"


class Query(NamedTuple):
    """A compiled path from a document; ``find`` and ``explain`` are as those of a reference path."""

    find: Walk
    explain: Callable[[Json], str]
    definite: bool


@lru_cache(maxsize=1024)
def compile_query(text: str, position: int) -> Query:
    """The path whose steps begin at ``position`` of ``text``.  Raises ``ExpressionSyntaxError``."""
    rewritten = rewrite(text, position)
    # What has been rewritten is understood by jsonpath-ng: an error of its own would be a defect of ours.
    plan = _plan(parse(rewritten.text), rewritten.comparisons)
    if rewritten.function is not None:
        plan = _unanswered(plan, text)
    return Query(lambda document: plan.find(document, document), plan.explain, plan.definite)


# -- paths --------------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """How to get from a value, and the whole document for ``$`` in filters, to what a path finds."""

    find: Operand
    explain: Callable[[Any], str]
    definite: bool


def _plan(tree: Any, comparisons: Sequence[Comparison]) -> _Plan:
    nodes = _flatten(tree)
    if nodes and type(nodes[-1]) in FUNCTION_NODES:
        inner = _plan_nodes(nodes[:-1], comparisons)
        return _applied(FUNCTION_NODES[type(nodes[-1])], inner)
    return _plan_nodes(nodes, comparisons)


def _flatten(node: Any) -> list[Any]:
    """The steps of a path from left to right; ``..`` is the class ``Descendants``."""
    if isinstance(node, Child):
        return [*_flatten(node.left), *_flatten(node.right)]
    if isinstance(node, Descendants):
        return [*_flatten(node.left), Descendants, *_flatten(node.right)]
    return [] if isinstance(node, Root | This) else [node]


def _plan_nodes(nodes: list[Any], comparisons: Sequence[Comparison]) -> _Plan:
    steps: list[Step] = []
    for node in nodes:
        step = _single_step(node)
        if step is None:
            break
        steps.append(step)
    rest = nodes[len(steps) :]
    if not rest:
        return _plan_steps(tuple(steps))
    if len(rest) == 1 and isinstance(rest[0], Fields):
        return _plan_members(tuple(steps), rest[0].fields)
    return _plan_selection(tuple(steps), rest, comparisons)


def _single_step(node: Any) -> Step | None:
    if isinstance(node, Fields) and len(node.fields) == 1:
        name: str = node.fields[0]
        return name
    if isinstance(node, Index) and len(node.indices) == 1:
        index: int = node.indices[0]
        return index
    return None


def _plan_steps(steps: tuple[Step, ...]) -> _Plan:
    follow = walk(steps)
    return _Plan(lambda value, _: follow(value), lambda value: explain(steps, value), definite=True)


def _plan_members(steps: tuple[Step, ...], names: Sequence[str]) -> _Plan:
    """``['a','b']`` at the end of a definite path: one object with those of the members that exist."""
    follow = walk(steps)

    def find(value: Any, _: Any) -> Any:
        start = follow(value)
        return members_of(start, names) if isinstance(start, dict) else MISSING

    return _Plan(find, lambda value: explain((*steps, names[0]), value), definite=True)


def _plan_selection(steps: tuple[Step, ...], rest: list[Any], comparisons: Sequence[Comparison]) -> _Plan:
    follow = walk(steps)
    selects = tuple(_selects(rest, comparisons))
    # Jayway refuses slices and unions of indexes of what is not an array, and so does AWS.
    array_only = isinstance(rest[0], Slice | Index)

    def find(value: Any, document: Any) -> Any:
        start = follow(value)
        if start is MISSING:
            return []
        if array_only and type(start) is not list:
            return MISSING
        nodes = [start]
        for select in selects:
            nodes = select(nodes, document)
        return nodes

    def explain_selection(value: Any) -> str:
        start: Any = follow(value)
        return not_an_array(_written(rest[0]), start)

    return _Plan(find, explain_selection, definite=False)


def _written(node: Any) -> str:
    if isinstance(node, Slice):
        bounds = ("" if bound is None else str(bound) for bound in (node.start, node.end))
        return f"[{':'.join(bounds)}]"
    return f"[{','.join(map(str, node.indices))}]"


def _applied(function: Callable[[Json], Json | Missing], plan: _Plan) -> _Plan:
    """A function at the end of a path within a filter, which nobody asks why it finds nothing."""

    def find(value: Any, document: Any) -> Any:
        argument = plan.find(value, document)
        return argument if argument is MISSING else function(argument)

    return _Plan(find, plan.explain, definite=True)


def _unanswered(plan: _Plan, text: str) -> _Plan:
    """A path that ends with a function, which AWS takes for the name of a member that is not there."""
    path, _, call = text.rpartition(".")

    def explain_function(value: Any) -> str:
        if plan.find(value, value) is MISSING:
            return plan.explain(value)
        return f"Property ['{call}'] not found in path {path}"

    return _Plan(lambda *_: MISSING, explain_function, definite=True)


# -- steps that select any number of values -----------------------------------------------------


def _selects(nodes: list[Any], comparisons: Sequence[Comparison]) -> list[Select]:
    selects: list[Select] = []
    for before, node in zip([None, *nodes], nodes, strict=False):
        if node is Descendants:
            selects.append(select_descendants)
        elif isinstance(node, Filter):
            matches = _conjunction(node.expressions, comparisons)
            selects.append(select_objects(matches) if before is Descendants else select_matching(matches))
        elif isinstance(node, Fields):
            selects.append(select_fields(node.fields, last=node is nodes[-1]))
        else:
            selects.append(SELECTORS[type(node)](node))
    return selects


SELECTORS: Final[dict[type, Callable[[Any], Select]]] = {
    Index: lambda node: select_indexes(node.indices),
    Slice: lambda node: select_slice(node.start, node.end),
    Wildcard: lambda _: select_children,
}
FUNCTION_NODES: Final[dict[type, Callable[[Json], Json | Missing]]] = {Len: length_of, Keys: keys_of}


# -- filters ------------------------------------------------------------------------------------


def _conjunction(expressions: Sequence[Any], comparisons: Sequence[Comparison]) -> Predicate:
    return reduce(_both, (_predicate(expression, comparisons) for expression in expressions))


def _both(first: Predicate, second: Predicate) -> Predicate:
    return lambda item, document: first(item, document) and second(item, document)


def _either(first: Predicate, second: Predicate) -> Predicate:
    return lambda item, document: first(item, document) or second(item, document)


def _predicate(node: Any, comparisons: Sequence[Comparison]) -> Predicate:
    if isinstance(node, And):
        return _conjunction(node.operands, comparisons)
    if isinstance(node, Or):
        return reduce(_either, (_predicate(operand, comparisons) for operand in node.operands))
    if node.op == "!":
        return _negation(node.target, comparisons)
    left = _operand(node.target, comparisons)
    if node.op is None:
        return _existence(left)
    if node.op != "=~":
        return _comparison_with_literal(left, OPERATORS[node.op], node.value)
    comparison = comparisons[int(node.value)]
    holds = OPERATORS[comparison.operator]
    if isinstance(comparison.operand, PathText):
        right = _operand(parse(comparison.operand.text), comparisons)
        return lambda item, document: holds(left.find(item, document), right.find(item, document))
    if comparison.swapped:
        literal = comparison.operand
        return lambda item, document: holds(literal, left.find(item, document))
    return _comparison_with_literal(left, holds, comparison.operand)


def _negation(target: Any, comparisons: Sequence[Comparison]) -> Predicate:
    group = target.right if isinstance(target, Child) and target.left == Child(This(), This()) else None
    if isinstance(group, Filter):  # NEGATED_GROUP of the dialect
        holds = _conjunction(group.expressions, comparisons)
    else:
        holds = _existence(_operand(target, comparisons))
    return lambda item, document: not holds(item, document)


def _existence(operand: _Plan) -> Predicate:
    find = operand.find
    if operand.definite:
        return lambda item, document: find(item, document) is not MISSING
    return lambda item, document: find(item, document) not in ([], MISSING)


def _comparison_with_literal(left: _Plan, holds: Callable[[Any, Any], bool], literal: Any) -> Predicate:
    find = left.find
    if holds is json_equal and isinstance(literal, str):
        return lambda item, document: bool(find(item, document) == literal)  # nothing else equals a string
    return lambda item, document: holds(find(item, document), literal)


def _operand(tree: Any, comparisons: Sequence[Comparison]) -> _Plan:
    """A path in a filter: from the item, or from the document if it begins with ``$``."""
    plan = _plan(tree, comparisons)
    if not _is_rooted(tree):
        return plan
    return plan._replace(find=lambda _, document: plan.find(document, document))


def _is_rooted(node: Any) -> bool:
    while isinstance(node, Child | Descendants):
        node = node.left
    return isinstance(node, Root)
