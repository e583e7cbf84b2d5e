"""What an event pattern may say of a single value: one entry of ``COMPARISONS`` for each operator.

"Comparison operators for use in event patterns" in the EventBridge User Guide.  A comparison is compiled to a test
of one scalar of an event.  What that guide leaves open is as in AWS's Event Ruler.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.events.language.wildcards import wildcard
from asl_engine.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["COMPARISONS", "RESERVED", "Test", "compile_comparison", "exact"]

Test: TypeAlias = "Callable[[Any], bool]"  # of a string, a number, a boolean or None
# Event Ruler compares numbers between these bounds only.
MAX_NUMBER: Final = 5_000_000_000
RELATIONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
LOWER, UPPER = {">", ">="}, {"<", "<="}
NUMERIC_FORM: Final = 'numeric takes pairs of a relation and a number, such as [">", 0, "<=", 5]'


def compile_comparison(match: dict[str, Any]) -> Test:
    """The test of ``{"prefix": "a"}`` and its like.  Raises ``ValueError`` with the reason where it is none."""
    if len(match) != 1:
        raise ValueError(f"Only one key allowed in match expression; there are {len(match)}: {', '.join(match)}")
    ((name, value),) = match.items()
    if name not in COMPARISONS:
        raise ValueError(f"Unrecognized match type {name}{did_you_mean(name, COMPARISONS)}")
    return COMPARISONS[name](value)


def exact(value: Any) -> tuple[type, Any]:
    """A scalar to compare with: true is not 1, and 300 is not 300.0, as their texts differ."""
    return type(value), value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} match pattern must be a string")  # noqa: TRY004  the language's own reason
    return value


def _of_strings(test: Callable[[str], bool]) -> Test:
    return lambda value: type(value) is str and test(value)


def _affix(name: str, holds: Callable[[str, str], bool]) -> Callable[[Any], Test]:
    """``prefix`` or ``suffix``: a string, or one whose case does not count."""

    def compiled(value: Any) -> Test:
        if isinstance(value, dict):
            if [*value] != ["equals-ignore-case"]:
                raise ValueError(f"Unsupported {name} pattern: only equals-ignore-case may stand within it")
            affix = _text("equals-ignore-case", value["equals-ignore-case"]).lower()
            return _of_strings(lambda text: holds(text.lower(), affix))
        given = _text(name, value)
        return _of_strings(lambda text: holds(text, given))

    return compiled


def _ignoring_case(value: Any) -> Test:
    folded = _text("equals-ignore-case", value).lower()
    return _of_strings(lambda text: text.lower() == folded)


def _wildcard(value: Any) -> Test:
    return _of_strings(wildcard(_text("wildcard", value)))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _numeric(value: Any) -> Test:
    if not isinstance(value, list) or not value or len(value) % 2:
        raise ValueError(f"Invalid numeric match: {NUMERIC_FORM}")
    pairs = [*zip(value[::2], value[1::2], strict=True)]
    for relation, number in pairs:
        if not isinstance(relation, str) or relation not in RELATIONS:
            raise ValueError(f"Unrecognized numeric range operator: {relation}; there are {', '.join(RELATIONS)}")
        if not _is_number(number):
            raise ValueError(f"Value of {relation} must be numeric")
        if abs(number) > MAX_NUMBER:
            raise ValueError(f"Value must be between -5.0E9 and 5.0E9, inclusive: {number}")
    relations = [relation for relation, _ in pairs]
    if len(pairs) > 1 and not (len(pairs) == 2 and relations[0] in LOWER and relations[1] in UPPER):
        raise ValueError(f"Invalid numeric match: a range has a lower bound and then an upper one; {NUMERIC_FORM}")
    if len(pairs) == 2 and pairs[0][1] >= pairs[1][1]:
        raise ValueError("Bottom must be less than top")
    tests = [(RELATIONS[relation], number) for relation, number in pairs]
    if len(tests) == 1:
        ((holds, bound),) = tests
        return lambda given: _is_number(given) and holds(given, bound)
    (above, low), (below, high) = tests
    return lambda given: _is_number(given) and above(given, low) and below(given, high)


def _exists(value: Any) -> Test:
    """``true`` is a test that all values pass; ``false`` is not a test of values: ``patterns`` sees to it."""
    if not isinstance(value, bool):
        raise ValueError("exists match pattern must be either true or false.")  # noqa: TRY004  the language's own reason
    return lambda _given: value


def _cidr(value: Any) -> Test:
    text = _text("cidr", value)
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"Malformed CIDR: {text}; it is an address and a length, such as 10.0.0.0/24") from None
    if "/" not in text:
        raise ValueError(f"Malformed CIDR: {text}; one '/' required")
    low, high, version = int(network.network_address), int(network.broadcast_address), network.version
    return _of_strings(lambda given: (found := _address(given)) is not None and _within(found, version, low, high))


def _within(address: tuple[int, int], version: int, low: int, high: int) -> bool:
    return address[0] == version and low <= address[1] <= high


@lru_cache(1024)
def _address(text: str) -> tuple[int, int] | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.version, int(address)


def _anything_but(value: Any) -> Test:
    if isinstance(value, dict):
        return _not(_but_match(value))
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ValueError("Empty arrays are not allowed: anything-but takes at least one value")
    kinds = {"string" if isinstance(one, str) else "number" if _is_number(one) else "other" for one in values}
    if "other" in kinds:
        raise ValueError("Inside anything-but list, values must be strings or numbers")
    if len(kinds) > 1:
        raise ValueError(
            "Inside anything-but list, either all values are number or string, mixed type is not supported"
        )
    excluded = frozenset(map(exact, values))
    return lambda given: exact(given) not in excluded


def _but_match(match: dict[str, Any]) -> Test:
    """What ``{"anything-but": {...}}`` excludes: each operator here takes one text or several."""
    if len(match) != 1:
        raise ValueError("Only one key allowed in match expression: anything-but")
    ((name, value),) = match.items()
    if name not in BUT:
        raise ValueError(f"Unsupported anything-but pattern: {name}; there are {', '.join(BUT)}")
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ValueError("Empty arrays are not allowed")
    if isinstance(value, str) and not value:
        raise ValueError(f"Null {name} not allowed: an empty text would exclude everything")
    tests = [COMPARISONS[name](one) for one in values]
    return lambda given: any(test(given) for test in tests)


def _not(test: Test) -> Test:
    return lambda given: not test(given)


BUT: Final = ("prefix", "suffix", "equals-ignore-case", "wildcard")
COMPARISONS: Final[Mapping[str, Callable[[Any], Test]]] = {
    "prefix": _affix("prefix", str.startswith),
    "suffix": _affix("suffix", str.endswith),
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "cidr": _cidr,
}
# An array of objects with such members is no "$or" (Event Ruler, "The $or Primitive").
RESERVED: Final = frozenset(COMPARISONS)
