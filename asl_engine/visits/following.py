"""From a history of AWS to a log of ours: the interpreter follows it, event by event.

What came from outside (results, failures, moments) is taken from the history.  Everything else the interpreter
decides itself, in the order in which the history tells it, and must come to the event that AWS shows; where only
the data of an event differ (a random number, say), AWS's are taken.  So the log is one that might have been
written here, and tells what happened there.
"""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.core import events as ev
from asl_engine.core.decision import Decision, HistoryFull
from asl_engine.core.execution import RUNNABLE, Execution, OpenMapRun, OpenTask, Phase
from asl_engine.core.failing import fail
from asl_engine.core.interpreter import STEPS, guarded
from asl_engine.core.replay import Difference
from asl_engine.core.task_tokens import SALT_BYTES
from asl_engine.errors import AslError
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.json_values import canonical_text
from asl_engine.language.tree import HOLDERS, all_states
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.projections.told import Told, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from asl_engine.core.execution import Identity
    from asl_engine.core.frames import Frame
    from asl_engine.core.machine import StateMachine
    from asl_engine.language.tree import StateSource
    from asl_engine.limits import Limits

__all__ = ["Deviation", "Followed", "follow", "follow_again"]

# What AWS shows of an attempt that failed before it began is a failure of the attempt here.
FAILED_TO_BEGIN: Final = {
    "LambdaFunctionScheduleFailed": "LambdaFunctionFailed",
    "LambdaFunctionStartFailed": "LambdaFunctionFailed",
    "TaskStartFailed": "TaskFailed",
    "TaskSubmitFailed": "TaskFailed",
}
# Where an event of ours has its payload, and where the details of a history event may have it.
PAYLOADS: Final[dict[type[ev.Event], tuple[str, tuple[str, ...]]]] = {
    ev.StateEntered: ("input", ("input",)),
    ev.StateExited: ("output", ("output",)),
    ev.TaskScheduled: ("parameters", ("parameters", "input")),
    ev.ExecutionSucceeded: ("output", ("output",)),
}
# What gives another value each time, by name.
CHANCE: Final = re.compile(r"States\.(UUID|MathRandom)|\$(uuid|random|now|millis|shuffle)\b|Task\.Token")
SHOWN_BY_NONE: Final = {Phase.FORKING, Phase.ENDED}
STARTS: Final = {"ParallelStateStarted", "MapStateStarted", "EvaluationFailed"}


class Deviation(AslError):
    """The definition does not lead to the history: it leads to ``made`` instead of ``told``, if to anything."""

    def __init__(self, told: Told | None, made: ev.Event | None, reason: str) -> None:
        place = "at its end" if told is None else f"at event {told.id} ({named(told)})"
        super().__init__(f"the history and the definition do not agree {place}: {reason}")
        self.told = told
        self.made = made


class Lacking(Deviation):
    """The history lacks what an event had: nothing can be said of the definition."""

    def __init__(self, told: Told, reason: str) -> None:
        AslError.__init__(self, f"event {told.id} of the history ({named(told)}): {reason}")
        self.told = told
        self.made = None


class Followed(NamedTuple):
    """``differing`` are the events, as the definition makes them, whose data are other ones in the history.

    ``states`` are the names of the states that these events are of, by the event's id.
    """

    execution: Execution
    log: list[ev.Event]
    differing: list[ev.Event]
    states: dict[int, str]


class Pause(Exception):
    """The history goes on elsewhere: the step that is being taken is gone on with later."""


def follow(machine: StateMachine, identity: Identity, history: Sequence[Told], limits: Limits) -> Followed:
    """The log that the history tells of.  Its events have the ids 1, 2, 3 ... and all their data.

    Raises ``Deviation`` where the definition does not lead to the history.
    """
    return _Follower(machine, identity, history, limits).follow()


def follow_again(
    machine: StateMachine, identity: Identity, recorded: Sequence[ev.Event], limits: Limits
) -> Difference | None:
    """As ``core.replay.replay``, for an execution that ran on AWS, which goes on with its states in its own order.

    Data that a state makes by chance, or of the moment, may be other ones.
    """
    shown = {event.id: event for event in recorded if event.id}
    history = [Told.of(event, event["timestamp"]) for event in project(identity, recorded)]
    try:
        followed = follow(machine, identity, history, limits)
    except Deviation as deviation:
        told = deviation.told
        return Difference(None if told is None else shown[told.id], deviation.made)
    chance = states_of_chance(machine)
    for made in followed.differing:
        if followed.states[made.id] not in chance:
            return Difference(shown[made.id], made)
    return None


