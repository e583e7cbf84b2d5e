"""The condition of a Choice rule as a short text: ``$.total > 100 and $.tier is present``."""

from __future__ import annotations

from typing import Any, Final

from asl_engine.json_text import dumps

__all__ = ["condition_text"]

MAX_NESTING: Final = 3  # of And, Or and Not: what lies deeper cannot be read on an edge
SIGNS: Final = {
    "GreaterThanEquals": ">=",
    "LessThanEquals": "<=",
    "GreaterThan": ">",
    "LessThan": "<",
    "Equals": "=",
    "Matches": "matches",
}
KINDS: Final = ("String", "Numeric", "Timestamp", "Boolean")
TESTS: Final = {
    "IsPresent": "present",
    "IsNull": "null",
    "IsString": "a string",
    "IsNumeric": "a number",
    "IsBoolean": "a boolean",
    "IsTimestamp": "a timestamp",
}


def condition_text(rule: Any, nesting: int = 0) -> str:
    """What the rule asks, in one line of any length."""
    if not isinstance(rule, dict):
        return "?"
    if "Condition" in rule:
        return _jsonata(rule["Condition"])
    for name, word in (("And", " and "), ("Or", " or ")):
        if isinstance(rule.get(name), list):
            return _joined(rule[name], word, nesting)
    if "Not" in rule:
        return f"not ({condition_text(rule['Not'], nesting + 1)})" if nesting < MAX_NESTING else "…"
    return _comparison(rule)


def _jsonata(condition: Any) -> str:
    if not isinstance(condition, str):
        return dumps(condition)
    text = condition.strip()
    if text.startswith("{%") and text.endswith("%}"):
        text = text[2:-2]
    return " ".join(text.split())


def _joined(rules: list[Any], word: str, nesting: int) -> str:
    if nesting >= MAX_NESTING:
        return "…"
    parts = [condition_text(rule, nesting + 1) for rule in rules]
    nested = [
        f"({part})" if isinstance(rule, dict) and ("Or" in rule or "And" in rule) and len(rules) > 1 else part
        for rule, part in zip(rules, parts, strict=True)
    ]
    return word.join(nested)


def _comparison(rule: dict[str, Any]) -> str:
    variable = str(rule.get("Variable", "?"))
    for name, value in rule.items():
        if name in TESTS:
            return f"{variable} is {'' if value is True else 'not '}{TESTS[name]}"
        sign = _sign(name.removesuffix("Path"))
        if sign is not None:
            return f"{variable} {sign} {value if name.endswith('Path') else dumps(value)}"
    return variable


def _sign(operator: str) -> str | None:
    kind = next((kind for kind in KINDS if operator.startswith(kind)), None)
    return None if kind is None else SIGNS.get(operator.removeprefix(kind))
