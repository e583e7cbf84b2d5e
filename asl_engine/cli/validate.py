"""``asl validate``: everything that is wrong with a definition, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.cli.inputs import STDIN, STDIN_NAME, read_text
from asl_engine.cli.output import err, out, pretty_json
from asl_engine.cli.shapes import validation_result
from asl_engine.definition import check
from asl_engine.errors import AslError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.findings import Finding

__all__ = ["validate"]


def validate(files: Sequence[str], *, as_json: bool) -> int:
    """Write all findings of all files.  2 where one is an error, or a file cannot be read."""
    if files.count(STDIN) > 1:
        raise InvalidInput("the standard input can be read once: give - once")
    refused = False
    results = []
    for file in files:
        try:
            _, findings = check(read_text(file, "the definition"))
        except AslError as error:
            err(f"asl: error: {error}")
            refused = True
            continue
        name = STDIN_NAME if file == STDIN else file
        refused |= any(finding.severity == "ERROR" for finding in findings)
        results.append(validation_result(name, findings))
        if not as_json:
            _tell(name, findings)
    if as_json:
        out(pretty_json(results))
    return 2 if refused else 0


def _tell(name: str, findings: Sequence[Finding]) -> None:
    for finding in findings:
        out(f"{name}{finding}" if finding.severity == "ERROR" else f"{name}{finding} (warning)")
    if not any(finding.severity == "ERROR" for finding in findings):
        out(f"{name}: OK")
