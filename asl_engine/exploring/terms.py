"""Where a value comes from: terms over what a run is given, which are its input and the results of its tasks.

A term is made while the log of a run is read.  It says what its value would be if something else had been given
(``value``), what is found in it (``at``), and on which given places it depends (``places``).  So a place that the
run did not have, but could have had, is a place too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from asl_engine.expressions.jsonpath.syntax import Step

__all__ = [
    "INPUT",
    "NOWHERE",
    "ArrayTerm",
    "ComputedTerm",
    "ConstantTerm",
    "Docs",
    "GivenPlace",
    "GivenTerm",
    "MergedTerm",
    "ObjectTerm",
    "PutTerm",
    "Term",
    "looked_up",
    "walked",
    "written",
]

INPUT = "input"
# What a run is given, by its source: the input, and STATE#N for the result of the N-th call of a state's task.
Docs: TypeAlias = "Mapping[str, Json]"


class GivenPlace(NamedTuple):
    """A place in what a run is given."""

    source: str
    steps: tuple[Step, ...] = ()

    @property
    def text(self) -> str:
        """``$.order.total``, relative to its source."""
        return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)


NOWHERE: frozenset[GivenPlace] = frozenset()


class Term(Protocol):
    def value(self, docs: Docs) -> Json | Missing:
        """Raises what the expressions in it raise."""
        ...

    def at(self, step: Step) -> Term: ...

    def places(self) -> frozenset[GivenPlace]: ...


class GivenTerm:
    """What is given at a place."""

    def __init__(self, place: GivenPlace) -> None:
        self.place = place

    def value(self, docs: Docs) -> Json | Missing:
        return looked_up(docs, self.place)

    def at(self, step: Step) -> Term:
        return GivenTerm(self.place._replace(steps=(*self.place.steps, step)))

    def places(self) -> frozenset[GivenPlace]:
        return frozenset([self.place])


class ConstantTerm:
    """What does not depend on anything given."""

    def __init__(self, value: Json | Missing) -> None:
        self._value = value

    def value(self, docs: Docs) -> Json | Missing:
        del docs
        return self._value

    def at(self, step: Step) -> Term:
        return ConstantTerm(_member(self._value, step))

    def places(self) -> frozenset[GivenPlace]:
        return NOWHERE


class ObjectTerm:
    """An object whose members are terms."""

    def __init__(self, members: Mapping[str, Term]) -> None:
        self.members = members

    def value(self, docs: Docs) -> Json | Missing:
        values = {name: term.value(docs) for name, term in self.members.items()}
        return {name: value for name, value in values.items() if value is not MISSING}

    def at(self, step: Step) -> Term:
        return self.members.get(step, ConstantTerm(MISSING)) if isinstance(step, str) else ConstantTerm(MISSING)

    def places(self) -> frozenset[GivenPlace]:
        return _all_places(self.members.values())


class ArrayTerm:
    """An array whose items are terms."""

    def __init__(self, items: list[Term]) -> None:
        self.items = items

    def value(self, docs: Docs) -> Json | Missing:
        return [None if (one := item.value(docs)) is MISSING else one for item in self.items]

    def at(self, step: Step) -> Term:
        if isinstance(step, int) and -len(self.items) <= step < len(self.items):
            return self.items[step]
        return ConstantTerm(MISSING)

    def places(self) -> frozenset[GivenPlace]:
        return _all_places(self.items)


class PutTerm:
    """A value put into another, as ResultPath does."""

    def __init__(self, base: Term, steps: tuple[Step, ...], inner: Term) -> None:
        self.base, self.steps, self.inner = base, steps, inner

    def value(self, docs: Docs) -> Json | Missing:
        inner = self.inner.value(docs)
        return _put(self.base.value(docs), self.steps, None if inner is MISSING else inner)

    def at(self, step: Step) -> Term:
        if self.steps[0] != step:
            return self.base.at(step)
        return self.inner if len(self.steps) == 1 else PutTerm(self.base.at(step), self.steps[1:], self.inner)

    def places(self) -> frozenset[GivenPlace]:
        return self.base.places() | self.inner.places()


class MergedTerm:
    """Objects merged, the last one counting: ``$merge``."""

    def __init__(self, parts: list[Term]) -> None:
        self.parts = parts

    def value(self, docs: Docs) -> Json | Missing:
        merged: dict[str, Json] = {}
        for part in self.parts:
            value = part.value(docs)
            if isinstance(value, dict):
                merged.update(value)
        return merged

    def at(self, step: Step) -> Term:
        """Of a part that says what it has; else of the first, which is where members come from by custom."""
        for part in reversed(self.parts):
            if isinstance(part, ObjectTerm) and step in part.members:
                return part.at(step)
        others = [part for part in self.parts if not isinstance(part, ObjectTerm)]
        return others[0].at(step) if others else ConstantTerm(MISSING)

    def places(self) -> frozenset[GivenPlace]:
        return _all_places(self.parts)


class ComputedTerm:
    """What an expression makes.  ``chain`` is what it walks to, where it does no more than that."""

    def __init__(
        self,
        evaluate: Callable[[Docs], Json | Missing],
        reads: frozenset[GivenPlace],
        chain: Term | None = None,
    ) -> None:
        self._evaluate, self._reads, self.chain = evaluate, reads, chain

    def value(self, docs: Docs) -> Json | Missing:
        return self._evaluate(docs)

    def at(self, step: Step) -> Term:
        if self.chain is not None:
            return self.chain.at(step)
        return ComputedTerm(lambda docs: _member(self._evaluate(docs), step), self._reads)

    def places(self) -> frozenset[GivenPlace]:
        return self._reads


def _all_places(terms: Iterable[Term]) -> frozenset[GivenPlace]:
    return frozenset(place for term in terms for place in term.places())


def walked(term: Term, steps: Iterable[Step]) -> Term:
    for step in steps:
        term = term.at(step)
    return term


def _member(value: Any, step: Step) -> Json | Missing:
    holds: type[Any] = list if isinstance(step, int) else dict
    if not isinstance(value, holds):
        return MISSING
    try:
        found: Json = value[step]
    except (KeyError, IndexError):
        return MISSING
    return found


def looked_up(docs: Docs, place: GivenPlace) -> Json | Missing:
    value: Json | Missing = docs.get(place.source, MISSING)
    for step in place.steps:
        value = _member(value, step)
    return value


def written(docs: Docs, values: Mapping[GivenPlace, Json | Missing]) -> dict[str, Json]:
    """What is given, with other values at these places; MISSING takes what is there away.

    A name within an array stands for that member of all its items, as in JSONata.
    """
    made = dict(docs)
    for place in sorted(values, key=lambda place: (len(place.steps), place.text)):
        value = values[place]
        if place.steps:
            made[place.source] = _set(made.get(place.source), place.steps, value)
        elif value is not MISSING:
            made[place.source] = value
    return made


def _put(base: Json | Missing, steps: tuple[Step, ...], value: Json) -> Json:
    return _set(None if base is MISSING else base, steps, value)


def _set(base: Any, steps: tuple[Step, ...], value: Json | Missing) -> Json:
    step, rest = steps[0], steps[1:]
    if isinstance(base, list) and isinstance(step, str):
        return [_set(item, steps, value) for item in base] or [_set(None, steps, value)]
    if isinstance(step, int):
        items = [*base] if isinstance(base, list) else []
        if step < 0 or step > MOST_ITEMS:
            return items
        items += [None] * (step + 1 - len(items))
        items[step] = _set(items[step], rest, value) if rest else (None if value is MISSING else value)
        return items
    members = {**base} if isinstance(base, dict) else {}
    if rest:
        if value is MISSING and step not in members:
            return members
        members[step] = _set(members.get(step), rest, value)
    elif value is MISSING:
        members.pop(step, None)
    else:
        members[step] = value
    return members


MOST_ITEMS = 1000  # an index that is no one's intention makes no array
