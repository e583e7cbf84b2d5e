"""Values that are not JSON fail the state that has made them, wherever they hide and wherever they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.payload import Payload
from tests.core.driver import NEVER, drive, outcome

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
INNER = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}

# Each of them has a function, a regular expression or half a character somewhere.
NOT_JSON = [
    "$sum",
    "$sum(?)",
    "function($x){ $x }",
    "/a/",
    "[$sum]",
    "{'a': [/a/]}",
    "${'a': $sum}",
    "$states{'a': $sum}",
    "$states[]{'a': $sum}",
    "$states.{'a': $sum}",
    "$states.input.list^($){'a': $sum}",
    "$states.input ~> |$|{'a': $sum}|",
    "$merge([$states.input, {'a': $sum}])",
    "$reduce([$sum, $max], function($a, $b){ $b })",
    "$match('ab', /a/).next",
    "'\\ud800'",
    "{'\\udfff': 1}",
    "['a' & '\\ud800']",
    "$error('\\ud800')",
]


def given(expression: str) -> str:
    return f"{{% {expression} %}}"


def last(**fields: Any) -> dict[str, Any]:
    return {"A": {"End": True, **fields}}


def task(**fields: Any) -> dict[str, Any]:
    return last(Type="Task", Resource=FUNCTION, **fields)


def inline(**fields: Any) -> dict[str, Any]:
    return last(Type="Map", **{"Items": [1], "ItemProcessor": INNER, **fields})


SUCCEED = {"B": {"Type": "Succeed"}}
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "Output": lambda text: last(Type="Pass", Output=text),
    "Output, deep within": lambda text: last(Type="Pass", Output={"x": [text]}),
    "Assign": lambda text: last(Type="Pass", Assign={"v": text}),
    "Output behind a Wait": lambda text: {
        "W": {"Type": "Wait", "Seconds": 1, "Next": "A"},
        **last(Type="Pass", Output=text),
    },
    "Output of a Wait": lambda text: last(Type="Wait", Seconds=1, Output=text),
    "Seconds": lambda text: last(Type="Wait", Seconds=text),
    "Timestamp": lambda text: last(Type="Wait", Timestamp=text),
    "Error": lambda text: {"A": {"Type": "Fail", "Error": text}},
    "Cause": lambda text: {"A": {"Type": "Fail", "Cause": text}},
    "Condition": lambda text: {
        "A": {"Type": "Choice", "Choices": [{"Condition": text, "Next": "B"}], "Default": "B"},
        **SUCCEED,
    },
    "Arguments": lambda text: task(Arguments=text),
    "TimeoutSeconds": lambda text: task(TimeoutSeconds=text),
    "HeartbeatSeconds": lambda text: task(HeartbeatSeconds=text),
    "Output of a catcher": lambda text: {
        **task(TimeoutSeconds=1, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B", "Output": text}]),
        **SUCCEED,
    },
    "Items": lambda text: inline(Items=text),
    "MaxConcurrency": lambda text: inline(MaxConcurrency=text),
    "ToleratedFailureCount": lambda text: inline(ToleratedFailureCount=text),
    "ToleratedFailurePercentage": lambda text: inline(ToleratedFailurePercentage=text),
    "ItemSelector": lambda text: inline(ItemSelector={"x": text}),
    "Items of a distributed Map": lambda text: inline(ItemProcessor=DISTRIBUTED, Items=text),
    "BatchInput": lambda text: inline(
        ItemProcessor=DISTRIBUTED, ItemBatcher={"MaxItemsPerBatch": 1, "BatchInput": text}
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("expression", NOT_JSON)
def test_what_is_not_json_fails_its_state(place: str, expression: str) -> None:
    states = PLACES[place](given(expression))
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    execution, events = drive(definition, {"list": [1, 2]}, {"A": [NEVER]})
    status, (error, cause) = outcome(execution)
    assert (status, error) == ("FAILED", "States.QueryEvaluationError")
    assert "The JSONata expression" in cause
    for event in events:  # and all of it can be kept
        for value in event:
            if isinstance(value, Payload):
                value.text.encode()
            elif isinstance(value, str):
                value.encode()


@pytest.mark.parametrize("expression", ["${'a': $sum}", "'\\ud800'"])
def test_the_cause_says_what_is_wrong(expression: str) -> None:
    execution, _ = drive(
        {"QueryLanguage": "JSONata", "StartAt": "A", "States": PLACES["Output"](given(expression))}
    )
    _, (_, cause) = outcome(execution)
    _, _, said = cause.partition("(entered at the event id #2). ")
    assert said == (
        f"The JSONata expression '{expression}' specified for the field 'Output' "
        "returned an unsupported result type."
    )


def test_an_input_that_is_repeated_too_often_costs_steps() -> None:
    """Its text would be 25 GB long."""
    expression = "$map([1..100000], function($i){ $states.input })"
    definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": PLACES["Output"](given(expression))}
    execution, _ = drive(definition, {"text": "x" * 250_000})
    assert "D1012" in outcome(execution)[1][1]


def test_an_input_that_is_repeated_a_little_is_handed_on() -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": PLACES["Output"](given("[$states.input, $states.input, {'again': $states.input}]")),
    }
    execution, _ = drive(definition, {"n": [1]})
    assert outcome(execution) == ("SUCCEEDED", [{"n": [1]}, {"n": [1]}, {"again": {"n": [1]}}])
