"""Variables, and what binds them: blocks and lambdas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.expressions.jsonata.codegen.values import Value
from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter
from asl_engine.expressions.jsonata.names import bindings_of

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["ancestor", "block", "lambda_", "variable"]


def variable(writer: FunctionWriter, node: Node, context: Value) -> Value:
    return context if node.value == "" else writer.variable(node.value)


def ancestor(writer: FunctionWriter, node: Node, _: Value) -> Value:
    slot = node.ancestor
    assert slot is not None  # noqa: S101  the resolver gives every % its slot
    return writer.let(f"frame.lookup({slot.label!r})", raw=True)


def block(writer: FunctionWriter, node: Node, context: Value) -> Value:
    """Expressions one after the other; the value of the last.  Where nothing is bound, there is no scope."""
    names = bindings_of(node)
    if not names:
        return _statements(writer, node.parts, context)
    count = sum(_chained_bindings(part) for part in node.parts)
    with writer.scoped(set(names), {}, count if count == len(names) else None):
        return _statements(writer, node.parts, context)


def _statements(writer: FunctionWriter, parts: list[Node], context: Value) -> Value:
    value = Value("MISSING", "m", given=True)
    for part in parts:
        value = _statement(writer, part, context)
    return value


def _is_binding(node: Node) -> bool:
    return node.kind == "binary" and node.value == ":=" and node.is_bare


def _chained_bindings(node: Node) -> int:
    """How many names a statement binds whatever happens in it: ``$a := $b := 1``."""
    return 1 + _chained_bindings(node.parts[1]) if _is_binding(node) else 0


def _statement(writer: FunctionWriter, node: Node, context: Value) -> Value:
    if not _is_binding(node):
        return writer.emit(node, context)
    value = _statement(writer, node.parts[1], context)
    writer.bind(node.parts[0].value, value)
    return value


def lambda_(writer: FunctionWriter, node: Node, context: Value) -> Value:
    function, signature = _function(writer, node), writer.constant(node.signature)
    frame = writer.frame_for(node)
    return writer.let(f"Lambda({len(node.value)}, {function}, {frame}, {context.atom}, {signature})", "F")


def _function(writer: FunctionWriter, node: Node) -> str:
    """The name of a function ``(context, frame, *parameters)``."""
    inner = FunctionWriter(writer.unit, trampolining=True, depth=writer.depth)
    arguments = [inner.name("p") for _ in node.value]
    values = {name: Value(argument, raw=True) for name, argument in zip(node.value, arguments, strict=True)}
    body = node.parts[0]
    own = [] if body.kind == "block" else bindings_of(body)
    with inner.scoped({*node.value, *own}, values, None if own else 0):
        result = inner.emit(body, Value("context", raw=True))
        inner.line(f"return {result.atom}")
    return writer.unit.add(inner, ", ".join(["context", "frame", *arguments]))
