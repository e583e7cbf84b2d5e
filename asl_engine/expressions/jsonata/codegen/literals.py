"""Literals, and the constructors of arrays and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.expressions.jsonata.codegen.values import Value
from asl_engine.expressions.jsonata.groups import compile_group

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["array", "literal", "object_"]

LETTERS: Final = {int: "i", float: "f", str: "s", bool: "b", type(None): "n"}
ITEMS: Final = "ifsbnd"  # what an array constructor takes as one item


def literal(writer: FunctionWriter, node: Node, _: Value) -> Value:
    value = node.value
    length = len(value) if isinstance(value, str) else None
    return Value(writer.constant(value), LETTERS.get(value.__class__, "F"), given=True, length=length)


def array(writer: FunctionWriter, node: Node, context: Value) -> Value:
    """An array among the items is merged, unless its constructor stands here."""
    result = writer.name()
    writer.spend(len(node.parts))
    values: list[Value] = []
    simple = True
    for part in node.parts:
        value = writer.emit(part, context)
        if simple and not (value.only(ITEMS) or (part.kind == "array" and value.only("l"))):
            simple = False
            writer.line(f"{result} = [{', '.join(each.atom for each in values)}]")
        values.append(value)
        if not simple:
            _add_item(writer, result, value, whole=part.kind == "array")
    if simple:
        writer.line(f"{result} = [{', '.join(each.atom for each in values)}]")
    if node.cons:
        writer.line(f"{result} = Cons({result})")
    return Value(result, "l", given=not node.cons and all(value.given for value in values))


def _add_item(writer: FunctionWriter, result: str, value: Value, *, whole: bool) -> None:
    item = value.atom
    if value.only(ITEMS):
        writer.line(f"{result}.append({item})")
    elif whole:
        writer.line(f"{value.if_present}{result}.append({item})")
    else:
        with writer.block(f"if isinstance({item}, list):"):
            writer.spend(f"len({item})")
            writer.line(f"{result}.extend({item})")
        writer.line(f"elif {item} is not MISSING: {result}.append({item})")


def object_(writer: FunctionWriter, node: Node, context: Value) -> Value:
    """An object made from a single value.  One made from an array groups its items, which is done elsewhere."""
    result = writer.name()
    if context.may_be("l"):
        unit = writer.unit
        grouped = writer.later(lambda: compile_group(node, unit.compile_node))
        frame = writer.passing_frame(node)
        with writer.block(f"if {context.is_a('l')}:"):
            writer.line(f"{result} = {grouped}({context.atom}, {frame})")
        with writer.block("else:"):
            _members(writer, node, context, result)
    else:
        _members(writer, node, context, result)
    return Value(result, "d")


def _members(writer: FunctionWriter, node: Node, context: Value, result: str) -> None:
    writer.spend(len(node.pairs))
    keys = [key.value for key, _ in node.pairs if key.kind == "string" and key.is_bare]
    if len(set(keys)) == len(node.pairs):
        _named_members(writer, node, context, result)
        return
    made = writer.name()
    writer.line(f"{made} = set()")
    names = []
    for key, _ in node.pairs:
        name = writer.emit(key, context)
        writer.line(f"{name.if_present}new_key({name.atom}, {made})")
        names.append(name)
    writer.line(f"{result} = {{}}")
    for name, (_, member) in zip(names, node.pairs, strict=True):
        with writer.block(name.if_present or "if True:"):
            value = writer.emit(member, context)
            writer.line(f"{value.if_present}{result}[{name.atom}] = {value.atom}")


def _named_members(writer: FunctionWriter, node: Node, context: Value, result: str) -> None:
    members = [(repr(key.value), writer.emit(member, context)) for key, member in node.pairs]
    if all(not value.may_be("m") for _, value in members):
        writer.line(f"{result} = {{{', '.join(f'{key}: {value.atom}' for key, value in members)}}}")
        return
    writer.line(f"{result} = {{}}")
    for key, value in members:
        writer.line(f"{value.if_present}{result}[{key}] = {value.atom}")
