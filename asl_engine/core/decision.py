"""What the interpreter decides with: the events that follow from one stimulus.

A decision creates the next events and applies each at once, so that the next step sees it.  It
reads no clock and no randomness of its own: ``at`` came with the stimulus, and random numbers are
seeded by the execution's ARN and the event at hand.
"""

from __future__ import annotations

from heapq import heappush
from random import Random
from typing import TYPE_CHECKING, Any

from asl_engine.core import events as ev
from asl_engine.core.apply import apply
from asl_engine.core.frames import BETWEEN_STATES, OpenMapRun, Phase
from asl_engine.core.lazy_random import LazyRandom
from asl_engine.core.task_tokens import task_token
from asl_engine.errors import UNRECOVERABLE, StatesError, shown_error
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_text import TooDeep
from asl_engine.limits import Limits, cut, utf8_length

if TYPE_CHECKING:
    from asl_engine.core.frames import Frame


if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.execution import Execution
    from asl_engine.core.frames import Frame
    from asl_engine.expressions.jsonata import Bindings
    from asl_engine.json_values import Json
    from asl_engine.payload import Payload

__all__ = ["Decision", "HistoryFull", "abort_children", "abort_map_runs", "fail_child"]

# State types whose work can be retried; only they have a RetryCount in the context object.
RETRIED_TYPES = frozenset({"Task", "Parallel", "Map"})
BEFORE_WORK = frozenset({Phase.ENTERED, Phase.BACKOFF})


class HistoryFull(Exception):
    """The next event would be the last that the history has room for."""


