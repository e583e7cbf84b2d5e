"""The data flow of states over terms: paths, payload templates and JSONata, as they are evaluated for real.

What a path or a template does no more than move stays traceable; whatever computes is evaluated by the engine's
own code, over the values that its terms have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from asl_engine.exploring.terms import ArrayTerm, ComputedTerm, ConstantTerm, ObjectTerm, walked
from asl_engine.expressions.delimiters import CLOSING, OPENING, is_expression
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.expressions.jsonpath.syntax import CONTEXT, DATA, read_root, read_steps
from asl_engine.json_values import MISSING
from asl_engine.states.compiling import compile_intrinsic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.exploring.term_scope import TermScope
    from asl_engine.exploring.terms import GivenPlace, Term

__all__ = ["evaluated_path", "field_of", "field_term", "path_term", "template_term"]

DYNAMIC = ".$"
_NAMES = re.compile(r"\.(\w+)")
_PATHS_WITHIN = re.compile(r"'(?:[^'\\]|\\.)*'|(\$\$?[\w]*(?:\.[\w-]+|\[-?\d+\]|\[(?:'[^']*'|\"[^\"]*\")\])*)")


# -- JSONPath -----------------------------------------------------------------------------------------


def path_term(text: str, around: TermScope) -> Term:
    """What a path leads to."""
    root = read_root(text)
    steps, end = read_steps(text, len(root))
    base = _root(root, around)
    if end == len(text):
        return walked(base, steps)
    path = compile_path(text)
    found = walked(base, steps).places()
    names = _NAMES.findall(text[end:])
    found |= {place._replace(steps=(*place.steps, *names)) for place in found if names}
    return ComputedTerm(lambda docs: path.find(around.scope(docs)), found)


def _root(root: str, around: TermScope) -> Term:
    if root == DATA:
        return around.data
    return around.context if root == CONTEXT else around.variables.get(root[1:], ConstantTerm(MISSING))


def evaluated_path(text: str | None, around: TermScope) -> Term:
    """InputPath and OutputPath: a null stands for an empty object."""
    return ConstantTerm({}) if text is None else path_term(text, around)


def template_term(source: Any, around: TermScope) -> Term:
    """A payload template."""
    if isinstance(source, list):
        return ArrayTerm([template_term(item, around) for item in source])
    if not isinstance(source, dict):
        return ConstantTerm(source)
    members: dict[str, Term] = {}
    for name, value in source.items():
        if name.endswith(DYNAMIC):
            members[name.removesuffix(DYNAMIC)] = _dynamic(value, around)
        else:
            members[name] = template_term(value, around)
    return ObjectTerm(members)


def _dynamic(text: str, around: TermScope) -> Term:
    if text.startswith("$"):
        return path_term(text, around)
    call = compile_intrinsic(text)
    read: set[GivenPlace] = set()
    for match in _PATHS_WITHIN.finditer(text):
        if match[1]:
            read |= path_term(match[1], around).places()
    return ComputedTerm(lambda docs: call(around.scope(docs)), frozenset(read))


# -- either -------------------------------------------------------------------------------------------


def field_of(source: Mapping[str, Any], field: str, around: TermScope, default: Term) -> Term:
    """A field that holds a template of the state's language, or what it has without one."""
    return field_term(source[field], around) if field in source else default


def field_term(source: Any, around: TermScope) -> Term:
    if around.language != "JSONata":
        return template_term(source, around)
    if isinstance(source, dict):
        return ObjectTerm({name: field_term(member, around) for name, member in source.items()})
    if isinstance(source, list):
        return ArrayTerm([field_term(item, around) for item in source])
    if not is_expression(source):
        return ConstantTerm(source)
    from asl_engine.exploring.jsonata_terms import expression_term

    return expression_term(source[len(OPENING) : -len(CLOSING)].strip(), around)
