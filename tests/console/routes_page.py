"""The table of routes in docs/console.md: ``python -m tests.console.routes_page`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from asl_engine.console.routes.table import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "console.md"
BEGIN, END = "<!-- routes -->\n", "<!-- end of routes -->\n"


def table() -> str:
    lines = ["| route | parameters | what it is |", "|---|---|---|"]
    for route in ROUTES:
        reads = route.reads if route.reads in {"", "as the API"} else f"`{route.reads}`"
        lines.append(f"| `{route.method} {route.path}` | {reads} | {route.about} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with its table written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
