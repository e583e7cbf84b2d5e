"""Coverage of a definition: the points it has, and which of them an execution took.

A point is whatever a test can miss: a state, the way out of it, a Choice rule or Default, a Retry entry (attempted
and exhausted are two points), a Catch clause, the iterations of a Map, each branch of a Parallel.

The log of an execution says what it took.  Where the log alone cannot tell - two Choice rules with the same
Next, a catcher that leads where the state leads anyway - the state decides once more, in the execution as it
stood just before the event: its rules are evaluated again on the same input, with the same variables, the same
moment and the same randomness.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from asl_engine.core import events as ev
from asl_engine.core.apply import apply
from asl_engine.core.decision import Decision
from asl_engine.core.execution import Execution, Identity, Phase
from asl_engine.core.frames import BETWEEN_STATES
from asl_engine.core.interpreter import any_activity
from asl_engine.errors import UNRECOVERABLE, AslError, EvaluationError, StatesError
from asl_engine.json_text import dumps, loads
from asl_engine.language.tree import all_states
from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.states.choice import Choice
from asl_engine.states.recovery import Recovery, matches, retrier_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from asl_engine.core.frames import Frame
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.state import State
    from asl_engine.language.tree import StateSource

__all__ = [
    "VERBS",
    "CoveragePoint",
    "NotOfDefinition",
    "PointKind",
    "coverage_points",
    "places_taken",
    "points_taken",
]

PointKind: TypeAlias = Literal["state", "transition", "rule", "retry", "exhausted", "catch", "iteration", "branch"]
# What an execution does with a point of each kind.
VERBS: Final[dict[PointKind, str]] = {
    "state": "entered",
    "transition": "taken",
    "rule": "taken",
    "retry": "attempted",
    "exhausted": "exhausted",
    "catch": "taken",
    "iteration": "started",
    "branch": "started",
}


# What depends on which execution it was: the context object, and randomness, which is seeded with the ARN.
READS_IDENTITY: Final = re.compile(
    r"\$\$|\$states(?!\.(input|result|errorOutput)\b)|\$random|\$shuffle|\$uuid|States\.(UUID|MathRandom)"
)
NOBODY: Final = Identity(arn="", name="", machine_arn="", machine_name="", role_arn="", started_at=0)


class NotOfDefinition(AslError):
    """The events do not tell what was taken: they are not all of an execution, or not one of this definition."""


class CoveragePoint(NamedTuple):
    """``location`` is the one of AWS's diagnostics (``/States/Pay/Catch[0]``), ``place`` the one for people.

    ``state`` is the name of the state that the point belongs to, ``target`` that of the state it leads to, if any.
    """

    kind: PointKind
    location: str
    place: str
    state: str
    target: str | None = None

    @property
    def key(self) -> str:
        """What tells it from all other points of the definition."""
        return f"{self.kind} {self.location}"


# -- which points there are ---------------------------------------------------------------------------


def coverage_points(document: Any) -> list[CoveragePoint]:
    """All points of a valid definition, state by state in the order of the text."""
    places: dict[str, str] = {}
    found: list[CoveragePoint] = []
    for state in all_states(document):
        places[state.location] = _place(state, places)
        found += _points_of(state, places[state.location])
    return found


def _place(state: StateSource, places: Mapping[str, str]) -> str:
    """``States.Outer.Branches[0].States.Inner``: a state's holder has its place before it."""
    holder = state.scope.holder
    if holder is None:
        return f"States.{state.name}"
    within = state.scope.location.removeprefix(f"{holder.location}/")
    return f"{places[holder.location]}.{within}.States.{state.name}"


def _points_of(state: StateSource, place: str) -> Iterator[CoveragePoint]:
    source: dict[str, Any] = state.source

    def point(kind: PointKind, field: str, target: str | None = None) -> CoveragePoint:
        return CoveragePoint(kind, f"{state.location}/{field}", f"{place}.{field}", state.name, target)

    yield CoveragePoint("state", state.location, place, state.name)
    for scope in state.scopes():
        held = scope.location.removeprefix(f"{state.location}/")
        yield point("branch" if state.type == "Parallel" else "iteration", held, scope.source.get("StartAt"))
    if state.type == "Choice":
        for index, rule in enumerate(source["Choices"]):
            yield point("rule", f"Choices[{index}]", rule["Next"])
        if "Default" in source:
            yield point("rule", "Default", source["Default"])
    elif "Next" in source:
        yield point("transition", "Next", source["Next"])
    elif source.get("End") is True:
        yield point("transition", "End")
    for index, retrier in enumerate(source.get("Retry", ())):
        if retrier.get("MaxAttempts") != 0:  # such an entry says which errors are not retried
            yield point("retry", f"Retry[{index}]")
        yield point("exhausted", f"Retry[{index}]")
    for index, catcher in enumerate(source.get("Catch", ())):
        yield point("catch", f"Catch[{index}]", catcher["Next"])


