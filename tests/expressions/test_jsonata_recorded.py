"""JSONata states against results recorded from AWS: those made of Pass and Succeed states alone."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from asl_engine.errors import QueryFailure
from asl_engine.expressions.jsonata import Bindings, compile_template_jsonata

FILE = Path(__file__).parents[2].parent / "shared" / "conformance" / "aws_cases_dev.json"


def recorded() -> list[Any]:
    cases = json.loads(FILE.read_text(encoding="utf-8"))["cases"] if FILE.exists() else []
    chosen = [case for case in cases if case["kind"] == "execution" and is_jsonata(case["definition"])]
    if not chosen:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{FILE.name} is not at hand"))]
    return [pytest.param(case, id=case["id"].split("::")[-1]) for case in chosen]


def is_jsonata(definition: dict[str, Any]) -> bool:
    language = definition.get("QueryLanguage")
    return all(
        state["Type"] in {"Pass", "Succeed"} and state.get("QueryLanguage", language) == "JSONata"
        for state in definition["States"].values()
    )


def refuse(place: str, message: str, _code: str) -> None:
    pytest.fail(f"{place}: {message}")


def run(definition: dict[str, Any], data: Any) -> tuple[Any, list[dict[str, Any]]]:
    """The output, and what each state assigned."""
    variables: dict[str, Any] = {}
    assigned = []
    name = definition["StartAt"]
    while True:
        state = definition["States"][name]
        bindings = Bindings({"input": data, "context": {}}, variables, Random(0))
        if "Assign" in state:
            assigned.append(compile_template_jsonata(state["Assign"], "Assign", refuse).evaluate(bindings))
            variables = {**variables, **assigned[-1]}  # type: ignore[dict-item]  # JSON values
        if "Output" in state:
            data = compile_template_jsonata(state["Output"], "Output", refuse).evaluate(bindings)
        if "Next" not in state:
            return data, assigned  # type: ignore[return-value]  # JSON values
        name = state["Next"]


@pytest.mark.parametrize("case", recorded())
def test_pass_states(case: dict[str, Any]) -> None:
    expected = case["expected"]
    if expected["status"] == "SUCCEEDED":
        output, assigned = run(case["definition"], case.get("input"))
        exited = [event.get("stateExitedEventDetails", {}) for event in expected["history"]]
        recorded_assigned = [details["assignedVariables"] for details in exited if "assignedVariables" in details]
        assert output == expected["output"]
        assert assigned == [{k: json.loads(v) for k, v in values.items()} for values in recorded_assigned]
        return
    with pytest.raises(QueryFailure) as caught:
        run(case["definition"], case.get("input"))
    (failed,) = (e["evaluationFailedEventDetails"] for e in expected["history"] if e["type"] == "EvaluationFailed")
    assert failed["cause"].partition("). ")[2] == caught.value.detail
    assert (failed["error"], failed["location"]) == (caught.value.error, caught.value.location)
