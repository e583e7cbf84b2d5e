"""docs/console.md names every route."""

from __future__ import annotations

from tests.console.routes_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "write it anew: python -m tests.console.routes_page"
