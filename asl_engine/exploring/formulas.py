"""Conditions as formulas over given places, and the search for what makes them come out as wanted.

A formula is made of atoms by and, or and not.  It is taken apart into conjunctions of atoms; each conjunction is
solved by trying the candidates of each place that it reads.  Atoms of one place only sift its candidates, so that
the search is over what comparisons between places leave.

The candidates of an exact atom have one of each kind of value that it can tell apart.  If all atoms are exact, and
the search was not cut short, then a formula without a solution has none at all.
"""

from __future__ import annotations

from itertools import islice, product
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asl_engine.exploring.terms import looked_up, written
from asl_engine.json_values import MISSING, Json, Missing, canonical_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from asl_engine.exploring.terms import Docs, GivenPlace

__all__ = ["AllParts", "AnyPart", "Atom", "Formula", "Negation", "Solution", "atoms_of", "solve"]

MOST_CONJUNCTIONS = 400
MOST_LINKED = 2  # places that are compared with each other, for which all has been tried
MOST_TRIES = 3000  # evaluations of one conjunction
MOST_ALTERNATIVES = 24  # of one conjunction that are as good as each other
MOST_RANDOM_TRIES = 400
POOL: tuple[Json, ...] = ("", "x", "0", 0, 1, -1, 2, 10, 100, 0.5, True, False, None, [], ["x"], [1, 2], {})


class Atom(NamedTuple):
    """A test that is not taken apart.

    ``holds`` raises where the test cannot be made.  ``candidates`` are values worth trying at its places;
    ``exact`` says that they are one of each kind that it tells apart.  ``is_pattern``: it is a test for a pattern,
    whose candidates say nothing of what matches another one too.
    """

    holds: Callable[[Docs], bool]
    places: frozenset[GivenPlace]
    candidates: tuple[Json | Missing, ...]
    exact: bool
    is_pattern: bool = False


class AllParts(NamedTuple):
    parts: Sequence[Formula]


class AnyPart(NamedTuple):
    parts: Sequence[Formula]


class Negation(NamedTuple):
    part: Formula


Formula: TypeAlias = Atom | AllParts | AnyPart | Negation
Literal: TypeAlias = "tuple[Atom, bool]"


class Solution(NamedTuple):
    """``docs`` is what is to be given, None for none found; ``proved`` says that there is none."""

    docs: dict[str, Json] | None
    proved: bool = False


def atoms_of(formula: Formula) -> Iterator[Atom]:
    if isinstance(formula, Atom):
        yield formula
    elif isinstance(formula, Negation):
        yield from atoms_of(formula.part)
    else:
        for part in formula.parts:
            yield from atoms_of(part)


def conjunctions(formula: Formula, wanted: bool) -> Iterator[tuple[Literal, ...]]:
    """What has to hold, in one way or another.  Parts are asked in order, and no further than is needed."""
    if isinstance(formula, Atom):
        yield ((formula, wanted),)
    elif isinstance(formula, Negation):
        yield from conjunctions(formula.part, not wanted)
    else:
        settling = isinstance(formula, AnyPart)  # the value of one part that settles the whole
        if wanted is settling:
            for count in range(len(formula.parts)):
                needed = [(part, not settling) for part in formula.parts[:count]]
                yield from _all_of([*needed, (formula.parts[count], settling)])
        else:
            yield from _all_of([(part, not settling) for part in formula.parts])


def _all_of(needed: Sequence[tuple[Formula, bool]]) -> Iterator[tuple[Literal, ...]]:
    if not needed:
        yield ()
        return
    (first, wanted), rest = needed[0], needed[1:]
    for chosen in conjunctions(first, wanted):
        for others in _all_of(rest):
            yield (*chosen, *others)


def solve(needed: Sequence[tuple[Formula, bool]], docs: Docs, check: Callable[[Docs], bool]) -> Solution:
    """Something to be given so that each formula comes out as wanted, and that passes ``check``."""
    whole = AllParts([formula if wanted else Negation(formula) for formula, wanted in needed])
    ways = [*islice(conjunctions(whole, wanted=True), MOST_CONJUNCTIONS + 1)]
    proved = len(ways) <= MOST_CONJUNCTIONS
    for way in ways[:MOST_CONJUNCTIONS]:
        search = _Search(way, docs)
        for found in search.solutions():
            if check(found):
                return Solution(found)
            proved = False
        proved = proved and search.proves
    return Solution(None, proved)


