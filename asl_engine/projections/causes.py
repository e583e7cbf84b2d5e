"""What a cause says: of the report that a Lambda function gives of an exception, the message."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["lambda_report", "readable_cause", "without_requests"]


def readable_cause(cause: str | None) -> str | None:
    """The message of a report, any other cause as it is."""
    report = lambda_report(cause)
    return cause if report is None else str(report["errorMessage"])


def lambda_report(cause: str | None) -> dict[str, Any] | None:
    """The report with which Lambda's runtimes describe an exception, None where the cause is none."""
    if cause is None or not cause.startswith("{"):
        return None
    try:
        report = json.loads(cause)
    except ValueError:
        return None
    return report if isinstance(report, dict) and isinstance(report.get("errorMessage"), str) else None


def without_requests(value: Any) -> Any:
    """The value with Lambda's causes in it as objects, without the ID of the request, which is always another."""
    if isinstance(value, dict):
        return {key: without_requests(member) for key, member in value.items()}
    if isinstance(value, list):
        return [without_requests(member) for member in value]
    report = lambda_report(value) if isinstance(value, str) and '"errorMessage"' in value else None
    return value if report is None else {name: told for name, told in report.items() if name != "requestId"}
