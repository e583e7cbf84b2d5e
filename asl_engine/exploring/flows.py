"""The data flow of states over terms: paths, payload templates and JSONata, as they are evaluated for real.

What a path or a template does no more than move stays traceable; whatever computes is evaluated by the engine's
own code, over the values that its terms have.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core.lazy_random import LazyRandom
from asl_engine.exploring.terms import Computed, Constant, Listed, Record, walked
from asl_engine.expressions.delimiters import CLOSING, OPENING, is_expression
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.expressions.jsonpath.syntax import CONTEXT, DATA, read_root, read_steps
from asl_engine.expressions.scope import Scope
from asl_engine.json_values import MISSING, Json
from asl_engine.states.compiling import compile_intrinsic

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from asl_engine.exploring.terms import Docs, Place, Term
    from asl_engine.expressions.jsonata import Bindings, Expression

__all__ = ["Surroundings", "evaluated_path", "field_of", "field_term", "path_term", "template_term"]

DYNAMIC = ".$"
_NAMES = re.compile(r"\.(\w+)")
_PATHS_WITHIN = re.compile(r"'(?:[^'\\]|\\.)*'|(\$\$?[\w]*(?:\.[\w-]+|\[-?\d+\]|\[(?:'[^']*'|\"[^\"]*\")\])*)")


class Surroundings(NamedTuple):
    """What the expressions of a state see: ``data`` is ``$`` or ``$states.input``.

    ``states`` are further members of ``$states``, such as its result.
    """

    language: str
    data: Term
    variables: Mapping[str, Term]
    context: Term
    states: Mapping[str, Term] = {}  # terms are never changed
    now: int = 0

    def over(self, data: Term) -> Surroundings:
        return self._replace(data=data)

    def scope(self, docs: Docs) -> Scope:
        """As JSONPath sees it."""
        context = self.context

        def made() -> Json:
            value = context.value(docs)
            return {} if value is MISSING else value

        return Scope(_json(self.data, docs), self._variables(docs), made, _random)

    def _variables(self, docs: Docs, names: Collection[str] | None = None) -> dict[str, Json]:
        asked = self.variables if names is None else self.variables.keys() & names
        found = {name: self.variables[name].value(docs) for name in asked}
        return {name: value for name, value in found.items() if value is not MISSING}

    def bindings(self, docs: Docs, expression: Expression) -> Bindings:
        """As an expression of JSONata sees it."""
        from asl_engine.expressions.jsonata import Bindings

        states: dict[str, Json] = {}
        if "states" in expression.variables:
            states = {"input": _json(self.data, docs), "context": _json(self.context, docs)}
            states |= {name: _json(term, docs) for name, term in self.states.items()}
        return Bindings(states, self._variables(docs, expression.variables), LazyRandom(_random), self.now)


def _random() -> Random:
    return Random(0)


def _json(term: Term, docs: Docs) -> Json:
    value = term.value(docs)
    return None if value is MISSING else value


# -- JSONPath -----------------------------------------------------------------------------------------


def path_term(text: str, around: Surroundings) -> Term:
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
    return Computed(lambda docs: path.find(around.scope(docs)), found)


def _root(root: str, around: Surroundings) -> Term:
    if root == DATA:
        return around.data
    return around.context if root == CONTEXT else around.variables.get(root[1:], Constant(MISSING))


def evaluated_path(text: str | None, around: Surroundings) -> Term:
    """InputPath and OutputPath: a null stands for an empty object."""
    return Constant({}) if text is None else path_term(text, around)


def template_term(source: Any, around: Surroundings) -> Term:
    """A payload template."""
    if isinstance(source, list):
        return Listed([template_term(item, around) for item in source])
    if not isinstance(source, dict):
        return Constant(source)
    members: dict[str, Term] = {}
    for name, value in source.items():
        if name.endswith(DYNAMIC):
            members[name.removesuffix(DYNAMIC)] = _dynamic(value, around)
        else:
            members[name] = template_term(value, around)
    return Record(members)


def _dynamic(text: str, around: Surroundings) -> Term:
    if text.startswith("$"):
        return path_term(text, around)
    call = compile_intrinsic(text)
    read: set[Place] = set()
    for match in _PATHS_WITHIN.finditer(text):
        if match[1]:
            read |= path_term(match[1], around).places()
    return Computed(lambda docs: call(around.scope(docs)), frozenset(read))


# -- either -------------------------------------------------------------------------------------------


def field_of(source: Mapping[str, Any], field: str, around: Surroundings, default: Term) -> Term:
    """A field that holds a template of the state's language, or what it has without one."""
    return field_term(source[field], around) if field in source else default


def field_term(source: Any, around: Surroundings) -> Term:
    if around.language != "JSONata":
        return template_term(source, around)
    if isinstance(source, dict):
        return Record({name: field_term(member, around) for name, member in source.items()})
    if isinstance(source, list):
        return Listed([field_term(item, around) for item in source])
    if not is_expression(source):
        return Constant(source)
    from asl_engine.exploring.jsonata_terms import expression_term

    return expression_term(source[len(OPENING) : -len(CLOSING)].strip(), around)
