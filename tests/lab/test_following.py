"""Histories that were recorded from AWS, followed: the same history comes out, and can be forked anywhere."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.apply import fold
from asl_engine.core.events import ExecutionStarted, StateEntered
from asl_engine.core.interpreter import advance
from asl_engine.core.replay import replay
from asl_engine.core.stimuli import Resumed
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.lab.forking import Departure, ForkPoint, forked_log
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS, NO_LIMITS
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.projections.told import Told, told_history
from asl_engine.store.memory.store import MemoryStore
from asl_engine.visits.following import Deviation, follow, follow_again
from tests.core.driver import IDENTITY, NOW
from tests.core.steps import scope, state, task
from tests.lab.histories import definition_of, history_of, recorded
from tests.lab.test_forking import MACHINES, Tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine

CASES = {case["id"]: case for case in recorded()}
# The moment that they wait for is a placeholder in the record.
UNREADABLE = ("test_wait_timestamppath[.000000Z]", "test_wait_timestamppath[.00Z]", "[NANOSECONDS]")
EDITED = Payload({"edited": True})


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith(UNREADABLE)])
def test_a_recorded_history_is_followed_and_forked_at_every_state(name: str) -> None:
    case = CASES[name]
    machine, history = load(definition_of(case), limits=NO_LIMITS), told_history(history_of(case), name)
    followed = follow(machine, IDENTITY, history, AWS_LIMITS)
    assert followed.execution.status == case["expected"]["status"]
    assert [(one.id, one.type, one.previous, one.at) for one in told(followed.log)] == [
        (one.id, one.type, one.previous, one.at) for one in history
    ]
    assert fold(IDENTITY, followed.log).output == followed.execution.output
    entered = [event for event in followed.log if isinstance(event, StateEntered)]
    for entry in entered:
        visit = [other for other in entered if other.name == entry.name].index(entry) + 1
        departure = Departure(ForkPoint(entry.name, visit=visit), EDITED)
        log = forked_log(departure, IDENTITY, followed.log, machine, at=NOW, limits=AWS_LIMITS)
        begun = advance(machine, fold(IDENTITY, log), Resumed(NOW), AWS_LIMITS)
        again = next(event for event in begun if isinstance(event, StateEntered) and event.frame == entry.frame)
        assert (again.name, again.input) == (entry.name, EDITED)


def told(log: Sequence[Event]) -> list[Told]:
    return [Told.of(event, event["timestamp"]) for event in project(IDENTITY, log)]


@pytest.mark.parametrize("name", MACHINES)
def test_what_ran_here_comes_out_as_it_was(name: str) -> None:
    """Branches and iterations come to an end in the order in which they were told."""
    definition, data = MACHINES[name]
    machine, log = run(definition, data)
    followed = follow(machine, IDENTITY, told(log), AWS_LIMITS)
    assert without_salt(followed.log) == without_salt(log)
    assert followed.differing == []


def run(definition: dict[str, Any], data: Any) -> tuple[StateMachine, list[Event]]:
    machine = load(json.dumps(definition))

    async def body() -> list[Event]:
        store = MemoryStore()
        async with Engine(store, dict.fromkeys(machine.resources, Tasks()), clock=VirtualClock(NOW)) as engine:
            await (await engine.launch(machine, IDENTITY, Payload(data))).wait()
        return await store.events(IDENTITY.arn)

    return machine, asyncio.run(body())


def without_salt(log: Sequence[Event]) -> list[Event]:
    return [event._replace(salt="") if isinstance(event, ExecutionStarted) else event for event in log]


def test_branches_that_go_on_by_turns() -> None:
    """AWS tells them as they happen; here a branch goes as far as it gets."""
    branch = scope(A=state("Pass", Next="B"), B=state("Pass"))
    other = scope(C=state("Pass", Next="D"), D=state("Pass"))
    machine, log = run(scope(P=state("Parallel", Branches=[branch, other])), {})
    events = told(log)
    order = ["A", "C", "A", "C", "B", "D", "D", "B"]
    inside = [one for one in events if one.state in {"A", "B", "C", "D"}]
    outside = [one for one in events if one not in inside]
    turns: list[Told] = []
    for name in order:
        turns.append(next(one for one in inside if one.state == name and one not in turns))
    shuffled = [*outside[:3], *turns, *outside[3:]]
    new_ids = {one.id: number for number, one in enumerate(shuffled, 1)} | {0: 0}
    history = [one._replace(id=number, previous=new_ids[one.previous]) for number, one in enumerate(shuffled, 1)]
    followed = follow(machine, IDENTITY, history, AWS_LIMITS)
    assert [one.state for one in told(followed.log)[3:11]] == order
    assert followed.execution.output == fold(IDENTITY, log).output
    assert follow_again(machine, IDENTITY, followed.log, AWS_LIMITS) is None
    assert replay(machine, IDENTITY, followed.log, AWS_LIMITS) is not None  # which goes by our own order


def test_only_what_chance_makes_may_be_different() -> None:
    definition = scope(
        A=state("Pass", Parameters={"id.$": "States.UUID()"}, Next="B"), B=state("Pass", Result={"x": 1})
    )
    machine, log = run(definition, {})
    another = Payload({"id": "another"})
    edited: list[Any] = [*log]
    edited[2], edited[3] = edited[2]._replace(output=another), edited[3]._replace(input=another)
    assert follow_again(machine, IDENTITY, edited, AWS_LIMITS) is None
    other = load(json.dumps(definition).replace('"x": 1', '"x": 2'))
    difference = follow_again(other, IDENTITY, edited, AWS_LIMITS)
    assert difference is not None
    assert difference.recorded is not None
    assert difference.replayed is not None
    assert (difference.recorded.id, difference.replayed.output.text) == (5, '{"x":2}')  # type: ignore[union-attr]  # a StateExited


def test_attempts_that_fail_before_they_begin() -> None:
    definition = scope(F=task(Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]))
    machine = load(json.dumps(definition))
    failure = {"error": "Lambda.Unknown", "cause": "none"}
    parts: list[tuple[str, int, dict[str, Any]]] = [
        ("ExecutionStarted", 0, {"input": "{}"}),
        ("TaskStateEntered", 0, {"name": "F", "input": "{}"}),
        ("LambdaFunctionScheduled", 2, {"resource": machine.resources[0], "input": "{}"}),
        ("LambdaFunctionStartFailed", 3, failure),
        ("LambdaFunctionScheduled", 4, {"resource": machine.resources[0], "input": "{}"}),
        ("LambdaFunctionStarted", 5, {}),
        ("LambdaFunctionSucceeded", 6, {"output": "7"}),
        ("TaskStateExited", 7, {"name": "F", "output": "7"}),
        ("ExecutionSucceeded", 8, {"output": "7"}),
    ]
    history = [
        Told(number, previous, NOW + number, kind, details)
        for number, (kind, previous, details) in enumerate(parts, 1)
    ]
    followed = follow(machine, IDENTITY, history, AWS_LIMITS)
    assert (followed.execution.status, followed.execution.output) == ("SUCCEEDED", Payload(7))


PLAIN = scope(A=state("Pass", Next="B"), B=task(Next="C"), C=state("Succeed"))
WRONG = {
    "another machine's": (scope(X=state("Pass")), 2, "its name is 'A', by the definition 'X'"),
    "a state of another type": (scope(A=state("Succeed")), 2, "the definition leads to SucceedStateEntered of A"),
    "a state more": (scope(A=state("Pass", Next="B"), B=task()), 9, "the definition leads to ExecutionSucceeded"),
    "a state less": (
        scope(A=state("Pass", Next="B"), B=task(Next="C"), C=state("Pass", Next="D"), D=state("Succeed")),
        9,
        "the definition leads to PassStateEntered of C",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_definition_that_does_not_lead_there(what: str) -> None:
    definition, number, reason = WRONG[what]
    _, log = run(PLAIN, {})
    with pytest.raises(Deviation, match="do not agree at event") as raised:
        follow(load(json.dumps(definition)), IDENTITY, told(log), AWS_LIMITS)
    assert raised.value.told is not None
    assert (raised.value.told.id, reason in str(raised.value)) == (number, True), str(raised.value)


HOLES: dict[str, tuple[dict[str, Any], str]] = {
    "no data": ({"input": None}, "the history was read without its data"),
    "cut data": ({"inputDetails": {"truncated": True}}, "its data were cut off"),
    "no JSON": ({"input": "{"}, "its input is not JSON"),
}


@pytest.mark.parametrize("what", HOLES)
def test_data_that_the_history_lacks(what: str) -> None:
    change, reason = HOLES[what]
    machine, log = run(PLAIN, {})
    events = told(log)
    events[1] = events[1]._replace(details=events[1].details | change)
    with pytest.raises(Deviation, match=r"^event 2 of the history \(.*\): " + reason):
        follow(machine, IDENTITY, events, AWS_LIMITS)
