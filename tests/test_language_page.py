"""docs/language.md says what the code knows."""

from __future__ import annotations

from tests.language_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.language_page"
