"""The laws of the core, over machines that nobody thought of.

Small machines of every state type that does something, nested at random, with tasks that answer or fail at random.
Whatever they do, the log alone says how it goes on.
"""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asl_engine.core.apply import fold
from asl_engine.core.execution import Execution, OpenTask
from asl_engine.core.interpreter import advance
from asl_engine.core.stimuli import Resumed, Started, SubmissionReported, TimerReported, WorkerReported
from asl_engine.errors import StatesError
from asl_engine.limits import Limits
from asl_engine.payload import Payload
from tests.core.driver import IDENTITY, NOW
from tests.core.steps import (
    FUNCTION,
    Steps,
    check_laws,
    each,
    next_timer,
    parallel,
    picture,
    report,
    same,
    scope,
    state,
    wait,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.stimuli import Stimulus

INPUT: Any = {"items": [0, None, "x"], "flag": True}
# Short enough for retries inside retries, and for the end of a full history to be seen too.
LIMITS = Limits(history_events=150)
ERRORS = ["E1", "E2"]
CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
RESOURCES = [FUNCTION, FUNCTION, CALLBACK, "arn:aws:states:us-east-1:123456789012:activity:a"]

Answers = list[str | None]  # the error that a task fails with, None where it answers


@st.composite
def recovery(draw: st.DrawFn, after: str | None) -> dict[str, Any]:
    """Retry and Catch; what is caught goes on behind the state, so only a state that has a next one can catch."""
    names = st.sampled_from([*ERRORS, "States.ALL"])
    fields: dict[str, Any] = {}
    if draw(st.booleans()):
        attempts, seconds = draw(st.integers(1, 2)), draw(st.integers(1, 9))
        fields["Retry"] = [{"ErrorEquals": [draw(names)], "MaxAttempts": attempts, "IntervalSeconds": seconds}]
    if after is not None and draw(st.booleans()):
        fields["Catch"] = [{"ErrorEquals": [draw(names)], "Next": after, "Assign": {"e.$": "$.Error"}}]
    return fields


@st.composite
def work(draw: st.DrawFn, depth: int, names: Iterator[int], after: str | None) -> dict[str, Any]:
    """One state that goes on to ``after``, or ends its scope."""
    onwards = {} if after is None else {"Next": after}
    simple = ["Pass", "Assign", "Wait", "Task", "Task"]
    kind = draw(st.sampled_from(simple if depth == 0 else [*simple, "Parallel", "Map", "Map"]))
    if kind == "Pass":
        return state("Pass", Parameters={"v.$": "$$.State.Name"}, **onwards)
    if kind == "Assign":
        return state("Pass", Assign={"x.$": "$", "y": 1}, **onwards)
    if kind == "Wait":
        return wait(draw(st.integers(0, 5)), **onwards)
    handled = draw(recovery(after))
    if kind == "Task":
        timeout = draw(st.sampled_from([{}, {"TimeoutSeconds": 30}]))
        return state("Task", Resource=draw(st.sampled_from(RESOURCES)), **timeout, **handled, **onwards)
    if kind == "Parallel":
        inner = [draw(states(depth - 1, names)) for _ in range(draw(st.integers(1, 3)))]
        return parallel(*inner, **handled, **onwards)
    return each(
        draw(states(depth - 1, names)),
        ItemsPath="$$.Execution.Input.items",
        MaxConcurrency=draw(st.integers(0, 3)),
        **draw(st.sampled_from([{}, {"ItemSelector": {"i.$": "$$.Map.Item.Index", "o.$": "$"}}])),
        **handled,
        **onwards,
    )


@st.composite
def states(draw: st.DrawFn, depth: int, names: Iterator[int]) -> dict[str, Any]:
    """A scope: up to three states in a row, with a choice in front of them or a failure behind."""
    row = [f"S{next(names)}" for _ in range(draw(st.integers(1, 3)))]
    made = {name: draw(work(depth, names, after)) for name, after in zip(row, [*row[1:], None], strict=True)}
    ending = draw(st.sampled_from(["", "", "", "Fail", "Choice"]))
    if ending == "Fail":
        made[row[-1]] = state("Fail", Error=draw(st.sampled_from(ERRORS)), Cause="because")
    elif ending == "Choice":
        path = draw(st.sampled_from(["$$.Execution.Input.flag", "$.nothing.here"]))
        choice = state("Choice", Choices=[{"Variable": path, "IsPresent": True, "Next": row[-1]}], Default=row[0])
        return scope(**{f"S{next(names)}": choice, **made})
    return scope(**made)


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    timeout = draw(st.sampled_from([{}, {}, {"TimeoutSeconds": 12}]))
    return {**draw(states(2, count())), **timeout}


def next_word(task: OpenTask, at: int, answers: Answers) -> Stimulus:
    """What is heard of a task next: that a worker has it, that it was submitted, how it has ended."""
    key = task.key
    if not task.started:
        return WorkerReported(at, key, f"worker {key % 2}" if key % 3 else None)
    if task.resource == CALLBACK and task.submitted is None and key % 2:
        return SubmissionReported(at, key, Payload({"submitted": key}))
    error = answers[key % len(answers)]
    return report(at, key, {"key": key} if error is None else StatesError(error, "cause"))


def go_on(machine: StateMachine, execution: Execution, at: int, answers: Answers) -> list[Event]:
    """Until the end: the oldest task answers, and when there is none time jumps.

    What a task answers is a matter of its key: whoever asks again hears the same.
    """
    log: list[Event] = []
    while execution.status == "RUNNING":
        tasks = [work for work in execution.open.values() if isinstance(work, OpenTask)]
        if tasks:
            log += advance(machine, execution, next_word(tasks[0], at, answers), LIMITS)
        else:
            at, key = next_timer(machine, execution)
            log += advance(machine, execution, TimerReported(at, key), LIMITS)
    return log


@settings(
    max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(machines(), st.lists(st.sampled_from([None, None, *ERRORS]), min_size=1, max_size=5), st.data())
def test_the_log_alone_says_how_it_goes_on(
    definition: dict[str, Any], answers: Answers, data: st.DataObject
) -> None:
    steps = Steps(definition, INPUT, LIMITS)
    machine, execution = steps.machine, steps.execution
    log = steps.log + go_on(machine, execution, NOW, answers)
    check_laws(machine, execution, log, LIMITS)
    for length in data.draw(st.lists(st.integers(1, len(log)), min_size=6, max_size=6, unique=False)):
        prefix = log[:length]
        resumed = fold(IDENTITY, prefix)
        at = prefix[-1].at
        rest = advance(machine, resumed, Resumed(at), LIMITS)
        rest += go_on(machine, resumed, at, answers)
        assert same([*prefix, *rest], log)
        assert picture(resumed) == picture(execution)


@settings(max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(machines())
def test_deciding_is_a_function(definition: dict[str, Any]) -> None:
    """Told the same, an execution decides the same; told again, it decides nothing."""
    one, two = Steps(definition, INPUT, LIMITS), Steps(json.loads(json.dumps(definition)), INPUT, LIMITS)
    assert same(one.log, two.log)
    assert one.take(Started(one.at, Payload(INPUT))) == []
    assert one.take(Resumed(one.at)) == []
    assert picture(one.execution) == picture(two.execution)