class Decision:
    """Events are emitted for ``frame``, the frame whose state is being interpreted."""

    __slots__ = ("activity_exists", "at", "events", "execution", "frame", "limits", "ready", "takes_token")

    def __init__(
        self, execution: Execution, at: int, limits: Limits, activity_exists: Callable[[str], bool]
    ) -> None:
        self.activity_exists = activity_exists
        self.takes_token = False  # whether the state that acts has a task token in its context
        self.execution = execution
        self.at = at
        self.limits = limits
        self.events: list[ev.Event] = []
        self.ready: list[int] = []  # a heap: the frames that may be able to go on, by id
        self.frame: Frame

    def mark_ready(self, frame: Frame) -> None:
        """Let the frame go on, if it can.

        Of all that can, the oldest goes first: an order that the log alone decides, so that a decision which was
        interrupted is continued exactly as it would have gone on.
        """
        heappush(self.ready, frame.id)

    # -- events ---------------------------------------------------------------------------------

    def begin(self, input: Payload, salt: str) -> None:  # noqa: A002  the specification's own term
        """The first event of the execution."""
        self._append(ev.ExecutionStarted(1, 1, 0, self.at, 0, input, salt))
        self.frame = self.execution.frames[0]

    def emit(self, kind: Callable[..., ev.Event], *fields: object, previous: int | None = None) -> None:
        """The next history event of the frame, following ``previous`` or what the frame showed last.

        Raises ``HistoryFull`` where only the end has room.
        """
        x = self.execution
        frame = self.frame
        number = x.history_length + 1
        if number == self.limits.history_events:
            raise HistoryFull
        follows = frame.last_id if previous is None else previous
        self._append(kind(x.seq + 1, number, follows, self.at, frame.id, *fields))

    def emit_internal(self, kind: Callable[..., ev.Event], *fields: object) -> None:
        """An event of ours that no history shows."""
        frame = self.frame
        self._append(kind(self.execution.seq + 1, 0, frame.last_id, self.at, frame.id, *fields))

    def emit_end(self, kind: Callable[..., ev.Event], *fields: object) -> None:
        """The end of the execution, for which there is always room, or the redrive that follows it."""
        x = self.execution
        # What fails again before it shows anything follows from the redrive.
        follows = max(self.frame.last_id, x.boundary)
        self._append(kind(x.seq + 1, x.history_length + 1, follows, self.at, self.frame.id, *fields))

    def _append(self, event: ev.Event) -> None:
        apply(self.execution, event)
        self.events.append(event)

    def fail(self, error: str | None, cause: str | None) -> None:
        """End the frame with a failure: the execution's own, or its branch's or iteration's.

        Error and cause are cut to the lengths that AWS stores.
        """
        frame = self.frame
        parent = frame.parent
        # Recorded from AWS: what cannot be caught ends the execution where it happens.
        if parent is None or error in UNRECOVERABLE:
            abort_map_runs(self)
            self.frame = frame
            self.emit_end(ev.ExecutionFailed, *self.cut(shown_error(error), cause))
            return
        fail_child(self, frame, parent, *self.cut(error, cause))
        self.mark_ready(parent)

    # -- what expressions see -------------------------------------------------------------------

    def scope(self, data: Json) -> Scope:
        return Scope(data, self.frame.variables, self.context, self.random)

    def bindings(self, item: Json = None, **states: Json) -> Bindings:
        """What a JSONata expression sees: ``$states`` with its input, context and ``states``.

        ``item`` is the item of an iteration that is about to start.
        """
        from asl_engine.expressions.jsonata import Bindings

        frame = self.frame
        context = self.context()
        if item is not None:
            context["Map"] = {"Item": item}
        bound: dict[str, Json] = {"input": frame.input.value, "context": context, **states}
        return Bindings(bound, frame.variables, LazyRandom(self.random), self.at)

    def item_scope(self, data: Json, item: Json) -> Scope:
        """The surroundings of an iteration that is about to start for ``$$.Map.Item``."""

        def context() -> Json:
            return {**self.context(), "Map": {"Item": item}}

        return Scope(data, self.frame.variables, context, self.random)

    def context(self) -> dict[str, Json]:
        """The context object (AWS documentation, "Accessing execution data from the Context object")."""
        x = self.execution
        who = x.identity
        state: dict[str, Json] = {
            "Name": self.frame.state,
            "EnteredTime": format_timestamp(self.frame.entered_at),
        }
        if self.frame.type in RETRIED_TYPES:
            state["RetryCount"] = self.frame.retry_count
        execution: dict[str, Json] = {
            "Id": who.arn,
            "Input": x.input.value if x.input is not None else None,
            "StartTime": format_timestamp(who.started_at),
            "Name": who.name,
            "RoleArn": who.role_arn,
            "RedriveCount": x.redrive_count,
        }
        if x.redriven_at is not None:
            execution["RedriveTime"] = format_timestamp(x.redriven_at)
        result: dict[str, Json] = {
            "Execution": execution,
            "StateMachine": {"Id": who.machine_arn, "Name": who.machine_name},
            "State": state,
        }
        if self.takes_token:
            result["Task"] = {"Token": task_token(x.salt, who.arn, self._task_key())}
        item = item_of(self.frame)
        if item is not None:
            result["Map"] = {"Item": item}
        return result

    def _task_key(self) -> int:
        """The key of the frame's task: it is the next event, as long as the task is not scheduled."""
        frame = self.frame
        scheduled = frame.phase not in BEFORE_WORK
        return frame.work if scheduled else self.execution.seq + 1

    def random(self) -> Random:
        """Randomness that is the same whenever this moment of this execution is decided."""
        return Random(f"{self.execution.identity.arn}:{self.execution.seq}")

    # -- checks ---------------------------------------------------------------------------------

    def within_limit(self, payload: Payload) -> Payload:
        """The payload itself.

        Raises ``StatesError``: States.DataLimitExceeded where it is too large, States.Runtime where too deep.
        """
        try:
            text = payload.text
        except TooDeep as error:
            raise self.failure(f"The output cannot be kept: {error}.") from None
        limit = self.limits.payload_bytes
        # A character is at most four bytes: short texts need no count.
        if limit is not None and len(text) * 4 > limit and utf8_length(text) > limit:
            raise StatesError(
                "States.DataLimitExceeded",
                f"The state/task '{self.frame.state}' returned a result with a size exceeding "
                "the maximum number of bytes service limit.",
            )
        return payload

    def cut(self, error: str | None, cause: str | None) -> tuple[str | None, str | None]:
        """An error and a cause at the lengths that AWS stores."""
        return cut(error, cause, self.limits)

    def failure(self, detail: str, error: str = "States.Runtime") -> StatesError:
        """A failure of the frame's state, in AWS's words."""
        frame = self.frame
        return StatesError(
            error,
            f"An error occurred while executing the state '{frame.state}' "
            f"(entered at the event id #{frame.entered_id}). {detail}",
        )


