"""Definitions in the manner of published ones, explored; ``expected.json`` has what was checked by hand.

Some have mistakes that are often made, some have none.  Errors that nothing catches are told of nearly every task,
so that only their states are listed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asl_engine.exploring.exploration import explore
from asl_engine.language.document import read_source

HERE = Path(__file__).parent
FILES = {path.name.partition(".")[0]: path for path in sorted((HERE / "definitions").glob("*.asl.json"))}
EXPECTED: dict[str, dict[str, Any]] = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))


def test_all_definitions_are_expected() -> None:
    assert FILES.keys() == EXPECTED.keys()
    assert len(FILES) == 20


@pytest.mark.parametrize("name", FILES)
def test_findings(name: str) -> None:
    path, expected = FILES[name], EXPECTED[name]
    found = explore(read_source(path.read_text(encoding="utf-8"), path.name), {})
    told = [
        f"{one.finding.severity} {one.finding.code} ({one.certainty}) {one.place}"
        for one in found.discoveries
        if one.finding.code != "UNCAUGHT"
    ]
    assert told == expected["findings"]
    uncaught = sorted(one.place for one in found.discoveries if one.finding.code == "UNCAUGHT")
    assert uncaught == expected["uncaught"]
    assert f"{found.taken} of {found.points}" == expected["taken"]
    assert not found.found.cut, "it takes less than the ten seconds that it is given"
    assert all(one.finding.line for one in found.discoveries)
    assert all(
        (one.ran is None) == (one.certainty != "seen" and one.finding.code != "ENDLESS")
        for one in found.discoveries
    )


def test_what_a_catcher_leads_to_a_fail_state_is_caught() -> None:
    """The Fail state may take over the name of the error."""
    path = HERE.parents[1] / "examples" / "orchestration" / "statemachines" / "order.json"
    found = explore(read_source(path.read_text(encoding="utf-8"), path.name), {})
    assert [(one.finding.code, one.place) for one in found.discoveries] == [
        ("UNCAUGHT", "States.Refund"),
        ("UNCAUGHT", "States.TellTheCustomer"),
    ]
