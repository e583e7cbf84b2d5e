"""What follows from the definition alone: rules that nothing can match, entries that no error reaches, ways out.

A Choice is looked at with anything as its data.  What is impossible then is impossible in every run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.exploring.formulas import solve
from asl_engine.exploring.given_errors import shadowing, why_never
from asl_engine.exploring.rules import DEFAULT, choice_rules
from asl_engine.exploring.term_scope import TermScope
from asl_engine.exploring.terms import GivenPlace, GivenTerm
from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from asl_engine.exploring.terms import Docs
    from asl_engine.language.tree import StateSource
    from asl_engine.testing.coverage import CoveragePoint

__all__ = ["DeadName", "dead_names", "dead_rules", "loops", "unreachable"]

DATA = "data"
_VARIABLES = re.compile(r"\$(\w+)")


class DeadName(NamedTuple):
    """An error name that an entry of Retry or Catch lists in vain, and why."""

    field: str
    entry: int
    name: str
    why: str


def dead_rules(state: StateSource) -> dict[str, str]:
    """The rules of a Choice that can never be taken, by their fields (``Choices[1]``, ``Default``), and why."""
    source: Mapping[str, Any] = state.source
    names = set(_VARIABLES.findall(dumps(state.source)))
    variables = {name: GivenTerm(GivenPlace(f"${name}")) for name in names}
    rules = choice_rules(
        source,
        TermScope(state.language, GivenTerm(GivenPlace(DATA)), variables, GivenTerm(GivenPlace("context"))),
    )
    dead: dict[str, str] = {}
    docs: Docs = {DATA: {}, "context": {}}

    def impossible(needed: Sequence[Any]) -> bool:
        return solve(needed, docs, lambda _: True).proved

    for index, formula in enumerate(rules.formulas):
        if impossible([(formula, True)]):
            dead[f"Choices[{index}]"] = "it contradicts itself"
        elif impossible(rules.needed(index)):
            earlier = [one for one in range(index) if impossible([(rules.formulas[one], False), (formula, True)])]
            taken = f"Choices[{earlier[0]}]" if earlier else "one of the rules before it"
            dead[f"Choices[{index}]"] = f"{taken} matches all that it would match"
    if rules.has_default and impossible(rules.needed(DEFAULT)):
        dead["Default"] = "one of the rules always matches"
    return dead


def dead_names(state: StateSource) -> Iterator[DeadName]:
    """The error names in Retry and Catch that can never match."""
    for field in ("Retry", "Catch"):
        entries: list[Mapping[str, Any]] = state.source.get(field, [])
        for index, entry in enumerate(entries):
            names: list[str] = entry["ErrorEquals"]
            earlier = [(number, one["ErrorEquals"]) for number, one in enumerate(entries[:index])]
            shadowed = shadowing(names, earlier)
            for name in names:
                if name in shadowed:
                    yield DeadName(field, index, name, f"{field}[{shadowed[name]}] takes it first")
                elif (why := why_never(name, state)) is not None:
                    yield DeadName(field, index, name, why)


def unreachable(starts: Iterable[str], points: Iterable[CoveragePoint], dead: Iterable[str]) -> set[str]:
    """The states that no way leads to which is not dead; ``dead`` are keys of points."""
    gone = set(dead)
    ways: dict[str, list[str]] = {}
    states: set[str] = set()
    for point in points:
        if point.kind == "state":
            states.add(point.state)
        elif point.target is not None and point.key not in gone:
            ways.setdefault(point.state, []).append(point.target)
    reached: set[str] = set()
    waiting = [*starts]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += ways.get(state, [])
    return states - reached


def loops(points: Sequence[CoveragePoint]) -> list[tuple[set[str], list[CoveragePoint]]]:
    """The states that lead to each other, and the points that lead out from among them."""
    ways: dict[str, list[CoveragePoint]] = {}
    for point in points:
        if point.kind in {"transition", "rule", "catch"}:
            ways.setdefault(point.state, []).append(point)
    reach = {state: _reached(state, ways) for state in ways}
    found: list[tuple[set[str], list[CoveragePoint]]] = []
    seen: set[str] = set()
    for state in ways:
        if state in seen or state not in reach[state]:
            continue
        together = {other for other in reach[state] if state in reach.get(other, set())}
        seen |= together
        exits = [point for member in sorted(together) for point in ways[member] if point.target not in together]
        found.append((together, exits))
    return found


def _reached(state: str, ways: Mapping[str, Sequence[CoveragePoint]]) -> set[str]:
    found: set[str] = set()
    waiting = [state]
    while waiting:
        for point in ways.get(waiting.pop(), ()):
            if point.target is not None and point.target not in found:
                found.add(point.target)
                waiting.append(point.target)
    return found
