"""A compiled expression: from its text to the value it has for given bindings."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.functions.builtins import BUILTINS
from asl_engine.expressions.jsonata.names import free_variables, out_of_place, reads_error_output
from asl_engine.expressions.jsonata.navigation import LISTS
from asl_engine.expressions.jsonata.parser import parse
from asl_engine.expressions.jsonata.paths import walks
from asl_engine.expressions.jsonata.resolver import resolve
from asl_engine.expressions.jsonata.runtime import CHARACTERS_PER_STEP, Environment, Evaluation
from asl_engine.expressions.jsonata.signatures import Function
from asl_engine.expressions.regex_limits import SECONDS
from asl_engine.json_text import is_half
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from asl_engine.expressions.effort import Effort
    from asl_engine.expressions.jsonata.runtime import Evaluate
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = [
    "DEFAULT_REGEX_SECONDS",
    "DEFAULT_STEPS",
    "Bindings",
    "Expression",
    "UnsupportedResult",
    "compile_jsonata",
]

# A step is a call, an item read or 64 characters written: these steps take some seconds.
DEFAULT_STEPS: Final = 2_000_000
DEFAULT_REGEX_SECONDS: Final = SECONDS
CACHED_EXPRESSIONS: Final = 1024
LATER: Final = {"??": "$exists(a) ? a : b", "?:": "a ? a : b"}
NOT_FINITE: Final = {math.inf: "Infinity", -math.inf: "-Infinity"}
NOTHING_HIDDEN: Final[frozenset[str]] = frozenset()
# Values of these types are JSON, or nothing.
PLAIN: Final[set[Any]] = {int, bool, type(None)}
SCALARS: Final[set[Any]] = {*PLAIN, type(MISSING)}


class UnsupportedResult(Exception):
    """The result of an expression has something in it that is not JSON: a function, or half a character."""


class Bindings:
    """The surroundings of an expression, and the bounds of its evaluation.

    ``states`` is the object ``$states``; ``variables`` are the workflow's variables by name.  ``random``
    is the source of $random, $uuid and $shuffle, ``now`` (milliseconds since the epoch) is the time of $now and
    $millis.  ``steps`` bounds the work of one evaluation, ``regex_seconds`` that of one match of a
    regular expression, ``effort`` that of all evaluations of a decision.  All values are taken as immutable JSON.
    """

    __slots__ = ("effort", "now", "random", "regex_seconds", "states", "steps", "variables")

    def __init__(
        self,
        states: Json,
        variables: Mapping[str, Json],
        random: Random,
        now: int = 0,
        *,
        steps: int = DEFAULT_STEPS,
        regex_seconds: float = DEFAULT_REGEX_SECONDS,
        effort: Effort | None = None,
    ) -> None:
        self.effort = effort
        self.states = states
        self.variables = variables
        self.random = random
        self.now = now
        self.steps = steps
        self.regex_seconds = regex_seconds


class Expression:
    """A compiled expression.

    ``variables`` are the names it takes from outside, $states among them; ``out_of_place`` are names that
    refer to no input, and ``reads_error_output`` tells whether it reads ``$states.errorOutput``.
    The code is made when an expression is first evaluated: many never are.
    """

    __slots__ = (
        "_evaluate",
        "_functions",
        "_selects",
        "_tree",
        "out_of_place",
        "reads_error_output",
        "text",
        "variables",
    )

    def __init__(self, text: str, tree: Node) -> None:
        names = free_variables(tree)
        self.text = text
        self.variables = frozenset(names - BUILTINS.keys())
        self.out_of_place = tuple(out_of_place(tree))
        self.reads_error_output = reads_error_output(tree)
        self._tree = tree
        self._functions = frozenset(names & BUILTINS.keys())
        self._evaluate: dict[frozenset[str], Evaluate] = {}  # by the functions that a variable hides
        # A variable, or a path of names from one: its value is JSON as it was given.  What follows it in
        # brackets or braces makes another value of it.
        self._selects = tree.is_bare and (
            tree.kind == "variable" or (tree.kind == "path" and walks(tree) and tree.parts[0].kind == "variable")
        )

    def __call__(self, bindings: Bindings) -> Json | Missing:
        """The value, or MISSING for nothing.

        Raises ``JsonataError`` if the evaluation fails, and ``UnsupportedResult`` for what is not JSON.
        """
        evaluation = Evaluation(
            bindings.random, bindings.now, bindings.steps, bindings.regex_seconds, bindings.effort
        )
        frame = Environment({**bindings.variables, "states": bindings.states}, GLOBAL, evaluation)
        try:
            hidden = NOTHING_HIDDEN if self._functions.isdisjoint(bindings.variables) else self._hidden(bindings)
            evaluate = self._evaluate.get(hidden) or self._made(hidden)
            result: Json | Missing = evaluate(MISSING, frame)
            if not self._given(result):
                result = _as_json(result, evaluation, _Known(bindings))
        except RecursionError:
            raise JsonataError("D1011") from None
        except OverflowError:  # an integer that no double can hold
            raise JsonataError("D1001", value=math.inf) from None
        evaluation.end()
        return result

    def _hidden(self, bindings: Bindings) -> frozenset[str]:
        return self._functions.intersection(bindings.variables)

    def _made(self, hidden: frozenset[str]) -> Evaluate:
        from asl_engine.expressions.jsonata.compiler import compile_node

        made = self._evaluate[hidden] = compile_node(self._tree, hidden, has_context=False)
        return made

    @property
    def source(self) -> str:
        """The Python that the expression is compiled to."""
        from asl_engine.expressions.jsonata.compiler import generated_source

        return generated_source(self._tree)

    def _given(self, result: object) -> bool:
        """Whether the result is known to be JSON without inspection."""
        kind = result.__class__
        if kind is str:
            return str(result).isascii()
        return kind in SCALARS or (self._selects and kind in {dict, list})


# Nothing is evaluated in this frame: it holds names only.
GLOBAL: Final = Environment(BUILTINS, None, None)  # type: ignore[arg-type]  # nothing is evaluated in it


class _Known:
    """The values that are known to be JSON, by identity: they need no inspection, but may be repeated.

    The first time, one costs nothing.  Every further time it costs its size: its text is written again.
    """

    __slots__ = ("_steps",)

    def __init__(self, bindings: Bindings) -> None:
        states = bindings.states
        values = [states, *states.values()] if isinstance(states, dict) else []
        values += bindings.variables.values()
        self._steps: dict[int, int | None] = {
            id(value): None for value in values if isinstance(value, dict | list)
        }

    def __contains__(self, value: Json) -> bool:
        return id(value) in self._steps

    def spend(self, value: Json, evaluation: Evaluation) -> None:
        steps = self._steps[id(value)]
        if steps is None:
            self._steps[id(value)] = 0
            return
        if steps == 0:
            steps = self._steps[id(value)] = _size(value)
        evaluation.spend(steps)


def _size(value: Json) -> int:
    """How many steps it takes to write a value."""
    steps = 0
    left: list[Json] = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str):
            steps += len(one) // CHARACTERS_PER_STEP
        steps += 1
    return steps


def _as_json(value: Any, evaluation: Evaluation, known: _Known) -> Any:
    """The value as JSON, which it may be already.  Raises ``UnsupportedResult``."""
    kind = value.__class__
    if kind is dict or kind in LISTS:
        if value in known:
            known.spend(value, evaluation)
            return value
        evaluation.steps -= len(value)
        if evaluation.steps < 0:
            evaluation.spend(0)
        return _object(value, evaluation, known) if kind is dict else _array(value, evaluation, known)
    if kind is str:
        if len(value) >= CHARACTERS_PER_STEP:
            evaluation.spend_text(len(value))
        return value if value.isascii() else _whole_text(value)
    if kind is float:
        # JSON has no such numbers: AWS has been reported to give their Java names.
        return float(value) if math.isfinite(value) else NOT_FINITE.get(value, "NaN")
    if isinstance(value, Function):
        raise UnsupportedResult
    return None if value is MISSING else value


def _object(members: dict[str, Any], evaluation: Evaluation, known: _Known) -> dict[str, Any]:
    made = members
    for key, item in members.items():
        kind = item.__class__
        if kind in PLAIN or (kind is str and len(item) < CHARACTERS_PER_STEP and item.isascii()):
            continue
        value = _as_json(item, evaluation, known)
        if value is not item:
            made = {**members} if made is members else made
            made[key] = value
    if not "".join(members).isascii():
        for key in members:
            _whole_text(key)
    return made


def _array(items: list[Any], evaluation: Evaluation, known: _Known) -> list[Any]:
    return [
        item
        if (kind := item.__class__) in PLAIN
        or (kind is str and len(item) < CHARACTERS_PER_STEP and item.isascii())
        else _as_json(item, evaluation, known)
        for item in items
    ]


def _whole_text(text: str) -> str:
    """The text itself: no UTF-8, and so no database, can hold half of a character."""
    if is_half(text):
        raise UnsupportedResult
    return text


def _hint(text: str, position: int | None) -> str:
    """What to write instead of an operator of a later version, which is wrong at its second character."""
    operator = text[position - 1 : position + 1] if position else ""
    instead = LATER.get(operator)
    if instead is None:
        return ""
    return f" ('{operator}' came with JSONata 2.1, and Step Functions has 2.0.6: write {instead})"


@lru_cache(maxsize=CACHED_EXPRESSIONS)
def compile_jsonata(text: str) -> Expression:
    """Compile the inside of ``{% ... %}``.  Raises ``ExpressionSyntaxError``.

    Compiled expressions are kept: they are immutable, and the same text gives the same object.
    """
    try:
        return Expression(text, resolve(parse(text)))
    except JsonataError as error:
        raise ExpressionSyntaxError(f"{error}{_hint(text, error.position)}", text, error.position) from None
    except RecursionError:
        raise ExpressionSyntaxError("The expression is nested too deeply", text) from None