def item_of(frame: Frame) -> Json:
    """The item of the nearest iteration around the frame, None outside all Map states."""
    inner: Frame | None = frame
    while inner is not None and inner.parent is not None:
        fork = inner.parent.fork
        if fork is not None and fork.items is not None:
            items: Any = fork.items.value
            return {"Index": inner.index, "Value": items[inner.index]}
        inner = inner.parent
    return None


# State types that the history shows as aborted; the others are over as soon as they are entered.
ABORTED_TYPES = frozenset({"Task", "Wait", "Parallel", "Map"})


# Those among them that are shown as aborted even if they failed: the others' failure is shown as such.
FAILED_TYPES = frozenset({"Task"})


def fail_child(decision: Decision, failed: Frame, parent: Frame, error: str | None, cause: str | None) -> None:
    """Let a branch or an iteration fail, which gives up all others: told in the order of their indexes."""
    if parent.fork is None:
        return
    follows = failed.last_id
    _show_fallen(decision, parent, follows)
    for child in _by_index(parent):
        if child is not failed:
            _abort(decision, child, parent, follows)
            continue
        decision.frame = failed
        if parent.type == "Map":
            decision.emit(ev.MapIterationFailed, parent.state, failed.index, error, cause)
        else:
            decision.emit_internal(ev.BranchFailed, error, cause)
        _show_aborted(decision, failed, follows)


def abort_map_runs(decision: Decision) -> None:
    """Give up every Map Run of an execution that is about to end, as far as the history has room."""
    x, room = decision.execution, decision.limits.history_events
    for work in list(x.open.values()):
        if isinstance(work, OpenMapRun) and (room is None or x.history_length < room - 2):
            decision.frame = work.frame
            decision.emit(ev.MapRunAborted, work.key)


def abort_children(decision: Decision, frame: Frame) -> None:
    """Give up the branches or iterations that are under way, with all that they have begun."""
    _abort_children(decision, frame, frame.last_id)


def _abort_children(decision: Decision, frame: Frame, follows: int) -> None:
    _show_fallen(decision, frame, follows)
    for child in _by_index(frame):
        _abort(decision, child, frame, follows)


def _by_index(frame: Frame) -> list[Frame]:
    return sorted(frame.fork.children.values(), key=lambda child: child.index) if frame.fork is not None else []


def _show_fallen(decision: Decision, frame: Frame, follows: int) -> None:
    """The log may have ended between a child's end and its state's."""
    for child in frame.fork.fallen.values() if frame.fork is not None else ():
        _show_aborted(decision, child, follows)


def _abort(decision: Decision, child: Frame, parent: Frame, follows: int) -> None:
    _abort_children(decision, child, follows)
    decision.frame = child
    work = decision.execution.open.get(child.work)
    if isinstance(work, OpenMapRun):
        decision.emit(ev.MapRunAborted, work.key, previous=follows)
    if parent.type == "Map":
        decision.emit(ev.MapIterationAborted, parent.state, child.index, previous=follows)
    else:
        decision.emit_internal(ev.BranchAborted)
    _show_aborted(decision, child, follows)


def _show_aborted(decision: Decision, child: Frame, follows: int) -> None:
    types = ABORTED_TYPES if child.error is None else FAILED_TYPES
    if child.type in types and child.phase not in BETWEEN_STATES and not child.outcome_shown:
        decision.frame = child
        decision.emit(ev.StateAborted, child.state, child.type, previous=follows)
