"""The walk: run by run, every error is given and every rule is sought, until nothing new is found.

Each run says what could have gone otherwise: a rule that was not taken, an error that a call did not give, a
number of items that a Map did not have.  Each of these is tried once from the first run that offers it (rules from
a few), with what has to be given for it, which the formulas of the way there say.  When all that is done, ways are
sought that differ in the rules they take, until the budget is used up.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.exploring.candidates import TIMESTAMP
from asl_engine.exploring.formulas import Atom, atoms_of, solve
from asl_engine.exploring.given_errors import given_errors
from asl_engine.exploring.rules import DEFAULT, FAILS
from asl_engine.exploring.scripts import Injected, Script
from asl_engine.exploring.terms import INPUT, looked_up, written
from asl_engine.json_values import MISSING, canonical_text
from asl_engine.states.recovery import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from asl_engine.exploring.formulas import Formula
    from asl_engine.exploring.runs import Laboratory, Ran
    from asl_engine.exploring.terms import Docs, GivenPlace
    from asl_engine.exploring.tracing import FailedFields
    from asl_engine.json_values import Json

__all__ = ["Budget", "Walk", "walk"]

MOST_ATTEMPTS = 6  # runs from which one rule of a Choice is sought
USUAL_ATTEMPTS = 3  # MaxAttempts, if a retrier does not say
MOST_RETRIES = 100  # that are waited for
MOST_FROM_ENDED = 2  # of these attempts, from runs that end where the error comes: others go further
MOST_REPAIRS = 30  # runs in which one failure is tried to be avoided
MOST_VISITS = 30  # of the Choices of a run: a long loop offers the same again and again
MOST_TURNS = 2  # of a loop in which another way is sought
MOST_WAYS = 30  # that only differ in the rules they take
LEAVES: tuple[Any, ...] = (1, "text", TIMESTAMP, ["text"], [1, 2])
SIZES = (0, 1, 2)  # items of a Map, beside those of the first run


NO_ARRAY = "returned an unexpected result type. Expected 'array'"
_EVENT_ID = re.compile(r" \(entered at the event id #\d+\)")


class Budget(NamedTuple):
    """How long, in seconds, and for how many runs at most."""

    seconds: float = 10.0
    runs: int = 1000


class Sought(NamedTuple):
    """What could have gone otherwise."""

    key: tuple[str, ...]
    aim: str


@dataclass
class Walk:
    """What was found.  ``news`` are the runs that took something new, in order; ``ways`` only go another way.

    ``uncaught`` are the errors that have ended an execution, by the state that gave them, each with the run.
    ``failing`` are states whose fields could not be evaluated with anything that was tried, by their names.
    ``singletons`` are Maps whose Items were one item, and so no array.
    ``unmatched`` are Choices without Default that nothing has matched.  ``cut`` says that the budget ran out.
    """

    news: list[Ran] = field(default_factory=list)
    ways: list[Ran] = field(default_factory=list)
    points: set[str] = field(default_factory=set)
    uncaught: dict[str, dict[str, Ran]] = field(default_factory=dict)
    failing: dict[tuple[str, str], tuple[FailedFields, Ran]] = field(default_factory=dict)
    worked: set[str] = field(default_factory=set)
    unmatched: dict[str, Ran] = field(default_factory=dict)
    endless: list[Ran] = field(default_factory=list)
    singletons: dict[str, Ran] = field(default_factory=dict)
    cut: bool = False
    total: int = 0


def walk(
    laboratory: Laboratory, given: Json, budget: Budget, listed: Mapping[str, Sequence[str]] | None = None
) -> Walk:
    """``given`` is the input to begin with; ``listed`` are further errors by state, ``*`` for all."""
    return _Walker(laboratory, budget, listed or {}).walk(given)


class _Walker:
    def __init__(self, laboratory: Laboratory, budget: Budget, listed: Mapping[str, Sequence[str]]) -> None:
        self.laboratory = laboratory
        self.budget = budget
        self.until = monotonic() + budget.seconds
        self.found = Walk()
        self.done: set[tuple[str, ...]] = set()
        self.attempts: Counter[tuple[str, ...]] = Counter()
        self.ways: set[str] = set()
        self.errors = {
            name: given_errors(state, [*listed.get("*", ()), *listed.get(name, ())]).named
            for name, state in laboratory.states.items()
            if state.type == "Task"
        }

    def walk(self, given: Json) -> Walk:
        queue = deque([self._take(Script({INPUT: given}), "the first run")])
        while queue and self._has_time():
            ran = queue.popleft()
            for sought, script in self._otherwise(ran):
                if not self._has_time():
                    break
                if sought.key in self.done:
                    continue
                other = self._take(script, sought.aim)
                self._settle(sought.key, other)
                queue.append(other)
        self._walk_ways()
        self.found.cut = not self._has_time()
        self.found.total = self.laboratory.runs
        return self.found

    def _has_time(self) -> bool:
        return monotonic() < self.until and self.laboratory.runs < self.budget.runs

    def _settle(self, key: tuple[str, ...], ran: Ran) -> None:
        """Rules are settled when they are taken; errors and sizes when they have been tried.

        An error that is to come every time has to come until its retries are used up: a branch beside it may have
        ended all before.
        """
        if key[0] == "error" and key[-1] == "None":
            _, state, error, _ = key
            self.attempts[key] += 1
            came = sum(call.state == state and call.error == error for call in ran.trace.calls)
            if came <= self._retries(state, error) and self.attempts[key] < MOST_ATTEMPTS:
                return
        if key[0] != "rule" or any((visit.state, str(visit.outcome)) == key[1:] for visit in ran.trace.choices):
            self.done.add(key)

    # -- one run --------------------------------------------------------------------------------------

    def _take(self, script: Script, aim: str) -> Ran:
        ran = self._repaired(script)
        ran.aim = aim
        new = ran.points - self.found.points
        self.found.points |= ran.points
        for visit in ran.trace.choices:
            self.done.add(("rule", visit.state, str(visit.outcome)))
        self._note(ran)
        if new or any(fault.times not in {None, 1} for fault in script.faults[-1:]):
            self.found.news.append(ran)
        return ran

    def _note(self, ran: Ran) -> None:
        found = self.found
        if ran.endless:
            found.endless.append(ran)
        failed = {failure.state for failure in ran.trace.failures}
        found.worked |= set(ran.trace.entered) - failed
        for failure in ran.trace.failures:
            choice = self.laboratory.states[failure.state].type == "Choice"
            if not choice:
                found.failing.setdefault((failure.state, _EVENT_ID.sub("", failure.cause)), (failure, ran))
        for visit in ran.trace.choices:
            if visit.outcome == DEFAULT and not visit.rules.has_default:
                found.unmatched.setdefault(visit.state, ran)
        last = ran.trace.choices[-1] if ran.trace.choices else None
        if last is not None and last.outcome == FAILS and not last.rules.has_default and self._falls_through(ran):
            found.unmatched.setdefault(last.state, ran)
        if ran.status == "FAILED" and not ran.endless and not self._fails_by_itself(ran):
            call = next((one for one in reversed(ran.trace.calls) if one.error is not None), None)
            if (
                call is not None
                and call.error
                and call.error == ran.error
                and self._injected(ran, call.state, ran.error)
            ):
                found.uncaught.setdefault(call.state, {}).setdefault(call.error, ran)

    def _fails_by_itself(self, ran: Ran) -> bool:
        """Whether a Fail state ended the run.  It may fail with the error that something has caught."""
        return self.laboratory.states[ran.trace.entered[-1]].type == "Fail"

    @staticmethod
    def _falls_through(ran: Ran) -> bool:
        return ran.trace.choices[-1].rules.outcome(ran.docs) == DEFAULT

    @staticmethod
    def _injected(ran: Ran, state: str, error: str | None) -> bool:
        return any(fault.state == state and fault.error == error for fault in ran.script.faults)

    def _repaired(self, script: Script) -> Ran:
        """The run, with what a state lacked that could not evaluate its fields."""
        ran = self.laboratory.run(script)
        tried = 0
        while (failure := self._repairable(ran)) is not None and tried < MOST_REPAIRS and self._has_time():
            better = None
            for docs in self._repairs(ran, failure):
                tried += 1
                other = self.laboratory.run(Script(docs, script.faults))
                if self._is_better(other, ran, failure):
                    better = other
                    break
                if tried >= MOST_REPAIRS or not self._has_time():
                    break
            if better is None:
                break
            if NO_ARRAY in failure.cause and any(looked_up(ran.docs, read.place) for read in failure.reads):
                ran.aim = f"{failure.state} has one item"
                self.found.singletons.setdefault(failure.state, ran)
            self._learn(better, ran)
            ran = better
        return ran

    def _repairable(self, ran: Ran) -> FailedFields | None:
        for failure in ran.trace.failures:
            if failure.reads and self.laboratory.states[failure.state].type != "Choice":
                return failure
        return None

    @staticmethod
    def _is_better(other: Ran, ran: Ran, failure: FailedFields) -> bool:
        failures = [(one.state, one.cause) for one in other.trace.failures]
        if failure.state not in other.trace.entered or len(other.trace.entered) < len(ran.trace.entered):
            return False
        return (failure.state, failure.cause) not in failures

    def _repairs(self, ran: Ran, failure: FailedFields) -> Iterator[dict[str, Json]]:
        """First all that is missing at once, then one thing after the other, then the whole of what is given."""
        reads = {read.place: read for read in failure.reads if read.place.steps}
        missing = [read for read in reads.values() if looked_up(ran.docs, read.place) in (MISSING, None)]
        holders = {read.place for read in missing if any(_within(other, read.place) for other in reads)}
        base = dict(ran.docs)
        for leaf in (None, *LEAVES) if missing else ():
            values: dict[GivenPlace, Any] = {
                read.place: read.values[0] if leaf is None else leaf for read in missing
            }
            values |= {place: [{}] for place in holders}
            made = written(ran.docs, values)
            base = made if leaf is None else base
            yield made
        for read in reads.values():
            now = looked_up(base, read.place)
            if isinstance(now, dict | list) and now:
                yield written(base, {read.place: now * 2 if isinstance(now, list) else [now, now]})
            for value in read.values:
                if now != value:
                    yield written(base, {read.place: value})
        for read in failure.reads:
            if not read.place.steps:
                for value in read.values:
                    yield written(base, {read.place: value})

    def _learn(self, better: Ran, before: Ran) -> None:
        """Later calls of the same state give what this one had to."""
        for source, value in better.docs.items():
            state, mark, number = source.rpartition("#")
            if mark and number == "0" and canonical_text(before.docs.get(source)) != canonical_text(value):
                self.laboratory.shapes[state] = value

    # -- what could have gone otherwise -----------------------------------------------------------------

    def _otherwise(self, ran: Ran) -> Iterator[tuple[Sought, Script]]:
        yield from self._other_errors(ran)
        yield from self._other_sizes(ran)
        yield from self._other_rules(ran)

    def _other_errors(self, ran: Ran) -> Iterator[tuple[Sought, Script]]:
        for call in ran.trace.calls:
            for error in self.errors.get(call.state, ()) if call.error is None else ():
                aim = f"{call.state} fails with {error}"
                kept = self._kept(ran, call.state, call.number)
                key: tuple[str, ...] = ("error", call.state, error)
                if key not in self.done:
                    fault = Injected(call.state, call.number, error)
                    yield Sought(key, f"{aim} once"), Script(kept, (*ran.script.faults, fault))
                retries = self._retries(call.state, error)
                for times in (None, retries) if 0 < retries <= MOST_RETRIES else ():
                    key = ("error", call.state, error, str(times))
                    spared = (
                        ran.path[-1:] == [self._outermost(call.state)] and self.attempts[key] >= MOST_FROM_ENDED
                    )
                    if key not in self.done and times != 1 and not spared:
                        fault = Injected(call.state, call.number, error, times)
                        how = "every time" if times is None else f"{times} times"
                        yield Sought(key, f"{aim} {how}"), Script(kept, (*ran.script.faults, fault))

    def _kept(self, ran: Ran, state: str, number: int) -> Docs:
        """What was given before a call; what comes after it may be another way."""
        gone = {f"{state}#{later}" for later in range(number, number + MOST_VISITS)}
        return {source: value for source, value in ran.docs.items() if source not in gone}

    def _outermost(self, state: str) -> str:
        """The state of the machine itself that a state is in, or is."""
        source = self.laboratory.states[state]
        while source.scope.holder is not None:
            source = source.scope.holder
        return source.name

    def _retries(self, state: str, error: str) -> int:
        """How often a task is called again for an error; where that is by a state around it, too."""
        source = self.laboratory.states[state]
        while True:
            for retrier in source.source.get("Retry", ()):
                if matches(tuple(retrier["ErrorEquals"]), error):
                    return int(retrier.get("MaxAttempts", USUAL_ATTEMPTS))
            if source.scope.holder is None:
                return 0
            source = source.scope.holder

    def _other_sizes(self, ran: Ran) -> Iterator[tuple[Sought, Script]]:
        for visit in ran.trace.maps:
            self.done.add(("items", visit.state, str(visit.length)))
        for position, visit in enumerate(ran.trace.maps[:MOST_VISITS]):
            for size in SIZES:
                sought = Sought(("items", visit.state, str(size)), f"{visit.state} has {size} items")
                if sought.key in self.done or self.attempts[sought.key] >= MOST_ATTEMPTS:
                    continue
                self.attempts[sought.key] += 1
                docs = _resized(ran, position, size)
                if docs is not None:
                    yield sought, Script(docs, ran.script.faults)

    def _other_rules(self, ran: Ran) -> Iterator[tuple[Sought, Script]]:
        for position, visit in enumerate(ran.trace.choices[:MOST_VISITS]):
            for outcome in (*range(len(visit.rules.formulas)), DEFAULT):
                sought = Sought(("rule", visit.state, str(outcome)), f"{visit.state} takes {_rule(outcome)}")
                if (
                    outcome == visit.outcome
                    or sought.key in self.done
                    or self.attempts[sought.key] >= MOST_ATTEMPTS
                ):
                    continue
                self.attempts[sought.key] += 1
                docs = _given_for(ran, position, outcome)
                if docs is not None:
                    yield sought, Script(docs, ran.script.faults)

    # -- ways -------------------------------------------------------------------------------------------

    def _walk_ways(self) -> None:
        """Ways that take the rules that are known in other combinations."""
        queue = deque(ran for ran in self.found.news if not ran.script.faults)
        self.ways = {_prefix(ran, len(ran.trace.choices)) for ran in queue}
        known = {_prefix(ran, end + 1) for ran in queue for end in range(len(ran.trace.choices))}
        count = 0
        while queue and count < MOST_WAYS and self._has_time():
            ran = queue.popleft()
            turns: Counter[str] = Counter()
            for position, visit in enumerate(ran.trace.choices[:MOST_VISITS]):
                turns[visit.state] += 1
                for outcome in (
                    (*range(len(visit.rules.formulas)), DEFAULT) if turns[visit.state] <= MOST_TURNS else ()
                ):
                    way = f"{_prefix(ran, position)} {visit.state}:{outcome}"
                    if outcome == visit.outcome or way in known or not self._has_time():
                        continue
                    known.add(way)
                    docs = _given_for(ran, position, outcome)
                    if docs is None:
                        continue
                    other = self._take(Script(docs), f"{visit.state} takes {_rule(outcome)}")
                    known |= {_prefix(other, end + 1) for end in range(len(other.trace.choices))}
                    whole = _prefix(other, len(other.trace.choices))
                    if whole not in self.ways:
                        self.ways.add(whole)
                        self.found.ways.append(other)
                        queue.append(other)
                        count += 1


def _within(place: GivenPlace, other: GivenPlace) -> bool:
    """Whether one place is in another."""
    steps = other.steps
    return place.source == other.source and len(place.steps) > len(steps) and place.steps[: len(steps)] == steps


def _prefix(ran: Ran, length: int) -> str:
    return " ".join(f"{visit.state}:{visit.outcome}" for visit in ran.trace.choices[:length])


def _rule(outcome: int) -> str:
    return "Default" if outcome == DEFAULT else f"Choices[{outcome}]"


def _resized(ran: Ran, position: int, size: int) -> Docs | None:
    """What to give for so many items where it is asked how they are made, and the way there stays as it is."""
    visit = ran.trace.maps[position]

    def has_size(docs: Docs) -> bool:
        items = visit.items.value(docs)
        return isinstance(items, list) and len(items) == size

    def check(docs: Docs) -> bool:
        before = ran.trace.choices[: visit.choices]
        return has_size(docs) and all(one.rules.outcome(docs) == one.outcome for one in before)

    places = visit.items.places()
    candidates: list[Any] = []
    for place in sorted(places):
        value = looked_up(ran.docs, place)
        if isinstance(value, list):
            candidates += [(value or ["text"])[:1] * count for count in range(2 * size + 1)]
    candidates += [[{}] * count for count in range(2 * size + 1)] + ["text", 1]
    atom = Atom(has_size, places, tuple(candidates), exact=False)
    return solve([(atom, True)], ran.docs, check).docs


def _given_for(ran: Ran, position: int, outcome: int) -> dict[str, Json] | None:
    """What to give so that the rule is taken at this point of the run, and all before it goes as it went."""
    visits = ran.trace.choices
    visit = visits[position]

    def kept(docs: Docs) -> list[int]:
        """The Choices before that would go otherwise."""
        return [index for index in range(position) if visits[index].rules.outcome(docs) != visits[index].outcome]

    def check(docs: Docs) -> bool:
        return visit.rules.outcome(docs) == outcome and not kept(docs)

    needed = visit.rules.needed(outcome)
    found = solve(needed, ran.docs, check).docs
    if found is not None:
        return found
    own = _places(needed)
    before: list[tuple[Formula, bool]] = []
    for earlier in visits[:position]:
        asked = earlier.rules.needed(earlier.outcome) if earlier.outcome != FAILS else []
        if _places(asked) & own:
            before += asked
    return solve([*before, *needed], ran.docs, check).docs if before else None


def _places(needed: Iterable[tuple[Formula, bool]]) -> set[object]:
    return {place for formula, _ in needed for atom in atoms_of(formula) for place in atom.places}
