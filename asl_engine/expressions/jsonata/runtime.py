"""What exists while an expression is evaluated: sequences, frames of names, functions, and the budget.

Evaluation is pure and bounded: the clock and the randomness are given, and every step is paid for, so
that an expression without end fails instead of holding up the engine.  Counting steps rather than
seconds makes the outcome the same on every machine and in every replay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.jsontypes import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from asl_engine.expressions.jsonata.signatures import Signature

__all__ = [
    "Cons",
    "Evaluate",
    "Evaluation",
    "Frame",
    "Function",
    "Lambda",
    "Native",
    "Sequence",
    "TailCall",
    "TupleStream",
    "apply",
    "collapse",
    "finished",
]

# MISSING stands for JSONata's "undefined" everywhere.
Evaluate: TypeAlias = "Callable[[Any, Frame], Any]"

CHARACTERS_PER_STEP: Final = 64
ITEMS_PER_STEP: Final = 8  # that a function only looks at


class Sequence(list[Any]):
    """Values on their way: a sequence of one is that one, an empty one is nothing.  Arrays stay arrays."""

    __slots__ = ("keep_singleton",)

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.keep_singleton = False


class TupleStream(Sequence):
    """A sequence of frames: each item is the value ("@") with the names bound along the path."""

    __slots__ = ()


class Cons(list[Any]):
    """An array that a constructor within a path made: the path does not flatten it."""

    __slots__ = ()


def collapse(sequence: Sequence) -> Any:
    """What a sequence is worth once it is a value."""
    if len(sequence) > 1 or sequence.__class__ is TupleStream:
        return sequence
    if not sequence:
        return MISSING
    return sequence if sequence.keep_singleton else sequence[0]


class Evaluation:
    """One evaluation: its remaining steps, its clock (milliseconds since the epoch), its randomness."""

    __slots__ = ("limit", "now", "random", "regex_seconds", "steps")

    def __init__(self, random: Random, now: int, steps: int, regex_seconds: float) -> None:
        self.random = random
        self.now = now
        self.limit = steps
        self.steps = steps
        self.regex_seconds = regex_seconds

    def spend(self, steps: int) -> None:
        """Raises ``JsonataError`` D1012 when the budget is used up."""
        self.steps -= steps
        if self.steps < 0:
            raise JsonataError("D1012", value=self.limit)

    def spend_text(self, length: int) -> None:
        """To be called before a text of this many characters is made."""
        self.spend(length // CHARACTERS_PER_STEP)


class Frame:
    """Names and their values, over those of the enclosing frame."""

    __slots__ = ("evaluation", "names", "outer")

    def __init__(self, names: dict[str, Any], outer: Frame | None, evaluation: Evaluation) -> None:
        self.names = names
        self.outer = outer
        self.evaluation = evaluation

    def inner(self, names: dict[str, Any]) -> Frame:
        return Frame(names, self, self.evaluation)

    def lookup(self, name: str) -> Any:
        frame: Frame | None = self
        while frame is not None:
            names = frame.names
            if name in names:
                return names[name]
            frame = frame.outer
        return MISSING


class Function:
    """A function value.  ``arity`` tells a higher-order function how much to pass."""

    __slots__ = ("arity", "signature")

    arity: int
    signature: Signature | None


class Native(Function):
    """``implementation(evaluation, *arguments)``; ``name`` is what errors call it, None if it has none."""

    __slots__ = ("implementation", "name")

    def __init__(
        self, name: str | None, implementation: Callable[..., Any], signature: Signature | None, arity: int
    ) -> None:
        self.name = name
        self.implementation = implementation
        self.signature = signature
        self.arity = arity


class Lambda(Function):
    """A function of the expression: its body, and the frame and the context it was made in."""

    __slots__ = ("body", "context", "frame", "parameters")

    def __init__(
        self, parameters: list[str], body: Evaluate, frame: Frame, context: Any, signature: Signature | None
    ) -> None:
        self.parameters = parameters
        self.body = body
        self.frame = frame
        self.context = context
        self.signature = signature
        self.arity = len(parameters)

    def bind(self, arguments: list[Any], evaluation: Evaluation) -> Frame:
        """The frame of one call, which is paid for here."""
        evaluation.steps -= 1
        if evaluation.steps < 0:
            evaluation.spend(0)
        parameters = self.parameters
        if len(parameters) == 1 and arguments:
            return Frame({parameters[0]: arguments[0]}, self.frame, evaluation)
        names = dict(zip(parameters, arguments, strict=False))
        if len(arguments) < len(parameters):
            for parameter in parameters:
                names.setdefault(parameter, MISSING)
        return Frame(names, self.frame, evaluation)


class TailCall:
    """A call in tail position, handed back to be made where the frame of its caller is gone."""

    __slots__ = ("arguments", "name", "procedure")

    def __init__(self, procedure: Any, arguments: list[Any], name: str | None) -> None:
        self.procedure = procedure
        self.arguments = arguments
        self.name = name


def apply(procedure: Any, arguments: list[Any], context: Any, evaluation: Evaluation) -> Any:
    """Call a function value; whatever else it is raises ``JsonataError`` T1006."""
    result = _call(procedure, arguments, context, evaluation)
    return finished(result, context, evaluation) if result.__class__ is TailCall else result


def finished(call: TailCall, context: Any, evaluation: Evaluation) -> Any:
    """Make the calls that were handed back, until one gives a value."""
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
            # Whatever a function does, it may look at everything it is given.
            if argument.__class__ is str or argument.__class__ is dict or isinstance(argument, list):
                evaluation.spend(len(argument) // ITEMS_PER_STEP)
        if native.signature is not None:
            arguments = native.signature.validate(arguments, context)
        return native.implementation(evaluation, *arguments)
    except JsonataError as error:
        if native.name is not None:
            error.fields.setdefault("token", native.name)
        raise
