"""Two histories held against each other."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.projections.parity import first_difference


def event(number: int, previous: int, kind: str, **details: Any) -> dict[str, Any]:
    shown = {"taskStateExitedEventDetails": details} if details else {}
    return {"id": number, "previousEventId": previous, "type": kind, "timestamp": number, **shown}


STARTED = event(1, 0, "ExecutionStarted")
ENTERED = event(2, 0, "TaskStateEntered", name="A", input='{"n": 1}')
LEFT = event(3, 2, "TaskStateExited", name="A", output='{"n": 1}')
LINE = [STARTED, ENTERED, LEFT]


def parallel(*order: str) -> list[dict[str, Any]]:
    """A Parallel with the branches L and R, whose two events each happen in this order, and a state after it."""
    events = [STARTED, event(2, 0, "ParallelStateEntered", name="P"), event(3, 2, "ParallelStateStarted")]
    last: dict[str, int] = {}
    for step in order:
        number = len(events) + 1
        kind = "PassStateExited" if step in last else "PassStateEntered"
        events.append(event(number, last.get(step, 3), kind, name=step))
        last[step] = number
    done = last[order[-1]]
    number = len(events) + 1
    return [
        *events,
        event(number, done, "ParallelStateSucceeded"),
        event(number + 1, done, "ParallelStateExited", name="P"),
        event(number + 2, number + 1, "ExecutionSucceeded"),
    ]


def changed(place: int, **changes: Any) -> list[dict[str, Any]]:
    return [one | changes if number == place else one for number, one in enumerate(LINE)]


def of_a_moment(text: str) -> list[dict[str, Any]]:
    return [STARTED, event(2, 0, "PassStateExited", name="P", output=f'{{"at": "{text}"}}')]


SAME = {
    "moments of events": (LINE, [one | {"timestamp": 0} for one in LINE]),
    "moments in data": (of_a_moment("2024-01-01T00:00:00Z"), of_a_moment("2026-11-29T21:00:00.123Z")),
    "UUIDs": (
        of_a_moment(f"{'0' * 8}-1111-2222-3333-{'4' * 12}"),
        of_a_moment(f"{'a' * 8}-1111-2222-3333-{'b' * 12}"),
    ),
    "the order of branches": (parallel("L", "L", "R", "R"), parallel("L", "R", "R", "L")),
    "spaces in JSON": (LINE, [STARTED, ENTERED, event(3, 2, "TaskStateExited", name="A", output='{"n":1}')]),
}


@pytest.mark.parametrize("what", SAME)
def test_what_is_another_one_each_time_does_not_count(what: str) -> None:
    assert first_difference(*SAME[what]) is None


OTHER: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "a type": (
        LINE,
        changed(2, type="TaskFailed"),
        'event 3, TaskStateExited of A: type is "TaskStateExited" here, "TaskFailed" there',
    ),
    "a value": (
        LINE,
        [STARTED, ENTERED, event(3, 2, "TaskStateExited", name="A", output='{"n": true}')],
        "event 3, TaskStateExited of A: output.n is 1 here, true there",
    ),
    "a member that is missing": (
        LINE,
        [STARTED, ENTERED, event(3, 2, "TaskStateExited", name="A", output="{}")],
        'event 3, TaskStateExited of A: output.n is 1 here, "(absent)" there',
    ),
    "a history that stops": (
        LINE,
        LINE[:2],
        'event 3, TaskStateExited of A: type is "TaskStateExited" here, "(absent)" there',
    ),
    "one that goes on": (
        LINE[:2],
        LINE,
        'event 3, TaskStateExited: type is "(absent)" here, "TaskStateExited" there',
    ),
    "a branch": (
        parallel("L", "L", "R", "R"),
        parallel("L", "X", "X", "L"),
        'event 6, PassStateEntered of R: name is "R" here, "X" there',
    ),
}


@pytest.mark.parametrize("what", OTHER)
def test_the_first_difference_is_named(what: str) -> None:
    one, other, said = OTHER[what]
    assert str(first_difference(one, other)) == said


def test_names_of_the_second_history_are_read_as_those_of_the_first() -> None:
    there = [STARTED, ENTERED, event(3, 2, "TaskStateExited", name="A", output='{"n": "arn:there"}')]
    here = [STARTED, ENTERED, event(3, 2, "TaskStateExited", name="A", output='{"n": "arn:here"}')]
    assert first_difference(here, there, {"arn:there": "arn:here"}) is None
    assert first_difference(here, there) is not None
