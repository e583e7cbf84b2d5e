"""Expressions against the results recorded from AWS, where the file of recorded cases is at hand.

The whole cases are run elsewhere; here each expression is evaluated by itself, so that a deviation
points at the expression and not at the state around it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.choice_rule import compile_rule
from asl_engine.expressions.errors import ExpressionSyntaxError, PathNotFound
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.template import compile_template

FILE = Path(__file__).parents[2].parent / "shared" / "conformance" / "aws_cases_dev.json"


@cache
def cases() -> list[dict[str, Any]]:
    if not FILE.exists():
        return []
    found: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["cases"]
    return found


def recorded(*parts: str) -> Any:
    """A parameter per case whose id has one of the parts; a skipped one where there is no file."""
    chosen = [case for case in cases() if any(part in case["id"] for part in parts)]
    if not chosen:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{FILE.name} is not at hand"))]
    return [pytest.param(case, id=case["id"].split("::")[-1]) for case in chosen]


def scope(case: dict[str, Any]) -> Scope:
    return Scope(case["input"], {}, lambda: {"Execution": {"Input": case["input"]}})


def no_finding(place: str, message: str) -> None:
    pytest.fail(f"{place}: {message}")


def no_intrinsic(text: str) -> Any:
    raise ExpressionSyntaxError("not an expression of this package", text)


@pytest.mark.parametrize("case", recorded("choice_operators/"))
def test_choice_rules(case: dict[str, Any]) -> None:
    states = case["definition"]["States"]
    choice = states["CheckValues"]
    reached = choice["Default"]
    for source in choice["Choices"]:
        rule = compile_rule(source, no_finding)
        assert rule is not None
        if rule(scope(case)):
            reached = source["Next"]
            break
    assert states[reached]["Result"] == case["expected"]["output"]


@pytest.mark.parametrize(
    "case",
    recorded(
        "test_json_path_array_",
        "test_state_pass_regex_json_path",
        "test_escape_sequence_parsing[ESCAPE_SEQUENCES_JSONPATH]",
    ),
)
def test_templates(case: dict[str, Any]) -> None:
    [state] = case["definition"]["States"].values()
    template = compile_template(state["Parameters"], no_finding, no_intrinsic)
    assert template.evaluate(scope(case)) == case["expected"]["output"]


@pytest.mark.parametrize("case", recorded("INVALID_JSONPATH_IN_STRING_EXPR_JSONPATH"))
def test_a_template_whose_path_leads_nowhere(case: dict[str, Any]) -> None:
    template = compile_template(case["definition"]["States"]["pass"]["Parameters"], no_finding, no_intrinsic)
    with pytest.raises(EvaluationError) as caught:
        template.evaluate(scope(case))
    expected = case["expected"]["cause"].replace(
        "<json-input:1>", json.dumps(case["input"], separators=(",", ":"))
    )
    assert expected.endswith(f" {caught.value.detail}")


@pytest.mark.parametrize("case", recorded("INVALID_JSONPATH_IN_INPUTPATH", "test_catch_states_runtime"))
def test_the_reasons_of_paths_that_lead_nowhere(case: dict[str, Any]) -> None:
    [state] = [s for s in case["definition"]["States"].values() if "InputPath" in s or "OutputPath" in s]
    with pytest.raises(PathNotFound) as caught:
        compile_path(state.get("InputPath") or state["OutputPath"]).get(scope(case))
    assert case["expected"]["cause"].endswith(f" : {caught.value.reason}")
