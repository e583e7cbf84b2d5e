"""Calls: full ones, those at the end of a lambda, partial application, and the chain operator (``~>``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.expressions.jsonata.codegen.loops import emit_loop
from asl_engine.expressions.jsonata.codegen.natives import emit_native_call
from asl_engine.expressions.jsonata.codegen.values import Value
from asl_engine.expressions.jsonata.transform import Transform

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["application", "call", "partial", "tail_call", "transform"]

NO_CONTEXT: Final = Value("None", "n", given=True)


def call(writer: FunctionWriter, node: Node, context: Value) -> Value:
    return _call(writer, node, node.parts, context)


def tail_call(writer: FunctionWriter, node: Node, context: Value) -> Value:
    """A call at the end of a lambda: made by who called the lambda, unless that is known.

    What a function of JSONata gives there is not collapsed, as in the reference implementation.
    """
    value = _call(writer, node, node.parts, context, in_tail=True)
    return value._replace(is_final=True)


def application(writer: FunctionWriter, node: Node, context: Value) -> Value:
    """``left ~> right``: a call with one more argument, a call, or the composition of two functions."""
    left, right = node.parts
    if right.kind == "function":
        return _call(writer, right, [left, *right.parts], context)
    value = writer.emit(left, context)
    function = writer.emit(right, context)
    return writer.let(f"applied({value.atom}, {function.atom}, evaluation)", raw=True)


def transform(writer: FunctionWriter, node: Node, _: Value) -> Value:
    functions = [writer.unit.compile_node(part) for part in node.parts]
    made = writer.constant(Transform(*functions), "transform")
    return writer.let(f"{made}.within({writer.frame_for(node)})", "F")


def partial(writer: FunctionWriter, node: Node, context: Value) -> Value:
    given = [
        "None" if part.kind == "placeholder" else f"({writer.emit(part, context).atom},)" for part in node.parts
    ]
    function = _procedure(writer, node, context, "T1007")
    return writer.let(f"partially_applied({function.atom}, [{', '.join(given)}], {_called_name(node)!r})", "F")


def _called_name(node: Node) -> str | None:
    """The name of the called function in errors."""
    procedure = node.procedure
    assert procedure is not None  # noqa: S101  the parser gives every call its procedure
    if procedure.kind == "path":
        return str(procedure.parts[0].value)
    return procedure.value if isinstance(procedure.value, str) else None


def _native_name(writer: FunctionWriter, node: Node) -> str | None:
    """The name of the function of JSONata that is called, if it is known to be one."""
    procedure = node.procedure
    if procedure is None or procedure.kind != "variable" or not procedure.is_bare:
        return None
    name = str(procedure.value)
    return name if writer.unit.is_builtin(name) else None


def _procedure(writer: FunctionWriter, node: Node, context: Value, code: str) -> Value:
    """The function of a call; ``code`` is the error for a name that lacks its ``$``."""
    procedure = node.procedure
    assert procedure is not None  # noqa: S101  the parser gives every call its procedure
    function = writer.emit(procedure, context)
    if procedure.kind == "path" and isinstance(procedure.parts[0].value, str):
        name = procedure.parts[0].value
        with writer.block(f"if {function.atom} is MISSING:"):
            writer.line(f"unprefixed({writer.variable(name).atom}, {name!r}, {code!r})")
    return function


def _call(
    writer: FunctionWriter, node: Node, arguments: list[Node], context: Value, *, in_tail: bool = False
) -> Value:
    trampolining = in_tail and writer.trampolining
    passed = NO_CONTEXT if in_tail else context  # what a function can take an argument from
    native = _native_name(writer, node)
    if native is not None:
        loop = emit_loop(writer, native, arguments, context)
        if loop is not None:
            return loop
        values = [writer.emit(argument, context) for argument in arguments]
        return emit_native_call(writer, native, values, passed, trampolining=trampolining)
    name = _called_name(node)
    function = _procedure(writer, node, context, "T1005").atom
    values = [writer.emit(argument, context) for argument in arguments]
    given = ", ".join(value.atom for value in values)
    tail_called = f"TailCall({function}, [{given}], {name!r})"
    if trampolining:
        return writer.let(tail_called)
    general = f"called({function}, [{given}], {passed.atom}, evaluation, {name!r})"
    if in_tail:
        general = f"finished({tail_called}, {passed.atom}, evaluation)"
    if not function.isidentifier():
        return writer.let(general, raw=True)
    result = writer.name()
    finishing = f"if {result}.__class__ is TailCall: {result} = finished({result}, {passed.atom}, evaluation)"
    with writer.block(f"if {function}.__class__ is Lambda and {function}.untyped == {len(values)}:"):
        writer.spend(1)
        passing = "".join(f", {value.atom}" for value in values)
        with writer.naming_errors(name):
            writer.line(f"{result} = {function}.body({function}.context, {function}.frame{passing})")
            writer.line("" if in_tail else finishing)
        writer.line(finishing if in_tail else "")  # errors of what follows at the end are not those of this call
    writer.line(f"else: {result} = {general}")
    return Value(result, raw=True)
