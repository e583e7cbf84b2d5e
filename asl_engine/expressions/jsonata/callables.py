"""What JSONata can call: native functions, lambdas and partially applied functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.runtime import ITEMS_PER_STEP, Environment, Evaluation
from asl_engine.expressions.jsonata.signatures import Function
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Evaluate
    from asl_engine.expressions.jsonata.signatures import Signature

__all__ = ["Lambda", "Native", "TailCall", "apply", "finished"]


class Native(Function):
    """``implementation(evaluation, *arguments)``; ``name`` is its name in errors, None if it has none."""

    __slots__ = ("implementation", "name")

    def __init__(
        self, name: str | None, implementation: Callable[..., Any], signature: Signature | None, arity: int
    ) -> None:
        self.name = name
        self.implementation = implementation
        self.signature = signature
        self.arity = arity


class Lambda(Function):
    """A lambda of the expression: its body, and the frame and context in which it was made."""

    __slots__ = ("body", "context", "frame", "parameters")

    def __init__(
        self, parameters: list[str], body: Evaluate, frame: Environment, context: Any, signature: Signature | None
    ) -> None:
        self.parameters = parameters
        self.body = body
        self.frame = frame
        self.context = context
        self.signature = signature
        self.arity = len(parameters)

    def bind(self, arguments: list[Any], evaluation: Evaluation) -> Environment:
        """The frame of one call; its cost is counted here."""
        evaluation.steps -= 1
        if evaluation.steps < 0:
            evaluation.spend(0)
        parameters = self.parameters
        if len(parameters) == 1 and arguments:
            return Environment({parameters[0]: arguments[0]}, self.frame, evaluation)
        names = dict(zip(parameters, arguments, strict=False))
        if len(arguments) < len(parameters):
            for parameter in parameters:
                names.setdefault(parameter, MISSING)
        return Environment(names, self.frame, evaluation)


class TailCall:
    """A call in tail position, returned so that it runs without the frame of its caller."""

    __slots__ = ("arguments", "name", "procedure")

    def __init__(self, procedure: Any, arguments: list[Any], name: str | None) -> None:
        self.procedure = procedure
        self.arguments = arguments
        self.name = name


def apply(procedure: Any, arguments: list[Any], context: Any, evaluation: Evaluation) -> Any:
    """Call a function value; any other value raises ``JsonataError`` T1006."""
    result = _call(procedure, arguments, context, evaluation)
    return finished(result, context, evaluation) if result.__class__ is TailCall else result


def finished(call: TailCall, context: Any, evaluation: Evaluation) -> Any:
    """Run returned tail calls until one gives a value."""
    result: Any = call
    while result.__class__ is TailCall:
        try:
            result = _call(result.procedure, result.arguments, context, evaluation)
        except JsonataError as error:
            if result.name is not None:
                error.fields.setdefault("token", result.name)
            raise
    return result


def _call(procedure: Any, arguments: list[Any], context: Any, evaluation: Evaluation) -> Any:
    if procedure.__class__ is Native:
        evaluation.spend(1)
        return _apply_native(procedure, arguments, context, evaluation)
    if procedure.__class__ is not Lambda:
        raise JsonataError("T1006")
    if procedure.signature is not None:
        arguments = procedure.signature.validate(arguments, context)
    return procedure.body(procedure.context, procedure.bind(arguments, evaluation))


def _apply_native(native: Native, arguments: list[Any], context: Any, evaluation: Evaluation) -> Any:
    try:
        for argument in arguments:
            # A function may look at all of its arguments, so their size counts.
            if argument.__class__ is str or argument.__class__ is dict or isinstance(argument, list):
                evaluation.spend(len(argument) // ITEMS_PER_STEP)
        if native.signature is not None:
            arguments = native.signature.validate(arguments, context)
        return native.implementation(evaluation, *arguments)
    except JsonataError as error:
        if native.name is not None:
            error.fields.setdefault("token", native.name)
        raise
