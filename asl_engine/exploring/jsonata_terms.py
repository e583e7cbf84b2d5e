"""JSONata over terms: what an expression only moves stays traceable, its conditions become formulas.

Everything else is evaluated as it is.  Which places it reads is what its text walks to, variables of its own
included; the values worth trying there are its literals and their neighbours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from asl_engine.exploring.candidates import neighbours
from asl_engine.exploring.formulas import AllParts, AnyPart, Atom, Negation
from asl_engine.exploring.terms import ArrayTerm, ComputedTerm, ConstantTerm, MergedTerm, ObjectTerm, walked
from asl_engine.expressions.jsonata.expression import Expression, compile_jsonata
from asl_engine.expressions.jsonata.parser import parse
from asl_engine.expressions.jsonata.resolver import resolve
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.exploring.formulas import Formula
    from asl_engine.exploring.term_scope import TermScope
    from asl_engine.exploring.terms import Docs, GivenPlace, Term
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["condition_formula", "expression_term"]

JOINS: dict[str, type[AllParts | AnyPart]] = {"and": AllParts, "or": AnyPart}


def expression_term(text: str, around: TermScope) -> Term:
    return _term(resolve(parse(text)), compile_jsonata(text), around)


def condition_formula(text: str, around: TermScope) -> Formula:
    """The formula of a condition that is to be true."""
    return _formula(resolve(parse(text)), around, _examples(parse(text)))


def _term(node: Node, expression: Expression, around: TermScope) -> Term:
    def evaluate(docs: Docs) -> Json | Missing:
        return expression(around.bindings(docs, expression))

    moved = _moved(node, around)
    if isinstance(moved, ObjectTerm | ArrayTerm | MergedTerm | ConstantTerm):
        return moved
    return ComputedTerm(evaluate, _places(node, around), moved)


def _moved(node: Node, around: TermScope) -> Term | None:
    """The term of what only puts together and walks; None for what computes."""
    if not node.is_bare:
        return None
    if node.kind in {"string", "number", "value"}:
        return ConstantTerm(node.value)
    if node.kind == "object" and all(key.kind == "string" for key, _ in node.pairs):
        return ObjectTerm({key.value: _inner(value, around) for key, value in node.pairs})
    if node.kind == "array" and all(part.kind != "binary" or part.value != ".." for part in node.parts):
        items = [_inner(part, around) for part in node.parts]
        return (
            None if any(isinstance(item, ComputedTerm) for item in items) else ArrayTerm(items)
        )  # it is flattened
    if node.kind == "function" and _called(node) == "merge" and len(node.parts) == 1:
        (given,) = node.parts
        return MergedTerm([_inner(part, around) for part in given.parts]) if given.kind == "array" else None
    return _walked(node, around)


def _inner(node: Node, around: TermScope) -> Term:
    return _term(node, Expression("", node), around)


def _walked(node: Node, around: TermScope) -> Term | None:
    """The term that a path of names leads to."""
    if node.kind == "variable":
        return _variable(node.value, around)
    if node.kind != "path" or node.parts[0].kind != "variable":
        return None
    steps: list[str | int] = []
    for part in node.parts[1:]:
        if part.kind != "name":
            break
        steps.append(part.value)
        for stage in part.stages:
            index = stage.parts[0] if stage.kind == "filter" and stage.parts else None
            if index is None or index.kind != "number" or not isinstance(index.value, int):
                return walked(_variable(node.parts[0].value, around), steps)
            steps.append(index.value)
    first = node.parts[0].value
    if first != "states":
        return walked(_variable(first, around), steps)
    return _of_states(steps, around)


def _of_states(steps: list[str | int], around: TermScope) -> Term:
    if not steps:
        return _states(around)
    return walked(_states(around).at(steps[0]), steps[1:])


def _states(around: TermScope) -> Term:
    return ObjectTerm({"input": around.data, "context": around.context, **around.states})


def _variable(name: str, around: TermScope) -> Term:
    if name == "states":
        return _states(around)
    return around.variables.get(name, ConstantTerm(MISSING))


def _called(node: Node) -> str | None:
    procedure = node.procedure
    return procedure.value if procedure is not None and procedure.kind == "variable" else None


def _all_nodes(node: Node) -> Iterator[Node]:
    yield node
    inner = [*node.parts, *node.predicates, *node.stages]
    inner += [one for pair in node.pairs for one in pair] + [term for term, _ in node.terms]
    inner += [one for one in (node.group, node.procedure) if one is not None]
    for one in inner:
        yield from _all_nodes(one)


def _places(node: Node, around: TermScope) -> frozenset[GivenPlace]:
    """What the expression walks to, with the names that its filters and functions ask of what they are given."""
    found: set[GivenPlace] = set()
    own = _own_variables(node)
    for one in _all_nodes(node):
        if one.kind == "path" and one.parts[0].kind == "variable":
            name = one.parts[0].value
            term = _walked(one, around._replace(variables={**around.variables, **_bound(own, around)}))
            if term is not None and (name in own or name == "states" or name in around.variables):
                places = term.places()
                found |= places
                found |= {place._replace(steps=(*place.steps, asked)) for place in places for asked in _asked(one)}
        elif one.kind == "variable" and one.value in around.variables:
            found |= around.variables[one.value].places()
    return frozenset(found)


def _asked(path: Node) -> Iterator[str]:
    """The names that filters and expressions within a path ask of its items."""
    within = [part for part in path.parts[1:] if part.kind != "name"]
    within += [stage for part in path.parts for stage in part.stages]
    for one in within:
        for node in _all_nodes(one):
            if node.kind == "path" and node.parts[0].kind == "name":
                yield node.parts[0].value


def _own_variables(node: Node) -> dict[str, Node]:
    """The variables that a block binds, to what it binds them."""
    return {
        one.parts[0].value: one.parts[1]
        for one in _all_nodes(node)
        if one.kind == "binary" and one.value == ":=" and one.parts[0].kind == "variable"
    }


def _bound(own: dict[str, Node], around: TermScope) -> dict[str, Term]:
    return {name: term for name, node in own.items() if (term := _walked(node, around)) is not None}


def _formula(node: Node, around: TermScope, examples: Mapping[int, str]) -> Formula:
    """``examples`` are texts that the regular expressions may match, by their positions."""
    if node.is_bare and node.kind == "binary" and node.value in JOINS:
        return JOINS[node.value]([_formula(part, around, examples) for part in node.parts])
    if node.is_bare and node.kind == "function" and _called(node) == "not" and len(node.parts) == 1:
        return Negation(_formula(node.parts[0], around, examples))
    if node.is_bare and node.kind == "block" and len(node.parts) == 1:
        return _formula(node.parts[0], around, examples)
    test = Expression("", node)

    def holds(docs: Docs) -> bool:
        return _is_true(test(around.bindings(docs, test)))

    literals = (
        *_literals(node),
        *(examples[one.position] for one in _all_nodes(node) if one.position in examples),
    )
    simple = _is_comparison(node)
    return Atom(holds, _places(node, around), (MISSING, *neighbours(literals)), exact=simple)


def _is_comparison(node: Node) -> bool:
    """Whether the neighbours of its literals are one of each kind of value that it tells apart."""
    if node.kind != "binary" or node.value not in {"=", "!=", "<", "<=", ">", ">="} or not node.is_bare:
        return False
    kinds = {part.kind if part.is_bare else "" for part in node.parts}
    plain = all(not one.stages and not one.predicates for one in _all_nodes(node))
    return plain and kinds <= {"path", "variable", "string", "number", "value"}


def _is_true(value: Any) -> bool:
    """As JSONata's $boolean casts."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return any(map(_is_true, value))
    return value is not MISSING and value not in (None, 0, "") and value != {}


def _literals(node: Node) -> Iterator[Json]:
    for one in _all_nodes(node):
        if one.kind in {"string", "number", "value"}:
            yield one.value


def _examples(tree: Node) -> dict[int, str]:
    """Of each regular expression in an unresolved tree, what its plain characters spell."""
    return {one.position: _spelt(one.value[0]) for one in _all_nodes(tree) if one.kind == "regex"}


def _spelt(pattern: str) -> str:
    for matcher, instead in ((r"\\d", "1"), (r"\\w", "a"), (r"\[([^\]\\^])[^\]]*\]", r"\1"), (r"\{\d[^}]*\}", "")):
        pattern = re.sub(matcher, instead, pattern)
    return re.sub(r"[\^$()+*?|\\]", "", pattern)
