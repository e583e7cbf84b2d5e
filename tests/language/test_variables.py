"""Which variables each state refers to, in both query languages and in every scope."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.language.loader import load
from asl_engine.language.variables import variable_references

END = {"End": True}


def machine(language: str, **states: dict[str, Any]) -> str:
    """The states in their order; Z, where one names it, is the last."""
    last = {"Z": {"Type": "Succeed"}} if '"Z"' in json.dumps(states) else {}
    return json.dumps({"QueryLanguage": language, "StartAt": next(iter(states)), "States": states | last})


def references(text: str) -> dict[str, list[str]]:
    return variable_references(load(text))


LAMBDA = "arn:aws:states:::lambda:invoke"

PATHS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("a path", {"Type": "Pass", "InputPath": "$order.id", **END}, ["order"]),
    (
        "data and context are no variables",
        {"Type": "Pass", "Parameters": {"a.$": "$.x", "b.$": "$$.y"}, **END},
        [],
    ),
    (
        "a template, each name once",
        {"Type": "Pass", "Parameters": {"a.$": "$b", "c": [{"d.$": "$e[0]"}, {"f.$": "$b"}]}, **END},
        ["b", "e"],
    ),
    (
        "an intrinsic function",
        {"Type": "Pass", "Parameters": {"a.$": "States.Format('{} $no', States.Array($x, $y.z))"}, **END},
        ["x", "y"],
    ),
    ("a filter", {"Type": "Pass", "Parameters": {"a.$": "$list[?(@.n == 1)]"}, **END}, ["list"]),
    ("a quoted member", {"Type": "Pass", "Parameters": {"a.$": "$['$no']"}, **END}, []),
    (
        "a literal that looks like a path",
        {"Type": "Pass", "Parameters": {"a": "$no", "InputPath": "$no"}, **END},
        [],
    ),
    ("a literal result", {"Type": "Pass", "Result": {"InputPath": "$no", "a.$": "$no"}, **END}, []),
    ("assigning is not referring", {"Type": "Pass", "Assign": {"a": 1, "b.$": "$c"}, **END}, ["c"]),
    ("a wait", {"Type": "Wait", "SecondsPath": "$delay", **END}, ["delay"]),
    (
        "a failure",
        {"Type": "Fail", "ErrorPath": "$error", "CausePath": "States.Format('{}', $cause)"},
        ["error", "cause"],
    ),
    (
        "a choice",
        {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$n", "NumericLessThanPath": "$most"},
                        {"Not": {"Variable": "$.x", "IsPresent": True}},
                    ],
                    "Next": "Z",
                    "Assign": {"k.$": "$n"},
                }
            ],
            "Default": "Z",
        },
        ["n", "most"],
    ),
    (
        "a task",
        {
            "Type": "Task",
            "Resource": LAMBDA,
            "Parameters": {"FunctionName.$": "$f"},
            "TimeoutSecondsPath": "$t",
            "ResultSelector": {"a.$": "$s"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"e.$": "$c"}, "Next": "Z"}],
            "Next": "Z",
        },
        ["f", "t", "s", "c"],
    ),
]

EXPRESSIONS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("a reference", {"Type": "Pass", "Output": "{% $order.id %}", **END}, ["order"]),
    ("no variables of the workflow", {"Type": "Pass", "Output": "{% $sum($states.input.a) %}", **END}, []),
    ("what the expression binds itself", {"Type": "Pass", "Output": "{% ($x := 1; $x + $y) %}", **END}, ["y"]),
    (
        "a function's parameters",
        {"Type": "Pass", "Output": "{% $map($items, function($v) { $v * $rate }) %}", **END},
        ["items", "rate"],
    ),
    ("text outside of the delimiters", {"Type": "Pass", "Output": {"a": "$no", "b": " {% $no %}"}, **END}, []),
    ("assigning is not referring", {"Type": "Pass", "Assign": {"a": 1, "b": "{% $c %}"}, **END}, ["c"]),
    (
        "a choice",
        {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $a < 1 %}", "Next": "Z", "Output": "{% $b %}"}],
            "Default": "Z",
            "Assign": {"x": "{% $d %}"},
        },
        ["a", "b", "d"],
    ),
    (
        "members that are called as the fields that hold states",
        {"Type": "Pass", "Output": {"Branches": ["{% $a %}"], "Iterator": {"ItemProcessor": "{% $b %}"}}, **END},
        ["a", "b"],
    ),
    (
        "members that are called as literal fields",
        {"Type": "Pass", "Assign": {"x": {"Result": "{% $a %}", "Next": "{% $b %}"}}, **END},
        ["a", "b"],
    ),
    ("a comment is not evaluated", {"Type": "Pass", "Comment": "{% $no %}", **END}, []),
    ("a wait", {"Type": "Wait", "Seconds": "{% $delay %}", **END}, ["delay"]),
    (
        "a task",
        {
            "Type": "Task",
            "Resource": LAMBDA,
            "Arguments": {"FunctionName": "{% $f %}"},
            "TimeoutSeconds": "{% $t %}",
            **END,
        },
        ["f", "t"],
    ),
]


@pytest.mark.parametrize(("state", "names"), [case[1:] for case in PATHS], ids=[case[0] for case in PATHS])
def test_jsonpath(state: dict[str, Any], names: list[str]) -> None:
    assert references(machine("JSONPath", A=state)) == ({"A": names} if names else {})


@pytest.mark.parametrize(
    ("state", "names"), [case[1:] for case in EXPRESSIONS], ids=[case[0] for case in EXPRESSIONS]
)
def test_jsonata(state: dict[str, Any], names: list[str]) -> None:
    assert references(machine("JSONata", A=state)) == ({"A": names} if names else {})


def test_every_scope_has_its_own_entries() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Parameters": {"a.$": "$inner"}, "End": True}}}
    branch = {
        "StartAt": "B",
        "States": {"B": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $b %}", **END}},
    }
    text = machine(
        "JSONPath",
        M={
            "Type": "Map",
            "ItemsPath": "$items",
            "ItemSelector": {"v.$": "$own"},
            "ItemProcessor": inner,
            "Next": "P",
        },
        P={"Type": "Parallel", "Branches": [branch], **END},
    )
    assert references(text) == {"M": ["items", "own"], "I": ["inner"], "B": ["b"]}
