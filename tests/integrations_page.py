"""docs/integrations.md: its tables are generated from those that the engine works by.

``python -m tests.integrations_page`` writes the page anew.
"""

from __future__ import annotations

from pathlib import Path

from asl_engine.resources.aws.optimised import OPTIMISED
from asl_engine.resources.aws.sdk_services import REFUSED, SUPPORTED, TABLE, sdk_services
from asl_engine.resources.integrations import NATIVE

PAGE = Path(__file__).parents[1] / "docs" / "integrations.md"
BEGIN, END = "<!-- table: generated -->\n", "<!-- table: end -->\n"
SDK_BEGIN, SDK_END = "<!-- services: generated -->\n", "<!-- services: end -->\n"
LISTED_SINCE = "2024"  # what came earlier is too much for the page


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


def sdk_tables() -> str:
    """Which services AWS SDK integrations call, and which they do not, with the dates."""
    known = sdk_services()
    supported = {name: service for name, service in known.items() if service.status == SUPPORTED}
    (dated,) = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("# As of")]
    date = dated.removeprefix("# ").partition(".")[0]
    lines = [
        f"{date}, {len(supported)} services are known to be supported. These are not:",
        "",
        "| service | not supported since |",
        "|---|---|",
    ]
    for name, service in known.items():
        if service.status != SUPPORTED:
            lines.append(f"| `{name}` | {'ever' if service.status == REFUSED else service.removed} |")
    lines += ["", "These came since 2024:", "", "| since | services |", "|---|---|"]
    for date in sorted({one.since for one in supported.values() if one.since >= LISTED_SINCE}):
        names = ", ".join(f"`{name}`" for name, one in supported.items() if one.since == date)
        lines.append(f"| {date} | {names} |")
    lines += [
        "",
        "These actions of supported services are not supported:",
        "",
        "| service | actions |",
        "|---|---|",
    ]
    for name, service in supported.items():
        if service.unsupported:
            lines.append(f"| `{name}` | {', '.join(f'`{action}`' for action in sorted(service.unsupported))} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page as it should be: its own text, with the tables of today."""
    text = PAGE.read_text(encoding="utf-8")
    for begin, end, made in ((BEGIN, END, table()), (SDK_BEGIN, SDK_END, sdk_tables())):
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{made}{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
