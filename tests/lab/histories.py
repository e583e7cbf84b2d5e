"""The histories that were recorded from AWS, as an import is given them: with moments, and data as texts."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CASES = Path(__file__).parents[3] / "shared" / "conformance" / "aws_cases_dev.json"
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
# A function's name is a placeholder in the cases, by itself or in an ARN.
FUNCTIONS = re.compile(
    r'("(?:Resource|resource)": ?)"(?:arn:[^"]*:function:[^"]*|(?![a-z-]+(?:\.[a-z]+)?"|arn:)[^"]*)"'
)
TEXTS = ("input", "output", "parameters")


def recorded() -> list[dict[str, Any]]:
    """The cases with a whole history in the order in which AWS tells it."""
    cases = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return [
        case
        for case in cases
        if case["kind"] == "execution" and "history" in case["expected"] and not case.get("unordered_parallel")
    ]


def definition_of(case: dict[str, Any]) -> str:
    text = case.get("definition_text") or json.dumps(case["definition"])
    return with_function(text.replace("{{role_arn}}", "arn:aws:iam::123456789012:role/r"))


def history_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of GetExecutionHistory's answer."""
    events: list[dict[str, Any]] = json.loads(with_function(json.dumps(case["expected"]["history"])))
    for number, event in enumerate(events):
        event["timestamp"] = (BEGIN + timedelta(milliseconds=10 * number)).isoformat()
        for details in [value for key, value in event.items() if key.endswith("EventDetails")]:
            details |= {name: text_of(details[name]) for name in TEXTS if name in details}
            details |= {
                name: json.dumps(details[name])
                for name in ("cause", "error")
                if name in details and not isinstance(details[name], str)
            }
            variables = details.get("assignedVariables")
            if isinstance(variables, dict):
                details["assignedVariables"] = {name: text_of(value) for name, value in variables.items()}
    return events


def with_function(text: str) -> str:
    return FUNCTIONS.sub(rf'\1"{FUNCTION}"', text)


def text_of(value: Any) -> str:
    """JSON text, also where the placeholder in the record is none."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return json.dumps(value)
        return value
    return json.dumps(value)
