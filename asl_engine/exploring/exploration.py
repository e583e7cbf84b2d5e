"""One exploration, from a definition to its discoveries."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.errors import InvalidInput
from asl_engine.exploring.discoveries import Discovery, discoveries, reproduction
from asl_engine.exploring.scripts import MOST_EVENTS
from asl_engine.exploring.test_file import explored_tests, worth_a_test
from asl_engine.exploring.walking import Budget, Walk, walk
from asl_engine.findings import did_you_mean
from asl_engine.json_text import loads
from asl_engine.language.document import located
from asl_engine.language.tree import all_states
from asl_engine.testing.coverage import coverage_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

    from asl_engine.api import Prepared
    from asl_engine.exploring.runs import Laboratory, Ran
    from asl_engine.json_values import Json
    from asl_engine.language.document import DefinitionSource

__all__ = ["Exploration", "explore", "listed_errors"]


USUAL = Budget()


class Exploration(NamedTuple):
    """What an exploration came to.  Of so many ``points`` of coverage so many were ``taken``."""

    source: DefinitionSource
    laboratory: Laboratory
    found: Walk
    discoveries: list[Discovery]
    points: int
    taken: int
    seconds: float

    @property
    def has_errors(self) -> bool:
        return any(one.finding.severity == "ERROR" for one in self.discoveries)

    def runs(self) -> list[Ran]:
        """Those worth a test: one for whatever is new, for each way, and for each discovery."""
        shown = [one.ran for one in self.discoveries if one.ran is not None]
        found: dict[int, Ran] = {}
        for ran in (*self.found.news, *self.found.ways, *shown):
            if worth_a_test(ran):
                found.setdefault(id(ran), ran)
        return [*found.values()]

    def tests(self, definition: str | dict[str, Any], substitutions: Mapping[str, str]) -> str:
        """A pytest file of these runs."""
        return explored_tests(self.laboratory, self.runs(), definition, self.source.name, substitutions)

    def to_json(self) -> dict[str, Any]:
        return {
            "definition": self.source.name,
            "runs": self.found.total,
            "points": self.points,
            "taken": self.taken,
            "complete": not self.found.cut,
            "findings": [_to_json(one) for one in self.discoveries],
        }


def _to_json(one: Discovery) -> dict[str, Any]:
    finding = one.finding
    found: dict[str, Any] = {
        "code": finding.code,
        "severity": finding.severity,
        "certainty": one.certainty,
        "place": one.place,
        "location": finding.location,
        "line": finding.line,
        "message": finding.message,
    }
    return found if one.ran is None else {**found, "reproduction": reproduction(one.ran)}


def explore(
    source: DefinitionSource,
    given: Json,
    *,
    budget: Budget = USUAL,
    errors: Sequence[str] = (),
    project: str | PathLike[str] | None = None,
) -> Exploration:
    """Explore a definition that has been read.  ``given`` is the input to begin with, such as ``{}``.

    ``errors`` are further errors to try: NAME for all tasks, or STATE:NAME.  Raises ``DefinitionError``,
    ``InvalidInput``.
    """
    from asl_engine.api import prepared
    from asl_engine.exploring.runs import Laboratory

    began = monotonic()

    def prepare(tasks: Any) -> Prepared:
        return prepared(
            source.text, given, tasks=tasks, project=project, aws_limits={"history_events": MOST_EVENTS}
        )

    states = {state.name: state for state in all_states(loads(source.text))}
    listed = listed_errors(errors, [name for name, state in states.items() if state.type == "Task"])
    laboratory = Laboratory.of(prepare, states)
    found = walk(laboratory, given, budget, listed)
    told = discoveries(laboratory, found)
    by_line = {id(one): located(source, [one.finding])[0] for one in told}
    placed = [one._replace(finding=by_line[id(one)]) for one in told]
    placed.sort(key=lambda one: (one.finding.severity != "ERROR", one.finding.line or 0, one.finding.column or 0))
    points = coverage_points(laboratory.document)
    taken = sum(point.key in found.points for point in points)
    return Exploration(source, laboratory, found, placed, len(points), taken, monotonic() - began)


def listed_errors(errors: Iterable[str], tasks: Sequence[str]) -> dict[str, list[str]]:
    """The errors by state, ``*`` for all.  Raises ``InvalidInput``."""
    found: dict[str, list[str]] = {}
    for text in errors:
        state, mark, name = text.rpartition(":")
        if not name or (mark and not state):
            raise InvalidInput(f"the error {text!r}: expected NAME or STATE:NAME")
        if mark and state not in tasks:
            raise InvalidInput(
                f"the error {text!r}: the machine has no task {state!r}{did_you_mean(state, tasks)} "
                f"(there are {', '.join(map(repr, tasks))})"
            )
        found.setdefault(state or "*", []).append(name)
    return found
