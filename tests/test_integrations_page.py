"""docs/integrations.md is generated."""

from __future__ import annotations

from tests.integrations_page import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.integrations_page`"
