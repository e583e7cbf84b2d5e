from __future__ import annotations

from tests.server.api_table import BEGIN, END, PAGE, page_with_table


def test_the_table_in_the_documentation_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert page_with_table(page) == page, "write it anew: python -m tests.server.api_table"
