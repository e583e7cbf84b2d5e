"""Compiles the resolved tree to closures: each construct becomes a function of the context and the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata import calls, navigation
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.filters import compile_filter
from asl_engine.expressions.jsonata.functions.regexes import compile_regex
from asl_engine.expressions.jsonata.groups import compile_group
from asl_engine.expressions.jsonata.names import walk
from asl_engine.expressions.jsonata.operators import OPERATORS
from asl_engine.expressions.jsonata.paths import compile_path, walks
from asl_engine.expressions.jsonata.runtime import Cons, Sequence, collapse
from asl_engine.expressions.jsonata.transform import compile_transform
from asl_engine.expressions.jsonata.values import is_number, truth
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["compile_node"]

# These never give a sequence that must still be collapsed.
PLAIN: Final = {
    "function",
    "tail call",
    "number",
    "string",
    "value",
    "object",
    "array",
    "lambda",
    "partial",
    "regex",
    "negation",
}


def compile_node(node: Node) -> Evaluate:
    evaluate = COMPILERS[node.kind](node)
    for predicate in node.predicates:
        evaluate = _filtered(evaluate, compile_filter(predicate.parts[0], compile_node))
    if node.group is not None and node.kind != "path":
        evaluate = _grouped(evaluate, compile_group(node.group, compile_node))
    if node.is_bare and (node.kind in PLAIN or (node.kind == "path" and walks(node))):
        return evaluate
    return _kept(evaluate) if node.keep_array else _collapsed(evaluate)


def _collapsed(evaluate: Evaluate) -> Evaluate:
    def collapsed(context: Any, frame: Environment) -> Any:
        result = evaluate(context, frame)
        return collapse(result) if result.__class__ is Sequence else result

    return collapsed


def _kept(evaluate: Evaluate) -> Evaluate:
    """``[]``: a sequence of one stays an array."""

    def kept(context: Any, frame: Environment) -> Any:
        result = evaluate(context, frame)
        if result.__class__ is not Sequence:
            return result
        if not result.keep_singleton:
            result = Sequence(result)
            result.keep_singleton = True
        return collapse(result)

    return kept


def _filtered(evaluate: Evaluate, filter_: Evaluate) -> Evaluate:
    return lambda context, frame: filter_(evaluate(context, frame), frame)


def _grouped(evaluate: Evaluate, group: Evaluate) -> Evaluate:
    return lambda context, frame: group(evaluate(context, frame), frame)


def literal(node: Node) -> Evaluate:
    value = node.value
    return lambda _, __: value


def variable(node: Node) -> Evaluate:
    name = node.value
    if name == "":
        return lambda context, _: context
    return lambda _, frame: frame.lookup(name)


def ancestor(node: Node) -> Evaluate:
    slot = node.ancestor
    assert slot is not None  # noqa: S101  the resolver gives every % its slot
    return lambda _, frame: frame.lookup(slot.label)


def binary(node: Node) -> Evaluate:
    symbol = node.value
    if symbol in BINARY:
        return BINARY[symbol](node)
    left, right = map(compile_node, node.parts)
    operate = OPERATORS[symbol]

    def evaluate(context: Any, frame: Environment) -> Any:
        one = left(context, frame)
        other = right(context, frame)
        try:
            return operate(one, other, frame.evaluation)
        except JsonataError as error:
            error.fields["token"] = symbol
            raise

    return _collapsed(evaluate) if symbol == ".." else evaluate


def conjunction(node: Node) -> Evaluate:
    left, right = map(compile_node, node.parts)
    return lambda context, frame: (
        truth(left(context, frame), frame.evaluation) and truth(right(context, frame), frame.evaluation)
    )


def disjunction(node: Node) -> Evaluate:
    left, right = map(compile_node, node.parts)
    return lambda context, frame: (
        truth(left(context, frame), frame.evaluation) or truth(right(context, frame), frame.evaluation)
    )


def bind(node: Node) -> Evaluate:
    name = node.parts[0].value
    value = compile_node(node.parts[1])

    def evaluate(context: Any, frame: Environment) -> Any:
        result = value(context, frame)
        frame.names[name] = result
        return result

    return evaluate


def negation(node: Node) -> Evaluate:
    operand = compile_node(node.parts[0])

    def evaluate(context: Any, frame: Environment) -> Any:
        value = operand(context, frame)
        if value is MISSING:
            return MISSING
        if not is_number(value):
            raise JsonataError("D1002", value=value)
        return -value

    return evaluate


def array(node: Node) -> Evaluate:
    items = [(compile_node(part), part.kind == "array") for part in node.parts]
    make = Cons if node.cons else list

    def evaluate(context: Any, frame: Environment) -> Any:
        frame.evaluation.spend(len(items))
        result: list[Any] = []
        for item, whole in items:
            value = item(context, frame)
            if value is MISSING:
                continue
            if whole or not isinstance(value, list):
                result.append(value)
            else:
                frame.evaluation.spend(len(value))
                result.extend(value)
        return make(result)

    return evaluate


def object_(node: Node) -> Evaluate:
    return compile_group(node, compile_node)


def condition(node: Node) -> Evaluate:
    test, then, *rest = map(compile_node, node.parts)
    otherwise = rest[0] if rest else _nothing

    def evaluate(context: Any, frame: Environment) -> Any:
        taken = then if truth(test(context, frame), frame.evaluation) else otherwise
        return taken(context, frame)

    return evaluate


def _nothing(_: Any, __: Environment) -> Any:
    return MISSING


def block(node: Node) -> Evaluate:
    expressions = [compile_node(part) for part in node.parts]
    if not expressions:
        return _nothing
    *before, last = expressions
    if not before and not any(part.value == ":=" for part in walk(node)):
        return last  # a frame that nothing is bound in makes no difference

    def evaluate(context: Any, frame: Environment) -> Any:
        inner = frame.inner({})
        for expression in before:
            expression(context, inner)
        return last(context, inner)

    return evaluate


def path(node: Node) -> Evaluate:
    return compile_path(node, compile_node)


def transform(node: Node) -> Evaluate:
    return compile_transform(*map(compile_node, node.parts))


def regex(node: Node) -> Evaluate:
    matcher = compile_regex(*node.value, position=node.position)
    return lambda _, __: matcher


def name(node: Node) -> Evaluate:
    key = node.value
    return lambda context, frame: navigation.member(context, key, frame.evaluation)


def wildcard(_: Node) -> Evaluate:
    return navigation.wildcard


def descendant(_: Node) -> Evaluate:
    return navigation.descendants


BINARY: Final[dict[str, Callable[[Node], Evaluate]]] = {"and": conjunction, "or": disjunction, ":=": bind}
COMPILERS: Final[dict[str, Callable[[Node], Evaluate]]] = {
    "number": literal, "string": literal, "value": literal, "variable": variable, "parent": ancestor,
    "binary": binary, "negation": negation, "array": array, "object": object_, "condition": condition,
    "block": block, "path": path, "transform": transform, "regex": regex,
    "name": name, "wildcard": wildcard, "descendant": descendant,
    "lambda": lambda node: calls.lambda_(node, compile_node),
    "function": lambda node: calls.call(node, compile_node),
    "tail call": lambda node: calls.tail_call(node, compile_node),
    "partial": lambda node: calls.partial(node, compile_node),
    "apply": lambda node: calls.application(node, compile_node),
}  # fmt: skip