def states_of_chance(machine: StateMachine) -> set[str]:
    """The states whose data may be other ones each time."""
    return {state.name for state in all_states(loads(machine.text)) if CHANCE.search(own_text(state))}


def own_text(state: StateSource) -> str:
    """The state as it is written, without the states within it."""
    held = HOLDERS.get(state.type, ())
    return dumps({field: value for field, value in state.source.items() if field not in held})


class _Decision(Decision):
    """A decision whose events are held against the history, and take its data."""

    __slots__ = ("follower",)
    follower: _Follower

    def _append(self, event: ev.Event) -> None:
        super()._append(self.follower.adopted(event, self.events))


class _Follower:
    def __init__(self, machine: StateMachine, identity: Identity, history: Sequence[Told], limits: Limits) -> None:
        self._machine = machine
        self._history = history
        self._limits = limits
        self._execution = Execution(identity)
        self._tasks: dict[int, str] = {}
        self._log: list[ev.Event] = []
        self._differing: list[ev.Event] = []
        self._states: dict[int, str] = {}
        self._unseen_only = False  # whether a step is tried that is to be left where the history shows it

    def follow(self) -> Followed:
        for told in self._history:
            while self._execution.history_length < told.id:
                self._go_on(told)
            self._settle(told)
        return Followed(self._execution, self._log, self._differing, self._states)

    # -- one event ---------------------------------------------------------------------------------

    def _go_on(self, told: Told) -> None:
        """One step towards an event."""
        before = self._execution.seq
        self._decide(told, lambda decision: self._towards(decision, told))
        if self._execution.seq == before:
            raise Deviation(told, None, "the definition does not lead there")

    def _decide(self, told: Told, act: Callable[[_Decision], None]) -> None:
        decision = _Decision(
            self._execution, told.at, self._limits, lambda _: told.type != "ActivityScheduleFailed"
        )
        decision.follower = self
        if self._execution.frames:
            decision.frame = self._execution.frames[0]
        try:
            act(decision)
        except Pause:
            pass
        except HistoryFull:
            decision.frame = self._execution.frames[0]
            cause = f"The execution reached the maximum number of history events ({self._limits.history_events})."
            fail(decision, "States.Runtime", cause)
        finally:
            self._log += decision.events

    def _settle(self, told: Told) -> None:
        """Take the steps that no history shows: branches begin and end, waits and retries are set."""
        tried: set[int] = set()
        while (frame := next(self._unseen(tried), None)) is not None:
            tried.add(frame.id)
            before = self._execution.seq
            self._unseen_only = frame.phase not in SHOWN_BY_NONE
            self._decide(told, partial(self._step, frame=frame, told=told))
            self._unseen_only = False
            if self._execution.seq != before:
                tried.clear()

    def _unseen(self, tried: set[int]) -> Iterator[Frame]:
        """The frames whose next step no history shows, or perhaps shows not."""
        for frame in self._execution.frames.values():
            branch = frame.parent is not None and frame.parent.type == "Parallel"
            begins = frame.phase is Phase.FORKING and frame.type == "Parallel"
            waits = frame.phase is Phase.ENTERED and frame.type == "Wait"
            ends = frame.phase is Phase.ENDED and branch
            if frame.id not in tried and (begins or ends or waits or frame.phase is Phase.FAILED):
                yield frame

    def _step(self, decision: _Decision, frame: Frame, told: Told) -> None:
        decision.frame = frame
        # What goes on by itself does so at once, whenever the history tells of it.
        decision.at = decision.now = self._history[frame.last_id - 1].at if frame.last_id else told.at
        STEPS[frame.phase](decision, self._machine)

    def _towards(self, decision: _Decision, told: Told) -> None:
        outside = _OUTSIDE.get(told.type)
        if outside is not None and outside(self, decision, told):
            return
        frame = self._next_frame(told)
        if frame is None:
            raise Deviation(told, None, "no state is about to do anything")
        if frame.phase in RUNNABLE:
            self._step(decision, frame, told)
            return
        decision.frame = frame
        state = self._machine.states[frame.state]
        guarded(decision, state, state.waited if frame.phase is Phase.WAITING else state.enter)

    def _next_frame(self, told: Told) -> Frame | None:
        """The frame that the event is most likely of, among those that can go on."""
        waits = told.type in {"WaitStateExited", "EvaluationFailed"}
        retries = told.type in STARTS or told.type.endswith(("Scheduled", "ScheduleFailed"))
        able = [
            frame
            for frame in self._execution.frames.values()
            if frame.phase in RUNNABLE
            or (waits and frame.phase is Phase.WAITING)
            or (retries and frame.phase is Phase.BACKOFF)
        ]
        return max(able, key=lambda frame: self._likeness(frame, told), default=None)

    def _likeness(self, frame: Frame, told: Told) -> tuple[bool, bool, bool, int]:
        if frame.phase is Phase.NEXT:
            name, index = frame.next or self._machine.start_at, None
        elif frame.phase is Phase.ENDED and frame.parent is not None:
            name, index = frame.parent.state, frame.index
        else:
            name, index = frame.state, None
        follows = frame.last_id == told.previous or (frame.fork is not None and frame.fork.chain == told.previous)
        entering = told.type.endswith("StateEntered") == (frame.phase is Phase.NEXT)
        same = name == told.state and entering and index in (None, told.details.get("index"))
        return same and follows, same if told.state else follows, follows, -frame.id

    # -- what came from outside ------------------------------------------------------------------------

    def started(self, decision: _Decision, told: Told) -> bool:
        decision.begin(Payload.of_text(text_in(told, ("input",))), os.urandom(SALT_BYTES).hex())
        return True

    def ended(self, decision: _Decision, told: Told) -> bool:
        """An end that nothing in the execution has led to."""
        kind = _ENDS[told.type]
        if kind is ev.ExecutionFailed and self._next_frame(told) is not None:
            return False
        decision.frame = self._execution.frames[0]
        decision.emit_end(kind, told.details.get("error"), told.details.get("cause"))
        return True

    def redriven(self, decision: _Decision, told: Told) -> bool:
        if self._execution.root is None:
            raise Deviation(told, None, "the execution has not failed")
        decision.frame = self._execution.root
        decision.emit_end(ev.ExecutionRedriven, told.details.get("redriveCount", 1), None)
        return True

    def task_told(self, decision: _Decision, told: Told) -> bool:
        task = self._open(OpenTask, told)
        decision.frame = task.frame
        error, cause = told.details.get("error"), told.details.get("cause")
        if told.type.endswith("Succeeded"):
            decision.emit(ev.TaskSucceeded, task.key, Payload.of_text(text_in(told, ("output",), "null")))
        elif told.type.endswith("Submitted"):
            decision.emit(ev.TaskSubmitted, task.key, Payload.of_text(text_in(told, ("output",), "null")))
        elif told.type.endswith("TimedOut"):
            decision.emit(ev.TaskTimedOut, task.key, error, cause)
        else:
            decision.emit(ev.TaskFailed, task.key, error, cause)
        return True

    def worker_took(self, decision: _Decision, told: Told) -> bool:
        task = self._open(OpenTask, told)
        decision.frame = task.frame
        decision.emit(ev.TaskStarted, task.key, told.details.get("workerName"))
        return True

    def map_run_told(self, decision: _Decision, told: Told) -> bool:
        if told.type == "MapRunAborted" and any(
            frame.phase is Phase.FAILED for frame in self._execution.frames.values()
        ):
            return False  # the failure of another branch has aborted it
        work = self._open(OpenMapRun, told)
        decision.frame = work.frame
        if told.type == "MapRunSucceeded":
            decision.emit(ev.MapRunSucceeded, work.key, self._output_of_map_run(work.frame, told))
        elif told.type == "MapRunFailed":
            decision.emit(ev.MapRunFailed, work.key, told.details.get("error"), told.details.get("cause"))
        else:
            decision.emit(ev.MapRunAborted, work.key)
        return True

    def _output_of_map_run(self, frame: Frame, told: Told) -> Payload:
        """A history does not tell it: the state's output is the nearest there is."""
        later = (
            one for one in self._history[told.id :] if one.type == "MapStateExited" and one.state == frame.state
        )
        left = next(later, None)
        return Payload([]) if left is None else Payload.of_text(text_in(left, ("output",)))

    def _open(self, kind: type[Any], told: Told) -> Any:
        """The open work that an event is about."""
        works = [work for work in self._execution.open.values() if isinstance(work, kind)]
        fitting = [work for work in works if work.frame.last_id == told.previous] or works
        if not fitting:
            raise Deviation(told, None, "nothing is under way that it could be about")
        return fitting[0]

    # -- held against the history ----------------------------------------------------------------------

    def adopted(self, event: ev.Event, made: Sequence[ev.Event]) -> ev.Event:
        """The event with the moment and the data that the history has.  ``made``: those of this step so far."""
        if isinstance(event, ev.TaskScheduled):
            self._tasks[event.seq] = event.resource
        if not event.id:
            return event
        told = self._history[event.id - 1] if event.id <= len(self._history) else None
        shown = next(project(self._execution.identity, [event], self._tasks))
        reason = None if told is None else difference(told, Told.of(shown, event.at))
        if told is None or reason is not None or self._unseen_only:
            if made or self._unseen_only:
                raise Pause
            raise Deviation(told, event, reason or f"the definition goes on, with {shown['type']}")
        data = self._data(event, told)
        return event._replace(at=told.at, previous=told.previous, **data)

    def _data(self, event: ev.Event, told: Told) -> dict[str, Any]:
        data: dict[str, Any] = {}
        if isinstance(event, ev.MapRunStarted):
            return {"arn": told.details.get("mapRunArn", event.arn)}
        if isinstance(event, ev.EvaluationFailed | ev.ExecutionFailed):
            data = {name: told.details.get(name) for name in ("error", "cause")}
        field, names = PAYLOADS.get(type(event), (None, ()))
        if field is not None:
            data[field] = Payload.of_text(text_in(told, names))
        if isinstance(event, ev.StateExited) and event.assigned is not None:
            data["assigned"] = assigned_in(told, event.assigned)
        if any(is_other(getattr(event, name), value) for name, value in data.items()) and not is_of_map_run(event):
            self._differing.append(event)
            self._states[event.id] = self._execution.frames[event.frame].state
        return {name: kept(getattr(event, name), value) for name, value in data.items()}


