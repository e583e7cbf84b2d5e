"""Choice rules in JSONPath (specification, "Choice State" and "Data-test expression").

A comparison whose sides are not both of the operator's type is false, not an error.  A path that leads
nowhere is an error, unless the test is IsPresent.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from asl_engine.errors import EvaluationError
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath.path import Path, compile_path
from asl_engine.expressions.timestamps import parse_timestamp
from asl_engine.findings import did_you_mean
from asl_engine.json_values import MISSING, Json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from asl_engine.expressions.scope import Scope

__all__ = ["OPERATORS", "Report", "Rule", "compile_rule"]

Rule: TypeAlias = "Callable[[Scope], bool]"
# Takes the place of a fault, relative to the rule ("/And[0]/Variable"; "" is the rule itself), and the message.
Report: TypeAlias = "Callable[[str, str], None]"
# Converts a value to the form that is compared; None if it is not of the type.
Read: TypeAlias = "Callable[[Any], Any]"

NUMBERS: Final = frozenset({int, float})  # bool is a type of its own


class Comparison(NamedTuple):
    """An operator that compares the Variable with a literal or, in its Path form, with another value."""

    read: Read
    holds: Callable[[Any, Any], bool]
    expected: str


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _utf16(value: Any) -> bytes | None:
    # Java, hence AWS, orders strings by their UTF-16 units.
    return value.encode("utf-16-be", "surrogatepass") if type(value) is str else None


def _number(value: Any) -> int | float | None:
    return value if type(value) in NUMBERS else None


def _boolean(value: Any) -> bool | None:
    return value if type(value) is bool else None


def _instant(value: Any) -> int | None:
    return parse_timestamp(value) if type(value) is str else None


ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}


def _family(kind: str, expected: str, equals: Read, order: Read) -> dict[str, Comparison]:
    return {
        f"{kind}Equals": Comparison(equals, operator.eq, expected),
        **{f"{kind}{name}": Comparison(order, holds, expected) for name, holds in ORDERS.items()},
    }


COMPARISONS: Final[dict[str, Comparison]] = {
    **_family("String", "a String", _text, _utf16),
    **_family("Numeric", "a Number", _number, _number),
    **_family("Timestamp", "a timestamp such as 2016-03-14T01:59:00Z", _instant, _instant),
    "BooleanEquals": Comparison(_boolean, operator.eq, "a Boolean"),
}

TYPE_TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    "IsBoolean": lambda value: type(value) is bool,
    "IsNull": lambda value: value is None,
    "IsNumeric": lambda value: type(value) in NUMBERS,
    "IsString": lambda value: type(value) is str,
    "IsTimestamp": lambda value: _instant(value) is not None,
}

JOINS: Final[dict[str, Callable[[Iterable[bool]], bool]]] = {"And": all, "Or": any}

# The fields of a rule besides its one operator: anywhere, and at the top only.
ANY_RULE_FIELDS: Final = frozenset({"Variable", "Comment"})
TOP_RULE_FIELDS: Final = frozenset({"Next", "Assign"})


def compile_rule(source: dict[str, Any], report: Report, *, nested: bool = False) -> Rule | None:
    """Compile a rule to a test.  Every fault is reported; a faulty rule has no test.

    The caller checks Next, Assign and Comment; in a rule within And, Or or Not (``nested``),
    Next and Assign are refused.  The test raises ``EvaluationError`` if a path leads nowhere.
    """
    names = [name for name in source if name not in ANY_RULE_FIELDS | TOP_RULE_FIELDS]
    sound = True

    def fail(place: str, message: str) -> None:
        nonlocal sound
        sound = False
        report(place, message)

    for name in TOP_RULE_FIELDS & source.keys() if nested else ():
        fail(f"/{name}", f"The field '{name}' is not supported in a rule within And, Or or Not")
    for name in names:
        if name not in OPERATORS:
            hint = did_you_mean(name, OPERATORS)
            fail(f"/{name}", f"The field '{name}' is not supported: it is no operator of a Choice rule{hint}")
    known = [name for name in names if name in OPERATORS]
    if len(known) != 1:
        given = f"but there are {', '.join(known)}" if known else "but there is none"
        fail("", f"A Choice rule must have exactly one operator, {given}")
        return None
    rule = OPERATORS[known[0]](known[0], source, fail)
    return rule if sound else None


def _path(field: str, source: dict[str, Any], fail: Report) -> Path | None:
    text = source[field]
    if not isinstance(text, str):
        fail(f"/{field}", "Expected value of type String")
        return None
    try:
        path = compile_path(text)
    except ExpressionSyntaxError as error:
        fail(f"/{field}", str(error))
        return None
    if not path.is_reference:
        # AWS documentation, "Choice Rules": "must be valid Reference Paths".
        fail(f"/{field}", f"Value is not a Reference Path: {text}")
        return None
    return path


def _variable(name: str, source: dict[str, Any], fail: Report) -> Path | None:
    if "Variable" in source:
        return _path("Variable", source, fail)
    fail("", f"The operator {name} requires the field 'Variable'")
    return None


def _fetch(path: Path) -> Callable[[Scope], Json]:
    find, text = path.find, path.text

    def fetch(scope: Scope) -> Json:
        value = find(scope)
        if value is MISSING:
            raise EvaluationError(
                f"Invalid path '{text}': The choice state's condition path references an invalid value."
            )
        return value

    return fetch


def _literal_rule(name: str, source: dict[str, Any], fail: Report) -> Rule | None:
    comparison = COMPARISONS[name]
    read, holds = comparison.read, comparison.holds
    variable = _variable(name, source, fail)
    right = read(source[name])
    if right is None:
        fail(f"/{name}", f"Expected {comparison.expected}")
    if variable is None or right is None:
        return None
    fetch = _fetch(variable)

    def rule(scope: Scope) -> bool:
        left = read(fetch(scope))
        return left is not None and holds(left, right)

    return rule


def _path_rule(name: str, source: dict[str, Any], fail: Report) -> Rule | None:
    comparison = COMPARISONS[name.removesuffix("Path")]
    read, holds = comparison.read, comparison.holds
    variable = _variable(name, source, fail)
    operand = _path(name, source, fail)
    if variable is None or operand is None:
        return None
    fetch_left, fetch_right = _fetch(variable), _fetch(operand)

    def rule(scope: Scope) -> bool:
        left, right = read(fetch_left(scope)), read(fetch_right(scope))
        return left is not None and right is not None and holds(left, right)

    return rule


def _matching_rule(name: str, source: dict[str, Any], fail: Report) -> Rule | None:
    variable = _variable(name, source, fail)
    if not isinstance(source[name], str):
        fail(f"/{name}", "Expected a String")
        return None
    if variable is None:
        return None
    fetch, matches = _fetch(variable), _wildcard(source[name])

    def rule(scope: Scope) -> bool:
        value = fetch(scope)
        return isinstance(value, str) and matches(value)

    return rule


def _wildcard(pattern: str) -> Callable[[str], bool]:
    """A test for StringMatches: ``*`` stands for any characters, ``\\*`` and ``\\\\`` for themselves."""
    texts = [""]
    for part in re.findall(r"\\[*\\]|\*|\\|[^*\\]+", pattern):
        if part == "*":
            texts.append("")
        else:
            texts[-1] += part[-1] if part in {r"\*", r"\\"} else part
    first, *between = texts
    if not between:
        return lambda value: value == first
    last = between.pop()

    def matches(value: str) -> bool:
        end = len(value) - len(last)
        if end < len(first) or not value.startswith(first) or not value.endswith(last):
            return False
        position = len(first)
        for text in between:
            position = value.find(text, position, end)
            if position < 0:
                return False
            position += len(text)
        return True

    return matches


def _expected_boolean(name: str, source: dict[str, Any], fail: Report) -> bool | None:
    if not isinstance(source[name], bool):
        fail(f"/{name}", "Expected a Boolean")
        return None
    return bool(source[name])


def _type_rule(name: str, source: dict[str, Any], fail: Report) -> Rule | None:
    variable, expected = _variable(name, source, fail), _expected_boolean(name, source, fail)
    if variable is None or expected is None:
        return None
    fetch, test = _fetch(variable), TYPE_TESTS[name]
    return lambda scope: test(fetch(scope)) is expected


def _presence_rule(name: str, source: dict[str, Any], fail: Report) -> Rule | None:
    variable, expected = _variable(name, source, fail), _expected_boolean(name, source, fail)
    if variable is None or expected is None:
        return None
    find = variable.find
    return lambda scope: (find(scope) is not MISSING) is expected


def _no_variable(name: str, source: dict[str, Any], fail: Report) -> None:
    if "Variable" in source:
        fail("/Variable", f"The field 'Variable' is not supported beside {name}")


def _nested(place: str, source: Any, fail: Report) -> Rule | None:
    if not isinstance(source, dict):
        fail(place, "Expected value of type Object")
        return None
    return compile_rule(source, lambda inner, message: fail(f"{place}{inner}", message), nested=True)


def _join_rule(name: str, source: dict[str, Any], fail: Report) -> Rule | None:
    _no_variable(name, source, fail)
    if not isinstance(source[name], list) or not source[name]:
        fail(f"/{name}", "Expected a non-empty array of Choice rules")
        return None
    rules = [_nested(f"/{name}[{index}]", rule, fail) for index, rule in enumerate(source[name])]
    sound = [rule for rule in rules if rule is not None]
    join = JOINS[name]
    return lambda scope: join(rule(scope) for rule in sound)


def _not_rule(name: str, source: dict[str, Any], fail: Report) -> Rule | None:
    _no_variable(name, source, fail)
    rule = _nested(f"/{name}", source[name], fail)
    return None if rule is None else lambda scope: not rule(scope)


# Makes a rule from its operator's name and its fields; faults are reported.
OPERATORS: Final[dict[str, Callable[[str, dict[str, Any], Report], Rule | None]]] = {
    **dict.fromkeys(COMPARISONS, _literal_rule),
    **dict.fromkeys((f"{name}Path" for name in COMPARISONS), _path_rule),
    "StringMatches": _matching_rule,
    **dict.fromkeys(TYPE_TESTS, _type_rule),
    "IsPresent": _presence_rule,
    **dict.fromkeys(JOINS, _join_rule),
    "Not": _not_rule,
}
