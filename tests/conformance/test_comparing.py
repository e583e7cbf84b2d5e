"""The comparison itself: what it takes for the same, and that it takes nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.comparing import Comparison, Mismatch, sorted_runs, unordered

SAME = {
    "equal": ({"a": [1, None]}, {"a": [1, None]}),
    "a placeholder in a text": ("arn:<region>:x", "arn:eu-west-1:x"),
    "a placeholder for a number": ({"a": "<milliseconds>"}, {"a": 12}),
    "a numbered one, twice the same": (["<name:1>", "is <name:1>"], ["fig", "is fig"]),
    "two numbered ones": (["<name:1>", "<name:2>"], ["fig", "elm"]),
    "a name with a placeholder": ({"<name:1>": 1, "b": 2}, {"x": 1, "b": 2}),
    "the text of an object": ({"cause": {"a": 1}}, {"cause": '{"a": 1}'}),
    "the text of an array, where one is expected": ({"cause": [1]}, {"cause": "[1]"}),
}
DIFFERENT = {
    "another value": ({"a": 1}, {"a": 2}, "/a"),
    "a fraction for an integer": ([1], [1.0], "/0"),
    "a boolean for a number": ([1], [True], "/0"),
    "one item more": ([1], [1, 2], "/1"),
    "one item less": ([1, 2], [1], "/1"),
    "a member more": ({}, {"a": 1}, "/a"),
    "a member less": ({"a": 1}, {}, "/a"),
    "null for nothing": ({}, {"a": None}, "/a"),
    "a text for a number": ([1], ["1x"], "/0"),
    "text around a placeholder": ("arn:<region>:x", "arn:eu-west-1:y", ""),
    "a numbered one that stands for two": (["<name:1>", "<name:1>"], ["fig", "elm"], "/1"),
    "a numbered one within one text": ("<name:1>/<name:1>", "fig/elm", ""),
    "blanks in the text of an array": ({"input": "[1,2]"}, {"input": "[1, 2]"}, "/input"),
}


@pytest.mark.parametrize(("expected", "actual"), SAME.values(), ids=SAME)
def test_the_same(expected: Any, actual: Any) -> None:
    Comparison().check(expected, actual)


@pytest.mark.parametrize(("expected", "actual", "path"), DIFFERENT.values(), ids=DIFFERENT)
def test_different(expected: Any, actual: Any, path: str) -> None:
    with pytest.raises(Mismatch) as caught:
        Comparison().check(expected, actual)
    assert str(caught.value).startswith(f"{path}: expected ")


def test_words_are_placeholders_where_they_stand_by_themselves() -> None:
    comparison = Comparison(["moment"])
    comparison.check(["moment", "at moment."], [5, "at noon."])
    with pytest.raises(Mismatch):
        comparison.check(["moments"], ["noon"])


def test_loose_paths_are_not_compared() -> None:
    expected = {"events": [{"id": 1, "cause": "a"}, {"id": 2, "cause": "b"}]}
    actual = {"events": [{"id": 1, "cause": "x"}, {"id": 2, "cause": "b"}]}
    for loose in ("$..cause", "$..events[0].cause", "$.answer.events[*].cause", "$"):
        Comparison(loose=[loose]).check(expected, actual)
    with pytest.raises(Mismatch):
        Comparison(loose=["$..events[1].cause"]).check(expected, actual)


@pytest.mark.parametrize(
    "told",
    [
        {"status": "FAILED", "error": "Jam"},
        {"status": "SUCCEEDED", "output": 2},
        {"status": "SUCCEEDED"},
        {"status": "SUCCEEDED", "output": 1, "cause": "x"},
    ],
)
def test_outcomes_that_differ(told: dict[str, Any]) -> None:
    expected = {"status": "SUCCEEDED", "output": 1}
    Comparison().outcome(expected, expected)
    with pytest.raises(Mismatch):
        Comparison().outcome(expected, told)


def event(number: int, kind: str) -> dict[str, Any]:
    return {"id": number, "previousEventId": number - 1, "type": kind}


def test_the_order_within_a_parallel_state_does_not_count() -> None:
    begin = [event(1, "ExecutionStarted"), event(2, "ParallelStateEntered"), event(3, "ParallelStateStarted")]
    end = [event(6, "ParallelStateSucceeded"), event(7, "ParallelStateExited"), event(8, "PassStateEntered")]
    one = unordered([*begin, event(4, "PassStateEntered"), event(5, "FailStateEntered"), *end])
    other = unordered([*begin, event(4, "FailStateEntered"), event(5, "PassStateEntered"), *end])
    assert one == other == [*begin, *sorted_runs(one[3:5]), *end[1:]]
    assert [inside["id"] for inside in one[3:5]] == [0, 0]
    assert unordered([*begin, event(4, "WaitStateEntered"), event(5, "PassStateEntered"), *end]) != one
