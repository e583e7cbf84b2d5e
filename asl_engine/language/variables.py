"""The variables that each state of a machine refers to, as DescribeStateMachine lists them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from asl_engine.json_text import loads
from asl_engine.language.tree import HOLDERS, all_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json

__all__ = ["variable_references"]

# Fields that hold further states, each with an entry of its own.
SCOPES: Final = frozenset(field for fields in HOLDERS.values() for field in fields)
# Lists whose entries have literal fields of their own.
RULES: Final = frozenset({"Choices", "Retry", "Catch"})
# Fields that are passed on unchanged, whatever they look like.
LITERALS: Final = frozenset({"Result", "Comment", "Next", "Default", "Resource", "ErrorEquals"})
# In a payload template, a member whose name ends in ".$" alone is evaluated.
TEMPLATES: Final = frozenset(
    {"Parameters", "ResultSelector", "ItemSelector", "Assign", "BatchInput", "Credentials"}
)
# Either quoted text or ``$name``: quoted text names no variable.
_NAMES: Final = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?<![\w$])\$(?P<name>[^\W\d]\w*)")
STATES: Final = "states"


def variable_references(machine: StateMachine) -> dict[str, list[str]]:
    """The variables that the expressions of each state use, by state name, in the order of first use.

    States that use none are left out.  An assignment is not a reference.
    """
    found: dict[str, list[str]] = {}
    for state in all_states(loads(machine.text)):
        names = _jsonata_names if state.language == "JSONata" else _path_names
        if used := list(dict.fromkeys(names(state.source))):
            found[state.name] = used
    return found


def _jsonata_names(source: Json) -> Iterator[str]:
    from asl_engine.expressions.jsonata import compile_template_jsonata

    for text in _expressions(source):
        used = compile_template_jsonata(text, "", lambda *_: None).variables - {STATES}
        yield from sorted(used, key=lambda name: text.find(f"${name}"))


def _expressions(source: Json) -> Iterator[str]:
    """The texts that a JSONata state, or a rule of it, evaluates."""
    for field, member in source.items() if isinstance(source, dict) else ():
        if field in RULES and isinstance(member, list):
            for rule in member:
                yield from _expressions(rule)
        elif field not in SCOPES | LITERALS:
            yield from _strings(member)


def _strings(value: Json) -> Iterator[str]:
    """The texts in a payload, whatever its members are called."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _strings(member)


def _path_names(value: Json, *, in_template: bool = False) -> Iterator[str]:
    """The variables in the paths and intrinsic functions of a JSONPath state, or of a part of it."""
    if isinstance(value, list):
        for item in value:
            yield from _path_names(item, in_template=in_template)
    if not isinstance(value, dict):
        return
    for field, member in value.items():
        if isinstance(member, str):
            is_path = field.endswith("Path") or field == "Variable"
            if field.endswith(".$") or (is_path and not in_template):
                yield from (match["name"] for match in _NAMES.finditer(member) if match["name"])
        elif in_template or field not in SCOPES | LITERALS:
            yield from _path_names(member, in_template=in_template or field in TEMPLATES)