@lru_cache(maxsize=64)
def _states_of(text: str) -> dict[str, StateSource]:
    """The states of a definition by name, which is unique in the whole machine."""
    return {state.name: state for state in all_states(loads(text))}


# -- which of them an execution took ------------------------------------------------------------------


def points_taken(
    machine: StateMachine,
    events: Iterable[ev.Event],
    identity: Identity | None = None,
    limits: Limits = AWS_LIMITS,
) -> Counter[str]:
    """How often an execution took each point, by the point's key.

    ``events`` are all of its events so far.  ``identity`` and ``limits`` are those that it ran with.  A child of a
    Map Run starts an iteration of its Map.  Raises ``NotOfDefinition``; also where the log alone does not tell,
    and what would tell depends on an identity that is None.
    """
    walk = _Walk(machine, identity, limits)
    for event in events:
        walk.take(event)
    if walk.execution.status in {"SUCCEEDED", "FAILED"} and not walk.taken:
        raise NotOfDefinition("only its beginning and its end are kept, as of an Express child of a Map Run")
    return walk.taken


# Of several points at one place - a Retry entry is attempted and exhausted - none is the place.
PLACES: Final = frozenset({"state", "transition", "rule", "catch", "iteration", "branch"})


def places_taken(taken: Mapping[str, int]) -> dict[str, int]:
    """How often each state, branch, iteration and way on was taken, by location, of counts by the points' keys."""
    found: dict[str, int] = {}
    for key, count in taken.items():
        kind, _, location = key.partition(" ")
        if kind in PLACES:
            found[location] = count
    return found


