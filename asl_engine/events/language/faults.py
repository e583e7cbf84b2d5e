"""Why a pattern, a transformer or a schedule is none: reasons with their places in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.errors import AslError
from asl_engine.findings import Finding
from asl_engine.language.positions import locate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["InvalidEventPattern", "InvalidSchedule", "InvalidTransformer", "finding_at"]

SHOWN = 200  # characters of the pattern in the message


class InvalidEventPattern(AslError):
    """InvalidEventPatternException: the text is no event pattern.  ``findings`` are all reasons, in order."""

    def __init__(self, text: str, findings: Sequence[Finding]) -> None:
        first = findings[0]
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
        place = f'[Source: (String)"{shown}"; line: {first.line}, column: {first.column}]'
        field = f" ({first.location})" if first.location else ""
        super().__init__(f"Event pattern is not valid. Reason: {first.message} at {place}{field}")
        self.findings = tuple(findings)


class InvalidTransformer(AslError):
    """An InputPath, InputPathsMap or InputTemplate is none."""


class InvalidSchedule(AslError):
    """A schedule expression is none."""


def finding_at(text: str, location: str, reason: str) -> Finding:
    """The finding for a field of a pattern, with the line and the column at which it stands in the text."""
    line, column = locate(text, location) or (1, 1)
    return Finding("INVALID_EVENT_PATTERN", reason, location, line=line, column=column)
