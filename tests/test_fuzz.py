"""A glimpse of ``tests.fuzz``, on the same rounds each time; what it has found stays here by its seed."""

from __future__ import annotations

import json

import pytest

from asl_engine.language.loader import check
from tests.fuzz import fuzz


def test_nothing_but_findings_and_histories() -> None:
    outcomes = fuzz(seed=1, rounds=1500)
    assert outcomes["SUCCEEDED"]
    assert outcomes["FAILED"]
    assert outcomes["refused"]


PASS = {"Type": "Pass", "End": True}
INNER = {"StartAt": "I", "States": {"I": PASS}}


@pytest.mark.parametrize(
    ("state", "location"),
    [
        ({**PASS, "QueryLanguage": ["JSONata"]}, "/States/A/QueryLanguage"),
        (
            {"Type": "Map", "QueryLanguage": "JSONata", "Items": None, "ItemProcessor": INNER, "End": True},
            "/States/A/Items",
        ),
        ({"Type": "Wait", "QueryLanguage": "JSONata", "Seconds": None, "End": True}, "/States/A/Seconds"),
    ],
)
def test_what_it_has_found(state: dict[str, object], location: str) -> None:
    _, findings = check(json.dumps({"StartAt": "A", "States": {"A": state}}))
    assert [finding.location for finding in findings] == [location]
