"""Our own mistakes: they are raised to those who test the core, and end one execution where it is run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from asl_engine.core.apply import fold
from asl_engine.core.execution import Execution
from asl_engine.core.interpreter import advance
from asl_engine.core.replay import replay
from asl_engine.core.stimuli import Started, TimerReported
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.states.pass_ import Pass
from tests.core.driver import IDENTITY, NOW, outcome

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision

WAIT_AND_PASS = load(
    json.dumps(
        {
            "StartAt": "W",
            "States": {
                "W": {"Type": "Wait", "Seconds": 1, "Next": "P"},
                "P": {"Type": "Pass", "End": True, "Parameters": {"a": 1}},
            },
        }
    )
)


class Odd(Exception):
    """Nothing that anybody is prepared for."""


def broken(_state: Pass, _decision: Decision) -> None:
    raise Odd("what is this? \ud800")


def test_a_defect_is_raised_where_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pass, "enter", broken)
    execution = Execution(IDENTITY)
    advance(WAIT_AND_PASS, execution, Started(NOW, Payload({})))
    with pytest.raises(Odd):
        advance(WAIT_AND_PASS, execution, TimerReported(NOW + 1000, next(iter(execution.open))))


def test_a_defect_that_is_reported_ends_the_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pass, "enter", broken)
    execution = Execution(IDENTITY)
    defects: list[Exception] = []
    events = advance(WAIT_AND_PASS, execution, Started(NOW, Payload({})), report_defect=defects.append)
    timer = TimerReported(NOW + 1000, next(iter(execution.open)))
    events += advance(WAIT_AND_PASS, execution, timer, report_defect=defects.append)
    assert [type(defect) for defect in defects] == [Odd]
    cause = "A defect of asl-engine ended the execution. Odd: what is this? \\ud800"
    assert outcome(execution) == ("FAILED", ("States.Runtime", cause))
    assert outcome(fold(IDENTITY, events)) == outcome(execution)
    assert replay(WAIT_AND_PASS, IDENTITY, events) is None


def test_a_defect_that_is_mended_shows_in_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Pass, "enter", broken)
        execution = Execution(IDENTITY)
        defects: list[Exception] = []
        events = advance(WAIT_AND_PASS, execution, Started(NOW, Payload({})), report_defect=defects.append)
        timer = TimerReported(NOW + 1000, next(iter(execution.open)))
        events += advance(WAIT_AND_PASS, execution, timer, report_defect=defects.append)
    difference = replay(WAIT_AND_PASS, IDENTITY, events)
    assert difference is not None
    assert (type(difference.recorded).__name__, type(difference.replayed).__name__) == (
        "ExecutionFailed",
        "StateExited",
    )