class _Search:
    """The search for the values of one conjunction."""

    def __init__(self, literals: Iterable[Literal], docs: Docs) -> None:
        self.literals = [*literals]
        self.docs = docs
        self.proves = all(atom.exact for atom, _ in self.literals)
        self.domains: dict[GivenPlace, list[Json | Missing]] = {}
        for place in sorted({place for atom, _ in self.literals for place in atom.places}):
            candidates = [looked_up(docs, place)]
            for atom, _ in self.literals:
                if place in atom.places:
                    candidates += atom.candidates
            self.domains[place] = _distinct(candidates)
        patterns = [place for atom, wanted in self.literals if atom.is_pattern and wanted for place in atom.places]
        linked = {place for atom, _ in self.literals if len(atom.places) > 1 for place in atom.places}
        if _overlap(self.domains) or len(patterns) > len(set(patterns)) or len(linked) > MOST_LINKED:
            self.proves = False
        if linked:
            together = _distinct(value for place in sorted(linked) for value in self.domains[place])
            numbers = [one for one in together if isinstance(one, int | float) and not isinstance(one, bool)]
            together = _distinct([*together, *(one + by for one in numbers for by in (1, -1))])
            for place in linked:
                self.domains[place] = _distinct([*self.domains[place], *together])

    def solutions(self) -> Iterator[dict[str, Json]]:
        """At most a few: values for all places, those that are given already first."""
        if not all(_holds(literal, self.docs) for literal in self.literals if not literal[0].places):
            return
        for place, domain in self.domains.items():
            alone = [one for one in self.literals if one[0].places == {place}]
            kept = [value for value in domain if self._fits(alone, {place: value})]
            if not kept:
                self.proves = False if any(not atom.exact for atom, _ in alone) else self.proves
                kept = self._by_chance(alone, place)
                if not kept:
                    return
            self.domains[place] = kept
        several = [one for one in self.literals if len(one[0].places) > 1]
        if not several:
            for values in islice(_nearest([*self.domains.values()]), MOST_ALTERNATIVES):
                yield written(self.docs, dict(zip(self.domains, values, strict=True)))
            return
        yield from self._combined(several)

    def _fits(self, literals: Iterable[Literal], values: Mapping[GivenPlace, Json | Missing]) -> bool:
        docs = written(self.docs, values)
        return all(_holds(literal, docs) for literal in literals)

    def _by_chance(self, literals: Sequence[Literal], place: GivenPlace) -> list[Json | Missing]:
        if all(atom.exact for atom, _ in literals):
            return []
        random = Random(f"{place} {len(literals)}")
        bases = [one for atom, _ in literals for one in atom.candidates if one is not MISSING] + [*POOL]
        for _ in range(MOST_RANDOM_TRIES):
            value = _changed(random, random.choice(bases), bases)
            if self._fits(literals, {place: value}):
                return [value]
        return []

    def _combined(self, several: Sequence[Literal]) -> Iterator[dict[str, Json]]:
        places = sorted({place for atom, _ in several for place in atom.places})
        others = {place: kept for place, kept in self.domains.items() if place not in places}
        fixed = {place: kept[0] for place, kept in others.items()}
        domains = [self.domains[place] for place in places]
        total = 1
        for domain in domains:
            total *= len(domain)
        if total > MOST_TRIES:
            self.proves = False
        found = 0
        for values in islice(_nearest(domains), MOST_TRIES):
            docs = written(self.docs, {**fixed, **dict(zip(places, values, strict=True))})
            if all(_holds(literal, docs) for literal in self.literals):
                for alternative in islice(_nearest([*others.values()]), MOST_ALTERNATIVES):
                    yield written(docs, dict(zip(others, alternative, strict=True)))
                found += 1
                if found > 3:
                    return
        if found or self.proves:
            return
        random = Random(f"{places}")
        pool = [*POOL, *(one for domain in domains for one in domain if one is not MISSING)]
        for _ in range(MOST_RANDOM_TRIES):
            values = tuple(_changed(random, random.choice(pool), pool) for _ in places)
            docs = written(self.docs, {**fixed, **dict(zip(places, values, strict=True))})
            if all(_holds(literal, docs) for literal in self.literals):
                yield docs
                return


def _nearest(domains: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """All combinations, those first in which only one differs from what is given."""
    first = tuple(domain[0] for domain in domains)
    yield first
    if not domains:
        return
    for index, domain in enumerate(domains):
        for value in domain[1:]:
            yield (*first[:index], value, *first[index + 1 :])
    yield from product(*domains)


def _holds(literal: Literal, docs: Docs) -> bool:
    atom, wanted = literal
    try:
        return atom.holds(docs) is wanted
    except Exception:  # noqa: BLE001  whatever an expression raises, it has no truth value
        return False


def _distinct(values: Iterable[Json | Missing]) -> list[Json | Missing]:
    found: dict[str, Json | Missing] = {}
    for value in values:
        key = "" if value is MISSING else canonical_text(value)
        found.setdefault(f"{type(value).__name__ if isinstance(value, bool) else ''}{key}", value)
    return [*found.values()]


def _overlap(places: Iterable[GivenPlace]) -> bool:
    """Whether one place is within another, so that their values depend on each other."""
    ordered = sorted((place.source, tuple(map(str, place.steps))) for place in places)
    return any(
        one[0] == other[0] and other[1][: len(one[1])] == one[1]
        for index, one in enumerate(ordered)
        for other in ordered[index + 1 : index + 2]
    )


def _changed(random: Random, value: Any, pool: Sequence[Any]) -> Any:
    """A value like this one."""
    match value:
        case bool() | None:
            return value
        case int():
            return value + random.choice([0, 1, -1, 7, -7, 100, random.randrange(1000)])
        case float():
            return value * random.choice([0.5, 1, 2, -1])
        case str():
            return random.choice([value, value.upper(), value.lower(), f"{value}x", value[1:], value * 2])
        case list():
            return [random.choice(pool) for _ in range(random.randrange(5))]
        case _:
            return value