def difference(told: Told, made: Told) -> str | None:
    """Why the two cannot be the same event; None where they can."""
    if FAILED_TO_BEGIN.get(told.type, told.type) != made.type:
        return f"the definition leads to {named(made)}"
    for field in ("name", "index", "resource", "resourceType", "length"):
        if field in told.details and told.details[field] != made.details.get(field):
            return f"its {field} is {told.details[field]!r}, by the definition {made.details.get(field)!r}"
    return None


def is_of_map_run(event: ev.Event) -> bool:
    return isinstance(event, ev.StateExited) and event.type == "Map"


def text_in(told: Told, names: tuple[str, ...], default: str | None = None) -> str:
    """The text of an event's input or output.  Raises ``Deviation`` where the history was read without."""
    for name in names:
        if told.details.get(f"{name}Details", {}).get("truncated"):
            raise Lacking(told, "its data were cut off")
        text = told.details.get(name)
        if isinstance(text, str):
            try:
                loads(text)
            except JsonSyntaxError as error:
                raise Lacking(told, f"its {name} is not JSON: {error}") from None
            return text
    if default is None:
        raise Lacking(told, "the history was read without its data (includeExecutionData)")
    return default


def assigned_in(told: Told, made: Payload) -> Payload:
    texts = told.details.get("assignedVariables")
    return made if not isinstance(texts, dict) else Payload({name: loads(text) for name, text in texts.items()})


