"""Expressions that somebody asks while an execution is held: JSONPath or JSONata, in the scope of a place.

They see what the state's own expressions see: the data at hand, the variables and the context object.  JSONata
is asked without its ``{% %}``, though they may be there.  In a JSONPath state a question is a path, an intrinsic
function, a comparison of one of these (``$.total > 100``), a Choice rule in JSON, or else JSONata.
"""

from __future__ import annotations

import logging
import operator
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core.decision import Decision
from asl_engine.core.interpreter import any_activity
from asl_engine.core.lazy_random import LazyRandom
from asl_engine.errors import EvaluationError, InvalidInput, StatesError
from asl_engine.expressions.errors import ExpressionSyntaxError, PathNotFound
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import MISSING, Json, Missing
from asl_engine.limits import NO_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.debugging.places import View
    from asl_engine.expressions.scope import Scope

__all__ = ["Question", "compile_question", "context_of", "is_true"]

log = logging.getLogger("asl_engine.engine")

OPENING, CLOSING = "{%", "%}"
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
EQUALITIES = {"==", "!="}


class Question(NamedTuple):
    """A compiled expression.  ``ask(view)`` gives its value, ``MISSING`` for none; it raises ``InvalidInput``."""

    text: str
    language: str
    answer: Callable[[View], Json | Missing]

    def ask(self, view: View) -> Json | Missing:
        try:
            return self.answer(view)
        except (EvaluationError, StatesError) as error:
            detail = error.detail if isinstance(error, EvaluationError) else str(error)
            raise InvalidInput(f"{self.text}: {detail}") from None
        except PathNotFound as error:
            raise InvalidInput(f"{self.text}: {error.reason}") from None
        except RecursionError:
            raise InvalidInput(f"{self.text}: it is nested too deeply") from None
        except Exception as defect:  # it must not be taken for one of the execution that is debugged
            log.exception("a defect of asl-engine in the evaluation of %s", self.text)
            raise InvalidInput(f"{self.text}: {type(defect).__name__}: {defect}") from defect


def is_true(value: Json | Missing) -> bool:
    """What counts as true, as in JSONata: all but false, null, nothing, 0 and what is empty."""
    return value is not MISSING and bool(value)


def compile_question(text: str, language: str) -> Question:
    """``language`` is the query language of the state where it is asked.  Raises ``InvalidInput``."""
    asked = text.strip()
    if not asked:
        raise InvalidInput("an expression is needed, such as $.total or $states.input.total")
    try:
        if asked.startswith(OPENING):
            if not asked.endswith(CLOSING):
                raise InvalidInput(f"{asked}: an expression that begins with {OPENING} ends with {CLOSING}")
            return _jsonata(asked, asked[len(OPENING) : -len(CLOSING)])
        if language == "JSONata" or "$states" in asked:
            return _jsonata(asked, asked)
        if asked.startswith("{"):
            return Question(asked, "JSONPath", _rule(asked))
        if asked.startswith(("$", "States.")):
            return Question(asked, "JSONPath", _comparison(asked))
        return _jsonata(asked, asked)
    except ExpressionSyntaxError as error:
        raise InvalidInput(f"this is no expression: {error}") from None


# -- JSONata ------------------------------------------------------------------------------------------


def _jsonata(asked: str, text: str) -> Question:
    from asl_engine.expressions.jsonata import Bindings, JsonataError, UnsupportedResult, compile_jsonata

    expression = compile_jsonata(text.strip())
    for name, _ in expression.out_of_place:
        raise InvalidInput(f"{asked}: {name!r} refers to nothing: the data is $states.input, or $ in JSONPath")

    def answer(view: View) -> Json | Missing:
        decision = _decision(view)
        data = view.data
        states: dict[str, Json] = {"input": None if data is None else data.value, "context": context_of(view)}
        if view.place.failure is not None:
            error, cause = view.place.failure
            states["errorOutput"] = {"Error": error, "Cause": cause or ""}
        random = LazyRandom(decision.random)
        try:
            return expression(Bindings(states, view.variables, random, view.execution.at))
        except JsonataError as error:
            raise EvaluationError(str(error)) from None
        except UnsupportedResult:
            raise EvaluationError("its value is not JSON: it has a function in it, say") from None

    return Question(asked, "JSONata", answer)


# -- JSONPath -----------------------------------------------------------------------------------------


def _scope(view: View) -> Scope:
    from asl_engine.expressions.scope import Scope

    data = view.data
    value = None if data is None else data.value
    return Scope(value, view.variables, lambda: context_of(view), _decision(view).random)


def _rule(text: str) -> Callable[[View], bool]:
    from asl_engine.expressions.choice_rule import compile_rule

    try:
        source = loads(text)
    except JsonSyntaxError as error:
        raise InvalidInput(f"this is no Choice rule, as it is no JSON: {error}") from None
    faults: list[str] = []
    matches = compile_rule(
        source if isinstance(source, dict) else {}, lambda place, message: faults.append(f"{place} {message}")
    )
    if faults or matches is None:
        raise InvalidInput(f"this is no Choice rule: {'; '.join(faults).strip()}")
    return lambda view: matches(_scope(view))


def _comparison(text: str) -> Callable[[View], Json | Missing]:
    found = _split(text)
    if found is None:
        return _term(text)
    left, sign, right = found
    one, other, holds = _term(left), _term(right), COMPARISONS[sign]

    def answer(view: View) -> bool:
        values = one(view), other(view)
        alike = _kind(values[0]) == _kind(values[1])
        if sign in EQUALITIES:
            return holds(*values) if alike else sign == "!="
        return alike and _kind(values[0]) in {"number", "str"} and holds(*values)

    return answer


def _kind(value: Any) -> str:
    return "number" if type(value) in {int, float} else type(value).__name__


def _split(text: str) -> tuple[str, str, str] | None:
    """The sides of a comparison and its sign, which stands outside of brackets and quotes."""
    depth, quote = 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[(":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif depth == 0:
            for sign in COMPARISONS:
                if text.startswith(sign, at):
                    return text[:at].strip(), sign, text[at + len(sign) :].strip()
    return None


def _term(text: str) -> Callable[[View], Json | Missing]:
    """A path, an intrinsic function, or JSON; a text may be in single quotes."""
    if text.startswith("States."):
        from asl_engine.expressions.intrinsics.calls import compile_intrinsic

        call = compile_intrinsic(text)
        return lambda view: call(_scope(view))
    if text.startswith("$"):
        from asl_engine.expressions.jsonpath.path import compile_path

        path = compile_path(text)
        return lambda view: path.find(_scope(view))
    if len(text) > 1 and text[0] == text[-1] == "'":
        return lambda _: text[1:-1]
    try:
        value = loads(text)
    except JsonSyntaxError:
        raise InvalidInput(f"{text!r} cannot be compared with: write a path, a number, 'a text' or JSON") from None
    return lambda _: value


# -- what they see ------------------------------------------------------------------------------------


def _decision(view: View) -> Decision:
    """What an expression of the frame would be evaluated with."""
    decision = Decision(view.execution, view.execution.at - view.execution.ahead, NO_LIMITS, any_activity)
    if view.frame is not None:
        decision.frame = view.frame
    return decision


def context_of(view: View) -> dict[str, Json]:
    """The context object, as the state would have it; empty where the execution has ended."""
    if view.frame is None:
        return {}
    context = _decision(view).context()
    if view.place.kind == "before":
        context["State"] = {"Name": view.state, "EnteredTime": format_timestamp(view.execution.at)}
    return context
