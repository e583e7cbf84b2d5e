"""The clock is set: what the core makes of it, without an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.core.apply import fold
from asl_engine.core.events import ClockSet, ExecutionForked, WaitScheduled
from asl_engine.core.interpreter import lifetime_end, machine_deadline
from asl_engine.core.stimuli import ClockSetReported, TimerReported
from asl_engine.limits import AWS_LIMITS
from asl_engine.store.sqlite.codec import decode, encode, rows_of
from tests.core.driver import IDENTITY, NOW
from tests.core.steps import Steps, check_laws, parallel, scope, state, task, wait

if TYPE_CHECKING:
    from asl_engine.core.events import Event

HOUR = 3_600_000
AT = "2023-11-14T23:13:20Z"  # an hour after NOW
BOTH = {
    **scope(P=parallel(scope(A=wait(60)), scope(B=state("Wait", Timestamp=AT)), scope(C=task(TimeoutSeconds=90)))),
    "TimeoutSeconds": 7200,
}


def dues(steps: Steps) -> dict[str, int]:
    return {work.frame.state: (work.due or 0) - NOW for work in steps.execution.open.values()}


def test_what_counts_seconds_moves_and_a_moment_stays() -> None:
    steps = Steps(BOTH)
    assert dues(steps) == {"A": 60_000, "B": HOUR, "C": 90_000}
    (told,) = steps.take(ClockSetReported(NOW + 10_000 - HOUR, -HOUR))
    assert told == ClockSet(told.seq, 0, told.previous, NOW + 10_000, 0, -HOUR, HOUR)
    assert dues(steps) == {"A": 60_000 - HOUR, "B": HOUR, "C": 90_000 - HOUR}
    assert machine_deadline(steps.machine, steps.execution) == NOW + 7_200_000 - HOUR
    assert lifetime_end(steps.execution, AWS_LIMITS) == NOW + 31_536_000_000 - HOUR
    check_laws(steps.machine, steps.execution, steps.log)


def test_stamps_go_on_from_where_they_were_and_seconds_are_counted_by_the_clock() -> None:
    steps = Steps(scope(A=wait(60, Next="B"), B=wait(5)))
    key = next(iter(steps.execution.open))
    steps.take(ClockSetReported(NOW + 10_000 - HOUR, -HOUR))
    events = steps.take(TimerReported(NOW + 60_000 - HOUR, key))
    assert {event.at for event in events} == {NOW + 60_000}
    assert [event.due for event in events if isinstance(event, WaitScheduled)] == [NOW + 65_000 - HOUR]
    check_laws(steps.machine, steps.execution, steps.log)


def test_an_expression_sees_the_clock() -> None:
    now = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $millis() %}", "End": True}
    steps = Steps(scope(A=wait(60, Next="N"), N=now))
    key = next(iter(steps.execution.open))
    steps.take(ClockSetReported(NOW + 10_000 - HOUR, -HOUR))
    steps.take(TimerReported(NOW + 60_000 - HOUR, key))
    assert steps.execution.output is not None
    assert steps.execution.output.value == NOW + 60_000 - HOUR
    check_laws(steps.machine, steps.execution, steps.log)


def test_catching_up_is_told_once() -> None:
    steps = Steps(BOTH)
    steps.take(ClockSetReported(NOW - 30_000, -30_000))
    assert steps.execution.ahead == 30_000
    assert steps.take(ClockSetReported(NOW - 30_000, 0)) == []  # no time has passed
    (told,) = steps.take(ClockSetReported(NOW - 10_000, 0))
    assert (told.at, steps.execution.ahead) == (NOW, 10_000)
    (told,) = steps.take(ClockSetReported(NOW + 10_000, 0))
    assert (told.at, steps.execution.ahead) == (NOW + 10_000, 0)
    assert steps.take(ClockSetReported(NOW + 10_000, 0)) == []
    assert dues(steps)["A"] == 30_000
    check_laws(steps.machine, steps.execution, steps.log)


def test_a_fork_has_a_time_of_its_own() -> None:
    steps = Steps(BOTH)
    steps.take(ClockSetReported(NOW - HOUR, -HOUR))
    at = NOW - HOUR + 1
    forked: Event = ExecutionForked(len(steps.log) + 1, 0, 0, at, 0, IDENTITY.arn)
    fork = fold(IDENTITY._replace(name="fork", started_at=at), [*steps.log, forked])
    assert (fork.ahead, fork.shifted) == (0, 0)
    assert machine_deadline(steps.machine, fork) == at + 7_200_000
    assert lifetime_end(fork, AWS_LIMITS) == at + 31_536_000_000


def test_it_is_stored_and_what_was_stored_before_is_read() -> None:
    events: list[Event] = [
        WaitScheduled(1, 0, 0, NOW, 0, NOW + 1, absolute=True),
        ClockSet(2, 0, 0, NOW, 0, -5, 5),
    ]
    rows = rows_of(encode(1, events))
    assert decode(rows, {}) == events
    older = (*rows[0][:6], f'{{"due":{NOW}}}', None)
    assert decode([older], {}) == [WaitScheduled(1, 0, 0, NOW, 0, NOW)]
