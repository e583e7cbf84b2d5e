"""Paths beyond reference paths, compiled from what the parser reads to closures."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from asl_engine.expressions.jsonpath.nodes import (
    AllOf,
    AnyOf,
    Exists,
    Filter,
    Indexes,
    Literal,
    Names,
    Not,
    Reach,
    Relation,
    Slice,
)
from asl_engine.expressions.jsonpath.operators import FUNCTIONS, OPERATORS, PAIRWISE, interruptible, json_equal
from asl_engine.expressions.jsonpath.parser import parse_path
from asl_engine.expressions.jsonpath.reference import explain, not_an_array, walk
from asl_engine.expressions.jsonpath.search import CHARACTERS_PER_STEP, Search, work_of
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
from asl_engine.expressions.jsonpath.syntax import bracketed
from asl_engine.expressions.regex_limits import SECONDS, attempts, timed
from asl_engine.json_text import FEW, is_enormous
from asl_engine.json_values import MISSING, Json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.expressions.effort import Effort
    from asl_engine.expressions.jsonpath.nodes import Node, Operand, SubPath, Test
    from asl_engine.expressions.jsonpath.selectors import Predicate, Select
    from asl_engine.expressions.jsonpath.syntax import Step
    from asl_engine.json_values import Missing

__all__ = ["Query", "compile_query"]

SIZED: Final = frozenset({dict, list, str})  # values whose comparison can take long

# From a value, and the search that it is in, to what a path finds, or MISSING.
Find: TypeAlias = "Callable[[Any, Search], Any]"


class Query(NamedTuple):
    """A compiled path from a document; ``find`` and ``explain`` are as those of a reference path.

    ``find`` is also given the effort that is left to the decision, if it is bounded.  It raises
    ``EvaluationError`` for a path that takes too many steps.
    """

    find: Callable[[Any, Effort | None], Json | Missing]
    explain: Callable[[Json], str]
    definite: bool


@lru_cache(maxsize=1024)
def compile_query(text: str, position: int) -> Query:
    """The path whose steps begin at ``position`` of ``text``.  Raises ``ExpressionSyntaxError``."""
    nodes, function = parse_path(text, position)
    if function is None:
        plan = _plan(nodes)
    else:
        plan = _unanswered(_plan(_decisive(nodes)), f"{function}()", _shown(nodes) or text.rpartition(".")[0])

    def find(document: Any, effort: Effort | None) -> Json | Missing:
        search = Search(document, text, effort)
        found: Json | Missing = plan.find(document, search)
        if type(found) is list and len(found) > FEW and is_enormous(found):
            raise search.too_long()
        search.end()
        return found

    return Query(find, plan.explain, plan.definite)


def _shown(nodes: Sequence[Node]) -> str | None:
    """The steps in the form that Jayway JsonPath gives them in messages, if they are names and indexes."""
    steps = _first_steps(nodes)
    return "$" + "".join(map(bracketed, steps)) if len(steps) == len(nodes) else None


# -- paths --------------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """How to get from a value, and the search that it is in, to what a path finds."""

    find: Find
    explain: Callable[[Any], str]
    definite: bool


def _plan(nodes: Sequence[Node]) -> _Plan:
    steps = _first_steps(nodes)
    rest = nodes[len(steps) :]
    if not rest:
        return _plan_steps(steps)
    if len(rest) == 1 and isinstance(rest[0], Names):
        return _plan_members(steps, rest[0].names)
    return _plan_selection(steps, rest)


def _first_steps(nodes: Sequence[Node]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for node in nodes:
        if not isinstance(node, str | int):
            break
        steps.append(node)
    return tuple(steps)


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


def _plan_selection(steps: tuple[Step, ...], rest: Sequence[Node]) -> _Plan:
    follow = walk(steps)
    selects = tuple(_selects(rest))
    first = rest[0]
    # Jayway refuses slices and unions of indexes of what is not an array, and so does AWS.
    array_only = isinstance(first, Slice | Indexes)

    def find(value: Any, search: Search) -> Any:
        start = follow(value)
        if start is MISSING:
            return []
        if array_only and type(start) is not list:
            return MISSING
        nodes = [start]
        for select in selects:
            nodes = select(nodes, search)
        return nodes

    def explain_selection(value: Any) -> str:
        start: Any = follow(value)
        return not_an_array(_written(first), start)

    return _Plan(find, explain_selection, definite=False)


def _written(node: Node) -> str:
    if isinstance(node, Slice):
        return f"[{':'.join('' if bound is None else str(bound) for bound in node)}]"
    return f"[{','.join(map(str, node.indexes))}]" if isinstance(node, Indexes) else str(node)


def _decisive(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes that decide whether a path leads anywhere: what an indefinite path finds may be nothing."""
    first = len(_first_steps(nodes))
    rest = nodes[first:]
    # Names at the end of a path make one object; before other steps they select.
    return nodes[: first + (2 if len(rest) > 1 and isinstance(rest[0], Names) else 1)]


def _unanswered(plan: _Plan, call: str, path: str) -> _Plan:
    """A path that ends with a function, which AWS takes for the name of a member that is not there."""

    def explain_function(value: Any) -> str:
        if plan.find(value, Search(value, path, None)) is MISSING:
            return plan.explain(value)
        return f"Property ['{call}'] not found in path {path}"  # reported of AWS

    return _Plan(lambda *_: MISSING, explain_function, definite=True)


