"""Our own findings: each rule with what it objects to, and with what it must leave alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asl_engine.language.lint.rules import CODES, lint
from asl_engine.language.loader import check

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]
END = {"Type": "Succeed"}
ITEM = {"StartAt": "I", "States": {"I": {"Type": "Task", "Resource": FUNCTION, "End": True}}}


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION, "Next": "Z", "Catch": CATCH, **fields}


def retrying(**fields: Any) -> dict[str, Any]:
    return task(Retry=[{"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL", **fields}])


def found(first: dict[str, Any], **others: Any) -> list[tuple[str, str | None]]:
    document = {"StartAt": "A", "States": {"A": first, **others, "Z": END}}
    machine, findings = check(json.dumps(document))
    assert machine is not None, findings
    doubts = lint(machine)
    assert {doubt.severity for doubt in doubts} <= {"WARNING"}
    assert {doubt.code for doubt in doubts} <= CODES.keys()
    return [(doubt.code, doubt.location) for doubt in doubts]


RULE = {"Variable": "$.a", "IsPresent": True, "Next": "Z"}

DOUBTFUL: list[tuple[str, str, dict[str, Any]]] = [
    ("TASK_WITHOUT_CATCH", "/States/A", {"A": task(Catch=[])}),
    (
        "TASK_WITHOUT_CATCH",
        "/States/A/ItemProcessor/States/I",
        {"A": {"Type": "Map", "ItemProcessor": ITEM, "Next": "Z"}},
    ),
    (
        "TASK_WITHOUT_CATCH",
        "/States/A/Branches[0]/States/I",
        {"A": {"Type": "Parallel", "Branches": [ITEM], "Next": "Z"}},
    ),
    ("TASK_WITHOUT_TIMEOUT", "/States/A", {"A": task(Resource=ACTIVITY)}),
    (
        "TASK_WITHOUT_TIMEOUT",
        "/States/A",
        {"A": task(Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters={"QueueUrl": "q"})},
    ),
    ("RETRY_WITHOUT_JITTER", "/States/A/Retry[0]", {"A": retrying(JitterStrategy="NONE")}),
    ("RETRY_WAITS_LONG", "/States/A/Retry[0]", {"A": retrying(MaxAttempts=30)}),
    ("RETRY_WAITS_LONG", "/States/A/Retry[0]", {"A": retrying(MaxAttempts=99_999, BackoffRate=9.0)}),
    ("UNKNOWN_ERROR", "/States/A/Retry[0]/ErrorEquals", {"A": retrying(ErrorEquals=["States.Al"])}),
    ("CHOICE_WITHOUT_DEFAULT", "/States/A", {"A": {"Type": "Choice", "Choices": [RULE]}}),
    (
        "LOOP_WITHOUT_WAIT",
        "/States/A",
        {
            "A": {"Type": "Pass", "Next": "B"},
            "B": {"Type": "Choice", "Choices": [RULE], "Default": "A"},
        },
    ),
    ("PAYLOAD_TOO_LARGE", "/States/A/Result", {"A": {"Type": "Pass", "Result": "ü" * 131_072, "Next": "Z"}}),
    (
        "OLD_FORM",
        "/States/A/Iterator",
        {"A": {"Type": "Map", "Iterator": ITEM, "Next": "Z", "Catch": CATCH}},
    ),
    (
        "UNKNOWN_VARIABLE",
        "/States/A/Parameters/x.$",
        {"A": {"Type": "Pass", "Parameters": {"x.$": "$v.a"}, "Next": "Z"}},
    ),
    (
        "UNKNOWN_VARIABLE",
        "/States/A/Output",
        {"A": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $v + $string(1) %}", "Next": "Z"}},
    ),
    (
        "UNKNOWN_VARIABLE",
        "/States/A/Output/x",
        {
            "A": {
                "Type": "Pass",
                "QueryLanguage": "JSONata",
                "Output": {"x": "{% $states.inputt.y %}"},
                "Next": "Z",
            }
        },
    ),
    (
        "UNKNOWN_FUNCTION",
        "/States/A/Output/x[0]",
        {"A": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"x": ["{% $summ([1]) %}"]}, "Next": "Z"}},
    ),
    (
        "UNFILLED_PLACEHOLDER",
        "/States/A/Result/x[0]",
        {"A": {"Type": "Pass", "Result": {"x": ["${X}"]}, "Next": "Z"}},
    ),
    ("PASS_RESULT_IS_STATIC", "/States/A/Result", {"A": {"Type": "Pass", "Result": "$.x", "Next": "Z"}}),
    ("PASS_RESULT_IS_STATIC", "/States/A/Result/x.$", {"A": {"Type": "Pass", "Result": {"x.$": 1}, "Next": "Z"}}),
    (
        "PASS_RESULT_IS_STATIC",
        "/States/A/Result/x[0]",
        {"A": {"Type": "Pass", "Result": {"x": ["States.UUID()"]}, "Next": "Z"}},
    ),
    (
        "NO_DOLLAR",
        "/States/A/Parameters/x[0]/y",
        {"A": {"Type": "Pass", "Parameters": {"x": [{"y": "$$.Execution.Id"}]}, "Next": "Z"}},
    ),
    ("NO_DOLLAR", "/States/A/Assign/x", {"A": {"Type": "Pass", "Assign": {"x": "$"}, "Next": "Z"}}),
    ("NO_DOLLAR", "/States/A/ResultSelector/x", {"A": task(ResultSelector={"x": "States.Format('{}', $.y)"})}),
    (
        "NO_DOLLAR",
        "/States/A/ItemProcessor/States/I/Parameters/x",
        {
            "A": {
                "Type": "Map",
                "Next": "Z",
                "ItemProcessor": {
                    "StartAt": "I",
                    "States": {"I": {"Type": "Pass", "Parameters": {"x": "$.y"}, "End": True}},
                },
            }
        },
    ),
    (
        "NO_PATH",
        "/States/A/Choices[0]/And[0]/Not/StringEquals",
        {
            "A": {
                "Type": "Choice",
                "Choices": [{"And": [{"Not": {"Variable": "$.a", "StringEquals": "$.b"}}], "Next": "Z"}],
                "Default": "Z",
            }
        },
    ),
    (
        "NO_PATH",
        "/States/B/Cause",
        {"A": {"Type": "Choice", "Choices": [RULE], "Default": "B"}, "B": {"Type": "Fail", "Cause": "$.e"}},
    ),
]


@pytest.mark.parametrize(("code", "location", "states"), DOUBTFUL)
def test_what_is_doubtful(code: str, location: str, states: dict[str, Any]) -> None:
    assert found(states.pop("A"), **states) == [(code, location)]


SOUND: list[dict[str, Any]] = [
    {"A": {"Type": "Pass", "Parameters": {"x": "$5", "y": "$name", "z": "States.", "w.$": "$.x"}, "Next": "Z"}},
    {"A": {"Type": "Pass", "Result": {"x": "cost: $.5"}, "Next": "Z"}},
    {"A": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"x": "$.x"}, "Next": "Z"}},
    {"A": task()},
    {"A": task(Resource=ACTIVITY, HeartbeatSeconds=60)},
    {"A": retrying()},
    {"A": retrying(JitterStrategy="NONE", MaxAttempts=1)},
    {"A": retrying(MaxAttempts=30, MaxDelaySeconds=60)},
    {"A": retrying(MaxAttempts=0, BackoffRate=9.0)},
    {"A": {"Type": "Choice", "Choices": [RULE], "Default": "Z"}},
    {"A": {"Type": "Map", "ItemProcessor": ITEM, "Next": "Z", "Catch": CATCH}},
    {"A": {"Type": "Pass", "Result": "x" * 262_142, "Next": "Z"}},
    # What is computed may come out shorter than it is written.
    {"A": {"Type": "Pass", "Parameters": {"x.$": f"States.Format('{'x' * 262_144}')"}, "Next": "Z"}},
    {
        "A": {"Type": "Pass", "Assign": {"v.$": "$", "w": 1}, "Next": "B"},
        "B": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $v.a + $w %}", "Next": "Z"},
    },
    # Whatever loops, and waits.
    {
        "A": {"Type": "Wait", "Seconds": 1, "Next": "B"},
        "B": {"Type": "Choice", "Choices": [RULE], "Default": "A"},
    },
]


@pytest.mark.parametrize("states", SOUND)
def test_what_is_sound(states: dict[str, Any]) -> None:
    assert found(states.pop("A"), **states) == []


def test_every_code_is_tested_and_documented() -> None:
    assert {code for code, _, _ in DOUBTFUL} == CODES.keys()
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    for code, meaning in CODES.items():
        assert f"| `{code}` | {meaning} |" in page
