"""The options of an execution, on their way into a database and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asl_engine.json_text import dumps, loads
from asl_engine.limits import AWS_LIMITS, NO_LIMITS, Limits
from asl_engine.store.run_options import NO_OPTIONS, RunOptions

if TYPE_CHECKING:
    from asl_engine.json_values import Json

ALL = RunOptions(
    definition=Path("/p/order.json"),
    use_lambda=True,
    endpoint="http://localhost:3001",
    time="scale=0.5",
    limits=AWS_LIMITS._replace(history_events=7, payload_bytes=None),
    endpoints=("sqs=http://localhost:4566",),
    mock="/p/mocks.json#happy",
    served=True,
    revision={"revisionId": "r"},
    mock_case="happy",
    started_by="arn:7",
)


@pytest.mark.parametrize(
    "options", [NO_OPTIONS, ALL, *(NO_OPTIONS._replace(**{name: getattr(ALL, name)}) for name in ALL._fields)]
)
def test_they_come_back_as_they_were(options: RunOptions) -> None:
    stored = loads(dumps(options.to_stored()))
    assert isinstance(stored, dict)
    assert RunOptions.of(stored) == options


def test_what_everybody_has_is_not_stored() -> None:
    assert NO_OPTIONS.to_stored() == {}


@pytest.mark.parametrize("name", Limits._fields)
def test_a_limit_of_its_own_is_stored_alone(name: str) -> None:
    limits = AWS_LIMITS._replace(**{name: 7})
    assert NO_OPTIONS._replace(limits=limits).to_stored() == {"limits": {name: 7}}


@pytest.mark.parametrize(("stored", "limits"), [(True, AWS_LIMITS), (False, NO_LIMITS), (None, AWS_LIMITS)])
def test_limits_that_earlier_versions_have_stored(stored: Json, limits: Limits) -> None:
    assert RunOptions.of({"limits": stored}).limits == limits


def test_what_this_version_does_not_know_is_left_alone() -> None:
    assert RunOptions.of({"limits": {"moons": 3}, "colour": "red"}) == NO_OPTIONS
