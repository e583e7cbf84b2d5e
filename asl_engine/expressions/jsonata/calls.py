"""Lambdas and calls: full calls, partial application, and the chain operator (``~>``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.expressions.jsonata.callables import Lambda, Native, TailCall, apply, finished
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.runtime import Sequence, collapse
from asl_engine.expressions.jsonata.signatures import Function
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["application", "call", "lambda_", "partial", "tail_call"]

Compile: TypeAlias = "Callable[[Node], Evaluate]"


def lambda_(node: Node, compile_node: Compile) -> Evaluate:
    parameters = node.value
    signature = node.signature
    body = compile_node(node.parts[0])
    return lambda context, frame: Lambda(parameters, body, frame, context, signature)


def called_name(node: Node) -> str | None:
    """The name of the called function in errors."""
    procedure = node.procedure
    assert procedure is not None  # noqa: S101  the parser gives every call its procedure
    if procedure.kind == "path":
        return str(procedure.parts[0].value)
    return procedure.value if isinstance(procedure.value, str) else None


def compile_procedure(node: Node, code: str, compile_node: Compile) -> Evaluate:
    """The function of a call; ``code`` is the error for a name that lacks its ``$``."""
    assert node.procedure is not None  # noqa: S101  the parser gives every call its procedure
    procedure = compile_node(node.procedure)
    if node.procedure.kind != "path":
        return procedure
    name = node.procedure.parts[0].value

    def evaluate(context: Any, frame: Environment) -> Any:
        function = procedure(context, frame)
        if function is MISSING and isinstance(name, str) and frame.lookup(name) is not MISSING:
            raise JsonataError(code, token=name)
        return function

    return evaluate


def call(node: Node, compile_node: Compile, applied: Evaluate | None = None) -> Evaluate:
    """``function(arguments)``; ``applied ~> function(arguments)`` puts one more argument in front.

    Returns the value, or a sequence if the node processes it further.
    """
    procedure = compile_procedure(node, "T1005", compile_node)
    arguments = [compile_node(part) for part in node.parts]
    if applied is not None:
        arguments.insert(0, applied)
    name = called_name(node)
    collapsing = applied is None and node.is_bare

    def evaluate(context: Any, frame: Environment) -> Any:
        function = procedure(context, frame)
        values = [argument(context, frame) for argument in arguments]
        evaluation = frame.evaluation
        try:
            if function.__class__ is Lambda and function.signature is None:
                # Called here and not by apply(): recursion goes three times as deep.
                result = function.body(function.context, function.bind(values, evaluation))
                if result.__class__ is TailCall:
                    result = finished(result, context, evaluation)
            else:
                result = apply(function, values, context, evaluation)
        except JsonataError as error:
            if name is not None:
                error.fields.setdefault("token", name)
            raise
        return collapse(result) if collapsing and result.__class__ is Sequence else result

    return evaluate


def tail_call(node: Node, compile_node: Compile) -> Evaluate:
    procedure = compile_procedure(node, "T1005", compile_node)
    arguments = [compile_node(part) for part in node.parts]
    name = called_name(node)

    def evaluate(context: Any, frame: Environment) -> Any:
        function = procedure(context, frame)
        return TailCall(function, [argument(context, frame) for argument in arguments], name)

    return evaluate


def partial(node: Node, compile_node: Compile) -> Evaluate:
    procedure = compile_procedure(node, "T1007", compile_node)
    arguments = [None if part.kind == "placeholder" else compile_node(part) for part in node.parts]

    def evaluate(context: Any, frame: Environment) -> Any:
        given = [None if argument is None else (argument(context, frame),) for argument in arguments]
        function = procedure(context, frame)
        if not isinstance(function, Function):
            raise JsonataError("T1008", token=called_name(node))
        return _partially_applied(function, given)

    return evaluate


def _partially_applied(function: Function, given: list[tuple[Any] | None]) -> Native:
    """A function of the open arguments.  Like the reference, it does not check a lambda's signature."""
    called = function
    if isinstance(function, Lambda):
        called = Lambda(function.parameters, function.body, function.frame, function.context, None)

    def implementation(evaluation: Any, *rest: Any) -> Any:
        open_ = iter(rest)
        values = [next(open_, MISSING) if value is None else value[0] for value in given]
        return apply(called, values, None, evaluation)

    return Native(None, implementation, None, given.count(None))


def application(node: Node, compile_node: Compile) -> Evaluate:
    """``left ~> right``: a call with one more argument, a call, or the composition of two functions."""
    left = compile_node(node.parts[0])
    right = node.parts[1]
    if right.kind == "function":
        return call(right, compile_node, left)
    function = compile_node(right)

    def evaluate(context: Any, frame: Environment) -> Any:
        value = left(context, frame)
        applied = function(context, frame)
        if not isinstance(applied, Function):
            raise JsonataError("T2006", value=applied)
        if isinstance(value, Function):
            return _composed(value, applied)
        return apply(applied, [value], None, frame.evaluation)

    return evaluate


def _composed(first: Function, second: Function) -> Native:
    def implementation(evaluation: Any, value: Any = MISSING) -> Any:
        return apply(second, [apply(first, [value], None, evaluation)], None, evaluation)

    return Native(None, implementation, None, 1)
