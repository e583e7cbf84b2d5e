"""The intrinsic functions against results recorded from AWS Step Functions."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from asl_engine.expressions.intrinsics.calls import compile_intrinsic
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.template import compile_template

CASES = Path(__file__).parents[2].parent / "shared" / "conformance" / "aws_cases_dev.json"
MACHINE_NAME = "<ArnPart_0idx>"  # the placeholder of the recording; a real name has no hyphen in these cases


def recorded_cases() -> list[dict[str, Any]]:
    if not CASES.exists():
        return []
    cases = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return [case for case in cases if case["group"] == "intrinsic_functions" and not in_jsonata(case)]


def in_jsonata(case: dict[str, Any]) -> bool:
    return "QueryLanguage" in json.dumps(case["definition"])


def refuse(place: str, message: str) -> None:
    pytest.fail(f"{place}: {message}")


def evaluate(state: dict[str, Any], data: Any) -> Any:
    """Parameters, ResultPath and OutputPath, as far as the recorded definitions use them."""
    context: Any = {"StateMachine": {"Name": MACHINE_NAME}, "Execution": {"Input": data}}
    template = compile_template(state["Parameters"], refuse, compile_intrinsic)
    result = template.evaluate(Scope(data, {}, lambda: context, lambda: Random(0)))
    if state.get("OutputPath") == "$.result_path.merged":
        assert isinstance(result, dict)
        return result["merged"]
    assert "OutputPath" not in state
    return result


def recorded(part_of_id: str) -> dict[str, Any]:
    if not CASES.exists():
        pytest.skip(f"the recorded cases are not at {CASES}")
    cases = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    (case,) = (case for case in cases if part_of_id in case["id"])
    found: dict[str, Any] = case
    return found


def test_variables_as_recorded() -> None:
    case = recorded("[BASE_REFERENCE_IN_INTRINSIC_FUNCTION]")
    states = case["definition"]["States"]
    template = compile_template(states["State1"]["Parameters"], refuse, compile_intrinsic)
    result: Any = template.evaluate(Scope({}, states["State0"]["Assign"], dict, lambda: Random(0)))
    UUID(result["uuidOp"].pop("uniqueId"))
    expected = case["expected"]["output"]
    assert expected["uuidOp"].pop("uniqueId") == "<uuid:1>"
    assert result == expected


def test_error_and_cause_as_recorded() -> None:
    case = recorded("test_state_fail_intrinsic")
    state = case["definition"]["States"]["FailState"]
    scope = Scope(case["input"], {}, dict)
    assert compile_intrinsic(state["ErrorPath"])(scope) == case["expected"]["error"]
    assert compile_intrinsic(state["CausePath"])(scope) == case["expected"]["cause"]


@pytest.mark.skipif(not CASES.exists(), reason=f"the recorded cases are not at {CASES}")
def test_there_are_recorded_cases() -> None:
    assert len(recorded_cases()) >= 88


@pytest.mark.parametrize("case", recorded_cases(), ids=lambda case: case["id"].rpartition("::")[2])
def test_as_recorded(case: dict[str, Any]) -> None:
    (state,) = case["definition"]["States"].values()
    assert evaluate(state, case["input"]) == case["expected"]["output"]
