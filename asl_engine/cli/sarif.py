"""Findings as a SARIF log (OASIS standard, version 2.1.0), as code hosts show them beside the lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asl_engine import __version__
from asl_engine.language.lint.rules import CODES as LINT_CODES
from asl_engine.project.checking import CODES as PROJECT_CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.findings import Finding

__all__ = ["sarif_log"]

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Final = {"ERROR": "error", "WARNING": "warning"}


def sarif_log(results: Sequence[tuple[str, list[Finding]]]) -> dict[str, Any]:
    """One run of this tool over the files, each given with its findings."""
    codes = sorted({finding.code for _, findings in results for finding in findings})
    driver = {
        "name": "asl-engine",
        "semanticVersion": __version__,
        "rules": [_rule(code) for code in codes],
    }
    shown = [
        _result(name, finding, codes.index(finding.code)) for name, findings in results for finding in findings
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": shown}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    meaning = (LINT_CODES | PROJECT_CODES).get(code)
    return {"id": code} | ({} if meaning is None else {"shortDescription": {"text": meaning}})


def _result(file: str, finding: Finding, rule: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if finding.line is not None:
        place["region"] = {"startLine": finding.line, "startColumn": finding.column}
    location: dict[str, Any] = {"physicalLocation": place}
    if finding.location is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.location}]
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [location],
    }


def _uri(file: str) -> str:
    """A path as the URI reference that SARIF asks for: relative where it was given so."""
    from urllib.parse import quote

    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
