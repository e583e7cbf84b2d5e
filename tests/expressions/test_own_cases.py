"""Expressions of the project's own conformance cases, each evaluated by itself.

The whole cases are run elsewhere; here a deviation points at the expression and not at the state around it.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from asl_engine.errors import QueryFailure
from asl_engine.expressions.choice_rule import compile_rule
from asl_engine.expressions.intrinsics.calls import compile_intrinsic
from asl_engine.expressions.jsonata import Bindings, compile_template_jsonata
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.template import compile_template
from tests.conformance.comparing import Comparison
from tests.conformance.own_cases import cases


def parameters(state: str, *, group: str, status: str = "SUCCEEDED") -> list[Any]:
    """The cases of a group whose machine is one state of this name."""
    chosen = [
        case
        for case in cases()
        if case["id"].startswith(group + "/")
        and list(case["definition"]["States"]) == [state]
        and case["expected"]["status"] == status
    ]
    assert chosen
    return [pytest.param(case, id=case["id"]) for case in chosen]


def context(data: Any) -> Any:
    return {"Execution": {"Input": data}, "State": {"Name": "Work"}, "StateMachine": {"Name": "orchard"}}


def refuse(place: str, message: str, code: str = "") -> None:
    pytest.fail(f"{place}: {message} {code}")


@pytest.mark.parametrize("case", parameters("Ask", group="choice"))
def test_rules(case: Any) -> None:
    choice = case["definition"]["States"]["Ask"]["ItemProcessor"]["States"]["Judge"]
    rules = [compile_rule(source, refuse) for source in choice["Choices"]]
    answers = []
    for asked in case["input"]:
        scope = Scope(asked, {}, dict)
        answers.append("yes" if any(rule is not None and rule(scope) for rule in rules) else "no")
    assert answers == case["expected"]["output"]


@pytest.mark.parametrize("case", parameters("Work", group="intrinsics"))
def test_intrinsic_functions(case: Any) -> None:
    data = case["input"]
    template = compile_template(case["definition"]["States"]["Work"]["Parameters"], refuse, compile_intrinsic)
    result = template.evaluate(Scope(data, {}, lambda: context(data), lambda: Random(0)))
    Comparison().check(case["expected"]["output"], result)


def evaluate(case: Any) -> Any:
    template = compile_template_jsonata(case["definition"]["States"]["Work"]["Output"], "Output", refuse)
    states = {"input": case["input"], "context": context(case["input"])}
    return template.evaluate(Bindings(states, {}, Random(0)))


@pytest.mark.parametrize("case", parameters("Work", group="jsonata"))
def test_jsonata(case: Any) -> None:
    Comparison().check(case["expected"]["output"], evaluate(case))


@pytest.mark.parametrize("case", parameters("Work", group="jsonata", status="FAILED"))
def test_jsonata_that_fails(case: Any) -> None:
    with pytest.raises(QueryFailure) as caught:
        evaluate(case)
    [failed] = [event for event in case["expected"]["history"] if event["type"] == "EvaluationFailed"]
    details = failed["evaluationFailedEventDetails"]
    assert details["cause"].partition("). ")[2] == caught.value.detail
    assert (details["error"], details["location"]) == (caught.value.error, caught.value.location)
