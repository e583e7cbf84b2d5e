"""The operators.  Those between two values take both, which may be MISSING, and the evaluation.

Numbers are those of JavaScript: IEEE 754 doubles, of which the whole ones are integers here.
"""

from __future__ import annotations

import math
import operator
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.number_text import EXACT
from asl_engine.expressions.jsonata.runtime import Sequence
from asl_engine.expressions.jsonata.values import equals, is_number, text, whole
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS", "NAMES", "negated"]

Operate: TypeAlias = "Callable[[Any, Any, Evaluation], Any]"

MAX_RANGE: Final = 10_000_000


def divide(left: float, right: float) -> float:
    if right != 0:
        return left / right
    return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left)


def remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right != 0 and isfinite(left) else math.nan


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def arithmetic(symbol: str, calculate: Callable[[float, float], float]) -> Operate:
    exact = symbol in "+-*"

    def evaluate(left: Any, right: Any, _: Evaluation) -> Any:
        one, other = left.__class__, right.__class__
        if one is int and other is int and exact:
            result = calculate(left, right)
            if -EXACT <= result <= EXACT:
                return result
        elif (one is float or one is int) and other is float and isfinite(right):
            result = calculate(_double(left), right)
            if isfinite(result):
                return whole(result)
        return _general(left, right, calculate)

    return evaluate


def _general(left: Any, right: Any, calculate: Callable[[float, float], float]) -> Any:
    if left is not MISSING and not is_number(left):
        raise JsonataError("T2001", value=left)
    if right is not MISSING and not is_number(right):
        raise JsonataError("T2002", value=right)
    if left is MISSING or right is MISSING:
        return MISSING
    return whole(calculate(_double(left), _double(right)))


def negated(value: Any) -> Any:
    if value is MISSING:
        return MISSING
    if not is_number(value):
        raise JsonataError("D1002", value=value)
    return -value


def comparison(compare: Callable[[Any, Any], bool]) -> Operate:
    comparable = {str, int, float}

    def evaluate(left: Any, right: Any, _: Evaluation) -> Any:
        if left.__class__ in comparable and right.__class__ in comparable:
            if (left.__class__ is str) is not (right.__class__ is str):
                raise JsonataError("T2009", value=left, value2=right)
            return compare(left, right)
        for value in (left, right):
            if value is not MISSING and value.__class__ not in comparable:
                raise JsonataError("T2010", value=value)
        return MISSING

    return evaluate


def equal(left: Any, right: Any, evaluation: Evaluation) -> bool:
    return left is not MISSING and right is not MISSING and equals(left, right, evaluation)


def unequal(left: Any, right: Any, evaluation: Evaluation) -> bool:
    return left is not MISSING and right is not MISSING and not equals(left, right, evaluation)


def concatenate(left: Any, right: Any, evaluation: Evaluation) -> str:
    one = "" if left is MISSING else text(left, evaluation)
    other = "" if right is MISSING else text(right, evaluation)
    evaluation.spend_text(len(one) + len(other))
    return one + other


def included(left: Any, right: Any, evaluation: Evaluation) -> bool:
    """Scalars only: an array or an object is in nothing but where it is the same one."""
    if left is MISSING or right is MISSING:
        return False
    items = right if isinstance(right, list) else [right]
    evaluation.spend(len(items))
    if isinstance(left, list | dict):
        return any(item is left for item in items)
    return any(equals(left, item, evaluation) for item in items)


def range_(left: Any, right: Any, evaluation: Evaluation) -> Any:
    for value, code in ((left, "T2003"), (right, "T2004")):
        if value is not MISSING and not _is_whole(value):
            raise JsonataError(code, value=value)
    if left is MISSING or right is MISSING or left > right:
        return MISSING
    size = int(right) - int(left) + 1
    if size > MAX_RANGE:
        raise JsonataError("D2014", value=size)
    evaluation.spend(size)
    return Sequence(range(int(left), int(right) + 1))


def _is_whole(value: Any) -> bool:
    return value.__class__ is int or (value.__class__ is float and value.is_integer())


def _named(symbol: str, operate: Operate) -> Operate:
    """The operator, with its symbol in its errors."""

    def evaluate(left: Any, right: Any, evaluation: Evaluation) -> Any:
        try:
            return operate(left, right, evaluation)
        except JsonataError as error:
            error.fields["token"] = symbol
            raise

    return evaluate


# The names under which generated code has the operators.
NAMES: Final = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo", "=": "equal", "!=": "unequal",
    "<": "less", "<=": "at_most", ">": "greater", ">=": "at_least", "&": "concatenate", "in": "included",
    "..": "range_",
}  # fmt: skip
OPERATORS: Final[dict[str, Operate]] = {
    "+": arithmetic("+", operator.add),
    "-": arithmetic("-", operator.sub),
    "*": arithmetic("*", operator.mul),
    "/": arithmetic("/", divide),
    "%": arithmetic("%", remainder),
    "=": equal,
    "!=": unequal,
    "<": comparison(operator.lt),
    "<=": comparison(operator.le),
    ">": comparison(operator.gt),
    ">=": comparison(operator.ge),
    "&": concatenate,
    "in": included,
    "..": range_,
}
FUNCTIONS: Final = {NAMES[symbol]: _named(symbol, operate) for symbol, operate in OPERATORS.items()}