class _Walk:
    """An execution that is made again, event by event; before each event it is seen what the event takes."""

    def __init__(self, machine: StateMachine, identity: Identity | None, limits: Limits) -> None:
        self.machine = machine
        self.limits = limits
        self.is_known = identity is not None
        self.execution = Execution(identity or NOBODY)
        self.taken: Counter[str] = Counter()
        self.sources = _states_of(machine.text)

    def take(self, event: ev.Event) -> None:
        if event.seq != self.execution.seq + 1:
            raise NotOfDefinition(f"the log lacks what was before event {event.seq}")
        see = _SEE.get(type(event))
        if see is not None:
            see(self, event)
        apply(self.execution, event)

    def count(self, kind: PointKind, location: str) -> None:
        self.taken[f"{kind} {location}"] += 1

    def source(self, name: str, seq: int) -> StateSource:
        try:
            return self.sources[name]
        except KeyError:
            raise NotOfDefinition(
                f"event {seq} is about the state '{name}', which is not in the definition"
            ) from None

    # -- what each event takes ----------------------------------------------------------------------

    def entered(self, event: ev.StateEntered) -> None:
        source = self.source(event.name, event.seq)
        if source.type != event.type:
            raise NotOfDefinition(
                f"event {event.seq} enters the {event.type} state '{event.name}', which is a {source.type} state "
                "in the definition"
            )
        self.count("state", source.location)
        is_first = event.frame == 0 and not self.execution.frames[0].state
        if is_first and source.scope.holder is not None:  # the child of a Map Run
            self.count("iteration", source.scope.location)

    def branch_started(self, event: ev.BranchStarted) -> None:
        holder = self.source(self.execution.frames[event.frame].state, event.seq)
        self.count("branch", f"{holder.location}/Branches[{event.number}]")

    def iteration_started(self, event: ev.MapIterationStarted) -> None:
        holder = self.source(self.execution.frames[event.frame].state, event.seq)
        for scope in holder.scopes():
            self.count("iteration", scope.location)

    def retried(self, event: ev.RetryScheduled) -> None:
        source = self.source(self.execution.frames[event.frame].state, event.seq)
        self.count("retry", f"{source.location}/Retry[{event.retrier}]")

    def left(self, event: ev.StateExited) -> None:
        source, state = self.source(event.name, event.seq), self.machine.states[event.name]
        frame = self.execution.frames[event.frame]
        recovery: Recovery | None = getattr(state, "recovery", None)
        if isinstance(state, Choice):
            self.count("rule", f"{source.location}/{self._rule(state, frame, event)}")
        elif recovery is None or not self._is_caught(state, recovery, frame, event):
            field = "End" if event.next is None else "Next"
            if field in source.source:
                self.count("transition", f"{source.location}/{field}")
        else:
            self._exhausted(state, source, frame, event)
            self.count("catch", f"{source.location}/Catch[{self._catcher(state, recovery, frame, event)}]")

    def failed(self, event: ev.ExecutionFailed | ev.BranchFailed | ev.MapIterationFailed) -> None:
        """The frame ends: nothing has caught the failure of its state."""
        frame = self.execution.frames.get(
            event.frame
        )  # of an Express child, only the beginning and the end are kept
        if frame is not None and frame.phase not in BETWEEN_STATES and event.error not in UNRECOVERABLE:
            self._exhausted(self.machine.states[frame.state], self.source(frame.state, event.seq), frame, event)

    # -- where the log alone does not tell ------------------------------------------------------------

    def _rule(self, state: Choice, frame: Frame, event: ev.StateExited) -> str:
        """The rule that has led where the execution went; of several, the first that matches."""
        leading = [index for index, rule in enumerate(state.rules) if rule.next == event.next]
        is_default = state.next == event.next
        if len(leading) + is_default == 1:
            return "Default" if is_default else f"Choices[{leading[0]}]"
        decision = self._decision(frame, event.at)
        try:
            given = state.flow.input(decision).value
            index = next((index for index in leading if state.rules[index].matches(decision, given)), None)
        except (EvaluationError, StatesError) as error:
            raise self._unclear(event) from error
        if index is not None:
            return f"Choices[{index}]"
        if is_default:
            return "Default"
        raise self._unclear(event)

    def _is_caught(self, state: State, recovery: Recovery, frame: Frame, event: ev.StateExited) -> bool:
        """Whether the state was left by a catcher: its work has failed, or something before or after it."""
        if frame.phase is not Phase.SUCCEEDED or event.next != state.next:
            return True
        if all(catcher.next != event.next for catcher in recovery.catchers):
            return False
        return self._failure(state, frame, event) is not _NO_FAILURE

    def _catcher(self, state: State, recovery: Recovery, frame: Frame, event: ev.StateExited) -> int:
        leading = [index for index, catcher in enumerate(recovery.catchers) if catcher.next == event.next]
        if len(leading) > 1:
            error: Any = self._failure(state, frame, event)
            leading = [index for index in leading if matches(recovery.catchers[index].error_equals, error)]
        if not leading:
            raise self._unclear(event)
        return leading[0]

    def _exhausted(self, state: State, source: StateSource, frame: Frame, event: ev.Event) -> None:
        """A failure that was not retried has used up the retrier that it is for, if there is one."""
        recovery: Recovery | None = getattr(state, "recovery", None)
        if recovery is None or not recovery.retriers:
            return
        error: Any = self._failure(state, frame, event)
        index = retrier_for(recovery, error)
        if index is not None and frame.retries.get(index, 0) >= recovery.retriers[index].max_attempts:
            self.count("exhausted", f"{source.location}/Retry[{index}]")

    def _failure(self, state: State, frame: Frame, event: ev.Event) -> str | _NoFailure | None:
        """The error of the frame's state.  Where no event of its own shows it, the state acts once more."""
        if frame.phase is Phase.FAILED:
            return frame.error
        act = _ACTS.get(frame.phase)
        if act is None:
            raise self._unclear(event)
        decision = self._decision(frame, event.at)
        decision.takes_token = state.takes_token
        try:
            act(state)(decision)
        except _Emitted:
            return _NO_FAILURE
        except (EvaluationError, StatesError) as error:
            return error.error
        except RecursionError:
            return "States.Runtime"
        return _NO_FAILURE

    def _decision(self, frame: Frame, at: int) -> Decision:
        """The decision that the next event came of; it changes nothing."""
        if not self.is_known and READS_IDENTITY.search(dumps(self.sources[frame.state].source)):
            raise NotOfDefinition(
                f"the state '{frame.state}' reads the context object or takes random numbers, and which execution "
                "it was is not known"
            )
        decision = _Again(self.execution, at, self.limits, any_activity)
        decision.frame = frame
        return decision

    def _unclear(self, event: ev.Event) -> NotOfDefinition:
        name = self.execution.frames[event.frame].state
        return NotOfDefinition(f"event {event.seq}: no rule of the definition makes the state '{name}' do this")


class _Emitted(Exception):
    """The state has come to its next event: it does not fail."""


class _NoFailure:
    """What the state does when it acts again is no failure.  An error's name may be None."""


_NO_FAILURE: Final = _NoFailure()


class _Again(Decision):
    """A decision whose events stay out of the execution."""

    __slots__ = ()

    def _append(self, event: ev.Event) -> None:
        raise _Emitted(event)


# What a state was doing when it failed without an event that says so.
_ACTS: dict[Phase, Callable[[State], Callable[[Decision], None]]] = {
    Phase.ENTERED: lambda state: state.enter,
    Phase.BACKOFF: lambda state: state.enter,
    Phase.SCHEDULED: lambda state: state.scheduled,
    Phase.FORKING: lambda state: state.fork,
    Phase.SUCCEEDED: lambda state: state.succeeded,
}
_SEE: dict[type[ev.Event], Callable[[_Walk, Any], None]] = {
    ev.StateEntered: _Walk.entered,
    ev.StateExited: _Walk.left,
    ev.BranchStarted: _Walk.branch_started,
    ev.MapIterationStarted: _Walk.iteration_started,
    ev.RetryScheduled: _Walk.retried,
    ev.ExecutionFailed: _Walk.failed,
    ev.BranchFailed: _Walk.failed,
    ev.MapIterationFailed: _Walk.failed,
}
