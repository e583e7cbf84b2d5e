"""What JSONata can call: native functions, lambdas and partially applied functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.runtime import ITEMS_PER_STEP
from asl_engine.expressions.jsonata.signatures import Function
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Environment, Evaluation
    from asl_engine.expressions.jsonata.signatures import Signature

__all__ = [
    "Lambda",
    "Native",
    "TailCall",
    "applied",
    "apply",
    "called",
    "finished",
    "no_function",
    "partially_applied",
    "size",
    "unprefixed",
]


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
    """A lambda of the expression: its body, and the frame and context in which it was made.

    ``body(context, frame, *arguments)`` takes as many arguments as there are parameters.  ``untyped`` is their
    number, or -1 where a signature has to be checked first.
    """

    __slots__ = ("body", "context", "frame", "untyped")

    def __init__(
        self, arity: int, body: Callable[..., Any], frame: Environment, context: Any, signature: Signature | None
    ) -> None:
        self.body = body
        self.frame = frame
        self.context = context
        self.signature = signature
        self.arity = arity
        self.untyped = arity if signature is None else -1

    def call(self, arguments: list[Any], evaluation: Evaluation) -> Any:
        """The result, which may be a ``TailCall``.  The cost of a call is counted here."""
        evaluation.steps -= 1
        if evaluation.steps < 0:
            evaluation.spend(0)
        missing = self.arity - len(arguments)
        if missing:
            arguments = [*arguments[: self.arity], *[MISSING] * missing]
        return self.body(self.context, self.frame, *arguments)


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
    return procedure.call(arguments, evaluation)


def called(procedure: Any, arguments: list[Any], context: Any, evaluation: Evaluation, name: str | None) -> Any:
    """A call in an expression, under this name: the value, or a sequence that is still to be collapsed."""
    try:
        return apply(procedure, arguments, context, evaluation)
    except JsonataError as error:
        if name is not None:
            error.fields.setdefault("token", name)
        raise


def unprefixed(function: Any, name: str, code: str) -> None:
    """A name was called that lacks its ``$``: with it, ``function`` would have been."""
    if function is not MISSING:
        raise JsonataError(code, token=name)


def no_function(start: Any) -> Any:
    """The third argument of ``$reduce``, as far as its signature allows it."""
    if isinstance(start, Function):
        raise JsonataError("T0410", index=3)
    return start


def size(value: Any) -> int:
    """What it costs to hand a value over to a native function, which may look at all of it."""
    if value.__class__ is str or value.__class__ is dict or isinstance(value, list):
        return len(value) // ITEMS_PER_STEP
    return 0


def partially_applied(function: Any, given: list[tuple[Any] | None], name: str | None) -> Native:
    """A function of the open arguments.  Like the reference, it does not check a lambda's signature."""
    if not isinstance(function, Function):
        raise JsonataError("T1008", token=name)
    procedure = function
    if isinstance(function, Lambda):
        procedure = Lambda(function.arity, function.body, function.frame, function.context, None)

    def implementation(evaluation: Evaluation, *rest: Any) -> Any:
        open_ = iter(rest)
        values = [next(open_, MISSING) if value is None else value[0] for value in given]
        return apply(procedure, values, None, evaluation)

    return Native(None, implementation, None, given.count(None))


def applied(value: Any, function: Any, evaluation: Evaluation) -> Any:
    """``value ~> function``: a call, or the composition of two functions."""
    if not isinstance(function, Function):
        raise JsonataError("T2006", value=function)
    if isinstance(value, Function):
        return _composed(value, function)
    return apply(function, [value], None, evaluation)


def _composed(first: Function, second: Function) -> Native:
    def implementation(evaluation: Evaluation, value: Any = MISSING) -> Any:
        return apply(second, [apply(first, [value], None, evaluation)], None, evaluation)

    return Native(None, implementation, None, 1)


def _apply_native(native: Native, arguments: list[Any], context: Any, evaluation: Evaluation) -> Any:
    try:
        evaluation.spend(sum(map(size, arguments)))
        if native.signature is not None:
            arguments = native.signature.validate(arguments, context)
        return native.implementation(evaluation, *arguments)
    except JsonataError as error:
        if native.name is not None:
            error.fields.setdefault("token", native.name)
        raise
