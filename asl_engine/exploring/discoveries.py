"""What is told of a walk: its discoveries, each with its place, how certain it is, and how to see it happen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.exploring.proving import dead_names, dead_rules, loops, unreachable
from asl_engine.exploring.scripts import MOST_EVENTS
from asl_engine.exploring.terms import INPUT
from asl_engine.findings import Finding
from asl_engine.testing.coverage import coverage_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.exploring.runs import Laboratory, Ran
    from asl_engine.exploring.scripts import Injected
    from asl_engine.exploring.walking import Walk
    from asl_engine.findings import Severity
    from asl_engine.testing.coverage import CoveragePoint

__all__ = ["Discovery", "discoveries", "reproduction"]

MOST_NAMES = 6  # of the errors that nothing catches, in a message
PROVED, NOT_FOUND, SEEN = "proved", "not found", "seen"
# Where the cause of a failure begins to say what is wrong.
_PREAMBLE = re.compile(
    r"An error occurred while executing the state '.*?'(?: \(entered at the event id #\d+\))?\. "
)


class Discovery(NamedTuple):
    """``certainty`` is proved (it follows from the definition), seen (a run did it) or not found (no run did it).

    ``place`` is the one for people, ``ran`` a run that shows it, None where none can.
    """

    finding: Finding
    place: str
    certainty: str
    ran: Ran | None = None


def discoveries(laboratory: Laboratory, found: Walk) -> list[Discovery]:
    """All that there is to tell, in no order."""
    return [*_Telling(laboratory, found).all()]


class _Telling:
    def __init__(self, laboratory: Laboratory, found: Walk) -> None:
        self.laboratory = laboratory
        self.found = found
        self.points = coverage_points(laboratory.document)
        self.by_location = {point.location: point for point in self.points}
        self.of_states = {point.state: point for point in self.points if point.kind == "state"}
        self.taken = found.points
        self.dead: dict[str, str] = {}  # why, by the keys of points

    def all(self) -> Iterator[Discovery]:
        yield from self._entries()
        yield from self._rules()
        yield from self._unreached()
        yield from self._loops()
        yield from self._failing()
        yield from self._singletons()
        yield from self._unmatched()
        yield from self._uncaught()

    def _told(  # noqa: PLR0917  each is another part of a finding
        self,
        code: str,
        at: CoveragePoint,
        message: str,
        certainty: str,
        severity: Severity = "ERROR",
        ran: Ran | None = None,
    ) -> Discovery:
        return Discovery(Finding(code, message, at.location, severity), at.place, certainty, ran)

    # -- what never happens ---------------------------------------------------------------------------

    def _entries(self) -> Iterator[Discovery]:
        """Retriers and catchers that can never act, or of which some names are there in vain."""
        for state in self.laboratory.states.values():
            dead: dict[tuple[str, int], list[tuple[str, str]]] = {}
            for one in dead_names(state):
                dead.setdefault((one.field, one.entry), []).append((one.name, one.why))
            for (field, index), names in dead.items():
                point = self.by_location[f"{state.location}/{field}[{index}]"]
                reasons = "; ".join(f"{name}: {why}" for name, why in names)
                entry = "catcher" if field == "Catch" else "retrier"
                if len(names) == len(state.source[field][index]["ErrorEquals"]):
                    self.dead |= dict.fromkeys(self._keys(point.location), reasons)
                    yield self._told("NEVER_ACTS", point, f"this {entry} can never act ({reasons})", PROVED)
                else:
                    message = f"some names of this {entry} can never match ({reasons})"
                    yield self._told("NEVER_ACTS", point, message, PROVED, "WARNING")
        for point in self.points:
            if point.kind in {"catch", "retry"} and self._is_missed(point):
                entry = "catcher" if point.kind == "catch" else "retrier"
                message = f"no error was found that this {entry} acts upon"
                yield self._told("NEVER_ACTS", point, message, NOT_FOUND, "WARNING")

    def _keys(self, location: str) -> Iterator[str]:
        return (point.key for point in self.points if point.location == location)

    def _is_missed(self, point: CoveragePoint) -> bool:
        """Whether its state was entered and could do its work, and it was not taken all the same."""
        entered = self.of_states[point.state].key in self.taken
        useless = point.state not in self.found.worked
        return entered and not useless and point.key not in self.taken and point.key not in self.dead

    def _rules(self) -> Iterator[Discovery]:
        for state in self.laboratory.states.values():
            if state.type != "Choice":
                continue
            for field, why in dead_rules(state).items():
                point = self.by_location[f"{state.location}/{field}"]
                if point.key in self.taken:  # what has happened is not impossible
                    continue
                self.dead[point.key] = why
                severity: Severity = "WARNING" if field == "Default" else "ERROR"
                yield self._told("NEVER_MATCHES", point, f"this rule can never be taken: {why}", PROVED, severity)
        for point in self.points:
            if point.kind == "rule" and self._is_missed(point):
                message = "nothing was found for which this rule is taken"
                yield self._told("NEVER_MATCHES", point, message, NOT_FOUND, "WARNING")

    def _unreached(self) -> Iterator[Discovery]:
        document: Any = self.laboratory.document
        start: str = document["StartAt"]
        proved = unreachable([start], self.points, self.dead)
        for point in self.of_states.values():
            if point.key in self.taken:
                continue
            if point.state in proved:
                yield self._told("NOT_REACHED", point, "no way leads to this state", PROVED)
            else:
                message = f"this state was not reached{self._hint(point)}"
                yield self._told("NOT_REACHED", point, message, NOT_FOUND, "WARNING")

    def _hint(self, point: CoveragePoint) -> str:
        state = self.laboratory.states[point.state]
        holder = state.scope.holder
        if holder is not None and "ItemReader" in holder.source:
            return (
                f": the items of {holder.name} are read, and nothing is read here unless the project names "
                "a folder for the bucket"
            )
        return ""

    def _loops(self) -> Iterator[Discovery]:
        for states, exits in loops(self.points):
            entered = [state for state in states if self.of_states[state].key in self.taken]
            first = next((name for name in self.laboratory.states if name in states), None)
            if not entered or first is None:
                continue
            named = ", ".join(name for name in self.laboratory.states if name in states)
            point = self.of_states[first]
            if not exits:
                message = f"this loop has no way out: none of {named} leads elsewhere or ends"
                yield self._told("ENDLESS", point, message, PROVED, ran=self._endless_in(states))
            elif not any(way.key in self.taken for way in exits) and (ran := self._endless_in(states)) is not None:
                ways = ", ".join(way.place for way in exits if way.key not in self.dead)
                message = (
                    f"no way out of this loop was found ({named}): runs were left in it after {MOST_EVENTS} events"
                    + (f"; {ways} would lead out" if ways else "")
                )
                yield self._told("ENDLESS", point, message, NOT_FOUND, ran=ran)

    def _endless_in(self, states: set[str]) -> Ran | None:
        return next((ran for ran in self.found.endless if ran.trace.entered[-1] in states), None)

    # -- what does happen -----------------------------------------------------------------------------

    def _failing(self) -> Iterator[Discovery]:
        told: set[tuple[str, str]] = set()
        for (state, cause), (failure, ran) in self.found.failing.items():
            message = _PREAMBLE.sub("", cause) or "its fields could not be evaluated"
            key = (state, re.sub(r"'\{.*\}'|value: .*", "", message))
            if key in told:
                continue
            told.add(key)
            works = state in self.found.worked
            how = "on this way" if works else "whatever was tried"
            name = failure.error or "an error"
            point = self.of_states[state]
            yield self._told("FAILS", point, f"this state fails with {name} {how}: {message}", SEEN, ran=ran)

    def _unmatched(self) -> Iterator[Discovery]:
        for state, ran in self.found.unmatched.items():
            message = "no rule matches, and there is no Default: the execution fails"
            yield self._told("NO_DEFAULT", self.of_states[state], message, SEEN, ran=ran)

    def _singletons(self) -> Iterator[Discovery]:
        for state, ran in self.found.singletons.items():
            message = (
                "this state fails where its Items come to one item or none: of one item JSONata makes no array; "
                "put the expression in brackets, [...], to have one always"
            )
            yield self._told("FAILS", self.of_states[state], message, SEEN, ran=ran)

    def _uncaught(self) -> Iterator[Discovery]:
        for state, errors in self.found.uncaught.items():
            names = [*errors]
            listed = ", ".join(names[:MOST_NAMES])
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            message = f"nothing catches {listed}{more}, and the execution fails"
            yield self._told(
                "UNCAUGHT", self.of_states[state], message, SEEN, "WARNING", ran=next(iter(errors.values()))
            )


def reproduction(ran: Ran) -> dict[str, Any]:
    """What a run was given, as JSON: its input, what the tasks gave and the faults that were injected."""
    given = {
        state: [answer.value for answer in answers if answer.error is None]
        for state, answers in ran.answers.items()
    }
    results = {state: values for state, values in given.items() if values}
    return {"input": ran.docs[INPUT], "results": results, "faults": [*map(_fault, ran.script.faults)]}


def _fault(fault: Injected) -> str:
    first = fault.number + 1
    last = "" if fault.times is None else str(fault.number + fault.times)
    return f"{fault.state}:{fault.error}@{first}" + ("" if last == str(first) else f"-{last}")