def is_other(made: Any, told: Any) -> bool:
    if isinstance(made, Payload) and isinstance(told, Payload):
        return made.text != told.text and canonical_text(made.value) != canonical_text(told.value)
    return bool(made != told)


def kept(made: Any, told: Any) -> Any:
    """What stays shared in the log where nothing differs: the same payload from state to state."""
    same = isinstance(made, Payload) and isinstance(told, Payload) and made.text == told.text
    return made if same else told


_ENDS: Final[dict[str, type[ev.Event]]] = {
    "ExecutionFailed": ev.ExecutionFailed,
    "ExecutionTimedOut": ev.ExecutionTimedOut,
    "ExecutionAborted": ev.ExecutionAborted,
}
_RESULTS = [
    f"{family}{end}"
    for family in ("LambdaFunction", "Task", "Activity")
    for end in ("Succeeded", "Failed", "TimedOut")
]
# Each tells whether it was for it to say what follows.
_OUTSIDE: Final[dict[str, Callable[[_Follower, _Decision, Told], bool]]] = {
    "ExecutionStarted": _Follower.started,
    **dict.fromkeys(_ENDS, _Follower.ended),
    "ExecutionRedriven": _Follower.redriven,
    **dict.fromkeys((*_RESULTS, *FAILED_TO_BEGIN, "TaskSubmitted"), _Follower.task_told),
    "ActivityStarted": _Follower.worker_took,
    **dict.fromkeys(("MapRunSucceeded", "MapRunFailed", "MapRunAborted"), _Follower.map_run_told),
}
