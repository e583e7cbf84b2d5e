"""What the interpreter decides with: the events that follow from one stimulus.

A decision creates the next events and applies each at once, so that the next step sees it.  It
reads no clock and no randomness of its own: the time came with the stimulus, with a way to let it pass, and
random numbers are seeded by the execution's ARN and the event at hand.
"""

from __future__ import annotations

from heapq import heappush
from random import Random
from typing import TYPE_CHECKING, Any

from asl_engine.core import events as ev
from asl_engine.core.apply import apply
from asl_engine.core.frames import Phase
from asl_engine.core.lazy_random import LazyRandom
from asl_engine.core.task_tokens import task_token
from asl_engine.errors import StatesError, too_large
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_text import TooDeep
from asl_engine.limits import Limits, cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.execution import Execution
    from asl_engine.core.frames import Frame
    from asl_engine.expressions.effort import Effort
    from asl_engine.expressions.jsonata import Bindings
    from asl_engine.json_values import Json
    from asl_engine.payload import Payload

__all__ = ["Decision", "HistoryFull"]

# State types whose work can be retried; only they have a RetryCount in the context object.
RETRIED_TYPES = frozenset({"Task", "Parallel", "Map"})
BEFORE_WORK = frozenset({Phase.ENTERED, Phase.BACKOFF})


class HistoryFull(Exception):
    """The next event would be the last that the history has room for."""


def most_events(execution: Execution, limits: Limits) -> int | None:
    """How long the history may be; that of an Express execution has no limit (AWS, "Service quotas")."""
    return None if execution.identity.type == "EXPRESS" else limits.history_events


class Decision:
    """Events are emitted for ``frame``, the frame whose state is being interpreted.

    ``now`` is the time that seconds are counted from, ``at`` the one that events are stamped with: see ``ahead``
    of the execution.  ``passing`` tells how far ``now`` has come meanwhile; None: it stands still.  It is asked
    before seconds are counted, and otherwise as a state is entered, ``pace`` events after the last time.
    """

    __slots__ = (
        "activity_exists",
        "at",
        "effort",
        "events",
        "execution",
        "failing",
        "frame",
        "limits",
        "look_at",
        "most",
        "now",
        "pace",
        "passing",
        "ready",
        "takes_token",
    )

    def __init__(
        self, execution: Execution, now: int, limits: Limits, activity_exists: Callable[[str], bool]
    ) -> None:
        self.activity_exists = activity_exists
        self.failing: Callable[[Decision, StatesError], None] | None = None  # told of a step that fails
        self.effort: Effort | None = None  # what bounds the work of all expressions; None: nothing does
        self.takes_token = False  # whether the state that acts has a task token in its context
        self.execution = execution
        self.now = now
        self.at = now + execution.ahead
        self.passing: Callable[[], int] | None = None
        self.pace = 0
        self.look_at = 0
        self.limits = limits
        self.most = most_events(execution, limits)
        self.events: list[ev.Event] = []
        self.ready: list[int] = []  # a heap: the frames that may be able to go on, by id
        self.frame: Frame

    def mark_ready(self, frame: Frame) -> None:
        """Let the frame go on, if it can.

        Of all that can, the oldest goes first: an order that the log alone decides, so that a decision which was
        interrupted is continued exactly as it would have gone on.
        """
        heappush(self.ready, frame.id)

    def let_time_pass(self) -> None:
        x = self.execution
        self.look_at = x.seq + self.pace
        if self.passing is not None and (now := self.passing()) > self.now:
            self.now = now
            self.at = now + x.ahead

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
        if number == self.most:
            raise HistoryFull
        follows = frame.last_id if previous is None else previous
        self._append(kind(x.seq + 1, number, follows, self.at, frame.id, *fields))

    def emit_internal(self, kind: Callable[..., ev.Event], *fields: object) -> None:
        """An event of ours that no history shows."""
        frame = self.frame
        self._append(kind(self.execution.seq + 1, 0, frame.last_id, self.at, frame.id, *fields))

    def emit_end(self, kind: Callable[..., ev.Event], *fields: object, previous: int | None = None) -> None:
        """The end of the execution, for which there is always room, or the redrive that follows it."""
        x = self.execution
        # What fails again before it shows anything follows from the redrive.
        follows = max(self.frame.last_id, x.boundary) if previous is None else previous
        self._append(kind(x.seq + 1, x.history_length + 1, follows, self.at, self.frame.id, *fields))

    def _append(self, event: ev.Event) -> None:
        apply(self.execution, event)
        self.events.append(event)

    # -- what expressions see -------------------------------------------------------------------

    def scope(self, data: Json) -> Scope:
        return Scope(data, self.frame.variables, self.context, self.random, self.effort)

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
        return Bindings(bound, frame.variables, LazyRandom(self.random), self.now, effort=self.effort)

    def item_scope(self, data: Json, item: Json) -> Scope:
        """The surroundings of an iteration that is about to start for ``$$.Map.Item``."""

        def context() -> Json:
            return {**self.context(), "Map": {"Item": item}}

        return Scope(data, self.frame.variables, context, self.random, self.effort)

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

    def within_limit(self, payload: Payload, *, of_activity: bool = False) -> Payload:
        """The payload itself; ``of_activity``: it is the input of an activity's task.

        Raises ``StatesError``: States.DataLimitExceeded where it is too large, States.Runtime where too deep.
        """
        try:
            length = payload.length
        except TooDeep as error:
            raise self.failure(f"The output cannot be kept: {error}.") from None
        limit = self.limits.activity_input_bytes if of_activity else self.limits.payload_bytes
        # A character is at most four bytes: short texts need no count.
        if limit is not None and length * 4 > limit and payload.size > limit:
            raise too_large(self.frame.state)
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
