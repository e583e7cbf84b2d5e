"""Fork an execution: a new one that shares its history up to a state, and goes on from there by itself.

The fork's log begins with the events of its origin, then says whose they were, then what was edited.  Whatever
was under way at that moment (other branches, for instance) is done again by the fork.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core import events as ev
from asl_engine.core.apply import apply, fold
from asl_engine.core.frames import BETWEEN_STATES
from asl_engine.core.interpreter import advance
from asl_engine.core.redrive import not_redrivable
from asl_engine.core.stimuli import RedriveRequested
from asl_engine.core.task_tokens import SALT_BYTES
from asl_engine.errors import InvalidInput, Parameter
from asl_engine.findings import did_you_mean
from asl_engine.payload import Payload
from asl_engine.splicing import copy_of
from asl_engine.store.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asl_engine.core.execution import Execution, Frame, Identity
    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json
    from asl_engine.limits import Limits
    from asl_engine.store.protocol import Store
    from asl_engine.store.run_options import RunOptions

__all__ = [
    "Departure",
    "ForkPoint",
    "StateEntry",
    "forked_log",
    "keep",
    "log_forked_at",
    "name_of_fork",
    "state_entries",
    "stem_of_forks",
    "told_choice",
]

MAX_ORIGIN_NAME = 60  # of a fork's own name, which has at most 80 characters
MAX_SHOWN = 10


class ForkPoint(NamedTuple):
    """Where a fork leaves its origin: before ``state`` is entered, the last time that it was.

    ``iteration`` and ``branch`` say in which one of a Map or a Parallel, counted from 0; ``visit`` which time,
    counted from 1.
    """

    state: str
    iteration: int | None = None
    branch: int | None = None
    visit: int | None = None


class Departure(NamedTuple):
    """Where a fork leaves its origin, and what it is given instead of what its origin had there.

    Without a ``point`` it goes on from where its origin failed, and all that had succeeded stays.  ``input`` is
    that of the point's state; ``variables`` are set besides those that there are.
    """

    point: ForkPoint | None = None
    input: Payload | None = None
    variables: Mapping[str, Json] | None = None


class StateEntry(NamedTuple):
    """A state that was entered, and the iterations and branches around it, the innermost first."""

    event: ev.StateEntered
    iterations: tuple[int, ...]
    branches: tuple[int, ...]


async def keep(
    store: Store, options: RunOptions, machine: StateMachine, events: Sequence[ev.Event], identity: Identity
) -> Record:
    """Keep the log of ``forked_log`` as a new execution.  It is the caller's, and to be resumed.

    Raises ``ExecutionAlreadyExists`` where the name is taken.
    """
    record = Record(identity, machine.digest, options=options)
    await store.create(record, machine.text, events)
    return record


def forked_log(
    departure: Departure,
    origin: Identity,
    recorded: Sequence[ev.Event],
    machine: StateMachine,
    *,
    at: int,
    limits: Limits,
) -> list[ev.Event]:
    """The log that a fork begins with.

    ``machine`` is what the fork is to run, ``at`` the moment, in milliseconds since the epoch.  Raises
    ``InvalidInput`` for a place that there is not, and for a machine that does not fit what has happened.
    """
    if departure.point is None:
        return _from_failure(origin, recorded, machine, at, limits)
    entered = entry_at(recorded, departure.point).event
    return log_forked_at(departure, origin, recorded[: entered.seq - 1], entered.frame, machine, at=at)


def log_forked_at(
    departure: Departure,
    origin: Identity,
    before: Sequence[ev.Event],
    frame: int,
    machine: StateMachine,
    *,
    at: int,
) -> list[ev.Event]:
    """As ``forked_log``, for a fork that leaves its origin after these events.

    The edits, which need a ``frame`` between two states, are of that one.
    """
    events = _copied(before)
    execution = fold(origin, events)
    check_fits(machine, execution.frames.values())
    events.append(_forked(execution, at))
    variables = execution.frames[frame].variables if frame in execution.frames else {}
    for kind, payload in _replaced(variables, departure):
        events.append(kind(events[-1].seq + 1, 0, 0, at, frame, payload))
    return events


def _from_failure(
    origin: Identity, recorded: Sequence[ev.Event], machine: StateMachine, at: int, limits: Limits
) -> list[ev.Event]:
    events = _copied(recorded)
    execution = fold(origin, events)
    reason = not_redrivable(execution, at, limits)
    if reason is not None:
        raise InvalidInput(
            f"there is no failure of {origin.name} to go on from: {reason}; name a state with ", Parameter("at")
        )
    events.append(_forked(execution, at))
    apply(execution, events[-1])
    check_fits(machine, [] if execution.root is None else [execution.root])
    return events + advance(machine, execution, RedriveRequested(at, None), limits)


def _forked(execution: Execution, at: int) -> ev.Event:
    return ev.ExecutionForked(execution.seq + 1, 0, 0, at, 0, execution.identity.arn)


def name_of_fork(origin: str, taken: Iterable[str]) -> str:
    """A name for a fork: its origin's, and a number that is free."""
    stem, known = stem_of_forks(origin), {*taken}
    return next(name for number in range(1, len(known) + 2) if (name := f"{stem}{number}") not in known)


