"""The table of operations in docs/api.md.  ``python -m tests.server.api_table`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from asl_engine.server.operations.table import OPERATIONS
from asl_engine.server.protocol.validation import service_model

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BEGIN, END = "<!-- operations: python -m tests.server.api_table -->", "<!-- end -->"


def table() -> str:
    """One line for each operation of botocore's service model."""
    names = sorted(service_model().operation_names)
    rows = [f"| {name} | {'yes' if name in OPERATIONS else 'not yet'} |" for name in names]
    count = f"{len(OPERATIONS)} of {len(names)} operations are supported."
    return "\n".join([count, "", "| operation | supported |", "|---|---|", *rows])


def page_with_table(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
