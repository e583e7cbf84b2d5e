"""Histories recorded from AWS, brought home and priced."""

from __future__ import annotations

from collections import Counter

import pytest

from asl_engine.costing.cost import cost_json, cost_of
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS, NO_LIMITS
from asl_engine.projections.told import told_history
from asl_engine.testing.executions import ExecutionLog
from asl_engine.visits.following import follow
from tests.core.driver import IDENTITY
from tests.costing.runs import PRICING, SMALL
from tests.lab.histories import definition_of, history_of, recorded
from tests.lab.test_following import UNREADABLE

CASES = {case["id"]: case for case in recorded() if not case["id"].endswith(UNREADABLE)}
# What an attempt begins with, of which a state has one without being tried again.
ATTEMPTS = (
    "LambdaFunctionScheduled",
    "TaskScheduled",
    "ActivityScheduled",
    "ParallelStateStarted",
    "MapStateStarted",
)


@pytest.mark.parametrize("name", CASES)
def test_what_ran_on_aws_is_priced(name: str) -> None:
    case = CASES[name]
    text, history = definition_of(case), history_of(case)
    log = follow(load(text, limits=NO_LIMITS), IDENTITY, told_history(history, name), AWS_LIMITS).log
    priced = cost_of([ExecutionLog(IDENTITY, text, log, None)], case["expected"]["status"], SMALL, PRICING)
    entered = Counter(
        event["stateEnteredEventDetails"]["name"] for event in history if event["type"].endswith("StateEntered")
    )
    counted = priced.transitions.by_state
    assert {state: count.entered for state, count in counted.items()} == entered
    attempts = sum(event["type"] in ATTEMPTS for event in history)
    assert 0 <= sum(count.retried for count in counted.values()) <= max(0, attempts - 1)
    assert priced.own.history_events == len(history)
    assert cost_json(priced)["transitions"] >= sum(entered.values())
