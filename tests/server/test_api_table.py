from __future__ import annotations

from tests.server.api_table import (
    BEGIN,
    CONSTRAINTS,
    END,
    EVENTS,
    PAGE,
    constraints,
    events_table,
    measured,
    model,
    table,
    with_part,
)

PAGE_TEXT = PAGE.read_text(encoding="utf-8")
ANEW = "write it anew: python -m tests.server.api_table"


def test_the_table_in_the_documentation_is_current() -> None:
    assert PAGE_TEXT.count(BEGIN) == PAGE_TEXT.count(CONSTRAINTS) == 1
    assert PAGE_TEXT.count(EVENTS) == 1
    assert PAGE_TEXT.count(END) == 3
    assert with_part(PAGE_TEXT, BEGIN, table()) == PAGE_TEXT, ANEW
    if model() in PAGE_TEXT:  # another botocore may have other operations
        assert with_part(PAGE_TEXT, EVENTS, events_table()) == PAGE_TEXT, ANEW


def test_the_figures_in_the_documentation_are_current() -> None:
    found = measured()
    assert found.agreed == found.tried.total()
    if model() in PAGE_TEXT:  # another botocore has another number of them
        assert with_part(PAGE_TEXT, CONSTRAINTS, constraints(found)) == PAGE_TEXT, ANEW
