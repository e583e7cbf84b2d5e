"""An execution is continued after any event of its log, and ends as it would have.

Every path of the order machine, cut behind every event: what had succeeded is not run again, no history
event is lost or doubled, and every law of the core holds on the way.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core import events as ev
from asl_engine.core.apply import apply, fold
from asl_engine.core.execution import Execution
from asl_engine.core.frames import Frame, Phase
from asl_engine.core.interpreter import advance
from asl_engine.core.replay import replay
from asl_engine.core.stimuli import Heartbeat, Resumed, StopRequested, TaskReported, TimerReported
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.records import Record
from tests.core.driver import IDENTITY, NOW, drive, history
from tests.projections.test_order_history import INPUT, ORDER, PATHS

if TYPE_CHECKING:
    from asl_engine.resources import TaskCall

MACHINE = load(ORDER)


def recorded(path: str) -> list[ev.Event]:
    return drive(ORDER, INPUT, PATHS[path][0])[1]


CUTS = [(path, length) for path in PATHS for length in range(1, len(recorded(path)) + 1)]


def without_times(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in event.items() if key != "timestamp"} for event in events]


@pytest.mark.parametrize(("path", "length"), CUTS)
def test_resumed_after_any_event_it_ends_as_it_would_have(path: str, length: int) -> None:
    answers, expected = PATHS[path]
    log = recorded(path)
    # What each state's later attempts still have to answer: those that the log has not seen end.
    scripts = {state: deque(given) for state, given in answers.items()}
    answered = {event.task for event in log[:length] if isinstance(event, ev.TaskSucceeded | ev.TaskFailed)}
    state_of = {e.seq: s for s, e in scheduled(log)}
    for task in answered:
        scripts[state_of[task]].popleft()
    calls: list[str] = []

    async def scripted(call: TaskCall) -> Payload:
        calls.append(call.key)
        answer = scripts[call.state].popleft()
        if isinstance(answer, StatesError):
            raise answer
        return Payload(answer)

    async def main() -> None:
        store = MemoryStore()
        record = Record(IDENTITY, MACHINE.digest)
        await store.create(record, ORDER, log[:length])
        clock = VirtualClock(NOW)
        async with Engine(store, dict.fromkeys(MACHINE.resources, scripted), clock=clock) as engine:
            await (await engine.resume(MACHINE, record)).wait()
        events = await store.events(IDENTITY.arn)
        assert without_times(history(events)) == without_times(expected)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))

    anyio.run(main)
    assert not answered & {int(key.rpartition(":")[2]) for key in calls}
    assert all(not script for state, script in scripts.items() if state in state_of.values())


def scheduled(log: list[ev.Event]) -> list[tuple[str, ev.TaskScheduled]]:
    """Each attempt with the state it belongs to."""
    found, state = [], ""
    for event in log:
        if isinstance(event, ev.StateEntered):
            state = event.name
        elif isinstance(event, ev.TaskScheduled):
            found.append((state, event))
    return found


def picture(execution: Execution) -> Any:
    """Everything an execution knows, comparable; a frame met again is its number."""
    seen: set[int] = set()

    def plain(value: Any) -> Any:
        if isinstance(value, Payload):
            return value.text
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        if isinstance(value, tuple):
            return [plain(inner) for inner in value]
        if isinstance(value, Frame) and value.id in seen:
            return value.id
        if type(value).__module__ in {"asl_engine.core.execution", "asl_engine.core.frames"} and not isinstance(
            value, Phase
        ):
            if isinstance(value, Frame):
                seen.add(value.id)
            names = getattr(value, "__slots__", None) or vars(value)
            return {name: plain(getattr(value, name)) for name in names}
        return repr(value)

    return json.dumps(plain(execution), sort_keys=True)


@pytest.mark.parametrize("path", PATHS)
def test_every_prefix_folds_to_the_state_it_was_in(path: str) -> None:
    live = Execution(IDENTITY)
    for event in recorded(path):
        apply(live, event)
        assert picture(fold(IDENTITY, recorded(path)[: event.seq])) == picture(live)


@pytest.mark.parametrize("path", PATHS)
def test_a_replay_comes_to_the_same_events(path: str) -> None:
    assert replay(MACHINE, IDENTITY, recorded(path)) is None


@pytest.mark.parametrize(("path", "length"), CUTS)
def test_late_and_double_stimuli_change_nothing(path: str, length: int) -> None:
    log = recorded(path)[:length]
    known = {event.seq for event in log}
    closed = known - set(fold(IDENTITY, log).open)
    at = log[-1].at
    for key in closed - {1}:
        for stimulus in (
            TaskReported(at, key, Payload("late")),
            TaskReported(at, key, None, "Late"),
            TimerReported(at + 10**9, key),
            Heartbeat(at, key),
        ):
            execution = fold(IDENTITY, log)
            assert advance(MACHINE, execution, stimulus) == []
            assert execution.seq == length


@pytest.mark.parametrize("path", PATHS)
def test_what_has_ended_stays_ended(path: str) -> None:
    execution = fold(IDENTITY, recorded(path))
    for stimulus in (
        Resumed(NOW),
        Resumed(NOW, restarted=True, died=True),
        StopRequested(NOW),
    ):
        assert advance(MACHINE, execution, stimulus) == []


@pytest.mark.parametrize("path", PATHS)
def test_every_event_has_its_place_in_the_history(path: str) -> None:
    log = recorded(path)
    assert [event["id"] for event in project(IDENTITY, log)] == [event.id for event in log if event.id]


def test_events_are_applied_in_order_and_once() -> None:
    log = recorded("happy")
    execution = fold(IDENTITY, log[:3])
    for event in (log[2], log[4]):
        with pytest.raises(ValueError, match="cannot follow event 3"):
            apply(execution, event)
