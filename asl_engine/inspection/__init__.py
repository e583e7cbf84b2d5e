"""Tests one state by itself: its result for an input, and the data at each stage in between.

A ``Trial`` runs a single state on the interpreter that runs executions, from the moment it is entered until
it is left, fails or is to be retried.  It is not a second interpreter: it wraps the compiled
state and observes it.  AWS documentation, "Testing state machines with TestState API".
"""

from __future__ import annotations

from asl_engine.inspection.checks import check_mock, check_request
from asl_engine.inspection.map_stages import DatasetItem, Datasets
from asl_engine.inspection.subject import Refusal, StateConfiguration, StateMock, Subject, load_subject
from asl_engine.inspection.trial import Trial
from asl_engine.inspection.verdict import Verdict, to_answer

__all__ = [
    "DatasetItem",
    "Datasets",
    "Refusal",
    "StateConfiguration",
    "StateMock",
    "Subject",
    "Trial",
    "Verdict",
    "check_mock",
    "check_request",
    "load_subject",
    "to_answer",
]
