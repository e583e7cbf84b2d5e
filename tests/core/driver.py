"""Drive the pure core without an engine: tasks answer from a script, time jumps from timer to timer."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from asl_engine.core.execution import Execution, Identity, OpenTask
from asl_engine.core.interpreter import MACHINE_TIMER, advance, machine_deadline
from asl_engine.core.stimuli import Resumed, Started, TaskReported, TimerReported
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS
from asl_engine.payload import Payload
from asl_engine.projections.history import project

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.core.events import Event
    from asl_engine.limits import Limits

NOW = 1_700_000_000_000
IDENTITY = Identity(
    arn="arn:aws:states:us-east-1:123456789012:execution:machine:name",
    name="name",
    machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:machine",
    machine_name="machine",
    role_arn="arn:aws:iam::123456789012:role/asl-engine",
    started_at=NOW,
)
EXPRESS = IDENTITY._replace(arn="arn:aws:states:us-east-1:123456789012:express:machine:name:1")
NEVER = object()  # the answer of a task that does not come back


def drive(
    definition: Any,
    data: Any = None,
    answers: Mapping[str, Iterable[Any]] | None = None,
    limits: Limits = AWS_LIMITS,
    identity: Identity = IDENTITY,
) -> tuple[Execution, list[Event]]:
    """Run to the end.  ``answers`` gives each state's task results, in turn: a value, an error or NEVER.

    A ``Payload`` stands for a value that comes as its text.
    """
    machine = load(definition if isinstance(definition, str) else json.dumps(definition))
    scripts = {state: deque(given) for state, given in (answers or {}).items()}
    execution = Execution(identity)
    given = data if isinstance(data, Payload) else Payload({} if data is None else data)
    events = advance(machine, execution, Started(NOW, given), limits)
    silent: set[int] = set()
    at = NOW
    while execution.status == "RUNNING":
        ready = [w for w in execution.open.values() if isinstance(w, OpenTask) and w.key not in silent]
        if ready:
            answer = scripts[ready[0].frame.state].popleft()
            if answer is NEVER:
                silent.add(ready[0].key)
            elif isinstance(answer, StatesError):
                report = TaskReported(at, ready[0].key, None, answer.error, answer.cause)
                events += advance(machine, execution, report, limits)
            else:
                output = answer if isinstance(answer, Payload) else Payload(answer)
                events += advance(machine, execution, TaskReported(at, ready[0].key, output), limits)
            continue
        timers = [(w.due, w.key) for w in execution.open.values() if w.due is not None]
        deadline = machine_deadline(machine, execution)
        if deadline is not None:
            timers.append((deadline, MACHINE_TIMER))
        if not timers:  # a long decision was interrupted
            events += advance(machine, execution, Resumed(at), limits)
            continue
        at, key = min(timers)
        events += advance(machine, execution, TimerReported(at, key), limits)
    return execution, events


def history(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The history with its JSON texts parsed and its timestamps as seconds since the start."""
    shown = []
    for event in project(IDENTITY, events):
        event["timestamp"] = (event["timestamp"] - NOW) / 1000
        shown.append(event)
    return shown


def outcome(execution: Execution) -> tuple[str, Any]:
    """Status, and the output or (error, cause)."""
    if execution.output is not None:
        return execution.status, execution.output.value
    return execution.status, (execution.error, execution.cause)
