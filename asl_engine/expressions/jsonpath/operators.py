"""What filters compare with, and the functions that their paths can end with: Jayway JsonPath's, as tables.

Both sides of an operator can be ``MISSING``: then only negative operators hold.
"""

from __future__ import annotations

import operator
import re
import warnings
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.expressions.regex_limits import MAX_REPETITIONS, is_linear, repetitions
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FUNCTIONS", "OPERATORS", "ORDERS", "PAIRWISE", "compile_regex", "interruptible", "json_equal"]

Test: TypeAlias = "Callable[[Any, Any], bool]"

NUMBERS: Final = frozenset({int, float})  # bool is a type of its own


def json_equal(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, but neither true nor "1"; what is missing equals nothing."""
    kind = type(left)
    if kind is not type(right):
        return kind in NUMBERS and type(right) in NUMBERS and bool(left == right)
    if kind is int or kind is str:
        return bool(left == right)
    if kind is list:
        return len(left) == len(right) and all(map(json_equal, left, right))
    if kind is dict:
        return left.keys() == right.keys() and all(json_equal(left[key], right[key]) for key in left)
    return left is not MISSING and bool(left == right)


def _ordered(compare: Test) -> Test:
    """An order comparison, which holds only among numbers and among strings."""

    def test(left: Any, right: Any) -> bool:
        kind, other = type(left), type(right)
        comparable = (kind in NUMBERS and other in NUMBERS) or (kind is str and other is str)
        return comparable and compare(left, right)

    return test


def _negated(test: Test) -> Test:
    return lambda left, right: not test(left, right)


def _in(left: Any, right: Any) -> bool:
    return type(right) is list and any(json_equal(left, item) for item in right)


def _contains(left: Any, right: Any) -> bool:
    return _in(right, left) or (type(left) is str and type(right) is str and right in left)


def _subset_of(left: Any, right: Any) -> bool:
    return type(left) is list and all(_in(item, right) for item in left)


def _any_of(left: Any, right: Any) -> bool:
    return type(left) is list and any(_in(item, right) for item in left)


def _none_of(left: Any, right: Any) -> bool:
    return type(left) is list and not _any_of(left, right)


def _has_size(left: Any, right: Any) -> bool:
    return isinstance(left, str | list | dict) and json_equal(len(left), right)


def _is_empty(left: Any, right: Any) -> bool:
    return isinstance(left, str | list | dict) and (not left) is right


def _matches(left: Any, right: re.Pattern[str]) -> bool:
    return type(left) is str and right.fullmatch(left) is not None


OPERATORS: Final[dict[str, Test]] = {
    "==": json_equal,
    "!=": _negated(json_equal),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "=~": _matches,
    "in": _in,
    "nin": _negated(_in),
    "subsetof": _subset_of,
    "anyof": _any_of,
    "noneof": _none_of,
    "contains": _contains,
    "size": _has_size,
    "empty": _is_empty,
}

# The tests that compare each item of one array with each of the other.
PAIRWISE: Final = frozenset({_subset_of, _any_of, OPERATORS["noneof"]})

# The operators whose right side can be a text without quotes.
ORDERS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})

# Java's flags.  Without U, \w, \d and \b are ASCII only; d (Unix lines) is Python's only mode.
REGEX_FLAGS: Final = {
    "i": re.IGNORECASE,
    "m": re.MULTILINE,
    "s": re.DOTALL,
    "x": re.VERBOSE,
    "u": re.NOFLAG,
    "d": re.NOFLAG,
}


# A set that is not closed before another one begins, or before an intersection.
INNER_SET: Final = re.compile(
    r"(?:[^\\\[]|\\.|\[\^?\]?(?:[^\\\[\]&]|\\.|&(?!&))*+\])*+\[\^?\]?(?:[^\\\[\]&]|\\.|&(?!&))*+(?:\[|&&)",
    re.DOTALL,
)


def compile_regex(pattern: str, flags: str) -> re.Pattern[str]:
    """The pattern of ``=~ /pattern/flags``.

    Raises ``re.error``, also for an unknown flag, and for sets within sets, which Java has and Python has not.
    """
    combined = re.NOFLAG if "U" in flags else re.ASCII
    for flag in flags.replace("U", ""):
        if flag not in REGEX_FLAGS:
            raise re.error(f"unknown flag {flag}")
        combined |= REGEX_FLAGS[flag]
    if INNER_SET.match(pattern):
        raise re.error("a bracket or && within brackets needs a backslash")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # "--" and "||" in a set, which are literal for Java too
        return re.compile(pattern, combined)


def interruptible(pattern: re.Pattern[str]) -> Any:
    """The same pattern with a method ``fullmatch`` that has a timeout; None for one that needs no timeout.

    Raises ``re.error`` for a pattern that cannot be bounded.
    """
    if is_linear(pattern.pattern):
        return None
    import regex  # type: ignore[import-untyped]  # it comes without types

    if repetitions(pattern.pattern) > MAX_REPETITIONS:
        raise re.error("its counted repetitions are too many")
    flags = sum(getattr(regex, flag.name) for flag in re.RegexFlag if flag & pattern.flags and flag.name)
    try:
        return regex.compile(pattern.pattern, flags)
    except (regex.error, RecursionError, OverflowError) as error:
        raise re.error(str(error)) from None


def _length(value: Json) -> Json | Missing:
    return len(value) if isinstance(value, list | dict) else MISSING


def _keys(value: Json) -> Json | Missing:
    return list(value) if isinstance(value, dict) else MISSING


FUNCTIONS: Final[dict[str, Callable[[Json], Json | Missing]]] = {"length": _length, "size": _length, "keys": _keys}
