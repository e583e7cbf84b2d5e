"""Drive the pure core step by step: who answers when is up to the test.  And the laws that every log obeys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from asl_engine.core.apply import fold
from asl_engine.core.execution import Execution, OpenTask
from asl_engine.core.frames import Fork, Frame, OpenTimer
from asl_engine.core.interpreter import MACHINE_TIMER, advance, machine_deadline
from asl_engine.core.replay import replay
from asl_engine.core.stimuli import (
    Heartbeat,
    Started,
    Stimulus,
    SubmissionReported,
    TaskReported,
    TimerReported,
    WorkerReported,
)
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from tests.core.driver import IDENTITY, NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


# -- definitions ---------------------------------------------------------------------------------------


def scope(**states: dict[str, Any]) -> dict[str, Any]:
    """A machine, a branch or an item processor of these states; the first is where it starts."""
    return {"StartAt": next(iter(states)), "States": states}


def state(kind: str, **fields: Any) -> dict[str, Any]:
    """A state, which ends its scope unless it is given a Next."""
    ends = {} if "Next" in fields or kind in {"Choice", "Succeed", "Fail"} else {"End": True}
    return {"Type": kind, **ends, **fields}


def task(**fields: Any) -> dict[str, Any]:
    return state("Task", Resource=FUNCTION, **fields)


def wait(seconds: int, **fields: Any) -> dict[str, Any]:
    return state("Wait", Seconds=seconds, **fields)


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return state("Parallel", Branches=list(branches), **fields)


def each(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return state("Map", ItemProcessor=processor, **fields)


def retry(error: str = "E", **fields: Any) -> list[dict[str, Any]]:
    return [{"ErrorEquals": [error], **fields}]


def catch(target: str, error: str = "E", **fields: Any) -> list[dict[str, Any]]:
    return [{"ErrorEquals": [error], "Next": target, **fields}]


# -- running -------------------------------------------------------------------------------------------


class Steps:
    """An execution under way, and its log so far."""

    def __init__(self, definition: dict[str, Any], data: Any = None, limits: Limits = AWS_LIMITS) -> None:
        self.machine = load(json.dumps(definition))
        self.limits = limits
        self.execution = Execution(IDENTITY)
        self.at = NOW
        self.log: list[Event] = []
        self.take(Started(NOW, Payload({} if data is None else data)))

    def take(self, stimulus: Stimulus) -> list[Event]:
        events = advance(self.machine, self.execution, stimulus, self.limits)
        self.log += events
        return events

    def tasks(self, name: str | None = None) -> list[OpenTask]:
        """The open tasks, oldest first; those of the state ``name``."""
        found = [work for work in self.execution.open.values() if isinstance(work, OpenTask)]
        return [work for work in found if name in (None, work.frame.state)]

    def answer(self, work: OpenTask | str, answer: Any = None) -> list[Event]:
        """Let a task, or the oldest one of a state, answer with a value or fail with an error."""
        key = (self.tasks(work)[0] if isinstance(work, str) else work).key
        return self.take(report(self.at, key, answer))

    def types(self, events: Sequence[Event]) -> list[str]:
        """The history types of the log's last events: what a task's are called is known from earlier ones."""
        return types(self.log)[-sum(event.id > 0 for event in events) :]

    def tick(self) -> list[Event]:
        """Let time go on to the next timer."""
        self.at, key = next_timer(self.machine, self.execution)
        return self.take(TimerReported(self.at, key))


def report(at: int, key: int, answer: Any) -> TaskReported:
    if isinstance(answer, StatesError):
        return TaskReported(at, key, None, answer.error, answer.cause)
    return TaskReported(at, key, Payload(answer))


def next_timer(machine: StateMachine, execution: Execution) -> tuple[int, int]:
    timers = [(work.due, work.key) for work in execution.open.values() if work.due is not None]
    deadline = machine_deadline(machine, execution)
    return min([*timers, (deadline, MACHINE_TIMER)] if deadline is not None else timers)


def told(events: Sequence[Event]) -> list[str]:
    """The history in short: ``id previous type``."""
    return [f"{e['id']} {e['previousEventId']} {e['type']}" for e in project(IDENTITY, events)]


def types(events: Sequence[Event]) -> list[str]:
    return [event["type"] for event in project(IDENTITY, events)]


# -- laws ----------------------------------------------------------------------------------------------


def picture(execution: Execution) -> Any:
    """Everything an execution knows, comparable; a frame met again is its number."""
    seen: set[int] = set()

    def plain(value: Any) -> Any:
        if isinstance(value, Payload):
            return value.text
        if isinstance(value, dict):
            return {str(key): plain(inner) for key, inner in value.items()}
        if isinstance(value, Frame):
            if value.id in seen:
                return f"frame {value.id}"
            seen.add(value.id)
        if isinstance(value, OpenTimer | tuple | list):
            return [plain(inner) for inner in value]
        if isinstance(value, Execution | Frame | Fork):
            return {name: plain(getattr(value, name)) for name in value.__slots__}
        return plain(vars(value)) if isinstance(value, OpenTask) else repr(value)

    return plain(execution)


def same(one: Sequence[Event], other: Sequence[Event]) -> bool:
    """Named tuples of different kinds can be equal: the kinds count too."""
    return [(type(event), event) for event in one] == [(type(event), event) for event in other]


def check_laws(
    machine: StateMachine, execution: Execution, log: Sequence[Event], limits: Limits = AWS_LIMITS
) -> None:
    """The log folds to the live execution, replays to itself, shows everything, and hears nothing twice."""
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert picture(fold(IDENTITY, log)) == picture(execution)
    assert replay(machine, IDENTITY, log, limits) is None
    shown = list(project(IDENTITY, log))
    assert [event["id"] for event in shown] == list(range(1, len(shown) + 1))
    assert all(event["previousEventId"] < event["id"] for event in shown)
    for key in range(2, execution.seq + 1):
        if key not in execution.open:
            for stimulus in late(log[-1].at, key):
                assert advance(machine, execution, stimulus, limits) == []


def late(at: int, key: int) -> list[Stimulus]:
    """What a task or a timer that is no longer open may still have to say."""
    return [
        TaskReported(at, key, Payload("late")),
        TaskReported(at, key, None, "Late"),
        TimerReported(at + 10**9, key),
        Heartbeat(at, key),
        SubmissionReported(at, key, Payload("late")),
        WorkerReported(at, key, "late"),
    ]


def check_steps(steps: Steps) -> None:
    check_laws(steps.machine, steps.execution, steps.log, steps.limits)
