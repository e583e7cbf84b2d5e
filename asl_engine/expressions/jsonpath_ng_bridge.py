"""Paths beyond reference paths: parsed by jsonpath-ng, once, and compiled from its tree to closures.

Its own evaluator is not used: over a thousand items it takes some thirty times as long, and it differs
from Jayway JsonPath, hence from AWS, in what a filter on an object selects and in what equals what.

Nothing but this module knows the classes of jsonpath-ng; a node that is not in ``SELECTORS`` is refused.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from jsonpath_ng import Child, Descendants, Fields, Index, Root, Slice, This
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.filter import And, Filter, Or
from jsonpath_ng.ext.iterable import Keys, Len
from jsonpath_ng.ext.parser import parse
from jsonpath_ng.jsonpath import Wildcard

from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath_dialect import Comparison, PathText, rewrite
from asl_engine.expressions.jsonpath_operators import FUNCTIONS, OPERATORS
from asl_engine.expressions.reference_path import explain, not_an_array, walk
from asl_engine.jsontypes import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.expressions.path_syntax import Step
    from asl_engine.expressions.reference_path import Walk

__all__ = ["Query", "compile_query"]

# The second argument of each is the whole document, for the paths in filters that begin with $.
Select: TypeAlias = "Callable[[list[Any], Any], list[Any]]"
Operand: TypeAlias = "Callable[[Any, Any], Any]"
Predicate: TypeAlias = "Callable[[Any, Any], bool]"


class Query(NamedTuple):
    """A compiled path from a document; ``find`` and ``explain`` are as those of a reference path."""

    find: Walk
    explain: Callable[[Json], str]
    definite: bool


@lru_cache(maxsize=1024)
def compile_query(text: str, position: int) -> Query:
    """The path whose steps begin at ``position`` of ``text``.  Raises ``ExpressionSyntaxError``."""
    rewritten = rewrite(text, position)
    plan = _plan(_parse(rewritten.text, text), rewritten.comparisons)
    if rewritten.function is not None:
        plan = _applied(FUNCTIONS[rewritten.function], plan, text)
    return Query(lambda document: plan.find(document, document), plan.explain, plan.definite)


def _parse(rewritten: str, text: str) -> Any:
    try:
        return parse(rewritten)
    except JSONPathError as error:
        raise ExpressionSyntaxError(f"Not a JSONPath ({error})", text) from None


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
        return _applied(FUNCTIONS[FUNCTION_NODES[type(nodes[-1])]], inner, str(tree))
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
        return _members(start, names) if isinstance(start, dict) else MISSING

    return _Plan(find, lambda value: explain((*steps, names[0]), value), definite=True)


def _members(node: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: node[name] for name in names if name in node}


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


def _applied(function: Callable[[Json], Json | Missing], plan: _Plan, text: str) -> _Plan:
    def find(value: Any, document: Any) -> Any:
        argument = plan.find(value, document)
        return argument if argument is MISSING else function(argument)

    def explain_function(value: Any) -> str:
        argument = plan.find(value, value)
        return plan.explain(value) if argument is MISSING else f"No results for path: {text}"

    return _Plan(find, explain_function, definite=True)


# -- steps that select any number of values -----------------------------------------------------


def _selects(nodes: list[Any], comparisons: Sequence[Comparison]) -> list[Select]:
    selects: list[Select] = []
    for before, node in zip([None, *nodes], nodes, strict=False):
        if node is Descendants:
            selects.append(_select_descendants)
        elif isinstance(node, Filter):
            matches = _conjunction(node.expressions, comparisons)
            selects.append(_select_objects(matches) if before is Descendants else _select_matching(matches))
        elif isinstance(node, Fields):
            selects.append(_select_fields(node.fields, last=node is nodes[-1]))
        else:
            selects.append(SELECTORS[type(node)](node))
    return selects


def _select_fields(names: Sequence[str], *, last: bool) -> Select:
    if len(names) == 1:
        name = names[0]
        return lambda nodes, _: [node[name] for node in nodes if type(node) is dict and name in node]
    if last:
        return lambda nodes, _: [_members(node, names) for node in nodes if type(node) is dict]
    return lambda nodes, _: [
        node[name] for node in nodes if type(node) is dict for name in names if name in node
    ]


def _select_indexes(node: Index) -> Select:
    indexes = node.indices
    return lambda nodes, _: [
        node[index]
        for node in nodes
        if type(node) is list
        for index in indexes
        if -len(node) <= index < len(node)
    ]


def _select_slice(node: Slice) -> Select:
    chosen = slice(node.start, node.end)
    return lambda nodes, _: [item for node in nodes if type(node) is list for item in node[chosen]]


def _select_children(_: Wildcard) -> Select:
    return lambda nodes, _: [child for node in nodes for child in _children(node)]


def _children(node: Any) -> Sequence[Any]:
    kind = type(node)
    return node if kind is list else list(node.values()) if kind is dict else ()


def _select_descendants(nodes: list[Any], _: Any) -> list[Any]:
    """The nodes and all that is in them, each before what is in it."""
    found: list[Any] = []
    stack = nodes[::-1]
    while stack:
        node = stack.pop()
        found.append(node)
        stack.extend(reversed(_children(node)))
    return found


SELECTORS: Final[dict[type, Callable[[Any], Select]]] = {
    Index: _select_indexes,
    Slice: _select_slice,
    Wildcard: _select_children,
}
FUNCTION_NODES: Final = {Len: "length", Keys: "keys"}


# -- filters ------------------------------------------------------------------------------------


def _select_matching(matches: Predicate) -> Select:
    """A filter chooses among the items of an array, and takes or leaves an object (Jayway)."""

    def select(nodes: list[Any], document: Any) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            candidates = node if type(node) is list else [node] if type(node) is dict else ()
            found += [candidate for candidate in candidates if matches(candidate, document)]
        return found

    return select


def _select_objects(matches: Predicate) -> Select:
    """A filter after ``..`` takes or leaves each object, once."""
    return lambda nodes, document: [n for n in nodes if type(n) is dict and matches(n, document)]


def _conjunction(expressions: Sequence[Any], comparisons: Sequence[Comparison]) -> Predicate:
    predicates = [_predicate(expression, comparisons) for expression in expressions]
    if len(predicates) == 1:
        return predicates[0]
    return lambda item, document: all(holds(item, document) for holds in predicates)


def _predicate(node: Any, comparisons: Sequence[Comparison]) -> Predicate:
    if isinstance(node, And):
        return _conjunction(node.operands, comparisons)
    if isinstance(node, Or):
        predicates = [_predicate(operand, comparisons) for operand in node.operands]
        return lambda item, document: any(holds(item, document) for holds in predicates)
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
