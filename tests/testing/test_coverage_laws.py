"""What a log tells of decisions, held against the decisions, over definitions that nobody thought of."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING, Any

from asl_engine.language.loader import check
from asl_engine.states import recovery
from asl_engine.states.choice import Choice
from asl_engine.testing.coverage import coverage_points, points_taken
from tests.core.driver import IDENTITY
from tests.fuzz import INPUTS, LIMITS, corpus, mutate, run

if TYPE_CHECKING:
    import pytest

    from asl_engine.core.decision import Decision
    from asl_engine.core.machine import StateMachine

ROUNDS = 1200
# Two rules, retriers and catchers that all lead to one state, behind states that fail in every way.
LEADING_TO_ONE: list[dict[str, Any]] = [
    {
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Task",
                "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "ResultPath": "$.a.b.c",
                "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}, {"ErrorEquals": ["States.Timeout"]}],
                "Catch": [
                    {"ErrorEquals": ["E", "States.Timeout"], "ResultPath": None, "Next": "B"},
                    {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "B"},
                ],
                "Next": "B",
            },
            "B": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.a", "IsPresent": True, "Next": "Z"},
                    {"Variable": "$.x", "IsPresent": True, "Next": "Z"},
                ],
                "Default": "Z",
            },
            "Z": {"Type": "Succeed"},
        },
    },
    {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Map",
                "Items": "{% $states.input.a ? [1, 2] : $random() < 0.5 ? [1] : 'none' %}",
                "ItemSelector": "{% $states.context.Map.Item.Value < 2 ? 1 : $number('x') %}",
                "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}},
                "Output": "{% $random() < 0.5 ? $states.result : $number('y') %}",
                "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}],
                "Catch": [
                    {"ErrorEquals": ["Other"], "Next": "B"},
                    {"ErrorEquals": ["States.QueryEvaluationError"], "Next": "B"},
                ],
                "Next": "B",
            },
            "B": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $random() < 0.3 %}", "Next": "Z"},
                    {"Condition": "{% $random() < 0.6 %}", "Next": "Z"},
                ],
                "Default": "Z",
            },
            "Z": {"Type": "Succeed"},
        },
    },
]


class Decided:
    """What the core decides while it runs: by the states' names, counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()
        enter, retry, catch = Choice.enter, recovery.retry, recovery.catch

        def entered(state: Choice, decision: Decision) -> None:
            matching: list[int] = []

            def watched(index: int, matches: Any) -> Any:
                def watch(*given: Any) -> bool:
                    found: bool = matches(*given)
                    if found:
                        matching.append(index)
                    return found

                return watch

            rules = [rule._replace(matches=watched(i, rule.matches)) for i, rule in enumerate(state.rules)]
            enter(Choice(state.name, state.next, state.flow, tuple(rules)), decision)
            self.taken[state.name, f"Choices[{matching[0]}]" if matching else "Default"] += 1

        def retried(decision: Decision, entries: recovery.Recovery, error: str | None) -> bool:
            index = recovery.retrier_for(entries, error)
            done = retry(decision, entries, error)
            if index is not None:
                self.taken[decision.frame.state, f"Retry[{index}]{'' if done else '!'}"] += 1
            return done

        def caught(decision: Decision, entries: recovery.Recovery, error: str | None, cause: str | None) -> bool:
            name, done = decision.frame.state, catch(decision, entries, error, cause)
            if done:
                matching = (
                    i for i, one in enumerate(entries.catchers) if recovery.matches(one.error_equals, error)
                )
                self.taken[name, f"Catch[{next(matching)}]"] += 1
            return done

        monkeypatch.setattr(Choice, "enter", entered)
        monkeypatch.setattr(recovery, "retry", retried)
        monkeypatch.setattr(recovery, "catch", caught)


def read(machine: StateMachine, events: Any) -> Counter[tuple[str, str]]:
    """What the log tells of the same decisions."""
    counts = points_taken(machine, events, IDENTITY, LIMITS)
    points = {point.key: point for point in coverage_points(json.loads(machine.text))}
    assert set(counts) <= set(points)
    found: Counter[tuple[str, str]] = Counter()
    for key, count in counts.items():
        point = points[key]
        if point.kind in {"rule", "retry", "exhausted", "catch"}:
            mark = "!" if point.kind == "exhausted" else ""
            found[point.state, point.location.rpartition("/")[2] + mark] += count
    return found


def test_the_log_tells_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(7)
    definitions = [*LEADING_TO_ONE, *LEADING_TO_ONE, *corpus()]
    seen: Counter[str] = Counter()
    for number in range(ROUNDS):
        definition = deepcopy(LEADING_TO_ONE[number % 2] if number % 3 == 0 else random.choice(definitions))
        for _ in range(random.choice([0, 0, 1, 2])):
            mutate(random, definition, definitions)
        machine, _ = check(json.dumps(definition), positions=False)
        if machine is None:
            continue
        with monkeypatch.context() as patched:
            decided = Decided(patched)
            _, events = run(random, machine, deepcopy(random.choice(INPUTS)))
        told = read(machine, events)
        assert told == decided.taken, (definition, told, decided.taken)
        seen.update(name.partition("[")[0] + ("!" if name.endswith("!") else "") for _, name in told)
    assert seen.keys() >= {"Choices", "Default", "Retry", "Retry!", "Catch"}
