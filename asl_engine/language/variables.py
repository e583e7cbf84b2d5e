"""The variables that each state of a machine refers to, as DescribeStateMachine lists them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.json_text import loads
from asl_engine.language.tree import HOLDERS, all_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json
    from asl_engine.language.tree import StateSource

__all__ = ["Reference", "references", "texts", "variable_references"]

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


class Reference(NamedTuple):
    """A variable that a text of a state takes from outside.  ``place`` is where the text is, from the state on."""

    place: str
    name: str
    text: str


def variable_references(machine: StateMachine) -> dict[str, list[str]]:
    """The variables that the expressions of each state use, by state name, in the order of first use.

    States that use none are left out.  An assignment is not a reference.
    """
    found: dict[str, list[str]] = {}
    for state in all_states(loads(machine.text)):
        if used := list(dict.fromkeys(reference.name for reference in references(state))):
            found[state.name] = used
    return found


def references(state: StateSource) -> Iterator[Reference]:
    """The variables that the expressions of a state use, those of states within it not among them."""
    return _in_jsonata(state.source) if state.language == "JSONata" else _in_paths(state.source)


def texts(state: StateSource) -> Iterator[tuple[str, str]]:
    """The expressions of a JSONata state, each with its place, from the state on."""
    for place, text in _expressions(state.source, ""):
        if text.startswith("{%"):
            yield place, text


def _in_jsonata(source: Json) -> Iterator[Reference]:
    from asl_engine.expressions.jsonata import compile_template_jsonata

    for place, text in _expressions(source, ""):
        used = compile_template_jsonata(text, "", lambda *_: None).variables - {STATES}
        for name in sorted(used, key=lambda name: text.find(f"${name}")):
            yield Reference(place, name, text)


def _expressions(source: Json, place: str) -> Iterator[tuple[str, str]]:
    """The texts that a JSONata state, or a rule of it, evaluates."""
    for field, member in source.items() if isinstance(source, dict) else ():
        if field in RULES and isinstance(member, list):
            for index, rule in enumerate(member):
                yield from _expressions(rule, f"{place}/{field}[{index}]")
        elif field not in SCOPES | LITERALS:
            yield from _strings(member, f"{place}/{field}")


def _strings(value: Json, place: str) -> Iterator[tuple[str, str]]:
    """The texts in a payload, whatever its members are called."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _strings(member, f"{place}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{place}[{index}]")


def _in_paths(value: Json, place: str = "", *, in_template: bool = False) -> Iterator[Reference]:
    """The variables in the paths and intrinsic functions of a JSONPath state, or of a part of it."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in_paths(item, f"{place}[{index}]", in_template=in_template)
    if not isinstance(value, dict):
        return
    for field, member in value.items():
        inner = f"{place}/{field}"
        if isinstance(member, str):
            is_path = field.endswith("Path") or field == "Variable"
            if field.endswith(".$") or (is_path and not in_template):
                names = (match["name"] for match in _NAMES.finditer(member))
                yield from (Reference(inner, name, member) for name in names if name)
        elif in_template or field not in SCOPES | LITERALS:
            yield from _in_paths(member, inner, in_template=in_template or field in TEMPLATES)