def stem_of_forks(origin: str) -> str:
    """What the names of an execution's forks begin with, unless they were given another."""
    return f"{origin[:MAX_ORIGIN_NAME]}-fork-"


def entry_at(recorded: Sequence[ev.Event], point: ForkPoint) -> StateEntry:
    """The entry into a state that is meant.  Raises ``InvalidInput``, which tells what there is."""
    entered = [*state_entries(recorded)]
    of_state = [entry for entry in entered if entry.event.name == point.state]
    if not of_state:
        names = [*dict.fromkeys(entry.event.name for entry in entered)]
        meant = did_you_mean(point.state, names)
        if not meant and any(isinstance(event, ev.MapRunStarted) for event in recorded):
            meant = "; what the children of a Map Run entered is theirs: fork the state of the Map Run"
        there = ", ".join(names)
        raise InvalidInput(Parameter("at", point.state), f": it was not entered; there are {there}{meant}")
    found = _among(of_state, point, "iteration")
    found = _among(found, point, "branch")
    visit = len(found) if point.visit is None else point.visit
    if not 1 <= visit <= len(found):
        raise InvalidInput(
            Parameter("visit", str(visit)), f": {point.state} was entered {times(len(found))} there"
        )
    return found[visit - 1]


def told_choice(recorded: Sequence[ev.Event], point: ForkPoint) -> str | None:
    """In which iteration or branch a fork begins where that was left open; None where there is only one."""
    if (point.iteration, point.branch, point.visit) != (None, None, None):
        return None
    entered = [entry for entry in state_entries(recorded) if entry.event.name == point.state]
    if len({(entry.iterations, entry.branches) for entry in entered}) == 1:
        return None
    _, iterations, branches = entered[-1]
    where = [f"{kind} {inner[0]}" for kind, inner in (("iteration", iterations), ("branch", branches)) if inner]
    return f"{point.state} was entered {times(len(entered))}: the fork begins in {' of '.join(where)}, the last"


def _among(entries: list[StateEntry], point: ForkPoint, which: str) -> list[StateEntry]:
    wanted: int | None = getattr(point, which)
    if wanted is None:
        return entries
    field = "iterations" if which == "iteration" else "branches"
    found = [entry for entry in entries if wanted in getattr(entry, field)[:1]]
    if found:
        return found
    numbers = sorted({number for entry in entries for number in getattr(entry, field)[:1]})
    shown = ", ".join(map(str, numbers[:MAX_SHOWN])) + (" ..." if len(numbers) > MAX_SHOWN else "")
    there = f"it was entered in {shown}" if numbers else f"it is in no {which}"
    raise InvalidInput(Parameter(which, str(wanted)), f": {point.state} was not entered there; {there}")


def state_entries(recorded: Iterable[ev.Event]) -> Iterable[StateEntry]:
    """Each time that a state was entered, in the order of the log."""
    around: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {0: ((), ())}
    for event in recorded:
        if isinstance(event, ev.MapIterationStarted):
            iterations, branches = around[event.frame]
            around[event.seq] = ((event.number, *iterations), branches)
        elif isinstance(event, ev.BranchStarted):
            iterations, branches = around[event.frame]
            around[event.seq] = (iterations, (event.number, *branches))
        elif isinstance(event, ev.StateEntered):
            yield StateEntry(event, *around[event.frame])


def check_fits(machine: StateMachine, frames: Iterable[Frame]) -> None:
    """Raises ``InvalidInput`` where the machine lacks a state that the fork stands in, or is about to enter."""
    for frame in frames:
        _check_frame(machine, frame)


def _check_frame(machine: StateMachine, frame: Frame) -> None:
    name = frame.next if frame.phase in BETWEEN_STATES else frame.state
    state = machine.states.get(name or machine.start_at)
    if state is None:
        raise InvalidInput(f"the definition has no state {name!r}, which the execution is in at that moment")
    if frame.phase not in BETWEEN_STATES and state.type != frame.type:
        raise InvalidInput(
            f"the state {name!r} is a {state.type} in the definition; the execution is in a {frame.type} there"
        )
    fork = frame.fork
    for child in () if fork is None else (*fork.children.values(), *fork.fallen.values()):
        _check_frame(machine, child)


def _replaced(variables: Mapping[str, Json], departure: Departure) -> Iterable[tuple[type[Any], Payload]]:
    if departure.input is not None:
        yield ev.InputReplaced, departure.input
    if departure.variables:
        yield ev.VariablesReplaced, Payload({**variables, **departure.variables})


def _copied(events: Iterable[ev.Event]) -> list[ev.Event]:
    """The events with payloads of their own, since each execution stores its payloads itself.

    The fork's task tokens are signed with a salt of its own.
    """
    own: dict[int, Payload] = {}
    copies: list[ev.Event] = []
    for event in events:
        payloads: dict[str, Any] = {
            name: copy_of(value, own)
            for name, value in zip(event._fields, event, strict=True)
            if isinstance(value, Payload)
        }
        if isinstance(event, ev.ExecutionStarted):
            payloads["salt"] = os.urandom(SALT_BYTES).hex()
        copies.append(event._replace(**payloads) if payloads else event)
    return copies


def times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