# -- steps that select any number of values -----------------------------------------------------


def _selects(nodes: Sequence[Node]) -> list[Select]:
    selects: list[Select] = []
    before: Node | None = None
    for place, node in enumerate(nodes, 1):
        if isinstance(node, Filter):
            select = select_objects if before is Reach.DESCENDANTS else select_matching
            selects.append(select(_predicate(node.test), _tests_in(node.test)))
        else:
            selects.append(_select(node, last=place == len(nodes)))
        before = node
    return selects


def _select(node: Step | Names | Indexes | Slice | Reach, *, last: bool) -> Select:
    match node:
        case str():
            return select_fields((node,), last=last)
        case int():
            return select_indexes((node,))
        case Names(names):
            return select_fields(names, last=last)
        case Indexes(indexes):
            return select_indexes(indexes)
        case Slice(start, end):
            return select_slice(start, end)
        case Reach.CHILDREN:
            return select_children
        case Reach.DESCENDANTS:
            return select_descendants


# -- filters ------------------------------------------------------------------------------------


def _tests_in(test: Test) -> int:
    """How many tests a filter makes of each value, at most."""
    match test:
        case AllOf(tests) | AnyOf(tests):
            return sum(map(_tests_in, tests))
        case Not(inner):
            return _tests_in(inner)
        case _:
            return 1


def _predicate(test: Test) -> Predicate:
    match test:
        case AllOf(tests):
            return _all_of([_predicate(each) for each in tests])
        case AnyOf(tests):
            return _any_of([_predicate(each) for each in tests])
        case Not(inner):
            holds = _predicate(inner)
            return lambda item, search: not holds(item, search)
        case Exists(path):
            return _existence(path)
        case Relation():
            return _comparison(test)


def _all_of(tests: list[Predicate]) -> Predicate:
    if len(tests) > 2:
        return lambda item, search: all(test(item, search) for test in tests)
    first, second = tests  # most filters; the general form takes longer
    return lambda item, search: first(item, search) and second(item, search)


def _any_of(tests: list[Predicate]) -> Predicate:
    if len(tests) > 2:
        return lambda item, search: any(test(item, search) for test in tests)
    first, second = tests
    return lambda item, search: first(item, search) or second(item, search)


def _existence(path: SubPath) -> Predicate:
    find, definite = _find(path)
    if definite:
        return lambda item, search: find(item, search) is not MISSING
    return lambda item, search: find(item, search) not in ([], MISSING)


def _comparison(comparison: Relation) -> Predicate:
    holds = OPERATORS[comparison.operator]
    left = _operand(comparison.left)
    if not isinstance(comparison.right, Literal):
        return _comparison_of_two(left, holds, _operand(comparison.right))
    literal: Any = comparison.right.value
    if holds is json_equal and isinstance(literal, str):
        return lambda item, search: bool(left(item, search) == literal)  # nothing else equals a string
    if type(literal) is list:
        return _comparison_of_two(left, holds, lambda *_: literal)

    if isinstance(literal, re.Pattern):
        pattern = interruptible(literal)
        return (
            (lambda item, search: holds(left(item, search), literal)) if pattern is None else _match(left, pattern)
        )
    if comparison.operator == "contains":
        return _containment(left, holds, literal)
    return lambda item, search: holds(left(item, search), literal)


def _match(left: Find, pattern: Any) -> Predicate:
    """Whether the whole text matches a pattern that may take any time: a long time costs steps."""

    def compare(item: Any, search: Search) -> bool:
        text = left(item, search)
        if type(text) is not str:
            return False
        try:
            times = attempts(len(text), search.most, SECONDS)
            return timed(pattern.fullmatch, (text,), times, search.spend) is not None
        except TimeoutError:
            raise search.too_long() from None

    return compare


def _containment(left: Find, holds: Callable[[Any, Any], bool], literal: Json) -> Predicate:
    """Whether the literal is among the items, or in the text, that a path finds."""

    def compare(item: Any, search: Search) -> bool:
        value = left(item, search)
        kind = type(value)
        if kind is list or kind is str:
            search.spend(len(value) if kind is list else len(value) // CHARACTERS_PER_STEP)
        return holds(value, literal)

    return compare


def _comparison_of_two(left: Find, holds: Callable[[Any, Any], bool], right: Find) -> Predicate:
    """A comparison that may go through two arrays, or deep into two values."""

    def compare(item: Any, search: Search) -> bool:
        one, other = left(item, search), right(item, search)
        if type(one) in SIZED or type(other) in SIZED:
            each = len(other) if type(other) is list and holds in PAIRWISE else 1
            search.spend(work_of(one) * max(each, 1) + work_of(other))
        return holds(one, other)

    return compare


def _operand(operand: Operand) -> Find:
    if isinstance(operand, Literal):
        value = operand.value
        return lambda *_: value
    return _find(operand)[0]


def _find(path: SubPath) -> tuple[Find, bool]:
    """How to get what a path in a filter finds, and whether it is definite."""
    plan = _plan(path.nodes)
    find = plan.find if path.function is None else _applied(FUNCTIONS[path.function], plan.find)
    definite = plan.definite or path.function is not None
    return (lambda _, search: find(search.document, search)) if path.rooted else find, definite


def _applied(function: Callable[[Json], Any], find: Find) -> Find:
    def apply(value: Any, search: Search) -> Any:
        argument = find(value, search)
        return argument if argument is MISSING else function(argument)

    return apply
