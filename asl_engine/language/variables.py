"""Which variables each state of a machine refers to, as DescribeStateMachine tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.json_text import loads
from asl_engine.language.tree import all_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json

__all__ = ["variable_references"]

# What holds further states: each of these has an entry of its own.
SCOPES: Final = frozenset({"Branches", "ItemProcessor", "Iterator"})
# What is handed on as it is, whatever it looks like.
LITERALS: Final = frozenset({"Result", "Comment", "Next", "Default", "Resource", "ErrorEquals"})
# In a payload template, a member whose name ends in ".$" alone is evaluated.
TEMPLATES: Final = frozenset(
    {"Parameters", "ResultSelector", "ItemSelector", "Assign", "BatchInput", "Credentials"}
)
# Quoted text on the one side, ``$name`` on the other: what is quoted names no variable.
_NAMES: Final = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?<![\w$])\$(?P<name>[^\W\d]\w*)")
STATES: Final = "states"


def variable_references(machine: StateMachine) -> dict[str, list[str]]:
    """By the name of a state: the variables that its expressions use, in the order in which it first does.

    States that use none are left out.  To assign a variable is not to refer to it.
    """
    document: Any = loads(machine.text)
    machine_language = document.get("QueryLanguage", "JSONPath")
    found: dict[str, list[str]] = {}
    for name, state in all_states(document):
        is_jsonata = state.get("QueryLanguage", machine_language) == "JSONata"
        if used := list(dict.fromkeys(_jsonata_names(state) if is_jsonata else _path_names(state))):
            found[name] = used
    return found


def _jsonata_names(value: Any) -> Iterator[str]:
    from asl_engine.expressions.jsonata import compile_template_jsonata

    for text in _strings(value):
        used = compile_template_jsonata(text, "", lambda *_: None).variables - {STATES}
        yield from sorted(used, key=lambda name: text.find(f"${name}"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for field, member in value.items():
            if field not in SCOPES:
                yield from _strings(member)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


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
