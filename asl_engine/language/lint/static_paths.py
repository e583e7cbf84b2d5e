"""AWS's own warnings: values that look like paths but are taken literally.

The codes are those of the ValidateStateMachineDefinition operation (service model: NO_DOLLAR, NO_PATH,
PASS_RESULT_IS_STATIC); the messages are ours.  JSONata has no such places: a path is not an expression there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.findings import Finding
from asl_engine.language.tree import all_states

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CODES", "static_paths"]

CODES: Final[dict[str, str]] = {
    "NO_DOLLAR": "A member of a template looks like a path or a function, but its name does not end with .$.",
    "NO_PATH": "A field's value looks like a path, but the field's name does not end with Path.",
    "PASS_RESULT_IS_STATIC": "The Result of a Pass state is taken as it is, paths and functions too.",
}
PATH: Final = re.compile(r"\$\$?(?:$|[.\[])")
DYNAMIC: Final = re.compile(rf"{PATH.pattern}|States\.[A-Z]\w*\(")
TEMPLATES: Final = ("Parameters", "ResultSelector", "ItemSelector", "Assign")
TEXTS: Final = {"Fail": ("Error", "Cause")}
COMPARISONS: Final = "String"  # the comparisons that could take a path by mistake
SUFFIX: Final = ".$"


def static_paths(document: dict[str, Any]) -> Iterator[Finding]:
    """The warnings about a valid definition, at every depth."""
    for state in all_states(document):
        if state.language == "JSONPath":
            for code, place, message in _in_state(state.source):
                yield Finding(code, message, f"{state.location}/{place}", "WARNING")


def _in_state(state: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    kind = state["Type"]
    if kind == "Pass":
        yield from _in_result(state.get("Result"), "Result")
    for field in TEMPLATES:
        yield from _in_template(state.get(field), field)
    yield from _in_template(state.get("ItemBatcher", {}).get("BatchInput"), "ItemBatcher/BatchInput")
    for field in TEXTS.get(kind, ()):
        yield from _in_text(state, field, field)
    for index, rule in enumerate(state.get("Choices", ())):
        yield from _in_rule(rule, f"Choices[{index}]")


def _in_result(value: Any, place: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name.endswith(SUFFIX):
                message = f"A Result is taken as it is: '{name}' will be the member's name; use Parameters"
                yield "PASS_RESULT_IS_STATIC", f"{place}/{name}", message
            else:
                yield from _in_result(member, f"{place}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in_result(item, f"{place}[{index}]")
    elif isinstance(value, str) and DYNAMIC.match(value):
        yield (
            "PASS_RESULT_IS_STATIC",
            place,
            f"A Result is taken as it is: '{value}' will be a text; use Parameters",
        )


def _in_template(value: Any, place: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str) and not name.endswith(SUFFIX) and DYNAMIC.match(member):
                yield "NO_DOLLAR", f"{place}/{name}", f"'{member}' will be a text, unless the name is '{name}.$'"
            else:
                yield from _in_template(member, f"{place}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in_template(item, f"{place}[{index}]")


def _in_text(source: dict[str, Any], field: str, place: str) -> Iterator[tuple[str, str, str]]:
    value = source.get(field)
    if isinstance(value, str) and PATH.match(value):
        yield "NO_PATH", place, f"'{value}' will be a text, unless the field is {field}Path"


def _in_rule(rule: dict[str, Any], place: str) -> Iterator[tuple[str, str, str]]:
    for field, value in rule.items():
        if field.startswith(COMPARISONS) and field != "StringMatches" and not field.endswith("Path"):
            yield from _in_text(rule, field, f"{place}/{field}")
        elif field in {"And", "Or"}:
            for index, inner in enumerate(value):
                yield from _in_rule(inner, f"{place}/{field}[{index}]")
        elif field == "Not":
            yield from _in_rule(value, f"{place}/Not")
