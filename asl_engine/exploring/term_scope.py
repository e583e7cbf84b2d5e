"""What the expressions of a state see, as terms, and as the engine's own code takes it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core.lazy_random import LazyRandom
from asl_engine.expressions.scope import Scope
from asl_engine.json_values import MISSING, Json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from asl_engine.exploring.terms import Docs, Term
    from asl_engine.expressions.jsonata import Bindings, Expression

__all__ = ["TermScope"]


class TermScope(NamedTuple):
    """What the expressions of a state see: ``data`` is ``$`` or ``$states.input``.

    ``states`` are further members of ``$states``, such as its result.
    """

    language: str
    data: Term
    variables: Mapping[str, Term]
    context: Term
    states: Mapping[str, Term] = {}  # terms are never changed
    now: int = 0

    def over(self, data: Term) -> TermScope:
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
