"""Operators and conditions, written out for common types; for all others the operator's function is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.expressions.jsonata.codegen.values import Value, condition
from asl_engine.expressions.jsonata.number_text import EXACT
from asl_engine.expressions.jsonata.operators import NAMES

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["binary", "condition_", "negation", "truth_of"]

EXACT_OPERATORS: Final = {"+", "-", "*"}
COMPARISONS: Final = {"<", "<=", ">", ">="}
TYPES: Final = {
    "+": "ifm", "-": "ifm", "*": "ifm", "/": "ifm", "%": "ifm", "=": "b", "!=": "b", "<": "bm", "<=": "bm",
    ">": "bm", ">=": "bm", "&": "s", "in": "b",
}  # fmt: skip


def binary(writer: FunctionWriter, node: Node, context: Value) -> Value:
    symbol = node.value
    if symbol == ":=":
        value = writer.emit(node.parts[1], context)
        writer.bind(node.parts[0].value, value)
        return value
    left = writer.emit(node.parts[0], context)
    if symbol in {"and", "or"}:
        return _logical(writer, node, left, context)
    right = writer.emit(node.parts[1], context)
    general = f"{NAMES[symbol]}({left.atom}, {right.atom}, evaluation)"
    if symbol == "..":
        return writer.let(general, given=True, raw=True)
    types = TYPES[symbol]
    if "m" in types and not left.may_be("m") and not right.may_be("m"):
        types = types.removesuffix("m")
    result = Value(writer.name(), types, given=True)
    if symbol in EXACT_OPERATORS:
        calculated = f"{left.atom} {symbol} {right.atom}"
        exact = f"{-EXACT} <= ({result.atom} := {calculated}) <= {EXACT}"
        writer.line(f"if {condition(left.is_a('i'), right.is_a('i'), exact)}: pass")
        writer.line(f"else: {result.atom} = {general}")
    elif symbol in COMPARISONS:
        compared = f"{left.atom} {symbol} {right.atom}"
        writer.line(f"{result.atom} = {compared} if {_alike(left, right)} else {general}")
    elif symbol == "=" and (left.only("s") or right.only("s")):
        writer.line(f"{result.atom} = {left.atom} == {right.atom}")  # nothing but a text is equal to a text
    elif symbol == "=":
        both = condition(left.is_a("s"), right.is_a("s"))
        writer.line(f"{result.atom} = {left.atom} == {right.atom} if {both} else {general}")
    else:
        writer.line(f"{result.atom} = {general}")
    return result


def _alike(left: Value, right: Value) -> str:
    """The condition that both are numbers, or both are texts; at least in the cases that are common."""
    for one, other in ((left, right), (right, left)):
        if one.only("if"):
            return other.is_a("if")
        if one.only("s"):
            return other.is_a("s")
    return condition(left.is_a("i"), right.is_a("i"))


def _logical(writer: FunctionWriter, node: Node, left: Value, context: Value) -> Value:
    result = writer.name()
    writer.line(f"{result} = {truth_of(left)}")
    with writer.block(f"if {result}:" if node.value == "and" else f"if not {result}:"):
        right = writer.emit(node.parts[1], context)
        writer.line(f"{result} = {truth_of(right)}")
    return Value(result, "b", given=True)


def truth_of(value: Value) -> str:
    """The expression for the boolean that a value is cast to."""
    if value.only("b"):
        return value.atom
    if value.only("bm"):
        return f"{value.atom} is True"
    if value.only("s"):
        return f"{value.atom} != ''"
    return f"({value.atom} if {value.is_a('b')} else truth({value.atom}, evaluation))"


def negation(writer: FunctionWriter, node: Node, context: Value) -> Value:
    operand = writer.emit(node.parts[0], context)
    return writer.let(f"negated({operand.atom})", "ifm", given=True)


def condition_(writer: FunctionWriter, node: Node, context: Value) -> Value:
    test, *branches = node.parts
    tested = writer.emit(test, context)
    result = writer.name()
    taken = []
    for header, branch in zip((f"if {truth_of(tested)}:", "else:"), (*branches, None), strict=False):
        with writer.block(header):
            value = Value("MISSING", "m", given=True) if branch is None else writer.emit(branch, context)
            writer.line(f"{result} = {value.atom}")
        taken.append(value)
    one, other = taken
    types = "" if not one.types or not other.types else "".join(sorted({*one.types, *other.types}))
    final = one.is_final or other.is_final
    return Value(result, types, given=one.given and other.given, raw=one.raw or other.raw, is_final=final)
