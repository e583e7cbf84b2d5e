"""docs/integrations.md: its table is generated from the table that the engine works by.

``python -m tests.integrations_page`` writes the page anew.
"""

from __future__ import annotations

from pathlib import Path

from asl_engine.resources.aws.optimised import OPTIMISED
from asl_engine.resources.integrations import NATIVE

PAGE = Path(__file__).parents[1] / "docs" / "integrations.md"
BEGIN, END = "<!-- table: generated -->\n", "<!-- table: end -->\n"


def table() -> str:
    """One line for each integration, with the patterns it knows."""
    rows = dict(NATIVE)
    rows.update({name: entry.patterns for name, entry in OPTIMISED.items()})
    lines = ["| integration | beside request and response | ends with | fails with |", "|---|---|---|---|"]
    for name in sorted(rows):
        job = OPTIMISED[name].job if name in OPTIMISED else None
        ends = "" if job is None else ", ".join(f"`{state}`" for state in sorted(job.succeeded))
        fails = "" if job is None else ", ".join(f"`{state}`" for state in sorted(job.failed))
        patterns = ", ".join(f"`{pattern}`" for pattern in rows[name])
        lines.append(f"| `{name}` | {patterns} | {ends} | {fails} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page as it should be: its own text, with the table of today."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
